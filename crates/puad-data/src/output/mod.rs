//! Columns out: CSV, and Parquet with the feature `parquet`.

mod csv;
mod file;
#[cfg(feature = "parquet")]
mod parquet;

use std::path::{Path, PathBuf};

use self::csv::CsvForm;
use self::file::Unfinished;
use crate::{DataError, Result};

/// What a column that is written holds.
///
/// ```
/// use puad_data::output::Kind;
///
/// assert_eq!(Kind::Number.to_string(), "number");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 64-bit integers.
    Integer,
    /// 64-bit floats, which CSV has in the fewest digits that give the same number again.
    Number,
    /// 32-bit floats, likewise.
    Single,
    /// `true` and `false`.
    Boolean,
    /// UTF-8.
    Text,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Single => "single",
            Self::Boolean => "boolean",
            Self::Text => "text",
        })
    }
}

/// Some rows of a column.
///
/// ```
/// use puad_data::output::{Cells, Kind};
///
/// assert_eq!(Cells::Numbers(&[0.5, 2.]).kind(), Kind::Number);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Cells<'a> {
    /// Of [`Kind::Integer`].
    Integers(&'a [i64]),
    /// Of [`Kind::Number`].
    Numbers(&'a [f64]),
    /// Of [`Kind::Single`].
    Singles(&'a [f32]),
    /// Of [`Kind::Boolean`].
    Booleans(&'a [bool]),
    /// Of [`Kind::Text`].
    Texts(&'a [String]),
}

impl Cells<'_> {
    /// What they are.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Integers(_) => Kind::Integer,
            Self::Numbers(_) => Kind::Number,
            Self::Singles(_) => Kind::Single,
            Self::Booleans(_) => Kind::Boolean,
            Self::Texts(_) => Kind::Text,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
            Self::Singles(cells) => cells.len(),
            Self::Booleans(cells) => cells.len(),
            Self::Texts(cells) => cells.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A table that is written some rows at a time, to a file that has its name only when it is whole. Parquet has groups of
/// 100,000 rows, packed by zstd, however many are written at once.
///
/// ```
/// use puad_data::output::{Cells, Kind, TableWriter};
///
/// let path = std::env::temp_dir().join(format!("scores-{}.csv", std::process::id()));
/// let mut writer = TableWriter::create(&path, &[("row", Kind::Integer), ("score", Kind::Number)])?;
/// writer.write(&[Cells::Integers(&[0, 1]), Cells::Numbers(&[0.25, 3.])])?;
/// assert!(!path.exists());
/// writer.finish()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "row,score\n0,0.25\n1,3.0\n");
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableWriter {
    path: PathBuf,
    columns: Vec<(String, Kind)>,
    form: Box<dyn Form>,
}

/// A format that is written.
trait Form: Send {
    /// Rows, of the columns' kinds and of one length.
    fn write(&mut self, columns: &[Cells<'_>]) -> Result<()>;

    /// The file as far as it is written, to be put in its place.
    fn finish(self: Box<Self>) -> Result<Unfinished>;
}

impl TableWriter {
    /// A file of columns of these names and kinds, in the format that its ending names: `.csv`, or `.parquet` with the
    /// feature `parquet`. A file that is there is replaced by [`finish`](Self::finish), and stays as it is until then.
    ///
    /// # Errors
    /// [`DataError::Unsupported`] for another ending; [`DataError::Config`] for no columns and for a name that is there
    /// twice; [`DataError::Write`] where no file can be made.
    pub fn create(path: impl AsRef<Path>, columns: &[(&str, Kind)]) -> Result<Self> {
        let path = path.as_ref();
        let columns: Vec<(String, Kind)> = columns
            .iter()
            .map(|(name, kind)| (name.to_string(), *kind))
            .collect();
        for (at, (name, _)) in columns.iter().enumerate() {
            if columns[..at].iter().any(|(before, _)| before == name) {
                let rule = "at least one, of names that differ";
                return Err(DataError::config(
                    "columns",
                    rule,
                    format!("{name:?} twice"),
                ));
            }
        }
        if columns.is_empty() {
            let rule = "at least one, of names that differ";
            return Err(DataError::config("columns", rule, "none"));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let form: Box<dyn Form> = match name.rsplit_once('.') {
            Some((_, "csv")) => Box::new(CsvForm::create(path, &columns)?),
            #[cfg(feature = "parquet")]
            Some((_, "parquet")) => Box::new(parquet::ParquetForm::create(path, &columns)?),
            _ => {
                return Err(DataError::Unsupported {
                    path: path.into(),
                    rule: "what is written ends in .csv or .parquet (feature `parquet`)",
                    found: format!("{name:?}"),
                });
            }
        };
        Ok(Self {
            path: path.into(),
            columns,
            form,
        })
    }

    /// Adds rows: a list of cells a column, in the order of the columns.
    ///
    /// # Errors
    /// [`DataError::Length`] unless there are as many lists as columns, all of one length; [`DataError::Config`] for cells of
    /// another kind than their column; [`DataError::Write`].
    pub fn write(&mut self, columns: &[Cells<'_>]) -> Result<()> {
        let lengths = |first_name: &str, first, second_name: &str, second| DataError::Length {
            path: Some(self.path.clone()),
            first_name: first_name.into(),
            first,
            second_name: second_name.into(),
            second,
        };
        let (given, there) = (columns.len(), self.columns.len());
        if given != there {
            return Err(lengths("lists of cells", given, "columns", there));
        }
        for (cells, (name, kind)) in columns.iter().zip(&self.columns) {
            if cells.kind() != *kind {
                let got = format!("{} cells of column {name:?}, {kind}", cells.kind());
                return Err(DataError::config("cells", "of their column's kind", got));
            }
            if cells.len() != columns[0].len() {
                let (first, rows) = (&self.columns[0].0, columns[0].len());
                return Err(lengths(name, cells.len(), first, rows));
            }
        }
        self.form.write(columns)
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// [`DataError::Write`].
    pub fn finish(self) -> Result<()> {
        self.form.finish()?.put(&self.path)
    }
}
