//! The runs, several at a time: the networks are small, and a core each for several runs is faster than all
//! cores for one after another.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use puad::data::TrainTest;
use puad::method::Method;
use puad::{Error, Result};

use crate::cell::Cell;
use crate::method::is_svdd;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::record::{Record, Row};

/// Cells at a time, where there are not more workers: what bounds the memory for their samples.
const CELLS: usize = 5;

/// A run that is yet to be done.
struct Job<'a> {
    cell: Arc<Cell<'a>>,
    method: Method,
}

impl Job<'_> {
    /// The row, or none of a run that diverged: the others can still be compared.
    fn run(&self, progress: &Progress) -> Result<Option<Row>> {
        match self.cell.run(&self.method, progress) {
            Ok(row) => {
                progress.finish_run(&row);
                Ok(Some(row))
            }
            Err(error @ Error::Diverged { .. }) => {
                progress.say(&format!("{}: {error}", self.cell.label(&self.method)));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Does the runs that the record lacks, and records them.
pub fn run(plan: &Plan, images: &TrainTest, record: &mut Record) -> anyhow::Result<()> {
    let missing: Vec<(u8, u64, Vec<Method>)> = plan
        .cells()
        .map(|(normal, seed)| {
            let methods = plan.methods.iter().cloned();
            let todo = methods.filter(|method| !record.has(normal, seed, method));
            (normal, seed, todo.collect())
        })
        .filter(|(_, _, todo): &(_, _, Vec<Method>)| !todo.is_empty())
        .collect();
    let phases = missing.iter().map(|(_, _, todo)| phases(todo));
    let progress = Progress::new(phases.sum::<u64>() * u64::from(plan.config.epochs));
    let count: usize = missing.iter().map(|(_, _, todo)| todo.len()).sum();
    let workers = plan.workers(count);
    let mut outcome = Ok(());
    // At least a cell a worker, so that none waits for another's pre-training.
    for cells in missing.chunks(workers.max(CELLS)) {
        let new = |(normal, seed, todo): &(u8, u64, Vec<Method>)| {
            let cell = Cell::new(plan, images, *normal, *seed)?;
            anyhow::Ok((Arc::new(cell), todo.clone()))
        };
        let cells = cells.iter().map(new).collect::<anyhow::Result<Vec<_>>>()?;
        outcome = work(ordered(cells), workers, &progress, |row| record.push(row));
        if outcome.is_err() {
            break;
        }
    }
    progress.finish();
    outcome
}

/// Training phases of a cell's methods.
fn phases(todo: &[Method]) -> u64 {
    let trained = todo.iter().filter(|method| method.pair().is_some());
    trained.count() as u64 + u64::from(todo.iter().any(is_svdd))
}

/// The pre-training of each cell comes first, and last what may have to wait for it.
fn ordered(cells: Vec<(Arc<Cell<'_>>, Vec<Method>)>) -> Vec<Job<'_>> {
    let mut stages = [vec![], vec![], vec![]];
    for (cell, todo) in cells {
        let mut pretrains = true;
        for method in todo {
            let stage = if !is_svdd(&method) {
                1
            } else if std::mem::take(&mut pretrains) {
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

/// Does the jobs on `workers` threads, each with its share of the cores.
fn work(
    jobs: Vec<Job<'_>>,
    workers: usize,
    progress: &Progress,
    mut keep: impl FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if workers == 1 {
        for job in jobs {
            job.run(progress)?.map(&mut keep).transpose()?;
        }
        return Ok(());
    }
    let threads = rayon::current_num_threads() / workers;
    let pool = || {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .build()
    };
    let pools = (0..workers)
        .map(|_| pool())
        .collect::<Result<Vec<_>, _>>()?;
    let queue = &Mutex::new(jobs.into_iter());
    thread::scope(|scope| {
        let (sender, rows) = channel();
        for pool in pools {
            let sender = sender.clone();
            scope.spawn(move || pool.install(|| serve(queue, progress, &sender)));
        }
        // Ends when the last worker drops its own.
        drop(sender);
        let mut outcome = Ok(());
        for row in rows {
            // The runs that were under way.
            if outcome.is_err() {
                continue;
            }
            outcome = row.map_err(anyhow::Error::from).and_then(&mut keep);
            if outcome.is_err() {
                progress.stop();
                unpoisoned(queue).by_ref().for_each(drop);
            }
        }
        outcome
    })
}

/// Takes jobs until there are no more.
fn serve<'a>(
    queue: &Mutex<impl Iterator<Item = Job<'a>>>,
    progress: &Progress,
    sender: &Sender<Result<Row>>,
) {
    loop {
        let Some(job) = unpoisoned(queue).next() else {
            return;
        };
        if let Some(row) = job.run(progress).transpose() {
            // There is no receiver where the other end panicked.
            let _ = sender.send(row);
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use clap::Parser;

    const RUNS: [&str; 7] = [
        "table1",
        "--normal",
        "1,3",
        "--methods",
        "IF,DeepSVDD,LOE",
        "--epochs",
        "1",
    ];

    /// What a run measures, by class and method.
    fn measured(jobs: &str) -> Vec<(u8, String, [u64; 3])> {
        let args = Args::parse_from(RUNS.iter().copied().chain(["--jobs", jobs]));
        let plan = Plan::new(&args).unwrap();
        assert_eq!(plan.workers(6), jobs.parse::<usize>().unwrap());
        let images = plan.dataset.load(&args).unwrap();
        let mut record = Record::open(None, false, &plan).unwrap();
        run(&plan, &images, &mut record).unwrap();
        let values = |row: &Row| [row.auroc, row.auroc_seen, row.auroc_unseen].map(f64::to_bits);
        let rows = record.rows.iter();
        let mut rows: Vec<_> = rows
            .map(|row| (row.normal, row.method.to_string(), values(row)))
            .collect();
        rows.sort();
        rows
    }

    #[test]
    fn several_runs_at_a_time_measure_what_one_after_another_do() {
        let alone = measured("1");
        assert_eq!(alone.len(), 6);
        assert_eq!(measured("3"), alone);
    }

    #[test]
    fn a_row_that_cannot_be_kept_ends_the_runs() {
        let args = Args::parse_from(RUNS.iter().copied().chain(["--jobs", "2"]));
        let plan = Plan::new(&args).unwrap();
        let images = plan.dataset.load(&args).unwrap();
        let cells = vec![(
            Arc::new(Cell::new(&plan, &images, 1, 0).unwrap()),
            plan.methods.clone(),
        )];
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
