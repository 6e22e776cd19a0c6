//! A convolutional block as one operation on the CPU.

use std::sync::{Arc, OnceLock};

use candle_core::{
    CpuStorage, CustomOp3, DType, Device, Layout, Result, Shape, Tensor, Var, WithDType,
};
use rayon::prelude::*;

use super::channel_norm::{ChannelGradient, ChannelMoments, ChannelNorm};
use super::cpu::{contiguous, elements, gradient_of};
use super::fast::{
    Activation, PixelGradients, PixelNorms, Plan, image_moments, merge_moments, to_pixels,
    with_scratch,
};
use super::{BatchNormOptions, ConvBlock, ConvOptions, batch_norm_eval};

/// What the backward pass needs of the forward pass.
pub(super) struct Kept {
    /// The convolution's output, `[n, pixels, stride]`.
    pub(super) values: Box<[f32]>,
    /// Of each channel.
    pub(super) moments: Vec<ChannelMoments>,
}

pub(super) enum Statistics {
    /// Of the batch.
    Batch(Arc<OnceLock<Kept>>),
    /// Of each channel.
    Given(Vec<ChannelMoments>),
}

/// Arguments: input, kernel, and `[2, channels]` scale and shift.
pub(super) struct Fused {
    pub(super) plan: Plan,
    pub(super) conv: ConvOptions,
    pub(super) eps: f64,
    pub(super) slope: f64,
    pub(super) pool: usize,
    pub(super) statistics: Statistics,
}

impl Fused {
    fn channels(&self) -> usize {
        self.plan.shape.c_out
    }

    fn out_hw(&self) -> (usize, usize) {
        let (oh, ow) = self.plan.shape.out_hw();
        (oh / self.pool, ow / self.pool)
    }

    /// `affine`: `[2, channels]`.
    fn norms(&self, moments: &[ChannelMoments], affine: &[f32]) -> Vec<ChannelNorm<f32>> {
        let (scale, shift) = affine.split_at(self.channels());
        let channels = moments.iter().zip(scale.iter().zip(shift));
        channels
            .map(|(&moments, (&scale, &shift))| ChannelNorm::new(moments, self.eps, scale, shift))
            .collect()
    }

    fn activation<'a>(&self, norms: &'a PixelNorms) -> Activation<'a> {
        Activation {
            norms,
            slope: self.slope as f32,
            pool: self.pool,
            size: self.plan.shape.out_hw(),
        }
    }

    fn forward(&self, xs: &[f32], kernel: &[f32], affine: &[f32]) -> Vec<f32> {
        let (n, len) = (self.plan.shape.n, self.plan.output_len());
        let (oh, ow) = self.out_hw();
        let mut out = Box::new_uninit_slice(n * self.channels() * oh * ow);
        let planes = out.chunks_exact_mut(self.channels() * oh * ow);
        match &self.statistics {
            Statistics::Given(moments) => {
                let norms = PixelNorms::new(&self.norms(moments, affine), self.plan.stride);
                let activation = self.activation(&norms);
                self.plan
                    .forward(xs, kernel, None, planes.collect(), |planes, image| {
                        activation.apply(image, planes);
                    });
            }
            Statistics::Batch(kept) => {
                let mut values = Box::new_uninit_slice(n * len);
                let mut parts = vec![Vec::new(); n];
                let row = self.plan.shape.out_hw().1;
                self.plan.forward(
                    xs,
                    kernel,
                    Some(&mut values),
                    parts.iter_mut().collect(),
                    |part, image| *part = image_moments(image, self.plan.stride, row),
                );
                // SAFETY: the convolution writes every value.
                let values = unsafe { values.assume_init() };
                let mut moments = merge_moments(&parts);
                moments.truncate(self.channels());
                let norms = PixelNorms::new(&self.norms(&moments, affine), self.plan.stride);
                let activation = self.activation(&norms);
                let planes: Vec<_> = planes.collect();
                planes
                    .into_par_iter()
                    .zip(values.par_chunks_exact(len))
                    .for_each(|(planes, image)| activation.apply(image, planes));
                // A second forward pass of one operation does not happen: candle applies it once.
                let _ = kept.set(Kept { values, moments });
            }
        }
        // SAFETY: the planes are all of it, and each image's are written.
        unsafe { out.assume_init() }.into_vec()
    }

    /// The gradients of the batch norm, by channel.
    fn norm_gradients(
        &self,
        norms: &[ChannelNorm<f32>],
        activation: Activation<'_>,
        values: &[f32],
        grad: &[f32],
    ) -> Vec<ChannelGradient<f32>> {
        let (oh, ow) = self.out_hw();
        let planes = grad.par_chunks_exact(self.channels() * oh * ow);
        let parts: Vec<Vec<[f32; 2]>> = values
            .par_chunks_exact(self.plan.output_len())
            .zip(planes)
            .map(|(image, planes)| {
                with_scratch(oh * ow * self.plan.stride, |pixels| {
                    to_pixels(planes, (oh, ow), self.plan.stride, pixels);
                    activation.gradient_sums(image, pixels)
                })
            })
            .collect();
        let count = self.plan.shape.n * self.plan.pixels();
        let channels = norms.iter().enumerate();
        channels
            .map(|(c, norm)| {
                let [sum, product] =
                    [0, 1].map(|i| parts.iter().map(|part| f64::from(part[c][i])).sum());
                norm.gradient(sum, product, count)
            })
            .collect()
    }

    fn backward(&self, args: [&[f32]; 3], want: [bool; 3], grad: &[f32], kept: &Kept) -> Gradients {
        let [xs, kernel, affine] = args;
        let Kept { values, moments } = kept;
        let plan = &self.plan;
        let norms = self.norms(moments, affine);
        let pixel_norms = PixelNorms::new(&norms, plan.stride);
        let activation = self.activation(&pixel_norms);
        let gradients = self.norm_gradients(&norms, activation, values, grad);
        let pixel_gradients = PixelGradients::new(&gradients, plan.stride);
        let (oh, ow) = self.out_hw();
        let (len, planes_len) = (plan.output_len(), self.channels() * oh * ow);
        let fill = |i: usize, frame: &mut [f32]| {
            with_scratch(oh * ow * plan.stride, |pixels| {
                let planes = &grad[i * planes_len..][..planes_len];
                to_pixels(planes, (oh, ow), plan.stride, pixels);
                frame.fill(0.);
                let image = &values[i * len..][..len];
                let place = plan.grad_frame();
                activation.input_gradient((image, pixels), &pixel_gradients, frame, place);
            });
        };
        let (d_xs, d_kernel) = if want[0] || want[1] {
            plan.backward((xs, kernel), (want[0], want[1]), &fill)
        } else {
            (None, None)
        };
        let d_affine = want[2].then(|| {
            let scales = gradients.iter().map(|g| g.scale);
            scales.chain(gradients.iter().map(|g| g.shift)).collect()
        });
        [d_xs, d_kernel, d_affine]
    }

    /// The gradients with given statistics, by the separate operations.
    fn backward_of_given(
        &self,
        args: [&Tensor; 3],
        grad: &Tensor,
        given: &[ChannelMoments],
    ) -> Result<Grads> {
        let leaves = [
            Var::from_tensor(&args[0].detach())?,
            Var::from_tensor(&args[1].detach())?,
            Var::from_tensor(&args[2].detach())?,
        ];
        let (scale, shift) = (leaves[2].get(0)?, leaves[2].get(1)?);
        let block = ConvBlock {
            kernel: &leaves[1],
            conv: self.conv,
            upsample: self.plan.upsample,
            norm: BatchNormOptions {
                affine: Some((&scale, &shift)),
                eps: self.eps,
                negative_slope: self.slope,
            },
            pool: self.pool,
        };
        let vector = |f: fn(&ChannelMoments) -> f64| {
            let values: Vec<f64> = given.iter().map(f).collect();
            Tensor::from_vec(values, given.len(), &Device::Cpu)?.to_dtype(DType::F32)
        };
        let (mean, variance) = (vector(|m| m.mean)?, vector(|m| m.variance)?);
        let ys = batch_norm_eval(&block.convolve(&leaves[0])?, &mean, &variance, block.norm)?;
        let grads = (block.shrink(&ys)? * grad)?.sum_all()?.backward()?;
        let keep = |i: usize| {
            grads
                .get(&leaves[i])
                .filter(|_| args[i].track_op())
                .cloned()
        };
        Ok((keep(0), keep(1), keep(2)))
    }
}

type Gradients = [Option<Vec<f32>>; 3];
type Grads = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

impl CustomOp3 for Fused {
    fn name(&self) -> &'static str {
        "puad-conv-block"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
        affine: &CpuStorage,
        affine_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ys = self.forward(
            contiguous(xs, xs_layout)?,
            contiguous(kernel, kernel_layout)?,
            contiguous(affine, affine_layout)?,
        );
        let (oh, ow) = self.out_hw();
        let shape = (self.plan.shape.n, self.channels(), oh, ow);
        Ok((f32::to_cpu_storage_owned(ys), shape.into()))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        kernel: &Tensor,
        affine: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<Grads> {
        let grad = &grad.contiguous()?;
        let args = [xs, kernel, affine];
        let kept = match &self.statistics {
            Statistics::Given(given) => return self.backward_of_given(args, grad, given),
            Statistics::Batch(kept) => kept.get(),
        };
        let Some(kept) = kept else {
            candle_core::bail!("the block's backward pass came before its forward pass")
        };
        let stored = args.map(|t| t.storage_and_layout());
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        let slices = [
            elements(&stored[0].0, stored[0].1)?,
            elements(&stored[1].0, stored[1].1)?,
            elements(&stored[2].0, stored[2].1)?,
        ];
        let want = args.map(Tensor::track_op);
        let grads = self.backward(slices, want, elements(&grad_storage, grad_layout)?, kept);
        let [d_xs, d_kernel, d_affine] = grads;
        Ok((
            gradient_of(d_xs, xs)?,
            gradient_of(d_kernel, kernel)?,
            gradient_of(d_affine, affine)?,
        ))
    }
}
