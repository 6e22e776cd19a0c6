use std::path::PathBuf;

use candle_core::DType;

use super::{FormatError, ImageShape};

/// A data set that could not be read, generated or split.
///
/// ```
/// use puad::Error;
/// use puad::candle_core::{Device, Tensor};
/// use puad::data::{DataError, PuDataset};
///
/// let samples = Tensor::new(&[[1f32, 2.], [3., f32::NAN]], &Device::Cpu)?;
/// match PuDataset::new(samples) {
///     Err(Error::Data(DataError::NotFinite { row, column, .. })) => assert_eq!((row, column), (1, 1)),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A tensor without a dimension of samples.
    #[error("{group} samples must be a tensor [n, ...], got a scalar")]
    Scalar {
        /// `unlabeled`, `anomalous` or `normal`.
        group: &'static str,
    },

    /// Samples that are no floats.
    #[error("{group} samples must be of a float type, got {dtype:?}")]
    NotFloat {
        /// `unlabeled`, `anomalous` or `normal`.
        group: &'static str,
        /// Their type.
        dtype: DType,
    },

    /// A value that is NaN or infinite.
    #[error("{group} samples must be finite, but row {row}, column {column} is {value}")]
    NotFinite {
        /// `unlabeled`, `anomalous` or `normal`.
        group: &'static str,
        /// The sample, counted from 0.
        row: usize,
        /// The value's position in the flattened sample, counted from 0.
        column: usize,
        /// The value.
        value: f64,
    },

    /// Rows of different length.
    #[error("rows must have as many values as the first, {expected}, but row {row} has {actual}")]
    Ragged {
        /// The first such row, counted from 0.
        row: usize,
        /// Number of values in the first row.
        expected: usize,
        /// Number of values in this one.
        actual: usize,
    },

    /// Samples without values.
    #[error("samples must have at least one value, got shape {shape:?}")]
    NoFeatures {
        /// The shape of one sample.
        shape: Vec<usize>,
    },

    /// A group whose samples have another shape than the unlabeled ones.
    #[error("{group} samples must have the unlabeled ones' shape {expected:?}, got {actual:?}")]
    SampleShape {
        /// `anomalous` or `normal`.
        group: &'static str,
        /// Shape of one unlabeled sample.
        expected: Vec<usize>,
        /// Shape of one sample of the group.
        actual: Vec<usize>,
    },

    /// A group whose samples are of another type than the unlabeled ones.
    #[error("{group} samples must have the unlabeled ones' type {expected:?}, got {actual:?}")]
    SampleDType {
        /// `anomalous` or `normal`.
        group: &'static str,
        /// Type of the unlabeled samples.
        expected: DType,
        /// Type of the group's samples.
        actual: DType,
    },

    /// A group with too few samples for a training and a validation part.
    #[error("a split needs at least two {group} samples, got {len}")]
    TooFewToSplit {
        /// `unlabeled`, `anomalous` or `normal`.
        group: &'static str,
        /// The group's size.
        len: usize,
    },

    /// A sample index beyond the end.
    #[error("sample indices must lie below {len}, got {index}")]
    Index {
        /// The index.
        index: usize,
        /// Number of samples.
        len: usize,
    },

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

    /// A class with two roles in a contaminated split.
    #[error("a class must be either normal, seen or unseen, but {class} is {first} and {second}")]
    SharedClass {
        /// The class.
        class: u8,
        /// One role.
        first: &'static str,
        /// The other.
        second: &'static str,
    },

    /// Classes with too few samples for a contaminated split.
    #[error(
        "the {part} set needs {needed} samples of the {role} classes {classes:?}, got {available}"
    )]
    TooFewSamples {
        /// `training` or `test`.
        part: &'static str,
        /// `normal`, `seen` or `unseen`.
        role: &'static str,
        /// The classes.
        classes: Vec<u8>,
        /// Number of samples asked for.
        needed: usize,
        /// Number of samples there are.
        available: usize,
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
