//! Differentiable tensor operations that candle lacks or gets wrong (`docs/design.md`, section 4).
//!
//! On the CPU, for f32 and f64, each has a kernel of ours with its own backward pass, bit-identical
//! from run to run whatever the number of threads. On CUDA too, but that convolutions are cuDNN's
//! with the feature `cudnn`, and candle's without it, and that patches are composed. Elsewhere the same
//! function is composed of candle's operations. Errors are candle's, since these functions stand beside candle's own.

mod activation;
mod adam;
mod backend;
mod backward;
mod batch_norm;
mod channel_norm;
mod channel_view;
mod clamp;
mod conv2d;
mod conv_block;
mod conv_stack;
mod cpu;
mod cuda;
mod distance;
mod elementwise;
mod fast;
mod graph;
mod im2col;
mod l2_norm;
mod largest_patch;
mod linear;
mod linear_stack;
mod link;
mod log1mexp;
mod max_pool2d;
mod normalize;
mod numbers;
mod perceptron;
mod standardize;
mod unary;
mod upsample2d;
mod upsample_conv;

pub use activation::{leaky_relu, sigmoid};
#[cfg(test)]
pub(crate) use adam::composed_adam_step;
pub(crate) use adam::{AdamStep, adam_step};
pub use backward::backward;
pub(crate) use batch_norm::move_towards;
pub use batch_norm::{BatchNormOptions, BatchStatistics, batch_norm_eval, batch_norm_train};
pub(crate) use clamp::{any_outside, clamp};
pub use conv_block::{ConvBlock, conv_block_eval, conv_block_train};
pub(crate) use conv_stack::{ConvStack, conv_stack_eval, conv_stack_train};
pub use conv2d::{ConvAlgorithm, ConvOptions, conv2d};
pub(crate) use distance::{Distance, l2_distance, squared_distance};
pub(crate) use graph::{is_without_graph, mark_as, without_graph};
pub use l2_norm::l2_norm;
pub(crate) use largest_patch::largest_patch_distance;
pub use linear::{LinearOptions, linear};
pub(crate) use linear_stack::linear_stack;
pub use log1mexp::{LOG1MEXP_FLOOR, log1mexp};
pub use max_pool2d::max_pool2d;
pub(crate) use numbers::{Numbers, with_numbers};
pub(crate) use perceptron::{FrozenLayers, LinearLayer, PackedLayers, linear_layers, with_values};
pub(crate) use standardize::{are_finite, first_not_finite, standardize};
pub use upsample_conv::upsample2_conv2d;
pub use upsample2d::upsample_nearest2d;

#[cfg(test)]
mod gradcheck;
