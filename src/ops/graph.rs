//! Whether operations keep what a backward pass would need.

use std::cell::Cell;

thread_local! {
    static KEPT: Cell<bool> = const { Cell::new(true) };
}

/// Runs `f`, of whose result no gradient is asked: networks of this thread may compute it in one piece.
pub(crate) fn without_graph<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            KEPT.set(self.0);
        }
    }
    let _restore = Restore(KEPT.replace(false));
    f()
}

/// Whether somebody may ask for a gradient.
pub(crate) fn keeps_graph() -> bool {
    KEPT.get()
}
