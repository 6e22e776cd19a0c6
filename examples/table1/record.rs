use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::row::{Key, NUMERICS, Row};
use crate::study::Study;
use crate::unfinished::Unfinished;

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
pub struct Record {
    pub rows: Vec<Row>,
    keys: HashSet<Key>,
    file: Option<File>,
    pub unfinished: Unfinished,
}

impl Record {
    /// Opens the file that was asked for, and reads it if the run is to go on.
    ///
    /// A failed run counts as finished, unless it is asked for again.
    pub fn open(path: Option<&Path>, resume: Resume, study: &Study) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::new(vec![], None, Unfinished::default()));
        };
        // One that a start in vain left has nothing to lose.
        let exists = path.try_exists()? && path.metadata()?.len() > 0;
        ensure!(
            resume != Resume::No || !exists,
            "{} exists: pass --resume to go on with it, or another --out",
            path.display()
        );
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.display();
                bail!("{path} is being written by another process: each needs an --out of its own")
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        // Locked, it is what the last writer left: perhaps with a torn last line.
        let (rows, whole) = read(path)?;
        let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
        for row in &rows {
            check(row, study, path)?;
        }
        if resume == Resume::RetryFailed {
            rows.retain(|row| row.failed.is_none() || !study.has(row));
        }
        file.set_len(whole)?;
        let unfinished = Unfinished::of(path, resume != Resume::No)?;
        Ok(Self::new(rows, Some(file), unfinished))
    }

    fn new(rows: Vec<Row>, file: Option<File>, unfinished: Unfinished) -> Self {
        let keys = rows.iter().map(Row::key).collect();
        Self {
            rows,
            keys,
            file,
            unfinished,
        }
    }

    /// Takes the study's runs in these files for finished.
    pub fn know(&mut self, paths: &[PathBuf], study: &Study) -> anyhow::Result<()> {
        for path in paths {
            for (_, row) in read(path)?.0 {
                if row.numerics == NUMERICS && study.has(&row) && self.keys.insert(row.key()) {
                    self.rows.push(row);
                }
            }
        }
        Ok(())
    }

    pub fn has(&self, key: &Key) -> bool {
        self.keys.contains(key)
    }

    /// Appends the row in one write, so that a kill leaves a whole line or a last line without end.
    pub fn push(&mut self, row: Row) -> anyhow::Result<()> {
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

/// The rows of a file with their lines, from 1, and the length of its whole lines in bytes. Of a run that failed
/// and was done again the last row counts.
pub fn read(path: &Path) -> anyhow::Result<(Vec<(usize, Row)>, u64)> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut rows: Vec<(usize, Row)> = vec![];
    let mut seen = HashMap::new();
    for (number, line) in (1..).zip(text[..whole].lines()) {
        let place = || format!("{}, line {number}", path.display());
        let row: Row = serde_json::from_str(line).with_context(place)?;
        row.check().with_context(place)?;
        match seen.insert((row.numerics, row.key()), rows.len()) {
            Some(first) if rows[first].1.failed.is_none() => {
                bail!("{}: a second row of the same run", place())
            }
            _ => rows.push((number, row)),
        }
    }
    let last: HashSet<usize> = seen.into_values().collect();
    let rows = rows.into_iter().enumerate();
    let rows = rows
        .filter(|(i, _)| last.contains(i))
        .map(|(_, row)| row)
        .collect();
    Ok((rows, whole as u64))
}

/// Rows of another configuration must not be averaged with this one's.
fn check(row: &Row, study: &Study, path: &Path) -> anyhow::Result<()> {
    ensure!(
        row.numerics == NUMERICS,
        "{} was made by numerics version {}, this build has {NUMERICS}: use another --out",
        path.display(),
        row.numerics,
    );
    if study.plans.iter().any(|plan| plan.config == row.config) {
        return Ok(());
    }
    let alike = study.plans.iter().find(|plan| plan.dataset == row.dataset);
    let plan = alike.or(study.plans.first());
    let changes = plan.map_or(vec![], |plan| row.config.changes(&plan.config));
    bail!(
        "{} was made with another protocol, from it to this run's: {}; use another --out",
        path.display(),
        changes.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::{diverged, row};

    #[test]
    fn a_resumed_file_keeps_whole_rows_and_drops_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let study = Study::of(&[]);
        let plan = &study.plans[0];
        let mut record = Record::open(Some(&path), Resume::No, &study).unwrap();
        record.push(row(plan, "AE")).unwrap();
        drop(record);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, whole.clone() + &whole[..20]).unwrap();

        let mut record = Record::open(Some(&path), Resume::Yes, &study).unwrap();
        assert_eq!(record.rows, [row(plan, "AE")]);
        let has = |record: &Record, method| record.has(&row(plan, method).key());
        assert!(has(&record, "AE") && !has(&record, "PUAE"));
        record.push(row(plan, "PUAE")).unwrap();
        assert_eq!(read(&path).unwrap().0.len(), 2);
    }

    #[test]
    fn runs_in_other_files_are_not_done_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let study = Study::of(&["--methods", "AE,PUAE"]);
        let row = |method| row(&study.plans[0], method);
        let other = Study::of(&["--epochs", "3"]);
        let mut old = row("AE");
        old.numerics = 0;
        let rows = [
            row("PUAE"),
            row("IF"),
            old,
            crate::row::tests::row(&other.plans[0], "AE"),
        ];
        let lines = rows.map(|row| serde_json::to_string(&row).unwrap() + "\n");
        std::fs::write(path("others.jsonl"), lines.concat()).unwrap();
        let out = path("rows.jsonl");
        let mut record = Record::open(Some(&out), Resume::No, &study).unwrap();
        record.know(&[path("others.jsonl")], &study).unwrap();
        // That of this study and of this build's numerics.
        assert_eq!(record.rows, [row("PUAE")]);
        assert!(record.has(&row("PUAE").key()) && !record.has(&row("AE").key()));
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "");
        assert!(record.know(&[path("none.jsonl")], &study).is_err());
    }

    #[test]
    fn a_failed_run_is_done_again_where_it_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let study = Study::of(&[]);
        let row = |method| row(&study.plans[0], method);
        let mut record = Record::open(Some(&path), Resume::No, &study).unwrap();
        record.push(diverged(row("PUAE"))).unwrap();
        record.push(row("AE")).unwrap();
        drop(record);
        let key = row("PUAE").key();
        let retry = |resume, again| {
            let mut record = Record::open(Some(&path), resume, &study).unwrap();
            assert!(record.has(&row("AE").key()));
            assert_eq!(record.has(&key), resume == Resume::Yes);
            if resume == Resume::RetryFailed {
                record.push(again).unwrap();
            }
        };
        retry(Resume::Yes, row("PUAE"));
        // In vain, and once more.
        retry(Resume::RetryFailed, diverged(row("PUAE")));
        retry(Resume::RetryFailed, row("PUAE"));
        let rows = read(&path).unwrap().0;
        assert_eq!(rows, [(2, row("AE")), (4, row("PUAE"))]);
        // What was measured stays.
        let line = std::fs::read_to_string(&path).unwrap();
        let line = line.lines().last().unwrap().to_string() + "\n";
        let text = std::fs::read_to_string(&path).unwrap() + &line;
        std::fs::write(&path, text).unwrap();
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(error.contains("line 5: a second row"), "{error}");
    }

    #[test]
    fn a_file_has_one_writer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let study = Study::of(&[]);
        let record = Record::open(Some(&path), Resume::No, &study).unwrap();
        let second = Record::open(Some(&path), Resume::Yes, &study)
            .err()
            .unwrap();
        assert!(
            second.to_string().contains("by another process"),
            "{second}"
        );
        drop(record);
        assert!(Record::open(Some(&path), Resume::Yes, &study).is_ok());
    }

    #[test]
    fn files_of_other_runs_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let first = Study::of(&[]);
        let mut record = Record::open(Some(&path), Resume::No, &first).unwrap();
        record.push(row(&first.plans[0], "AE")).unwrap();
        drop(record);
        // Without --resume nothing is overwritten.
        assert!(Record::open(Some(&path), Resume::No, &first).is_err());
        for (arguments, told) in [
            (["--epochs", "3"], "epochs 4 -> 3"),
            (["--alpha", "0.2"], "alpha 0.1 -> 0.2"),
        ] {
            let other = Study::of(&arguments);
            let err = Record::open(Some(&path), Resume::Yes, &other)
                .err()
                .unwrap();
            assert!(err.to_string().contains(told), "{err}");
        }
        let older = Row {
            numerics: 0,
            ..row(&first.plans[0], "AE")
        };
        std::fs::write(&path, serde_json::to_string(&older).unwrap() + "\n").unwrap();
        let err = Record::open(Some(&path), Resume::Yes, &first)
            .err()
            .unwrap();
        assert!(err.to_string().contains("numerics version 0"), "{err}");
        std::fs::write(&path, "{}\n").unwrap();
        let err = Record::open(Some(&path), Resume::Yes, &first)
            .err()
            .unwrap();
        assert!(err.to_string().contains("line 1"), "{err}");
    }
}
