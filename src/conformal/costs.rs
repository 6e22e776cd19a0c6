use serde::{Deserialize, Serialize};

use super::levels::{check_groups, levels};
use crate::{ClassPrior, Error, Result};

/// What a false alarm and a missed anomaly cost, in one unit.
///
/// With normals `N`, anomalies `A` and their mixture `U`, a threshold `t` costs a row on average
///
/// ```text
/// c_f (1 - alpha) P_N(s > t) + c_m alpha P_A(s <= t)
///     = c_f (P_U(s > t) - alpha P_A(s > t)) + c_m alpha (1 - P_A(s > t))
/// ```
///
/// It is least where an alarm is raised if the probability that a row is an anomaly exceeds
/// `c_f / (c_f + c_m)`, [`probability`](Self::probability) (Elkan, The foundations of cost-sensitive learning, IJCAI
/// 2001). Assumed: `alpha`, and anomalies that score as those among the unlabeled rows do.
///
/// ```
/// use puad::ClassPrior;
/// use puad::conformal::Costs;
///
/// let unlabeled: Vec<f64> = (0..100).map(f64::from).collect();
/// let costs = Costs { false_alarm: 1., missed: 20. };
/// let (threshold, cost) = costs.least(&unlabeled, &[91., 93., 97., 99.], ClassPrior::new(0.04)?)?;
/// assert_eq!(threshold, 90.); // nine alarms, of which four are right
/// assert!((cost - 0.05).abs() < 1e-12);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Of an alarm about a normal, > 0.
    pub false_alarm: f64,
    /// Of an anomaly without an alarm, > 0.
    pub missed: f64,
}

impl Costs {
    /// The probability of an anomaly from which on an alarm costs less than none.
    ///
    /// # Errors
    /// [`Error::Config`] for a cost that is not positive and finite.
    pub fn probability(&self) -> Result<f64> {
        for (name, cost) in [("false_alarm", self.false_alarm), ("missed", self.missed)] {
            if !(cost > 0. && cost.is_finite()) {
                return Err(Error::config(name, "positive and finite", cost));
            }
        }
        Ok(self.false_alarm / (self.false_alarm + self.missed))
    }

    /// The estimated cost of a threshold, on average a row, from scores of unlabeled rows and of anomalies. False alarms
    /// count at least as none, where the estimate of their number is negative.
    ///
    /// # Errors
    /// As [`probability`](Self::probability); [`Error::EmptyGroup`] without scores of a group, [`Error::Config`] for a
    /// score or threshold that is NaN.
    pub fn expected(
        &self,
        threshold: f64,
        unlabeled: &[f64],
        anomalies: &[f64],
        prior: ClassPrior,
    ) -> Result<f64> {
        self.probability()?;
        check_groups("an expected cost", unlabeled, anomalies)?;
        if threshold.is_nan() {
            return Err(Error::config("threshold", "a number", threshold));
        }
        let above = |scores: &[f64]| {
            let above = scores.iter().filter(|score| **score > threshold).count();
            above as f64 / scores.len() as f64
        };
        let alpha = prior.get();
        let found = alpha * above(anomalies);
        let false_alarms = (above(unlabeled) - found).max(0.);
        Ok(self.false_alarm * false_alarms + self.missed * (alpha - found))
    }

    /// The threshold of the least estimated cost, and [`expected`](Self::expected) of it: the highest of those that cost
    /// as little, and minus infinity where all rows are to be alarms.
    ///
    /// On the same scores its alarms are those of an isotonic
    /// [`Calibration`](crate::estimator::Calibration) whose probability exceeds [`probability`](Self::probability). Being
    /// the least of many, the cost is estimated too low, and with a hundred anomalies or fewer the threshold is drawn to
    /// where these few happen to lie: a logistic calibration costs less then.
    ///
    /// # Errors
    /// As [`expected`](Self::expected).
    pub fn least(
        &self,
        unlabeled: &[f64],
        anomalies: &[f64],
        prior: ClassPrior,
    ) -> Result<(f64, f64)> {
        self.probability()?;
        check_groups("an expected cost", unlabeled, anomalies)?;
        let (n, m) = (unlabeled.len() as f64, anomalies.len() as f64);
        let gain = |u: usize, a: usize| {
            let (of_u, of_a) = (u as f64 / n, prior.get() * a as f64 / m);
            (self.false_alarm + self.missed) * of_a - self.false_alarm * of_u
        };
        let levels = levels(unlabeled, anomalies);
        let mut best = (levels[0].score, gain(0, 0));
        for (i, level) in levels.iter().enumerate() {
            let below = levels
                .get(i + 1)
                .map_or(f64::NEG_INFINITY, |next| next.score);
            let gain = gain(level.unlabeled, level.anomalies);
            // By more than rounding.
            if gain > best.1 + 1e-12 * (self.false_alarm + self.missed) {
                best = (below, gain);
            }
        }
        let cost = self.expected(best.0, unlabeled, anomalies, prior)?;
        Ok((best.0, cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prior(alpha: f64) -> ClassPrior {
        ClassPrior::new(alpha).unwrap()
    }

    #[test]
    fn extremes() {
        let (u, a) = ([1., 2., 3.], [2.5, 4.]);
        let least = |false_alarm, missed, alpha| {
            let costs = Costs {
                false_alarm,
                missed,
            };
            costs.least(&u, &a, prior(alpha)).unwrap()
        };
        assert_eq!(least(1., 1e9, 0.5).0, 2., "all anomalies");
        assert_eq!(least(1., 1e9, 0.), (4., 0.), "no anomalies, no alarm");
        let costs = Costs {
            false_alarm: 1.,
            missed: 1.,
        };
        let all = costs.least(&a, &a, prior(1.)).unwrap();
        assert_eq!(all, (f64::NEG_INFINITY, 0.), "no normals, all are alarms");
        let infinite = [f64::NEG_INFINITY, f64::INFINITY];
        let costs = Costs {
            false_alarm: 1.,
            missed: 9.,
        };
        let (t, _) = costs
            .least(&infinite, &[f64::INFINITY], prior(0.5))
            .unwrap();
        assert_eq!(t, f64::NEG_INFINITY, "all that is above it");
    }

    #[test]
    fn wrong_numbers_are_errors() {
        let told = |false_alarm, missed| {
            Costs {
                false_alarm,
                missed,
            }
            .probability()
            .unwrap_err()
            .to_string()
        };
        assert_eq!(
            told(0., 1.),
            "false_alarm must be positive and finite, got 0"
        );
        assert_eq!(
            told(1., f64::INFINITY),
            "missed must be positive and finite, got inf"
        );
        let costs = Costs {
            false_alarm: 1.,
            missed: 3.,
        };
        assert_eq!(costs.probability().unwrap(), 0.25);
        assert!(costs.least(&[], &[1.], prior(0.1)).is_err());
        assert!(costs.least(&[1.], &[], prior(0.1)).is_err());
        assert!(costs.least(&[f64::NAN], &[1.], prior(0.1)).is_err());
        assert!(costs.expected(f64::NAN, &[1.], &[1.], prior(0.1)).is_err());
    }

    proptest! {
        #[test]
        fn no_threshold_costs_less(
            unlabeled in proptest::collection::vec(-9i32..9, 1..60),
            anomalies in proptest::collection::vec(-9i32..12, 1..20),
            alpha in 0.0..=1.0f64, missed in 0.1..50.0f64,
        ) {
            let scores = |v: &[i32]| v.iter().copied().map(f64::from).collect::<Vec<_>>();
            let (u, a) = (scores(&unlabeled), scores(&anomalies));
            let costs = Costs { false_alarm: 1., missed };
            let plain = |t: f64| {
                let above = |s: &[f64]| s.iter().filter(|s| **s > t).count() as f64 / s.len() as f64;
                above(&u) - alpha * above(&a) + missed * alpha * (1. - above(&a))
            };
            let (t, _) = costs.least(&u, &a, prior(alpha)).unwrap();
            let all = (-10..13).map(|t| plain(t.into())).fold(plain(f64::NEG_INFINITY), f64::min);
            prop_assert!(plain(t) <= all + 1e-9, "{} {}", plain(t), all);
        }
    }
}
