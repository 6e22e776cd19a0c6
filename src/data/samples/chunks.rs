use std::ops::Range;
use std::sync::Arc;

use super::Samples;
use crate::{Error, Result};

/// Values of a window where nobody says how many: 32 MiB of f32. It has at least a few chunks, unless they are large.
const WINDOW: usize = 1 << 23;
const LARGEST_WINDOW: usize = 1 << 25;
const FEW: usize = 8;

/// Parts of samples in chunks that a split draws from, at least.
const PIECES: usize = 128;

/// Samples that are read together lie behind each other: how they are shuffled without being held all at once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chunks {
    /// Samples up to the end of each.
    ends: Arc<[u32]>,
    /// Samples that are shuffled together, at least; then chunks are whole.
    window: usize,
}

impl Chunks {
    /// Of samples of so many values.
    pub(super) fn new(ends: Vec<u32>, values: usize) -> Self {
        let (all, values) = (ends.last().map_or(0, |&end| end as usize), values.max(1));
        let few = all.div_ceil(ends.len().max(1)) * FEW;
        let window = few.clamp(WINDOW / values, (LARGEST_WINDOW / values).max(1));
        Self {
            ends: ends.into(),
            window: window.max(1),
        }
    }

    /// Number of chunks.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The samples of a chunk.
    pub(crate) fn get(&self, chunk: usize) -> Range<u32> {
        let start = chunk.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[chunk]
    }

    /// Samples that are shuffled together, at least.
    pub(crate) fn window(&self) -> usize {
        self.window
    }

    /// Of these ranges of samples: what is left of each chunk.
    pub(super) fn select(&self, samples: &[Range<u32>]) -> Self {
        let (mut ends, mut len, mut last) = (vec![], 0, None);
        for range in samples.iter().filter(|range| !range.is_empty()) {
            let mut chunk = self.ends.partition_point(|&end| end <= range.start);
            let mut at = range.start;
            while at < range.end {
                let to = range.end.min(self.ends[chunk]);
                len += to - at;
                if last == Some(chunk) {
                    ends.pop();
                }
                ends.push(len);
                (at, last, chunk) = (to, Some(chunk), chunk + 1);
            }
        }
        Self {
            ends: ends.into(),
            window: self.window,
        }
    }

    /// The chunks, or parts of them where there are few.
    fn pieces(&self) -> Vec<Range<u32>> {
        let parts = PIECES.div_ceil(self.len().max(1)) as u64;
        let piece = |chunk: usize| {
            let range = self.get(chunk);
            let at = move |part| {
                range.start + (part * u64::from(range.end - range.start) / parts) as u32
            };
            (0..parts).map(move |part| at(part)..at(part + 1))
        };
        let pieces = (0..self.len()).flat_map(piece);
        pieces.filter(|piece| !piece.is_empty()).collect()
    }
}

impl Samples {
    /// With so many samples, at least 1, in a window in which samples of a file are shuffled: chunks of the file in
    /// random order fill it, and its samples are drawn in random order, so the larger it is the better they mix. Two windows
    /// are held while a network is trained. Of samples in memory that no file was read for, which are shuffled all
    /// together, nothing changes. Default: 8 million values; at least eight chunks, unless that makes more than 32 million.
    ///
    /// # Errors
    /// [`Error::Config`] for 0.
    pub fn with_window(mut self, samples: usize) -> Result<Self> {
        if samples == 0 {
            return Err(Error::config("window", "at least 1", samples));
        }
        if let Some(chunks) = &mut self.chunks {
            chunks.window = samples;
        }
        Ok(self)
    }

    /// How they are shuffled, if not all together.
    pub(crate) fn chunks(&self) -> Option<&Chunks> {
        self.chunks.as_ref()
    }

    /// What is parted of samples in chunks, in place of single ones: ranges of neighbours. `None` of others, and where there
    /// are [blocks](Self::with_blocks).
    pub(crate) fn pieces(&self) -> Option<Vec<Range<u32>>> {
        let chunks = self.chunks.as_ref().filter(|_| self.blocks.is_none());
        chunks.map(Chunks::pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lens(chunks: &Chunks) -> Vec<u32> {
        (0..chunks.len())
            .map(|i| chunks.get(i).len() as u32)
            .collect()
    }

    #[test]
    fn what_is_left_of_each_chunk() {
        let chunks = Chunks::new(vec![10, 20, 30], 1);
        assert_eq!(
            lens(&chunks.select(&[0..3, 5..12, 12..13, 25..30, 0..0])),
            [8, 3, 5]
        );
        assert_eq!(lens(&chunks.select(&[])), [0u32; 0]);
        assert_eq!(lens(&chunks.select(&[0..30])), [10; 3]);
    }

    #[test]
    fn a_window_has_a_few_chunks_unless_they_are_large() {
        let window =
            |chunk: u32, values| Chunks::new((1..=100).map(|i| i * chunk).collect(), values).window;
        assert_eq!(window(2048, 32), (1 << 23) / 32);
        assert_eq!(window(100_000, 32), 800_000);
        assert_eq!(window(1_000_000, 32), (1 << 25) / 32);
        assert_eq!(window(1, 1 << 26), 1);
    }

    #[test]
    fn there_are_pieces_enough_to_draw_from() {
        let pieces = |chunks: u32| {
            Chunks::new((1..=chunks).map(|i| i * 1000).collect(), 1)
                .pieces()
                .len()
        };
        assert_eq!(
            [1, 3, 100, 128, 1000].map(pieces),
            [128, 129, 200, 128, 1000]
        );
    }

    proptest! {
            #[test]
            fn pieces_are_all_samples_in_order(lens in prop::collection::vec(1u32..400, 1..200)) {
                let mut end = 0;
                let ends = lens.iter().map(|n| { end += n; end }).collect();
                let pieces = Chunks::new(ends, 1).pieces();
                let all: Vec<u32> = pieces.iter().cloned().flatten().collect();
                prop_assert_eq!(all, (0..end).collect::<Vec<_>>());
                prop_assert!(pieces.iter().all(|piece| !piece.is_empty()));
    prop_assert!(pieces.len() >= lens.len());
            }
        }
}
