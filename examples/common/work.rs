//! Runs, several at a time: the networks are small, and a core each for several runs is faster than all cores for one
//! after another.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::progress::Progress;

/// A run that is yet to be done.
pub trait Job: Send {
    type Row: Send;

    fn run(&self, progress: &Progress) -> anyhow::Result<Self::Row>;
}

/// Does the jobs on `workers` threads, each with its share of the cores.
pub fn work<J: Job>(
    jobs: Vec<J>,
    workers: usize,
    progress: &Progress,
    mut keep: impl FnMut(J::Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if workers == 1 {
        for job in jobs {
            keep(job.run(progress)?)?;
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
            outcome = row.and_then(&mut keep);
            if outcome.is_err() {
                progress.stop();
                unpoisoned(queue).by_ref().for_each(drop);
            }
        }
        outcome
    })
}

/// Takes jobs until there are no more.
fn serve<J: Job>(
    queue: &Mutex<impl Iterator<Item = J>>,
    progress: &Progress,
    sender: &Sender<anyhow::Result<J::Row>>,
) {
    loop {
        let Some(job) = unpoisoned(queue).next() else {
            return;
        };
        // There is no receiver where the other end panicked.
        let _ = sender.send(job.run(progress));
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(u32);

    impl Job for Number {
        type Row = u32;

        fn run(&self, _: &Progress) -> anyhow::Result<u32> {
            anyhow::ensure!(self.0 != 7, "seven");
            Ok(self.0)
        }
    }

    fn done(numbers: std::ops::Range<u32>, workers: usize) -> (Vec<u32>, anyhow::Result<()>) {
        let (jobs, progress) = (numbers.map(Number).collect(), Progress::new(0));
        let mut rows = vec![];
        let outcome = work(jobs, workers, &progress, |row| {
            rows.push(row);
            Ok(())
        });
        rows.sort_unstable();
        (rows, outcome)
    }

    #[test]
    fn every_job_is_done_once_on_any_number_of_workers() {
        for workers in [1, 3] {
            let (rows, outcome) = done(10..40, workers);
            assert!(outcome.is_ok());
            assert_eq!(rows, (10..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_job_that_cannot_be_done_ends_the_others() {
        let (rows, outcome) = done(5..40, 1);
        assert_eq!(rows, [5, 6]);
        assert_eq!(outcome.unwrap_err().to_string(), "seven");
        assert_eq!(done(7..40, 3).1.unwrap_err().to_string(), "seven");
    }
}
