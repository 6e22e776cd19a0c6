//! Detectors without a network, for comparison.
//!
//! The paper's tables compare with isolation forest, trained on the unlabeled samples alone. The
//! other methods of the tables are objectives on a network: see [`objective`](crate::objective).

mod features;
mod forest_model;
mod isolation_forest;
mod isolation_tree;

pub use isolation_forest::{IsolationForest, IsolationForestConfig};

use crate::model::ModelSpec;
use crate::spec::{Entry, entry};

/// Every model of this crate that is no network.
pub(crate) const SHIPPED: &[Entry<dyn ModelSpec>] = &[entry!(ModelSpec, IsolationForestConfig)];
