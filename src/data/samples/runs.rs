use std::ops::Range;
use std::sync::Arc;

/// Rows of a file in the order of samples, as ranges one behind the other: a few numbers, however many rows.
#[derive(Clone)]
pub(super) struct Runs {
    starts: Arc<[u32]>,
    /// Samples up to the end of each range.
    ends: Arc<[u32]>,
}

impl Runs {
    /// All rows of a file.
    pub(super) fn all(rows: u32) -> Self {
        Self::of(std::iter::once(0..rows))
    }

    fn of(ranges: impl Iterator<Item = Range<u32>>) -> Self {
        let (mut starts, mut ends, mut len, mut last) = (vec![], vec![], 0, None);
        for range in ranges.filter(|range| !range.is_empty()) {
            len += range.end - range.start;
            if last == Some(range.start) {
                ends.pop();
            } else {
                starts.push(range.start);
            }
            ends.push(len);
            last = Some(range.end);
        }
        Self {
            starts: starts.into(),
            ends: ends.into(),
        }
    }

    /// Number of samples.
    pub(super) fn len(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }

    /// The rows of a range of samples.
    pub(super) fn rows(&self, samples: Range<u32>) -> impl Iterator<Item = Range<u32>> + '_ {
        let first = self.ends.partition_point(|&end| end <= samples.start);
        (first..self.ends.len())
            .map(move |run| {
                let before = run.checked_sub(1).map_or(0, |before| self.ends[before]);
                let from = samples.start.max(before);
                let to = samples.end.min(self.ends[run]).max(from);
                let shift = |sample| self.starts[run] + (sample - before);
                shift(from)..shift(to)
            })
            .take_while(|rows| !rows.is_empty())
    }

    /// Of these ranges of samples.
    pub(super) fn select(&self, samples: &[Range<u32>]) -> Self {
        let ranges = samples.iter().filter(|range| !range.is_empty());
        Self::of(ranges.flat_map(|range| self.rows(range.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(runs: &Runs) -> Vec<u32> {
        runs.rows(0..runs.len() as u32).flatten().collect()
    }

    proptest! {
        #[test]
        fn ranges_of_ranges_are_those_rows(
            first in prop::collection::vec((0u32..50, 0u32..20), 0..8),
            second in prop::collection::vec((0f64..1., 0f64..1.), 0..8),
        ) {
            let all: Vec<u32> = (0..70).collect();
            let ranges: Vec<Range<u32>> = first.iter().map(|&(a, n)| a..a + n).collect();
            let expected: Vec<u32> = ranges.iter().flat_map(|r| all[r.start as usize..r.end as usize].to_vec()).collect();
            let once = Runs::all(70).select(&ranges);
            prop_assert_eq!(&rows(&once), &expected);
            prop_assert_eq!(once.len(), expected.len());
            let n = expected.len() as f64;
            let cut = |&(a, b): &(f64, f64)| ((a.min(b) * n) as u32)..((a.max(b) * n) as u32);
            let ranges: Vec<Range<u32>> = second.iter().map(cut).collect();
            let twice = once.select(&ranges);
            let expected: Vec<u32> = ranges.iter().flat_map(|r| expected[r.start as usize..r.end as usize].to_vec()).collect();
            prop_assert_eq!(rows(&twice), expected);
        }
    }

    #[test]
    fn neighbours_are_one_range() {
        let runs = Runs::all(100).select(&[0..10, 10..20, 30..40, 20..30]);
        assert_eq!(
            (&*runs.starts, &*runs.ends),
            (&[0, 30, 20][..], &[20, 30, 40][..])
        );
    }
}
