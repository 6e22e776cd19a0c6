use candle_core::WithDType;
use rand::Rng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;

use super::features::Features;
use super::tree::{Node, Tree};

/// Grows a tree on `size` distinct rows, whose leaves have their path lengths: the splits passed on the way to
/// one, plus the mean path length that the samples in it would still need. `size <= 2^31` and at most the number of
/// rows; the width fits u32.
pub(super) fn grow<T: WithDType + Into<f64>>(
    features: &Features<T>,
    size: usize,
    rng: &mut ChaCha8Rng,
) -> Tree {
    let mut rows = index::sample(rng, features.len(), size).into_vec();
    let mut grower = Grower {
        features,
        columns: (0..features.width() as u32).collect(),
        depth_limit: depth_limit(size),
        nodes: Vec::with_capacity(2 * size - 1),
        lengths: Vec::with_capacity(2 * size - 1),
        rng,
    };
    grower.grow(&mut rows, 0, 0);
    Tree::of(grower.nodes, grower.lengths)
}

/// `c(n)`, the mean path length of an unsuccessful search in a binary search tree of `n` samples:
/// `2 (ln(n - 1) + gamma) - 2 (n - 1) / n`, with the harmonic number approximated; 1 for two
/// samples, 0 for fewer.
pub(super) fn mean_path_length(samples: usize) -> f64 {
    const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
    match samples {
        0 | 1 => 0.,
        2 => 1.,
        n => {
            let n = n as f64;
            2. * ((n - 1.).ln() + EULER_GAMMA) - 2. * (n - 1.) / n
        }
    }
}

/// `ceil(log2 n)`, about the mean depth: what lies deeper is normal anyway. At least 1.
fn depth_limit(samples: usize) -> u32 {
    samples.max(2).next_power_of_two().ilog2()
}

/// A tree while it grows.
struct Grower<'a, T> {
    features: &'a Features<T>,
    /// All columns. Those that are constant in a node stand first; they are constant below it too,
    /// and its descendants permute only what follows.
    columns: Vec<u32>,
    depth_limit: u32,
    nodes: Vec<Node>,
    lengths: Vec<f64>,
    rng: &'a mut ChaCha8Rng,
}

struct Split {
    column: u32,
    threshold: f64,
}

impl<T: WithDType + Into<f64>> Grower<'_, T> {
    /// Appends the subtree of `rows` at `depth`, below whose parent the first `constant` columns do
    /// not vary.
    fn grow(&mut self, rows: &mut [usize], depth: u32, mut constant: usize) {
        let split = match rows.len() {
            2.. if depth < self.depth_limit => self.split(rows, &mut constant),
            _ => None,
        };
        let at = self.nodes.len();
        let Some(Split { column, threshold }) = split else {
            self.nodes.push(Node::leaf(at));
            let length = f64::from(depth) + mean_path_length(rows.len());
            self.lengths.push(length);
            return;
        };
        self.nodes.push(Node::split(threshold, column, 0));
        self.lengths.push(0.);
        let (left, right) = self.partition(rows, column, threshold);
        self.grow(left, depth + 1, constant);
        let right_at = self.nodes.len() as u32;
        self.nodes[at] = Node::split(threshold, column, right_at);
        self.grow(right, depth + 1, constant);
    }

    /// A uniformly drawn one of the columns that vary in `rows`, and a uniform threshold. Columns
    /// found constant on the way move to the front and are counted in `constant`.
    fn split(&mut self, rows: &[usize], constant: &mut usize) -> Option<Split> {
        while *constant < self.columns.len() {
            let drawn = self
                .rng
                .random_range(*constant as u32..self.columns.len() as u32);
            let column = self.columns[drawn as usize];
            let (min, max) = self.range(rows, column);
            if min < max {
                let threshold = threshold(min, max, self.rng.random());
                return Some(Split { column, threshold });
            }
            self.columns.swap(*constant, drawn as usize);
            *constant += 1;
        }
        None
    }

    fn range(&self, rows: &[usize], column: u32) -> (f64, f64) {
        let values = rows
            .iter()
            .map(|&row| self.features.get(row, column as usize));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), x| {
            (min.min(x), max.max(x))
        })
    }

    /// Moves the rows that are at most `threshold` to the front.
    fn partition<'r>(
        &self,
        rows: &'r mut [usize],
        column: u32,
        threshold: f64,
    ) -> (&'r mut [usize], &'r mut [usize]) {
        let mut left = 0;
        for i in 0..rows.len() {
            if self.features.get(rows[i], column as usize) <= threshold {
                rows.swap(left, i);
                left += 1;
            }
        }
        rows.split_at_mut(left)
    }
}

/// The point that `u` in [0, 1) marks in `[min, max)`: both sides of the split get a sample.
pub(super) fn threshold(min: f64, max: f64, u: f64) -> f64 {
    // Not min + u (max - min), whose difference may overflow.
    let threshold = min * (1. - u) + max * u;
    if (min..max).contains(&threshold) {
        threshold
    } else {
        min
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, substream};
    use approx::assert_relative_eq;
    use candle_core::{Device, Tensor};

    fn features<const N: usize>(rows: &[[f64; N]]) -> Features<f64> {
        let xs = Tensor::from_slice(rows.as_flattened(), (rows.len(), N), &Device::Cpu);
        Features::read("xs", &xs.unwrap()).unwrap()
    }

    fn rng(seed: u64) -> ChaCha8Rng {
        substream(seed, Purpose::Forest, 0)
    }

    fn path_length(tree: &Tree, row: &[f64]) -> f64 {
        let mut sums = [0.];
        tree.add_values(row, row.len(), &mut sums);
        sums[0]
    }

    #[test]
    fn mean_path_length_is_twice_the_harmonic_number_less_two() {
        assert_eq!([0, 1, 2].map(mean_path_length), [0., 0., 1.]);
        // c(3) = 2 (ln 2 + gamma) - 4/3; c(256) is quoted as 10.244 for the default sample.
        assert_relative_eq!(mean_path_length(3), 1.2073923576, epsilon = 1e-9);
        assert_relative_eq!(mean_path_length(256), 10.2447709, epsilon = 1e-6);
        // Exactly 2 H(n - 1) - 2 (n - 1) / n; H(n) - ln n - gamma is about 1 / (2 n).
        for n in [10usize, 1000, 100_000] {
            let harmonic: f64 = (1..n).map(|k| 1. / k as f64).sum();
            let exact = 2. * harmonic - 2. * (n - 1) as f64 / n as f64;
            assert!((mean_path_length(n) - exact).abs() < 1.01 / (n - 1) as f64);
        }
    }

    #[test]
    fn depth_limit_is_the_rounded_up_logarithm() {
        let limits = [1, 2, 3, 4, 5, 255, 256, 257].map(depth_limit);
        assert_eq!(limits, [1, 1, 2, 2, 3, 8, 8, 9]);
    }

    #[test]
    fn path_lengths_of_a_tree_made_by_hand() {
        let leaf = |depth: u32, samples| (f64::from(depth) + mean_path_length(samples), 0, 0);
        // x1 <= 0.5 ? (x0 <= -1 ? 1 sample : 3 samples) : 2 samples
        let nodes = [(0.5, 1, 4), (-1., 0, 3), leaf(2, 1), leaf(2, 3), leaf(1, 2)];
        let tree = Tree::from_nodes(nodes.into_iter(), 2).unwrap();
        assert!(tree.nodes().eq(nodes));
        let c3 = 2. * (2f64.ln() + 0.5772156649015329) - 4. / 3.;
        for (row, expected) in [
            ([-1., 0.5], 2.), // both on the threshold: left
            ([-0.9, 0.], 2. + c3),
            ([-5., 0.6], 2.),
            ([-5., 0.], 2.),
        ] {
            assert_eq!(path_length(&tree, &row), expected, "{row:?}");
        }
    }

    #[test]
    fn two_samples_take_one_split_between_them_on_the_column_that_varies() {
        let features = features(&[[3., -1.], [3., 2.]]);
        for seed in 0..20 {
            let tree = grow(&features, 2, &mut rng(seed));
            let [root, left, right] = tree.nodes[..] else {
                panic!("{tree:?}")
            };
            assert_eq!((root.feature, root.right), (1, 2));
            assert!((-1. ..2.).contains(&root.threshold));
            assert_eq!((left.right, right.right), (1, 2));
            assert_eq!(tree.values, [0., 1., 1.]);
        }
    }

    #[test]
    fn duplicates_share_a_leaf() {
        let mut rows = [[1., 1.]; 9];
        rows[4] = [2., 1.];
        let features = features(&rows);
        let tree = grow(&features, 9, &mut rng(0));
        assert_eq!(tree.nodes.len(), 3);
        assert_eq!(path_length(&tree, &[1., 1.]), 1. + mean_path_length(8));
        assert_eq!(path_length(&tree, &[2., 1.]), 1.);
    }

    #[test]
    fn leaves_hold_all_samples_and_obey_the_depth_limit() {
        let rows: Vec<[f64; 2]> = (0..100)
            .map(|i| [f64::from(i * 37 % 101), f64::from(i % 3)])
            .collect();
        let features = features(&rows);
        for seed in 0..10 {
            let tree = grow(&features, 100, &mut rng(seed));
            let mut visits = vec![0; tree.nodes.len()];
            for row in &rows {
                let (mut at, mut depth) = (0, 0);
                while tree.nodes[at].right as usize != at {
                    let node = tree.nodes[at];
                    let left = row[node.feature as usize] <= node.threshold;
                    at = if left { at + 1 } else { node.right as usize };
                    depth += 1;
                }
                assert!(depth <= 7);
                visits[at] += 1;
                assert_eq!(path_length(&tree, row), tree.values[at]);
            }
            // Abreast and in the rest of a group the rows come to the same leaves.
            let mut sums = [1.; 99];
            tree.add_values(rows[..99].as_flattened(), 2, &mut sums);
            for (row, sum) in rows.iter().zip(sums) {
                assert_eq!(sum, 1. + path_length(&tree, row));
            }
            let leaves = (0..tree.nodes.len()).filter(|&at| tree.nodes[at].right as usize == at);
            let leaves: Vec<_> = leaves.collect();
            assert_eq!(tree.nodes.len(), 2 * leaves.len() - 1);
            for at in leaves {
                let count = visits[at];
                assert!(count > 0);
                // Depth plus c(count), so the difference is a whole depth.
                let depth = tree.values[at] - mean_path_length(count);
                assert!((depth - depth.round()).abs() < 1e-12 && depth > 0.);
            }
        }
    }

    // Each column that varies must be drawn equally often, however many are constant.
    #[test]
    fn columns_that_vary_are_drawn_uniformly() {
        let row = |i: u32| {
            [
                1.,
                f64::from(i),
                1.,
                f64::from(i % 2),
                1.,
                1.,
                f64::from(i * i),
            ]
        };
        let rows: Vec<[f64; 7]> = (0..6).map(row).collect();
        let features = features(&rows);
        let mut counts = [0u32; 7];
        let draws = 3000;
        for seed in 0..draws {
            let tree = grow(&features, 6, &mut rng(seed));
            counts[tree.nodes[0].feature as usize] += 1;
        }
        assert_eq!(
            counts.map(|c| c == 0),
            [true, false, true, false, true, true, false]
        );
        // Standard deviation of a count: sqrt(3000 * 1/3 * 2/3) = 26.
        for count in [1, 3, 6].map(|i| counts[i]) {
            assert!(count.abs_diff(1000) < 130, "{counts:?}");
        }
    }

    #[test]
    fn thresholds_separate_neighbours_and_do_not_overflow() {
        let next = 1f64.next_up();
        for u in [0., 0.3, 0.5, 1. - f64::EPSILON / 2.] {
            assert_eq!(threshold(1., next, u), 1.);
            let wide = threshold(-f64::MAX, f64::MAX, u);
            assert!((-f64::MAX..f64::MAX).contains(&wide));
            let tiny = threshold(0., f64::from_bits(1), u);
            assert_eq!(tiny, 0.);
        }
        assert_eq!(threshold(2., 4., 0.25), 2.5);
    }

    #[test]
    fn trees_are_their_nodes_and_nothing_else_is_a_tree() {
        let leaf = |value| (value, 0, 0);
        let tree = [(0.5, 1, 2), leaf(1.), leaf(2.)];
        let read = |nodes: &[(f64, u32, u32)]| Tree::from_nodes(nodes.iter().copied(), 2);
        let built = read(&tree).unwrap();
        assert_eq!(built.nodes().collect::<Vec<_>>(), tree);
        assert_eq!(path_length(&built, &[9., 0.4]), 1.);
        for broken in [
            &[][..],
            &[(f64::NAN, 0, 0)],
            &[(f64::INFINITY, 0, 0)],
            // A path of fewer splits than none.
            &[(-1., 0, 0)],
            // A feature that there is none of, a child beyond the end, a node that is its own child.
            &[(0.5, 2, 2), leaf(1.), leaf(2.)],
            &[(0.5, 1, 3), leaf(1.), leaf(2.)],
            &[(0.5, 1, 1), leaf(1.), leaf(2.)],
            &[(0.5, 1, 2), leaf(1.), (0.5, 1, 1)],
            // A leaf that nobody's child is, and a node of two parents.
            &[(0.5, 1, 2), leaf(1.), leaf(2.), leaf(3.)],
            &[
                (0.5, 1, 4),
                (0.5, 0, 3),
                (0.5, 0, 4),
                leaf(1.),
                (0.5, 0, 6),
                leaf(1.),
                leaf(1.),
            ],
        ] {
            assert!(read(broken).is_none(), "{broken:?}");
        }
    }
}
