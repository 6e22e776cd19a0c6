use serde::{Deserialize, Serialize};

use super::hull::Hull;
use super::levels::Levels;
use super::{PriorData, PriorEstimate, PriorEstimator, bootstrap, overlap, windows};
use crate::Result;
use crate::statistics::check_share;

/// The settings of [`Menon`].
///
/// ```
/// use puad::prior::MenonConfig;
///
/// let config = MenonConfig { extreme: 0.1, ..MenonConfig::default() };
/// config.check()?;
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MenonConfig {
    /// Which quantile stands for the largest probability: the share of the labeled anomalies whose probability is
    /// larger, in (0, 1). Default: 0.25. Smaller has less normals in it, and more noise: the maximum itself is 1.
    pub extreme: f64,
    /// Resamples of the bootstrap, >= 2. Default: 200.
    pub resamples: usize,
    /// The share of intervals that are meant to hold the truth, in (0, 1). Default: 0.95.
    pub level: f64,
}

impl Default for MenonConfig {
    fn default() -> Self {
        Self {
            extreme: 0.25,
            resamples: 200,
            level: 0.95,
        }
    }
}

impl MenonConfig {
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        check_share("extreme", self.extreme)?;
        bootstrap::check_resamples(self.resamples)?;
        check_share("level", self.level)
    }
}

/// The extreme of the class probability: where there are anomalies alone, the probability that a sample is a labeled
/// one says how many unlabeled ones come with it.
///
/// With `eta`, the probability of "labeled anomaly" among both groups, and `pi = m / (m + n)`, the share of labeled
/// anomalies in them, `alpha = pi / (1 - pi) (1 - eta_max) / eta_max`. Scores become probabilities by isotonic
/// regression; `eta_max` is a quantile of them over the labeled anomalies (the maximum of a finite sample is 1).
///
/// The interval is as wide as the logarithms of estimates on resamples of both groups say.
///
/// # When it fails
/// - It reads the ratio of densities at one point: with few anomalies that is noise, mostly too low.
/// - Normals score as high as anomalies do: it says [`PriorDoubt::Overlap`](super::PriorDoubt::Overlap), and the
///   estimate is an upper bound.
///
/// # References
/// Menon, van Rooyen, Ong and Williamson, Learning from corrupted binary labels via class-probability estimation, ICML
/// 2015.
///
/// ```
/// use puad::prior::{Menon, PriorData, PriorEstimator};
///
/// // A tenth of 1000 unlabeled samples scores as the anomalies do.
/// let unlabeled = (0..1000).map(f64::from).collect();
/// let anomalies = (0..50).map(|i| 901. + 2. * f64::from(i)).collect();
/// let estimate = Menon::default().estimate(&PriorData::of_scores(unlabeled, anomalies)?, 0)?;
/// assert!((estimate.alpha.get() - 0.1).abs() < 0.01);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Menon {
    config: MenonConfig,
}

impl Menon {
    /// # Errors
    /// As [`MenonConfig::check`].
    pub fn new(config: MenonConfig) -> Result<Self> {
        config.check()?;
        Ok(Self { config })
    }

    /// In terms of the ratio of densities, `pi / (1 - pi) (1 - eta) / eta` is `f_U / f_A`; isotonic regression of the
    /// labels makes it the slope of the ROC curve's hull.
    fn alpha(&self, hull: &Hull) -> f64 {
        hull.ratio(self.config.extreme).min(1.)
    }
}

impl PriorEstimator for Menon {
    fn name(&self) -> &'static str {
        "Menon et al."
    }

    fn estimate(&self, data: &PriorData, seed: u64) -> Result<PriorEstimate> {
        let MenonConfig {
            resamples, level, ..
        } = self.config;
        let levels = Levels::of(data)?;
        let hull = Hull::of(&levels);
        let alpha = self.alpha(&hull);
        let drawn = |levels: &Levels| self.alpha(&Hull::of(levels));
        let ends = bootstrap::interval(&levels, (resamples, level), seed, drawn);
        let doubts = overlap::doubts(&hull, levels.totals.1, alpha);
        windows::bounded(alpha, ends, level, doubts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two levels: 10 of 100 unlabeled samples and 8 of 10 anomalies have the upper one, eta is 8 / 18 there.
    #[test]
    fn the_estimate_is_the_papers_formula() {
        let scores = |upper, lower| [vec![1.; upper], vec![0.; lower]].concat();
        let data = PriorData::of_scores(scores(10, 90), scores(8, 2)).unwrap();
        let (eta, pi) = (8. / 18., 10. / 110.);
        let expected = pi / (1. - pi) * (1. - eta) / eta;
        let estimate = Menon::default().estimate(&data, 0).unwrap();
        assert!(
            (estimate.alpha.get() - expected).abs() < 1e-12,
            "{estimate}"
        );
    }
}
