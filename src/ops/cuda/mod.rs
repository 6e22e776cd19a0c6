//! The operations on CUDA: kernels of ours (`kernels.cu`), compiled at run time by NVRTC, and
//! convolutions by cuDNN.
//!
//! What is not about the device itself, that is the kernels' source and how they are called, is also
//! run on the CPU, in tests (`emulated.rs`).

mod adam;
mod batch_norm;
#[cfg(feature = "cudnn")]
mod conv;
#[cfg(feature = "cuda")]
mod device;
mod elementwise;
#[cfg(test)]
mod emulated;
mod in_place;
mod launch;
mod op;
mod pixels;

use candle_core::{DType, Tensor};

pub(super) use adam::adam_step;
pub(super) use batch_norm::{batch_norm_eval, batch_norm_train, move_towards};
#[cfg(feature = "cudnn")]
pub(super) use conv::convolve;
pub(super) use elementwise::{l2_norm, leaky_relu, log1mexp, sigmoid};
pub(super) use pixels::{max_pool2d, upsample_nearest2d};

/// Whether the kernels of this module take `t`.
pub(super) fn has_kernel(t: &Tensor) -> bool {
    // Positions are 32-bit numbers there.
    let fits = (1..1 << 31).contains(&t.elem_count());
    fits && matches!(t.dtype(), DType::F32 | DType::F64) && on_cuda(t)
}

fn on_cuda(t: &Tensor) -> bool {
    #[cfg(test)]
    if super::cpu::mode() != super::cpu::Mode::Kernels {
        return super::cpu::mode() == super::cpu::Mode::Emulated;
    }
    cfg!(feature = "cuda") && t.device().is_cuda()
}

/// Whether [`convolve`] takes `t`.
pub(super) fn has_convolution(t: &Tensor) -> bool {
    cfg!(feature = "cudnn") && has_kernel(t) && t.device().is_cuda()
}
