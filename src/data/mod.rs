//! Data sets: the three groups a detector is trained on, the paper's contaminated split, data made
//! by code, and readers of published image sets.
//!
//! A [`PuDataset`] holds unlabeled samples, and optionally labeled anomalies and labeled normals,
//! each as [`Samples`]: a tensor, or 8-bit images that become floats one mini-batch at a time.
//!
//! | from | to | by |
//! |---|---|---|
//! | your own tensors | [`PuDataset`] | [`PuDataset::new`], [`PuDataset::with_anomalies`] |
//! | nothing | the two-dimensional data of Figure 1 | [`toy`] |

mod dataset;
mod error;
mod images;
pub mod protocol;
mod resize;
mod samples;
pub mod toy;

pub use dataset::PuDataset;
pub use error::DataError;
pub use images::{ImageSet, ImageShape, TrainTest};
pub use samples::Samples;
