use std::ops::Range;

/// Blocks of time that data are cut into at most.
const BLOCKS: usize = 20;

/// Windows' lengths that a block spans, where there are more than two: a border costs the windows across it.
const LENGTHS: usize = 10;

/// A series cut into stretches of the same length.
pub(super) struct Blocks {
    points: usize,
    count: usize,
}

impl Blocks {
    /// Of a series of so many points, one of `series`.
    pub(super) fn of(points: usize, length: usize, series: usize) -> Self {
        let least = if points / 4 >= length { 2 } else { 1 };
        let most = BLOCKS.div_ceil(series).max(least);
        let count = (points / length / LENGTHS).clamp(least, most);
        Self { points, count }
    }

    /// The one that holds all points of a window; `None` across a border.
    pub(super) fn around(&self, window: &Range<usize>) -> Option<u32> {
        let block = |point: usize| point * self.count / self.points;
        let first = block(window.start);
        (first == block(window.end - 1)).then_some(first as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_many_as_their_length_allows() {
        let count = |points, length, series| Blocks::of(points, length, series).count;
        assert_eq!(count(100_000, 100, 1), 20);
        assert_eq!(count(5_000, 100, 1), 5);
        assert_eq!(count(1_000, 100, 1), 2);
        assert_eq!(count(400, 100, 1), 2);
        assert_eq!(count(399, 100, 1), 1);
        assert_eq!(count(100_000, 100, 4), 5);
        assert_eq!(count(100_000, 100, 1000), 2);
    }

    #[test]
    fn a_window_is_in_one_block_or_across_a_border() {
        let blocks = Blocks::of(400, 100, 1);
        assert_eq!(blocks.around(&(0..100)), Some(0));
        assert_eq!(blocks.around(&(100..200)), Some(0));
        assert_eq!(blocks.around(&(101..201)), None);
        assert_eq!(blocks.around(&(199..299)), None);
        assert_eq!(blocks.around(&(200..300)), Some(1));
        assert_eq!(blocks.around(&(300..400)), Some(1));
    }
}
