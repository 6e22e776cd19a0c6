use std::path::Path;

use super::NpyReader;
use crate::Result;
use crate::file::{Source, open_plain};
use crate::table_rows::{TableOptions, TableRows};

/// An array `[n, ...]` in numpy's `.npy` format, plain or gzipped; there is nothing to choose.
///
/// In Fortran order a sample's values lie far from each other: each batch then visits every
/// column of the file once, which takes the longer the smaller the batches are.
///
/// # Errors
/// [`MissingFile`](crate::DataError::MissingFile), [`Read`](crate::DataError::Read);
/// [`Malformed`](crate::DataError::Malformed) for a broken header;
/// [`Unsupported`](crate::DataError::Unsupported) for a version or a type of values that is not read, and
/// for a gzipped file in Fortran order; [`Shape`](crate::DataError::Shape) for an array that is no list of
/// samples; [`FileSize`](crate::DataError::FileSize) for a file that holds more or less than its header says.
///
/// ```
/// use puad_data::DataError;
/// use puad_data::stream::{NpyOptions, TableReader};
///
/// let absent = TableReader::open_with("no-such-file.bin", &NpyOptions);
/// assert!(matches!(absent, Err(DataError::MissingFile { .. })));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NpyOptions;

impl TableOptions for NpyOptions {
    const ENDINGS: &'static [&'static str] = &[".npy", ".npy.gz"];

    fn rows(&self, path: &Path) -> Result<Box<dyn TableRows>> {
        let array = NpyReader::open(Source::open(path)?)?;
        Ok(Box::new(array.rows(|| open_plain(path))?))
    }
}
