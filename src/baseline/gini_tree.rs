use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::features::Features;
use super::isolation_tree::threshold;
use super::tree::{Node, Tree};

/// How a tree that tells anomalies from others is grown.
pub(super) struct Growth<'a> {
    /// The others, then the anomalies.
    pub(super) rows: &'a Features<f32>,
    /// The first row that is an anomaly; all others follow.
    pub(super) anomalies_from: u32,
    /// Of an other and of an anomaly.
    pub(super) weights: [f64; 2],
    /// Rows of a leaf at least.
    pub(super) min_leaf: usize,
    /// Features that a split is chosen among.
    pub(super) tried: usize,
    /// Random thresholds that it is chosen among for each, at least 1: half of them, rounded down, between neighbouring
    /// rows, so that a feature's scale does not matter, and the others anywhere in its range, where outliers stand apart.
    pub(super) thresholds: usize,
    /// What is added to a leaf's weights, half of it to either group's.
    pub(super) smoothing: f64,
}

impl Growth<'_> {
    /// A tree on these rows, which may repeat themselves. A split takes the best, by the Gini impurity, of the random
    /// thresholds for some random features that vary in its node; a node of one group, or without a split that
    /// leaves enough rows on both sides, becomes a leaf, whose value is the anomalies' share of its weight.
    pub(super) fn tree(&self, rows: &mut [u32], rng: ChaCha8Rng) -> Tree {
        let mut grower = Grower {
            growth: self,
            columns: (0..self.rows.width() as u32).collect(),
            nodes: vec![],
            values: vec![],
            rng,
        };
        grower.grow(rows, 0);
        Tree::of(grower.nodes, grower.values)
    }

    fn anomalies(&self, rows: &[u32]) -> usize {
        rows.iter()
            .filter(|&&row| row >= self.anomalies_from)
            .count()
    }

    /// Weights of the others and of the anomalies among so many rows.
    fn mass(&self, rows: usize, anomalies: usize) -> [f64; 2] {
        let [other, anomaly] = self.weights;
        [
            (rows - anomalies) as f64 * other,
            anomalies as f64 * anomaly,
        ]
    }

    fn leaf(&self, rows: usize, anomalies: usize) -> f64 {
        let [other, anomaly] = self.mass(rows, anomalies);
        (anomaly + self.smoothing / 2.) / (other + anomaly + self.smoothing)
    }

    fn value(&self, row: u32, column: u32) -> f64 {
        self.rows.get(row as usize, column as usize)
    }

    fn range(&self, rows: &[u32], column: u32) -> (f64, f64) {
        let values = rows.iter().map(|&row| self.value(row, column));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), x| {
            (min.min(x), max.max(x))
        })
    }

    /// The value of `row` and its neighbour in the column, the next larger one or for the largest the next smaller,
    /// the lower of both first. The column varies in `rows`.
    fn neighbours(&self, rows: &[u32], column: u32, row: u32) -> (f64, f64) {
        let own = self.value(row, column);
        let (mut below, mut above) = (f64::NEG_INFINITY, f64::INFINITY);
        for &row in rows {
            let value = self.value(row, column);
            if value > own {
                above = above.min(value);
            } else if value < own {
                below = below.max(value);
            }
        }
        if above < f64::INFINITY {
            (own, above)
        } else {
            (below, own)
        }
    }

    /// The weighted Gini impurity of both sides, `2 a o / (a + o)` each; `None` where one has too few rows.
    fn impurity(&self, rows: &[u32], column: u32, threshold: f64) -> Option<f64> {
        let (mut left, mut left_anomalies, mut anomalies) = (0, 0, 0);
        for &row in rows {
            let anomaly = usize::from(row >= self.anomalies_from);
            let goes_left = usize::from(self.value(row, column) <= threshold);
            left += goes_left;
            left_anomalies += goes_left * anomaly;
            anomalies += anomaly;
        }
        let right = rows.len() - left;
        if left < self.min_leaf || right < self.min_leaf {
            return None;
        }
        let gini = |[other, anomaly]: [f64; 2]| 2. * other * anomaly / (other + anomaly);
        let right_anomalies = anomalies - left_anomalies;
        Some(gini(self.mass(left, left_anomalies)) + gini(self.mass(right, right_anomalies)))
    }

    /// Moves the rows that are at most `threshold` to the front; how many they are.
    fn partition(&self, rows: &mut [u32], column: u32, threshold: f64) -> usize {
        let mut left = 0;
        for i in 0..rows.len() {
            if self.value(rows[i], column) <= threshold {
                rows.swap(left, i);
                left += 1;
            }
        }
        left
    }
}

/// A tree while it grows.
struct Grower<'a> {
    growth: &'a Growth<'a>,
    /// All columns. Those that are constant in a node stand first, as they are below it.
    columns: Vec<u32>,
    nodes: Vec<Node>,
    values: Vec<f64>,
    rng: ChaCha8Rng,
}

struct Split {
    column: u32,
    threshold: f64,
    impurity: f64,
}

/// The split of the lower impurity; of equal ones the first.
fn better(first: Option<Split>, second: Option<Split>) -> Option<Split> {
    match (&first, &second) {
        (Some(a), Some(b)) if b.impurity < a.impurity => second,
        (None, _) => second,
        _ => first,
    }
}

impl Grower<'_> {
    /// Appends the subtree of `rows`, below whose parent the first `constant` columns do not vary.
    fn grow(&mut self, rows: &mut [u32], mut constant: usize) {
        let anomalies = self.growth.anomalies(rows);
        let mixed = anomalies > 0 && anomalies < rows.len();
        let split = if mixed && rows.len() >= 2 * self.growth.min_leaf {
            self.best_split(rows, &mut constant)
        } else {
            None
        };
        let at = self.nodes.len();
        let Some(Split {
            column, threshold, ..
        }) = split
        else {
            self.nodes.push(Node::leaf(at));
            self.values.push(self.growth.leaf(rows.len(), anomalies));
            return;
        };
        self.nodes.push(Node::split(threshold, column, 0));
        self.values.push(0.);
        let left = self.growth.partition(rows, column, threshold);
        let (left, right) = rows.split_at_mut(left);
        self.grow(left, constant);
        let right_at = self.nodes.len() as u32;
        self.nodes[at] = Node::split(threshold, column, right_at);
        self.grow(right, constant);
    }

    /// The best of the random thresholds for each of some columns that vary; more columns are tried until one has a
    /// threshold that leaves enough rows on both sides.
    fn best_split(&mut self, rows: &[u32], constant: &mut usize) -> Option<Split> {
        let mut best: Option<Split> = None;
        let (mut tried, mut next) = (0, *constant);
        while next < self.columns.len() && (tried < self.growth.tried || best.is_none()) {
            let drawn =
                self.rng
                    .random_range(next as u32..self.columns.len() as u32) as usize;
            self.columns.swap(next, drawn);
            let column = self.columns[next];
            let (min, max) = self.growth.range(rows, column);
            if min >= max {
                self.columns.swap(*constant, next);
                *constant += 1;
            } else {
                tried += 1;
                let split = self.column_split(rows, column, (min, max));
                best = better(best, split);
            }
            next += 1;
        }
        best
    }

    /// The best of the random thresholds for a column that varies within these values.
    fn column_split(&mut self, rows: &[u32], column: u32, (min, max): (f64, f64)) -> Option<Split> {
        let thresholds = self.growth.thresholds;
        (0..thresholds).fold(None, |best, drawn| {
            let threshold = if drawn < thresholds.div_ceil(2) {
                threshold(min, max, self.rng.random())
            } else {
                self.between_neighbours(rows, column)
            };
            let impurity = self.growth.impurity(rows, column, threshold);
            let split = impurity.map(|impurity| Split {
                column,
                threshold,
                impurity,
            });
            better(best, split)
        })
    }

    /// A threshold between a random row and its neighbour in a column that varies.
    fn between_neighbours(&mut self, rows: &[u32], column: u32) -> f64 {
        let row = rows[self.rng.random_range(0..rows.len() as u32) as usize];
        let (low, high) = self.growth.neighbours(rows, column, row);
        threshold(low, high, self.rng.random())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    #[test]
    fn neighbours_are_the_next_values_that_differ() {
        let values = [3f32, 1., 3., -0., f32::MAX, 0., 1.];
        let column = Tensor::from_slice(&values, (values.len(), 1), &Device::Cpu).unwrap();
        let growth = Growth {
            rows: &Features::read("rows", &column).unwrap(),
            anomalies_from: 6,
            weights: [1., 1.],
            min_leaf: 1,
            tried: 1,
            thresholds: 1,
            smoothing: 0.,
        };
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        let of = |row| growth.neighbours(&rows, 0, row);
        let most = f64::from(f32::MAX);
        assert_eq!(of(1), (1., 3.));
        assert_eq!(of(0), (3., most));
        assert_eq!(of(3), (0., 1.));
        assert_eq!(of(5), (0., 1.));
        // The largest has none above.
        assert_eq!(of(4), (3., most));
        assert_eq!(growth.neighbours(&[0, 1, 2], 0, 2), (1., 3.));
    }
}
