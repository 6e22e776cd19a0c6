//! Detectors: per-sample losses over networks, each a [`NonNegativeLoss`](crate::NonNegativeLoss).
//!
//! | detector | loss | term |
//! |---|---|---|
//! | [`Autoencoder`] | eq. 1, reconstruction error | eq. 4 |
//! | [`DenoisingAutoencoder`] | eq. 16, from a noisy input | eq. 4 |
//! | [`DeepSvdd`] | eq. 14, squared distance from a center | eq. 15 |
//! | [`RotationHead`] | cross-entropy of predicting rotations | eq. 4 |
//! | [`Classifier`] | [`ClassifierLoss`] of a logit: the PU baseline | `1 - l` or eq. 4 |

mod autoencoder;
mod classifier;
mod deep_svdd;
mod denoising;
mod rotation;

pub use autoencoder::Autoencoder;
pub use classifier::{Classifier, ClassifierLoss};
pub use deep_svdd::DeepSvdd;
pub use denoising::DenoisingAutoencoder;
pub use rotation::RotationHead;
