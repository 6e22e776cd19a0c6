//! Deep positive-unlabeled anomaly detection on candle tensors.

pub mod baseline;
pub mod data;
pub mod detector;
pub mod error;
mod loss;
pub mod metrics;
pub mod net;
pub mod objective;
pub mod ops;
pub mod optim;
mod params;
mod prior;
mod rng;
mod score;
mod term;
pub mod testing;
pub mod train;

pub use candle_core;
pub use candle_nn;
pub use error::{Error, Result};
pub use loss::{Noise, NonNegativeLoss, Pass, SampleLosses};
pub use objective::{Objective, PuObjective};
pub use params::{Params, Snapshot};
pub use prior::ClassPrior;
pub use score::score_samples;
pub use term::AnomalyTerm;
