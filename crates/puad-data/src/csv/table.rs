use std::path::Path;

use serde::{Deserialize, Serialize};

use super::CsvRows;
use super::columns::CsvColumns;
use crate::batch::{Batch, Values};
use crate::raw::ColumnRows;
use crate::table_rows::{TableOptions, TableRows, of_numbers};
use crate::{DataError, Result};

/// A column of a text table.
///
/// ```
/// use puad_data::stream::CsvColumn;
///
/// assert_eq!(CsvColumn::from("heat"), CsvColumn::Name("heat".into()));
/// assert_eq!(CsvColumn::from(2), CsvColumn::Index(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CsvColumn {
    /// The one of this number, counted from 0.
    Index(usize),
    /// The one of this name; needs a line of names.
    Name(String),
}

impl From<usize> for CsvColumn {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl From<&str> for CsvColumn {
    fn from(name: &str) -> Self {
        Self::Name(name.into())
    }
}

/// How a table of separated numbers, a sample a line, is read, plain or gzipped: in UTF-8, UTF-16 with a
/// mark, or Latin-1, with any line ends. Spaces around a cell are dropped, a cell in quotes may hold
/// anything, `True` and `False` are 1 and 0. A delimiter at each line's end adds no column.
///
/// Blank lines are passed over, but not between the values of a single column. So are comments, lines that
/// begin with `#`, above the table. One of as many cells as the table has may hold its names, as numpy's
/// `savetxt` writes them: it does where the table's first line holds numbers, and the comment none. Within a
/// table a comment is an error, unless all samples begin with `#`.
///
/// # Errors
/// [`MissingFile`](DataError::MissingFile), [`Read`](DataError::Read),
/// [`Unsupported`](DataError::Unsupported) for a file that is no text,
/// [`Malformed`](DataError::Malformed) for lines of different length and a quote that is not closed,
/// [`Value`](DataError::Value) for a field that is no finite number, a gap too,
/// [`Missing`](DataError::Missing) for a column that is not there,
/// [`Ambiguous`](DataError::Ambiguous) for a delimiter, first line or comment that can be taken in two ways.
///
/// ```
/// use puad_data::stream::{CsvOptions, TableReader, Values};
///
/// let path = std::env::temp_dir().join(format!("columns-{}.csv", std::process::id()));
/// std::fs::write(&path, "machine;pressure;heat\nM 17;0,5;80\nM 18;0,7;85\n")?;
/// let options = CsvOptions {
///     decimal: b',',
///     columns: Some(vec!["heat".into(), "pressure".into()]),
///     ids: Some("machine".into()),
///     ..CsvOptions::default()
/// };
/// let mut table = TableReader::open_with(&path, &options)?;
/// assert_eq!(table.columns(), ["heat", "pressure"]);
/// let batch = table.next_batch(100)?.expect("the file has lines");
/// assert_eq!(batch.values, Values::F64(vec![80., 0.5, 85., 0.7]));
/// assert_eq!(batch.ids, ["M 17", "M 18"]);
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvOptions {
    /// Lines above the table that are passed over, such as a title's; blank ones count.
    pub skip_lines: usize,
    /// Between the fields of a line. `None`: a tab if the file's name ends in `.tsv`, else the one of comma,
    /// semicolon, tab and bar that the first two lines agree on.
    pub delimiter: Option<u8>,
    /// Between a number's whole part and its fraction; a comma in much of Europe.
    pub decimal: u8,
    /// Names of the columns of a file that has none.
    pub names: Option<Vec<String>>,
    /// Whether the first line holds names. `None`: if it holds texts alone, or the numbers from 0 to 2 or
    /// more above numbers with a decimal point; what could be either is an error. With `false` a comment holds
    /// none either.
    pub header: Option<bool>,
    /// The columns that are features, in the order they are to have. `None`: all, but for the rows' names.
    pub columns: Option<Vec<CsvColumn>>,
    /// The column of the rows' names, in which may be anything. `None`: the first one, if the line of names
    /// has none for it (or `Unnamed: 0`), as pandas and R write a table with row numbers.
    pub ids: Option<CsvColumn>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            skip_lines: 0,
            delimiter: None,
            decimal: b'.',
            names: None,
            header: None,
            columns: None,
            ids: None,
        }
    }
}

impl CsvOptions {
    pub(super) fn check(&self) -> Result<()> {
        let (decimal, delimiter) = (self.decimal, self.delimiter);
        if !matches!(decimal, b'.' | b',') || delimiter == Some(decimal) {
            let rule = "a point or a comma, and not the delimiter";
            return Err(DataError::config("decimal", rule, char::from(decimal)));
        }
        if let (Some(_), Some(true)) = (&self.names, self.header) {
            let rule = "none where the first line holds them";
            return Err(DataError::config("names", rule, "both"));
        }
        match delimiter {
            Some(byte @ (b'"' | b'\n' | b'\r')) | Some(byte @ 128..) => {
                let rule = "an ASCII character other than quotes and line ends";
                Err(DataError::config("delimiter", rule, byte))
            }
            _ => Ok(()),
        }
    }

    /// With the delimiter that the file's name stands for.
    pub(super) fn of(&self, path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let tabs = [".tsv", ".tsv.gz"]
            .iter()
            .any(|ending| name.ends_with(ending));
        Self {
            delimiter: self.delimiter.or(tabs.then_some(b'\t')),
            ..self.clone()
        }
    }
}

impl TableOptions for CsvOptions {
    const ENDINGS: &'static [&'static str] = &[".csv", ".csv.gz", ".tsv", ".tsv.gz"];

    fn rows(&self, path: &Path) -> Result<Box<dyn TableRows>> {
        Ok(Box::new(CsvRows::open(path, self)?))
    }

    /// All columns as texts.
    fn columns(&self, path: &Path) -> Result<Box<dyn ColumnRows>> {
        match (&self.columns, &self.ids) {
            (None, None) => Ok(Box::new(CsvColumns::open(path, self)?)),
            _ => Err(of_numbers()),
        }
    }
}

impl TableRows for CsvRows {
    fn sample_shape(&self) -> Vec<usize> {
        vec![self.width()]
    }

    fn count(&self) -> Option<u64> {
        None
    }

    fn columns(&self) -> Vec<String> {
        self.feature_names()
    }

    fn next(&mut self, size: usize) -> Result<Option<Batch>> {
        let lines = self.read_lines(size)?;
        Ok(lines.map(|lines| Batch {
            shape: vec![lines.count, self.width()],
            values: Values::F64(lines.values),
            ids: lines.ids,
        }))
    }
}
