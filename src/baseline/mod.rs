//! Detectors without a network.
//!
//! The paper's tables compare with isolation forest, trained on the unlabeled samples alone. The
//! other methods of the tables are objectives on a network: see [`objective`](crate::objective). Extremely randomized
//! trees tell labeled anomalies from unlabeled samples: the classifier that a class prior is estimated with.

mod columns;
mod extra_trees;
mod extra_trees_model;
mod features;
mod forest_model;
mod isolation_forest;
mod isolation_tree;
mod tree;

pub use extra_trees::{ExtraTrees, ExtraTreesConfig};
pub use isolation_forest::{IsolationForest, IsolationForestConfig};

use crate::model::ModelSpec;
use crate::spec::{Entry, entry};

/// Every model of this crate that is no network.
pub(crate) const SHIPPED: &[Entry<dyn ModelSpec>] = &[
    entry!(ModelSpec, IsolationForestConfig),
    entry!(ModelSpec, ExtraTreesConfig),
];
