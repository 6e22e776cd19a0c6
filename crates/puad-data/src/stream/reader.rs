use std::path::{Path, PathBuf};

use super::formats::Format;
use crate::batch::{Batch, Values};
use crate::table_rows::{TableOptions, TableRows};
use crate::{DataError, Result};

/// Rows read in one go by [`TableReader::read`].
const PIECE: usize = 4096;

/// Samples in a file, read in order.
///
/// Values become f32 where that holds them exactly (`f4`, 8- and 16-bit integers, booleans), else
/// f64; CSV is f64, and bytes stay bytes. All must be finite.
///
/// ```
/// use puad_data::stream::TableReader;
///
/// let path = std::env::temp_dir().join(format!("flowers-{}.csv", std::process::id()));
/// std::fs::write(&path, "length,width\n1.5,2\n3,4\n5,6\n")?;
/// let table = TableReader::open(&path)?;
/// assert_eq!(table.sample_shape(), [2]);
/// let sizes: Vec<_> = table.batches(2)?.map(|b| Ok(b?.shape[0])).collect::<puad_data::Result<_>>()?;
/// assert_eq!(sizes, [2, 1]);
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableReader {
    path: PathBuf,
    rows: Box<dyn TableRows>,
    read: u64,
}

impl TableReader {
    /// The reader that the file's ending asks for, with its format's options as they are by default:
    /// `.npy`, `.npz` (its only array), `.csv` or `.tsv`, all but the second also with `.gz`; with the
    /// feature `parquet` also `.parquet` (all columns).
    ///
    /// # Errors
    /// [`DataError::Unsupported`] for another ending; else as the format's options.
    ///
    /// ```
    /// use puad_data::DataError;
    /// use puad_data::stream::TableReader;
    ///
    /// let error = TableReader::open("machines.xlsx").err();
    /// assert!(matches!(error, Some(DataError::Unsupported { .. })));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let format = Format::by_ending(path)?;
        Ok(Self::new(path, (format.open)(path)?))
    }

    /// The reader of a file with options of its format, whatever the file's ending.
    ///
    /// # Errors
    /// As the options.
    ///
    /// ```
    /// use puad_data::stream::{CsvOptions, TableReader};
    ///
    /// let path = std::env::temp_dir().join(format!("machines-{}.txt", std::process::id()));
    /// std::fs::write(&path, "1;2\n3;4\n")?;
    /// let options = CsvOptions { delimiter: Some(b';'), ..CsvOptions::default() };
    /// assert_eq!(TableReader::open_with(&path, &options)?.read()?.shape, [2, 2]);
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_with(path: impl AsRef<Path>, options: &impl TableOptions) -> Result<Self> {
        let path = path.as_ref();
        Ok(Self::new(path, options.rows(path)?))
    }

    fn new(path: &Path, rows: Box<dyn TableRows>) -> Self {
        let path = path.into();
        Self {
            path,
            rows,
            read: 0,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the values of a sample; none where the file has none.
    ///
    /// ```
    /// use puad_data::stream::TableReader;
    ///
    /// let path = std::env::temp_dir().join(format!("names-{}.csv", std::process::id()));
    /// std::fs::write(&path, ",heat,pressure\n0,80,0.5\n1,85,0.7\n")?;
    /// // The first column has no name: it counts the rows.
    /// let mut table = TableReader::open(&path)?;
    /// assert_eq!(table.columns(), ["heat", "pressure"]);
    /// assert_eq!(table.read()?.ids, ["0", "1"]);
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn columns(&self) -> Vec<String> {
        self.rows.columns()
    }

    /// The dimensions of one sample.
    pub fn sample_shape(&self) -> Vec<usize> {
        self.rows.sample_shape()
    }

    /// The number of samples; `None` for CSV, which does not say.
    pub fn len(&self) -> Option<u64> {
        self.rows.count()
    }

    /// Whether there is no sample; `None` for CSV.
    pub fn is_empty(&self) -> Option<bool> {
        self.len().map(|n| n == 0)
    }

    /// Samples read so far.
    pub fn rows_read(&self) -> u64 {
        self.read
    }

    /// The next `size` samples, or what is left of them; `None` at the end.
    ///
    /// # Errors
    /// [`DataError::FileSize`] for a file that does not hold what its header says, [`DataError::Value`] with row
    /// and column for a value that is NaN or infinite, [`DataError::Config`] for a size of 0; else as the
    /// format's options.
    pub fn next_batch(&mut self, size: usize) -> Result<Option<Batch>> {
        check(size)?;
        let batch = self.rows.next(size)?;
        if let Some(batch) = &batch {
            batch.check_finite(&self.path, &self.columns(), self.read)?;
            self.read += batch.shape[0] as u64;
        }
        Ok(batch)
    }

    /// The samples in batches of `size`, the last one perhaps smaller.
    ///
    /// # Errors
    /// [`DataError::Config`] for a size of 0; items as [`next_batch`](Self::next_batch).
    pub fn batches(self, size: usize) -> Result<Batches> {
        check(size)?;
        let table = Some(self);
        Ok(Batches { table, size })
    }

    /// All samples that are left, at once; none is `[0, ...]`.
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    pub fn read(mut self) -> Result<Batch> {
        let mut all = None;
        while let Some(piece) = self.next_batch(PIECE)? {
            match &mut all {
                None => all = Some(piece),
                Some(all) => extend(all, piece),
            }
        }
        Ok(all.unwrap_or_else(|| Batch {
            shape: [vec![0], self.sample_shape()].concat(),
            values: Values::F64(vec![]),
            ids: vec![],
        }))
    }
}

pub(crate) fn check(size: usize) -> Result<()> {
    match size {
        0 => Err(DataError::config("batch_size", "at least 1", size)),
        _ => Ok(()),
    }
}

/// Both are of one file, so that their samples agree, and their types where the format keeps to its word.
fn extend(all: &mut Batch, piece: Batch) {
    all.shape[0] += piece.shape[0];
    all.ids.extend(piece.ids);
    all.values.extend(piece.values);
}

/// Rows of a batch where nobody says how many.
const ROWS: usize = 4096;

/// Values of such a batch, 8 MiB of the widest type.
const VALUES: usize = 1 << 20;

/// In batches of up to 4096 samples, fewer of more than 256 values.
impl From<TableReader> for Batches {
    fn from(table: TableReader) -> Self {
        let width: usize = table.sample_shape().iter().product();
        let size = (VALUES / width.max(1)).clamp(1, ROWS);
        let table = Some(table);
        Self { table, size }
    }
}

impl Batches {
    /// What is read; `None` behind the end or an error.
    pub fn reader(&self) -> Option<&TableReader> {
        self.table.as_ref()
    }
}

/// The batches of a [`TableReader`]; ends after the first error.
///
/// ```
/// use puad_data::stream::TableReader;
///
/// let path = std::env::temp_dir().join(format!("broken-{}.csv", std::process::id()));
/// std::fs::write(&path, "1,2\n3,x\n5,6\n")?;
/// let mut batches = TableReader::open(&path)?.batches(1)?;
/// assert!(batches.next().is_some_and(|batch| batch.is_ok()));
/// assert!(batches.next().is_some_and(|batch| batch.is_err()));
/// assert!(batches.next().is_none());
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Batches {
    table: Option<TableReader>,
    size: usize,
}

impl Iterator for Batches {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        let item = self.table.as_mut()?.next_batch(self.size).transpose();
        if !matches!(item, Some(Ok(_))) {
            self.table = None;
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_two_types_become_one_of_f64() {
        let batch = |values| Batch {
            shape: vec![1, 2],
            values,
            ids: vec![],
        };
        let mut all = batch(Values::F32(vec![0.5, 1.]));
        extend(&mut all, batch(Values::F32(vec![2., 3.])));
        assert_eq!(all.values, Values::F32(vec![0.5, 1., 2., 3.]));
        extend(&mut all, batch(Values::F64(vec![0.1, 4.])));
        assert_eq!(all.values, Values::F64(vec![0.5, 1., 2., 3., 0.1, 4.]));
        assert_eq!(all.shape, [3, 2]);
    }
}
