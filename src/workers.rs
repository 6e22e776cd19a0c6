//! Fits side by side.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use candle_core::Device;

use crate::Result;

thread_local! {
    /// How many run side by side where this thread's is one of them.
    static BESIDE: Cell<usize> = const { Cell::new(1) };
}

/// How many fits to run side by side: one a core on the CPU, each of which computes on a pool that all share; within one
/// of them its share of the cores.
pub(crate) fn at_once(device: &Device) -> usize {
    // A thread of a pool that waits for threads of ours, which wait for the pool, would wait for ever.
    let in_pool = rayon::current_thread_index().is_some();
    if device.is_cpu() && !in_pool {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (cores / BESIDE.get()).max(1)
    } else {
        1
    }
}

/// Calls `of` with each index below `n`, on `at_once` threads of its own: what a model computes on the shared pool
/// must not be interrupted by another model's fit.
pub(crate) fn run<T: Send>(
    n: usize,
    at_once: usize,
    of: &(dyn Fn(usize) -> Result<T> + Sync),
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let beside = BESIDE.get() * at_once.min(n).max(1);
    let work = || -> Vec<(usize, Result<T>)> {
        let mut done = Vec::new();
        let _within = Within::of(beside);
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= n {
                return done;
            }
            let result = of(index);
            if result.is_err() {
                // All before it have begun, so that the first error is found.
                next.store(n, Ordering::Relaxed);
            }
            done.push((index, result));
        }
    };
    let mut done: Vec<(usize, Result<T>)> = thread::scope(|scope| {
        let threads: Vec<_> = (1..at_once.min(n)).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for thread in threads {
            match thread.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// While it lives this thread's fit is one of several.
struct Within(usize);

impl Within {
    fn of(beside: usize) -> Self {
        Self(BESIDE.replace(beside))
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        BESIDE.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn results_are_in_order_and_the_first_error_ends_it() {
        assert_eq!(run(5, 3, &|at| Ok(at * at)).unwrap(), [0, 1, 4, 9, 16]);
        assert_eq!(run(0, 3, &|at| Ok(at)).unwrap(), [0; 0]);
        let begun = AtomicUsize::new(0);
        let fit = |at: usize| -> Result<()> {
            begun.fetch_add(1, Ordering::Relaxed);
            Err(Error::config("fit", "one that works", at))
        };
        let error = run(100, 1, &fit).unwrap_err().to_string();
        assert!(error.ends_with('0'), "{error}");
        assert_eq!(begun.into_inner(), 1);
    }

    #[test]
    fn fits_within_fits_share_the_cores() {
        let cores = at_once(&Device::Cpu);
        let within = run(cores, cores, &|_| Ok(at_once(&Device::Cpu))).unwrap();
        assert!(within.iter().all(|&within| within == 1), "{within:?}");
        assert_eq!(at_once(&Device::Cpu), cores);
        let alone = run(1, 1, &|_| Ok(at_once(&Device::Cpu))).unwrap();
        assert_eq!(alone, [cores]);
    }
}
