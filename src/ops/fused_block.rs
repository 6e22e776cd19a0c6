//! A convolutional block as one operation on the CPU.

use std::sync::{Arc, OnceLock};

use candle_core::{
    CpuStorage, CustomOp3, DType, Device, Layout, Result, Shape, Tensor, Var, WithDType,
};
use rayon::prelude::*;

use super::cpu::{contiguous, elements, gradient_of};
use super::fast::{
    Activation, Moments, Plan, image_moments, merge_moments, to_pixels, uninit, with_scratch,
};
use super::{BatchNormOptions, ConvAlgorithm, ConvBlock, batch_norm_eval};

/// What the backward pass needs of the forward pass.
pub(super) struct Kept {
    /// The convolution's output, `[n, pixels, stride]`.
    pub(super) values: Vec<f32>,
    pub(super) moments: Moments,
}

pub(super) enum Statistics {
    /// Of the batch.
    Batch(Arc<OnceLock<Kept>>),
    /// Means, and variances in place of the squares.
    Given(Moments),
}

/// Arguments: input, kernel, and `[2, channels]` scale and shift.
pub(super) struct Fused {
    pub(super) plan: Plan,
    pub(super) transposed: bool,
    pub(super) padding: usize,
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

    /// `1 / sqrt(variance + eps)` by channel.
    fn inverse_deviations(&self, moments: &Moments) -> Vec<f64> {
        let count = moments.count as f64;
        let inverse = |s: &f64| (s / count + self.eps).sqrt().recip();
        moments.squares.iter().map(inverse).collect()
    }

    fn activation(&self, moments: &Moments, affine: &[f32]) -> Activation {
        let (scale, shift) = affine.split_at(self.channels());
        let padded = |values: &mut dyn Iterator<Item = f32>| {
            let mut values: Vec<f32> = values.take(self.channels()).collect();
            values.resize(self.plan.stride, 0.);
            values
        };
        let inverse = self.inverse_deviations(moments);
        let factors = inverse.iter().zip(scale);
        Activation {
            mean: padded(&mut moments.mean.iter().map(|&m| m as f32)),
            factor: padded(&mut factors.map(|(i, &s)| (i * f64::from(s)) as f32)),
            shift: padded(&mut shift.iter().copied()),
            slope: self.slope as f32,
            pool: self.pool,
            size: self.plan.shape.out_hw(),
        }
    }

    fn forward(&self, xs: &[f32], kernel: &[f32], affine: &[f32]) -> Vec<f32> {
        let (n, len) = (self.plan.shape.n, self.plan.output_len());
        let (oh, ow) = self.out_hw();
        let mut out = uninit(n * self.channels() * oh * ow);
        let planes = out.chunks_exact_mut(self.channels() * oh * ow);
        match &self.statistics {
            Statistics::Given(moments) => {
                let activation = self.activation(moments, affine);
                let each = |planes: &mut [f32], image: &mut [f32]| activation.apply(image, planes);
                self.plan.forward(xs, kernel, None, planes.collect(), each);
            }
            Statistics::Batch(kept) => {
                let mut values = uninit(n * len);
                let mut parts = vec![Moments::default(); n];
                let row = self.plan.shape.out_hw().1;
                self.plan.forward(
                    xs,
                    kernel,
                    Some(&mut values),
                    parts.iter_mut().collect(),
                    |part, image| *part = image_moments(image, self.plan.stride, row),
                );
                let moments = merge_moments(&parts);
                let activation = self.activation(&moments, affine);
                let planes: Vec<_> = planes.collect();
                planes
                    .into_par_iter()
                    .zip(values.par_chunks_exact(len))
                    .for_each(|(planes, image)| activation.apply(image, planes));
                // A second forward pass of one operation does not happen: candle applies it once.
                let _ = kept.set(Kept { values, moments });
            }
        }
        out
    }

    /// Sums of the gradient, and of its product with the deviation, by channel.
    fn gradient_sums(
        &self,
        activation: &Activation,
        values: &[f32],
        grad: &[f32],
    ) -> [Vec<f64>; 2] {
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
        [0, 1].map(|i| {
            let sum = |c: usize| parts.iter().map(|part| f64::from(part[c][i])).sum();
            (0..self.plan.stride).map(sum).collect()
        })
    }

    fn backward(&self, args: [&[f32]; 3], want: [bool; 3], grad: &[f32], kept: &Kept) -> Gradients {
        let [xs, kernel, affine] = args;
        let Kept { values, moments } = kept;
        let (plan, count) = (&self.plan, moments.count as f64);
        let activation = self.activation(moments, affine);
        let [sums, products] = self.gradient_sums(&activation, values, grad);
        let inverse = self.inverse_deviations(moments);
        let constant: Vec<f32> = sums.iter().map(|s| (s / count) as f32).collect();
        let linear = products.iter().zip(&inverse);
        let linear: Vec<f32> = linear.map(|(p, i)| (p / count * i * i) as f32).collect();
        let (oh, ow) = self.out_hw();
        let (len, planes_len) = (plan.output_len(), self.channels() * oh * ow);
        let fill = |i: usize, frame: &mut [f32]| {
            with_scratch(oh * ow * plan.stride, |pixels| {
                let planes = &grad[i * planes_len..][..planes_len];
                to_pixels(planes, (oh, ow), plan.stride, pixels);
                frame.fill(0.);
                let image = &values[i * len..][..len];
                let coefficients = (constant.as_slice(), linear.as_slice());
                let place = plan.grad_frame();
                activation.input_gradient((image, pixels), coefficients, frame, place);
            });
        };
        let (d_xs, d_kernel) = match want[0] || want[1] {
            true => plan.backward((xs, kernel), (want[0], want[1]), &fill),
            false => (None, None),
        };
        let d_affine = want[2].then(|| {
            let scales = products.iter().zip(&inverse).map(|(p, i)| (p * i) as f32);
            let shifts = sums.iter().map(|&s| s as f32);
            let channels = self.channels();
            scales.take(channels).chain(shifts.take(channels)).collect()
        });
        [d_xs, d_kernel, d_affine]
    }

    /// The gradients with given statistics, by the separate operations.
    fn backward_of_given(
        &self,
        args: [&Tensor; 3],
        grad: &Tensor,
        given: &Moments,
    ) -> Result<Grads> {
        let leaves = [
            Var::from_tensor(&args[0].detach())?,
            Var::from_tensor(&args[1].detach())?,
            Var::from_tensor(&args[2].detach())?,
        ];
        let (scale, shift) = (leaves[2].get(0)?, leaves[2].get(1)?);
        let block = ConvBlock {
            kernel: &leaves[1],
            transposed: self.transposed,
            padding: self.padding,
            upsample: self.plan.upsample,
            norm: BatchNormOptions {
                affine: Some((&scale, &shift)),
                eps: self.eps,
                negative_slope: self.slope,
            },
            pool: self.pool,
            algorithm: ConvAlgorithm::Fast,
        };
        let vector = |values: &[f64]| Tensor::new(values, &Device::Cpu)?.to_dtype(DType::F32);
        let (mean, variance) = (vector(&given.mean)?, vector(&given.squares)?);
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
