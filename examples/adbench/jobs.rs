//! The runs that are missing.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use puad::metrics::{auroc, average_precision};
use puad::{Estimator, FittedDetector};

use crate::cell::Cell;
use crate::common::record::Record;
use crate::common::work::{self, work};
use crate::contender::Contender;
use crate::grid::Grid;
use crate::made::Made;
use crate::progress::Progress;
use crate::row::{NUMERICS, Row, key};
use crate::split::Split;

/// A run that is yet to be done.
struct Job<'a> {
    folder: &'a Path,
    cell: &'a Cell,
    contender: &'a Contender,
}

/// Does the runs that the record lacks, and records them.
pub fn run(
    grid: &Grid,
    jobs: Option<NonZeroUsize>,
    record: &mut Record<Row>,
) -> anyhow::Result<()> {
    let missing = missing(grid, record);
    let epochs = missing.iter().map(|job| u64::from(job.contender.epochs()));
    let progress = Progress::new(epochs.sum());
    let most = jobs.map_or(rayon::current_num_threads(), NonZeroUsize::get);
    let workers = most.clamp(1, missing.len().max(1));
    let outcome = work(missing, workers, &progress, |row| record.push(row));
    progress.finish();
    outcome
}

fn missing<'a>(grid: &'a Grid, record: &Record<Row>) -> Vec<Job<'a>> {
    let mut jobs = vec![];
    for cell in &grid.cells {
        for contender in &grid.contenders {
            if !record.has(&key(cell, &contender.name, &contender.settings())) {
                jobs.push(Job {
                    folder: &grid.folder,
                    cell,
                    contender,
                });
            }
        }
    }
    jobs
}

impl work::Job for Job<'_> {
    type Row = Row;

    /// The row: of a fit that failed one that says so, since the others can still be compared.
    fn run(&self, progress: &Progress) -> anyhow::Result<Row> {
        let split = Split::load(self.folder, self.cell)?;
        let label = format!("{}: {}", self.cell, self.contender.name);
        let mut phase = progress.phase(label, self.contender.epochs());
        let start = Instant::now();
        let config = self.contender.config(self.cell.seed);
        let estimator = Estimator::new(config).with_observer(&mut phase);
        let fitted = estimator.fit(&split.unlabeled, &split.anomalies);
        let seconds = start.elapsed().as_secs_f64();
        drop(phase);
        let row = match fitted {
            Ok(detector) => self.measured(&split, &detector, seconds)?,
            Err(error) => Row {
                failed: Some(error.to_string()),
                ..self.blank(&split, seconds)
            },
        };
        progress.finish_run(&row.told(), row.failed.is_some());
        Ok(row)
    }
}

impl Job<'_> {
    fn measured(
        &self,
        split: &Split,
        detector: &FittedDetector,
        seconds: f64,
    ) -> anyhow::Result<Row> {
        let start = Instant::now();
        let scores = detector.score(&split.test)?;
        let scoring_seconds = start.elapsed().as_secs_f64();
        let (scores, labels) = split.counted(&scores);
        let blank = self.blank(split, seconds);
        Ok(Row {
            auroc: Some(auroc(&scores, &labels)?),
            average_precision: Some(average_precision(&scores, &labels)?),
            estimate: detector.prior_estimate().cloned(),
            decision_prior: Some(detector.decision_prior().get()),
            epochs: detector.history().training.epochs.len(),
            warnings: detector
                .warnings()
                .iter()
                .map(ToString::to_string)
                .collect(),
            made: Made {
                scoring_seconds,
                ..blank.made.clone()
            },
            ..blank
        })
    }

    /// What is known without a fit.
    fn blank(&self, split: &Split, seconds: f64) -> Row {
        Row {
            set: self.cell.set.clone(),
            setting: self.cell.setting,
            seed: self.cell.seed,
            method: self.contender.name.clone(),
            auroc: None,
            average_precision: None,
            failed: None,
            estimate: None,
            decision_prior: None,
            true_prior: split.prior,
            epochs: 0,
            warnings: vec![],
            config: self.contender.settings(),
            numerics: NUMERICS,
            made: Made::now(rayon::current_num_threads(), seconds, 0.),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use crate::common::record::Resume;
    use crate::tiny;
    use clap::Parser;

    fn rows(folder: &Path, text: &str, out: Option<&Path>, resume: Resume) -> (Vec<Row>, usize) {
        let arguments = ["adbench", "--sets", "tiny"].into_iter();
        let args = Args::parse_from(arguments.chain(text.split_whitespace()));
        let grid = Grid::new(&args, folder).unwrap();
        let mut record = Record::open(out, resume, &grid).unwrap();
        let todo = missing(&grid, &record).len();
        run(&grid, args.jobs, &mut record).unwrap();
        (record.rows, todo)
    }

    #[test]
    fn several_runs_at_a_time_measure_what_one_after_another_do() {
        let dir = tempfile::tempdir().unwrap();
        tiny::write(dir.path(), "tiny__L10__0");
        tiny::write(dir.path(), "tiny__novel__0");
        let measured = |jobs: &str| {
            let text = format!("--settings L10,novel --methods PUAE,IF --jobs {jobs}");
            let (mut rows, todo) = rows(dir.path(), &text, None, Resume::No);
            assert_eq!(todo, 4);
            rows.sort_by_key(|row| (row.cell(), row.method.clone()));
            rows
        };
        let alone = measured("1");
        for (row, other) in alone.iter().zip(&measured("3")) {
            let made = row.made.clone();
            assert_eq!(
                row,
                &Row {
                    made,
                    ..other.clone()
                }
            );
            assert!(row.auroc.unwrap() > 0.8, "{row:?}");
            assert_eq!((row.true_prior, row.failed.clone()), (0.1, None));
            assert_eq!(row.epochs > 0, row.method == "PUAE", "{row:?}");
            assert!(row.estimate.is_some() && row.made.seconds > 0., "{row:?}");
        }
    }

    #[test]
    fn a_fit_that_fails_is_a_row_and_not_done_again() {
        let dir = tempfile::tempdir().unwrap();
        tiny::write(dir.path(), "tiny__L10__0");
        let configs = dir.path().join("configs.json");
        // Every weight is infinite after the first step.
        let rate = r#"{"PU, wild": {"method": "PU", "train": {"adam": {"learning_rate": 1e38}}}}"#;
        std::fs::write(&configs, rate).unwrap();
        let text = format!(
            "--settings L10 --methods IF --configs {}",
            configs.display()
        );
        let out = dir.path().join("rows.jsonl");
        let again = |resume| rows(dir.path(), &text, Some(&out), resume);
        let (first, todo) = again(Resume::No);
        assert_eq!((first.len(), todo), (2, 2));
        let wild = first.iter().find(|row| row.method == "PU, wild").unwrap();
        let failed = wild.failed.as_deref().unwrap();
        assert!(failed.starts_with("training diverged"), "{failed}");
        assert_eq!(again(Resume::Yes).1, 0);
        assert_eq!(again(Resume::RetryFailed).1, 1);
        let (all, todo) = again(Resume::Yes);
        assert_eq!((all.len(), todo), (2, 0));
        // The same name with other settings.
        std::fs::write(&configs, r#"{"PU, wild": {"method": "PU"}}"#).unwrap();
        let args = format!("adbench --sets tiny {text}");
        let args = Args::parse_from(args.split_whitespace());
        let grid = Grid::new(&args, dir.path()).unwrap();
        let error = Record::open(Some(&out), Resume::Yes, &grid).err().unwrap();
        let error = error.to_string();
        assert!(
            error.contains("train.adam.learning_rate 1e+38 -> 0.001"),
            "{error}"
        );
    }
}
