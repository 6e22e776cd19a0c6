use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType};
use rayon::prelude::*;

use super::cpu::{Real, contiguous, dispatch, elements, has_kernel};

/// Elements a task handles.
const CHUNK: usize = 1 << 14;

/// `x` where `x > 0`, else `slope * x`; slope 0 is ReLU. Any shape, same shape out.
///
/// The gradient at 0 is `slope`, as in PyTorch (candle's `relu` gives 1 there). NaN stays NaN.
///
/// # Errors
/// Only what the tensor operations give.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
///
/// let xs = Tensor::new(&[-2f32, 0., 3.], &Device::Cpu)?;
/// assert_eq!(puad::ops::leaky_relu(&xs, 0.5)?.to_vec1::<f32>()?, [-1., 0., 3.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn leaky_relu(xs: &Tensor, slope: f64) -> Result<Tensor> {
    if has_kernel(xs) {
        return xs.contiguous()?.apply_op1(LeakyRelu { slope });
    }
    let positive = xs.gt(&xs.zeros_like()?)?;
    positive.where_cond(xs, &xs.affine(slope, 0.)?)
}

struct LeakyRelu {
    slope: f64,
}

impl CustomOp1 for LeakyRelu {
    fn name(&self) -> &'static str {
        "puad-leaky-relu"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = contiguous::<T>(xs, layout)?;
            let ys = gate(xs, xs, T::from_f64(self.slope));
            Ok((T::to_cpu_storage_owned(ys), layout.shape().clone()))
        })
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let (xs_storage, xs_layout) = xs.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = elements::<T>(&xs_storage, xs_layout)?;
            let d_xs = gate(xs, elements(&grad_storage, grad_layout)?, T::from_f64(self.slope));
            Ok(Some(Tensor::from_vec(d_xs, grad.shape(), grad.device())?))
        })
    }
}

/// `v` where `x > 0`, else `slope * v`.
fn gate<T: Real>(xs: &[T], values: &[T], slope: T) -> Vec<T> {
    let mut out = vec![T::ZERO; xs.len()];
    let inputs = xs.par_chunks(CHUNK).zip(values.par_chunks(CHUNK));
    out.par_chunks_mut(CHUNK)
        .zip(inputs)
        .for_each(|(out, (xs, vs))| {
            for (o, (&x, &v)) in out.iter_mut().zip(xs.iter().zip(vs)) {
                *o = if x > T::ZERO { v } else { v * slope };
            }
        });
    out
}
