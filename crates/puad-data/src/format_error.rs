#[cfg(feature = "tables")]
use std::path::Path;

#[cfg(feature = "tables")]
use super::DataError;

/// A rule that the content of a file breaks; [`DataError::Format`] adds the file.
///
/// ```
/// use puad_data::DataError;
/// use puad_data::{DataError, FormatError, mat};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("train.mat");
/// // As MATLAB saves with `-v7.3`: HDF5 behind a header of its own.
/// let mut header = [b' '; 128];
/// header[124..].copy_from_slice(b"\x00\x02IM");
/// std::fs::write(&path, header)?;
/// match mat::read(&path, ["X"]) {
///     Err(DataError::Format { source: FormatError::Version { actual, .. }, .. }) => {
///         println!("saved as version {actual}: save it again with -v7");
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A file of another format.
    #[error("{format} must start with {expected:?}, got {actual:?}")]
    Magic {
        /// The format.
        format: &'static str,
        /// Its first bytes.
        expected: Vec<u8>,
        /// The bytes there.
        actual: Vec<u8>,
    },

    /// A version of the format that is not read.
    #[error("{format} must be of version {expected}, got {actual}")]
    Version {
        /// The format.
        format: &'static str,
        /// The versions that are read.
        expected: &'static str,
        /// The version there.
        actual: String,
    },

    /// Bytes that break a rule of the format.
    #[error("{rule}, got {found} at byte {offset}")]
    Malformed {
        /// Position of the bytes in the (unpacked) file.
        offset: u64,
        /// The rule.
        rule: &'static str,
        /// What is there.
        found: String,
    },

    /// Values of a type that is not read, or not one the role asks for.
    #[error("values must be {expected}, got {found}")]
    ElementType {
        /// The types that are read.
        expected: &'static str,
        /// The type there, as the file names it.
        found: String,
    },

    /// An array of another shape than its role asks for.
    #[error("{key} must have shape {expected}, got {actual:?}")]
    Shape {
        /// The array.
        key: String,
        /// The shape with names.
        expected: &'static str,
        /// The array's dimensions.
        actual: Vec<usize>,
    },

    /// An array beyond the number of bytes that are read.
    #[error(
        "arrays must have at most {limit} bytes, got shape {shape:?} of {element_bytes} bytes each"
    )]
    TooLarge {
        /// The dimensions that the header promises.
        shape: Vec<usize>,
        /// Bytes of one value.
        element_bytes: usize,
        /// The most bytes.
        limit: u64,
    },

    /// A file without an array, column or class that is needed.
    #[error("{key:?} must be there, got {present:?}")]
    MissingKey {
        /// What is needed.
        key: String,
        /// What there is.
        present: Vec<String>,
    },

    /// Two arrays, columns or classes of one name.
    #[error("names must differ, got {key:?} twice")]
    DuplicateKey {
        /// The name.
        key: String,
    },

    /// Arrays that must have as many rows as each other.
    #[error(
        "{first} and {second} must have as many rows as each other, got {first_rows} and {second_rows}"
    )]
    Rows {
        /// One array.
        first: String,
        /// Its rows.
        first_rows: usize,
        /// The other.
        second: String,
        /// Its rows.
        second_rows: usize,
    },

    /// A label that names no class.
    #[error("labels must be integers from {min} to {max}, got {value} in row {row}")]
    Label {
        /// The sample, counted from 0.
        row: usize,
        /// The label.
        value: f64,
        /// The lowest label.
        min: u8,
        /// The highest label.
        max: u8,
    },

    /// A value that is NaN, infinite or beyond the range of f32.
    #[error("values must be finite in f32, got {value} in row {row}, column {column}")]
    NotFinite {
        /// The sample, counted from 0.
        row: usize,
        /// The column, counted from 0 without the label.
        column: usize,
        /// The value.
        value: f64,
    },

    /// A cell of text that is no number or, in the label's column, no class.
    #[error("cells must be {expected}, got {value:?} in line {line}, column {column:?}")]
    Cell {
        /// What the cell must be.
        expected: &'static str,
        /// The line, counted from 1.
        line: u64,
        /// The column's name, or its number counted from 0.
        column: String,
        /// The text.
        value: String,
    },

    /// More classes than a label can name, or none.
    #[error("there must be 1 to 256 classes, got {actual}")]
    Classes {
        /// Number of classes.
        actual: usize,
    },

    /// An image of another size than asked for.
    #[error("images must have {expected} pixels (width x height), got {actual}")]
    ImageSize {
        /// Width and height asked for.
        expected: String,
        /// Width and height of the image.
        actual: String,
    },
}

impl FormatError {
    /// With the file's name.
    #[cfg(feature = "tables")]
    pub(super) fn at(self, path: &Path) -> DataError {
        DataError::Format {
            path: path.into(),
            source: self,
        }
    }
}
