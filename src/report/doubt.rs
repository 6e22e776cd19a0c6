use std::fmt;

use serde::{Deserialize, Serialize};

use crate::prior::PriorDoubt;

/// What speaks against believing a report.
///
/// ```
/// use puad::report::ReportDoubt;
///
/// let doubt = ReportDoubt::PriorTooLarge { alpha: 0.1, largest: 0.015 };
/// assert!(doubt.to_string().contains("0.1000") && doubt.to_string().contains("0.0150"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ReportDoubt {
    /// It rests on few labeled anomalies.
    FewAnomalies {
        /// How many.
        anomalies: usize,
    },
    /// The class prior came without an interval.
    PriorTakenAsExact,
    /// With this class prior more anomalies would score above a threshold than there are unlabeled samples, beyond
    /// what chance explains: the prior is too large, or the labeled anomalies are easier to find than the rest.
    PriorTooLarge {
        /// The class prior.
        alpha: f64,
        /// The largest that agrees with the scores, if the labeled anomalies are typical.
        largest: f64,
    },
    /// What speaks against the class prior.
    Prior(
        /// It.
        PriorDoubt,
    ),
}

impl fmt::Display for ReportDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewAnomalies { anomalies } => write!(
                f,
                "the report rests on few labeled anomalies ({anomalies}): believe its intervals, not its numbers"
            ),
            Self::PriorTakenAsExact => write!(
                f,
                "the class prior came without an interval and is taken as exact: the intervals are too narrow \
                 where it is a guess"
            ),
            Self::PriorTooLarge { alpha, largest } => write!(
                f,
                "the class prior {alpha:.4} does not agree with the scores, which leave room for {largest:.4} at \
                 most if the labeled anomalies are typical: it is too large, or they are easier to find than the rest"
            ),
            Self::Prior(PriorDoubt::Overlap { false_positives }) => write!(
                f,
                "{}, and precision as well",
                PriorDoubt::Overlap {
                    false_positives: *false_positives
                }
            ),
            Self::Prior(doubt) => write!(f, "class prior: {doubt}"),
        }
    }
}
