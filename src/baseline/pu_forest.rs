use candle_core::Tensor;
use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::features::Features;
use super::gini_tree::Growth;
use super::tree::Tree;
use super::two_groups::{TwoGroups, mean_values, sums};
use crate::rng::{Purpose, substream};
use crate::{Error, Result};

/// The hyperparameters of [`PuForest`].
///
/// ```
/// use puad::baseline::PuForestConfig;
///
/// let config = PuForestConfig { trees: 1000, ..Default::default() };
/// config.check()?;
/// assert_eq!(config.bag, 256);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PuForestConfig {
    /// Number of trees, >= 1. Default: 300.
    pub trees: usize,
    /// Unlabeled samples that each tree draws, with replacement, >= 1: as many as there are labeled anomalies where
    /// those are more, and never more than there are unlabeled samples. Default: 256.
    pub bag: usize,
    /// Rows of a leaf at least, >= 1. Default: 1.
    pub min_leaf: usize,
    /// Features that a split is chosen among, >= 1, or all where there are fewer. Default: the root of their number,
    /// rounded down.
    pub features: Option<usize>,
    /// Random thresholds that a split is chosen among for each of these features, >= 1: half of them, rounded down,
    /// between neighbouring samples, the others anywhere in the feature's range. At most 65,536. Default: 1, 4 and 16, from
    /// tree to tree in turn. Not written then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<usize>,
    /// How far a leaf of few samples is drawn towards 1/2, >= 0, in unlabeled samples: half of it counts as anomalies.
    /// Default: 1.
    pub smoothing: f64,
}

/// More look at a node of a bag again and again.
const MOST_THRESHOLDS: usize = 1 << 16;

impl Default for PuForestConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl PuForestConfig {
    pub(crate) const DEFAULT: Self = Self {
        trees: 300,
        bag: 256,
        min_leaf: 1,
        features: None,
        thresholds: None,
        smoothing: 1.,
    };

    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        let values = [
            ("trees", self.trees),
            ("bag", self.bag),
            ("min_leaf", self.min_leaf),
            ("features", self.features.unwrap_or(1)),
            ("thresholds", self.thresholds.unwrap_or(1)),
        ];
        for (name, value) in values {
            if value == 0 {
                return Err(Error::config(name, "at least 1", value));
            }
        }
        if let Some(most) = self.thresholds.filter(|&n| n > MOST_THRESHOLDS) {
            return Err(Error::config("thresholds", "at most 65536", most));
        }
        if !(self.smoothing >= 0. && self.smoothing.is_finite()) {
            let rule = "finite and at least 0";
            return Err(Error::config("smoothing", rule, self.smoothing));
        }
        Ok(())
    }

    /// Thresholds a feature of a tree.
    fn thresholds(&self, tree: u64) -> usize {
        let turns = [1, 4, 16];
        self.thresholds
            .unwrap_or(turns[(tree % turns.len() as u64) as usize])
    }

    /// Unlabeled samples of a tree.
    fn drawn(&self, unlabeled: usize, anomalies: usize) -> usize {
        self.bag.max(anomalies).min(unlabeled)
    }
}

/// Bagged trees under positive-unlabeled data: every tree is grown on all labeled anomalies and a bootstrap sample of
/// the unlabeled ones, and the score of a sample is the mean over the trees of the anomalies' share in its leaf, in
/// [0, 1].
///
/// An anomaly that hides among the unlabeled samples is in few bags, so that it hardly counts as normal (Mordelet and
/// Vert). The trees are extremely randomized: a split takes the best, by the Gini impurity, of some random thresholds
/// for some random features that vary in its node, until a node is of one group. One threshold a feature generalises
/// best where features are alike; where one is skewed, as amounts and ages are, it rarely falls among the small values,
/// and several, some of them between neighbouring samples, do: so trees take turns. Both groups weigh the same in
/// every tree. The leaves' shares are smoothed: where a tree saw few samples of either group it says less.
///
/// Bags are small, so growing takes the same time for any number of unlabeled samples. The same seed gives the same
/// trees, bit by bit, for any number of threads.
///
/// The defaults were chosen on six tables (`docs/design.md`): bags of 64 to 1024, one feature a split, the
/// root of their number or all, and smoothing 0, 1 and 5; thresholds on two made by code, too.
///
/// # References
/// Mordelet and Vert, A bagging SVM to learn from positive and unlabeled examples, Pattern Recognition Letters 37,
/// 2014. Geurts, Ernst and Wehenkel, Extremely randomized trees, Machine Learning 63, 2006.
///
/// ```
/// use puad::baseline::{PuForest, PuForestConfig};
/// use puad::candle_core::{Device, Tensor};
///
/// let row = |i: usize| vec![(i % 7) as f32, (i % 5) as f32];
/// let unlabeled = Tensor::new((0..70).map(row).collect::<Vec<_>>(), &Device::Cpu)?;
/// let anomalies = (unlabeled.narrow(0, 0, 10)? + 20.)?;
/// let forest = PuForest::fit(&unlabeled, &anomalies, &PuForestConfig::default(), 0)?;
/// let new = Tensor::new(&[[3f32, 2.], [24., 21.]], &Device::Cpu)?;
/// let scores = forest.score(&new)?;
/// assert!(scores[0] < 0.1 && scores[1] > 0.9);
/// // By the trees that did not draw it.
/// assert!(forest.out_of_bag()[0].is_some_and(|score| score < 0.1));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PuForest {
    pub(super) trees: Vec<Tree>,
    features: usize,
    out_of_bag: Vec<Option<f64>>,
}

impl PuForest {
    /// Grows the trees, in parallel. `unlabeled`, `anomalies`: `[n, ...]`, each sample flattened, of floats, on any
    /// device; the work is done on the CPU.
    ///
    /// # Errors
    /// [`Error::Config`] for a hyperparameter outside its range or more than 2^31 rows, [`Error::Shape`] unless both
    /// have a feature and as many, [`Error::EmptyGroup`] for a group without samples,
    /// [`Error::NonFiniteFeature`] if a value is NaN or infinite.
    pub fn fit(
        unlabeled: &Tensor,
        anomalies: &Tensor,
        config: &PuForestConfig,
        seed: u64,
    ) -> Result<Self> {
        let Grown {
            trees,
            bags,
            groups,
        } = Grown::new(unlabeled, anomalies, config, seed)?;
        let mut out_of_bag = out_of_bag(&trees, &bags, &groups.rows);
        out_of_bag.truncate(groups.others);
        Ok(Self {
            trees,
            features: groups.rows.width(),
            out_of_bag,
        })
    }

    /// Scores in [0, 1], larger = more anomalous. `xs`: `[m, ...]` with as many features as the training samples.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of features, [`Error::NonFiniteFeature`] if a value is NaN or infinite.
    pub fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        mean_values(&self.trees, self.features, xs)
    }

    /// The score of each unlabeled training sample by the trees that did not draw it, as a new sample's would be;
    /// `None` where every tree did.
    pub fn out_of_bag(&self) -> &[Option<f64>] {
        &self.out_of_bag
    }

    /// Number of features of a sample.
    pub fn features(&self) -> usize {
        self.features
    }
}

/// The trees with what each drew.
pub(super) struct Grown {
    pub(super) trees: Vec<Tree>,
    /// Unlabeled rows, in ascending order.
    bags: Vec<Vec<u32>>,
    groups: TwoGroups,
}

impl Grown {
    /// # Errors
    /// As [`PuForest::fit`].
    pub(super) fn new(
        unlabeled: &Tensor,
        anomalies: &Tensor,
        config: &PuForestConfig,
        seed: u64,
    ) -> Result<Self> {
        config.check()?;
        let what = "a positive-unlabeled forest";
        let samples = "training samples of a positive-unlabeled forest";
        let groups = TwoGroups::read(what, samples, unlabeled, anomalies)?;
        let width = groups.rows.width();
        let drawn = config.drawn(groups.others, groups.anomalies);
        let growth = |thresholds| Growth {
            rows: &groups.rows,
            anomalies_from: groups.others as u32,
            // In unlabeled samples, as the smoothing is.
            weights: [1., drawn as f64 / groups.anomalies as f64],
            min_leaf: config.min_leaf,
            tried: config.features.unwrap_or(width.isqrt()).clamp(1, width),
            thresholds,
            smoothing: config.smoothing,
        };
        let grow = |index| {
            let growth = growth(config.thresholds(index));
            let mut rng = substream(seed, Purpose::PuForest, index);
            let others = groups.others as u32;
            let mut bag: Vec<u32> = (0..drawn).map(|_| rng.random_range(0..others)).collect();
            let mut rows = bag.clone();
            rows.extend(others..groups.rows.len() as u32);
            bag.sort_unstable();
            bag.dedup();
            (growth.tree(&mut rows, rng), bag)
        };
        let grown = (0..config.trees as u64).into_par_iter().map(grow);
        let (trees, bags) = grown.unzip();
        Ok(Self {
            trees,
            bags,
            groups,
        })
    }
}

/// Of each row, by the trees whose bag, in ascending order, it is not in.
fn out_of_bag(trees: &[Tree], bags: &[Vec<u32>], rows: &Features<f32>) -> Vec<Option<f64>> {
    let width = rows.width();
    let mut sums = sums(trees, rows);
    let mut counts = vec![trees.len(); rows.len()];
    for (tree, bag) in trees.iter().zip(bags) {
        for &row in bag {
            let row = row as usize;
            let mut own = [0.];
            tree.add_values(&rows.values()[row * width..][..width], width, &mut own);
            sums[row] -= own[0];
            counts[row] -= 1;
        }
    }
    let mean = |(sum, count): (f64, usize)| match count {
        0 => None,
        // What is left of a difference may lie a rounding error below.
        count => Some((sum / count as f64).max(0.)),
    };
    sums.into_iter().zip(counts).map(mean).collect()
}

#[cfg(test)]
mod tests;
