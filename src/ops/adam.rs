use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Result, Tensor};
use rayon::prelude::*;

use super::backend::Backend;
use super::cpu::{Real, contiguous, contiguous_mut, dispatch};
use super::cuda;
use super::elementwise::{CHUNK, vectorized};

/// The numbers of one step of Adam.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamStep {
    /// Weight decay added to the gradient.
    pub(crate) coupled: f64,
    /// What decoupled decay leaves of the weight.
    pub(crate) keep: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    /// Step size over the first moment's bias.
    pub(crate) rate: f64,
    /// One over the root of the second moment's bias.
    pub(crate) unbias2: f64,
    pub(crate) eps: f64,
}

/// One step of Adam, in place where there is a kernel; else returns the new weight. `moments`:
/// `[2, ...]`, of the gradient and its square.
pub(crate) fn adam_step(
    weight: &Tensor,
    grad: &Tensor,
    moments: &mut Tensor,
    step: AdamStep,
) -> Result<Option<Tensor>> {
    let fits = grad.dtype() == weight.dtype()
        && grad.shape() == weight.shape()
        && moments.dtype() == weight.dtype()
        && moments.elem_count() == 2 * weight.elem_count()
        && weight.is_contiguous()
        && moments.is_contiguous();
    match Backend::of(weight) {
        Backend::Cpu if fits => {
            moments.inplace_op3(&grad.contiguous()?, weight, &Moments(step))?;
            weight.inplace_op2(moments, &Weight(step))?;
        }
        Backend::Cuda if fits => cuda::adam_step(weight, &grad.contiguous()?, moments, step)?,
        _ => return composed_adam_step(weight, grad, moments, step).map(Some),
    }
    Ok(None)
}

/// The same by candle's operations, with the same rounding.
pub(crate) fn composed_adam_step(
    weight: &Tensor,
    grad: &Tensor,
    moments: &mut Tensor,
    step: AdamStep,
) -> Result<Tensor> {
    let AdamStep { beta1, beta2, .. } = step;
    let grad = (grad + (weight * step.coupled)?)?;
    let first = ((moments.get(0)? * beta1)? + (&grad * (1. - beta1))?)?;
    let second = ((moments.get(1)? * beta2)? + (grad.sqr()? * (1. - beta2))?)?;
    *moments = Tensor::stack(&[&first, &second], 0)?;
    let denominator = ((second.sqrt()? * step.unbias2)? + step.eps)?;
    let update = (first.div(&denominator)? * step.rate)?;
    (weight * step.keep)? - update
}

/// `[first, second]` from gradient and weight.
struct Moments(AdamStep);
/// The weight from `[first, second]`.
struct Weight(AdamStep);

impl Moments {
    fn apply<T: Real>(&self, moments: &mut [T], grad: &[T], weight: &[T]) {
        let AdamStep { beta1, beta2, .. } = self.0;
        let [decay, old1, new1, old2, new2] =
            [self.0.coupled, beta1, 1. - beta1, beta2, 1. - beta2].map(T::from_f64);
        let (first, second) = moments.split_at_mut(grad.len());
        let moments = first
            .par_chunks_mut(CHUNK)
            .zip(second.par_chunks_mut(CHUNK));
        let inputs = grad.par_chunks(CHUNK).zip(weight.par_chunks(CHUNK));
        moments
            .zip(inputs)
            .for_each(|((first, second), (grad, weight))| {
                let inputs = grad.iter().zip(weight);
                let values = first.iter_mut().zip(second).zip(inputs);
                vectorized(
                    #[inline(always)]
                    || {
                        for ((first, second), (&grad, &weight)) in values {
                            let grad = grad + weight * decay;
                            *first = *first * old1 + grad * new1;
                            *second = *second * old2 + grad * grad * new2;
                        }
                    },
                );
            });
    }
}

impl Weight {
    fn apply<T: Real>(&self, weight: &mut [T], moments: &[T]) {
        let AdamStep {
            keep,
            unbias2,
            eps,
            rate,
            ..
        } = self.0;
        let [keep, unbias2, eps, rate] = [keep, unbias2, eps, rate].map(T::from_f64);
        let (first, second) = moments.split_at(weight.len());
        let moments = first.par_chunks(CHUNK).zip(second.par_chunks(CHUNK));
        weight
            .par_chunks_mut(CHUNK)
            .zip(moments)
            .for_each(|(weight, (first, second))| {
                let values = weight.iter_mut().zip(first.iter().zip(second));
                vectorized(
                    #[inline(always)]
                    || {
                        for (weight, (&first, &second)) in values {
                            let denominator = second.square_root() * unbias2 + eps;
                            *weight = *weight * keep - first / denominator * rate;
                        }
                    },
                );
            });
    }
}

impl InplaceOp3 for Moments {
    fn name(&self) -> &'static str {
        "puad-adam-moments"
    }

    fn cpu_fwd(
        &self,
        moments: &mut CpuStorage,
        moments_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<()> {
        dispatch!(self.name(), grad.dtype(), T => {
            let moments = contiguous_mut::<T>(moments, moments_layout)?;
            let (grad, weight) = (contiguous(grad, grad_layout)?, contiguous(weight, weight_layout)?);
            self.apply(moments, grad, weight);
            Ok(())
        })
    }
}

impl InplaceOp2 for Weight {
    fn name(&self) -> &'static str {
        "puad-adam-weight"
    }

    fn cpu_fwd(
        &self,
        weight: &mut CpuStorage,
        weight_layout: &Layout,
        moments: &CpuStorage,
        moments_layout: &Layout,
    ) -> Result<()> {
        dispatch!(self.name(), moments.dtype(), T => {
            let weight = contiguous_mut::<T>(weight, weight_layout)?;
            self.apply(weight, contiguous(moments, moments_layout)?);
            Ok(())
        })
    }
}
