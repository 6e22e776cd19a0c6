use std::ops::Range;
use std::sync::Arc;

use rand::Rng;
use rand::seq::SliceRandom;

use super::Samples;
use crate::{Error, Result};

/// Values of a window where nobody says how many: 32 MiB of f32. It has at least a few chunks, unless they are large.
pub(super) const WINDOW: usize = 1 << 23;
const LARGEST_WINDOW: usize = 1 << 25;
const FEW: usize = 8;

/// Parts of samples in chunks that folds are made of, at least.
const PIECES: usize = 128;

/// Parts that a split holds out, at least, where there are samples enough.
const HELD_OUT: f64 = 32.;

/// Ranges of samples that are trained on, and that are held out.
pub(crate) type HeldOut = (Vec<Range<u32>>, Vec<Range<u32>>);

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

    fn samples(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }

    /// The chunks, those of more than `most` samples in equal parts.
    fn pieces(&self, most: usize) -> Vec<Range<u32>> {
        let piece = |chunk: usize| {
            let range = self.get(chunk);
            let parts = range.len().div_ceil(most.max(1)) as u64;
            let at = move |part| {
                range.start + (part * u64::from(range.end - range.start) / parts) as u32
            };
            (0..parts).map(move |part| at(part)..at(part + 1))
        };
        (0..self.len()).flat_map(piece).collect()
    }

    /// Pieces in random order until they are a share of the samples, and the others, each in the samples' order: one sample
    /// at least on both sides, of two or more.
    fn hold_out(&self, share: f64, rng: &mut impl Rng) -> HeldOut {
        let n = self.samples();
        let wanted = ((n as f64 * share).round() as usize).clamp(1, n - 1);
        let mut pieces = self.pieces((wanted as f64 / HELD_OUT) as usize);
        pieces.shuffle(rng);
        let (mut kept, mut held, mut taken) = (vec![], vec![], 0);
        for piece in pieces {
            let takes = taken < wanted && taken + piece.len() < n;
            taken += if takes { piece.len() } else { 0 };
            if takes { &mut held } else { &mut kept }.push(piece);
        }
        let start = |piece: &Range<u32>| piece.start;
        kept.sort_unstable_by_key(start);
        held.sort_unstable_by_key(start);
        (kept, held)
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
        chunks.map(|chunks| chunks.pieces(self.len().div_ceil(PIECES)))
    }

    /// As a [split](crate::data::PuDataset::split) parts samples in chunks, two at least: ranges that are trained on and that
    /// are held out. `None` of others, and where there are [blocks](Self::with_blocks).
    pub(crate) fn hold_out_pieces(&self, share: f64, rng: &mut impl Rng) -> Option<HeldOut> {
        let chunks = self.chunks.as_ref().filter(|_| self.blocks.is_none());
        chunks.map(|chunks| chunks.hold_out(share, rng))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, substream};
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
        assert_eq!(lens(&chunks.select(&[0..10, 10..30])), [10; 3]);
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
    fn a_split_goes_by_samples_and_holds_out_many_places() {
        let share = |lens: &[u32], share: f64, seed| {
            let mut end = 0;
            let ends = lens.iter().map(|n| {
                end += n;
                end
            });
            let chunks = Chunks::new(ends.collect(), 1);
            let mut rng = substream(seed, Purpose::Split, 0);
            let (kept, held) = chunks.hold_out(share, &mut rng);
            let count = |ranges: &[Range<u32>]| ranges.iter().map(Range::len).sum::<usize>();
            assert_eq!(count(&kept) + count(&held), end as usize);
            assert!(count(&kept) > 0 && count(&held) > 0);
            (count(&held) as f64 / f64::from(end), held.len())
        };
        for seed in 0..20 {
            // Groups of a Parquet file, one of them large; one chunk alone; a small share.
            let uneven = [vec![1000; 200], vec![1_000_000]].concat();
            for (lens, wanted) in [
                (&uneven[..], 0.1),
                (&[100_000; 200], 0.005),
                (&[20_000_000], 0.001),
                (&[2048; 977], 0.1),
            ] {
                let (found, places) = share(lens, wanted, seed);
                assert!((found / wanted - 1.).abs() < 0.05, "{found} {wanted}");
                assert!(places >= 32, "{places}");
            }
        }
        assert_eq!(share(&[1, 1], 0.9, 0).0, 0.5);
        assert_eq!(share(&[2], 0.01, 0).0, 0.5);
    }

    proptest! {
        #[test]
        fn pieces_are_all_samples_in_order(
            lens in prop::collection::vec(1u32..400, 1..200), most in 0usize..500,
        ) {
            let mut end = 0;
            let ends = lens.iter().map(|n| { end += n; end }).collect();
            let pieces = Chunks::new(ends, 1).pieces(most);
            let all: Vec<u32> = pieces.iter().cloned().flatten().collect();
            prop_assert_eq!(all, (0..end).collect::<Vec<_>>());
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= most.max(1)));
        }
    }
}
