mod counts;

use serde::{Deserialize, Serialize};

use self::counts::Counts;
use super::points::Points;
use super::{PriorData, PriorEstimate, PriorEstimator, doubt, resample};
use crate::{Error, Result};

/// The settings of [`AlphaMax`].
///
/// ```
/// use puad::prior::AlphaMaxConfig;
///
/// let config = AlphaMaxConfig { bins: 12, ..Default::default() };
/// config.check()?;
/// assert_eq!(config.drop, 0.5);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlphaMaxConfig {
    /// Bins of the two histograms, in [2, 1000]. 8, the best of 8 to 40 on what settings are chosen on: in more of
    /// them one is more often empty by chance.
    pub bins: usize,
    /// How far the log-likelihood falls from its plateau to where it is said to bend, in nats, > 0. One half is what
    /// a bound that holds with equality costs on average if it binds: half of a squared normal variable.
    pub drop: f64,
    /// Bootstrap resamples of the interval, >= 1.
    pub resamples: usize,
    /// The level of the interval, in (0, 1).
    pub level: f64,
}

impl Default for AlphaMaxConfig {
    fn default() -> Self {
        Self {
            bins: 8,
            drop: 0.5,
            resamples: 200,
            level: 0.95,
        }
    }
}

impl AlphaMaxConfig {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if !(2..=1000).contains(&self.bins) {
            return Err(Error::config("bins", "in [2, 1000]", self.bins));
        }
        if !(self.drop > 0. && self.drop.is_finite()) {
            return Err(Error::config("drop", "finite and above 0", self.drop));
        }
        resample::check(self.resamples, self.level)
    }
}

/// AlphaMax: the largest share of anomalies that the likelihood of both samples does not speak against.
///
/// Of scores. Unlabeled scores and those of anomalies are counted in bins of equal weight of both groups together.
/// Let `q` be the anomalies' histogram and `p` the unlabeled one. With a share `alpha` of anomalies `p >= alpha q` in
/// every bin, and the curve is the largest log-likelihood of all counts under that,
///
/// ```text
/// l(alpha) = max { sum n_i log q_i + sum m_i log p_i : p >= alpha q }
/// ```
///
/// which has a solution in closed form but for one multiplier. It is flat up to the largest share that the histograms
/// allow and falls behind it. The paper finds that bend by eye or by slopes of the curve; here it is where the curve
/// has fallen by [`drop`](AlphaMaxConfig::drop): on a grid of slopes, or as the largest curvature, its error was twice
/// as large at a share of 0.05, since a curve of few anomalies bends more than once. The paper's densities are mixtures
/// of any kernels, of which histograms are a case, and its unlabeled density is fixed before; here both vary, so that
/// a bin with few unlabeled samples is not believed more than it deserves.
///
/// The interval is a bootstrap's over unlabeled samples and anomalies: it covers the noise of both samples, and
/// neither that of the scores' training nor the error of labels that are not representative or of an overlap, by
/// which the estimate is too high.
///
/// # When it fails
/// - Normals reach as high as anomalies: the estimate is an upper bound. Of two Gaussians two deviations apart it was
///   0.14 where 0.05 is true and 0.40 where 0.25 is, and the interval did not hold the truth.
///   [`PriorDoubt::Overlap`](super::PriorDoubt::Overlap) says so where it is noticed.
/// - Large shares of well separated anomalies: of many bins the one with the fewest unlabeled samples decides, so
///   that 0.25 was estimated as 0.22 to 0.23.
/// - The labeled anomalies are of some kinds alone: it is the share of these.
/// - The scores are those of a classifier on its own training data: far too low.
///
/// # References
/// Jain, White, Trosset and Radivojac, Nonparametric semi-supervised learning of class proportions, 2016.
///
/// ```
/// use puad::prior::{AlphaMax, PriorData, PriorEstimator};
///
/// // A tenth of 1000 unlabeled samples scores as the anomalies do.
/// let unlabeled = (0..1000).map(f64::from).collect();
/// let anomalies = (0..50).map(|i| 901. + 2. * f64::from(i)).collect();
/// let estimate = AlphaMax::default().estimate(&PriorData::of_scores(unlabeled, anomalies)?, 0)?;
/// assert!((estimate.alpha.get() - 0.1).abs() < 0.03);
/// assert!(estimate.low.get() < 0.1 && 0.1 < estimate.high.get());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AlphaMax {
    config: AlphaMaxConfig,
}

/// Of the curve from 0.001 to 1.
const STEPS: usize = 100;

impl AlphaMax {
    /// # Errors
    /// As [`AlphaMaxConfig::check`].
    pub fn new(config: AlphaMaxConfig) -> Result<Self> {
        config.check()?;
        Ok(Self { config })
    }

    /// The curve: pairs of a share and its log-likelihood in nats, less the plateau's, <= 0 and never rising. 101
    /// shares from 0.001 to 1, evenly spaced on a logarithmic scale.
    ///
    /// # Errors
    /// [`Error::Shape`] for vectors.
    pub fn curve(&self, data: &PriorData) -> Result<Vec<(f64, f64)>> {
        data.scores()?;
        let counts = self.counts(&Points::of(data), |_| 1);
        let share = |step: usize| 1e3f64.powf(step as f64 / STEPS as f64 - 1.);
        let shares = (0..=STEPS).map(share);
        Ok(shares.map(|alpha| (alpha, -counts.loss(alpha))).collect())
    }

    /// Histograms in which row `i` comes `times(i)` times.
    fn counts(&self, points: &Points, times: impl Fn(usize) -> u32) -> Counts {
        let bins = self.config.bins;
        let mut counts = Counts(vec![(0., 0.); bins]);
        for (row, value) in points.values().iter().enumerate() {
            let bin = &mut counts.0[((value * bins as f64) as usize).min(bins - 1)];
            let times = f64::from(times(row));
            if row < points.unlabeled() {
                bin.1 += times;
            } else {
                bin.0 += times;
            }
        }
        counts
    }
}

impl PriorEstimator for AlphaMax {
    fn name(&self) -> &'static str {
        "AlphaMax"
    }

    fn estimate(&self, data: &PriorData, seed: u64) -> Result<PriorEstimate> {
        data.scores()?;
        let points = Points::of(data);
        let config = &self.config;
        let alpha = self.counts(&points, |_| 1).bend(config.drop);
        let resampled = resample::resampled(seed, config.resamples, |rng| {
            let mut times = resample::counts(rng, points.unlabeled());
            times.extend(resample::counts(rng, points.anomalies()));
            self.counts(&points, |row| times[row]).bend(config.drop)
        });
        let doubts = doubt::of(data, &points, alpha)?;
        resample::estimate(alpha, resampled, config.level, doubts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_flat_then_falls() {
        let unlabeled = (0..1000).map(f64::from).collect();
        let data = PriorData::of_scores(unlabeled, (900..1000).map(f64::from).collect()).unwrap();
        let curve = AlphaMax::default().curve(&data).unwrap();
        assert_eq!((curve.len(), curve[100].0), (101, 1.));
        let at = |alpha: f64| curve.iter().find(|point| point.0 >= alpha).unwrap().1;
        assert!(
            at(0.05) > -0.1 && at(0.2) < -10.,
            "{} {}",
            at(0.05),
            at(0.2)
        );
    }
}
