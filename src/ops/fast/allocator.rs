//! glibc gives freed memory back to the system where more of it lies on top of the heap than twice the
//! largest block that it has seen, and maps it again in the next step, page by page: up to a third of the
//! time of a step on images, or none, by what else happens to lie there.

use std::sync::Once;

/// Lets the process keep what a step frees, for the next. Who set glibc's own variables is left alone.
pub(super) fn keep_freed_memory() {
    static SETTLED: Once = Once::new();
    SETTLED.call_once(settle);
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn settle() {
    const TRIM_THRESHOLD: i32 = -1;
    const MMAP_THRESHOLD: i32 = -3;
    /// Freed memory that stays with the process.
    const KEPT: i32 = 1 << 30;
    /// Blocks beyond are mapped by themselves, and given back when they are freed: the most that glibc
    /// takes.
    const MAPPED: i32 = 32 << 20;
    unsafe extern "C" {
        fn mallopt(parameter: i32, value: i32) -> i32;
    }
    let chosen = [
        "MALLOC_TRIM_THRESHOLD_",
        "MALLOC_MMAP_THRESHOLD_",
        "GLIBC_TUNABLES",
    ];
    if chosen.iter().any(|name| std::env::var_os(name).is_some()) {
        return;
    }
    // SAFETY: it may be called at any time, from any thread, and says 0 where it does nothing.
    unsafe {
        mallopt(MMAP_THRESHOLD, MAPPED);
        mallopt(TRIM_THRESHOLD, KEPT);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn settle() {}
