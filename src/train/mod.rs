//! Training: mini-batches, early stopping, and the two phases of a DeepSVDD.

mod batches;
mod checkpoints;
mod config;
mod observer;
mod svdd;
mod trainer;

pub use checkpoints::Checkpoints;
pub use config::{Batching, Selection, TrainConfig};
pub use observer::{EpochReport, History, Observer, Phase, StopReason};
pub use svdd::SvddHistory;
pub use trainer::Trainer;
