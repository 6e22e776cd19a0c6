use std::path::PathBuf;

use crate::Error;
use crate::error::Source;

/// A file that could not be written or read.
///
/// ```
/// use puad::FittedDetector;
/// use puad::candle_core::Device;
/// use puad::checkpoint::CheckpointError;
///
/// let path = std::env::temp_dir().join(format!("puad-no-detector-{}", std::process::id()));
/// std::fs::write(&path, "not a detector")?;
/// let error = FittedDetector::load(&path, &Device::Cpu).unwrap_err();
/// assert!(matches!(error.cause(), Some(CheckpointError::Malformed { path: at, .. }) if *at == path));
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The system could not write. What was in the file before is still there.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },

    /// The system could not read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },

    /// The file is no safetensors file, or is cut off.
    #[error("{} must be a whole safetensors file: {cause}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: Source,
    },

    /// A safetensors file of someone else.
    #[error("{} must be written by puad, got no metadata entry \"puad\"", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },

    /// A file of this crate with another content.
    #[error("{} must hold a {expected}, got a {actual}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// What was to be read.
        expected: &'static str,
        /// What the file says it is.
        actual: String,
    },

    /// A file of a later release.
    #[error(
        "{} must have a format version of at most {supported}, got {found}, \
         written by puad {writer}: use that release or a later one",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The latest that this release reads.
        supported: u64,
        /// The release that wrote it.
        writer: String,
    },

    /// Metadata that make no sense.
    #[error("the metadata of {} are wrong: {cause}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        #[source]
        cause: Source,
    },

    /// A tensor that is not there.
    #[error("{} lacks the tensor {name:?}", path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },

    /// A tensor that nothing in the file accounts for.
    #[error("{} has a tensor that does not belong to it, {name:?}", path.display())]
    ExtraTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },

    /// A tensor of another shape than its network asks for.
    #[error("{}: {name:?} must have shape {expected:?}, got {actual:?}", path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The shape asked for.
        expected: Vec<usize>,
        /// The file's.
        actual: Vec<usize>,
    },

    /// A tensor of another type.
    #[error("{}: {name:?} must be of type {expected}, got {actual}", path.display())]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The type asked for, as safetensors names it.
        expected: &'static str,
        /// The file's.
        actual: String,
    },

    /// Bytes changed since the file was written.
    #[error("{} is damaged: its checksum does not match", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
    },
}

impl From<CheckpointError> for Error {
    fn from(problem: CheckpointError) -> Self {
        Self::Checkpoint(problem.into())
    }
}
