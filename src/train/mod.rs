//! Training: mini-batches, optimiser, early stopping, the choice of an epoch, and runs that survive
//! being killed.
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
mod epoch;
mod observer;
mod other_run;
mod pretraining;
mod run;
mod selection;
mod stopping;
mod trainer;

pub use checkpoints::Checkpoints;
pub use config::{Batching, TrainConfig};
pub use observer::{EpochReport, FitHistory, History, Observer, Phase, StopReason};
pub use other_run::OtherRun;
pub use pretraining::Pretraining;
pub use selection::{Select, Selection, Validation};
pub use stopping::{Patience, Stop};
pub use trainer::Trainer;
