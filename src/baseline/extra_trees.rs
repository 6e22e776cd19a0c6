use candle_core::Tensor;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::gini_tree::Growth;
use super::tree::Tree;
use super::two_groups::{TwoGroups, mean_values};
use crate::rng::{Purpose, substream};
use crate::{Error, Result};

/// The hyperparameters of [`ExtraTrees`].
///
/// ```
/// use puad::baseline::ExtraTreesConfig;
///
/// let config = ExtraTreesConfig { trees: 500, ..Default::default() };
/// config.check()?;
/// assert_eq!(config.min_leaf, 3);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExtraTreesConfig {
    /// Number of trees, >= 1. Default: 100.
    pub trees: usize,
    /// Rows of a leaf at least, >= 1. Default: 3.
    pub min_leaf: usize,
    /// Features that a split is chosen among, >= 1, or all where there are fewer. Default: the root of their number,
    /// rounded down.
    pub features: Option<usize>,
}

impl Default for ExtraTreesConfig {
    fn default() -> Self {
        Self {
            trees: 100,
            min_leaf: 3,
            features: None,
        }
    }
}

impl ExtraTreesConfig {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        let values = [
            ("trees", self.trees),
            ("min_leaf", self.min_leaf),
            ("features", self.features.unwrap_or(1)),
        ];
        for (name, value) in values {
            if value == 0 {
                return Err(Error::config(name, "at least 1", value));
            }
        }
        Ok(())
    }

    fn tried(&self, width: usize) -> usize {
        self.features.unwrap_or(width.isqrt()).clamp(1, width)
    }
}

/// Extremely randomized trees that tell anomalies from other samples.
///
/// Both groups weigh the same, however many samples they have. Each tree is grown on all rows. A split takes the best,
/// by the Gini impurity, of one random threshold each for some random features that vary in its node; a node of one
/// group, or without a split that leaves `min_leaf` rows on both sides, becomes a leaf, whose value is the weight of
/// the anomalies among its rows. The score of a sample is the mean of its leaves, in [0, 1].
///
/// Trained on labeled anomalies against *unlabeled* samples it orders samples as a classifier against normals would,
/// as far as the labeled anomalies are a random sample of all ([Elkan and Noto
/// 2008](https://doi.org/10.1145/1401890.1401920)); scores of samples that it was grown on are far off, since it
/// remembers them.
///
/// This is scikit-learn's `ExtraTreesClassifier(class_weight="balanced", min_samples_leaf=3)` with its own random
/// numbers. The same seed gives the same trees, bit by bit, for any number of threads.
///
/// # References
/// Geurts, Ernst and Wehenkel, Extremely randomized trees, Machine Learning 63, 2006.
///
/// ```
/// use puad::baseline::{ExtraTrees, ExtraTreesConfig};
/// use puad::candle_core::{Device, Tensor};
///
/// let row = |i: usize| vec![(i % 7) as f32, (i % 5) as f32];
/// let others = Tensor::new((0..70).map(row).collect::<Vec<_>>(), &Device::Cpu)?;
/// let anomalies = (others.narrow(0, 0, 10)? + 20.)?;
/// let trees = ExtraTrees::fit(&others, &anomalies, &ExtraTreesConfig::default(), 0)?;
/// let new = Tensor::new(&[[3f32, 2.], [24., 21.]], &Device::Cpu)?;
/// let scores = trees.score(&new)?;
/// assert!(scores[0] < 0.1 && scores[1] > 0.9);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ExtraTrees {
    pub(super) trees: Vec<Tree>,
    pub(super) features: usize,
}

impl ExtraTrees {
    /// Grows the trees, in parallel. `others`, `anomalies`: `[n, ...]`, each sample flattened, of floats, on any
    /// device; the work is done on the CPU.
    ///
    /// # Errors
    /// [`Error::Config`] for a hyperparameter outside its range or more than 2^31 rows, [`Error::Shape`] unless both
    /// have a feature and as many, [`Error::EmptyGroup`] for a group without samples,
    /// [`Error::NonFiniteFeature`] if a value is NaN or infinite.
    pub fn fit(
        others: &Tensor,
        anomalies: &Tensor,
        config: &ExtraTreesConfig,
        seed: u64,
    ) -> Result<Self> {
        config.check()?;
        let what = "extremely randomized trees";
        let samples = "training samples of extremely randomized trees";
        let groups = TwoGroups::read(what, samples, others, anomalies)?;
        let growth = Growth {
            rows: &groups.rows,
            anomalies_from: groups.others as u32,
            weights: [groups.others, groups.anomalies].map(|n| 0.5 / n as f64),
            min_leaf: config.min_leaf,
            tried: config.tried(groups.rows.width()),
            thresholds: 1,
            smoothing: 0.,
        };
        let grow = |index| {
            let mut rows: Vec<u32> = (0..groups.rows.len() as u32).collect();
            growth.tree(&mut rows, substream(seed, Purpose::ExtraTrees, index))
        };
        Ok(Self {
            trees: (0..config.trees as u64).into_par_iter().map(grow).collect(),
            features: groups.rows.width(),
        })
    }

    /// Scores in [0, 1], larger = more anomalous. `xs`: `[m, ...]` with as many features as the training samples.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of features, [`Error::NonFiniteFeature`] if a value is NaN or infinite.
    pub fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        mean_values(&self.trees, self.features, xs)
    }

    /// Number of features of a sample.
    pub fn features(&self) -> usize {
        self.features
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::two_groups::testing::{column, on_threads, unordered};
    use candle_core::{DType, Device};
    use proptest::prelude::*;

    fn config(trees: usize, min_leaf: usize) -> ExtraTreesConfig {
        ExtraTreesConfig {
            trees,
            min_leaf,
            features: None,
        }
    }

    /// Every split between the groups makes two pure leaves.
    #[test]
    fn groups_apart_score_zero_and_one() {
        let (others, anomalies) = (column(&[0., 1., 2., 3.]), column(&[100., 101.]));
        let trees = ExtraTrees::fit(&others, &anomalies, &config(50, 1), 0).unwrap();
        assert_eq!(trees.score(&others).unwrap(), [0.; 4]);
        assert_eq!(trees.score(&anomalies).unwrap(), [1.; 2]);
    }

    /// Whatever the groups' sizes: a leaf of all rows has as much weight of one as of the other.
    #[test]
    fn rows_that_cannot_be_told_apart_score_one_half() {
        let (others, anomalies) = (column(&[4.; 30]), column(&[4.; 2]));
        let trees = ExtraTrees::fit(&others, &anomalies, &config(3, 1), 0).unwrap();
        assert_eq!(trees.score(&others).unwrap(), [0.5; 30]);
        // As where no split leaves enough rows on both sides.
        let (others, anomalies) = (column(&[0., 1., 2.]), column(&[9., 10.]));
        let trees = ExtraTrees::fit(&others, &anomalies, &config(20, 3), 0).unwrap();
        for score in trees.score(&anomalies).unwrap() {
            assert!((score - 0.5).abs() < 1e-12);
        }
    }

    /// Of two columns the informative one is taken wherever both are tried: the only impure leaves are those of
    /// thresholds of its own. With one feature a split the other, constant, is no candidate.
    #[test]
    fn constant_columns_are_never_split() {
        let row = |x: f32| [7., x];
        let others: Vec<[f32; 2]> = (0..20).map(|i| row(i as f32)).collect();
        let anomalies: Vec<[f32; 2]> = (0..5).map(|i| row(1000. + i as f32)).collect();
        let tensor = |rows: &[[f32; 2]]| {
            Tensor::from_slice(rows.as_flattened(), (rows.len(), 2), &Device::Cpu).unwrap()
        };
        let settings = ExtraTreesConfig {
            features: Some(1),
            ..config(20, 1)
        };
        let (others, anomalies) = (tensor(&others), tensor(&anomalies));
        let trees = ExtraTrees::fit(&others, &anomalies, &settings, 3).unwrap();
        assert_eq!(trees.score(&others).unwrap(), [0.; 20]);
        assert_eq!(trees.score(&anomalies).unwrap(), [1.; 5]);
        let split = |tree: &Tree| {
            tree.nodes()
                .all(|(_, feature, right)| right == 0 || feature == 1)
        };
        assert!(trees.trees.iter().all(split));
    }

    #[test]
    fn the_number_of_threads_does_not_matter_and_seeds_do() {
        let (others, anomalies) = unordered();
        let run = |threads, seed| {
            on_threads(threads, || {
                let trees = ExtraTrees::fit(&others, &anomalies, &config(30, 3), seed).unwrap();
                trees.score(&others).unwrap()
            })
        };
        assert_eq!(run(1, 0), run(5, 0));
        assert_ne!(run(1, 0), run(1, 1));
    }

    #[test]
    fn bad_input_is_named() {
        let good = column(&[0., 1.]);
        let fit = |others: &Tensor, anomalies: &Tensor, config: &ExtraTreesConfig| {
            ExtraTrees::fit(others, anomalies, config, 0).unwrap_err()
        };
        let empty = Tensor::zeros((0, 1), DType::F32, &Device::Cpu).unwrap();
        for (others, anomalies, expected) in
            [(&empty, &good, "unlabeled"), (&good, &empty, "anomalous")]
        {
            let error = fit(others, anomalies, &config(1, 1));
            assert!(
                matches!(error, Error::EmptyGroup { group, .. } if group == expected),
                "{error}"
            );
        }
        let wide = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
        assert!(matches!(
            fit(&good, &wide, &config(1, 1)),
            Error::Shape { .. }
        ));
        let nan = column(&[0., f32::NAN]);
        assert!(matches!(
            fit(&good, &nan, &config(1, 1)),
            Error::NonFiniteFeature { row: 3, .. }
        ));
        for (name, wrong) in [("trees", config(0, 1)), ("min_leaf", config(1, 0))] {
            let error = fit(&good, &good, &wrong);
            assert!(
                matches!(error, Error::Config { name: n, .. } if n == name),
                "{error}"
            );
        }
        let trees = ExtraTrees::fit(&good, &good, &config(1, 1), 0).unwrap();
        assert!(matches!(trees.score(&wide), Err(Error::Shape { .. })));
        assert_eq!(trees.score(&empty).unwrap(), [0f64; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn scores_are_shares_whatever_the_rows(
            others in proptest::collection::vec(-3i32..3, 1..40),
            anomalies in proptest::collection::vec(-3i32..3, 1..20),
            min_leaf in 1usize..5, spread in -30i32..38, seed in 0u64..5,
        ) {
            let scale = |v: &[i32]| column(&v.iter().map(|&x| x as f32 * 10f32.powi(spread)).collect::<Vec<_>>());
            let (others, anomalies) = (scale(&others), scale(&anomalies));
            let trees = ExtraTrees::fit(&others, &anomalies, &config(5, min_leaf), seed).unwrap();
            for xs in [&others, &anomalies] {
                for score in trees.score(xs).unwrap() {
                    prop_assert!((0. ..=1. + 1e-12).contains(&score));
                }
            }
        }
    }
}
