//! Whether new scores are still those of the fit, and what becomes of the class prior.
//!
//! [`DriftTest`] compares a window of new scores with held-out ones of the fit, and tells more anomalies from normals
//! that moved; [`shifted_prior`] estimates how many anomalies a window has, as long as nothing but their share
//! changed; [`left_after_review`] is the share that a person's labels leave in the data that they are taken out of.
//! All of it is arithmetic on scores and probabilities:
//! [`FittedDetector::watch`](crate::FittedDetector::watch) puts it together.

mod label_shift;
mod mixture;
mod rate;
mod reviewed;
mod two_sample;
mod verdict;

pub use label_shift::shifted_prior;
pub use rate::Rate;
pub use reviewed::left_after_review;
pub(crate) use verdict::FEW;
pub use verdict::{Drift, DriftTest, Verdict};
