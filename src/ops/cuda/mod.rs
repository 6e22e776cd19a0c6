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
#[cfg(test)]
mod emulated;
mod in_place;
mod launch;
mod op;

pub(super) use adam::adam_step;
pub(super) use batch_norm::{batch_norm_eval, batch_norm_train, move_towards};
#[cfg(feature = "cudnn")]
pub(super) use conv::convolve;
pub(super) use launch::{Launch, int, real};
pub(super) use op::{Launches, Operand, run};
