use serde::{Deserialize, Serialize};

use super::bins::{self, bins};
use super::hull::Hull;
use super::levels::Levels;
use super::windows::{self, Window};
use super::{PriorData, PriorEstimate, PriorEstimator, overlap};
use crate::statistics::check_share;
use crate::{Error, Result};

/// The settings of [`Bbe`].
///
/// ```
/// use puad::prior::BbeConfig;
///
/// let config = BbeConfig { delta: 0.05, ..BbeConfig::default() };
/// config.check()?;
/// assert_eq!(config.gamma, 0.01);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BbeConfig {
    /// The chance that the slack is too small, in (0, 1). Default: 0.1, as published.
    pub delta: f64,
    /// By how much more than the slack itself a bin has to be better, >= 0. Default: 0.01, as published.
    pub gamma: f64,
    /// The share of intervals that are meant to hold the truth, in (0, 1). Default: 0.95.
    pub level: f64,
}

impl Default for BbeConfig {
    fn default() -> Self {
        Self {
            delta: 0.1,
            gamma: 0.01,
            level: 0.95,
        }
    }
}

impl BbeConfig {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        check_share("delta", self.delta)?;
        if !(self.gamma >= 0. && self.gamma.is_finite()) {
            let rule = "non-negative and finite";
            return Err(Error::config("gamma", rule, self.gamma));
        }
        check_share("level", self.level)
    }
}

/// Best bin estimation: of all bins of the highest scores, the one whose bound on the prior is smallest.
///
/// Of a bin, the scores from a threshold up, the prior is at most `q_U / q_A`, the shares of unlabeled samples and of
/// anomalies in it. The bin that makes
/// `q_U / q_A + (1 + gamma) / q_A (sqrt(ln(4 / delta) / 2n) + sqrt(ln(4 / delta) / 2m))` smallest gives the estimate
/// `q_U / q_A`. Scores are those of a classifier that saw none of the samples.
///
/// The interval is [`Dedpul`](super::Dedpul)'s, of this bin and of smaller ones: the paper's own bound is one-sided, and wide where `alpha` is small. Nothing is drawn: the seed has no effect.
///
/// # When it fails
/// - The slack is absolute: with 20 anomalies, or for `alpha` of 1%, the bin is large, normals are in it, and the
///   estimate is too high by a point or more. For `alpha` from a quarter on it is the better of the two.
/// - Normals score as high as anomalies do: it says [`PriorDoubt::Overlap`](super::PriorDoubt::Overlap), and the
///   estimate is an upper bound.
///
/// # References
/// Garg, Wu, Smola, Balakrishnan and Lipton, Mixture proportion estimation and PU learning: a modern approach, NeurIPS
/// 2021.
///
/// ```
/// use puad::prior::{Bbe, PriorData, PriorEstimator};
///
/// // A quarter of 1000 unlabeled samples scores as the anomalies do.
/// let unlabeled = (0..1000).map(f64::from).collect();
/// let anomalies = (0..100).map(|i| 751. + 2.5 * f64::from(i)).collect();
/// let estimate = Bbe::default().estimate(&PriorData::of_scores(unlabeled, anomalies)?, 0)?;
/// assert!((estimate.alpha.get() - 0.25).abs() < 0.01);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bbe {
    config: BbeConfig,
}

impl Bbe {
    /// # Errors
    /// As [`BbeConfig::check`].
    pub fn new(config: BbeConfig) -> Result<Self> {
        config.check()?;
        Ok(Self { config })
    }

    fn best(&self, levels: &Levels) -> Window {
        let (n, m) = levels.totals;
        let deviation = |k: f64| ((4. / self.config.delta).ln() / (2. * k)).sqrt();
        let slack = (1. + self.config.gamma) * (deviation(n) + deviation(m));
        let bound = |window: &Window| (window.passed + slack) / window.share;
        let all = Window {
            share: 1.,
            passed: 1.,
        };
        // The first of equal ones: the smallest.
        bins(levels).fold(all, |best, bin| {
            if bound(&bin) < bound(&best) {
                bin
            } else {
                best
            }
        })
    }
}

impl PriorEstimator for Bbe {
    fn name(&self) -> &'static str {
        "BBE"
    }

    fn estimate(&self, data: &PriorData, _seed: u64) -> Result<PriorEstimate> {
        let levels = Levels::of(data)?;
        let best = self.best(&levels);
        let ends = bins::interval(&levels, best, self.config.level);
        let doubts = overlap::doubts(&Hull::of(&levels), levels.totals.1, best.alpha());
        windows::bounded(best.alpha(), ends, self.config.level, doubts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three levels, by hand: 100 of 10,000 unlabeled and 300 of 1000 anomalies, 200 and 300 more, the rest.
    #[test]
    fn the_bin_is_the_one_with_the_smallest_bound() {
        let scores = |counts: [usize; 3]| -> Vec<f64> {
            let groups = counts.into_iter().zip([3., 2., 1.]);
            groups
                .flat_map(|(count, score)| vec![score; count])
                .collect()
        };
        let (unlabeled, anomalies) = (scores([100, 200, 9700]), scores([300, 300, 400]));
        let data = PriorData::of_scores(unlabeled, anomalies).unwrap();
        let slack = 1.01 * ((40f64.ln() / 2e4).sqrt() + (40f64.ln() / 2e3).sqrt());
        assert!((0.03 + slack) / 0.6 < (0.01 + slack) / 0.3);
        let estimate = Bbe::default().estimate(&data, 0).unwrap();
        assert!((estimate.alpha.get() - 0.05).abs() < 1e-12, "{estimate}");
        // The smaller bin has the lower end.
        assert!(estimate.low.get() < 0.01 / 0.3, "{estimate}");
    }
}
