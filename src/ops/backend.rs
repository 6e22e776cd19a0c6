//! Where an operation runs.

use candle_core::{DType, Tensor};

/// Whose code computes an operation. Each operation says what it does in each case, and this is the
/// one place that chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    /// A kernel of ours, f32 or f64.
    Cpu,
    /// A kernel of ours, f32 or f64.
    Cuda,
    /// candle's operations, on any device and type.
    Candle,
}

impl Backend {
    /// The backend of an operation on `t`.
    pub(super) fn of(t: &Tensor) -> Self {
        if !matches!(t.dtype(), DType::F32 | DType::F64) {
            return Self::Candle;
        }
        // Positions are 32-bit numbers on CUDA.
        let fits_cuda = (1..1 << 31).contains(&t.elem_count());
        #[cfg(test)]
        match MODE.get() {
            Mode::Kernels => {}
            Mode::Emulated if fits_cuda => return Self::Cuda,
            Mode::Emulated | Mode::Composed => return Self::Candle,
        }
        if t.device().is_cpu() {
            Self::Cpu
        } else if cfg!(feature = "cuda") && t.device().is_cuda() && fits_cuda {
            Self::Cuda
        } else {
            Self::Candle
        }
    }

    /// The backend of a convolution: on CUDA it is cuDNN's, or candle's.
    pub(super) fn of_convolution(t: &Tensor) -> Self {
        match Self::of(t) {
            Self::Cuda if !(cfg!(feature = "cudnn") && t.device().is_cuda()) => Self::Candle,
            backend => backend,
        }
    }
}

/// What a test runs.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    /// As everywhere.
    Kernels,
    /// candle's operations alone, as on a device without kernels.
    Composed,
    /// The kernels of CUDA, emulated on the CPU.
    Emulated,
}

#[cfg(test)]
thread_local! {
    static MODE: std::cell::Cell<Mode> = const { std::cell::Cell::new(Mode::Kernels) };
}

#[cfg(test)]
pub(super) fn in_mode<T>(mode: Mode, f: impl FnOnce() -> T) -> T {
    let before = MODE.replace(mode);
    let result = f();
    MODE.set(before);
    result
}

/// Runs `f` on candle's operations alone.
#[cfg(test)]
pub(super) fn composed<T>(f: impl FnOnce() -> T) -> T {
    in_mode(Mode::Composed, f)
}
