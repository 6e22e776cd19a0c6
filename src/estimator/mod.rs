//! The short path: from data to a trained detector, its scores, decisions and file.
//!
//! [`Estimator`] trains on tensors, [`Samples`](crate::data::Samples) or rows of numbers and gives a
//! [`FittedDetector`]. What it does, in order: check the input, split off a validation part, fit a
//! [`Scaler`] on the unlabeled training part, build the network that suits the samples' shape, train
//! the [`Method`](crate::method::Method) with early stopping, set the threshold and calibrate
//! probabilities on the validation part. Every step has its setting in [`FitConfig`].

mod calibration;
mod config;
mod explain;
mod fit;
mod fitted;
mod rows;
mod scaler;
mod threshold;

pub use calibration::{Calibration, CalibrationMethod};
pub use config::{Architecture, FitConfig};
pub use explain::{Attribution, Explanation};
pub use fit::Estimator;
pub use fitted::{FittedDetector, ValidationScores};
pub use rows::{IntoSamples, Row};
pub use scaler::{Scaler, Scaling};
pub use threshold::{Threshold, ThresholdRule};

pub(crate) use fitted::Parts;
