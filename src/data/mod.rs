//! Data sets: the three groups a detector is trained on, the paper's contaminated split, data made
//! by code, and the readers of files of [`puad_data`].
//!
//! A [`PuDataset`] holds unlabeled samples, and optionally labeled anomalies and labeled normals,
//! each as [`Samples`]: a tensor, 8-bit images that become floats one mini-batch at a time, or what stays in a file.
//!
//! | from | by | to |
//! |---|---|---|
//! | your own tensors | [`PuDataset::new`], [`PuDataset::with_anomalies`] | [`PuDataset`] |
//! | your own labeled samples | [`ContaminatedSplit::indices`](protocol::ContaminatedSplit::indices) | training, validation and test set |
//! | labeled images | [`ContaminatedSplit::split`](protocol::ContaminatedSplit::split) | the same |
//! | nothing | [`toy::generate`] | the two-dimensional data of Figure 1 |
//! | nothing | [`payments::generate`] | a table of words, times and gaps with planted causes |
//! | nothing | `glyphs::generate` | images of ten classes of digits |
//! | files of MNIST or FashionMNIST | `mnist::load`, `idx::read` | labeled images |
//! | tables in `.npy`, `.npz`, CSV or Parquet | `stream::TableReader` | batches, or all as [`Samples`] |
//! | rows of `.npy` or Parquet that stay there | `stream::StoredTable`, [`Samples::stored`] | [`Samples`] |
//! | files of CIFAR-10 or CIFAR-100 | `cifar::load_10`, `cifar::load_100` | labeled images |
//! | files of SVHN | `svhn::load` | labeled images |
//! | files of MedMNIST | `medmnist::load` | labeled images |
//! | files of ADBench | `adbench::load` | [`LabeledRows`] |
//! | columns of numbers, words, times and gaps, in CSV, Parquet or `.npz` | `table::TableFile` | [`table::Table`] |
//! | a text table with classes | `csv::read` | [`LabeledRows`] |
//! | a [`LabeledRows`], an [`ImageSet`] | [`RowSamples`], [`ImageSamples`] | [`Samples`] |
//! | other arrays | `npy::read`, `npz::Npz`, `mat::read` | `array::Array` |
//! | a folder of PNG and JPEG | `image_folder::read` | labeled images |
//! | one PNG or JPEG, or its bytes | `image_file::read`, `image_file::decode` | one image |
//! | CIFAR as Parquet | `cifar_parquet::load_10`, `load_100` | labeled images |
//!
//! Tables, `csv`, `npy` and `npz` need the feature `tables`, which is on by default; files of
//! images `images`, Parquet `parquet`, `mat`, the glyphs and the published sets `benchmarks`; `download`
//! fetches the paper's sets. `tasks` (`benchmarks`) names the classes that the paper takes as normal,
//! seen and unseen.
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

mod convert;
mod dataset;
pub mod payments;
pub mod protocol;
mod samples;
#[cfg(feature = "tables")]
pub mod stream;
pub mod toy;

pub use convert::{ImageSamples, RowSamples};
pub use dataset::PuDataset;
pub(crate) use dataset::{check_finite_batch, check_float, not_finite, of_validation};
#[cfg(all(feature = "benchmarks", feature = "images", feature = "parquet"))]
pub use puad_data::benchmarks::cifar_parquet;
#[cfg(feature = "download")]
pub use puad_data::benchmarks::download;
#[cfg(feature = "benchmarks")]
pub use puad_data::benchmarks::{
    FileLayout, adbench, cifar, glyphs, idx, mat, medmnist, mnist, svhn, tasks,
};
#[cfg(feature = "parquet")]
pub use puad_data::parquet;
pub use puad_data::table;
pub use puad_data::{DataError, ImageSet, ImageShape, LabeledRows, Place, Resize, TrainTest};
#[cfg(feature = "tables")]
pub use puad_data::{array, csv, npy, npz, output};
#[cfg(feature = "images")]
pub use puad_data::{image_file, image_folder};
pub(crate) use samples::{Chunks, Units};
pub use samples::{Samples, Store};
