//! Tables on disk, read a batch at a time; needs the feature `tables`.
//!
//! | file | read with |
//! |---|---|
//! | `.npy`, plain or gzipped | [`NpyOptions`] |
//! | one array of an `.npz`, stored or deflated | [`NpzOptions`] |
//! | `.csv` and `.tsv`, plain or gzipped | [`CsvOptions`] |
//! | columns of a `.parquet` (feature `parquet`) | `ParquetOptions` |
//!
//! [`TableReader::open`] goes by the file's ending, [`TableReader::open_with`] by options of a format, which
//! may be one's own: [`TableOptions`].
//!
//! Memory does not grow with the file: [`TableReader::batches`] holds one batch, and a header that
//! promises more than the file holds is found without room being made for it. Packed arrays in Fortran
//! order alone are held as a whole, up to 2 GiB.
//!
//! [`StoredTable`] reads rows at any place, of plain `.npy` and of Parquet.

mod formats;
mod reader;
mod stored;

pub use crate::batch::{Batch, Values};
pub use crate::csv::{CsvColumn, CsvOptions};
pub use crate::npy::NpyOptions;
pub use crate::npz::NpzOptions;
#[cfg(feature = "parquet")]
pub use crate::parquet::ParquetOptions;
pub use crate::raw::{ColumnRows, RawBatch, RawColumn, Texts};
pub use crate::stored_rows::StoredRows;
pub use crate::table_rows::{TableOptions, TableRows};
pub(crate) use reader::check;
pub use reader::{Batches, TableReader};
pub use stored::StoredTable;

use std::path::Path;

use crate::Result;

/// Opens a file as columns.
pub(crate) type Open = fn(&Path) -> Result<Box<dyn ColumnRows>>;

/// What opens a file, by its ending.
pub(crate) fn columns_of(path: &Path) -> Result<Open> {
    Ok(formats::Format::by_ending(path)?.columns)
}
