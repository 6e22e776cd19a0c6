use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::plan::{Plan, RunConfig};
use puad::method::Method;

/// A finished run: one line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub dataset: Dataset,
    pub method: Method,
    pub normal: u8,
    pub seed: u64,
    /// Normals against all anomalies of the test set (Tables 1 and 2).
    pub auroc: f64,
    /// Against the seen ones (Tables 3 and 5).
    pub auroc_seen: f64,
    /// Against the unseen ones (Tables 4 and 6).
    pub auroc_unseen: f64,
    /// Epochs run in the last phase, 0 for a method without epochs.
    pub epochs: usize,
    /// The epoch whose parameters were measured.
    pub best_epoch: usize,
    /// Seconds of training; of an SVDD's, the second phase.
    pub seconds: f64,
    /// Seconds of the pre-training that the SVDD methods share.
    pub pretraining_seconds: f64,
    pub config: RunConfig,
}

/// The rows so far, and the file they go to.
pub struct Record {
    pub rows: Vec<Row>,
    file: Option<File>,
}

impl Record {
    /// Opens the file that was asked for, and reads it if the run is to go on.
    pub fn open(path: Option<&Path>, resume: bool, plan: &Plan) -> anyhow::Result<Self> {
        let Some(path) = path else {
            let rows = vec![];
            return Ok(Self { rows, file: None });
        };
        let exists = path.try_exists()?;
        ensure!(
            resume || !exists,
            "{} exists: pass --resume to go on with it, or another --out",
            path.display()
        );
        let mut rows = vec![];
        if exists {
            let (found, whole) = read(path)?;
            for row in &found {
                check_config(row, plan, path)?;
            }
            // What a killed run left of its last line.
            OpenOptions::new().write(true).open(path)?.set_len(whole)?;
            rows = found;
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        let file = Some(file);
        Ok(Self { rows, file })
    }

    pub fn has(&self, normal: u8, seed: u64, method: &Method) -> bool {
        let key = (normal, seed, method);
        self.rows
            .iter()
            .any(|r| (r.normal, r.seed, &r.method) == key)
    }

    /// Appends the row in one write, so that a kill leaves a whole line or a last line without end.
    pub fn push(&mut self, row: Row) -> anyhow::Result<()> {
        if let Some(file) = &mut self.file {
            let line = serde_json::to_string(&row)? + "\n";
            file.write_all(line.as_bytes())?;
            file.sync_data()?;
        }
        self.rows.push(row);
        Ok(())
    }
}

/// The rows of a file and the length of its whole lines in bytes.
fn read(path: &Path) -> anyhow::Result<(Vec<Row>, u64)> {
    let text = std::fs::read_to_string(path)?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut rows = vec![];
    let mut seen = HashSet::new();
    for (i, line) in text[..whole].lines().enumerate() {
        let place = || format!("{}, line {}", path.display(), i + 1);
        let row: Row = serde_json::from_str(line).with_context(place)?;
        if !seen.insert((row.normal, row.seed, row.method.clone())) {
            bail!("{}: a second row of the same run", place());
        }
        rows.push(row);
    }
    Ok((rows, whole as u64))
}

/// Rows of another configuration must not be averaged with this one's.
fn check_config(row: &Row, plan: &Plan, path: &Path) -> anyhow::Result<()> {
    let same = row.dataset == plan.dataset && row.config == plan.config;
    ensure!(
        same,
        "{} was made with {} and {}, this run has {} and {}: use another --out",
        path.display(),
        row.dataset.name(),
        serde_json::to_string(&row.config)?,
        plan.dataset.name(),
        serde_json::to_string(&plan.config)?,
    );
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::args::Args;
    use clap::Parser;

    fn plan(extra: &[&str]) -> Plan {
        let args = ["table1"].iter().chain(extra);
        Plan::new(&Args::parse_from(args)).unwrap()
    }

    pub fn row(plan: &Plan, method: Method) -> Row {
        Row {
            dataset: plan.dataset,
            method,
            normal: 1,
            seed: 0,
            auroc: 0.1 + 0.2,
            auroc_seen: 0.5,
            auroc_unseen: 1.0,
            epochs: 3,
            best_epoch: 2,
            seconds: 0.25,
            pretraining_seconds: 0.,
            config: plan.config.clone(),
        }
    }

    #[test]
    fn a_resumed_file_keeps_whole_rows_and_drops_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let plan = plan(&[]);
        let mut record = Record::open(Some(&path), false, &plan).unwrap();
        record.push(row(&plan, Method::AE)).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, whole.clone() + &whole[..20]).unwrap();

        let mut record = Record::open(Some(&path), true, &plan).unwrap();
        assert_eq!(record.rows, [row(&plan, Method::AE)]);
        assert!(record.has(1, 0, &Method::AE) && !record.has(1, 0, &Method::PUAE));
        record.push(row(&plan, Method::PUAE)).unwrap();
        assert_eq!(read(&path).unwrap().0.len(), 2);
    }

    #[test]
    fn files_of_other_runs_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let first = plan(&[]);
        let mut record = Record::open(Some(&path), false, &first).unwrap();
        record.push(row(&first, Method::AE)).unwrap();
        // Without --resume nothing is overwritten.
        assert!(Record::open(Some(&path), false, &first).is_err());
        for other in [plan(&["--epochs", "3"]), plan(&["--alpha", "0.2"])] {
            let err = Record::open(Some(&path), true, &other).err().unwrap();
            assert!(err.to_string().contains("was made with"), "{err}");
        }
        std::fs::write(&path, "{}\n").unwrap();
        let err = Record::open(Some(&path), true, &first).err().unwrap();
        assert!(err.to_string().contains("line 1"), "{err}");
    }
}
