use std::collections::HashSet;
use std::sync::Arc;

use candle_core::Tensor;

use super::{Samples, Units};
use crate::{Error, Result};

impl Samples {
    /// With the number of the block that each sample belongs to, `[n]`: windows of one event, records of one machine. What
    /// parts data (a split, a committee's folds, those of [`FitConfig::folds`](crate::FitConfig::folds) and of the class
    /// prior's estimate) leaves a block whole, so that nothing is judged by what was trained on its like. Where all samples
    /// of a group are one block a split has to part it, and does so sample by sample ([`Warning::OneBlock`]).
    ///
    /// [`Warning::OneBlock`]: crate::estimator::Warning::OneBlock
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
    ///
    /// # Errors
    /// [`Error::Config`] for stored ones, unless they are few: they would have to be read whole.
    pub(crate) fn followed_by(&self, others: &Self) -> Result<Self> {
        let few = |samples: &Self| samples.clone().in_memory_if_small();
        let (first, second) = (&few(self)?, &few(others)?);
        if first.is_stored() || second.is_stored() {
            let rule = "in memory where two parts become one: `Samples::in_memory`";
            return Err(Error::config("samples", rule, "some that stay in a file"));
        }
        let (first, second) = (first.to_tensor()?, second.to_tensor()?);
        let all = Tensor::cat(&[&first, &second.to_device(first.device())?], 0)?;
        let all = Self::from(all).with_names(self.names())?;
        if self.blocks().or(others.blocks()).is_none() {
            return Ok(all);
        }
        let mut blocks = Vec::with_capacity(all.len());
        for (samples, beside) in [(self, others), (others, self)] {
            match samples.blocks() {
                Some(known) => blocks.extend_from_slice(known),
                None => blocks.extend(beside.other_numbers().take(samples.len())),
            }
        }
        all.with_blocks(&blocks)
    }

    /// With numbers of blocks that these others have none of: they are numbered by themselves.
    pub(crate) fn apart_from(&self, others: &Self) -> Result<Self> {
        let (Some(_), Some(_)) = (self.blocks(), others.blocks()) else {
            return Ok(self.clone());
        };
        let units = self.units();
        let mut blocks = vec![0; self.len()];
        for (unit, number) in (0..units.len() as u32).zip(others.other_numbers()) {
            for &sample in units.get(unit) {
                blocks[sample as usize] = number;
            }
        }
        self.clone().with_blocks(&blocks)
    }

    /// Numbers that none of its blocks has.
    fn other_numbers(&self) -> impl Iterator<Item = u32> + use<> {
        let known: HashSet<u32> = self.blocks().unwrap_or_default().iter().copied().collect();
        (0..).filter(move |number| !known.contains(number))
    }

    /// What is parted: the blocks, pieces of stored samples, or the samples one by one.
    pub(crate) fn units(&self) -> Units {
        match (self.blocks(), self.pieces()) {
            (Some(blocks), _) => Units::of(blocks),
            (None, Some(pieces)) => Units::ranges(&pieces),
            (None, None) => Units::each(self.len()),
        }
    }

    /// As [`units`](Self::units), but where all are of one block, which has to be parted: one by one.
    pub(crate) fn units_to_part(&self) -> Units {
        if self.is_one_block() {
            return Units::each(self.len());
        }
        self.units()
    }
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

    fn listed(units: &Units) -> Vec<&[u32]> {
        (0..units.len() as u32)
            .map(|unit| units.get(unit))
            .collect()
    }

    #[test]
    fn blocks_go_where_their_samples_go() {
        let samples = rows(5).with_blocks(&[4, 2, 4, 0, 2]).unwrap();
        let units = samples.units();
        assert_eq!(listed(&units), [&[0, 2][..], &[1, 4], &[3]]);
        assert_eq!((units.samples(), units.all()), (5, vec![0, 1, 2, 3, 4]));
        let some = samples.select(&[4, 2, 2, 1]).unwrap();
        assert_eq!(some.blocks(), Some(&[2, 4, 4, 2][..]));
        let named = samples.with_names(&["a"]).unwrap();
        assert_eq!(named.blocks().map(<[u32]>::len), Some(5));
        let other = rows(5).in_blocks_of(&named);
        assert_eq!(other.blocks(), named.blocks());
        assert_eq!(rows(4).in_blocks_of(&named).blocks(), None);
    }

    #[test]
    fn samples_behind_others_keep_their_blocks() {
        let (with, without) = (rows(3).with_blocks(&[3, 8, 3]).unwrap(), rows(3));
        let blocks = |first: &Samples, second| {
            let all = first.followed_by(second).unwrap();
            all.blocks().map(<[u32]>::to_vec)
        };
        assert_eq!(blocks(&with, &with), Some(vec![3, 8, 3, 3, 8, 3]));
        assert_eq!(blocks(&with, &without), Some(vec![3, 8, 3, 0, 1, 2]));
        assert_eq!(blocks(&without, &with), Some(vec![0, 1, 2, 3, 8, 3]));
        assert_eq!(blocks(&without, &without), None);
        let apart = with
            .apart_from(&rows(2).with_blocks(&[0, 8]).unwrap())
            .unwrap();
        assert_eq!(apart.blocks(), Some(&[1, 2, 1][..]));
        assert_eq!(with.apart_from(&without).unwrap().blocks(), with.blocks());
        assert_eq!(without.apart_from(&with).unwrap().blocks(), None);
    }

    #[test]
    fn one_block_is_one_unit_until_it_has_to_be_parted() {
        let each: [&[u32]; 3] = [&[0], &[1], &[2]];
        assert_eq!(listed(&rows(3).units()), each);
        let one = rows(3).with_blocks(&[5; 3]).unwrap();
        assert_eq!(listed(&one.units()), [[0, 1, 2]]);
        assert_eq!(listed(&one.units_to_part()), each);
        assert!(one.is_one_block() && !rows(3).is_one_block());
        assert!(!one.select(&[0]).unwrap().is_one_block());
        assert!(!rows(2).with_blocks(&[1, 2]).unwrap().is_one_block());
        let error = rows(3).with_blocks(&[1]).unwrap_err().to_string();
        assert!(error.contains("blocks") && error.contains('3'), "{error}");
    }
}
