//! The file of this example's rows.

use std::path::Path;

use anyhow::bail;

use crate::common::record::{self, Asked, Run};
use crate::row::{Key, NUMERICS, Row};
use crate::study::Study;

pub use crate::common::record::Resume;

pub type Record = record::Record<Row>;

impl Run for Row {
    type Key = Key;
    type Measured = [Option<u64>; 3];
    const NUMERICS: u32 = NUMERICS;

    fn key(&self) -> Key {
        Row::key(self)
    }

    fn measured(&self) -> [Option<u64>; 3] {
        self.bits()
    }

    fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    fn numerics(&self) -> u32 {
        self.numerics
    }

    fn host(&self) -> &str {
        &self.made.host
    }

    fn check(&self) -> anyhow::Result<()> {
        Row::check(self)
    }
}

impl Asked<Row> for Study {
    fn has(&self, row: &Row) -> bool {
        Study::has(self, row)
    }

    fn check(&self, row: &Row, path: &Path) -> anyhow::Result<()> {
        if self.plans.iter().any(|plan| plan.config == row.config) {
            return Ok(());
        }
        let alike = self.plans.iter().find(|plan| plan.dataset == row.dataset);
        let plan = alike.or(self.plans.first());
        let changes = plan.map_or(vec![], |plan| row.config.changes(&plan.config));
        bail!(
            "{} was made with another protocol, from it to this run's: {}; use another --out",
            path.display(),
            changes.join(", "),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::record::read;
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
        assert_eq!(read::<Row>(&path).unwrap().0.len(), 2);
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
        let rows = read::<Row>(&path).unwrap().0;
        assert_eq!(rows, [(2, row("AE")), (4, row("PUAE"))]);
        // What was measured stays: the same row once more changes nothing, another result is refused.
        let append = |row: &Row| {
            let line = serde_json::to_string(row).unwrap() + "\n";
            let text = std::fs::read_to_string(&path).unwrap() + &line;
            std::fs::write(&path, text).unwrap();
        };
        append(&row("PUAE"));
        append(&diverged(row("PUAE")));
        assert_eq!(read::<Row>(&path).unwrap().0, rows);
        append(&Row {
            auroc: Some(0.9),
            ..row("PUAE")
        });
        let error = format!("{:#}", read::<Row>(&path).unwrap_err());
        assert!(error.contains("line 7: a second row"), "{error}");
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
