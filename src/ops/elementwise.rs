//! Element by element, with vector instructions.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::cpu::Real;
use super::fast::dispatch;

/// Elements a task handles: below, another thread costs more than it saves.
pub(super) const CHUNK: usize = 1 << 16;

/// `f(a, b)` element by element.
pub(super) fn map2<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T + Sync) -> Vec<T> {
    let len = a.len().min(b.len());
    let mut out = Box::new_uninit_slice(len);
    let inputs = a[..len].par_chunks(CHUNK).zip(b[..len].par_chunks(CHUNK));
    let chunks = out.par_chunks_mut(CHUNK).zip(inputs);
    chunks.for_each(|(out, (a, b))| {
        vectorized(
            #[inline(always)]
            || {
                for (out, (&a, &b)) in out.iter_mut().zip(a.iter().zip(b)) {
                    out.write(f(a, b));
                }
            },
        );
    });
    // SAFETY: the chunks are all of it, and each is written.
    unsafe { out.assume_init() }.into_vec()
}

/// Runs `f`, compiled for the machine's vectors.
pub(super) fn vectorized<R>(f: impl FnOnce() -> R) -> R {
    struct Run<F>(F);
    impl<R, F: FnOnce() -> R> WithSimd for Run<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> R {
            (self.0)()
        }
    }
    dispatch(Run(f))
}

/// Values below which another thread costs more than it saves, where each sample gives one number.
pub(super) const SERIAL: usize = 1 << 16;

/// `f` of each of `batch` samples of `len` values.
pub(super) fn per_sample<T: Real>(
    (batch, len): (usize, usize),
    f: impl Fn(usize) -> T + Sync + Send,
) -> Vec<T> {
    let samples = (0..batch).into_par_iter();
    let tasks = samples.with_min_len(SERIAL / len.max(1));
    tasks.map(f).collect()
}
