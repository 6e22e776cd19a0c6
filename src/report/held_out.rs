use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Scores that a report is made of: of samples that the detector was not trained on.
///
/// ```
/// use puad::report::{HeldOut, ReportSource};
///
/// let scores = HeldOut {
///     source: ReportSource::OutOfFold { folds: 5 },
///     unlabeled: &[0.1, 0.4, 0.2],
///     anomalies: &[2.5],
///     threshold: None,
/// };
/// assert_eq!(scores.source.to_string(), "out of fold, 5 folds");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut<'a> {
    /// How it comes that the detector was not trained on them.
    pub source: ReportSource,
    /// Of unlabeled samples, in any order, larger = more anomalous.
    pub unlabeled: &'a [f64],
    /// Of labeled anomalies, in any order.
    pub anomalies: &'a [f64],
    /// The score above which the detector flags a sample now; it becomes a row of the report.
    pub threshold: Option<f64>,
}

/// How it comes that a report's scores are of samples that the detector was not trained on.
///
/// ```
/// use puad::report::ReportSource;
///
/// assert_eq!(ReportSource::Validation.to_string(), "the validation part");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ReportSource {
    /// They are the detector's own scores of its validation part.
    Validation,
    /// Each was scored by a detector fitted without it, and its score was mapped to the scale of the detector
    /// that is reported on. What the report says is of fits on a smaller part of the data.
    OutOfFold {
        /// Into how many parts the samples were divided.
        folds: usize,
    },
}

impl fmt::Display for ReportSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Validation => write!(f, "the validation part"),
            Self::OutOfFold { folds } => write!(f, "out of fold, {folds} folds"),
        }
    }
}

/// In ascending order, with one of the two zeros.
///
/// # Errors
/// [`Error::EmptyGroup`] without any, [`Error::NonFiniteValue`] for one that is NaN or infinite.
pub(super) fn sorted(group: &'static str, list: &'static str, scores: &[f64]) -> Result<Vec<f64>> {
    if scores.is_empty() {
        let what = "a report";
        return Err(Error::EmptyGroup { what, group });
    }
    if let Some(index) = scores.iter().position(|score| !score.is_finite()) {
        return Err(Error::NonFiniteValue {
            what: list,
            index,
            value: scores[index],
        });
    }
    let mut scores: Vec<f64> = scores.iter().map(|score| score + 0.).collect();
    scores.sort_unstable_by(f64::total_cmp);
    Ok(scores)
}
