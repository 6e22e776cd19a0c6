use serde::{Deserialize, Serialize};

use super::levels::Levels;
use super::overlap;
use super::smooth::smooth_hull;
use super::windows::{self, HALF, Window};
use super::{PriorData, PriorEstimate, PriorEstimator};
use crate::statistics::check_share;
use crate::{Error, Result};

/// The settings of [`Dedpul`].
///
/// ```
/// use puad::prior::DedpulConfig;
///
/// let config = DedpulConfig { level: 0.9, ..DedpulConfig::default() };
/// config.check()?;
/// assert_eq!(config.bandwidth, 0.5);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DedpulConfig {
    /// The standard deviation of the kernel that smooths both densities, in units of `s m^(-1/5)`, where `s` is the
    /// spread of the `m` anomalies on the axis `logit(rank)`; > 0. Default: 0.5, half of Silverman's.
    pub bandwidth: f64,
    /// By how many standard errors the ratio of the densities must still grow above the score that half of the
    /// anomalies exceed for a smaller window to be taken, >= 0; below that score a quarter of it is enough. Default: 2.
    /// Larger is less noise and more normals in the estimate.
    pub tolerance: f64,
    /// The share of intervals that are meant to hold the truth, in (0, 1). Default: 0.95.
    pub level: f64,
}

impl Default for DedpulConfig {
    fn default() -> Self {
        Self {
            bandwidth: 0.5,
            tolerance: 2.,
            level: 0.95,
        }
    }
}

impl DedpulConfig {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if !(self.bandwidth > 0. && self.bandwidth.is_finite()) {
            return Err(Error::config(
                "bandwidth",
                "positive and finite",
                self.bandwidth,
            ));
        }
        if !(self.tolerance >= 0. && self.tolerance.is_finite()) {
            let rule = "non-negative and finite";
            return Err(Error::config("tolerance", rule, self.tolerance));
        }
        check_share("level", self.level)
    }
}

/// The default: the ratio of the densities of scores, monotone, and the prior at which expectation-maximisation on
/// it stays.
///
/// Scores are those of a classifier of labeled anomalies against unlabeled samples, each by one that did not see its
/// sample in training (out of fold). Their densities `f_A` and `f_U` are smoothed by one kernel on the axis
/// `logit(rank among the unlabeled)`, and their ratio is made to grow with the score. Of the mixture
/// `f_U = alpha f_A + (1 - alpha) f_N` the ratio `f_A / f_U` is at most `1 / alpha`, and reaches it where there are no
/// normals. Few samples say what it is at the very top, so that it is taken for constant above some score: that which
/// 90% of the anomalies exceed, or, while it grows above by more than its noise, 75%, 50%, 35%, 25% or 15% (the
/// last three hold at least five anomalies). With the ratio `r` so flattened, expectation-maximisation from above,
/// `alpha <- mean over U of min(1, alpha r)`, ends at the inverse of its largest value, which is taken at once.
///
/// The interval goes from the lowest of the lower ends of these windows to the upper end of the one that was taken
/// (or, if that is smaller, of the one of half of the anomalies); each is that of the binomial counts in it on a
/// logarithmic scale, and has a term for the classifier's own luck. Nothing is drawn: the seed has no effect.
///
/// Of the paper's method the axis differs (its is the classifier's probability), and the flattened top, which is there
/// a running median and a search for the bend of the EM's curve.
///
/// # When it fails
/// - Normals score as high as anomalies do: it says [`PriorDoubt::Overlap`](super::PriorDoubt::Overlap), and the
///   estimate is an upper bound.
/// - The labeled anomalies are of some kinds alone: it is the share of these.
/// - The scores are those of a classifier on its own training data: far too low.
///
/// # References
/// Ivanov, DEDPUL: difference-of-estimated-densities-based positive-unlabeled learning, ICMLA 2020.
///
/// ```
/// use puad::prior::{Dedpul, PriorData, PriorEstimator};
///
/// // A tenth of 1000 unlabeled samples scores as the anomalies do.
/// let unlabeled = (0..1000).map(f64::from).collect();
/// let anomalies = (0..50).map(|i| 901. + 2. * f64::from(i)).collect();
/// let estimate = Dedpul::default().estimate(&PriorData::of_scores(unlabeled, anomalies)?, 0)?;
/// assert!((estimate.alpha.get() - 0.1).abs() < 0.01);
/// assert!(estimate.low.get() < 0.1 && 0.1 < estimate.high.get());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dedpul {
    config: DedpulConfig,
}

impl Dedpul {
    /// # Errors
    /// As [`DedpulConfig::check`].
    pub fn new(config: DedpulConfig) -> Result<Self> {
        config.check()?;
        Ok(Self { config })
    }

    /// The largest window within which the ratio does not grow by more than its noise.
    fn chosen(&self, windows: &[Window], totals: (f64, f64)) -> usize {
        let logs: Vec<_> = windows.iter().map(|w| w.log_alpha(totals)).collect();
        let grows = |window: usize, smaller: usize| {
            // Most of the normals among the anomalies lie below the middle of these: there, less evidence will do.
            let ease = if windows[window].share > HALF {
                0.25
            } else {
                1.
            };
            let ((center, error), (above, its_error)) = (logs[window], logs[smaller]);
            // The smaller window's samples are a part of the larger one's.
            let noise = (its_error.powi(2) - error.powi(2)).max(0.).sqrt();
            center - above > ease * self.config.tolerance * noise
        };
        let stays = |&window: &usize| (window + 1..windows.len()).all(|i| !grows(window, i));
        (0..windows.len()).find(stays).unwrap_or(windows.len() - 1)
    }
}

impl PriorEstimator for Dedpul {
    fn name(&self) -> &'static str {
        "DEDPUL"
    }

    fn estimate(&self, data: &PriorData, _seed: u64) -> Result<PriorEstimate> {
        let levels = Levels::of(data)?;
        let (totals, level) = (levels.totals, self.config.level);
        let hull = smooth_hull(&levels, self.config.bandwidth);
        let windows: Vec<_> = windows::usable(totals.1)
            .map(|share| hull.window(share))
            .collect();
        let chosen = windows[self.chosen(&windows, totals)];
        let ends = windows::interval(chosen, hull.window(HALF), &windows, totals, level);
        let doubts = overlap::doubts(&hull, totals.1, chosen.alpha());
        windows::bounded(chosen.alpha(), ends, level, doubts)
    }
}
