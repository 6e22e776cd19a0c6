use candle_core::{DType, Result, Tensor, Var, bail};

use super::activation::leaky_relu;
use super::backend::Backend;
use super::channel_norm::ChannelMoments;
use super::channel_view::ChannelView;
use super::cpu::{dispatch, elements};
use super::cuda;
use super::normalize::{Normalize, moments};

/// What batch norm does beside centering and scaling.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormOptions<'a> {
    /// Learned scale and shift, `[channels]` each.
    pub affine: Option<(&'a Tensor, &'a Tensor)>,
    /// Added to the variance.
    pub eps: f64,
    /// Slope of the LeakyReLU that follows, fused into the same pass; 1 for none.
    pub negative_slope: f64,
}

impl BatchNormOptions<'_> {
    pub(super) fn check(&self) -> Result<()> {
        // A slope of 0 or less would hide the sign of the pre-activation from the backward pass.
        if !(self.negative_slope > 0. && self.negative_slope.is_finite() && self.eps >= 0.) {
            bail!(
                "batch norm needs eps >= 0 and a negative slope > 0, got {} and {}",
                self.eps,
                self.negative_slope
            )
        }
        Ok(())
    }

    /// Scale and shift, 1 and 0 where none is learned.
    fn scale_shift(&self, channels: usize, like: &Tensor) -> Result<(Tensor, Tensor)> {
        match self.affine {
            Some((scale, shift)) => Ok((scale.contiguous()?, shift.contiguous()?)),
            None => {
                let (dtype, device) = (like.dtype(), like.device());
                let scale = Tensor::ones(channels, dtype, device)?;
                Ok((scale, Tensor::zeros(channels, dtype, device)?))
            }
        }
    }
}

/// Mean and variance of a batch, by channel.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    /// `[channels]`.
    pub mean: Tensor,
    /// `[channels]`, divided by `count` (biased).
    pub variance: Tensor,
    /// Values per channel: batch times pixels.
    pub count: usize,
}

/// Batch norm with the statistics of the batch, then a LeakyReLU.
///
/// `xs`: `[batch, channels]` or `[batch, channels, ...]`; same shape out, beside the statistics it
/// used (without gradient).
///
/// # Errors
/// If a channel has fewer than two values, or the options break their rules.
///
/// # References
/// Ioffe and Szegedy, Batch normalization, ICML 2015.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::ops::{BatchNormOptions, batch_norm_train};
///
/// let xs = Tensor::new(&[[1f64], [3.]], &Device::Cpu)?;
/// let options = BatchNormOptions { affine: None, eps: 0., negative_slope: 1. };
/// let (ys, statistics) = batch_norm_train(&xs, options)?;
/// assert_eq!(ys.to_vec2::<f64>()?, [[-1.], [1.]]);
/// assert_eq!(statistics.mean.to_vec1::<f64>()?, [2.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn batch_norm_train(
    xs: &Tensor,
    options: BatchNormOptions<'_>,
) -> Result<(Tensor, BatchStatistics)> {
    options.check()?;
    let view = ChannelView::of(xs)?;
    if view.count() < 2 {
        bail!(
            "batch norm needs at least two values per channel in training, got shape {:?}",
            xs.dims()
        )
    }
    match Backend::of(xs) {
        Backend::Cpu => train_on_cpu(&xs.contiguous()?, view, options),
        Backend::Cuda => cuda::batch_norm_train(xs, view, options),
        Backend::Candle => composed_train(xs, view, options),
    }
}

/// Batch norm with given statistics (`[channels]` each, without gradient), then a LeakyReLU.
///
/// `xs`: `[batch, channels]` or `[batch, channels, ...]`; same shape out.
///
/// # Errors
/// If shapes differ, or the options break their rules.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::ops::{BatchNormOptions, batch_norm_eval};
///
/// let xs = Tensor::new(&[[1f64], [5.]], &Device::Cpu)?;
/// let (mean, variance) = (Tensor::new(&[2f64], &Device::Cpu)?, Tensor::new(&[0.25f64], &Device::Cpu)?);
/// let options = BatchNormOptions { affine: None, eps: 0., negative_slope: 0.1 };
/// let ys = batch_norm_eval(&xs, &mean, &variance, options)?;
/// assert_eq!(ys.to_vec2::<f64>()?, [[-0.2], [6.]]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn batch_norm_eval(
    xs: &Tensor,
    mean: &Tensor,
    variance: &Tensor,
    options: BatchNormOptions<'_>,
) -> Result<Tensor> {
    options.check()?;
    let view = ChannelView::of(xs)?;
    let (mean, variance) = (mean.detach(), variance.detach());
    if mean.dims() != [view.channels] || variance.dims() != [view.channels] {
        bail!(
            "batch norm needs statistics of shape [{}], got {:?} and {:?}",
            view.channels,
            mean.dims(),
            variance.dims()
        )
    }
    match Backend::of(xs) {
        Backend::Cpu => eval_on_cpu(&xs.contiguous()?, [&mean, &variance], view, options),
        Backend::Cuda => cuda::batch_norm_eval(xs, [&mean, &variance], view, options),
        Backend::Candle => {
            let wide = |t: &Tensor| t.reshape((1, view.channels, 1));
            composed(xs, view, [&wide(&mean)?, &wide(&variance)?], options)
        }
    }
}

/// Moves running statistics towards those of a batch, in place:
/// `running (1 - momentum) + batch momentum`.
pub(crate) fn move_towards(running: &Var, batch: &Tensor, momentum: f64) -> Result<()> {
    let old = running.as_detached_tensor();
    let alike = old.dtype() == batch.dtype() && old.dims() == batch.dims();
    if Backend::of(&old) == Backend::Cuda && alike && old.is_contiguous() {
        return cuda::move_towards(&old, batch, momentum);
    }
    running.set(&((old * (1. - momentum))? + (batch * momentum)?)?)
}

/// `xs` is contiguous.
fn train_on_cpu(
    xs: &Tensor,
    view: ChannelView,
    options: BatchNormOptions<'_>,
) -> Result<(Tensor, BatchStatistics)> {
    let moments = {
        let (storage, layout) = xs.storage_and_layout();
        dispatch!("batch-norm", xs.dtype(), T => {
            Ok(moments(view, elements::<T>(&storage, layout)?))
        })?
    };
    let to_tensor = |f: fn(&ChannelMoments) -> f64| {
        let values: Vec<f64> = moments.iter().map(f).collect();
        Tensor::from_vec(values, view.channels, xs.device())?.to_dtype(xs.dtype())
    };
    let statistics = BatchStatistics {
        mean: to_tensor(|m| m.mean)?,
        variance: to_tensor(|m| m.variance)?,
        count: view.count(),
    };
    let (scale, shift) = options.scale_shift(view.channels, xs)?;
    let op = Normalize {
        view,
        eps: options.eps,
        slope: options.negative_slope,
        from_batch: true,
        moments,
    };
    Ok((xs.apply_op3(&scale, &shift, op)?, statistics))
}

/// `xs` is contiguous; mean and variance `[channels]`.
fn eval_on_cpu(
    xs: &Tensor,
    [mean, variance]: [&Tensor; 2],
    view: ChannelView,
    options: BatchNormOptions<'_>,
) -> Result<Tensor> {
    let host = |t: &Tensor| t.to_dtype(DType::F64)?.to_vec1::<f64>();
    let pairs = host(mean)?.into_iter().zip(host(variance)?);
    let moments = pairs.map(|(mean, variance)| ChannelMoments { mean, variance });
    let (scale, shift) = options.scale_shift(view.channels, xs)?;
    let op = Normalize {
        view,
        eps: options.eps,
        slope: options.negative_slope,
        from_batch: false,
        moments: moments.collect(),
    };
    xs.apply_op3(&scale, &shift, op)
}

fn composed_train(
    xs: &Tensor,
    view: ChannelView,
    options: BatchNormOptions<'_>,
) -> Result<(Tensor, BatchStatistics)> {
    let channels = xs.reshape((view.batch, view.channels, view.pixels))?;
    let mean = channels.mean_keepdim((0, 2))?;
    let variance = channels.broadcast_sub(&mean)?.sqr()?.mean_keepdim((0, 2))?;
    let ys = composed(xs, view, [&mean, &variance], options)?;
    let statistics = BatchStatistics {
        mean: mean.detach().flatten_all()?,
        variance: variance.detach().flatten_all()?,
        count: view.count(),
    };
    Ok((ys, statistics))
}

/// Mean and variance: `[1, channels, 1]`.
fn composed(
    xs: &Tensor,
    view: ChannelView,
    [mean, variance]: [&Tensor; 2],
    options: BatchNormOptions<'_>,
) -> Result<Tensor> {
    let channels = xs.reshape((view.batch, view.channels, view.pixels))?;
    let deviation = variance.affine(1., options.eps)?.sqrt()?;
    let mut ys = channels.broadcast_sub(mean)?.broadcast_div(&deviation)?;
    if let Some((scale, shift)) = options.affine {
        let wide = (1, view.channels, 1);
        ys = ys
            .broadcast_mul(&scale.reshape(wide)?)?
            .broadcast_add(&shift.reshape(wide)?)?;
    }
    if options.negative_slope != 1. {
        ys = leaky_relu(&ys, options.negative_slope)?;
    }
    ys.reshape(xs.shape())
}
