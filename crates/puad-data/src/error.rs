use std::fmt;
#[cfg(feature = "tables")]
use std::io;
#[cfg(feature = "tables")]
use std::path::Path;
use std::path::PathBuf;

use super::{FormatError, ImageShape};

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
    /// A value of a column with a name.
    Entry {
        /// The sample, counted from 0.
        row: usize,
        /// The name.
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
            Self::Entry { row, column } => write!(f, " in row {row}, column {column:?}"),
            Self::Cell { line, column } => write!(f, " in line {line}, column {column:?}"),
        }
    }
}

/// A file that could not be read or fetched, or content that breaks a rule. Each message states the file,
/// the place, the rule and what came.
///
/// ```
/// use puad_data::{DataError, npz::Npz};
///
/// let missing = Npz::open("no-such-file.npz");
/// assert!(matches!(missing, Err(DataError::MissingFile { .. })));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
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
    Download(#[from] crate::benchmarks::download::DownloadError),

    /// An image side, or the number of channels, that is 0, or a size beyond the address space.
    #[error("image shapes must have positive sides and fit in memory, got {shape}")]
    EmptyImage {
        /// The shape.
        shape: ImageShape,
    },

    /// Images that cannot take another number of channels.
    #[error("images keep their channels unless they are grey, got {from} as input, {to} as output")]
    Channels {
        /// Channels of the stored images.
        from: usize,
        /// Channels asked for.
        to: usize,
    },

    /// Pixels that do not fill a whole number of images, one a label.
    #[error("{labels} images of shape {shape} need {expected} bytes of pixels, got {actual}")]
    Pixels {
        /// Number of labels.
        labels: usize,
        /// Shape of one image.
        shape: ImageShape,
        /// Number of labels times the shape.
        expected: usize,
        /// Number of pixel bytes.
        actual: usize,
    },

    /// A file that is not there.
    #[error("there is no file {}, plain or gzipped", path.display())]
    MissingFile {
        /// The path, without the ending `.gz`.
        path: PathBuf,
    },

    /// A file that cannot be read or unpacked.
    #[error("{} cannot be read at byte {offset}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Number of (unpacked) bytes read before.
        offset: u64,
        /// What the system or the gzip decoder says.
        source: std::io::Error,
    },

    /// A file that ends early.
    #[error("{} must hold {expected} bytes, got {actual}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Number of (unpacked) bytes up to the end of what was being read.
        expected: u64,
        /// Number of (unpacked) bytes there are.
        actual: u64,
    },

    /// A file that goes on where it should end.
    #[error("{} must end after {offset} bytes, but goes on", path.display())]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// Number of (unpacked) bytes the format accounts for.
        offset: u64,
    },

    /// Content that breaks a rule of the file's format.
    #[error("{}: {rule}, got {found}{place}", path.display())]
    Malformed {
        /// The file; a member of an archive as `archive.npz/member.npy`.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// The rule.
        rule: &'static str,
        /// What is there.
        found: String,
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

    /// An array or image of another shape than its role asks for.
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

    /// An array beyond the number of bytes that are read.
    #[error(
        "{}: arrays must have at most {limit} bytes, got shape {shape:?} of {element_bytes} bytes each",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The dimensions that the header promises.
        shape: Vec<usize>,
        /// Bytes of one value.
        element_bytes: usize,
        /// The most bytes.
        limit: u64,
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

    /// A label or a cell of text that breaks a rule.
    #[error("{}: {rule}, got {found}{place}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// The rule.
        rule: String,
        /// What is there.
        found: String,
    },

    /// A file that does not start as IDX of unsigned bytes does.
    #[error("{} must start with [0, 0, 8, rank] as IDX of bytes does, got {magic:?}", path.display())]
    IdxMagic {
        /// The file.
        path: PathBuf,
        /// Its first four bytes.
        magic: Vec<u8>,
    },

    /// An IDX file of another rank than its role asks for: images given as labels, or labels as
    /// images.
    #[error("{} must have {expected} dimensions, got {actual}", path.display())]
    IdxRank {
        /// The file.
        path: PathBuf,
        /// 3 for images, 1 for labels.
        expected: usize,
        /// The file's byte 3.
        actual: u8,
    },

    /// IDX dimensions that give no pixels or too many.
    #[error("{} must have positive sides and at most {limit} values, got {dims:?}", path.display())]
    IdxSize {
        /// The file.
        path: PathBuf,
        /// Its dimensions.
        dims: Vec<u32>,
        /// The most values that are read.
        limit: u64,
    },

    /// A file whose ending names no table.
    #[error("tables must end in .npy, .npz or .csv, got {}", path.display())]
    TableFormat {
        /// The file.
        path: PathBuf,
    },

    /// An array stored column by column in a file that can be read but from start to end, such as a
    /// member of an archive: its samples do not come one after another.
    #[error(
        "{} must be in C order to be read by samples while it is packed, got Fortran order: \
         unpack it, or save numpy.ascontiguousarray(a)",
        path.display()
    )]
    FortranOrder {
        /// The file.
        path: PathBuf,
    },

    /// An array that is no list of samples.
    #[error(
        "{} must have shape (n, ...) with values in each sample and fit in memory's addresses, \
         got {shape:?}",
        path.display()
    )]
    NpyShape {
        /// The file.
        path: PathBuf,
        /// Its shape.
        shape: Vec<usize>,
    },

    /// An archive without the array asked for, or without a single one where none was named.
    #[error(
        "{} must hold the array asked for ({}), got {arrays:?}",
        path.display(),
        name.as_deref().unwrap_or("its only one")
    )]
    NpzArray {
        /// The file.
        path: PathBuf,
        /// The array asked for.
        name: Option<String>,
        /// The arrays there are.
        arrays: Vec<String>,
    },

    /// A broken zip archive.
    #[error("{} must be a zip archive that can be read: {cause}", path.display())]
    Zip {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },

    /// Lines that form no table.
    #[error("{} must be a table: {cause}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A field that is no number.
    #[error("{} must hold numbers, got {text:?} in line {line}, column {column}", path.display())]
    CsvValue {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// Counted from 0.
        column: usize,
        /// The field.
        text: String,
    },

    /// A column that is not there.
    #[error("{} must have the column {column} asked for, got {width} columns", path.display())]
    CsvColumn {
        /// The file.
        path: PathBuf,
        /// Counted from 0.
        column: usize,
        /// Number of columns.
        width: usize,
    },

    /// A label that names no class.
    #[error("{} must hold labels below {classes}, got {label} at byte {offset}", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// The label's position in the (unpacked) file.
        offset: u64,
        /// The label.
        label: u8,
        /// Number of classes.
        classes: u8,
    },

    /// A file whose content breaks a rule of its format.
    #[error("{}: {source}", path.display())]
    Format {
        /// The file; a member of an archive as `archive.npz/member.npy`.
        path: PathBuf,
        /// The rule.
        source: FormatError,
    },

    /// Values and labels that make no table.
    #[error(transparent)]
    Table(FormatError),

    /// Images and labels that differ in number.
    #[error(
        "{} and {} must hold as many images as labels, got {image_count} and {label_count}",
        images.display(), labels.display()
    )]
    Counts {
        /// The file of images.
        images: PathBuf,
        /// The file of labels.
        labels: PathBuf,
        /// Number of images.
        image_count: u32,
        /// Number of labels.
        label_count: u32,
    },

    /// Training and test images of different size.
    #[error("{} must hold images of one size, got {train} in training, {test} in test", path.display())]
    ImageShapes {
        /// The folder.
        path: PathBuf,
        /// Shape of a training image.
        train: ImageShape,
        /// Shape of a test image.
        test: ImageShape,
    },
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

    /// A setting `name` that breaks `rule`.
    #[cfg(feature = "tables")]
    pub(crate) fn config(name: &'static str, rule: &'static str, value: impl ToString) -> Self {
        let value = value.to_string();
        Self::Config { name, rule, value }
    }
}
