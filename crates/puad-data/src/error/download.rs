use std::io;
use std::path::PathBuf;

/// A file that could not be fetched.
///
/// ```
/// use std::ops::ControlFlow;
/// use puad_data::DataError;
/// use puad_data::benchmarks::download::{DownloadError, Downloader, manifest};
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// let downloader = Downloader { offline: true, ..Downloader::new("no-such-folder") };
/// let file = &manifest(PaperDataset::Svhn)[0];
/// match downloader.fetch("svhn", file, &mut |_| ControlFlow::Continue(())) {
///     Err(DataError::Download(DownloadError::Offline { path, .. })) => println!("place {path:?} there"),
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

    /// An answer that is no success, or a file of another size or checksum than promised.
    #[error("{url} must {rule}, got {found}")]
    Answer {
        /// The address.
        url: String,
        /// What the protocol, the server or the manifest promises.
        rule: String,
        /// What came.
        found: String,
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

    /// A file that cannot be written, locked or unpacked.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
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

impl DownloadError {
    /// A file of another size than the manifest or the server promises, or beyond the most that is taken.
    pub(crate) fn size(url: &str, expected: u64, actual: u64) -> Self {
        Self::Answer {
            url: url.into(),
            rule: format!("have {expected} bytes"),
            found: actual.to_string(),
        }
    }
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
