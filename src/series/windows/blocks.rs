use std::ops::Range;

/// Blocks of time that data are cut into, and that they are cut into at least where they are long enough.
const BLOCKS: usize = 20;
const FEW: usize = 5;

/// Windows' lengths that a block spans, since a border costs the windows across it; and where there would be too few
/// blocks, or only one.
const LENGTHS: usize = 10;
const LENGTHS_OF_FEW: usize = 4;
const LENGTHS_OF_TWO: usize = 2;

/// A series cut into stretches of the same length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    points: usize,
    count: usize,
}

impl Blocks {
    /// Of series of so many points each, by their length: so that blocks of a long one and of a short one are about alike.
    pub(super) fn of(series: &[usize], length: usize) -> Vec<Self> {
        let all: usize = series.iter().sum();
        let blocks = |points: usize| {
            let of = |&series: &usize| Self {
                points: series,
                count: (series / points.max(1)).max(1),
            };
            series.iter().map(of).collect::<Vec<_>>()
        };
        let count = |blocks: &[Self]| blocks.iter().map(|blocks| blocks.count).sum::<usize>();
        let many = blocks((all / BLOCKS).max(LENGTHS * length));
        if count(&many) >= FEW {
            return many;
        }
        let few = blocks((all / FEW).max(LENGTHS_OF_FEW * length));
        if count(&few) > 1 {
            return few;
        }
        blocks((all / 2).max(LENGTHS_OF_TWO * length))
    }

    /// How many.
    pub(super) fn count(&self) -> u32 {
        self.count as u32
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
        let count = |series: &[usize], length| {
            let blocks = Blocks::of(series, length).into_iter();
            blocks.map(|blocks| blocks.count()).collect::<Vec<_>>()
        };
        assert_eq!(count(&[100_000], 100), [20]);
        assert_eq!(count(&[7_000], 100), [7]);
        // Five of four windows, where ten would make fewer.
        assert_eq!(count(&[4_000], 100), [5]);
        assert_eq!(count(&[1_000], 100), [2]);
        assert_eq!(count(&[400], 100), [2]);
        assert_eq!(count(&[399], 100), [1]);
        // Several by their lengths.
        assert_eq!(count(&[100_000; 4], 100), [5; 4]);
        let mixed = count(&[100_000, 500, 500, 500], 64);
        assert_eq!(mixed, [19, 1, 1, 1]);
        assert_eq!(count(&[500; 50], 100), [1; 50]);
        assert_eq!(count(&[500, 500], 100), [1, 1]);
    }

    #[test]
    fn a_window_is_in_one_block_or_across_a_border() {
        let blocks = Blocks::of(&[400], 100)[0];
        assert_eq!(blocks.around(&(0..100)), Some(0));
        assert_eq!(blocks.around(&(100..200)), Some(0));
        assert_eq!(blocks.around(&(101..201)), None);
        assert_eq!(blocks.around(&(199..299)), None);
        assert_eq!(blocks.around(&(200..300)), Some(1));
        assert_eq!(blocks.around(&(300..400)), Some(1));
    }
}
