use candle_core::{CpuStorage, InplaceOp3, Layout, Result, Tensor};
use rayon::prelude::*;

use super::cpu::{Real, contiguous, contiguous_mut, dispatch, has_kernel};

/// Elements a task handles.
const CHUNK: usize = 1 << 14;

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

/// One step of Adam, in place where there is a kernel; else returns the new weight.
pub(crate) fn adam_step(
    weight: &Tensor,
    grad: &Tensor,
    moments: (&mut Tensor, &mut Tensor),
    step: AdamStep,
) -> Result<Option<Tensor>> {
    let in_place = has_kernel(weight)
        && grad.dtype() == weight.dtype()
        && grad.shape() == weight.shape()
        && [weight, moments.0, moments.1]
            .iter()
            .all(|t| t.is_contiguous());
    if !in_place {
        return composed_adam_step(weight, grad, moments, step).map(Some);
    }
    let grad = grad.contiguous()?;
    moments.0.inplace_op3(&grad, weight, &First(step))?;
    moments.1.inplace_op3(&grad, weight, &Second(step))?;
    weight.inplace_op3(moments.0, moments.1, &Weight(step))?;
    Ok(None)
}

/// The same by candle's operations, with the same rounding.
pub(crate) fn composed_adam_step(
    weight: &Tensor,
    grad: &Tensor,
    (first, second): (&mut Tensor, &mut Tensor),
    step: AdamStep,
) -> Result<Tensor> {
    let AdamStep { beta1, beta2, .. } = step;
    let grad = (grad + (weight * step.coupled)?)?;
    *first = ((&*first * beta1)? + (&grad * (1. - beta1))?)?;
    *second = ((&*second * beta2)? + (grad.sqr()? * (1. - beta2))?)?;
    let denominator = ((second.sqrt()? * step.unbias2)? + step.eps)?;
    let update = (first.div(&denominator)? * step.rate)?;
    (weight * step.keep)? - update
}

struct First(AdamStep);
struct Second(AdamStep);
struct Weight(AdamStep);

/// `out = f(out, a, b)` element by element.
fn each<T: Real>(
    (out, out_layout): (&mut CpuStorage, &Layout),
    (a, a_layout): (&CpuStorage, &Layout),
    (b, b_layout): (&CpuStorage, &Layout),
    f: impl Fn(T, T, T) -> T + Sync,
) -> Result<()> {
    let a = contiguous::<T>(a, a_layout)?.par_chunks(CHUNK);
    let b = contiguous::<T>(b, b_layout)?.par_chunks(CHUNK);
    let out = contiguous_mut::<T>(out, out_layout)?.par_chunks_mut(CHUNK);
    out.zip(a.zip(b)).for_each(|(out, (a, b))| {
        for (out, (&a, &b)) in out.iter_mut().zip(a.iter().zip(b)) {
            *out = f(*out, a, b);
        }
    });
    Ok(())
}

macro_rules! in_place {
    ($op:ident, $t:ident, $step:ident => $f:expr) => {
        impl InplaceOp3 for $op {
            fn name(&self) -> &'static str {
                "puad-adam"
            }

            fn cpu_fwd(
                &self,
                out: &mut CpuStorage,
                out_layout: &Layout,
                a: &CpuStorage,
                a_layout: &Layout,
                b: &CpuStorage,
                b_layout: &Layout,
            ) -> Result<()> {
                let $step = &self.0;
                dispatch!(self.name(), candle_core::backend::BackendStorage::dtype(out), $t => {
                    each::<$t>((out, out_layout), (a, a_layout), (b, b_layout), $f)
                })
            }
        }
    };
}

in_place!(First, T, step => {
    let decay = step.coupled as T;
    let (old, new) = (step.beta1 as T, (1. - step.beta1) as T);
    move |first, grad, weight| first * old + (grad + weight * decay) * new
});

in_place!(Second, T, step => {
    let decay = step.coupled as T;
    let (old, new) = (step.beta2 as T, (1. - step.beta2) as T);
    move |second, grad, weight| {
        let grad = grad + weight * decay;
        second * old + grad * grad * new
    }
});

in_place!(Weight, T, step => {
    let (keep, unbias2) = (step.keep as T, step.unbias2 as T);
    let (eps, rate) = (step.eps as T, step.rate as T);
    move |weight, first, second| weight * keep - first / (second.sqrt() * unbias2 + eps) * rate
});
