use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{DataError, Result};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A file beside the place that it is to have; gone if it is not put there.
pub(super) struct Unfinished {
    partial: PathBuf,
    /// Whether there is still something to take away.
    there: bool,
}

impl Unfinished {
    pub(super) fn create(path: &Path) -> Result<(Self, File)> {
        loop {
            let mut name = std::ffi::OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            name.push(format!(".{}-{number}.partial", std::process::id()));
            let partial = path.with_file_name(name);
            match File::create_new(&partial) {
                Ok(file) => {
                    let there = true;
                    return Ok((Self { partial, there }, file));
                }
                // What a killed process left.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failed(path, e)),
            }
        }
    }

    /// Gives it its name.
    pub(super) fn put(mut self, path: &Path) -> Result<()> {
        fs::rename(&self.partial, path).map_err(|e| failed(path, e))?;
        self.there = false;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.there {
            // Nobody is left to hear of it.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

pub(super) fn failed(path: &Path, source: io::Error) -> DataError {
    let path = path.into();
    DataError::Write { path, source }
}
