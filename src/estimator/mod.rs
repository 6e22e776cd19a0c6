//! The short path: from data to a trained detector, its scores, decisions and file.
//!
//! [`Estimator`] trains on tensors, [`Samples`](crate::data::Samples) or rows of numbers and gives a
//! [`FittedDetector`]. What it does, in order: check settings and data, split off a validation part, fit
//! a [`Scaler`] on the unlabeled training part, fit the [`Method`](crate::method::Method) (a network that
//! suits the samples' shape, with early stopping) with the class prior that is given or estimated ([`Prior`]), set the threshold and calibrate probabilities on the
//! validation part. [`FitConfig`] has the settings up to training; threshold and calibration start from
//! their defaults and are changed by [`FittedDetector::set_threshold`] and
//! [`FittedDetector::calibrate`].
//!
//! ```
//! use puad::data::toy::{self, ToyConfig};
//! use puad::estimator::Threshold;
//! use puad::{Estimator, FitConfig};
//!
//! let toy = toy::generate(&ToyConfig::default(), 0)?;
//! let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
//! let mut config = FitConfig::default();
//! config.train.epochs = 60;
//! let mut detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
//! detector.set_threshold(Threshold::Quantile(0.9))?;
//! // A point of the curve, and one like the labeled anomalies.
//! assert_eq!(detector.predict(&[[0f32, 0.], [1.6, -1.6]])?, [false, true]);
//! # Ok::<(), puad::Error>(())
//! ```

mod calibration;
mod config;
mod decision;
mod detections;
mod discoveries;
mod fit;
mod fitted;
mod folds;
mod input;
mod inputs;
mod prepared;
mod prior;
mod priors;
mod rows;
mod scaler;
mod scaling;
mod threshold;
mod trained;
mod transformation;
mod values;
mod warning;

#[cfg(feature = "images")]
pub use crate::explanation::HeatMap;
pub use crate::explanation::{Attribution, Explanation};
pub use crate::net::Architecture;
pub use calibration::{Calibration, CalibrationMethod};
pub use config::FitConfig;
pub use decision::{OutOfFold, ValidationScores};
pub use detections::Detections;
pub use discoveries::Discoveries;
pub use fit::{Estimator, LeftOut, kinds_by_cluster};
#[cfg(feature = "tables")]
pub use fitted::{Alarm, Alarms, Pieces, ScoredRows, TableScored, TableSource};
pub use fitted::{Feedback, Label, NewPrior, RefitConfig, SuggestConfig, Suggestion, Watched, Why};
pub use fitted::{FittedDetector, Observed, Pair, Reason};
pub use input::{Input, IntoInput};
use inputs::unknown_inputs;
pub use inputs::{ElementType, InputCheck, Inputs};
pub use prior::{Prior, PriorEstimation};
pub use rows::{Contiguous, IntoSamples, Row};
pub use scaler::Scaler;
pub use scaling::Scaling;
pub use threshold::{Threshold, ThresholdRule};
pub use warning::{Column, Warning};

use transformation::Transformation;
