//! The class prior `alpha`: the share of anomalies among the unlabeled data, and its estimation.
//!
//! A [`PriorEstimator`] sees what stands for the unlabeled samples and for the labeled anomalies, [`PriorData`]:
//! scores of a classifier that saw none of them in its training, or vectors. It gives a [`PriorEstimate`]: `alpha`,
//! an interval with its level, and what speaks against believing it.

mod alpha_max;
mod class_prior;
mod data;
mod dedpul;
mod doubt;
mod estimate;
mod estimator;
mod kernel;
mod kernel_mean;
mod levels;
mod pen_l1;
mod points;
mod resample;
mod smooth;
mod windows;

pub use alpha_max::{AlphaMax, AlphaMaxConfig};
pub use class_prior::ClassPrior;
pub use data::PriorData;
pub use dedpul::{Dedpul, DedpulConfig};
pub use estimate::{PriorDoubt, PriorEstimate};
pub use estimator::PriorEstimator;
pub use kernel_mean::{KernelMean, KernelMeanConfig, SlopeThreshold};
pub use pen_l1::{PenL1, PenL1Config};
