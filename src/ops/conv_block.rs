use candle_core::{DType, Result, Tensor};

use super::conv_stack::{ConvStack, Stage, conv_stack_eval, conv_stack_train};
use super::fast::Plan;
use super::im2col::ConvShape;
use super::{
    BatchNormOptions, BatchStatistics, ConvAlgorithm, ConvOptions, conv2d, max_pool2d,
    upsample_nearest2d,
};

/// A block of a convolutional network: nearest upsampling, convolution of stride 1, batch norm,
/// LeakyReLU, max-pooling.
#[derive(Clone, Copy, Debug)]
pub struct ConvBlock<'a> {
    /// `[c_out, c_in, kh, kw]`, or `[c_in, c_out, kh, kw]` of a transposed convolution.
    pub kernel: &'a Tensor,
    /// The convolution; with [`ConvAlgorithm::Exact`] it is not fused with the rest.
    pub conv: ConvOptions,
    /// Factor of the upsampling before the convolution; 1 for none.
    pub upsample: usize,
    /// Batch norm and LeakyReLU.
    pub norm: BatchNormOptions<'a>,
    /// Size of the pooling windows; 1 for none.
    pub pool: usize,
}

/// A [`ConvBlock`] with the statistics of the batch: `[batch, c_in, h, w] -> [batch, c_out, ...]`,
/// and the statistics (without gradient).
///
/// Equal to [`upsample_nearest2d`], [`conv2d`], [`batch_norm_train`](super::batch_norm_train) and [`max_pool2d`] in turn, up to
/// rounding. On the CPU, for f32, one operation that keeps no more
/// than the convolution's output.
///
/// # Errors
/// As those operations.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::ops::{BatchNormOptions, ConvBlock, ConvOptions, conv_block_train};
///
/// let xs = Tensor::rand(0f32, 1., (4, 3, 8, 8), &Device::Cpu)?;
/// let kernel = Tensor::rand(-1f32, 1., (16, 3, 5, 5), &Device::Cpu)?;
/// let norm = BatchNormOptions { affine: None, eps: 1e-5, negative_slope: 0.01 };
/// let conv = ConvOptions { padding: 2, ..Default::default() };
/// let block = ConvBlock { kernel: &kernel, conv, upsample: 1, norm, pool: 2 };
/// let (ys, statistics) = conv_block_train(&xs, block)?;
/// assert_eq!(ys.dims(), [4, 16, 4, 4]);
/// assert_eq!(statistics.count, 4 * 8 * 8);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn conv_block_train(xs: &Tensor, block: ConvBlock<'_>) -> Result<(Tensor, BatchStatistics)> {
    let (ys, mut statistics) = conv_stack_train(xs, &ConvStack::of(&block))?;
    match statistics.pop() {
        Some(statistics) => Ok((ys, statistics)),
        None => candle_core::bail!("a block without statistics"),
    }
}

/// A [`ConvBlock`] with given statistics (`[c_out]` each, without gradient).
///
/// # Errors
/// As [`conv_block_train`] and [`batch_norm_eval`](super::batch_norm_eval).
pub fn conv_block_eval(
    xs: &Tensor,
    mean: &Tensor,
    variance: &Tensor,
    block: ConvBlock<'_>,
) -> Result<Tensor> {
    conv_stack_eval(xs, &[(mean, variance)], &ConvStack::of(&block))
}

impl ConvBlock<'_> {
    /// How the kernels compute the block of f32 images on the CPU; `None` where they do not.
    pub(super) fn stage(&self, xs: (usize, usize, usize, usize)) -> Result<Option<Stage>> {
        let stored = ConvShape::of_dims(xs, self.kernel, self.conv)?.filter(|s| {
            self.conv.algorithm != ConvAlgorithm::Exact
                && self.kernel.dtype() == DType::F32
                && matches!(self.pool, 1 | 2)
                && self.upsample > 0
                && s.padding < s.kh.min(s.kw)
                && self.norm.check().is_ok()
        });
        let wide = stored.map(|s| ConvShape {
            h: s.h * self.upsample,
            w: s.w * self.upsample,
            ..s
        });
        let plain = if self.conv.transposed {
            wide.and_then(|s| s.flipped())
        } else {
            wide
        };
        let Some(shape) = plain.filter(ConvShape::is_valid) else {
            return Ok(None);
        };
        let (oh, ow) = shape.out_hw();
        let even = oh.is_multiple_of(self.pool) && ow.is_multiple_of(self.pool);
        let affine_fits = self
            .norm
            .affine
            .is_none_or(|(scale, shift)| [scale, shift].iter().all(|t| t.dims() == [shape.c_out]));
        if !even || !affine_fits {
            return Ok(None);
        }
        let plan = Plan::choose(shape, self.conv.transposed, self.upsample);
        Ok(plan.map(|plan| Stage::new(plan, self)))
    }

    pub(super) fn convolve(&self, xs: &Tensor) -> Result<Tensor> {
        let wide = match self.upsample {
            1 => xs.clone(),
            factor => upsample_nearest2d(xs, factor)?,
        };
        conv2d(&wide, self.kernel, self.conv)
    }

    pub(super) fn shrink(&self, ys: &Tensor) -> Result<Tensor> {
        match self.pool {
            1 => Ok(ys.clone()),
            size => max_pool2d(ys, size),
        }
    }
}
