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
//! [`StoredTable`] reads rows at any place, of plain `.npy` and of Parquet: a [`Store`](super::Store) of samples that are
//! trained on where they are.

mod store;

use std::path::Path;

use candle_core::{Device, Tensor};
use puad_data::stream;
#[cfg(feature = "parquet")]
pub use puad_data::stream::ParquetOptions;
use puad_data::stream::{Batch, Values};
pub use puad_data::stream::{
    CsvColumn, CsvOptions, NpyOptions, NpzOptions, StoredTable, TableOptions, TableRows,
};

use super::{ImageSet, ImageShape, Samples};
use crate::{Error, Result};

/// Samples in a file, read in order as tensors: [`puad_data::stream::TableReader`] with batches on the
/// CPU.
///
/// Values become f32 where that holds them exactly (`f4`, 8- and 16-bit integers, booleans), else
/// f64; CSV is f64. Images of bytes, `[n, channels, height, width]`, are [`Samples::images`], and so
/// scaled to [0, 1]; other bytes stay the numbers they are. All values must be finite.
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
    /// The reader that the file's ending asks for: `.npy`, `.npz` (its only array), `.csv` or `.tsv`, all
    /// but the second also with `.gz`; with the feature `parquet` also `.parquet` (all columns).
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
    /// let options = CsvOptions { delimiter: Some(b';'), ..CsvOptions::default() };
    /// let table = TableReader::open_with(&path, &options)?.read()?;
    /// assert_eq!((table.len(), table.sample_shape()), (2, vec![2]));
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_with(path: impl AsRef<Path>, options: &impl TableOptions) -> Result<Self> {
        Ok(Self(stream::TableReader::open_with(path, options)?))
    }

    /// Names of the values of a sample; none where the file has none. See
    /// [`puad_data::stream::TableReader::columns`].
    pub fn columns(&self) -> Vec<String> {
        self.0.columns()
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

    /// All samples at once, to train on or to score, with the names of their columns; none is no error.
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    pub fn read(self) -> Result<Samples> {
        let names = self.columns();
        Ok(samples(self.0.read()?, &names)?.0)
    }
}

/// The values with their names, and the rows' names.
fn samples(batch: Batch, names: &[String]) -> Result<(Samples, Vec<String>)> {
    let Batch { shape, values, ids } = batch;
    let samples: Samples = match values {
        Values::U8(pixels) => match shape[..] {
            [n, channels, height, width] => {
                let shape = ImageShape {
                    channels,
                    height,
                    width,
                };
                // Nobody labels them.
                Samples::images(&ImageSet::new(pixels, shape, vec![0; n])?, shape)?
            }
            _ => {
                let values: Vec<f32> = pixels.into_iter().map(f32::from).collect();
                Tensor::from_vec(values, shape, &Device::Cpu)?.into()
            }
        },
        Values::F32(values) => Tensor::from_vec(values, shape, &Device::Cpu)?.into(),
        Values::F64(values) => Tensor::from_vec(values, shape, &Device::Cpu)?.into(),
    };
    Ok((samples.with_names(names)?, ids))
}

fn tensor(batch: Batch) -> Result<Tensor> {
    samples(batch, &[])?.0.to_tensor()
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

impl Batches {
    /// The next samples with their columns' names and the rows' names (none where the file has none).
    pub(crate) fn next_named(&mut self) -> Result<Option<(Samples, Vec<String>)>> {
        let names = self.0.reader().map(stream::TableReader::columns);
        let batch = self.0.next().transpose()?;
        batch
            .map(|batch| samples(batch, &names.unwrap_or_default()))
            .transpose()
    }

    /// The file, until its end or an error.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.0.reader().map(stream::TableReader::path)
    }

    /// The number of samples in all, where the file says so.
    pub(crate) fn total(&self) -> Option<u64> {
        self.0.reader().and_then(stream::TableReader::len)
    }
}

/// In batches of up to 4096 samples, fewer of more than 256 values.
impl From<TableReader> for Batches {
    fn from(table: TableReader) -> Self {
        Self(table.0.into())
    }
}

impl Iterator for Batches {
    type Item = Result<Tensor>;

    fn next(&mut self) -> Option<Result<Tensor>> {
        let batch = self.0.next()?;
        Some(batch.map_err(Error::from).and_then(tensor))
    }
}
