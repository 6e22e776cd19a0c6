//! Batch norm on the CPU.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::channel_norm::{ChannelGradient, ChannelMoments, ChannelNorm};
use super::channel_view::ChannelView;
use super::cpu::{Real, contiguous, dispatch, elements, lane_sum};

/// The moments of each channel.
pub(super) fn moments<T: Real>(view: ChannelView, xs: &[T]) -> Vec<ChannelMoments> {
    let count = view.count();
    let channel = |c| {
        let center = T::from_f64(view.sum(xs, xs, c, |x, _| x) / count as f64);
        let sum = view.sum(xs, xs, c, |x, _| x - center);
        let square = view.sum(xs, xs, c, |x, _| (x - center) * (x - center));
        ChannelMoments::around(center.to_f64(), sum, square, count)
    };
    (0..view.channels).into_par_iter().map(channel).collect()
}

/// `leaky((x - mean) / sqrt(variance + eps) * scale + shift)` by channel; arguments `xs`, `scale`,
/// `shift`. With `from_batch` the moments are functions of `xs` in the backward pass.
pub(super) struct Normalize {
    pub(super) view: ChannelView,
    pub(super) eps: f64,
    pub(super) slope: f64,
    pub(super) from_batch: bool,
    pub(super) moments: Vec<ChannelMoments>,
}

/// The gradients of [`Normalize`]'s three arguments.
struct Gradients<T> {
    xs: Vec<T>,
    scale: Vec<T>,
    shift: Vec<T>,
}

impl Normalize {
    fn channels<T: Real>(&self, scale: &[T], shift: &[T]) -> Vec<ChannelNorm<T>> {
        let channels = self.moments.iter().zip(scale.iter().zip(shift));
        channels
            .map(|(&moments, (&scale, &shift))| ChannelNorm::new(moments, self.eps, scale, shift))
            .collect()
    }

    fn forward<T: Real>(&self, xs: &[T], channels: &[ChannelNorm<T>]) -> Vec<T> {
        let mut ys = vec![T::ZERO; xs.len()];
        let slope = T::from_f64(self.slope);
        let runs = ys.par_chunks_mut(self.view.pixels.max(1)).enumerate();
        runs.zip(xs.par_chunks(self.view.pixels.max(1)))
            .for_each(|((i, ys), xs)| {
                let ChannelNorm {
                    mean,
                    factor,
                    shift,
                    ..
                } = channels[i % self.view.channels];
                for (y, &x) in ys.iter_mut().zip(xs) {
                    let v = (x - mean) * factor + shift;
                    *y = if v > T::ZERO { v } else { v * slope };
                }
            });
        ys
    }

    fn backward<T: Real>(
        &self,
        channels: &[ChannelNorm<T>],
        xs: &[T],
        ys: &[T],
        grad: &[T],
    ) -> Gradients<T> {
        let slope = T::from_f64(self.slope);
        let through = move |y: T, g: T| if y > T::ZERO { g } else { g * slope };
        let view = self.view;
        let channel = |(c, norm): (usize, &ChannelNorm<T>)| {
            let mut passed = vec![T::ZERO; view.pixels];
            let runs = view
                .runs(xs, c)
                .zip(view.runs(ys, c).zip(view.runs(grad, c)));
            let (sum, product) = runs.fold((0., 0.), |(sum, product), (x, (y, g))| {
                let gradients = passed.iter_mut().zip(y.iter().zip(g));
                gradients.for_each(|(p, (&y, &g))| *p = through(y, g));
                let run = lane_sum(&passed, &passed, |p, _| p);
                (
                    sum + run,
                    product + lane_sum(x, &passed, |x, p| (x - norm.mean) * p),
                )
            });
            norm.gradient(sum, product, view.count())
        };
        let gradients: Vec<ChannelGradient<T>> =
            channels.par_iter().enumerate().map(channel).collect();
        let mut d_xs = vec![T::ZERO; xs.len()];
        let pixels = view.pixels.max(1);
        let inputs = xs
            .par_chunks(pixels)
            .zip(ys.par_chunks(pixels).zip(grad.par_chunks(pixels)));
        let runs = d_xs.par_chunks_mut(pixels).enumerate().zip(inputs);
        runs.for_each(|((i, d), (xs, (ys, gs)))| {
            let ChannelNorm { mean, factor, .. } = channels[i % view.channels];
            let ChannelGradient {
                constant, linear, ..
            } = gradients[i % view.channels];
            let (constant, linear) = if self.from_batch {
                (constant, linear)
            } else {
                (T::ZERO, T::ZERO)
            };
            for ((d, &x), (&y, &g)) in d.iter_mut().zip(xs).zip(ys.iter().zip(gs)) {
                *d = factor * (through(y, g) - constant - (x - mean) * linear);
            }
        });
        Gradients {
            xs: d_xs,
            scale: gradients.iter().map(|g| g.scale).collect(),
            shift: gradients.iter().map(|g| g.shift).collect(),
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
            let ys = self.forward(xs, &self.channels::<T>(scale, shift));
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
        let (shift_storage, shift_layout) = shift.storage_and_layout();
        let (ys_storage, ys_layout) = ys.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        dispatch!(self.name(), xs.dtype(), T => {
            let scales = elements(&scale_storage, scale_layout)?;
            let channels = self.channels::<T>(scales, elements(&shift_storage, shift_layout)?);
            let gradients = self.backward(
                &channels,
                elements(&xs_storage, xs_layout)?,
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
