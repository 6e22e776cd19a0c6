use super::Warning;

/// The alarms in a batch of `n` rows of which on average at most a share is false, from
/// [`FittedDetector::discoveries`](crate::FittedDetector::discoveries), whose example has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Discoveries {
    /// The anomaly scores, `[n]`; larger = more anomalous.
    pub scores: Vec<f64>,
    /// The share of normals that score at least as high, `[n]`.
    pub p_values: Vec<f64>,
    /// Whether each is an alarm, `[n]`.
    pub anomalous: Vec<bool>,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

impl Discoveries {
    /// The numbers of the alarms in the batch, counted from 0, the highest score first, and of equal ones the first.
    pub fn rows(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.scores.len())
            .filter(|&i| self.anomalous[i])
            .collect();
        rows.sort_by(|&i, &j| self.scores[j].total_cmp(&self.scores[i]));
        rows
    }
}
