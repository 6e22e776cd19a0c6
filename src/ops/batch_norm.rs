use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor, Var, WithDType, bail,
};
use rayon::prelude::*;

use super::activation::leaky_relu;
use super::cpu::{Real, contiguous, dispatch, elements, has_kernel, lane_sum};
use super::cuda;

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
    if cuda::has_kernel(xs) {
        return cuda::batch_norm_train(xs, view, options);
    }
    if !has_kernel(xs) {
        return composed_train(xs, view, options);
    }
    let xs = xs.contiguous()?;
    let moments = {
        let (storage, layout) = xs.storage_and_layout();
        dispatch!("batch-norm", xs.dtype(), T => {
            Ok(moments(view, elements::<T>(&storage, layout)?))
        })?
    };
    let to_tensor = |f: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = moments.iter().map(f).collect();
        Tensor::from_vec(values, view.channels, xs.device())?.to_dtype(xs.dtype())
    };
    let statistics = BatchStatistics {
        mean: to_tensor(|m| m.0)?,
        variance: to_tensor(|m| m.1)?,
        count: view.count(),
    };
    let (scale, shift) = options.scale_shift(view.channels, &xs)?;
    let op = Normalize {
        view,
        eps: options.eps,
        slope: options.negative_slope,
        from_batch: true,
        moments,
    };
    Ok((xs.apply_op3(&scale, &shift, op)?, statistics))
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
    if cuda::has_kernel(xs) {
        return cuda::batch_norm_eval(xs, (&mean, &variance), view, options);
    }
    if !has_kernel(xs) {
        let mean = mean.reshape((1, view.channels, 1))?;
        let variance = variance.reshape((1, view.channels, 1))?;
        return composed(xs, view, &mean, &variance, options);
    }
    let xs = xs.contiguous()?;
    let host = |t: &Tensor| t.to_dtype(DType::F64)?.to_vec1::<f64>();
    let moments = host(&mean)?.into_iter().zip(host(&variance)?).collect();
    let (scale, shift) = options.scale_shift(view.channels, &xs)?;
    let op = Normalize {
        view,
        eps: options.eps,
        slope: options.negative_slope,
        from_batch: false,
        moments,
    };
    xs.apply_op3(&scale, &shift, op)
}

/// Moves running statistics towards those of a batch, in place:
/// `running (1 - momentum) + batch momentum`.
pub(crate) fn move_towards(running: &Var, batch: &Tensor, momentum: f64) -> Result<()> {
    let old = running.as_detached_tensor();
    if cuda::has_kernel(&old) {
        return cuda::move_towards(&old, batch, momentum);
    }
    running.set(&((old * (1. - momentum))? + (batch * momentum)?)?)
}

/// A tensor read as `[batch, channels, pixels]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelView {
    pub(super) batch: usize,
    pub(super) channels: usize,
    pub(super) pixels: usize,
}

impl ChannelView {
    fn of(xs: &Tensor) -> Result<Self> {
        match xs.dims() {
            [batch, channels, pixels @ ..] => Ok(Self {
                batch: *batch,
                channels: *channels,
                pixels: pixels.iter().product(),
            }),
            dims => bail!("batch norm needs [batch, channels, ...], got {dims:?}"),
        }
    }

    /// Values per channel.
    pub(super) fn count(self) -> usize {
        self.batch * self.pixels
    }

    /// The runs of one channel, a run an image.
    fn runs<T>(self, values: &[T], channel: usize) -> impl Iterator<Item = &[T]> {
        let starts = (0..self.batch).map(move |b| (b * self.channels + channel) * self.pixels);
        starts.map(move |start| &values[start..start + self.pixels])
    }

    /// `sum f(x, y)` over one channel, in a fixed order.
    fn sum<T: Real>(self, xs: &[T], ys: &[T], channel: usize, f: impl Fn(T, T) -> T + Copy) -> f64 {
        let runs = self.runs(xs, channel).zip(self.runs(ys, channel));
        runs.map(|(x, y)| lane_sum(x, y, f)).sum()
    }
}

/// Mean and biased variance by channel.
fn moments<T: Real>(view: ChannelView, xs: &[T]) -> Vec<(f64, f64)> {
    let count = view.count() as f64;
    let channel = |c| {
        let center = T::from_f64(view.sum(xs, xs, c, |x, _| x) / count);
        // Around a value near the mean both sums are free of cancellation. The first pass alone
        // would leave the mean with the rounding of a sum of large values.
        let shift = view.sum(xs, xs, c, |x, _| x - center) / count;
        let square = view.sum(xs, xs, c, |x, _| (x - center) * (x - center)) / count;
        (center.to_f64() + shift, square - shift * shift)
    };
    (0..view.channels).into_par_iter().map(channel).collect()
}

/// A mean as a number of the data's type, and what rounding took from it. Both are subtracted: where
/// the mean is large beside the deviation, the rounding of the mean alone is what a user would see.
fn split_mean<T: Real>(mean: f64) -> (T, f64) {
    let rounded = T::from_f64(mean);
    (rounded, mean - rounded.to_f64())
}

/// `leaky((x - mean) / sqrt(variance + eps) * scale + shift)` by channel; arguments `xs`, `scale`,
/// `shift`. With `from_batch` the moments are functions of `xs` in the backward pass.
struct Normalize {
    view: ChannelView,
    eps: f64,
    slope: f64,
    from_batch: bool,
    moments: Vec<(f64, f64)>,
}

/// The gradients of [`Normalize`]'s three arguments.
struct Gradients<T> {
    xs: Vec<T>,
    scale: Vec<T>,
    shift: Vec<T>,
}

impl Normalize {
    fn inverse_deviation(&self, channel: usize) -> f64 {
        (self.moments[channel].1 + self.eps).sqrt().recip()
    }

    fn forward<T: Real>(&self, xs: &[T], scale: &[T], shift: &[T]) -> Vec<T> {
        let mut ys = vec![T::ZERO; xs.len()];
        let slope = T::from_f64(self.slope);
        let runs = ys.par_chunks_mut(self.view.pixels.max(1)).enumerate();
        runs.zip(xs.par_chunks(self.view.pixels.max(1)))
            .for_each(|((i, ys), xs)| {
                let c = i % self.view.channels;
                let (mean, rest) = split_mean::<T>(self.moments[c].0);
                let factor = self.inverse_deviation(c) * scale[c].to_f64();
                let shift = T::from_f64(shift[c].to_f64() - rest * factor);
                let factor = T::from_f64(factor);
                for (y, &x) in ys.iter_mut().zip(xs) {
                    let v = (x - mean) * factor + shift;
                    *y = if v > T::ZERO { v } else { v * slope };
                }
            });
        ys
    }

    fn backward<T: Real>(&self, xs: &[T], scale: &[T], ys: &[T], grad: &[T]) -> Gradients<T> {
        let slope = T::from_f64(self.slope);
        let through = move |y: T, g: T| if y > T::ZERO { g } else { g * slope };
        let view = self.view;
        let channel = |c: usize| {
            let (mean, rest) = split_mean::<T>(self.moments[c].0);
            let mut passed = vec![T::ZERO; view.pixels];
            let runs = view
                .runs(xs, c)
                .zip(view.runs(ys, c).zip(view.runs(grad, c)));
            let sums = runs.fold((0., 0.), |(sum, product), (x, (y, g))| {
                let gradients = passed.iter_mut().zip(y.iter().zip(g));
                gradients.for_each(|(p, (&y, &g))| *p = through(y, g));
                let run = lane_sum(&passed, &passed, |p, _| p);
                (
                    sum + run,
                    product + lane_sum(x, &passed, |x, p| (x - mean) * p),
                )
            });
            (sums.0, sums.1 - rest * sums.0)
        };
        let sums: Vec<(f64, f64)> = (0..view.channels).into_par_iter().map(channel).collect();
        let mut d_xs = vec![T::ZERO; xs.len()];
        let pixels = view.pixels.max(1);
        let inputs = xs
            .par_chunks(pixels)
            .zip(ys.par_chunks(pixels).zip(grad.par_chunks(pixels)));
        let runs = d_xs.par_chunks_mut(pixels).enumerate().zip(inputs);
        runs.for_each(|((i, d), (xs, (ys, gs)))| {
            let c = i % view.channels;
            let [mean, factor, constant, linear] = self
                .input_coefficients::<T>(c, scale[c].to_f64(), sums[c])
                .map(T::from_f64);
            for ((d, &x), (&y, &g)) in d.iter_mut().zip(xs).zip(ys.iter().zip(gs)) {
                *d = factor * (through(y, g) - constant - (x - mean) * linear);
            }
        });
        let product = |c: usize| T::from_f64(sums[c].1 * self.inverse_deviation(c));
        Gradients {
            xs: d_xs,
            scale: (0..view.channels).map(product).collect(),
            shift: sums.iter().map(|s| T::from_f64(s.0)).collect(),
        }
    }

    /// `mean, factor, constant, linear` of `dx = factor (g - constant - (x - mean) linear)`, from
    /// `sums = (sum g, sum (x - mean) g)` of the channel.
    fn input_coefficients<T: Real>(&self, c: usize, scale: f64, sums: (f64, f64)) -> [f64; 4] {
        let inverse = self.inverse_deviation(c);
        let count = self.view.count() as f64;
        let (mean, rest) = split_mean::<T>(self.moments[c].0);
        if self.from_batch {
            let linear = sums.1 / count * inverse * inverse;
            let constant = sums.0 / count - rest * linear;
            [mean.to_f64(), inverse * scale, constant, linear]
        } else {
            [mean.to_f64(), inverse * scale, 0., 0.]
        }
    }
}

impl CustomOp3 for Normalize {
    fn name(&self) -> &'static str {
        "puad-batch-norm"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        scale: &CpuStorage,
        scale_layout: &Layout,
        shift: &CpuStorage,
        shift_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = contiguous::<T>(xs, xs_layout)?;
            let (scale, shift) = (contiguous(scale, scale_layout)?, contiguous(shift, shift_layout)?);
            if scale.len() != self.view.channels || shift.len() != self.view.channels {
                bail!("batch norm needs scale and shift of {} channels, got {} and {}", self.view.channels, scale.len(), shift.len())
            }
            let ys = self.forward(xs, scale, shift);
            Ok((T::to_cpu_storage_owned(ys), xs_layout.shape().clone()))
        })
    }

    fn bwd(
        &self,
        xs: &Tensor,
        scale: &Tensor,
        shift: &Tensor,
        ys: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (xs_storage, xs_layout) = xs.storage_and_layout();
        let (scale_storage, scale_layout) = scale.storage_and_layout();
        let (ys_storage, ys_layout) = ys.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        dispatch!(self.name(), xs.dtype(), T => {
            let gradients = self.backward::<T>(
                elements(&xs_storage, xs_layout)?,
                elements(&scale_storage, scale_layout)?,
                elements(&ys_storage, ys_layout)?,
                elements(&grad_storage, grad_layout)?,
            );
            let keep = |values: Vec<T>, of: &Tensor| {
                let tensor = || Tensor::from_vec(values, of.shape(), of.device());
                of.track_op().then(tensor).transpose()
            };
            Ok((keep(gradients.xs, xs)?, keep(gradients.scale, scale)?, keep(gradients.shift, shift)?))
        })
    }
}

fn composed_train(
    xs: &Tensor,
    view: ChannelView,
    options: BatchNormOptions<'_>,
) -> Result<(Tensor, BatchStatistics)> {
    let channels = xs.reshape((view.batch, view.channels, view.pixels))?;
    let mean = channels.mean_keepdim((0, 2))?;
    let variance = channels.broadcast_sub(&mean)?.sqr()?.mean_keepdim((0, 2))?;
    let ys = composed(xs, view, &mean, &variance, options)?;
    let statistics = BatchStatistics {
        mean: mean.detach().flatten_all()?,
        variance: variance.detach().flatten_all()?,
        count: view.count(),
    };
    Ok((ys, statistics))
}

/// `mean` and `variance`: `[1, channels, 1]`.
fn composed(
    xs: &Tensor,
    view: ChannelView,
    mean: &Tensor,
    variance: &Tensor,
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
