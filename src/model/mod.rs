//! Models: what a fit gives, whatever it is, and how it comes about.
//!
//! A [`Fitted`] model scores transformed samples, may explain them, and writes itself. A [`ModelSpec`] is
//! settings that fit one and read it again. [`NetworkModel`] is a network detector trained under an
//! objective; [`IsolationForest`](crate::baseline::IsolationForest) is fitted another way. Scaling, threshold,
//! probabilities and files are the [`Estimator`](crate::Estimator)'s, the same for all.

mod fitted;
mod network;
mod occlusion;
mod sealed;
mod stored;
mod task;

pub use fitted::{Fitted, ModelSpec};
pub use network::NetworkModel;
pub use stored::{ModelState, StoredModel};
pub use task::{HeldOut, Learned, Task};

pub(crate) use occlusion::{Occlusion, check_reference, reference};
