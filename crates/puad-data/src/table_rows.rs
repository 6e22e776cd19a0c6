//! What a format of tables is to its readers.

use std::path::Path;

use crate::batch::{Batch, Values};
use crate::raw::{ColumnRows, RawBatch, RawColumn};
use crate::stored_rows::StoredRows;
use crate::{DataError, Place, Result};

/// How a file of one format is read as a table: its options, each format's own. A format of one's own is
/// read like those that are here, by [`TableReader::open_with`](crate::stream::TableReader::open_with).
///
/// ```
/// use std::path::Path;
/// use puad_data::stream::{Batch, TableOptions, TableReader, TableRows, Values};
///
/// /// A byte a sample, at most 4096 of them.
/// #[derive(Default)]
/// struct Bytes;
///
/// struct ByteRows(std::vec::IntoIter<u8>);
///
/// impl TableOptions for Bytes {
///     const ENDINGS: &'static [&'static str] = &[".raw"];
///
///     fn rows(&self, path: &Path) -> puad_data::Result<Box<dyn TableRows>> {
///         let bytes = std::fs::read(path).unwrap_or_default();
///         Ok(Box::new(ByteRows(bytes.into_iter())))
///     }
/// }
///
/// impl TableRows for ByteRows {
///     fn sample_shape(&self) -> Vec<usize> {
///         vec![1]
///     }
///
///     fn count(&self) -> Option<u64> {
///         None
///     }
///
///     fn next(&mut self, size: usize) -> puad_data::Result<Option<Batch>> {
///         let values: Vec<f32> = self.0.by_ref().take(size).map(f32::from).collect();
///         let shape = vec![values.len(), 1];
///         let batch = Batch { shape, values: Values::F32(values), ids: vec![] };
///         Ok((batch.shape[0] > 0).then_some(batch))
///     }
/// }
///
/// let path = std::env::temp_dir().join(format!("bytes-{}.raw", std::process::id()));
/// std::fs::write(&path, [3, 1, 4])?;
/// let table = TableReader::open_with(&path, &Bytes)?.read()?;
/// assert_eq!(table.values, Values::F32(vec![3., 1., 4.]));
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait TableOptions: Default {
    /// The endings of file names, in lower case, by which
    /// [`TableReader::open`](crate::stream::TableReader::open) knows the format, if it is one of this crate's.
    const ENDINGS: &'static [&'static str];

    /// Opens a file.
    ///
    /// # Errors
    /// Stated by each format's options.
    fn rows(&self, path: &Path) -> Result<Box<dyn TableRows>>;

    /// Opens a file as columns that may be other than numbers. Default: the numbers of [`rows`](Self::rows), whose
    /// values may be NaN, for a gap.
    ///
    /// # Errors
    /// Stated by each format's options.
    fn columns(&self, path: &Path) -> Result<Box<dyn ColumnRows>> {
        Ok(Box::new(NumberColumns::new(self.rows(path)?)))
    }

    /// Opens a file whose rows are read at any place. Default: a refusal, since rows of most formats are found by
    /// reading those before them.
    ///
    /// # Errors
    /// [`DataError::Unsupported`]; stated by each format's options.
    fn stored(&self, path: &Path) -> Result<Box<dyn StoredRows>> {
        Err(DataError::Unsupported {
            path: path.into(),
            rule: "rows are read at any place in plain .npy and in Parquet (feature `parquet`); write others as Parquet \
                   once, by `output::TableWriter`",
            found: format!("{:?}", path.file_name().unwrap_or_default()),
        })
    }
}

/// The rows of an open file that are still to come; [`TableOptions`] has an example.
pub trait TableRows {
    /// The dimensions of one row.
    fn sample_shape(&self) -> Vec<usize>;

    /// The number of all rows; `None` where the format does not say.
    fn count(&self) -> Option<u64>;

    /// Names of the values of a row; none where the format has none.
    fn columns(&self) -> Vec<String> {
        vec![]
    }

    /// The next `size` rows, at least 1, or what is left of them: `[n, ...]`, of one type of values in all
    /// batches; `None` at the end.
    ///
    /// # Errors
    /// Stated by the format's options.
    fn next(&mut self, size: usize) -> Result<Option<Batch>>;
}

/// A format of numbers alone.
pub(crate) struct NumberColumns {
    rows: Box<dyn TableRows>,
    names: Vec<String>,
}

impl NumberColumns {
    pub(crate) fn new(rows: Box<dyn TableRows>) -> Self {
        let width = rows.sample_shape().iter().product();
        let mut names = rows.columns();
        if names.len() != width {
            names = (0..width).map(|column| column.to_string()).collect();
        }
        Self { rows, names }
    }
}

impl ColumnRows for NumberColumns {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn count(&self) -> Option<u64> {
        self.rows.count()
    }

    fn next(&mut self, size: usize) -> Result<Option<RawBatch>> {
        let batch = self.rows.next(size)?;
        Ok(batch.map(|Batch { shape, values, .. }| {
            let (rows, width) = (shape[0], self.names.len());
            let column = |of: usize| RawColumn::Numbers(every(&values, of, width));
            let columns = (0..width).map(column).collect();
            let lines = vec![];
            RawBatch {
                rows,
                columns,
                lines,
            }
        }))
    }
}

/// The values of a column of rows of `width`.
fn every(values: &Values, column: usize, width: usize) -> Vec<f64> {
    fn of<T: Copy + Into<f64>>(values: &[T], column: usize, width: usize) -> Vec<f64> {
        let values = values.iter().skip(column).step_by(width);
        values.map(|&value| value.into()).collect()
    }
    match values {
        Values::U8(values) => of(values, column, width),
        Values::F32(values) => of(values, column, width),
        Values::F64(values) => of(values, column, width),
    }
}

/// `columns` and `ids` of a format's options, where a schema decides on columns.
pub(crate) fn of_numbers() -> DataError {
    let rule = "left to tables of numbers: a schema says which columns are features and ids";
    DataError::config("columns and ids", rule, "one of them")
}

/// Names under which rows are counted or told apart.
const OF_ROWS: [&str; 5] = ["id", "index", "idx", "row_id", "rowid"];

/// A count of rows among features that nobody chose: what was not counted yet would be an anomaly.
pub(crate) fn check_names(path: &Path, features: &[String]) -> Result<()> {
    let of_rows = |name: &&String| OF_ROWS.iter().any(|of| name.eq_ignore_ascii_case(of));
    match features.iter().find(of_rows) {
        None => Ok(()),
        Some(name) => Err(DataError::Ambiguous {
            path: path.into(),
            place: Box::new(Place::Whole),
            found: format!("the column {name:?}"),
            meanings: "a feature or tell rows apart",
            remedy: "set `ids` to it, or `columns` to those that are features",
        }),
    }
}

/// A name that is there more than once.
pub(crate) fn twice(names: &[String]) -> Option<&String> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    sorted
        .array_windows()
        .find_map(|[a, b]| (a == b).then_some(*a))
}
