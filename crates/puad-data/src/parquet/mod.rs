//! Columns of Parquet files by name; needs the feature `parquet`.
//!
//! A [`TableReader`](crate::stream::TableReader) with [`ParquetOptions`] reads numbers a batch at a time;
//! [`columns`] tells what a file holds.
//!
//! The crate `parquet` decodes the file, and makes room for what headers promise. So the footer is walked
//! through before (at most 8 MiB, the fields of the format, a schema at most 8 deep), and each page header
//! (a page has at most 256 MiB, packed and unpacked); a dictionary must have the bytes of its values. A
//! file made to that end may still cost some 100 times its footer and a few pages a column; the decoder is
//! a third party's, and these checks are no proof against hostile files.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::parquet::errors::ParquetError;

use self::file::ParquetFile;
use self::rows::Rows;
use crate::{DataError, Place, Result};

mod columns;
mod file;
mod footer;
mod gzip;
#[cfg(all(feature = "benchmarks", feature = "images"))]
mod images;
mod pages;
mod rows;
mod stored;
mod table;
mod thrift;

#[cfg(all(feature = "benchmarks", feature = "images"))]
pub(crate) use images::read_images;
pub use table::ParquetOptions;

/// A column of a file.
///
/// ```
/// use puad_data::parquet::Column;
///
/// let column = Column { name: "pressure".into(), kind: "DOUBLE".into(), numeric: true };
/// assert!(column.numeric);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, behind those of the structures that it is in: `img.bytes`.
    pub name: String,
    /// The physical type, and the logical one where there is one: `INT32 Integer(..)`.
    pub kind: String,
    /// Whether it holds a number in each row, and so can be read as a feature.
    pub numeric: bool,
}

/// The columns of a file, in its order.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`], [`DataError::Malformed`].
///
/// ```
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/datasets/cifar10_test.parquet");
/// let columns = puad_data::parquet::columns(path)?;
/// let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
/// assert_eq!(names, ["img.bytes", "img.path", "label"]);
/// assert!(columns[2].numeric && !columns[0].numeric);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn columns(path: impl AsRef<Path>) -> Result<Vec<Column>> {
    Ok(ParquetFile::open(path.as_ref())?.columns())
}

/// The crate asserts where a damaged file breaks its rules.
fn caught<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    let outcome = catch_unwind(AssertUnwindSafe(read));
    outcome.unwrap_or_else(|_| {
        let rule = "Parquet files must keep to the format";
        let found = "a panic of the decoder".into();
        Err(malformed(path, Place::Whole, rule, found))
    })
}

/// Up to `most` bytes from `start` on.
fn bytes_at(mut file: &File, path: &Path, start: u64, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let moved = file.seek(SeekFrom::Start(start));
    let outcome = moved.and_then(|_| file.take(most).read_to_end(&mut bytes));
    outcome.map_err(|source| DataError::read(path, start, source))?;
    Ok(bytes)
}

fn malformed(path: &Path, place: Place, rule: &'static str, found: String) -> DataError {
    let path = path.into();
    DataError::Malformed {
        path,
        place,
        rule,
        found,
    }
}

fn broken(path: &Path, error: ParquetError) -> DataError {
    match error {
        ParquetError::External(error) => match error.downcast::<DataError>() {
            Ok(own) => *own,
            Err(error) => DataError::read(path, 0, ParquetError::External(error).into()),
        },
        error => DataError::read(path, 0, error.into()),
    }
}
