//! Tables on disk, read a batch at a time; needs the feature `tables`.
//!
//! | file | read by |
//! |---|---|
//! | `.npy`, plain in either array order, or gzipped in C order | [`TableReader::npy`] |
//! | one array of an `.npz` in C order, stored or deflated | [`TableReader::npz`] |
//! | `.csv`, plain or gzipped | [`TableReader::csv`] |
//! | columns of a `.parquet` (feature `parquet`) | `TableReader::parquet` |
//!
//! Memory does not grow with the file: [`TableReader::batches`] holds one batch, and a header that
//! promises more than the file holds is found without room being made for it.

mod csv_options;
mod reader;

pub use crate::batch::{Batch, Values};
#[cfg(feature = "parquet")]
pub use crate::parquet::ParquetOptions;
pub use csv_options::CsvOptions;
pub use reader::{Batches, TableReader};
