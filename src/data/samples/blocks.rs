use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use candle_core::Tensor;

use super::Samples;
use crate::{Error, Result};

impl Samples {
    /// With the number of the block that each sample belongs to, `[n]`: windows of one event, records of one machine. What
    /// parts data (a split, a committee's folds, those of [`FitConfig::folds`](crate::FitConfig::folds) and of the class
    /// prior's estimate) leaves a block whole, so that nothing is judged by what was trained on its like. Where all samples
    /// of a group are one block there is nothing to part, and each counts by itself.
    ///
    /// ```
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::data::{PuDataset, Samples};
    ///
    /// let rows = Samples::from(Tensor::new(&[[0f32], [1.], [2.], [3.]], &Device::Cpu)?);
    /// let data = PuDataset::new(rows.with_blocks(&[7, 7, 9, 9])?)?;
    /// let (train, validation) = data.split(0.25, 0)?;
    /// assert_eq!((train.unlabeled().len(), validation.unlabeled().len()), (2, 2));
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] unless there is one a sample.
    pub fn with_blocks(self, blocks: &[u32]) -> Result<Self> {
        Error::check_lengths(("blocks", blocks.len()), ("samples", self.len()))?;
        let blocks = Some(Arc::from(blocks));
        Ok(Self { blocks, ..self })
    }

    /// The block of each sample, `[n]`; `None` where each is by itself.
    pub fn blocks(&self) -> Option<&[u32]> {
        self.blocks.as_deref()
    }

    /// Whether there are several that are all of one block.
    pub(crate) fn is_one_block(&self) -> bool {
        let blocks = self.blocks().unwrap_or_default();
        blocks.len() > 1 && blocks.iter().all(|block| *block == blocks[0])
    }

    /// With the blocks of the samples that these were made of, one of each.
    pub(crate) fn in_blocks_of(self, others: &Self) -> Self {
        let blocks = others.blocks.clone().filter(|_| others.len() == self.len());
        Self { blocks, ..self }
    }

    /// These and others like them behind them, with the names of these. Blocks of the same number are the same one; of samples
    /// without blocks beside some with, each is its own.
    pub(crate) fn followed_by(&self, others: &Self) -> Result<Self> {
        let (first, second) = (self.to_tensor()?, others.to_tensor()?);
        let all = Tensor::cat(&[&first, &second.to_device(first.device())?], 0)?;
        let all = Self::from(all).with_names(self.names())?;
        let both = [self, others];
        let known = both.iter().filter_map(|samples| samples.blocks());
        let known: HashSet<u32> = known.flatten().copied().collect();
        if known.is_empty() {
            return Ok(all);
        }
        let mut own = (0..).filter(|block| !known.contains(block));
        let mut blocks = Vec::with_capacity(all.len());
        for samples in both {
            match samples.blocks() {
                Some(known) => blocks.extend_from_slice(known),
                None => blocks.extend(own.by_ref().take(samples.len())),
            }
        }
        all.with_blocks(&blocks)
    }

    /// What is parted, each with its samples in order: the blocks as they first occur, or the samples one by one.
    pub(crate) fn units(&self) -> Vec<Vec<u32>> {
        let mut units: Vec<Vec<u32>> = Vec::new();
        let mut at = HashMap::new();
        for (row, block) in (0..).zip(self.blocks().unwrap_or_default()) {
            let unit = *at.entry(block).or_insert(units.len());
            if unit == units.len() {
                units.push(vec![]);
            }
            units[unit].push(row);
        }
        if units.len() > 1 {
            return units;
        }
        one_by_one(self.len())
    }
}

/// Units of a sample each.
pub(crate) fn one_by_one(samples: usize) -> Vec<Vec<u32>> {
    (0..samples as u32).map(|row| vec![row]).collect()
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn rows(n: usize) -> Samples {
        let values: Vec<f32> = (0..n).map(|i| i as f32).collect();
        Tensor::from_vec(values, (n, 1), &Device::Cpu)
            .unwrap()
            .into()
    }

    #[test]
    fn blocks_go_where_their_samples_go() {
        let samples = rows(5).with_blocks(&[4, 2, 4, 0, 2]).unwrap();
        assert_eq!(samples.units(), [vec![0, 2], vec![1, 4], vec![3]]);
        let some = samples.select(&[4, 2, 2, 1]).unwrap();
        assert_eq!(some.blocks(), Some(&[2, 4, 4, 2][..]));
        assert_eq!(some.units(), [vec![0, 3], vec![1, 2]]);
        let named = samples.with_names(&["a"]).unwrap();
        assert_eq!(named.blocks().map(<[u32]>::len), Some(5));
        let other = rows(5).in_blocks_of(&named);
        assert_eq!(other.blocks(), named.blocks());
        assert_eq!(rows(4).in_blocks_of(&named).blocks(), None);
    }

    #[test]
    fn samples_behind_others_keep_their_blocks() {
        let (with, without) = (rows(2).with_blocks(&[3, 8]).unwrap(), rows(3));
        let blocks = |first: &Samples, second| {
            let all = first.followed_by(second).unwrap();
            all.blocks().map(<[u32]>::to_vec)
        };
        assert_eq!(blocks(&with, &with), Some(vec![3, 8, 3, 8]));
        assert_eq!(blocks(&with, &without), Some(vec![3, 8, 0, 1, 2]));
        assert_eq!(blocks(&without, &with), Some(vec![0, 1, 2, 3, 8]));
        assert_eq!(blocks(&without, &without), None);
    }

    #[test]
    fn without_blocks_or_with_a_single_one_samples_are_by_themselves() {
        let each = [[0], [1], [2]];
        assert_eq!(rows(3).units(), each);
        let one = rows(3).with_blocks(&[5; 3]).unwrap();
        assert_eq!(one.units(), each);
        assert!(one.is_one_block() && !rows(3).is_one_block());
        assert!(!one.select(&[0]).unwrap().is_one_block());
        assert!(!rows(2).with_blocks(&[1, 2]).unwrap().is_one_block());
        let error = rows(3).with_blocks(&[1]).unwrap_err().to_string();
        assert!(error.contains("blocks") && error.contains('3'), "{error}");
    }
}
