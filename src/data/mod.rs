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
//! | tables in `.npy`, `.npz` or CSV | `stream::TableReader` | batches, or all as [`Samples`] |
//! | files of CIFAR-10 or CIFAR-100 | `cifar::load_10`, `cifar::load_100` | labeled images |
//! | files of SVHN | `svhn::load` | labeled images |
//! | files of MedMNIST | `medmnist::load` | labeled images |
//! | files of ADBench | `adbench::load` | [`Table`] |
//! | a text table | `csv::read` | [`Table`] |
//! | other arrays | `npy::read`, `npz::Npz`, `mat::read` | `array::Array` |
//! | a folder of PNG and JPEG | `image_folder::read` | labeled images |
//! | CIFAR as Parquet | `cifar_parquet::load_10`, `load_100` | labeled images |
//!
//! The readers of files need the feature `datasets`, the last two `images` and `parquet`; `download`
//! fetches the paper's sets.
//! [`tasks`] names the classes that the paper takes as normal, seen and unseen.
//!
//! ```
//! use puad::candle_core::{DType, Device, Tensor};
//! use puad::data::PuDataset;
//!
//! let tensor = |n| Tensor::zeros((n, 8), DType::F32, &Device::Cpu);
//! let data = PuDataset::new(tensor(1000)?)?.with_anomalies(tensor(20)?)?;
//! let (train, validation) = data.split(0.1, 0)?;
//! assert_eq!((train.unlabeled().len(), validation.unlabeled().len()), (900, 100));
//! assert_eq!(validation.anomalies().map(|a| a.len()), Some(2));
//! # Ok::<(), puad::Error>(())
//! ```

#[cfg(feature = "datasets")]
pub mod adbench;
#[cfg(feature = "datasets")]
pub mod array;
#[cfg(feature = "datasets")]
pub mod cifar;
#[cfg(feature = "parquet")]
pub mod cifar_parquet;
#[cfg(feature = "datasets")]
pub mod csv;
mod dataset;
#[cfg(feature = "download")]
pub mod download;
#[cfg(feature = "images")]
mod encoded;
mod error;
#[cfg(feature = "datasets")]
mod file;
mod format_error;
pub mod glyphs;
#[cfg(feature = "datasets")]
pub mod idx;
#[cfg(feature = "images")]
pub mod image_folder;
mod images;
#[cfg(feature = "datasets")]
mod labels;
#[cfg(feature = "datasets")]
mod layout;
#[cfg(feature = "datasets")]
pub mod mat;
#[cfg(feature = "datasets")]
pub mod medmnist;
#[cfg(feature = "datasets")]
pub mod mnist;
#[cfg(feature = "datasets")]
pub mod npy;
#[cfg(feature = "datasets")]
pub mod npz;
#[cfg(feature = "parquet")]
mod parquet_footer;
#[cfg(feature = "parquet")]
mod parquet_pages;
pub mod protocol;
mod resize;
mod samples;
#[cfg(feature = "datasets")]
pub mod stream;
#[cfg(feature = "datasets")]
pub mod svhn;
mod table;
pub mod tasks;
#[cfg(feature = "parquet")]
mod thrift;
pub mod toy;

pub use dataset::PuDataset;
pub(crate) use dataset::check_finite;
pub use error::DataError;
pub use format_error::FormatError;
pub use images::{ImageSet, ImageShape, TrainTest};
#[cfg(feature = "datasets")]
pub use layout::FileLayout;
pub use samples::Samples;
pub use table::Table;
