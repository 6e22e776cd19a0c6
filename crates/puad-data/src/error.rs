#[cfg(feature = "download")]
mod download;

use std::fmt;
#[cfg(feature = "tables")]
use std::io;
#[cfg(feature = "tables")]
use std::path::Path;
use std::path::PathBuf;

#[cfg(feature = "download")]
pub use download::DownloadError;

/// The crate's result type.
pub type Result<T, E = DataError> = std::result::Result<T, E>;

/// Where in a file something is wrong.
///
/// ```
/// use puad_data::Place;
///
/// let place = Place::Cell { line: 2, column: "width".into() };
/// assert_eq!(format!("not a number{place}"), "not a number in line 2, column \"width\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// All of it.
    Whole,
    /// A byte of the (unpacked) file, counted from 0.
    Byte(u64),
    /// A sample, counted from 0.
    Row(usize),
    /// A line of text, counted from 1.
    Line(u64),
    /// A value of a column.
    Entry {
        /// The sample, counted from 0.
        row: usize,
        /// Its name, or its number counted from 0 without the label.
        column: String,
    },
    /// A cell of text.
    Cell {
        /// Counted from 1.
        line: u64,
        /// Its name, or its number counted from 0.
        column: String,
    },
}

/// With the preposition, for the end of a sentence.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Byte(offset) => write!(f, " at byte {offset}"),
            Self::Row(row) => write!(f, " in row {row}"),
            Self::Line(line) => write!(f, " in line {line}"),
            Self::Entry { row, column } => write!(f, " in row {row}, column {column:?}"),
            Self::Cell { line, column } => write!(f, " in line {line}, column {column:?}"),
        }
    }
}

/// A file that could not be read or fetched, or content that breaks a rule. Each message states the file,
/// the place, the rule and what came.
///
/// ```
/// use puad_data::csv::{self, CsvConfig};
/// use puad_data::{DataError, Place};
///
/// let path = std::env::temp_dir().join(format!("gap-{}.csv", std::process::id()));
/// std::fs::write(&path, "length,broken\n1.5,0\nn/a,1\n")?;
/// match csv::read(&path, &CsvConfig::default()) {
///     Err(DataError::Value { place: Place::Cell { line, column, .. }, .. }) => {
///         assert_eq!((line, column.as_str()), (3, "length"));
///     }
///     other => panic!("{other:?}"),
/// }
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file that is not there.
    #[error("there is no file {}, plain or gzipped", path.display())]
    MissingFile {
        /// The path, without the ending `.gz`.
        path: PathBuf,
    },

    /// A file that cannot be read, unpacked or decoded.
    #[error("{} cannot be read at byte {offset}: {source}", path.display())]
    Read {
        /// The file; a member of an archive as `archive.npz/member.npy`.
        path: PathBuf,
        /// Number of (unpacked) bytes read before.
        offset: u64,
        /// What the system or the decoder says.
        source: std::io::Error,
    },

    /// A file that cannot be written; one that was there is as it was.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system or the encoder says.
        source: std::io::Error,
    },

    /// A file that ends early, or goes on where it should end.
    #[error("{} must hold {expected} bytes, got {}", path.display(), counted(actual))]
    FileSize {
        /// The file.
        path: PathBuf,
        /// Number of (unpacked) bytes that the format accounts for, up to the end of what was being read.
        expected: u64,
        /// Number of (unpacked) bytes there are; `None` for more, which are not counted.
        actual: Option<u64>,
    },

    /// Content that breaks a rule of the file's format.
    #[error("{}: {rule}, got {found}{place}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// The rule.
        rule: &'static str,
        /// What is there.
        found: String,
    },

    /// Content that can be taken in two ways: say which.
    #[error("{}: {found} may be {meanings}{place}: {remedy}", path.display())]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Box<Place>,
        /// What is there.
        found: String,
        /// What it may be.
        meanings: &'static str,
        /// How to say what it is.
        remedy: &'static str,
    },

    /// A file that may be whole, but of a kind that is not read: convert it.
    #[error("{}: {rule}, got {found}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is read.
        rule: &'static str,
        /// What is there.
        found: String,
    },

    /// An array or image of another shape than its role asks for, or beyond the number of bytes that are
    /// read.
    #[error("{}: {name} must have shape {expected}, got {actual:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// The shape with names.
        expected: String,
        /// The dimensions there.
        actual: Vec<usize>,
    },

    /// A file without the array or column that is needed, or a folder without the file.
    #[error("{} must hold {name}, got {present:?}", path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
        /// What is needed.
        name: String,
        /// What there is.
        present: Vec<String>,
    },

    /// Lists that must be as long as each other, such as images and labels.
    #[error(
        "{}{first_name} and {second_name} must be as many, got {first} and {second}",
        of(path)
    )]
    Length {
        /// The file, where they are from one.
        path: Option<PathBuf>,
        /// One list.
        first_name: String,
        /// Its length.
        first: usize,
        /// The other.
        second_name: String,
        /// Its length.
        second: usize,
    },

    /// A label, a cell of text or a number that breaks a rule: what is no number, or not finite.
    #[error("{}{rule}, got {found}{place}", of(path))]
    Value {
        /// The file, where the value is from one.
        path: Option<PathBuf>,
        /// Where in it.
        place: Place,
        /// The rule.
        rule: String,
        /// What is there.
        found: String,
    },

    /// A setting outside its range.
    #[error("{name} must be {rule}, got {value}")]
    Config {
        /// The setting.
        name: &'static str,
        /// The rule it broke.
        rule: &'static str,
        /// The rejected value.
        value: String,
    },

    /// A published file that could not be fetched.
    #[cfg(feature = "download")]
    #[error(transparent)]
    Download(#[from] DownloadError),
}

/// A file before what is wrong with it.
fn of(path: &Option<PathBuf>) -> String {
    match path {
        Some(path) => format!("{}: ", path.display()),
        None => String::new(),
    }
}

/// Bytes of a file, which may be more than were read.
fn counted(bytes: &Option<u64>) -> String {
    bytes.map_or("more".into(), |bytes| bytes.to_string())
}

/// The message: it is what a `main` that returns the error, and `unwrap`, print.
impl fmt::Debug for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl DataError {
    /// Of a file that cannot be opened or read: what is not there is [`DataError::MissingFile`].
    #[cfg(feature = "tables")]
    pub(crate) fn read(path: &Path, offset: u64, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::NotFound => Self::MissingFile { path },
            _ => Self::Read {
                path,
                offset,
                source,
            },
        }
    }

    /// Of an array beyond `limit` bytes.
    #[cfg(feature = "tables")]
    pub(crate) fn too_large(
        path: &Path,
        shape: Vec<usize>,
        element_bytes: usize,
        limit: u64,
    ) -> Self {
        Self::Shape {
            path: path.into(),
            name: "an array".into(),
            expected: format!("[..] of at most {limit} bytes, {element_bytes} each"),
            actual: shape,
        }
    }

    /// A setting `name` that breaks `rule`.
    pub(crate) fn config(name: &'static str, rule: &'static str, value: impl ToString) -> Self {
        let value = value.to_string();
        Self::Config { name, rule, value }
    }
}
