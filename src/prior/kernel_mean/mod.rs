mod curve;
mod hull;

use rand::Rng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use self::curve::Curve;
use super::points::Points;
use super::{PriorData, PriorEstimate, PriorEstimator, doubt, resample};
use crate::{Error, Result};

/// Where a [`KernelMean`] says that the curve rises.
///
/// ```
/// use puad::prior::{KernelMean, PriorEstimator, SlopeThreshold};
///
/// assert_eq!(KernelMean::new(SlopeThreshold::Km1).name(), "KM1");
/// assert_eq!(KernelMean::new(SlopeThreshold::Km2).name(), "KM2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlopeThreshold {
    /// `1 / sqrt(rows of the smaller group)`; that of KM2 where this is above 0.9 of the slope at infinity.
    Km1,
    /// 0.8 of the slope near 1 and 0.2 of that at infinity.
    Km2,
}

/// The settings of [`KernelMean`].
///
/// ```
/// use puad::prior::{KernelMeanConfig, SlopeThreshold};
///
/// let config = KernelMeanConfig { points: 300, ..KernelMeanConfig::new(SlopeThreshold::Km2) };
/// config.check()?;
/// assert_eq!(config.resamples, 10);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelMeanConfig {
    /// KM1 or KM2.
    pub threshold: SlopeThreshold,
    /// The most rows, anomalies up to a half of them, drawn without replacement, in [2, 2000]. Time grows with the
    /// square of it at least.
    pub points: usize,
    /// Kernel widths to choose from, in median distances of rows; each > 0.
    pub widths: Vec<f64>,
    /// Resamples of the interval, >= 1.
    pub resamples: usize,
    /// The level of the interval, in (0, 1).
    pub level: f64,
}

impl KernelMeanConfig {
    /// 500 points, the widths 0.1 to 10 of the paper's experiments, 10 resamples and a level of 0.95.
    pub fn new(threshold: SlopeThreshold) -> Self {
        Self {
            threshold,
            points: 500,
            widths: [-1., -0.5, 0., 0.5, 1.]
                .map(|power| 10f64.powf(power))
                .to_vec(),
            resamples: 10,
            level: 0.95,
        }
    }

    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if !(2..=2000).contains(&self.points) {
            return Err(Error::config("points", "in [2, 2000]", self.points));
        }
        if self.widths.is_empty() {
            return Err(Error::config(
                "widths",
                "a list of at least one value",
                "none",
            ));
        }
        let wrong = self
            .widths
            .iter()
            .find(|width| !(**width > 0. && width.is_finite()));
        if let Some(wrong) = wrong {
            return Err(Error::config("widths", "finite and above 0", wrong));
        }
        resample::check(self.resamples, self.level)
    }
}

/// KM1 and KM2: the share of anomalies that can be taken out of the unlabeled data before less than nothing is left
/// somewhere.
///
/// With `lambda = 1 / (1 - alpha)`, `lambda mean_U + (1 - lambda) mean_A` is the mean of the normals in a kernel's
/// space, a convex combination of rows. For a larger `lambda` it is none, and its distance `d(lambda)` from the convex
/// hull of all rows rises. `d` is convex; the estimate is where its slope exceeds a [`SlopeThreshold`], found by
/// bisection of `alpha` in [0, 0.99], and 1 if it does nowhere there. The kernel is Gaussian, of the width at which
/// the means of both groups are farthest apart. Of the published program the slope differs, which is the derivative in
/// closed form and no difference of two distances: theirs are 0.04 apart in `lambda`, too much for a share of 0.05.
///
/// It takes scores or vectors. Vectors are standardised by the unlabeled rows' means and deviations; scores lie on the
/// mean of both groups' distribution functions, so that their unit has no effect.
///
/// The interval is that of resamples of as many points, drawn with replacement, so that it covers the noise of the
/// points that were drawn too. It does not cover that of the scores' training, nor the bias of the threshold or of
/// labels that are not representative; of ten resamples it is rough.
///
/// # When it fails
/// - Normals reach as high as anomalies: the estimate is an upper bound, as of scores of two Gaussians two deviations
///   apart, 0.16 where 0.05 is true. [`PriorDoubt::Overlap`](super::PriorDoubt::Overlap) says so where it is noticed.
/// - Vectors instead of scores of a classifier: of five tables with 6 to 100 columns and 25 to 100 labels KM1 gave 0
///   for three, as its threshold lay below the slope that noise alone has near 1, and nearly twice the share for one;
///   KM2 was too high by 0.2 for two.
/// - Small shares: among 400 unlabeled points a share of 0.05 is 20 anomalies.
/// - Few points: of 40 unlabeled ones and 40 anomalies a share of 0.8 was estimated as 0.45 by KM1, 0.32 by KM2.
/// - The labeled anomalies are of some kinds alone: it is the share of these.
///
/// # References
/// Ramaswamy, Scott and Tewari, Mixture proportion estimation via kernel embedding of distributions, ICML 2016.
///
/// ```
/// use puad::prior::{KernelMean, PriorData, PriorEstimator, SlopeThreshold};
///
/// // A quarter of 200 unlabeled samples scores as the anomalies do.
/// let unlabeled = (0..200).map(f64::from).collect();
/// let anomalies = (0..50).map(|i| 150.5 + f64::from(i)).collect();
/// let data = PriorData::of_scores(unlabeled, anomalies)?;
/// let estimate = KernelMean::new(SlopeThreshold::Km2).estimate(&data, 0)?;
/// assert!((estimate.alpha.get() - 0.25).abs() < 0.1);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct KernelMean {
    config: KernelMeanConfig,
}

/// The largest share below 1.
const LARGEST: f64 = 0.99;

/// Two means less apart than this, of a largest possible sqrt(2), are one but for rounding.
const ALIKE: f64 = 1e-6;

/// Halvings of [0, 0.99]: to within 0.00025.
const HALVINGS: usize = 12;

impl KernelMean {
    /// With the settings of [`KernelMeanConfig::new`].
    pub fn new(threshold: SlopeThreshold) -> Self {
        Self {
            config: KernelMeanConfig::new(threshold),
        }
    }

    /// # Errors
    /// As [`KernelMeanConfig::check`].
    pub fn with_config(config: KernelMeanConfig) -> Result<Self> {
        config.check()?;
        Ok(Self { config })
    }

    fn threshold(&self, curve: &Curve) -> f64 {
        let near = 0.05;
        let mixed = || {
            let rise = curve.at(1. + near, curve.start()).distance / near;
            0.8 * rise + 0.2 * curve.apart()
        };
        let by_rows = 1. / curve.rows().sqrt();
        match self.config.threshold {
            SlopeThreshold::Km1 if by_rows <= 0.9 * curve.apart() => by_rows,
            SlopeThreshold::Km1 | SlopeThreshold::Km2 => mixed(),
        }
    }

    fn share(&self, points: &Points) -> f64 {
        let curve = Curve::new(points, &self.config.widths);
        if curve.apart() < ALIKE {
            return 1.;
        }
        let threshold = self.threshold(&curve);
        let mut weights = curve.start();
        let (mut low, mut high) = (0., LARGEST);
        let mut rises = |share: f64| {
            let at = curve.at(1. / (1. - share), std::mem::take(&mut weights));
            weights = at.weights;
            at.slope > threshold
        };
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.;
            *(if rises(middle) { &mut high } else { &mut low }) = middle;
        }
        if high == LARGEST && !rises(LARGEST) {
            return 1.;
        }
        (low + high) / 2.
    }

    /// How many rows of each group are looked at.
    fn sizes(&self, points: &Points) -> [usize; 2] {
        let anomalies = points.anomalies().min(self.config.points / 2);
        [
            points.unlabeled().min(self.config.points - anomalies),
            anomalies,
        ]
    }

    /// Rows drawn with replacement.
    fn redrawn(&self, points: &Points, rng: &mut ChaCha8Rng) -> Points {
        let [unlabeled, anomalies] = self.sizes(points);
        let mut draw = |rows: std::ops::Range<usize>| rng.random_range(rows);
        let n = points.unlabeled();
        let mut rows: Vec<_> = (0..unlabeled).map(|_| draw(0..n)).collect();
        rows.extend((0..anomalies).map(|_| draw(n..points.len())));
        points.at(&rows, unlabeled)
    }

    /// Rows drawn without.
    fn drawn(&self, points: &Points, rng: &mut ChaCha8Rng) -> Points {
        let [unlabeled, anomalies] = self.sizes(points);
        let n = points.unlabeled();
        let mut rows = index::sample(rng, n, unlabeled).into_vec();
        let anomalous = index::sample(rng, points.anomalies(), anomalies);
        rows.extend(anomalous.into_iter().map(|row| n + row));
        points.at(&rows, unlabeled)
    }
}

impl PriorEstimator for KernelMean {
    fn name(&self) -> &'static str {
        match self.config.threshold {
            SlopeThreshold::Km1 => "KM1",
            SlopeThreshold::Km2 => "KM2",
        }
    }

    fn estimate(&self, data: &PriorData, seed: u64) -> Result<PriorEstimate> {
        let points = Points::of(data);
        let alpha = self.share(&self.drawn(&points, &mut resample::first_stream(seed)));
        let resampled = resample::resampled(seed, self.config.resamples, |rng| {
            self.share(&self.redrawn(&points, rng))
        });
        let doubts = doubt::of(data, &points, alpha)?;
        resample::estimate(alpha, resampled, self.config.level, doubts)
    }
}
