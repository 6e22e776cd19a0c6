//! Batch norm on the CPU.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::batch_norm::ChannelView;
use super::cpu::{Real, contiguous, dispatch, elements, lane_sum};

impl ChannelView {
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
pub(super) fn moments<T: Real>(view: ChannelView, xs: &[T]) -> Vec<(f64, f64)> {
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
pub(super) struct Normalize {
    pub(super) view: ChannelView,
    pub(super) eps: f64,
    pub(super) slope: f64,
    pub(super) from_batch: bool,
    pub(super) moments: Vec<(f64, f64)>,
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
