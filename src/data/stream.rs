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

use std::path::Path;

use candle_core::{Device, Tensor};
use puad_data::stream;
#[cfg(feature = "parquet")]
pub use puad_data::stream::ParquetOptions;
use puad_data::stream::{Batch, Values};
pub use puad_data::stream::{CsvOptions, NpyOptions, NpzOptions, TableOptions, TableRows};

use super::Samples;
use crate::{Error, Result};

/// Samples in a file, read in order as tensors: [`puad_data::stream::TableReader`] with batches on the
/// CPU.
///
/// Values become f32 where that holds them exactly (`f4`, 8- and 16-bit integers, booleans), else
/// f64; CSV is f64.
///
/// ```
/// use puad::data::stream::TableReader;
///
/// let path = std::env::temp_dir().join(format!("flowers-{}.csv", std::process::id()));
/// std::fs::write(&path, "length,width\n1.5,2\n3,4\n5,6\n")?;
/// let table = TableReader::open(&path)?;
/// assert_eq!(table.sample_shape(), [2]);
/// let sizes: Vec<_> = table.batches(2)?.map(|b| Ok(b?.dim(0)?)).collect::<puad::Result<_>>()?;
/// assert_eq!(sizes, [2, 1]);
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableReader(stream::TableReader);

impl TableReader {
    /// The reader that the file's ending asks for: `.npy`, `.npz` (its only array) or `.csv`, the
    /// first and the last also with `.gz`; with the feature `parquet` also `.parquet` (all columns).
    ///
    /// # Errors
    /// As [`puad_data::stream::TableReader::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self(stream::TableReader::open(path)?))
    }

    /// The reader of a file with options of its format, whatever the file's ending.
    ///
    /// # Errors
    /// As the options.
    ///
    /// ```
    /// use puad::data::stream::{CsvOptions, TableReader};
    ///
    /// let path = std::env::temp_dir().join(format!("machines-{}.txt", std::process::id()));
    /// std::fs::write(&path, "1;2\n3;4\n")?;
    /// let options = CsvOptions { delimiter: b';', ..CsvOptions::default() };
    /// let table = TableReader::open_with(&path, &options)?.read()?;
    /// assert_eq!((table.len(), table.sample_shape()), (2, vec![2]));
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_with(path: impl AsRef<Path>, options: &impl TableOptions) -> Result<Self> {
        Ok(Self(stream::TableReader::open_with(path, options)?))
    }

    /// The dimensions of one sample.
    pub fn sample_shape(&self) -> Vec<usize> {
        self.0.sample_shape()
    }

    /// The number of samples; `None` for CSV, which does not say.
    pub fn len(&self) -> Option<u64> {
        self.0.len()
    }

    /// Whether there is no sample; `None` for CSV.
    pub fn is_empty(&self) -> Option<bool> {
        self.0.is_empty()
    }

    /// Samples read so far.
    pub fn rows_read(&self) -> u64 {
        self.0.rows_read()
    }

    /// The next `size` samples, or what is left of them: `[size, ...]` on the CPU; `None` at the
    /// end.
    ///
    /// # Errors
    /// As [`puad_data::stream::TableReader::next_batch`].
    pub fn next_batch(&mut self, size: usize) -> Result<Option<Tensor>> {
        self.0.next_batch(size)?.map(tensor).transpose()
    }

    /// The samples in batches of `size`, the last one perhaps smaller.
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    pub fn batches(self, size: usize) -> Result<Batches> {
        Ok(Batches(self.0.batches(size)?))
    }

    /// All samples at once, to train on.
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch); [`Error::EmptyGroup`] if there is none.
    pub fn read(self) -> Result<Samples> {
        let all = self.0.read()?;
        if all.shape[0] == 0 {
            let (what, group) = ("a table to train on", "unlabeled, anomalous or normal");
            return Err(Error::EmptyGroup { what, group });
        }
        Ok(tensor(all)?.into())
    }
}

fn tensor(batch: Batch) -> Result<Tensor> {
    let Batch { shape, values } = batch;
    Ok(match values {
        Values::F32(values) => Tensor::from_vec(values, shape, &Device::Cpu)?,
        Values::F64(values) => Tensor::from_vec(values, shape, &Device::Cpu)?,
    })
}

/// The batches of a [`TableReader`]; ends after the first error.
///
/// ```
/// use puad::data::stream::TableReader;
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
pub struct Batches(stream::Batches);

impl Iterator for Batches {
    type Item = Result<Tensor>;

    fn next(&mut self) -> Option<Result<Tensor>> {
        let batch = self.0.next()?;
        Some(batch.map_err(Error::from).and_then(tensor))
    }
}
