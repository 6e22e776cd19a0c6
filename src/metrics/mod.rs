//! Measures of detection quality.
//!
//! Scores are larger for what looks more anomalous, positives are the anomalies. The measures use
//! only the order of the scores, so the loss itself does as well as any increasing function of it,
//! and better than one that saturates and so makes ties.
//!
//! ```
//! use puad::metrics::{auroc, average_precision};
//!
//! let scores = [0.1, 0.4, 0.35, 0.8];
//! let anomalous = [false, false, true, true];
//! assert_eq!(auroc(&scores, &anomalous)?, 0.75);
//! assert!((average_precision(&scores, &anomalous)? - (1. + 2. / 3.) / 2.).abs() < 1e-12);
//! # Ok::<(), puad::Error>(())
//! ```

mod auroc;
mod average_precision;
mod ranked;

pub use auroc::auroc;
pub use average_precision::average_precision;
