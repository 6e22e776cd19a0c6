//! Vectors of f32, as wide as the machine has them, and scratch memory.

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use pulp::{Arch, Simd, WithSimd};

use super::aligned::Values;
use super::allocator::keep_freed_memory;

/// Runs `task` with the widest instructions that the machine has, or those that `PUAD_SIMD` names.
pub(in crate::ops) fn dispatch<T: WithSimd>(task: T) -> T::Output {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    ARCH.get_or_init(choose).dispatch(task)
}

/// `PUAD_SIMD=scalar` or `avx2` is for tests of what other machines run; anything else, and what this
/// machine lacks, is no limit.
fn choose() -> Arch {
    match std::env::var("PUAD_SIMD").as_deref() {
        Ok("scalar") => Arch::Scalar,
        #[cfg(target_arch = "x86_64")]
        Ok("avx2") => pulp::x86::V3::try_new().map_or_else(Arch::new, Arch::V3),
        _ => Arch::new(),
    }
}

/// Lanes of a vector.
pub(in crate::ops) fn lanes() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    dispatch(Lanes)
}

/// A place for an f32, written or not.
///
/// # Safety
/// An implementation has the layout of f32, and any f32 may be written to it.
pub(in crate::ops) unsafe trait Slot: Copy + Send + Sync {}

// SAFETY: it is one.
unsafe impl Slot for f32 {}
// SAFETY: `MaybeUninit` has the layout of what it may hold.
unsafe impl Slot for MaybeUninit<f32> {}

#[inline(always)]
pub(super) fn load<S: Simd>(_: S, xs: &[f32], at: usize) -> S::f32s {
    let xs = &xs[at..at + S::F32_LANES];
    // SAFETY: `xs` holds F32_LANES values, and a vector is that many f32 of any bits.
    unsafe { xs.as_ptr().cast::<S::f32s>().read_unaligned() }
}

#[inline(always)]
pub(super) fn store<S: Simd, V: Slot>(_: S, xs: &mut [V], at: usize, v: S::f32s) {
    let xs = &mut xs[at..at + S::F32_LANES];
    // SAFETY: `xs` has room for F32_LANES values.
    unsafe { xs.as_mut_ptr().cast::<S::f32s>().write_unaligned(v) }
}

thread_local! {
    static SCRATCH: RefCell<Vec<Values>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `len` values left over from earlier calls on this thread. Calls may nest.
pub(in crate::ops) fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut scratch = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    if scratch.len() < len {
        keep_freed_memory();
        scratch = Values::zeros(len);
    }
    let result = f(&mut scratch[..len]);
    SCRATCH.with_borrow_mut(|stack| stack.push(scratch));
    result
}
