use serde::{Deserialize, Serialize};

use super::Input;
use crate::{ClassPrior, Error, Result};

/// How the score is chosen above which a sample counts as an anomaly.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::{IntoInput, Threshold};
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
/// let mut config = FitConfig::default();
/// config.train.epochs = 2;
/// let mut detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
///
/// detector.set_threshold(Threshold::Quantile(0.95))?;
/// // Normals that were not trained on.
/// let normals = (&toy::generate(&ToyConfig::default(), 1)?.normals).into_input()?;
/// detector.set_threshold(Threshold::FalsePositiveRate { rate: 0.05, normals })?;
/// detector.set_threshold(Threshold::Value(1.5))?;
/// assert_eq!(detector.threshold(), 1.5);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Threshold {
    /// The `1 - alpha` quantile of the validation part's unlabeled scores: the share of anomalies
    /// that the class prior claims. The default.
    Contamination,
    /// This quantile of them, in [0, 1], interpolated linearly as numpy's default. Scores that lie on it
    /// are decided together: they are flagged where that brings the flagged share nearer to one minus the
    /// quantile, or as near, and the threshold then lies midway to the next lower score.
    Quantile(f64),
    /// At most this share of false alarms on new normals like the given ones, which took no part in
    /// training: the `ceil((n + 1)(1 - rate))`-th smallest of their scores, whose false-positive
    /// rate is at most `rate` in expectation over the draw of these normals (split conformal
    /// prediction). Scores that lie on it are not flagged, which would exceed the rate. Needs
    /// `n >= 1 / rate - 1`.
    FalsePositiveRate {
        /// In (0, 1).
        rate: f64,
        /// Normals that were not trained on.
        normals: Input,
    },
    /// This score.
    Value(f64),
}

/// What a detector's threshold was set by.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::{Threshold, ThresholdRule};
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
/// let mut config = FitConfig::default();
/// config.train.epochs = 2;
///
/// let mut detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
/// // The default is the class prior's quantile.
/// assert_eq!(detector.threshold_rule(), ThresholdRule::Quantile { quantile: 0.9 });
/// detector.set_threshold(Threshold::Value(2.))?;
/// assert_eq!(detector.threshold_rule(), ThresholdRule::Value);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ThresholdRule {
    /// A quantile of the validation part's unlabeled scores.
    Quantile {
        /// In [0, 1].
        quantile: f64,
    },
    /// A false-positive rate on normals.
    FalsePositiveRate {
        /// In (0, 1).
        rate: f64,
        /// Their number.
        normals: usize,
    },
    /// A given score.
    Value,
}

impl Threshold {
    /// The score and what it was set by; `unlabeled` is sorted.
    pub(super) fn resolve(
        self,
        unlabeled: &[f64],
        prior: ClassPrior,
        score: impl FnOnce(Input) -> Result<Vec<f64>>,
    ) -> Result<(f64, ThresholdRule)> {
        let by_quantile = |quantile: f64| {
            let rule = ThresholdRule::Quantile { quantile };
            Ok((at_quantile(unlabeled, quantile), rule))
        };
        match self {
            Self::Contamination => by_quantile(1. - prior.get()),
            Self::Quantile(q) if (0. ..=1.).contains(&q) => by_quantile(q),
            Self::Quantile(q) => Err(Error::config("quantile", "in [0, 1]", q)),
            Self::FalsePositiveRate { rate, normals } => {
                if !(rate > 0. && rate < 1.) {
                    return Err(Error::config("rate", "strictly between 0 and 1", rate));
                }
                let scores = score(normals)?;
                let normals = scores.len();
                let rule = ThresholdRule::FalsePositiveRate { rate, normals };
                Ok((conformal(scores, rate)?, rule))
            }
            Self::Value(value) if value.is_nan() => {
                Err(Error::config("threshold", "a number", value))
            }
            Self::Value(value) => Ok((value, ThresholdRule::Value)),
        }
    }
}

/// The threshold that flags a share of `sorted`, which is not empty, nearest to `1 - q`.
fn at_quantile(sorted: &[f64], q: f64) -> f64 {
    let quantile = interpolate(sorted, q);
    let below = sorted.partition_point(|&s| s < quantile);
    let tied = sorted[below..].partition_point(|&s| s <= quantile);
    let above = sorted.len() - below - tied;
    // Compared without the noise of 1 - q, which would decide a draw.
    let nearer = 2. * (1. - q) * sorted.len() as f64 >= (2 * above + tied) as f64 - 1e-9;
    match below {
        _ if tied == 0 || !nearer => quantile,
        0 => quantile.next_down(),
        _ => midway(sorted[below - 1], quantile),
    }
}

/// A number in [low, high), far from both where there is room: another device rounds scores otherwise.
fn midway(low: f64, high: f64) -> f64 {
    let middle = low + (high - low) / 2.;
    if middle < high { middle } else { low }
}

/// The quantile `q` of `sorted`, which is not empty.
fn interpolate(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor();
    let (low, high) = (sorted[below as usize], sorted[position.ceil() as usize]);
    low + (high - low) * (position - below)
}

fn conformal(mut scores: Vec<f64>, rate: f64) -> Result<f64> {
    let n = scores.len();
    // Rounded against the noise of 1 - rate, or (n + 1)(1 - 0.1) could be a whole number plus 1e-15.
    let rank = ((n + 1) as f64 * (1. - rate) - 1e-9).ceil().max(1.) as usize;
    if rank > n {
        return Err(Error::config("normals", "at least 1 / rate - 1", n));
    }
    scores.sort_unstable_by(f64::total_cmp);
    Ok(scores[rank - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use proptest::prelude::*;

    fn resolve(
        threshold: Threshold,
        alpha: f64,
        normals: Vec<f64>,
    ) -> Result<(f64, ThresholdRule)> {
        let unlabeled: Vec<f64> = (0..=10).map(f64::from).collect();
        threshold.resolve(&unlabeled, ClassPrior::new(alpha)?, |_| Ok(normals))
    }

    fn rate(rate: f64) -> Threshold {
        let normals = Tensor::zeros((1, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
        Threshold::FalsePositiveRate {
            rate,
            normals: crate::data::Samples::from(normals).into(),
        }
    }

    #[test]
    fn quantiles_are_numpy_s() {
        // np.quantile(np.arange(11), [0, .25, .9, .97, 1]) -> 0, 2.5, 9, 9.7, 10
        for (q, expected) in [(0., 0.), (0.25, 2.5), (0.9, 9.), (0.97, 9.7), (1., 10.)] {
            let (value, rule) = resolve(Threshold::Quantile(q), 0.1, vec![]).unwrap();
            assert!((value - expected).abs() < 1e-12, "{q}: {value}");
            assert_eq!(rule, ThresholdRule::Quantile { quantile: q });
        }
        for (alpha, expected) in [(0., 10.), (0.1, 9.), (1., 0.)] {
            let (value, _) = resolve(Threshold::Contamination, alpha, vec![]).unwrap();
            assert!((value - expected).abs() < 1e-12);
        }
        assert_eq!(interpolate(&[3.], 0.7), 3.);
    }

    /// `counts[i]` scores of the value `i`, and how many of the highest are flagged.
    fn flagged(counts: &[usize], q: f64) -> usize {
        let value = |(i, &n): (usize, &usize)| vec![i as f64; n];
        let sorted: Vec<f64> = counts.iter().enumerate().flat_map(value).collect();
        let threshold = at_quantile(&sorted, q);
        sorted.iter().filter(|s| **s > threshold).count()
    }

    #[test]
    fn equal_scores_are_flagged_where_that_is_nearer_to_the_share() {
        // Of a hundred, ten are asked for.
        assert_eq!(flagged(&[88, 12], 0.9), 12);
        assert_eq!(flagged(&[80, 20], 0.9), 20, "a draw");
        assert_eq!(flagged(&[79, 21], 0.9), 0);
        assert_eq!(flagged(&[80, 15, 5], 0.9), 5);
        assert_eq!(flagged(&[84, 11, 5], 0.9), 5);
        assert_eq!(flagged(&[86, 9, 5], 0.9), 14);
        assert_eq!(flagged(&[85, 10, 5], 0.9), 15, "a draw");
        assert_eq!(flagged(&[90, 10], 0.9), 10);
        assert_eq!(flagged(&[100], 0.9), 0);
        assert_eq!(flagged(&[100], 0.5), 100, "a draw");
        assert_eq!(flagged(&[1, 1, 1], 0.), 3);
        assert_eq!(flagged(&[1, 1, 1], 1.), 0);
        // With room on both sides, but never above the next lower score.
        assert_eq!(at_quantile(&[0., 0., 0., 0., 8., 8.], 0.8), 4.);
        let next = 1f64.next_up();
        assert_eq!(at_quantile(&[1., 1., next, next], 0.7), 1.);
    }

    #[test]
    fn equal_scores_are_not_flagged_where_they_exceed_the_rate() {
        let normals = [vec![0.; 90], vec![1.; 10]].concat();
        let (value, _) = resolve(rate(0.05), 0.1, normals).unwrap();
        assert_eq!(value, 1.);
    }

    #[test]
    fn false_positive_rates_need_enough_normals() {
        let normals = |n: usize| (0..n).rev().map(|i| i as f64).collect();
        // n = 19: rank ceil(20 * 0.95) = 19, the largest.
        let (value, rule) = resolve(rate(0.05), 0.1, normals(19)).unwrap();
        assert_eq!(value, 18.);
        assert_eq!(
            rule,
            ThresholdRule::FalsePositiveRate {
                rate: 0.05,
                normals: 19
            }
        );
        // n = 9 at 10%: rank 9 of 9.
        assert_eq!(resolve(rate(0.1), 0.1, normals(9)).unwrap().0, 8.);
        for (r, n) in [(0.05, 18), (0.1, 8), (0.5, 0)] {
            let err = resolve(rate(r), 0.1, normals(n)).unwrap_err();
            assert!(
                matches!(
                    err,
                    Error::Config {
                        name: "normals",
                        ..
                    }
                ),
                "{err}"
            );
        }
    }

    #[test]
    fn numbers_outside_their_range_are_errors() {
        for (threshold, expected) in [
            (Threshold::Quantile(-0.1), "quantile"),
            (Threshold::Quantile(f64::NAN), "quantile"),
            (rate(0.), "rate"),
            (rate(1.), "rate"),
            (rate(f64::NAN), "rate"),
            (Threshold::Value(f64::NAN), "threshold"),
        ] {
            let err = resolve(threshold, 0.1, vec![1.; 50]).unwrap_err();
            assert!(
                matches!(err, Error::Config { name, .. } if name == expected),
                "{err}"
            );
        }
        let (value, rule) = resolve(Threshold::Value(f64::INFINITY), 0.1, vec![]).unwrap();
        assert_eq!((value, rule), (f64::INFINITY, ThresholdRule::Value));
    }

    proptest! {
        #[test]
        fn no_other_cut_flags_a_share_nearer_by_more_than_a_score(
            counts in proptest::collection::vec(1usize..20, 1..20), q in 0.0..=1.0f64,
        ) {
            let n: usize = counts.iter().sum();
            let off = |flagged: usize| (flagged as f64 - (1. - q) * n as f64).abs();
            let best = (0..=counts.len()).map(|cut| off(counts[cut..].iter().sum()));
            let best = best.fold(f64::INFINITY, f64::min);
            prop_assert!(off(flagged(&counts, q)) <= best + 1.);
        }

        #[test]
        fn no_more_normals_are_above_than_the_rate_allows(
            scores in proptest::collection::vec(-5i32..5, 1..200), r in 0.01..0.99f64,
        ) {
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            if let Ok(t) = conformal(scores.clone(), r) {
                let above = scores.iter().filter(|s| **s > t).count();
                prop_assert!(above as f64 <= r * (scores.len() + 1) as f64 + 1e-6);
            } else {
                prop_assert!((scores.len() as f64) < 1. / r - 1. + 1e-6);
            }
        }
    }
}
