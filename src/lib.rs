//! Deep positive-unlabeled anomaly detection on candle tensors.

pub mod baseline;
pub mod data;
pub mod error;
pub mod metrics;
mod rng;
pub mod testing;

pub use error::{Error, Result};
