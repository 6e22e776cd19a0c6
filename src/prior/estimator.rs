use super::{PriorData, PriorEstimate};
use crate::Result;

/// Estimates the class prior `alpha` of unlabeled data by a sample of anomalies.
pub trait PriorEstimator: Send + Sync {
    /// As in its paper.
    fn name(&self) -> &'static str;

    /// The estimate. The same seed gives the same one, bit for bit, on any number of threads.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for vectors, of an estimator of scores;
    /// [`Error::Config`](crate::Error::Config) for a setting outside its range.
    fn estimate(&self, data: &PriorData, seed: u64) -> Result<PriorEstimate>;
}
