//! Optimisers: Adam, with coupled or decoupled weight decay, and the trait that a
//! [`Trainer`](crate::train::Trainer) takes any other by.
//!
//! ```
//! use puad::optim::{AdamConfig, WeightDecay};
//! use puad::train::TrainConfig;
//!
//! let adam = AdamConfig { learning_rate: 1e-3, weight_decay: WeightDecay::Decoupled(0.01), ..Default::default() };
//! let config = TrainConfig { adam, ..Default::default() };
//! config.check()?;
//! # Ok::<(), puad::Error>(())
//! ```

mod adam;
mod candle;
mod optimizer;

pub use adam::{Adam, AdamConfig, WeightDecay};
pub use candle::CandleOptimizer;
pub use optimizer::{Gradients, Optimizer, OptimizerState};
