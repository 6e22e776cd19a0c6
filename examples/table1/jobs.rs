//! The runs that are missing, in an order in which few wait for others.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use puad::Error;

use crate::args::Args;
use crate::cell::{Cell, PretrainingKey, Pretrainings, pretraining_key};
use crate::common::work::{self, work};
use crate::method::Contender;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::record::Record;
use crate::row::{Row, key};
use crate::study::Study;
use crate::unfinished::Unfinished;

/// Cells at a time, where there are not more workers: what bounds the memory for their samples.
const CELLS: usize = 5;

/// A run that is yet to be done.
struct Job<'a> {
    cell: Arc<Cell<'a>>,
    method: Contender,
}

impl work::Job for Job<'_> {
    type Row = Row;

    /// The row: of a run that diverged one that says so, since the others can still be compared.
    fn run(&self, progress: &Progress) -> anyhow::Result<Row> {
        let start = Instant::now();
        let row = match self.cell.run(&self.method, progress) {
            Err(ref error @ Error::Diverged { epoch, .. }) => {
                let seconds = start.elapsed().as_secs_f64();
                self.cell.failed(&self.method, epoch, error, seconds)
            }
            outcome => outcome?,
        };
        progress.finish_run(&row.told(), row.failed.is_some());
        Ok(row)
    }
}

/// What a cell still lacks.
struct Todo<'a> {
    plan: &'a Plan,
    normal: u8,
    seed: u64,
    methods: Vec<Contender>,
}

impl<'a> Todo<'a> {
    /// Of the cells in their order, those that lack something.
    fn of(study: &'a Study, record: &Record) -> Vec<Self> {
        let cells = study.cells().into_iter();
        let todo = cells.map(|(plan, normal, seed)| {
            let is_missing = |method: &&Contender| {
                !record.has(&key(plan.dataset, method, normal, seed, &plan.config))
            };
            let methods = plan.methods.iter().filter(is_missing).cloned();
            Self {
                plan,
                normal,
                seed,
                methods: methods.collect(),
            }
        });
        todo.filter(|todo| !todo.methods.is_empty()).collect()
    }

    /// The most epochs of its training phases, without the pre-trainings that others have done.
    fn epochs(&self, done: &mut HashSet<(PretrainingKey, bool)>) -> u64 {
        let trained = self.methods.iter().filter(|method| method.is_network());
        let svdds = self.methods.iter().filter(|method| method.is_svdd());
        let pretrains = svdds.filter(|method| {
            let key = pretraining_key(self.plan, self.normal, self.seed);
            done.insert((key, method.is_oracle()))
        });
        let phases = trained.count() + pretrains.count();
        phases as u64 * u64::from(self.plan.config.epochs)
    }
}

/// Does the runs that the record lacks, and records them.
pub fn run(study: &Study, args: &Args, record: &mut Record) -> anyhow::Result<()> {
    let missing = Todo::of(study, record);
    for todo in &missing {
        todo.plan.dataset.check_files(args)?;
    }
    let unfinished = match &args.out {
        Some(out) => Unfinished::of(out, args.resume)?,
        None => Unfinished::default(),
    };
    let mut done = HashSet::new();
    let progress = Progress::new(missing.iter().map(|todo| todo.epochs(&mut done)).sum());
    let count = missing.iter().map(|todo| todo.methods.len()).sum();
    let workers = study.workers(count);
    let mut sets = missing.chunk_by(|a, b| a.plan.dataset.same_images(b.plan.dataset));
    let outcome =
        sets.try_for_each(|same| run_set(same, args, workers, (&progress, &unfinished), record));
    progress.finish();
    outcome
}

/// The runs on one set of images.
fn run_set<'a>(
    same: &[Todo<'a>],
    args: &Args,
    workers: usize,
    (progress, unfinished): (&Progress, &Unfinished),
    record: &mut Record,
) -> anyhow::Result<()> {
    let images = &same[0].plan.dataset.load(args)?;
    let mut pretrainings = Pretrainings::default();
    // At least a cell a worker, so that none waits for another's pre-training.
    for cells in same.chunks(workers.max(CELLS)) {
        let mut new = |todo: &Todo<'a>| {
            let cell = Cell::new(todo.plan, images, todo.normal, todo.seed)?;
            let cell = cell.kept(unfinished.clone()).sharing(&mut pretrainings);
            anyhow::Ok((Arc::new(cell), todo.methods.clone()))
        };
        let cells = cells
            .iter()
            .map(&mut new)
            .collect::<anyhow::Result<Vec<_>>>()?;
        unfinished.prepare()?;
        work(ordered(cells), workers, progress, |row| record.push(row))?;
        unfinished.clear()?;
    }
    Ok(())
}

/// Each pre-training comes first, and last what may have to wait for it.
fn ordered(cells: Vec<(Arc<Cell<'_>>, Vec<Contender>)>) -> Vec<Job<'_>> {
    let mut stages = [vec![], vec![], vec![]];
    let mut pretrained = HashSet::new();
    for (cell, todo) in cells {
        for method in todo {
            let stage = if !method.is_svdd() {
                1
            } else if pretrained.insert(cell.pretraining_of(&method)) {
                0
            } else {
                2
            };
            let cell = cell.clone();
            stages[stage].push(Job { cell, method });
        }
    }
    stages.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;
    use crate::record::Resume;
    use clap::Parser;

    const RUNS: &str = "table1 --dataset glyphs,glyphs-near --normal 1,3 \
                        --methods IF,DeepSVDD,LOE --epochs 1 --jobs";

    fn args(jobs: &str) -> Args {
        Args::parse_from(RUNS.split_whitespace().chain([jobs]))
    }

    /// What a run measures, by data set, class and method.
    fn measured(jobs: &str) -> Vec<(Dataset, u8, String, [Option<u64>; 3])> {
        let args = args(jobs);
        let study = Study::new(&args).unwrap();
        assert_eq!(study.workers(12), jobs.parse::<usize>().unwrap());
        let mut record = Record::open(None, Resume::No, &study).unwrap();
        run(&study, &args, &mut record).unwrap();
        let rows = record.rows.iter();
        let mut rows: Vec<_> = rows
            .map(|row| (row.dataset, row.normal, row.method.to_string(), row.bits()))
            .collect();
        rows.sort();
        rows
    }

    #[test]
    fn several_runs_at_a_time_measure_what_one_after_another_do() {
        let alone = measured("1");
        assert_eq!(alone.len(), 12);
        assert_eq!(measured("3"), alone);
    }

    #[test]
    fn a_run_that_diverges_is_a_row_and_not_done_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        // Every weight is infinite after the first step.
        let runs = "table1 --dataset glyphs --normal 1 --methods IF,AE,PUSVDD --epochs 1 \
                    --learning-rate 1e38 --jobs 1";
        let args = Args::parse_from(runs.split_whitespace());
        let study = Study::new(&args).unwrap();
        let mut record = Record::open(Some(&path), Resume::No, &study).unwrap();
        run(&study, &args, &mut record).unwrap();
        let told: Vec<_> = record.rows.iter().map(|row| row.failed.clone()).collect();
        assert_eq!(told.len(), 3);
        for row in &record.rows {
            let failed = row.failed.as_deref().unwrap_or_default();
            let is_network = row.method.is_network();
            assert_eq!(
                failed.starts_with("training diverged"),
                is_network,
                "{row:?}"
            );
            assert!(row.check().is_ok());
        }
        drop(record);
        let record = Record::open(Some(&path), Resume::Yes, &study).unwrap();
        assert!(Todo::of(&study, &record).is_empty());
        drop(record);
        let record = Record::open(Some(&path), Resume::RetryFailed, &study).unwrap();
        assert_eq!(Todo::of(&study, &record)[0].methods.len(), 2);
    }

    #[test]
    fn a_row_that_cannot_be_kept_ends_the_runs() {
        let args = args("2");
        let study = Study::new(&args).unwrap();
        let plan = &study.plans[0];
        let images = plan.dataset.load(&args).unwrap();
        let cell = Arc::new(Cell::new(plan, &images, 1, 0).unwrap());
        let cells = vec![(cell, plan.methods.clone())];
        let (jobs, progress) = (ordered(cells), Progress::new(3));
        assert_eq!(
            jobs.iter()
                .map(|job| job.method.to_string())
                .collect::<Vec<_>>(),
            ["DeepSVDD", "IF", "LOE"]
        );
        let mut rows = 0;
        let outcome = work(jobs, 2, &progress, |_| {
            rows += 1;
            anyhow::bail!("the disk is full")
        });
        assert_eq!(outcome.unwrap_err().to_string(), "the disk is full");
        assert_eq!(rows, 1);
    }
}
