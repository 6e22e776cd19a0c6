//! Measures of detection quality, and a test that compares two lists of them.
//!
//! Scores are larger for what looks more anomalous, positives are the anomalies. The measures use
//! only the order of the scores, so the loss itself does as well as any increasing function of it,
//! and better than one that saturates and so makes ties.

mod auroc;
mod average_precision;
mod paired_t_test;
mod ranked;

pub use auroc::auroc;
pub use average_precision::average_precision;
pub use paired_t_test::{PairedTTest, paired_t_test};
