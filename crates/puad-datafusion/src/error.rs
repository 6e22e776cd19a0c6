use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong in this crate. Messages may reach whoever sent a query: they name models and
/// columns, and no path of the machine.
///
/// ```
/// use puad_datafusion::{Error, Models};
///
/// let folder = tempfile::tempdir()?;
/// let error = Models::new(folder.path())?.get("../secret").unwrap_err();
/// assert!(matches!(error, Error::Name { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model folder that cannot be opened.
    #[error("the model folder cannot be opened: {source}")]
    Folder {
        /// Why.
        source: std::io::Error,
    },

    /// What is no name of a model.
    #[error("{name:?} is no model's name: {rule}")]
    Name {
        /// What was given.
        name: String,
        /// The rule that it breaks.
        rule: &'static str,
    },

    /// A call without a model or without a column.
    #[error("a call must be {function}('model', column, ...), got {arguments} arguments")]
    Arguments {
        /// The function.
        function: &'static str,
        /// How many there were.
        arguments: usize,
    },

    /// A model that is not given as a literal, so that it is not known when the query is planned.
    #[error(
        "the first argument of {function} must be a model's name as a text literal, got {actual}"
    )]
    NotLiteral {
        /// The function.
        function: &'static str,
        /// What it was.
        actual: String,
    },

    /// A model that is not in the folder.
    #[error(
        "there is no model {name:?}: the model folder of this process has no file of that name"
    )]
    UnknownModel {
        /// Its name.
        name: String,
    },

    /// A model that is to be scored by a process without models.
    #[error("model {name:?} cannot be used here: this process was given no model folder")]
    NoFolder {
        /// Its name.
        name: String,
    },

    /// A model's file that cannot be read.
    #[error("the file of model {name:?} cannot be read: {source}")]
    Read {
        /// The model.
        name: String,
        /// Why.
        source: std::io::Error,
    },

    /// A model's file that holds no detector.
    #[error("the file of model {name:?} is no detector: {source}")]
    Load {
        /// The model.
        name: String,
        /// Why.
        source: Box<puad::Error>,
    },

    /// A model other than the one that a query was planned with.
    #[error(
        "model {name:?} must be {name}@{pinned}, but the file of this process is {name}@{found}"
    )]
    OtherModel {
        /// Its name.
        name: String,
        /// The hash that was asked for.
        pinned: String,
        /// The hash of the file.
        found: String,
    },

    /// A plan that was not optimised, so that it does not say which file its model is.
    #[error("model {name:?} was not pinned when the query was planned: write '{name}@hash'")]
    Unpinned {
        /// Its name.
        name: String,
    },

    /// Another number of columns than the fit's.
    #[error("model {model:?} takes {expected}, got {actual} columns")]
    Columns {
        /// The model.
        model: String,
        /// The columns of the fit, in their order.
        expected: String,
        /// How many there were.
        actual: usize,
    },

    /// A column of another type than the fit's.
    #[error("{column} of model {model:?} must be {expected}, got {actual}")]
    Type {
        /// The model.
        model: String,
        /// The column, by its name in the fit.
        column: String,
        /// What it must be.
        expected: String,
        /// What it is.
        actual: DataType,
    },

    /// Probabilities of a detector that has none.
    #[error("model {model:?} has no probabilities: its fit had no labeled anomalies")]
    NotCalibrated {
        /// The model.
        model: String,
    },

    /// NaN or an infinite number.
    #[error(
        "{column} of model {model:?} must be finite or NULL, got {value} in row {row} of a batch"
    )]
    NotFinite {
        /// The model.
        model: String,
        /// The column, by its name in the fit.
        column: String,
        /// Counted from 0, from the start of the batch.
        row: usize,
        /// What it was.
        value: f64,
    },

    /// A list of another length than the fit's samples.
    #[error(
        "model {model:?} takes lists of {expected} numbers, got {actual} in row {row} of a batch"
    )]
    Length {
        /// The model.
        model: String,
        /// The number of values of a sample.
        expected: usize,
        /// Counted from 0, from the start of the batch.
        row: usize,
        /// How many there were.
        actual: usize,
    },

    /// What the detector refuses.
    #[error("model {model:?}: {source}")]
    Detector {
        /// The model.
        model: String,
        /// Why.
        source: Box<puad::Error>,
    },

    /// What the engine refuses.
    #[error(transparent)]
    Engine(Box<DataFusionError>),

    /// What Arrow refuses.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

impl Error {
    /// As an error of a query's planning.
    pub(crate) fn planning(self) -> DataFusionError {
        DataFusionError::Plan(self.to_string())
    }
}

impl From<Error> for DataFusionError {
    /// As text: a cluster sends no more than that from process to process.
    fn from(error: Error) -> Self {
        match error {
            Error::Engine(error) => *error,
            error => Self::Execution(error.to_string()),
        }
    }
}
