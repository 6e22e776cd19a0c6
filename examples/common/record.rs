//! Rows of finished runs in a file, a line of JSON each, that one process writes at a time.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::hash::Hash;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A finished run. It was measured, or it failed.
pub trait Run: Serialize + DeserializeOwned {
    /// What tells a run from the others of its numerics version.
    type Key: Eq + Hash;
    /// What was measured, to the bit.
    type Measured: PartialEq;
    /// The numerics version of this build.
    const NUMERICS: u32;

    fn key(&self) -> Self::Key;
    fn measured(&self) -> Self::Measured;
    /// Why there is nothing to measure.
    fn failed(&self) -> Option<&str>;
    fn numerics(&self) -> u32;
    /// Kind of processor.
    fn host(&self) -> &str;

    /// # Errors
    /// If it has neither all numbers nor a reason why there are none, or both.
    fn check(&self) -> anyhow::Result<()>;
}

/// The runs that were asked for.
pub trait Asked<R> {
    fn has(&self, row: &R) -> bool;

    /// # Errors
    /// If the row in the file `path` was made with settings that must not be averaged with these.
    fn check(&self, row: &R, path: &Path) -> anyhow::Result<()>;
}

/// What becomes of the rows that a file already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// There may be none.
    No,
    /// Their runs are finished.
    Yes,
    /// Those that were measured are.
    RetryFailed,
}

/// The rows so far, and the file they go to, which no other process may write meanwhile.
pub struct Record<R: Run> {
    pub rows: Vec<R>,
    keys: HashSet<R::Key>,
    file: Option<File>,
}

impl<R: Run> Record<R> {
    /// Opens the file that was asked for, and reads it if the run is to go on.
    ///
    /// A failed run counts as finished, unless it is asked for again.
    pub fn open(
        path: Option<&Path>,
        resume: Resume,
        asked: &impl Asked<R>,
    ) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::new(vec![], None));
        };
        // One that a start in vain left has nothing to lose.
        let exists = path.try_exists()? && path.metadata()?.len() > 0;
        ensure!(
            resume != Resume::No || !exists,
            "{} exists: pass --resume to go on with it, or another --out",
            path.display()
        );
        let file = locked(path)?;
        // Locked, it is what the last writer left: perhaps with a torn last line.
        let (rows, whole) = read::<R>(path)?;
        let mut rows: Vec<R> = rows.into_iter().map(|(_, row)| row).collect();
        for row in &rows {
            ensure!(
                row.numerics() == R::NUMERICS,
                "{} was made by numerics version {}, this build has {}: use another --out",
                path.display(),
                row.numerics(),
                R::NUMERICS
            );
            asked.check(row, path)?;
        }
        if resume == Resume::RetryFailed {
            rows.retain(|row| row.failed().is_none() || !asked.has(row));
        }
        file.set_len(whole)?;
        Ok(Self::new(rows, Some(file)))
    }

    fn new(rows: Vec<R>, file: Option<File>) -> Self {
        let keys = rows.iter().map(R::key).collect();
        Self { rows, keys, file }
    }

    /// Takes the runs in these files for finished, as far as they were asked for.
    pub fn know(&mut self, paths: &[PathBuf], asked: &impl Asked<R>) -> anyhow::Result<()> {
        for path in paths {
            for (_, row) in read::<R>(path)?.0 {
                let is_asked = row.numerics() == R::NUMERICS && asked.has(&row);
                if is_asked && self.keys.insert(row.key()) {
                    self.rows.push(row);
                }
            }
        }
        Ok(())
    }

    pub fn has(&self, key: &R::Key) -> bool {
        self.keys.contains(key)
    }

    /// Appends the row in one write, so that a kill leaves a whole line or a last line without end.
    pub fn push(&mut self, row: R) -> anyhow::Result<()> {
        if let Some(file) = &mut self.file {
            let line = serde_json::to_string(&row)? + "\n";
            file.write_all(line.as_bytes())?;
            file.sync_data()?;
        }
        self.keys.insert(row.key());
        self.rows.push(row);
        Ok(())
    }
}

/// The file, to append to, until it is closed this process's alone.
fn locked(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let path = path.display();
            bail!("{path} is being written by another process: each needs an --out of its own")
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// The rows of a file with their lines, from 1, and the length of its whole lines in bytes. Of a run that failed
/// and was done again the last row counts, of one that stands there twice, as in files that were put together, the first.
///
/// # Errors
/// A line that is no row, and two rows of one run that were measured and differ.
pub fn read<R: Run>(path: &Path) -> anyhow::Result<(Vec<(usize, R)>, u64)> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut rows: Vec<Option<(usize, R)>> = vec![];
    let mut seen = HashMap::new();
    for (number, line) in (1..).zip(text[..whole].lines()) {
        let place = || format!("{}, line {number}", path.display());
        let row: R = serde_json::from_str(line).with_context(place)?;
        row.check().with_context(place)?;
        let key = (row.numerics(), row.key());
        if let Some(&first) = seen.get(&key)
            && let Some((_, other)) = rows.get::<usize>(first).and_then(Option::as_ref)
        {
            if other.failed().is_none() {
                let same = row.failed().is_some() || row.measured() == other.measured();
                ensure!(
                    same,
                    "{}: a second row of the same run, unlike the first",
                    place()
                );
                continue;
            }
            rows[first] = None;
        }
        seen.insert(key, rows.len());
        rows.push(Some((number, row)));
    }
    Ok((rows.into_iter().flatten().collect(), whole as u64))
}
