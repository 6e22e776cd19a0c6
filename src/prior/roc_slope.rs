use serde::{Deserialize, Serialize};

use super::bins::{self, bins};
use super::hull::Hull;
use super::levels::Levels;
use super::windows::{self, Window};
use super::{PriorData, PriorEstimate, PriorEstimator, overlap};
use crate::statistics::{check_share, wilson};
use crate::{Error, Result};

/// The settings of [`RocSlope`].
///
/// ```
/// use puad::prior::RocSlopeConfig;
///
/// let config = RocSlopeConfig { deviations: 2., ..RocSlopeConfig::default() };
/// config.check()?;
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RocSlopeConfig {
    /// How many standard deviations each share is bounded by, >= 0. Default: 1.5. Larger is less noise and a larger
    /// bias upwards; 0 is the slope of the sample itself, which is 0 if an anomaly has the highest score.
    pub deviations: f64,
    /// The share of intervals that are meant to hold the truth, in (0, 1). Default: 0.95.
    pub level: f64,
}

impl Default for RocSlopeConfig {
    fn default() -> Self {
        Self {
            deviations: 1.5,
            level: 0.95,
        }
    }
}

impl RocSlopeConfig {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if !(self.deviations >= 0. && self.deviations.is_finite()) {
            let rule = "non-negative and finite";
            return Err(Error::config("deviations", rule, self.deviations));
        }
        check_share("level", self.level)
    }
}

/// The slope of the ROC curve at its end: the least ratio of a bound from above on the share of unlabeled samples
/// beyond a score to a bound from below on that of the anomalies.
///
/// With "unlabeled" for the positive class, the ROC curve of the classifier ends in (1, 1) with the slope `alpha` if
/// the scores of the highest anomalies are those of no normal. The slope is the least one of a line from that end to a
/// point of the curve, with each point moved within its error. The paper moves all points by one bound of the
/// Vapnik-Chervonenkis type, which is wider than most `alpha`; here each has its own, Wilson's score bound.
///
/// The interval is [`Dedpul`](super::Dedpul)'s, of the scores above that point and of fewer. Nothing is drawn: the
/// seed has no effect.
///
/// # When it fails
/// - Few anomalies: the bounds are wide, and the estimate is too high.
/// - Normals score as high as anomalies do: it says [`PriorDoubt::Overlap`](super::PriorDoubt::Overlap), and the
///   estimate is an upper bound.
///
/// # References
/// Scott, A rate of convergence for mixture proportion estimation, with application to learning from noisy labels,
/// AISTATS 2015.
///
/// ```
/// use puad::prior::{PriorData, PriorEstimator, RocSlope};
///
/// // A tenth of 1000 unlabeled samples scores as the anomalies do.
/// let unlabeled = (0..1000).map(f64::from).collect();
/// let anomalies = (0..100).map(|i| 900.5 + f64::from(i)).collect();
/// let estimate = RocSlope::default().estimate(&PriorData::of_scores(unlabeled, anomalies)?, 0)?;
/// assert!((estimate.alpha.get() - 0.1).abs() < 0.03);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RocSlope {
    config: RocSlopeConfig,
}

impl RocSlope {
    /// # Errors
    /// As [`RocSlopeConfig::check`].
    pub fn new(config: RocSlopeConfig) -> Result<Self> {
        config.check()?;
        Ok(Self { config })
    }

    /// The least ratio, and the shares that it is the bound of.
    fn least(&self, levels: &Levels) -> (f64, Window) {
        let ((n, m), z) = (levels.totals, self.config.deviations);
        let bound = |window: &Window| wilson(window.passed, n, z) / wilson(window.share, m, -z);
        let all = Window {
            share: 1.,
            passed: 1.,
        };
        bins(levels)
            .map(|window| (bound(&window), window))
            .fold(
                (1., all),
                |least, bin| {
                    if bin.0 < least.0 { bin } else { least }
                },
            )
    }
}

impl PriorEstimator for RocSlope {
    fn name(&self) -> &'static str {
        "ROC slope"
    }

    fn estimate(&self, data: &PriorData, _seed: u64) -> Result<PriorEstimate> {
        let levels = Levels::of(data)?;
        let (alpha, window) = self.least(&levels);
        let ends = bins::interval(&levels, window, self.config.level);
        let doubts = overlap::doubts(&Hull::of(&levels), levels.totals.1, alpha);
        windows::bounded(alpha, ends, self.config.level, doubts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn wilsons_bounds_solve_their_equation() {
        for (share, z) in [(0.3, 2.), (0.3, -2.), (0., 1.5), (1., -1.)] {
            let p: f64 = wilson(share, 40., z);
            let off = (share - p).abs();
            assert_relative_eq!(off, z.abs() * (p * (1. - p) / 40.).sqrt(), epsilon = 1e-12);
        }
    }

    #[test]
    fn without_bounds_it_is_the_least_ratio() {
        let config = RocSlopeConfig {
            deviations: 0.,
            ..Default::default()
        };
        let data = PriorData::of_scores(vec![3., 2., 1., 0.], vec![3., 2., 2., 2.]).unwrap();
        let estimate = RocSlope::new(config).unwrap().estimate(&data, 0).unwrap();
        assert_relative_eq!(estimate.alpha.get(), 0.5);
    }
}
