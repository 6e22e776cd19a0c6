use std::path::Path;

use super::CsvOptions;
use crate::array::Array;
use crate::batch::{Batch, Values};
use crate::csv::CsvRows;
use crate::file::{Source, open_plain};
use crate::npy::{NpyReader, NpyRows};
use crate::npz::Npz;
#[cfg(feature = "parquet")]
use crate::parquet::{ParquetOptions, ParquetRows};
use crate::{DataError, Result};

/// Rows read in one go by [`TableReader::read`].
const PIECE: usize = 4096;

/// Samples in a file, read in order.
///
/// Values become f32 where that holds them exactly (`f4`, 8- and 16-bit integers, booleans), else
/// f64; CSV is f64.
///
/// ```
/// use puad_data::stream::{CsvOptions, TableReader};
///
/// # let dir = tempfile::tempdir().unwrap();
/// let path = dir.path().join("table.csv");
/// std::fs::write(&path, "length,width\n1.5,2\n3,4\n5,6\n").unwrap();
/// let table = TableReader::csv(&path, &CsvOptions::default())?;
/// assert_eq!(table.sample_shape(), [2]);
/// let sizes: Vec<_> = table.batches(2)?.map(|b| Ok(b?.shape[0])).collect::<puad_data::Result<_>>()?;
/// assert_eq!(sizes, [2, 1]);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub struct TableReader {
    form: Form,
    read: u64,
}

enum Form {
    Npy(NpyRows),
    Csv(Box<CsvRows>),
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetRows>),
}

impl TableReader {
    /// The reader that the file's ending asks for: `.npy`, `.npz` (its only array) or `.csv`, the
    /// first and the last also with `.gz`; with the feature `parquet` also `.parquet` (all columns).
    ///
    /// # Errors
    /// [`DataError::Unsupported`] for another ending; else as the reader.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        #[cfg(feature = "parquet")]
        if name.ends_with(".parquet") {
            return Self::parquet(path, &ParquetOptions::default());
        }
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        if plain.ends_with(".npy") {
            Self::npy(path)
        } else if plain.ends_with(".csv") {
            Self::csv(path, &CsvOptions::default())
        } else if name.ends_with(".npz") {
            Self::npz(path, None)
        } else {
            Err(DataError::Unsupported {
                path: path.into(),
                rule: "tables must end in .npy, .npz or .csv",
                found: format!("{name:?}"),
            })
        }
    }

    /// An array `[n, ...]` in numpy's `.npy` format.
    ///
    /// In Fortran order a sample's values lie far from each other: each batch then visits every
    /// column of the file once, which takes the longer the smaller the batches are.
    ///
    /// # Errors
    /// [`DataError::MissingFile`], [`DataError::Read`]; [`DataError::Malformed`] for a broken header;
    /// [`DataError::Unsupported`] for a version or a type of values that is not read, and for a gzipped
    /// file in Fortran order; [`DataError::Shape`] for an array that is no list of samples;
    /// [`DataError::Truncated`] or [`DataError::TrailingBytes`] for a file of another length than its
    /// header says.
    pub fn npy(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let array = NpyReader::open(Source::open(path)?)?;
        Ok(Self::new(Form::Npy(array.rows(|| open_plain(path))?)))
    }

    /// The array `name` of an `.npz` archive, or its only one, in C order.
    ///
    /// # Errors
    /// As [`Npz::open`] and [`npy`](Self::npy); [`DataError::Missing`] if there is no such array or
    /// several without a name.
    pub fn npz(path: impl AsRef<Path>, name: Option<&str>) -> Result<Self> {
        let array = Npz::open(path)?.array_or_only(name)?;
        Ok(Self::new(Form::Npy(array.rows(|| Ok(None))?)))
    }

    /// A table of comma-separated numbers, a sample a line.
    ///
    /// # Errors
    /// [`DataError::MissingFile`], [`DataError::Read`], [`DataError::Malformed`] for lines of different
    /// length and text that is not UTF-8, [`DataError::Value`] for a field that is no number,
    /// [`DataError::Missing`] for a column that is not there.
    pub fn csv(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Self> {
        let mut rows = CsvRows::open(path.as_ref(), options.delimiter, u64::MAX)?;
        if let Some(columns) = &options.columns {
            rows.select(columns)?;
        }
        rows.set_header(options.header);
        Ok(Self::new(Form::Csv(Box::new(rows))))
    }

    /// Columns of a Parquet file by name, all numbers and none missing. Groups of rows are read one after
    /// another, of each column a page at a time.
    ///
    /// Packed by snappy or zstd or not at all, in plain, dictionary, delta or byte stream split encoding.
    ///
    /// # Errors
    /// [`DataError::MissingFile`], [`DataError::Read`]; [`DataError::Missing`] for a column that is not
    /// there, [`DataError::Unsupported`] for one that holds no numbers, [`DataError::Malformed`] for a
    /// broken file, [`DataError::Config`] for no columns.
    #[cfg(feature = "parquet")]
    pub fn parquet(path: impl AsRef<Path>, options: &ParquetOptions) -> Result<Self> {
        let rows = ParquetRows::open(path.as_ref(), options)?;
        Ok(Self::new(Form::Parquet(Box::new(rows))))
    }

    fn new(form: Form) -> Self {
        Self { form, read: 0 }
    }

    /// The dimensions of one sample.
    pub fn sample_shape(&self) -> Vec<usize> {
        match &self.form {
            Form::Npy(rows) => rows.sample_shape().to_vec(),
            Form::Csv(rows) => vec![rows.width()],
            #[cfg(feature = "parquet")]
            Form::Parquet(rows) => vec![rows.width()],
        }
    }

    /// The number of samples; `None` for CSV, which does not say.
    pub fn len(&self) -> Option<u64> {
        match &self.form {
            Form::Npy(rows) => Some(rows.len()),
            Form::Csv(_) => None,
            #[cfg(feature = "parquet")]
            Form::Parquet(rows) => Some(rows.len()),
        }
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
    /// [`DataError::Truncated`] or [`DataError::TrailingBytes`] for a file that does not hold what
    /// its header says; else as the constructors. [`DataError::Config`] for a size of 0.
    pub fn next_batch(&mut self, size: usize) -> Result<Option<Batch>> {
        check(size)?;
        let batch = match &mut self.form {
            Form::Npy(rows) => rows.next(size)?.map(batch),
            Form::Csv(rows) => rows.next(size)?.map(|lines| Batch {
                shape: vec![lines.count, rows.width()],
                values: Values::F64(lines.values),
            }),
            #[cfg(feature = "parquet")]
            Form::Parquet(rows) => rows.next(size)?,
        };
        if let Some(batch) = &batch {
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
        }))
    }
}

fn check(size: usize) -> Result<()> {
    match size {
        0 => Err(DataError::config("batch_size", "at least 1", size)),
        _ => Ok(()),
    }
}

/// Both are of one file, so that their samples and types agree.
fn extend(all: &mut Batch, piece: Batch) {
    all.shape[0] += piece.shape[0];
    match (&mut all.values, piece.values) {
        (Values::F32(all), Values::F32(piece)) => all.extend(piece),
        (Values::F64(all), Values::F64(piece)) => all.extend(piece),
        _ => unreachable!("a file has values of one type"),
    }
}

/// As f32 where that holds every value of the type, else as f64.
fn batch(rows: Array) -> Batch {
    let (shape, values) = (rows.shape().to_vec(), rows.to_f64());
    let values = if rows.layout().element.fits_f32() {
        Values::F32(values.into_iter().map(|v| v as f32).collect())
    } else {
        Values::F64(values)
    };
    Batch { shape, values }
}

/// The batches of a [`TableReader`]; ends after the first error.
///
/// ```
/// use puad_data::stream::TableReader;
///
/// # let dir = tempfile::tempdir().unwrap();
/// let path = dir.path().join("table.csv");
/// std::fs::write(&path, "1,2\n3,x\n5,6\n").unwrap();
/// let mut batches = TableReader::open(&path)?.batches(1)?;
/// assert!(batches.next().is_some_and(|batch| batch.is_ok()));
/// assert!(batches.next().is_some_and(|batch| batch.is_err()));
/// assert!(batches.next().is_none());
/// # Ok::<(), puad_data::DataError>(())
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
