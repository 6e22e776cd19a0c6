use serde::{Deserialize, Serialize};

use super::{Budget, Estimate, Support};

/// What to expect where samples above a threshold are alarms. See [`Report`](super::Report).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtBudget {
    /// The budget.
    pub budget: Budget,
    /// What the held-out samples can say of it; without support the estimates are `None`.
    pub support: Support,
    /// Scores above it are alarms.
    pub threshold: Option<f64>,
    /// Held-out unlabeled samples above it.
    pub alarms: usize,
    /// The share of rows that are alarms. Ties may leave it far below the budget.
    pub alarm_rate: Option<Estimate>,
    /// The share of alarms that are anomalies of the labeled kinds.
    pub precision: Option<Estimate>,
    /// The share of anomalies of the labeled kinds that are alarms.
    pub recall: Option<Estimate>,
    /// The share of normals that are alarms.
    pub false_positive_rate: Option<Estimate>,
}
