use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::row::{Key, NUMERICS, Row};
use crate::study::Study;

/// The rows so far, and the file they go to, which no other process may write meanwhile.
pub struct Record {
    pub rows: Vec<Row>,
    keys: HashSet<Key>,
    file: Option<File>,
}

impl Record {
    /// Opens the file that was asked for, and reads it if the run is to go on.
    pub fn open(path: Option<&Path>, resume: bool, study: &Study) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::new(vec![], None));
        };
        // One that a start in vain left has nothing to lose.
        let exists = path.try_exists()? && path.metadata()?.len() > 0;
        ensure!(
            resume || !exists,
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
        for row in &rows {
            check(row, study, path)?;
        }
        file.set_len(whole)?;
        Ok(Self::new(rows, Some(file)))
    }

    fn new(rows: Vec<Row>, file: Option<File>) -> Self {
        let keys = rows.iter().map(Row::key).collect();
        Self { rows, keys, file }
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

/// The rows of a file and the length of its whole lines in bytes.
pub fn read(path: &Path) -> anyhow::Result<(Vec<Row>, u64)> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut rows = vec![];
    let mut seen = HashSet::new();
    for (i, line) in text[..whole].lines().enumerate() {
        let place = || format!("{}, line {}", path.display(), i + 1);
        let row: Row = serde_json::from_str(line).with_context(place)?;
        if !seen.insert((row.numerics, row.key())) {
            bail!("{}: a second row of the same run", place());
        }
        rows.push(row);
    }
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
    use crate::row::tests::row;

    #[test]
    fn a_resumed_file_keeps_whole_rows_and_drops_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let study = Study::of(&[]);
        let plan = &study.plans[0];
        let mut record = Record::open(Some(&path), false, &study).unwrap();
        record.push(row(plan, "AE")).unwrap();
        drop(record);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, whole.clone() + &whole[..20]).unwrap();

        let mut record = Record::open(Some(&path), true, &study).unwrap();
        assert_eq!(record.rows, [row(plan, "AE")]);
        let has = |record: &Record, method| record.has(&row(plan, method).key());
        assert!(has(&record, "AE") && !has(&record, "PUAE"));
        record.push(row(plan, "PUAE")).unwrap();
        assert_eq!(read(&path).unwrap().0.len(), 2);
    }

    #[test]
    fn a_file_has_one_writer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let study = Study::of(&[]);
        let record = Record::open(Some(&path), false, &study).unwrap();
        let second = Record::open(Some(&path), true, &study).err().unwrap();
        assert!(
            second.to_string().contains("by another process"),
            "{second}"
        );
        drop(record);
        assert!(Record::open(Some(&path), true, &study).is_ok());
    }

    #[test]
    fn files_of_other_runs_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let first = Study::of(&[]);
        let mut record = Record::open(Some(&path), false, &first).unwrap();
        record.push(row(&first.plans[0], "AE")).unwrap();
        drop(record);
        // Without --resume nothing is overwritten.
        assert!(Record::open(Some(&path), false, &first).is_err());
        for (arguments, told) in [
            (["--epochs", "3"], "epochs 4 -> 3"),
            (["--alpha", "0.2"], "alpha 0.1 -> 0.2"),
        ] {
            let other = Study::of(&arguments);
            let err = Record::open(Some(&path), true, &other).err().unwrap();
            assert!(err.to_string().contains(told), "{err}");
        }
        let older = Row {
            numerics: 0,
            ..row(&first.plans[0], "AE")
        };
        std::fs::write(&path, serde_json::to_string(&older).unwrap() + "\n").unwrap();
        let err = Record::open(Some(&path), true, &first).err().unwrap();
        assert!(err.to_string().contains("numerics version 0"), "{err}");
        std::fs::write(&path, "{}\n").unwrap();
        let err = Record::open(Some(&path), true, &first).err().unwrap();
        assert!(err.to_string().contains("line 1"), "{err}");
    }
}
