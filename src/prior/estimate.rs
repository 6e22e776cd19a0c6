use std::fmt;

use serde::{Deserialize, Serialize};

use super::ClassPrior;

/// What a [`PriorEstimator`](super::PriorEstimator) found.
///
/// ```
/// use puad::ClassPrior;
/// use puad::prior::{PriorDoubt, PriorEstimate};
///
/// let estimate = PriorEstimate {
///     alpha: ClassPrior::new(0.013)?,
///     low: ClassPrior::new(0.008)?,
///     high: ClassPrior::new(0.021)?,
///     level: 0.95,
///     doubts: vec![PriorDoubt::FewAnomalies { anomalies: 8 }],
/// };
/// assert_eq!(estimate.to_string(), "0.0130 (95% interval 0.0080 to 0.0210)");
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorEstimate {
    /// The estimate: the share of anomalies among the unlabeled samples, of the kinds that are labeled.
    pub alpha: ClassPrior,
    /// The interval's lower end. With [`PriorDoubt::Overlap`] among the doubts nothing holds it up: a smaller share with
    /// more normals at the top fits the scores as well.
    pub low: ClassPrior,
    /// The interval's upper end.
    pub high: ClassPrior,
    /// The share of intervals that are meant to hold the truth, in (0, 1).
    pub level: f64,
    /// What speaks against believing it; empty where nothing does.
    pub doubts: Vec<PriorDoubt>,
}

impl PriorEstimate {
    /// One that is known, or taken for it.
    pub(crate) fn exact(prior: ClassPrior, level: f64) -> Self {
        Self {
            alpha: prior,
            low: prior,
            high: prior,
            level,
            doubts: vec![],
        }
    }
}

impl fmt::Display for PriorEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (alpha, low, high) = (self.alpha.get(), self.low.get(), self.high.get());
        let percent = 100. * self.level;
        write!(f, "{alpha:.4} ({percent}% interval {low:.4} to {high:.4})")
    }
}

/// What speaks against an estimate.
///
/// ```
/// use puad::prior::PriorDoubt;
///
/// let doubt = PriorDoubt::FewAnomalies { anomalies: 8 };
/// assert!(doubt.to_string().starts_with("the estimate rests on 8 labeled anomalies"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PriorDoubt {
    /// It rests on few labeled anomalies.
    FewAnomalies {
        /// How many.
        anomalies: usize,
    },
    /// Many normals score as high as the labeled anomalies, so that nothing says that there are none among those that
    /// score highest: the share of anomalies is then not identifiable, and the estimate an upper bound.
    ///
    /// It is also a doubt where only some of the labeled anomalies hide among the normals and the others do not, where
    /// the estimate may be right. Normals that look exactly as all anomalies do cannot be told from more anomalies, by
    /// this or any other diagnostic.
    Overlap {
        /// The share of the normals that score higher than the lowest tenth of the labeled anomalies, if the estimate
        /// were right (or a smaller one, from the half of the anomalies that score highest); 1 where there are no
        /// normals by the estimate. Above 0.2 it is a doubt.
        false_positives: f64,
    },
}

impl fmt::Display for PriorDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewAnomalies { anomalies } => write!(
                f,
                "the estimate rests on {anomalies} labeled anomalies alone"
            ),
            Self::Overlap { false_positives } => write!(
                f,
                "{:.0}% of the normals score as high as 90% of the labeled anomalies, so that the share of anomalies \
                 cannot be told from the scores: take the estimate as an upper bound",
                100. * false_positives
            ),
        }
    }
}
