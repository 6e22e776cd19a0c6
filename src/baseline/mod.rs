//! Detectors without a network, for comparison.
//!
//! The paper's tables compare with isolation forest, trained on the unlabeled samples alone. The
//! other methods of the tables are objectives on a network: see [`objective`](crate::objective).

mod features;
mod isolation_forest;
mod isolation_tree;

pub use isolation_forest::{IsolationForest, IsolationForestConfig};
