//! The columns of a Parquet file that are features, some rows at a time.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::columns::ParquetColumns;
use super::stored::StoredParquet;
use super::{ParquetFile, Rows, caught};
use crate::batch::{Batch, Values};
use crate::raw::ColumnRows;
use crate::stored_rows::StoredRows;
use crate::table_rows::{TableOptions, TableRows, check_names, of_numbers, twice};
use crate::{DataError, Result};

/// Columns of a Parquet file by name, all numbers and none missing. Groups of rows are read one after
/// another, of each column a page at a time.
///
/// Packed by snappy, zstd or gzip or not at all, in plain, dictionary, delta or byte stream split encoding.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`]; [`DataError::Missing`] for a column that is not
/// there, [`DataError::Unsupported`] for one that holds no numbers, [`DataError::Malformed`] for a
/// broken file, [`DataError::Config`] for no columns.
///
/// ```
/// use puad_data::stream::{ParquetOptions, TableReader, Values};
///
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/datasets/cifar10_test.parquet");
/// let columns = Some(vec!["label".into()]);
/// let ids = Some("img.path".into());
/// let table = TableReader::open_with(path, &ParquetOptions { columns, ids })?;
/// assert_eq!(table.columns(), ["label"]);
/// let labels = table.read()?;
/// assert_eq!(labels.ids.len(), 3);
/// assert_eq!((labels.shape, labels.values), (vec![3, 1], Values::F64(vec![0., 1., 2.])));
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParquetOptions {
    /// Names of the columns that are features, in the order they are to have; within a structure
    /// with its name and a dot before. `None`: all, but for the rows' names and what pandas writes as such
    /// (`__index_level_0__`).
    pub columns: Option<Vec<String>>,
    /// The column of the rows' names, texts or numbers.
    pub ids: Option<String>,
}

impl TableOptions for ParquetOptions {
    const ENDINGS: &'static [&'static str] = &[".parquet", ".parquet.gzip", ".parq", ".pq"];

    fn rows(&self, path: &Path) -> Result<Box<dyn TableRows>> {
        Ok(Box::new(ParquetRows::open(path, self)?))
    }

    /// All columns of numbers, truth values, texts, dates and timestamps, with their gaps; a schema says which of
    /// them are features.
    fn columns(&self, path: &Path) -> Result<Box<dyn ColumnRows>> {
        match self {
            Self {
                columns: None,
                ids: None,
            } => Ok(Box::new(ParquetColumns::open(path)?)),
            _ => Err(of_numbers()),
        }
    }

    /// The rows' names are not read.
    fn stored(&self, path: &Path) -> Result<Box<dyn StoredRows>> {
        Ok(Box::new(StoredParquet::open(path, self)?))
    }
}

/// The columns of a file that are features.
pub(super) struct Features {
    pub(super) columns: Vec<usize>,
    pub(super) names: Vec<String>,
    pub(super) fits_f32: bool,
}

impl Features {
    pub(super) fn of(file: &ParquetFile, options: &ParquetOptions) -> Result<Self> {
        if let Some(ids) = &options.ids {
            file.find(ids)?;
        }
        if let Some(name) = options.columns.as_deref().and_then(twice) {
            let value = format!("{name:?} twice");
            return Err(DataError::config("columns", "names that differ", value));
        }
        let columns: Vec<usize> = match &options.columns {
            Some(names) => names
                .iter()
                .map(|name| file.find(name))
                .collect::<Result<_>>()?,
            None => (0..file.columns().len())
                .filter(|&column| is_feature(&file.name(column), options))
                .collect(),
        };
        if columns.is_empty() {
            return Err(DataError::config("columns", "at least one", "none"));
        }
        let numbers = columns.iter().map(|&column| file.number(column));
        let numbers = numbers.collect::<Result<Vec<_>>>()?;
        let names: Vec<_> = columns.iter().map(|&column| file.name(column)).collect();
        if options.columns.is_none() {
            check_names(file.path(), &names)?;
        }
        Ok(Self {
            columns,
            names,
            fits_f32: numbers.iter().all(|number| number.fits_f32()),
        })
    }
}

/// The rows that are still to come.
struct ParquetRows {
    /// `None` behind the end or an error.
    rows: Option<Rows>,
    names: Vec<String>,
    width: usize,
    /// Whether the rows' names follow their values.
    with_ids: bool,
    len: u64,
    fits_f32: bool,
}

impl ParquetRows {
    fn open(path: &Path, options: &ParquetOptions) -> Result<Self> {
        let file = ParquetFile::open(path)?;
        let features = Features::of(&file, options)?;
        let ids = options.ids.iter().map(|name| file.find(name));
        let ids = ids.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            names: features.names,
            width: features.columns.len(),
            with_ids: !ids.is_empty(),
            len: file.rows(),
            fits_f32: features.fits_f32,
            rows: Some(Rows::new(file, [features.columns, ids].concat())),
        })
    }
}

impl TableRows for ParquetRows {
    fn sample_shape(&self) -> Vec<usize> {
        vec![self.width]
    }

    fn count(&self) -> Option<u64> {
        Some(self.len)
    }

    fn columns(&self) -> Vec<String> {
        self.names.clone()
    }

    fn next(&mut self, size: usize) -> Result<Option<Batch>> {
        let Some(mut rows) = self.rows.take() else {
            return Ok(None);
        };
        let path = rows.file().path().to_path_buf();
        let read = || read(&mut rows, self.width, size, self.with_ids);
        let (values, ids) = caught(&path, read)?;
        if values.is_empty() {
            return Ok(None);
        }
        self.rows = Some(rows);
        let shape = vec![values.len() / self.width, self.width];
        let values = Values::new(values, self.fits_f32);
        Ok(Some(Batch { shape, values, ids }))
    }
}

/// Whether a column is one where nobody says which are.
fn is_feature(name: &str, options: &ParquetOptions) -> bool {
    options.ids.as_deref() != Some(name) && !name.starts_with("__index_level_")
}

/// Up to `size` rows, `[n, width]`, and their names, which come behind the values.
pub(super) fn read(
    rows: &mut Rows,
    width: usize,
    size: usize,
    with_ids: bool,
) -> Result<(Vec<f64>, Vec<String>)> {
    let (mut values, mut ids) = (Vec::new(), Vec::new());
    let mut count = 0;
    while count < size {
        let n = rows.step(size - count)?;
        if n == 0 {
            break;
        }
        let start = values.len();
        values.resize(start + n * width, 0.);
        for column in 0..width {
            let numbers = rows.numbers(column, n)?;
            let places = values[start + column..].iter_mut().step_by(width);
            places
                .zip(numbers)
                .for_each(|(place, number)| *place = number);
        }
        if with_ids {
            ids.extend(rows.texts(width, n)?);
        }
        rows.advance(n);
        count += n;
    }
    Ok((values, ids))
}
