use std::fmt;
use std::path::{Path, PathBuf};

use super::formats::Format;
use crate::batch::Batch;
use crate::stored_rows::StoredRows;
use crate::table_rows::TableOptions;
use crate::{DataError, Result};

/// A table on disk whose rows are read at any place: a plain `.npy`, or numbers of a `.parquet` (feature `parquet`).
///
/// Values are as [`TableReader`](crate::stream::TableReader) has them, and all must be finite.
///
/// ```
/// use puad_data::stream::{StoredTable, Values};
///
/// let table = StoredTable::open("tests/fixtures/datasets/i2_little.npy")?;
/// assert_eq!((table.len(), table.sample_shape()), (2, vec![3]));
/// assert_eq!(table.read(1, 1)?.values, Values::F32(vec![0., 1., 2.]));
/// assert!(table.read(1, 2).is_err());
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub struct StoredTable {
    path: PathBuf,
    rows: Box<dyn StoredRows>,
}

impl StoredTable {
    /// By the file's ending, with its format's options as they are by default.
    ///
    /// # Errors
    /// [`DataError::Unsupported`] for another format and for a packed file; else as the format's options.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let format = Format::by_ending(path)?;
        Ok(Self::new(path, (format.stored)(path)?))
    }

    /// A file with options of its format, whatever its ending.
    ///
    /// # Errors
    /// As the options.
    pub fn open_with(path: impl AsRef<Path>, options: &impl TableOptions) -> Result<Self> {
        let path = path.as_ref();
        Ok(Self::new(path, options.stored(path)?))
    }

    fn new(path: &Path, rows: Box<dyn StoredRows>) -> Self {
        let path = path.into();
        Self { path, rows }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the values of a sample; none where the file has none.
    pub fn columns(&self) -> Vec<String> {
        self.rows.columns()
    }

    /// The dimensions of one sample.
    pub fn sample_shape(&self) -> Vec<usize> {
        self.rows.sample_shape()
    }

    /// The number of samples.
    pub fn len(&self) -> u64 {
        self.rows.count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the chunks of samples end that are read in one go, ascending: some 65,536 values of a `.npy`, groups of
    /// rows of a Parquet file.
    pub fn chunk_ends(&self) -> Vec<u64> {
        self.rows.chunk_ends()
    }

    /// The samples from `first` on, `count` of them.
    ///
    /// # Errors
    /// [`DataError::Config`] for a range that ends behind the last one; [`DataError::Value`] with row and column for a
    /// value that is NaN or infinite; [`DataError::FileSize`] for a file that was cut since it was opened; else as the
    /// format's options.
    pub fn read(&self, first: u64, count: usize) -> Result<Batch> {
        let end = first.checked_add(count as u64);
        if end.is_none_or(|end| end > self.len()) {
            let value = format!("{count} rows from row {first} on, of {}", self.len());
            return Err(DataError::config("rows", "within the file", value));
        }
        let batch = self.rows.read(first, count)?;
        batch.check_finite(&self.path, &self.columns(), first)?;
        Ok(batch)
    }
}

impl fmt::Debug for StoredTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, n, shape) = (self.path.display(), self.len(), self.sample_shape());
        write!(f, "StoredTable({path}, {n} x {shape:?})")
    }
}
