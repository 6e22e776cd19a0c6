use std::path::Path;

use serde::{Deserialize, Serialize};

use super::NpyReader;
use crate::file::{Source, open_plain};
use crate::stored_rows::StoredRows;
use crate::table_rows::{TableOptions, TableRows};
use crate::{DataError, Result};

/// An array `[n, ...]` in numpy's `.npy` format, plain or gzipped.
///
/// In Fortran order a sample's values lie far from each other: each batch then visits every
/// column of the file once, which takes the longer the smaller the batches are. A gzipped file in that
/// order is held in memory as a whole, up to 2 GiB.
///
/// # Errors
/// [`MissingFile`](crate::DataError::MissingFile), [`Read`](crate::DataError::Read);
/// [`Malformed`](crate::DataError::Malformed) for a broken header;
/// [`Unsupported`](crate::DataError::Unsupported) for a version or a type of values that is not read;
/// [`Shape`](crate::DataError::Shape) for an array that is no list of
/// samples; [`Ambiguous`](crate::DataError::Ambiguous) for images whose channels may come last;
/// [`FileSize`](crate::DataError::FileSize) for a file that holds more or less than its header says.
///
/// ```
/// use puad_data::DataError;
/// use puad_data::stream::{NpyOptions, TableReader};
///
/// let absent = TableReader::open_with("no-such-file.bin", &NpyOptions::default());
/// assert!(matches!(absent, Err(DataError::MissingFile { .. })));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NpyOptions {
    /// Whether images are `[n, height, width, channels]` in the file, as by Keras and Pillow; they become
    /// `[n, channels, height, width]`. `None`: they are not, and what looks like it is an error.
    pub channels_last: Option<bool>,
}

impl TableOptions for NpyOptions {
    const ENDINGS: &'static [&'static str] = &[".npy", ".npy.gz"];

    fn rows(&self, path: &Path) -> Result<Box<dyn TableRows>> {
        let array = NpyReader::open(Source::open(path)?)?;
        Ok(Box::new(
            array.rows(self.channels_last, || open_plain(path))?,
        ))
    }

    fn stored(&self, path: &Path) -> Result<Box<dyn StoredRows>> {
        let array = NpyReader::open(Source::open(path)?)?;
        let file = open_plain(path)?.ok_or_else(|| DataError::Unsupported {
            path: path.into(),
            rule: "rows are read at any place in plain files",
            found: "a packed one".into(),
        })?;
        Ok(Box::new(array.stored(self.channels_last, file)?))
    }
}
