//! Fits side by side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use candle_core::Device;

use crate::Result;

/// How many fits to run side by side: one a core on the CPU, each of which computes on a pool that all share.
pub(crate) fn at_once(device: &Device) -> usize {
    // A thread of a pool that waits for threads of ours, which wait for the pool, would wait for ever.
    let in_pool = rayon::current_thread_index().is_some();
    if device.is_cpu() && !in_pool {
        thread::available_parallelism().map_or(1, usize::from)
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
    let work = || -> Vec<(usize, Result<T>)> {
        let mut done = Vec::new();
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
