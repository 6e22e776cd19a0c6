use std::fmt;

use serde::{Deserialize, Serialize};

use super::estimate::percent;
use crate::statistics::midway;

/// How many alarms there may be.
///
/// ```
/// use puad::report::Budget;
///
/// let budget = Budget::Daily { alarms: 50., rows: 20_000. };
/// assert_eq!(budget.rate(), Some(0.0025));
/// assert_eq!(budget.to_string(), "50 of 20000 a day");
/// assert_eq!(Budget::Rate { rate: 0.001 }.to_string(), "0.1%");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Budget {
    /// So many a day.
    Daily {
        /// Alarms a day, > 0.
        alarms: f64,
        /// Rows scored a day, > 0.
        rows: f64,
    },
    /// A share of rows.
    Rate {
        /// In (0, 1).
        rate: f64,
    },
    /// As many as there are above a given score, the detector's own threshold.
    Threshold {
        /// It.
        score: f64,
    },
}

impl Budget {
    /// The largest share of rows that may be alarms; `None` where the threshold is given.
    pub fn rate(&self) -> Option<f64> {
        match self {
            Self::Daily { alarms, rows } => Some(alarms / rows),
            Self::Rate { rate } => Some(*rate),
            Self::Threshold { .. } => None,
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily { alarms, rows } => {
                // To the tenth: a mean over days is no whole number.
                let tenths = |count: f64| (10. * count).round() / 10.;
                write!(f, "{} of {} a day", tenths(*alarms), tenths(*rows))
            }
            Self::Rate { rate } => write!(f, "{}%", percent(*rate)),
            Self::Threshold { .. } => write!(f, "current threshold"),
        }
    }
}

/// What held-out rows can say of a budget.
///
/// ```
/// use puad::report::Support;
///
/// let support = Support::TooFewRows { needed: 1000 };
/// assert!(!support.is_estimate());
/// assert_eq!(support.to_string(), "no estimate: needs 1000 held-out unlabeled rows for one alarm");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Support {
    /// Ten held-out unlabeled rows or more are above the threshold.
    Enough,
    /// Fewer than ten are: the estimates are rough, as their intervals say.
    FewAlarms,
    /// With this class prior more anomalies would score above the threshold than there are samples, beyond what chance
    /// explains ([`ReportDoubt::PriorTooLarge`](super::ReportDoubt)): there is no precision and no false-positive rate.
    Contradicted,
    /// No labeled anomaly is above, and too few to tell from none: there is no precision to estimate.
    NoLabel,
    /// The given threshold has none above it: there is no precision to estimate.
    NoAlarm,
    /// The budget comes to less than one of them: there is no estimate.
    TooFewRows {
        /// How many would give one alarm.
        needed: usize,
    },
    /// The highest scores are equal, and more than the budget allows: there is no estimate.
    Ties {
        /// How many are.
        tied: usize,
    },
    /// The budget allows every row: there is no threshold to choose.
    EveryRow,
}

impl Support {
    /// Whether there is a threshold, and an estimate of what happens at it.
    pub fn is_estimate(&self) -> bool {
        matches!(
            self,
            Self::Enough | Self::FewAlarms | Self::Contradicted | Self::NoLabel | Self::NoAlarm
        )
    }
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enough => Ok(()),
            Self::FewAlarms => write!(f, "rough: fewer than ten held-out alarms"),
            Self::Contradicted => write!(f, "no precision: the class prior contradicts the scores"),
            Self::NoLabel => write!(f, "no labeled anomaly is above, so no precision"),
            Self::NoAlarm => write!(f, "no held-out alarm, so no precision"),
            Self::TooFewRows { needed } => write!(
                f,
                "no estimate: needs {needed} held-out unlabeled rows for one alarm"
            ),
            Self::Ties { tied } => write!(
                f,
                "no estimate: the {tied} highest scores are equal, and more than the budget"
            ),
            Self::EveryRow => write!(f, "every row can be looked at"),
        }
    }
}

/// Alarms below which an estimate is rough.
const FEW: usize = 10;

/// The threshold that a budget comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    pub(super) support: Support,
    /// Scores above it are alarms.
    pub(super) threshold: Option<f64>,
    /// Held-out unlabeled scores above it.
    pub(super) alarms: usize,
}

impl Cut {
    /// By ascending scores of unlabeled samples, not empty. The threshold of a share lies midway between the
    /// lowest alarm and what comes next below.
    pub(super) fn new(budget: &Budget, unlabeled: &[f64]) -> Self {
        let n = unlabeled.len();
        let rate = match *budget {
            Budget::Threshold { score } => return Self::at(score, unlabeled),
            Budget::Daily { alarms, rows } => alarms / rows,
            Budget::Rate { rate } => rate,
        };
        let none = |support| Self {
            support,
            threshold: None,
            alarms: 0,
        };
        // Without the noise of the product, which would take a row away.
        let most = (rate * n as f64 + 1e-9).floor() as usize;
        if rate >= 1. || most >= n {
            return none(Support::EveryRow);
        }
        if most == 0 {
            let needed = (1. / rate - 1e-9).ceil() as usize;
            return none(Support::TooFewRows { needed });
        }
        // The highest score that is no alarm any more: its equals are none either.
        let next = unlabeled[n - most - 1];
        let below = unlabeled.partition_point(|&score| score <= next);
        if below == n {
            let tied = n - unlabeled.partition_point(|&score| score < next);
            return none(Support::Ties { tied });
        }
        Self::at(midway(next, unlabeled[below]), unlabeled)
    }

    fn at(threshold: f64, unlabeled: &[f64]) -> Self {
        let alarms = unlabeled.len() - unlabeled.partition_point(|&score| score <= threshold);
        let support = match alarms {
            0 => Support::NoAlarm,
            1..FEW => Support::FewAlarms,
            _ => Support::Enough,
        };
        Self {
            support,
            threshold: Some(threshold),
            alarms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at_rate(rate: f64, unlabeled: &[f64]) -> Cut {
        Cut::new(&Budget::Rate { rate }, unlabeled)
    }

    #[test]
    fn thresholds_lie_midway_and_never_exceed_the_budget() {
        let scores: Vec<f64> = (0..100).map(f64::from).collect();
        let cut = at_rate(0.05, &scores);
        assert_eq!(
            (cut.threshold, cut.alarms, cut.support),
            (Some(94.5), 5, Support::FewAlarms)
        );
        let cut = at_rate(0.29, &scores);
        assert_eq!(
            (cut.threshold, cut.alarms, cut.support),
            (Some(70.5), 29, Support::Enough)
        );
        assert_eq!(
            at_rate(0.009, &scores).support,
            Support::TooFewRows { needed: 112 }
        );
        assert_eq!(at_rate(0.01, &scores).alarms, 1);
        let day = Budget::Daily {
            alarms: 50.,
            rows: 40.,
        };
        assert_eq!(Cut::new(&day, &scores).support, Support::EveryRow);
        assert_eq!(at_rate(1. - 1e-12, &scores).support, Support::EveryRow);
    }

    #[test]
    fn equal_scores_are_decided_together() {
        // Two of the five highest are above three equal ones: a budget of four flags two.
        let scores = [0., 0., 0., 0., 0., 3., 3., 3., 4., 5.];
        let cut = at_rate(0.4, &scores);
        assert_eq!((cut.threshold, cut.alarms), (Some(3.5), 2));
        assert_eq!(at_rate(0.5, &scores).alarms, 5);
        assert_eq!(at_rate(0.5, &[1.; 8]).support, Support::Ties { tied: 8 });
    }

    #[test]
    fn extreme_scores_have_a_middle() {
        let cut = at_rate(0.5, &[-f64::MAX, f64::MAX]);
        assert_eq!((cut.threshold, cut.alarms), (Some(0.), 1));
        let cut = at_rate(0.5, &[1., 1f64.next_up()]);
        assert_eq!(cut.alarms, 1);
        let cut = at_rate(0.5, &[0., f64::from_bits(1)]);
        assert_eq!(cut.alarms, 1);
    }

    #[test]
    fn a_given_threshold_is_kept() {
        let cut = Cut::new(&Budget::Threshold { score: 7. }, &[1., 7., 8.]);
        assert_eq!((cut.threshold, cut.alarms), (Some(7.), 1));
        let cut = Cut::new(&Budget::Threshold { score: 9. }, &[1., 7., 8.]);
        assert_eq!((cut.alarms, cut.support), (0, Support::NoAlarm));
    }

    proptest! {
        #[test]
        fn more_budget_never_means_fewer_alarms(
            mut scores in prop::collection::vec((-6i32..6).prop_map(f64::from), 1..60),
            a in 0.001f64..0.999, b in 0.001f64..0.999,
        ) {
            scores.sort_by(f64::total_cmp);
            let (low, high) = (at_rate(a.min(b), &scores), at_rate(a.max(b), &scores));
            prop_assert!(low.alarms <= high.alarms);
            for (cut, rate) in [(low, a.min(b)), (high, a.max(b))] {
                prop_assert!(cut.alarms as f64 <= rate * scores.len() as f64 + 1e-6);
                prop_assert_eq!(cut.threshold.is_some(), cut.support.is_estimate());
                prop_assert!(cut.threshold.is_none() || cut.alarms > 0);
            }
        }
    }
}
