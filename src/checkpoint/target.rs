//! Where a path to be written leads, and what is there before.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Links that lead to links.
const MOST_LINKS: usize = 40;

/// A regular file that may be replaced, or a place without one.
pub(super) struct Target {
    /// Behind all links.
    pub(super) path: PathBuf,
    before: Option<Metadata>,
}

impl Target {
    /// # Errors
    /// For what is no regular file, and for one that nobody may write: a move would replace it all the
    /// same.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let before = match fs::metadata(path) {
            Ok(before) => Some(before),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        match &before {
            Some(before) if !before.is_file() => {
                let what = kind(before.file_type());
                let message = format!("it is {what}, and only regular files are replaced");
                Err(io::Error::new(io::ErrorKind::InvalidInput, message))
            }
            Some(before) if before.permissions().readonly() => {
                let message = "it is read-only: change its mode, or save elsewhere";
                Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
            }
            _ => Ok(Self {
                path: follow(path)?,
                before,
            }),
        }
    }

    /// For a new file that nobody may read for whom the one before was not.
    pub(super) fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if let Some(before) = &self.before {
            use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
            options.mode(before.mode() & 0o777);
        }
        options
    }

    /// Gives `file` the mode of the file before, and on Unix its owner and group where that is allowed.
    pub(super) fn hand_on(&self, file: &File) -> io::Result<()> {
        let Some(before) = &self.before else {
            return Ok(());
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            let now = file.metadata()?;
            if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
                // Only the superuser may give a file away, and others need not.
                let _ = fchown(file, Some(before.uid()), Some(before.gid()));
            }
        }
        file.set_permissions(before.permissions())
    }
}

/// The path behind links, whether there is a file at their end or not.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&at) {
            Ok(data) if data.is_symlink() => {
                let to = fs::read_link(&at)?;
                at = at.parent().unwrap_or(Path::new("")).join(to);
            }
            _ => return Ok(at),
        }
    }
    Err(io::Error::other("too many links lead to each other"))
}

fn kind(of: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if of.is_fifo() {
            return "a pipe";
        }
        if of.is_socket() {
            return "a socket";
        }
        if of.is_char_device() || of.is_block_device() {
            return "a device";
        }
    }
    if of.is_dir() {
        "a folder"
    } else {
        "something else"
    }
}
