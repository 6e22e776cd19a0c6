use candle_core::{DType, Tensor, WithDType};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::features::Features;
use super::isolation_tree::{grow, mean_path_length};
use super::tree::Tree;
use crate::rng::{Purpose, substream};
use crate::{Error, Result};

/// A sample of 2^31 rows makes fewer than 2^32 nodes, which have u32 indices.
const LARGEST_SAMPLE: usize = 1 << 31;

/// Bytes of rows that go through all trees together: they stay in the first cache beside a tree.
const CHUNK: usize = 16 << 10;

/// The hyperparameters of an [`IsolationForest`]. Defaults: Liu et al. and scikit-learn.
///
/// ```
/// use puad::baseline::IsolationForestConfig;
///
/// let config = IsolationForestConfig { trees: 500, ..Default::default() };
/// config.check()?;
/// assert_eq!(config.max_samples, 256);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IsolationForestConfig {
    /// Number of trees, >= 1.
    pub trees: usize,
    /// Rows that each tree sees, drawn without replacement, in [1, 2^31]; all rows where there are
    /// fewer.
    pub max_samples: usize,
}

impl Default for IsolationForestConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl IsolationForestConfig {
    pub(crate) const DEFAULT: Self = Self {
        trees: 100,
        max_samples: 256,
    };

    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if self.trees == 0 {
            return Err(Error::config("trees", "at least 1", self.trees));
        }
        if !(1..=LARGEST_SAMPLE).contains(&self.max_samples) {
            return Err(Error::config(
                "max_samples",
                "in [1, 2^31]",
                self.max_samples,
            ));
        }
        Ok(())
    }
}

/// Isolation forest: samples that random splits separate from the rest early are anomalous.
///
/// Each tree is grown on `psi = min(max_samples, n)` rows drawn without replacement, down to single
/// rows, rows that are all equal, or the depth `ceil(log2 psi)`. A split takes a feature uniformly
/// among those that vary in its node and a threshold uniformly between their extremes. With `h(x)`
/// the depth of the leaf of `x` plus `c(rows in that leaf)`, and `c(m) = 2 (ln(m - 1) + 0.5772) -
/// 2 (m - 1) / m` (`c(2) = 1`, `c(1) = 0`), the anomaly score is `2^(-mean h(x) / c(psi))`, in
/// (0, 1): near 1 for what is isolated at once, about 0.5 or less for the bulk.
///
/// This is scikit-learn's `IsolationForest` (`-score_samples`) with its own random numbers, apart
/// from two points of precision: f64 input is not rounded to f32, and a feature counts as constant
/// only if its values are equal, rather than within 1e-7. As there, all scores are 0.5 (up to
/// rounding) if nothing was learned: `psi = 1`, or all rows equal.
///
/// The same seed gives the same forest, bit by bit, for any number of threads.
///
/// # References
/// Liu, Ting and Zhou, Isolation forest, ICDM 2008.
///
/// ```
/// use puad::baseline::{IsolationForest, IsolationForestConfig};
/// use puad::candle_core::{Device, Tensor};
///
/// // A grid, and one point away from it.
/// let mut rows: Vec<Vec<f32>> = (0..60).map(|i| vec![(i % 10) as f32, (i % 6) as f32]).collect();
/// rows.push(vec![30., -20.]);
/// let xs = Tensor::new(rows, &Device::Cpu)?;
/// let forest = IsolationForest::fit(&xs, &IsolationForestConfig::default(), 0)?;
/// let scores = forest.score(&xs)?.to_vec1::<f32>()?;
/// assert!(scores[..60].iter().all(|&score| score < scores[60]));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct IsolationForest {
    pub(super) trees: Vec<Tree>,
    pub(super) samples: usize,
    pub(super) features: usize,
}

impl IsolationForest {
    /// Grows the trees, in parallel.
    ///
    /// `xs`: `[n, ...]`, f32 or f64, each sample flattened, on any device; the work is done on the
    /// CPU.
    ///
    /// # Errors
    /// - [`Error::Config`] for a hyperparameter outside its range,
    /// - [`Error::Shape`] unless `xs` has at least two dimensions and a feature,
    /// - [`Error::EmptyGroup`] for `n = 0`,
    /// - [`Error::NonFiniteFeature`] if a value is NaN or infinite,
    /// - [`Error::Candle`] for another element type.
    pub fn fit(xs: &Tensor, config: &IsolationForestConfig, seed: u64) -> Result<Self> {
        config.check()?;
        match xs.dtype() {
            DType::F32 => Self::grow::<f32>(xs, config, seed),
            DType::F64 => Self::grow::<f64>(xs, config, seed),
            other => Err(unsupported(other)),
        }
    }

    fn grow<T>(xs: &Tensor, config: &IsolationForestConfig, seed: u64) -> Result<Self>
    where
        T: WithDType + Into<f64>,
    {
        const WHAT: &str = "training samples of an isolation forest";
        let rows = Features::<T>::read(WHAT, xs)?;
        if rows.len() == 0 {
            return Err(Error::EmptyGroup {
                what: "an isolation forest",
                group: "unlabeled",
            });
        }
        if u32::try_from(rows.width()).is_err() {
            return Err(Error::shape(
                WHAT,
                "[n, ...] with fewer than 2^32 features",
                xs,
            ));
        }
        let samples = config.max_samples.min(rows.len());
        let tree = |index| {
            let mut rng = substream(seed, Purpose::Forest, index);
            grow(&rows, samples, &mut rng)
        };
        Ok(Self {
            trees: (0..config.trees as u64).into_par_iter().map(tree).collect(),
            samples,
            features: rows.width(),
        })
    }

    /// Anomaly scores in (0, 1), larger = more anomalous.
    ///
    /// `xs`: `[m, ...]` with as many features as the training samples had -> `[m]`, of the element
    /// type and on the device of `xs`, without gradient. Scores are computed in f64, and those of
    /// f32 input rounded at the end.
    ///
    /// # Errors
    /// - [`Error::Shape`] for another number of features,
    /// - [`Error::NonFiniteFeature`] if a value is NaN or infinite,
    /// - [`Error::Candle`] for an element type other than f32 and f64.
    pub fn score(&self, xs: &Tensor) -> Result<Tensor> {
        let scores = match xs.dtype() {
            DType::F32 => self.scores::<f32>(xs)?,
            DType::F64 => self.scores::<f64>(xs)?,
            other => return Err(unsupported(other)),
        };
        let scores = Tensor::new(scores, xs.device())?;
        Ok(scores.to_dtype(xs.dtype())?)
    }

    pub(super) fn scores<T: WithDType + Into<f64>>(&self, xs: &Tensor) -> Result<Vec<f64>> {
        const WHAT: &str = "samples to score";
        let rows = Features::<T>::read(WHAT, xs)?;
        if rows.width() != self.features {
            let expected = format!("[m, ...] with {} features", self.features);
            return Err(Error::shape(WHAT, expected, xs));
        }
        let expected = mean_path_length(self.samples);
        if expected == 0. {
            return Ok(vec![0.5; rows.len()]);
        }
        let mut scores = vec![0.; rows.len()];
        let score = |rows: &[T], scores: &mut [f64]| {
            for tree in &self.trees {
                tree.add_values(rows, self.features, scores);
            }
            let whole = self.trees.len() as f64 * expected;
            scores
                .iter_mut()
                .for_each(|sum| *sum = (-*sum / whole).exp2());
        };
        let chunk = (CHUNK / (size_of::<T>() * self.features)).clamp(8, 256);
        if rows.len() <= chunk {
            // Nothing to hand to other threads.
            score(rows.values(), &mut scores);
        } else {
            let chunks = rows.values().par_chunks(chunk * self.features);
            let both = chunks.zip(scores.par_chunks_mut(chunk));
            both.for_each(|(rows, scores)| score(rows, scores));
        }
        Ok(scores)
    }

    /// Number of features of a sample.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Rows that each tree saw: `psi`.
    pub fn samples_per_tree(&self) -> usize {
        self.samples
    }
}

fn unsupported(dtype: DType) -> Error {
    candle_core::Error::UnsupportedDTypeForOp(dtype, "isolation-forest").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use proptest::prelude::*;

    /// `[n, width]`, entries in [-1, 1] from an integer hash.
    fn cloud(n: usize, width: usize) -> Vec<f64> {
        let hash = |i: usize| (i * 7919 + i * i * 31) % 10_007;
        (0..n * width)
            .map(|i| hash(i) as f64 / 5003. - 1.)
            .collect()
    }

    fn tensor(values: Vec<f64>, width: usize) -> Tensor {
        let rows = values.len() / width;
        Tensor::from_vec(values, (rows, width), &Device::Cpu).unwrap()
    }

    fn fit(xs: &Tensor, seed: u64) -> IsolationForest {
        IsolationForest::fit(xs, &IsolationForestConfig::default(), seed).unwrap()
    }

    fn scores(forest: &IsolationForest, xs: &Tensor) -> Vec<f64> {
        forest.score(xs).unwrap().to_vec1().unwrap()
    }

    #[test]
    fn outliers_score_highest() {
        for seed in 0..5 {
            let mut values = cloud(400, 3);
            values.extend([4., -4., 4., 0., 0., 9.]);
            let xs = tensor(values, 3);
            let scores = scores(&fit(&xs, seed), &xs);
            let bulk = scores[..400].iter().fold(0., |max: f64, s| max.max(*s));
            assert!(scores[400] > bulk && scores[401] > bulk);
            assert!(scores.iter().all(|s| (0. ..1.).contains(s)));
        }
    }

    #[test]
    fn seeds_repeat_and_differ() {
        let xs = tensor(cloud(300, 4), 4);
        assert_eq!(fit(&xs, 1), fit(&xs, 1));
        assert_ne!(fit(&xs, 1), fit(&xs, 2));
        let forest = fit(&xs, 1);
        assert_ne!(forest.trees[0], forest.trees[1]);
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let xs = tensor(cloud(500, 6), 6);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let forest = fit(&xs, 3);
                let scores = scores(&forest, &xs);
                (forest, scores)
            })
        };
        let single = run(1);
        assert_eq!(single, run(2));
        assert_eq!(single, run(7));
    }

    // More trees must not change the first ones.
    #[test]
    fn trees_have_streams_of_their_own() {
        let xs = tensor(cloud(100, 2), 2);
        let config = |trees| IsolationForestConfig {
            trees,
            ..Default::default()
        };
        let few = IsolationForest::fit(&xs, &config(3), 0).unwrap();
        let many = IsolationForest::fit(&xs, &config(8), 0).unwrap();
        assert_eq!(few.trees, many.trees[..3]);
    }

    #[test]
    fn equal_rows_and_single_rows_score_one_half() {
        let other = tensor(vec![1., 2., 3., 1e9, -4., 0.], 3);
        let check = |forest: &IsolationForest| {
            let scores = scores(forest, &other);
            assert_eq!(scores[0], scores[1]);
            assert!((scores[0] - 0.5).abs() < 1e-14);
        };
        for n in [1, 2, 50, 1000] {
            let xs = tensor([1., 2., 3.].repeat(n), 3);
            let forest = fit(&xs, 0);
            assert_eq!(forest.samples_per_tree(), n.min(256));
            check(&forest);
        }
        let config = IsolationForestConfig {
            trees: 10,
            max_samples: 1,
        };
        check(&IsolationForest::fit(&tensor(cloud(20, 3), 3), &config, 0).unwrap());
    }

    // Two distinct rows: every tree has one split, h = 1 = c(2), and the score is 1/2 whatever the
    // seed. Three rows 0, 1, 3 in one column: the first split isolates 0 (probability 1/3, leaving
    // 1 and 3 at depth 2) or 3 (2/3), so E[h] = 5/3, 2, 4/3.
    #[test]
    fn expected_path_lengths_of_small_sets() {
        let pair = tensor(vec![0., 1.], 1);
        assert_eq!(scores(&fit(&pair, 0), &pair), [0.5, 0.5]);
        let xs = tensor(vec![0., 1., 3.], 1);
        let config = IsolationForestConfig {
            trees: 20_000,
            max_samples: 256,
        };
        let forest = IsolationForest::fit(&xs, &config, 0).unwrap();
        let expected = [5. / 3., 2., 4. / 3.];
        for (score, h) in scores(&forest, &xs).into_iter().zip(expected) {
            let mean = -score.log2() * mean_path_length(3);
            // Standard error at most sqrt(2/9 / 20000) = 0.0033.
            assert!((mean - h).abs() < 0.017, "{mean} {h}");
        }
    }

    #[test]
    fn shapes_and_types_are_kept() -> Result<()> {
        let flat = tensor(cloud(60, 12), 12).to_dtype(DType::F32)?;
        let images = flat.reshape((60, 3, 2, 2))?;
        let forest = fit(&images, 0);
        assert_eq!(forest.features(), 12);
        assert_eq!(forest, fit(&flat, 0));
        // f32 values are exact in f64.
        assert_eq!(forest, fit(&flat.to_dtype(DType::F64)?, 0));
        let single = forest.score(&images)?;
        assert_eq!((single.dims(), single.dtype()), (&[60][..], DType::F32));
        let double = forest.score(&images.to_dtype(DType::F64)?)?;
        assert_eq!(double.dtype(), DType::F64);
        assert_eq!(
            double.to_dtype(DType::F32)?.to_vec1::<f32>()?,
            single.to_vec1::<f32>()?
        );
        assert_eq!(forest.score(&flat.narrow(0, 0, 0)?)?.dims(), [0]);
        Ok(())
    }

    #[test]
    fn bad_input_is_named() -> Result<()> {
        let config = IsolationForestConfig::default();
        let xs = tensor(cloud(20, 3), 3);
        let forest = fit(&xs, 0);
        let narrow = xs.narrow(1, 0, 2)?;
        assert!(
            matches!(forest.score(&narrow), Err(Error::Shape { actual, .. }) if actual == [20, 2])
        );
        assert!(matches!(
            forest.score(&xs.get(0)?),
            Err(Error::Shape { .. })
        ));
        let empty = xs.narrow(0, 0, 0)?;
        assert!(matches!(
            IsolationForest::fit(&empty, &config, 0),
            Err(Error::EmptyGroup { .. })
        ));
        let mut values = cloud(20, 3);
        values[3 * 7 + 2] = f64::NAN;
        let nan = tensor(values, 3);
        let found = |error| {
            matches!(
                error,
                Some(Error::NonFiniteFeature {
                    row: 7,
                    column: 2,
                    ..
                })
            )
        };
        assert!(found(IsolationForest::fit(&nan, &config, 0).err()));
        assert!(found(forest.score(&nan).err()));
        let bytes = xs.to_dtype(DType::U8)?;
        assert!(matches!(
            IsolationForest::fit(&bytes, &config, 0),
            Err(Error::Candle(_))
        ));
        assert!(matches!(forest.score(&bytes), Err(Error::Candle(_))));
        Ok(())
    }

    #[test]
    fn hyperparameters_out_of_range_are_named() {
        let xs = tensor(cloud(4, 1), 1);
        for (config, wrong) in [
            (
                IsolationForestConfig {
                    trees: 0,
                    ..Default::default()
                },
                "trees",
            ),
            (
                IsolationForestConfig {
                    max_samples: 0,
                    ..Default::default()
                },
                "max_samples",
            ),
            (
                IsolationForestConfig {
                    max_samples: (1 << 31) + 1,
                    ..Default::default()
                },
                "max_samples",
            ),
        ] {
            let error = IsolationForest::fit(&xs, &config, 0).err();
            assert!(matches!(error, Some(Error::Config { name, .. }) if name == wrong));
        }
    }

    #[test]
    fn config_round_trips_and_rejects_unknown_fields() {
        let config = IsolationForestConfig {
            trees: 7,
            max_samples: 9,
        };
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(
            serde_json::from_str::<IsolationForestConfig>(&text).unwrap(),
            config
        );
        assert_eq!(
            serde_json::from_str::<IsolationForestConfig>("{}").unwrap(),
            IsolationForestConfig::default()
        );
        assert!(serde_json::from_str::<IsolationForestConfig>(r#"{"n_trees": 7}"#).is_err());
    }

    // The numbers of an earlier run: the same seed must go on giving the same forest.
    #[test]
    fn values_are_stable() {
        let xs = tensor(cloud(300, 2), 2);
        let probe = tensor(vec![0., 0., 0.9, -0.9, 2., 0.5], 2);
        let expected = [0.45332143689078835, 0.5866849868208063, 0.5955022201309509];
        for (score, expected) in scores(&fit(&xs, 42), &probe).into_iter().zip(expected) {
            // The last digits are the platform's logarithm's.
            assert!((score - expected).abs() < 1e-12);
        }
    }

    proptest! {
        #[test]
        fn any_finite_data_is_taken(
            values in prop::collection::vec(
                prop_oneof![Just(0.), Just(f64::MAX), Just(-f64::MAX), Just(5e-324), -1f64..1.], 2..120,
            ),
            width in 1usize..4,
            seed in any::<u64>(),
        ) {
            let rows = values.len() / width;
            prop_assume!(rows > 0);
            let xs = tensor(values[..rows * width].to_vec(), width);
            let config = IsolationForestConfig { trees: 5, max_samples: 16 };
            let forest = IsolationForest::fit(&xs, &config, seed).unwrap();
            for score in scores(&forest, &xs) {
                prop_assert!(score > 0. && score < 1.);
            }
        }
    }
}
