use std::io;
use std::path::PathBuf;

use crate::DataError;

/// A file that could not be fetched.
///
/// ```
/// use std::ops::ControlFlow;
/// use puad_data::benchmarks::download::{DownloadError, Downloader, manifest};
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// # let dir = tempfile::tempdir()?;
/// let downloader = Downloader { offline: true, ..Downloader::new(dir.path()) };
/// let file = &manifest(PaperDataset::Svhn)[0];
/// let error = downloader.fetch("svhn", file, &mut |_| ControlFlow::Continue(())).unwrap_err();
/// match std::error::Error::source(&error).and_then(|source| source.downcast_ref()) {
///     Some(DownloadError::Offline { path, .. }) => println!("place {path:?} there"),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// A file that is missing while no connection may be opened.
    #[error(
        "{} is missing and PUAD_OFFLINE is set: place there what {} holds{}",
        path.display(),
        urls.join(" or "),
        members(unpack)
    )]
    Offline {
        /// Where the file belongs.
        path: PathBuf,
        /// Where it can be had.
        urls: Vec<String>,
        /// The members of the archive there that belong into the same folder.
        unpack: Vec<String>,
    },

    /// Neither `PUAD_DATA_DIR` nor the folder of the user is known.
    #[error("PUAD_DATA_DIR must name a folder where the system has no cache folder")]
    NoFolder,

    /// A name that would leave the folder.
    #[error("names must be plain file names, got {name:?}")]
    Name {
        /// The name.
        name: String,
    },

    /// An answer that is no success.
    #[error("{url} must answer with status 200 or 206, got {status}")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },

    /// A connection that was refused, cut, stalled or redirected in a loop.
    #[error("{url} failed after {received} bytes: {source}")]
    Transfer {
        /// The address.
        url: String,
        /// Number of bytes that are kept for the next attempt.
        received: u64,
        /// What the connection says.
        source: io::Error,
    },

    /// A file of another size than promised.
    #[error("{url} must have {expected} bytes, got {actual}")]
    Size {
        /// The address.
        url: String,
        /// What the manifest or the server promises, or the most that is taken.
        expected: u64,
        /// What came.
        actual: u64,
    },

    /// A file of another content than promised.
    #[error("{url} must have the MD5 {expected} ({stated_by}), got {actual}")]
    Checksum {
        /// The address.
        url: String,
        /// The manifest's checksum.
        expected: String,
        /// Who states it.
        stated_by: String,
        /// The file's checksum.
        actual: String,
    },

    /// A file that cannot be written, locked or unpacked.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// An archive without a file that is needed.
    #[error("{} must hold {member}", path.display())]
    Member {
        /// The archive.
        path: PathBuf,
        /// The file.
        member: String,
    },

    /// The observer of the progress said to stop.
    #[error("the download of {} was stopped after {received} bytes", path.display())]
    Stopped {
        /// Where the file belongs.
        path: PathBuf,
        /// Number of bytes that are kept for the next run.
        received: u64,
    },

    /// No address gave the file.
    #[error("{} could not be fetched: {}", path.display(), list(errors))]
    Failed {
        /// Where the file belongs.
        path: PathBuf,
        /// The error of each address.
        errors: Vec<DownloadError>,
    },
}

fn members(unpack: &[String]) -> String {
    match unpack {
        [] => String::new(),
        names => format!(", or unpacked: {}", names.join(", ")),
    }
}

fn list(errors: &[DownloadError]) -> String {
    let errors: Vec<String> = errors.iter().map(DownloadError::to_string).collect();
    errors.join("; ")
}

impl From<DownloadError> for DataError {
    fn from(error: DownloadError) -> Self {
        Self::Download(error.into())
    }
}
