use candle_core::cpu::erf::erf_inv;

use super::{ClassPrior, PriorDoubt, PriorEstimate};
use crate::Result;

/// Shares of the anomalies that the windows of an estimate hold, the largest first. Normals are rarest where
/// scores are highest, so that a smaller window has less of them, and more noise.
const SHARES: [f64; 6] = [0.9, 0.75, HALF, 0.35, 0.25, 0.15];

/// The smallest share of a window that is used whatever the number of anomalies.
pub(super) const HALF: f64 = 0.5;

/// Labeled anomalies that a smaller window holds at least: with fewer its ratio is noise.
const LEAST: f64 = 5.;

/// What another classifier, of the same rows in other folds, adds to the squared error of `ln alpha`, in units of
/// `1 / m`: measured, beside the binomial terms, by the coverage of intervals from 20 labeled anomalies.
const CLASSIFIER: f64 = 0.5;

/// The scores from a threshold up. `alpha` is at most the ratio of the shares in it, and equals it where it has
/// no normals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    /// The share of the anomalies that it holds, in (0, 1].
    pub(super) share: f64,
    /// The share of the unlabeled samples that it holds, in [0, 1].
    pub(super) passed: f64,
}

impl Window {
    pub(super) fn alpha(&self) -> f64 {
        (self.passed / self.share).min(1.)
    }

    /// `ln alpha` and its standard error by the binomial counts behind it, for `n` unlabeled samples and `m`
    /// anomalies. Half a sample is added to the unlabeled ones, so that none is uncertain rather than certain.
    pub(super) fn log_alpha(&self, (n, m): (f64, f64)) -> (f64, f64) {
        let count = n * self.passed + 0.5;
        let unlabeled = (1. - self.passed).max(0.) / count;
        let anomalous = (1. - self.share) / (self.share * m);
        (
            (count / n / self.share).ln(),
            (unlabeled + anomalous).sqrt(),
        )
    }
}

/// Which of [`SHARES`] `m` anomalies fill.
pub(super) fn usable(m: f64) -> impl Iterator<Item = f64> {
    let fills = move |share: &f64| *share >= HALF || share * m >= LEAST;
    SHARES.into_iter().filter(fills)
}

/// The interval that `windows` leave an estimate from the window `chosen`: from the lowest of their lower ends, since
/// normals in the larger ones only raise a ratio, to the upper end of the chosen one. Where that holds fewer than half
/// of the anomalies it may have been chosen for its luck: then at least to the upper end of `half`, which holds half.
pub(super) fn interval(
    chosen: Window,
    half: Window,
    windows: &[Window],
    totals: (f64, f64),
    level: f64,
) -> (f64, f64) {
    let z = normal_quantile(level);
    let end = |window: &Window, z: f64| {
        let (center, error) = window.log_alpha(totals);
        let error = (error * error + CLASSIFIER / totals.1).sqrt();
        (center + z * error).exp()
    };
    let low = windows.iter().map(|window| end(window, -z));
    let high = end(&chosen, z);
    (
        low.fold(end(&chosen, -z), f64::min),
        if chosen.share < HALF {
            high.max(end(&half, z))
        } else {
            high
        },
    )
}

/// The estimate in its interval, all in [0, 1].
pub(super) fn bounded(
    alpha: f64,
    (low, high): (f64, f64),
    level: f64,
    doubts: Vec<PriorDoubt>,
) -> Result<PriorEstimate> {
    Ok(PriorEstimate {
        alpha: ClassPrior::new(alpha)?,
        low: ClassPrior::new(low.min(alpha).max(0.))?,
        high: ClassPrior::new(high.max(alpha).min(1.))?,
        level,
        doubts,
    })
}

/// A normal variable lies within so many standard deviations with probability `level`.
pub(super) fn normal_quantile(level: f64) -> f64 {
    std::f64::consts::SQRT_2 * erf_inv(level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn the_normal_quantile_is_the_tables() {
        for (level, z) in [(0.95, 1.959_964), (0.5, 0.674_490), (0.999, 3.290_527)] {
            assert_relative_eq!(normal_quantile(level), z, epsilon = 1e-5);
        }
    }

    #[test]
    fn a_windows_error_is_the_delta_methods() {
        let window = Window {
            share: 0.5,
            passed: 0.02,
        };
        let (center, error) = window.log_alpha((1e6, 100.));
        assert_relative_eq!(center, 0.04f64.ln(), epsilon = 1e-4);
        let squared: f64 = 0.98 / 2e4 + 0.5 / 50.;
        assert_relative_eq!(error, squared.sqrt(), max_relative = 1e-4);
    }

    #[test]
    fn few_anomalies_have_no_small_windows() {
        assert_eq!(usable(1.).collect::<Vec<_>>(), [0.9, 0.75, 0.5]);
        assert_eq!(usable(20.).collect::<Vec<_>>(), SHARES[..5]);
        assert_eq!(usable(100.).collect::<Vec<_>>(), SHARES);
    }

    #[test]
    fn the_interval_goes_from_the_lowest_window_to_the_chosen_ones_upper_end() {
        let half = Window {
            share: 0.5,
            passed: 0.05,
        };
        let small = Window {
            share: 0.1,
            passed: 0.001,
        };
        let totals = (1000., 100.);
        let ends = |chosen, windows: &[Window]| interval(chosen, half, windows, totals, 0.95);
        let (alone, both) = (ends(half, &[]), ends(half, &[small]));
        assert_eq!(alone.1, both.1);
        assert!(both.0 < alone.0 && alone.0 < 0.1 && 0.1 < alone.1);
        assert_eq!(ends(small, &[]).1, alone.1);
    }
}
