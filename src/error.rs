//! The crate's error type: one named variant a rule, carrying the values that broke it.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

use candle_core::DType;
use puad_data::DataError;
use puad_data::table::Kind;

/// An error of another module or of a third party, behind [`Error`].
pub type Source = Box<dyn StdError + Send + Sync>;

/// The crate's result type.
///
/// ```
/// fn half(prior: f64) -> puad::Result<puad::ClassPrior> {
///     puad::ClassPrior::new(prior / 2.)
/// }
/// assert_eq!(half(0.4)?.get(), 0.2);
/// assert!(half(4.).is_err());
/// # Ok::<(), puad::Error>(())
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong in this crate. Each message states the rule and what came instead.
///
/// ```
/// use puad::{ClassPrior, Error};
///
/// let error = ClassPrior::new(1.5).unwrap_err();
/// assert_eq!(error.to_string(), "class prior must lie in [0, 1], got 1.5");
/// assert!(matches!(error, Error::ClassPrior { value: 1.5 }));
/// // What a `main` prints that returns it.
/// assert_eq!(format!("{error:?}"), error.to_string());
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A class prior outside [0, 1], or NaN.
    #[error("class prior must lie in [0, 1], got {value}")]
    ClassPrior {
        /// The rejected value.
        value: f64,
    },

    /// A hyperparameter outside its range.
    #[error("{name} must be {rule}, got {value}")]
    Config {
        /// The parameter's name, as in its config struct.
        name: &'static str,
        /// The rule it broke.
        rule: &'static str,
        /// The rejected value.
        value: String,
    },

    /// A tensor of the wrong shape.
    #[error("{what} must have shape {expected}, got {actual:?}")]
    Shape {
        /// Which tensor.
        what: &'static str,
        /// The rule, as a shape with names.
        expected: String,
        /// The tensor's dimensions.
        actual: Vec<usize>,
    },

    /// A tensor of the wrong type.
    #[error("{what} must be of {expected}, got {actual:?}")]
    DType {
        /// Which tensor.
        what: &'static str,
        /// The rule.
        expected: String,
        /// The tensor's type.
        actual: DType,
    },

    /// Samples of a type that does not go with what the fit saw.
    #[error(
        "{what} must be of the type of the fit's: {reason}; or take them by `InputCheck::Warn`"
    )]
    ElementType {
        /// Which samples.
        what: &'static str,
        /// What is wrong with them.
        reason: String,
    },

    /// Samples in another scale than those that the fit saw.
    #[error(
        "{what} must be in the scale of the fit's unlabeled samples, but are about {factor:.3e} times as \
         large: scale them alike, or take them by `InputCheck::Warn`"
    )]
    OtherScale {
        /// Which samples.
        what: &'static str,
        /// About how many times as large.
        factor: f64,
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

    /// Columns of other names than those of the data that they go with.
    #[error(
        "{what} must have the columns of the data they go with: {}",
        other_columns(missing, surplus)
    )]
    Columns {
        /// Which samples.
        what: &'static str,
        /// Names that are not there.
        missing: Vec<String>,
        /// Names that are there and should not be.
        surplus: Vec<String>,
    },

    /// A value that is missing where the fit's encoding has none to put in its place.
    #[error(
        "{what} must have a value in column {column:?}, got none in row {row}{}: fill it in, or fit with \
         `Gaps::Fill` (`encoding` of the configuration)",
        called(id)
    )]
    Gap {
        /// Who the rows are.
        what: &'static str,
        /// Counted from 0.
        row: usize,
        /// What the row is called, where the table has ids.
        id: Option<String>,
        /// Its name.
        column: String,
    },

    /// A column of a table that holds something else than that of the fit.
    #[error("column {column:?} must be of kind {expected} as in the fit, got {actual}")]
    ColumnKind {
        /// Its name.
        column: String,
        /// What it was in the fit.
        expected: Kind,
        /// What it is.
        actual: Kind,
    },

    /// A sample index beyond the end.
    #[error("sample indices must lie below {len}, got {index}")]
    Index {
        /// The index.
        index: usize,
        /// Number of samples.
        len: usize,
    },

    /// Fewer samples than a split needs.
    #[error(
        "{what} needs {needed} {group} samples{}, got {available}",
        of(classes)
    )]
    TooFewSamples {
        /// What needs them.
        what: &'static str,
        /// `unlabeled`, `anomalous` or `normal`; of a contaminated split `normal`, `seen` or
        /// `unseen`.
        group: &'static str,
        /// The classes that may give them; empty where classes play no part.
        classes: Vec<u8>,
        /// Number of samples asked for.
        needed: usize,
        /// Number of samples there are.
        available: usize,
    },

    /// A group of samples that the computation needs is empty.
    #[error("{what} needs at least one {group} sample, got none")]
    EmptyGroup {
        /// What needs it.
        what: &'static str,
        /// `unlabeled`, `anomalous` or `normal`, with `validation` behind it where it is the validation set's.
        group: &'static str,
    },

    /// Labeled normals were given to an objective whose PNU weight eta leaves them unused.
    #[error("labeled normals need a PNU weight (`pnu_weight` of `PuSpec`) below 1, got {eta}")]
    UnusedNormals {
        /// The weight of the PU part.
        eta: f64,
    },

    /// Noise was asked for in an evaluation pass, which must be deterministic.
    #[error("an evaluation pass draws no noise: ask `Pass::is_training` first")]
    NoiseInEvaluation,

    /// A risk became NaN or infinite. The best parameters so far are in place.
    #[error("training diverged: the {} epoch {epoch}{}", risk_of(*batch, *risk), place(*batch))]
    Diverged {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Mini-batch within the epoch, counted from 1; `None` for the validation after the epoch.
        batch: Option<usize>,
        /// The risk that was computed.
        risk: f64,
    },

    /// A training step that would move no parameter: the detector would stay as it was drawn, and its file
    /// would lack what it scores with.
    #[error(
        "training must reach at least one parameter, but the loss sends a gradient to none of {parameters}: \
         create the detector's tensors through the `VarBuilder` of the `Params` that are trained, and do \
         not detach them in the loss"
    )]
    NothingLearned {
        /// How many parameters there are.
        parameters: usize,
    },

    /// A metric that compares two classes got samples of one class only.
    #[error("{metric} needs both classes, got {positives} positives among {total} samples")]
    OneClass {
        /// Which metric.
        metric: &'static str,
        /// Number of positive samples.
        positives: usize,
        /// Number of samples.
        total: usize,
    },

    /// A score is NaN.
    #[error("scores must not be NaN, but the one at index {index} is")]
    NanScore {
        /// Position of the first NaN.
        index: usize,
    },

    /// A value in a list is NaN or infinite.
    #[error("{what} must be finite, but the value at index {index} is {value}")]
    NonFiniteValue {
        /// Which list.
        what: &'static str,
        /// Position of the first such value.
        index: usize,
        /// What came.
        value: f64,
    },

    /// A feature in a table of samples is NaN or infinite.
    #[error("{what} must be finite, but row {row}, column {column} is {value}")]
    NonFiniteFeature {
        /// Which table.
        what: &'static str,
        /// The sample, counted from 0.
        row: usize,
        /// The feature after flattening the sample, counted from 0.
        column: usize,
        /// What came.
        value: f64,
    },

    /// A feature too large to train on where nothing scales it.
    #[error(
        "{what} must lie within {limit:e} of 0 to be trained on unscaled, but row {row}, column {column} is \
         {value:e}: choose a `scaling`, or scale them"
    )]
    HugeFeature {
        /// Which samples.
        what: &'static str,
        /// The sample, counted from 0.
        row: usize,
        /// The feature after flattening the sample, counted from 0.
        column: usize,
        /// What came.
        value: f64,
        /// The largest size.
        limit: f64,
    },

    /// Two lists that belong together differ in length.
    #[error("{left_name} and {right_name} must be of equal length, got {left} and {right}")]
    Length {
        /// Name of the first list.
        left_name: &'static str,
        /// Name of the second list.
        right_name: &'static str,
        /// Length of the first list.
        left: usize,
        /// Length of the second list.
        right: usize,
    },

    /// Samples that are neither vectors nor images.
    #[error(
        "samples must be vectors [features] or images [channels, height, width], got {0:?}: \
         reshape them or build a detector on a network of your own"
    )]
    SampleRank(
        /// The shape of one sample.
        Vec<usize>,
    ),

    /// Images that would take more parameters than an automatic network may have.
    #[error(
        "the automatic network must have at most 2^23 parameters, for which images of \
         {height} x {width} are too long: resize them to {} x {}, or give a network of your own",
        works.0, works.1
    )]
    ImageSize {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Rows and columns of a size that works.
        works: (usize, usize),
    },

    /// The observer ended a run while a detector was pre-trained: there is none to use yet.
    #[error("the observer stopped the run after epoch {epoch} of pre-training: no detector yet")]
    PretrainingStopped {
        /// The last epoch, counted from 1.
        epoch: usize,
    },

    /// A device that is not there.
    #[error("the device {name:?} cannot be used: {reason}")]
    NoDevice {
        /// The name asked for.
        name: String,
        /// Why.
        reason: String,
    },

    /// A probability was asked of a detector that had no labeled anomalies to calibrate with.
    #[error(
        "probabilities need labeled anomalies in the fit, got none: use scores and a threshold"
    )]
    NotCalibrated,

    /// No parameter of this name exists.
    #[error("no parameter is named {name:?}")]
    UnknownParameter {
        /// The name asked for.
        name: String,
    },

    /// A buffer that the loss sends a gradient to: it would be left untrained in silence.
    #[error(
        "a buffer must not be learned, but the loss sends a gradient to {name:?}: \
         leave it out of the detector's buffers, or detach it in the loss"
    )]
    LearnedBuffer {
        /// The tensor.
        name: String,
    },

    /// A buffer that is none of the tensors trained with.
    #[error(
        "a detector's buffers must be among the parameters trained with, but buffer {index} is not"
    )]
    UnknownBuffer {
        /// Its position in [`NonNegativeLoss::buffers`](crate::NonNegativeLoss::buffers).
        index: usize,
    },

    /// A loss of a validation pass that breaks the contract of
    /// [`NonNegativeLoss`](crate::NonNegativeLoss). The best parameters so far are in place.
    #[error(
        "the contract of NonNegativeLoss is finite losses of at least 0, but after epoch {epoch} \
         the loss of {group} validation sample {index} is {value}{}",
        diverged(*value)
    )]
    LossOutOfRange {
        /// Epoch, counted from 1.
        epoch: usize,
        /// `unlabeled`, `anomalous` or `normal`.
        group: &'static str,
        /// The sample's position in its group.
        index: usize,
        /// Its loss.
        value: f64,
    },

    /// A specification that nothing was registered for: it is known by its name alone.
    #[error(
        "no {kind} is registered under the name {name:?}: \
         load or configure with a registry that knows its specification"
    )]
    UnknownSpecification {
        /// `detector`, `objective` or `model`.
        kind: &'static str,
        /// The name.
        name: String,
    },

    /// Settings that are none of their specification's.
    #[error("the settings of {kind} {name:?} are wrong: {cause}")]
    Settings {
        /// `detector`, `objective` or `model`.
        kind: &'static str,
        /// The specification's name.
        name: String,
        /// What is wrong with them.
        #[source]
        cause: Source,
    },

    /// Checkpoints were asked of what has no state to save between two epochs.
    #[error("{what} cannot be resumed: leave out the checkpoints")]
    NotResumable {
        /// The optimiser or model.
        what: &'static str,
    },

    /// A detector breaks a rule of [`NonNegativeLoss`](crate::NonNegativeLoss); the source is a
    /// [`Violation`](crate::testing::Violation).
    #[error("the detector breaks the contract of NonNegativeLoss: {0}")]
    Contract(#[source] Source),

    /// A file could not be read or fetched, or what it holds breaks a rule.
    #[error(transparent)]
    Data(#[from] DataError),

    /// What is wrong with the rows of a file that are scored, which count from its start.
    #[error("{}: {error}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: Box<Error>,
    },

    /// A file could not be written or read; the source is a
    /// [`CheckpointError`](crate::checkpoint::CheckpointError), or
    /// [`OtherRun`](crate::train::OtherRun) where a file of training is another run's.
    #[error("{0}")]
    Checkpoint(#[source] Source),

    /// An error of a third party's detector.
    #[error("detector: {0}")]
    Detector(#[source] Source),

    /// An error of the tensor library.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

fn risk_of(batch: Option<usize>, risk: f64) -> String {
    match batch {
        Some(_) => format!("risk is {risk} in"),
        None => format!("validation risk is {risk} after"),
    }
}

/// What else sets two lists of names apart.
fn other_columns(missing: &[String], surplus: &[String]) -> String {
    match (missing, surplus) {
        ([], []) => "a name is there more than once".into(),
        (missing, []) => format!("missing {missing:?}"),
        ([], surplus) => format!("{surplus:?} are not among those"),
        _ => format!("missing {missing:?}, and {surplus:?} are not among those"),
    }
}

fn called(id: &Option<String>) -> String {
    id.as_ref().map_or(String::new(), |id| format!(" ({id:?})"))
}

fn place(batch: Option<usize>) -> String {
    batch.map_or(String::new(), |batch| format!(", batch {batch}"))
}

/// What else than the detector may be behind a loss out of range.
fn diverged(loss: f64) -> &'static str {
    if loss.is_nan() {
        ": the detector breaks it, or training diverged and a lower learning rate helps"
    } else {
        ""
    }
}

fn of(classes: &[u8]) -> String {
    match classes {
        [] => String::new(),
        classes => format!(" of the classes {classes:?}"),
    }
}

/// The message: it is what a `main` that returns the error, and `unwrap`, print.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// The error of type `E` behind this one, if there is one.
    ///
    /// ```
    /// use puad::candle_core::Device;
    /// use puad::checkpoint::CheckpointError;
    /// use puad::FittedDetector;
    ///
    /// let error = FittedDetector::load("no such file", &Device::Cpu).unwrap_err();
    /// assert!(matches!(error.cause(), Some(CheckpointError::Read { .. })));
    /// assert!(error.cause::<std::fmt::Error>().is_none());
    /// ```
    pub fn cause<E: StdError + 'static>(&self) -> Option<&E> {
        let mut source = self.source();
        while let Some(error) = source {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            source = error.source();
        }
        None
    }

    /// A hyperparameter `name` that breaks `rule`.
    pub(crate) fn config(name: &'static str, rule: &'static str, value: impl ToString) -> Self {
        let value = value.to_string();
        Self::Config { name, rule, value }
    }

    /// Columns by these names where others are needed.
    pub(crate) fn columns<'a>(
        what: &'static str,
        needed: impl Iterator<Item = &'a str> + Clone,
        found: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        Self::Columns {
            what,
            missing: without(needed.clone(), found.clone()),
            surplus: without(found, needed),
        }
    }

    /// Two lists, by name and length, that must be as long.
    ///
    /// # Errors
    /// [`Error::Length`] if they are not.
    pub(crate) fn check_lengths(
        (left_name, left): (&'static str, usize),
        (right_name, right): (&'static str, usize),
    ) -> Result<()> {
        if left == right {
            return Ok(());
        }
        Err(Self::Length {
            left_name,
            right_name,
            left,
            right,
        })
    }

    /// A tensor `what` whose dimensions break `expected`.
    pub(crate) fn shape(
        what: &'static str,
        expected: impl Into<String>,
        tensor: &candle_core::Tensor,
    ) -> Self {
        Self::Shape {
            what,
            expected: expected.into(),
            actual: tensor.dims().to_vec(),
        }
    }
}
/// Of `some` what is not among the `others`.
fn without<'a>(
    some: impl Iterator<Item = &'a str>,
    others: impl Iterator<Item = &'a str> + Clone,
) -> Vec<String> {
    let lacks = |name: &&str| !others.clone().any(|other| other == *name);
    some.filter(lacks).map(String::from).collect()
}
