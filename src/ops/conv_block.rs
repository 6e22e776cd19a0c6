use std::sync::{Arc, OnceLock};

use candle_core::{DType, Device, Result, Tensor};

use super::backend::Backend;
use super::channel_norm::ChannelMoments;
use super::fast::Plan;
use super::fused_block::{Fused, Kept, Statistics};
use super::im2col::ConvShape;
use super::{
    BatchNormOptions, BatchStatistics, ConvAlgorithm, ConvOptions, batch_norm_eval,
    batch_norm_train, conv2d, max_pool2d, upsample_nearest2d,
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
/// Equal to [`upsample_nearest2d`], [`conv2d`], [`batch_norm_train`] and [`max_pool2d`] in turn, up to
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
    let Some(plan) = block.plan(xs)? else {
        let (ys, statistics) = batch_norm_train(&block.convolve(xs)?, block.norm)?;
        return Ok((block.shrink(&ys)?, statistics));
    };
    let (channels, count) = (plan.shape.c_out, plan.shape.n * plan.pixels());
    let kept = Arc::new(OnceLock::new());
    let op = block.op(plan, Statistics::Batch(kept.clone()));
    let ys = block.apply(xs, op)?;
    let Some(Kept { moments, .. }) = kept.get() else {
        candle_core::bail!("the block's forward pass left no statistics")
    };
    let vector = |f: fn(&ChannelMoments) -> f64| {
        let values: Vec<f64> = moments.iter().map(f).collect();
        Tensor::from_vec(values, channels, &Device::Cpu)?.to_dtype(DType::F32)
    };
    let statistics = BatchStatistics {
        mean: vector(|m| m.mean)?,
        variance: vector(|m| m.variance)?,
        count,
    };
    Ok((ys, statistics))
}

/// A [`ConvBlock`] with given statistics (`[c_out]` each, without gradient).
///
/// # Errors
/// As [`conv_block_train`] and [`batch_norm_eval`].
pub fn conv_block_eval(
    xs: &Tensor,
    mean: &Tensor,
    variance: &Tensor,
    block: ConvBlock<'_>,
) -> Result<Tensor> {
    let fits = |t: &Tensor, plan: &Plan| t.dims() == [plan.shape.c_out];
    match block.plan(xs)? {
        Some(plan) if fits(mean, &plan) && fits(variance, &plan) => {
            let host = |t: &Tensor| t.detach().to_dtype(DType::F64)?.to_vec1::<f64>();
            let pairs = host(mean)?.into_iter().zip(host(variance)?);
            let moments = pairs.map(|(mean, variance)| ChannelMoments { mean, variance });
            let op = block.op(plan, Statistics::Given(moments.collect()));
            block.apply(xs, op)
        }
        _ => {
            let ys = batch_norm_eval(&block.convolve(xs)?, mean, variance, block.norm)?;
            block.shrink(&ys)
        }
    }
}

impl ConvBlock<'_> {
    /// How the fused operation computes the block; `None` where it does not.
    fn plan(&self, xs: &Tensor) -> Result<Option<Plan>> {
        let stored = ConvShape::of(xs, self.kernel, self.conv)?.filter(|s| {
            Backend::of(xs) == Backend::Cpu
                && self.conv.algorithm != ConvAlgorithm::Exact
                && (xs.dtype(), self.kernel.dtype()) == (DType::F32, DType::F32)
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
        if !even || !affine_fits || shape.n * oh * ow < 2 {
            return Ok(None);
        }
        Ok(Plan::choose(shape, self.conv.transposed, self.upsample))
    }

    fn op(&self, plan: Plan, statistics: Statistics) -> Fused {
        Fused {
            plan,
            conv: self.conv,
            eps: self.norm.eps,
            slope: self.norm.negative_slope,
            pool: self.pool,
            statistics,
        }
    }

    fn apply(&self, xs: &Tensor, op: Fused) -> Result<Tensor> {
        let channels = op.plan.shape.c_out;
        let (scale, shift) = match self.norm.affine {
            Some((scale, shift)) => (scale.clone(), shift.clone()),
            None => (
                Tensor::ones(channels, DType::F32, &Device::Cpu)?,
                Tensor::zeros(channels, DType::F32, &Device::Cpu)?,
            ),
        };
        let affine = Tensor::stack(&[scale, shift], 0)?;
        xs.contiguous()?
            .apply_op3(&self.kernel.contiguous()?, &affine, op)
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
