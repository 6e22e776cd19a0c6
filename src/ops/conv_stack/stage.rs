//! One block of a stack.

use candle_core::Tensor;

use crate::ops::channel_norm::{ChannelGradient, ChannelMoments, ChannelNorm};
use crate::ops::fast::{Activation, PixelNorms, Plan};
use crate::ops::{BatchNormOptions, ConvBlock, ConvOptions};

/// A convolution with batch norm, LeakyReLU and pooling.
pub(in crate::ops) struct Stage {
    pub(super) plan: Plan,
    conv: ConvOptions,
    eps: f64,
    slope: f64,
    pool: usize,
}

/// The parameters of a [`Stage`].
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    pub(super) kernel: &'a [f32],
    /// `[channels]`, as `shift`.
    pub(super) scale: &'a [f32],
    pub(super) shift: &'a [f32],
}

impl Stage {
    pub(in crate::ops) fn new(plan: Plan, block: &ConvBlock<'_>) -> Self {
        Self {
            plan,
            conv: block.conv,
            eps: block.norm.eps,
            slope: block.norm.negative_slope,
            pool: block.pool,
        }
    }

    /// The block that it is, with kernel, scale and shift.
    pub(super) fn block<'a>(&self, [kernel, scale, shift]: [&'a Tensor; 3]) -> ConvBlock<'a> {
        ConvBlock {
            kernel,
            conv: self.conv,
            upsample: self.plan.upsample,
            norm: BatchNormOptions {
                affine: Some((scale, shift)),
                eps: self.eps,
                negative_slope: self.slope,
            },
            pool: self.pool,
        }
    }

    pub(super) fn channels(&self) -> usize {
        self.plan.shape.c_out
    }

    pub(super) fn pools(&self) -> bool {
        self.pool > 1
    }

    /// Values of a channel in the batch.
    pub(super) fn count(&self) -> usize {
        self.plan.shape.n * self.plan.pixels()
    }

    /// Height and width of an output.
    pub(super) fn out_hw(&self) -> (usize, usize) {
        let (oh, ow) = self.plan.shape.out_hw();
        (oh / self.pool, ow / self.pool)
    }

    /// Values of an output with channels last.
    pub(super) fn pixels_len(&self) -> usize {
        let (oh, ow) = self.out_hw();
        self.plan.stride * oh * ow
    }

    pub(super) fn norms(&self, moments: &[ChannelMoments], w: Weights<'_>) -> Norms {
        let affine = w.scale.iter().zip(w.shift);
        let channels = moments.iter().zip(affine);
        let channels = channels
            .map(|(&moments, (&scale, &shift))| ChannelNorm::new(moments, self.eps, scale, shift));
        let channels: Vec<_> = channels.collect();
        Norms {
            pixel: PixelNorms::new(&channels, self.plan.stride),
            channels,
        }
    }

    pub(super) fn activation<'a>(&self, norms: &'a Norms) -> Activation<'a> {
        Activation {
            norms: &norms.pixel,
            slope: self.slope as f32,
            pool: self.pool,
            size: self.plan.shape.out_hw(),
        }
    }

    /// The gradients of the batch norm by channel, from the images' sums.
    pub(super) fn norm_gradients(
        &self,
        norms: &Norms,
        parts: &[Vec<[f32; 2]>],
    ) -> Vec<ChannelGradient<f32>> {
        let channels = norms.channels.iter().enumerate();
        channels
            .map(|(c, norm)| {
                let [sum, product] =
                    [0, 1].map(|i| parts.iter().map(|part| f64::from(part[c][i])).sum());
                norm.gradient(sum, product, self.count())
            })
            .collect()
    }
}

/// The batch norms of a block, by channel and as the kernels read them.
pub(super) struct Norms {
    channels: Vec<ChannelNorm<f32>>,
    pixel: PixelNorms,
}
