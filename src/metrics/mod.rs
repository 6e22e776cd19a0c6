//! Measures of detection quality.
//!
//! Scores are larger for what looks more anomalous, positives are the anomalies. The measures use
//! only the order of the scores, so the loss itself does as well as any increasing function of it,
//! and better than one that saturates and so makes ties.
//!
//! For time series, a score and a label a point, [`vus`] counts events and allows for their borders. There is no
//! point-adjusted F1 here, and will be none: it counts an event as found in full by a single point above the threshold,
//! so that random scores reach the values that papers report (Kim et al., Towards a rigorous evaluation of time-series
//! anomaly detection, AAAI 2022).
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
mod surface;
mod vus;

pub use auroc::auroc;
pub use average_precision::average_precision;
pub use vus::{RangeAuc, Thresholds, range_auc, vus};
