use candle_core::DType;

use super::ImageShape;

/// A data set that could not be read, generated or split.
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
}
