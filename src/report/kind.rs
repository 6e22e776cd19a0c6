use serde::{Deserialize, Serialize};

use super::budget::Cut;
use super::held_out::sorted;
use super::proportion::proportion;
use super::{Budget, Estimate, Support};
use crate::Result;
use crate::statistics::check_share;

/// Scores by a detector whose training never saw the anomalies of a kind.
///
/// See [`KindRecall::new`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindScores<'a> {
    /// The kind's name.
    pub kind: &'a str,
    /// That detector's scores of unlabeled samples that it was not trained on, in any order.
    pub unlabeled: &'a [f64],
    /// Its scores of the kind's anomalies, in any order.
    pub anomalies: &'a [f64],
}

/// How many anomalies of a kind are found by a detector whose training never saw one labeled: leave one kind out.
///
/// It says what to expect of kinds that nobody has labeled yet, as far as the labeled kinds are like them. The
/// threshold of each budget is that of the detector that never saw the kind, by its own unlabeled scores; among
/// these are what anomalies of the kind the unlabeled data hold.
///
/// ```
/// use puad::report::{Budget, KindRecall, KindScores};
///
/// let unlabeled: Vec<f64> = (0..100).map(f64::from).collect();
/// let scores = KindScores { kind: "stolen card", unlabeled: &unlabeled, anomalies: &[97., 99.5, 12., 98.] };
/// let recall = KindRecall::new(&scores, &[Budget::Rate { rate: 0.05 }], 0.95)?;
/// let found = recall.at[0].recall.unwrap();
/// assert_eq!(found.value, 0.75);
/// assert!(found.low < 0.2 && found.high > 0.99); // of four
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRecall {
    /// The kind's name.
    pub kind: String,
    /// Number of its anomalies.
    pub anomalies: usize,
    /// Number of unlabeled samples that the thresholds are made of.
    pub unlabeled: usize,
    /// By budget.
    pub at: Vec<RecallAtBudget>,
}

/// How many anomalies of a kind score above a budget's threshold.
///
/// See [`KindRecall`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecallAtBudget {
    /// The budget.
    pub budget: Budget,
    /// What the unlabeled samples can say of it.
    pub support: Support,
    /// Above it a sample is flagged, by the detector that never saw the kind.
    pub threshold: Option<f64>,
    /// The share of the kind's anomalies that is flagged, with the interval of Clopper and Pearson.
    pub recall: Option<Estimate>,
}

impl KindRecall {
    /// The recall at each budget; a budget that is a threshold is left out, since another detector has other scores.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`](crate::Error::EmptyGroup) without scores of one group,
    /// [`Error::NonFiniteValue`](crate::Error::NonFiniteValue) for one that is NaN or infinite,
    /// [`Error::Config`](crate::Error::Config) for a level outside (0, 1).
    pub fn new(scores: &KindScores<'_>, budgets: &[Budget], level: f64) -> Result<Self> {
        check_share("level", level)?;
        let unlabeled = sorted("unlabeled", "unlabeled scores", scores.unlabeled)?;
        let anomalies = sorted("anomalous", "anomaly scores", scores.anomalies)?;
        let at = |budget: &Budget| {
            let cut = Cut::new(budget, &unlabeled);
            let n = anomalies.len();
            let recall = cut.threshold.map(|threshold| {
                let missed = anomalies.partition_point(|&score| score <= threshold);
                proportion(n - missed, n, level)
            });
            RecallAtBudget {
                budget: *budget,
                support: cut.support,
                threshold: cut.threshold,
                recall,
            }
        };
        let rates = budgets.iter().filter(|budget| budget.rate().is_some());
        Ok(Self {
            kind: scores.kind.into(),
            anomalies: anomalies.len(),
            unlabeled: unlabeled.len(),
            at: rates.map(at).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn a_kind_is_counted_by_its_own_detector() -> Result<()> {
        let unlabeled: Vec<f64> = (0..200).map(f64::from).collect();
        let scores = KindScores {
            kind: "a",
            unlabeled: &unlabeled,
            anomalies: &[500., 199., 3.],
        };
        let budgets = [
            Budget::Threshold { score: 1. },
            Budget::Rate { rate: 0.001 },
            Budget::Daily {
                alarms: 5.,
                rows: 200.,
            },
        ];
        let found = KindRecall::new(&scores, &budgets, 0.95)?;
        assert_eq!(found.at.len(), 2);
        assert_eq!(found.at[0].support, Support::TooFewRows { needed: 1000 });
        assert_eq!(found.at[0].recall, None);
        assert_eq!(found.at[1].threshold, Some(194.5));
        assert_eq!(found.at[1].recall.unwrap().value, 2. / 3.);

        let none = KindScores {
            anomalies: &[],
            ..scores
        };
        let error = KindRecall::new(&none, &budgets, 0.95).unwrap_err();
        assert!(matches!(
            error,
            Error::EmptyGroup {
                group: "anomalous",
                ..
            }
        ));
        Ok(())
    }
}
