//! Files in, arrays, tables and images out.
//!
//! | files | by | to | feature |
//! |---|---|---|---|
//! | CSV, Parquet, `.npz` with columns of numbers, words, times and gaps | [`table::TableFile`] | [`table::Table`] | `tables` |
//! | `.npy`, `.npz`, CSV and TSV, a batch at a time | [`stream::TableReader`] | [`stream::Batch`] | `tables` |
//! | `.npy` and Parquet, rows at any place | [`stream::StoredTable`] | [`stream::Batch`] | `tables`, `parquet` |
//! | columns of one's own | [`output::TableWriter`] | CSV, Parquet | `tables`, `parquet` |
//! | a text table with labels | [`csv::read`] | [`LabeledRows`] | `tables` |
//! | arrays | [`npy::read`], [`npz::Npz`] | [`array::Array`] | `tables` |
//! | a folder of PNG and JPEG | `image_folder::read` | [`ImageSet`] | `images` |
//! | one PNG or JPEG, or its bytes | `image_file::read`, `image_file::decode` | [`ImageSet`] | `images` |
//! | an image's pixels | [`Resize`] | floats of another size | |
//! | columns of Parquet by name, a batch at a time | [`stream::TableReader`] with `stream::ParquetOptions` | [`stream::Batch`] | `parquet` |
//! | the paper's sets | `benchmarks` | [`TrainTest`] | `benchmarks` |
//! | CIFAR as Parquet | `benchmarks::cifar_parquet` | [`TrainTest`] | `benchmarks`, `images`, `parquet` |
//!
//! The feature `download` fetches the paper's sets. `tables` is on by default.
//!
//! ```
//! use puad_data::csv::{self, CsvConfig};
//!
//! let path = std::env::temp_dir().join(format!("table-{}.csv", std::process::id()));
//! std::fs::write(&path, "length,width,broken\n1.5,2,0\n3,4,1\n")?;
//! let table = csv::read(&path, &CsvConfig::default())?;
//! assert_eq!((table.len(), table.width(), table.rows_of(1)), (2, 2, vec![1]));
//! std::fs::remove_file(path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "tables")]
pub mod array;
#[cfg(feature = "tables")]
mod batch;
#[cfg(feature = "benchmarks")]
pub mod benchmarks;
mod cell;
#[cfg(feature = "tables")]
pub mod csv;
#[cfg(feature = "images")]
mod encoded;
mod error;
#[cfg(feature = "tables")]
mod file;
#[cfg(feature = "images")]
pub mod image_file;
#[cfg(feature = "images")]
pub mod image_folder;
mod images;
#[cfg(feature = "images")]
mod jpeg;
mod labeled_rows;
#[cfg(feature = "tables")]
mod magic;
#[cfg(feature = "tables")]
pub mod npy;
#[cfg(feature = "tables")]
pub mod npz;
#[cfg(feature = "tables")]
pub mod output;
#[cfg(feature = "parquet")]
pub mod parquet;
#[cfg(feature = "tables")]
mod raw;
mod resize;
#[cfg(feature = "tables")]
mod stored_rows;
#[cfg(feature = "tables")]
pub mod stream;
pub mod table;
#[cfg(feature = "tables")]
mod table_rows;
mod value;

pub use error::{DataError, Place, Result};
pub use images::{ImageSet, ImageShape, TrainTest};
pub use labeled_rows::LabeledRows;
pub use resize::Resize;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct ReadmeExamples;
