//! Training: mini-batches, early stopping, and the two phases of a DeepSVDD.
//!
//! ```
//! use puad::train::{Batching, Selection, TrainConfig, Trainer};
//!
//! let trainer = Trainer::new(TrainConfig {
//!     epochs: 50,
//!     patience: Some(10),
//!     batching: Batching::Stratified,
//!     selection: Selection::PuAuroc,
//!     seed: 3,
//!     ..TrainConfig::default()
//! })?;
//! assert_eq!(trainer.config().batch_size, 128);
//! # Ok::<(), puad::Error>(())
//! ```

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
