//! Detectors without a network.
//!
//! The paper's tables compare with isolation forest, trained on the unlabeled samples alone. The
//! other methods of the tables are objectives on a network: see [`objective`](crate::objective). Extremely randomized
//! trees tell labeled anomalies from unlabeled samples: the classifier that a class prior is estimated with. Principal
//! components, with the feature `pca`, are what tables on time series compare with.

mod columns;
mod extra_trees;
mod features;
mod forest_model;
mod gini_tree;
mod isolation_forest;
mod isolation_tree;
#[cfg(feature = "pca")]
mod pca;
mod pu_forest;
mod tree;
mod trees_model;
mod two_groups;

pub use extra_trees::{ExtraTrees, ExtraTreesConfig};
pub use isolation_forest::{IsolationForest, IsolationForestConfig};
#[cfg(feature = "pca")]
pub use pca::{Pca, PcaConfig};
pub use pu_forest::{PuForest, PuForestConfig};

use crate::model::ModelSpec;
use crate::net::Architecture;
use crate::spec::{Entry, entry};
use crate::train::Trainer;
use crate::{Error, Result};

/// Every model of this crate that is no network.
pub(crate) const SHIPPED: &[Entry<dyn ModelSpec>] = &[
    entry!(ModelSpec, IsolationForestConfig),
    entry!(ModelSpec, ExtraTreesConfig),
    entry!(ModelSpec, PuForestConfig),
    #[cfg(feature = "pca")]
    entry!(ModelSpec, PcaConfig),
];

/// Whether what is grown at once can be fitted: it has no network, and nothing to go on from between two epochs.
///
/// # Errors
/// [`Error::Config`] for a network, [`Error::NotResumable`] for checkpoints.
fn check_fit(what: &'static str, network: &Architecture, trainer: &Trainer) -> Result<()> {
    if *network != Architecture::Auto {
        let rule = "auto for a model without a network";
        return Err(Error::config("network", rule, "explicit"));
    }
    match trainer.checkpoints() {
        Some(_) => Err(Error::NotResumable { what }),
        None => Ok(()),
    }
}
