//! The class prior `alpha`: the share of anomalies among the unlabeled data, and its estimation.
//!
//! A [`PriorEstimator`] sees what stands for the unlabeled samples and for the labeled anomalies, [`PriorData`]:
//! scores of a classifier that saw none of them in its training, or vectors. It gives a [`PriorEstimate`]: `alpha`,
//! an interval with its level, and what speaks against believing it.

mod class_prior;
mod data;
mod dedpul;
mod estimate;
mod estimator;
mod levels;
mod smooth;
mod windows;

pub use class_prior::ClassPrior;
pub use data::PriorData;
pub use dedpul::{Dedpul, DedpulConfig};
pub use estimate::{PriorDoubt, PriorEstimate};
pub use estimator::PriorEstimator;
