//! Deep positive-unlabeled anomaly detection on candle tensors.

pub mod baseline;
pub mod checkpoint;
pub mod data;
pub mod detector;
mod device;
pub mod error;
pub mod estimator;
mod loss;
#[doc = include_str!("../docs/guide.md")]
pub mod guide {}
pub mod method;
pub mod metrics;
pub mod net;
pub mod objective;
pub mod ops;
pub mod optim;
mod params;
mod prior;
mod rng;
mod term;
pub mod testing;
pub mod train;

pub use candle_core;
pub use candle_nn;
pub use device::device;
pub use error::{Error, Result};
pub use estimator::{Estimator, FitConfig, FittedDetector};
pub use loss::{Noise, NonNegativeLoss, Pass, SampleLosses};
pub use objective::{Objective, PuObjective};
pub use params::{Params, Snapshot};
pub use prior::ClassPrior;
pub use term::AnomalyTerm;
