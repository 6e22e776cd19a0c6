//! Whether somebody may ask for a gradient of what becomes of a tensor.

use std::cell::RefCell;

use candle_core::{Tensor, TensorId};

thread_local! {
    /// Tensors of which nobody asks it. Not one mark for the thread: a thread that waits for others does
    /// foreign work meanwhile, a training even.
    static MARKED: RefCell<Vec<TensorId>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f`, in which no gradient is asked of what becomes of `xs`: networks may compute it in one piece.
pub(crate) fn without_graph<T>(xs: &Tensor, f: impl FnOnce() -> T) -> T {
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            MARKED.with_borrow_mut(|marked| marked.truncate(self.0));
        }
    }
    let _restore = Restore(MARKED.with_borrow(Vec::len));
    mark(xs);
    f()
}

/// Whether nobody asks a gradient of what becomes of `xs`.
pub(crate) fn is_without_graph(xs: &Tensor) -> bool {
    !xs.track_op() && MARKED.with_borrow(|marked| marked.contains(&xs.id()))
}

/// For `ys`, computed of `xs`: nobody asks a gradient of it either.
pub(crate) fn mark_as(xs: &Tensor, ys: &Tensor) {
    if is_without_graph(xs) {
        mark(ys);
    }
}

fn mark(xs: &Tensor) {
    MARKED.with_borrow_mut(|marked| marked.push(xs.id()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use std::panic::AssertUnwindSafe;

    #[test]
    fn only_marked_tensors_are_without_and_only_meanwhile() {
        let new = || Tensor::new(&[1f32], &Device::Cpu).unwrap();
        let (xs, ys, others, more) = (new(), new(), new(), new());
        without_graph(&xs, || {
            mark_as(&xs, &ys);
            mark_as(&others, &more);
            assert!(is_without_graph(&xs) && is_without_graph(&ys));
            assert!(!is_without_graph(&others) && !is_without_graph(&more));
            // Foreign work that the thread does in between.
            without_graph(&others, || assert!(is_without_graph(&others)));
            assert!(is_without_graph(&xs) && !is_without_graph(&others));
        });
        assert!(![&xs, &ys, &others].into_iter().any(is_without_graph));
        let panics = || without_graph(&xs, || panic!("in between"));
        let caught = std::panic::catch_unwind(AssertUnwindSafe(panics));
        assert!(caught.is_err() && !is_without_graph(&xs));
    }
}
