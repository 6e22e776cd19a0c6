//! Data sets: the three groups a detector is trained on, the paper's contaminated split, data made
//! by code, and readers of published image sets.
//!
//! A [`PuDataset`] holds unlabeled samples, and optionally labeled anomalies and labeled normals,
//! each as [`Samples`]: a tensor, or 8-bit images that become floats one mini-batch at a time.
//!
//! | from | by | to |
//! |---|---|---|
//! | your own tensors | [`PuDataset::new`], [`PuDataset::with_anomalies`] | [`PuDataset`] |
//! | your own labeled samples | [`ContaminatedSplit::indices`](protocol::ContaminatedSplit::indices) | training, validation and test set |
//! | labeled images | [`ContaminatedSplit::split`](protocol::ContaminatedSplit::split) | the same |
//! | nothing | [`toy::generate`] | the two-dimensional data of Figure 1 |
//! | nothing | [`glyphs::generate`] | images of ten classes of digits |
//! | files of MNIST or FashionMNIST | `mnist::load`, `idx::read` | labeled images |
//! | tables in `.npy`, `.npz` or CSV | `stream::Table` | batches, or all as [`Samples`] |
//! | files of CIFAR-10 or CIFAR-100 | `cifar::load_10`, `cifar::load_100` | labeled images |
//!
//! The readers of files need the feature `datasets`.

#[cfg(feature = "datasets")]
pub mod cifar;
mod dataset;
mod error;
#[cfg(feature = "datasets")]
mod file;
pub mod glyphs;
#[cfg(feature = "datasets")]
pub mod idx;
mod images;
#[cfg(feature = "datasets")]
pub mod mnist;
pub mod protocol;
mod resize;
mod samples;
#[cfg(feature = "datasets")]
pub mod stream;
pub mod toy;

pub use dataset::PuDataset;
pub(crate) use dataset::check_finite;
pub use error::DataError;
pub use images::{ImageSet, ImageShape, TrainTest};
pub use samples::Samples;
