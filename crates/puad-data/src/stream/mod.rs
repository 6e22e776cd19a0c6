//! Tables on disk, read a batch at a time; needs the feature `tables`.
//!
//! | file | read with |
//! |---|---|
//! | `.npy`, plain in either array order, or gzipped in C order | [`NpyOptions`] |
//! | one array of an `.npz` in C order, stored or deflated | [`NpzOptions`] |
//! | `.csv`, plain or gzipped | [`CsvOptions`] |
//! | columns of a `.parquet` (feature `parquet`) | `ParquetOptions` |
//!
//! [`TableReader::open`] goes by the file's ending, [`TableReader::open_with`] by options of a format, which
//! may be one's own: [`TableOptions`].
//!
//! Memory does not grow with the file: [`TableReader::batches`] holds one batch, and a header that
//! promises more than the file holds is found without room being made for it.

mod formats;
mod reader;

pub use crate::batch::{Batch, Values};
pub use crate::csv::CsvOptions;
pub use crate::npy::NpyOptions;
pub use crate::npz::NpzOptions;
#[cfg(feature = "parquet")]
pub use crate::parquet::ParquetOptions;
pub use crate::table_rows::{TableOptions, TableRows};
pub use reader::{Batches, TableReader};
