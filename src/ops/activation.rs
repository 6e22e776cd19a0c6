use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType};
use rayon::prelude::*;

use super::cpu::{Real, contiguous, dispatch, elements, has_kernel};
use super::cuda;

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
    if cuda::has_kernel(xs) {
        return cuda::leaky_relu(xs, slope);
    }
    let positive = xs.gt(&xs.zeros_like()?)?;
    positive.where_cond(xs, &xs.affine(slope, 0.)?)
}

/// `1 / (1 + exp(-x))`. Any shape, same shape out.
///
/// # Errors
/// Only what the tensor operations give.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
///
/// let xs = Tensor::new(&[0f32, -1000., 1000.], &Device::Cpu)?;
/// assert_eq!(puad::ops::sigmoid(&xs)?.to_vec1::<f32>()?, [0.5, 0., 1.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn sigmoid(xs: &Tensor) -> Result<Tensor> {
    if has_kernel(xs) {
        return xs.contiguous()?.apply_op1(Sigmoid);
    }
    if cuda::has_kernel(xs) {
        return cuda::sigmoid(xs);
    }
    (xs.neg()?.exp()? + 1.)?.recip()
}

struct Sigmoid;

impl CustomOp1 for Sigmoid {
    fn name(&self) -> &'static str {
        "puad-sigmoid"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = contiguous::<T>(xs, layout)?;
            let ys = map2(xs, xs, |x, _| T::ONE / (T::ONE + (T::ZERO - x).exp()));
            Ok((T::to_cpu_storage_owned(ys), layout.shape().clone()))
        })
    }

    fn bwd(&self, _: &Tensor, ys: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let (ys_storage, ys_layout) = ys.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        dispatch!(self.name(), ys.dtype(), T => {
            let ys = elements::<T>(&ys_storage, ys_layout)?;
            let d_xs = map2(ys, elements(&grad_storage, grad_layout)?, |y, g| g * y * (T::ONE - y));
            Ok(Some(Tensor::from_vec(d_xs, grad.shape(), grad.device())?))
        })
    }
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
    map2(xs, values, |x, v| if x > T::ZERO { v } else { v * slope })
}

/// `f(a, b)` element by element.
fn map2<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T + Sync) -> Vec<T> {
    let mut out = vec![T::ZERO; a.len()];
    let inputs = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK));
    out.par_chunks_mut(CHUNK)
        .zip(inputs)
        .for_each(|(out, (a, b))| {
            for (o, (&a, &b)) in out.iter_mut().zip(a.iter().zip(b)) {
                *o = f(a, b);
            }
        });
    out
}
