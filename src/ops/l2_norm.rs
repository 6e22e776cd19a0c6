use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::cpu::{Real, contiguous, dispatch, elements, has_kernel, lane_sum};
use super::cuda;

/// The Euclidean norm of each sample over all its dimensions: `[batch, ...] -> [batch]`.
///
/// The gradient is `x / norm`, and 0 where the norm is 0 (candle's `sqrt` gives infinity there).
///
/// # Errors
/// If `xs` has no batch dimension.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
///
/// let xs = Tensor::new(&[[3f32, 4.], [0., 0.]], &Device::Cpu)?;
/// assert_eq!(puad::ops::l2_norm(&xs)?.to_vec1::<f32>()?, [5., 0.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn l2_norm(xs: &Tensor) -> Result<Tensor> {
    if xs.rank() == 0 {
        bail!("l2_norm needs a batch dimension, got a scalar")
    }
    if has_kernel(xs) {
        return xs.contiguous()?.apply_op1(L2Norm);
    }
    if cuda::has_kernel(xs) {
        return cuda::l2_norm(xs);
    }
    let batch = xs.dim(0)?;
    let rows = xs.reshape((batch, xs.elem_count() / batch.max(1)))?;
    let squares = rows.sqr()?.sum(1)?;
    let norm = squares.detach().sqrt()?;
    let zero = norm.eq(&norm.zeros_like()?)?;
    let slope = zero.where_cond(&norm, &norm.affine(2., 0.)?.recip()?)?;
    // The norm without gradient, plus a term that is 0 and carries the gradient.
    norm + (&squares - squares.detach())? * slope
}

struct L2Norm;

impl CustomOp1 for L2Norm {
    fn name(&self) -> &'static str {
        "puad-l2-norm"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let batch = layout.dims()[0];
        let len = layout.shape().elem_count() / batch.max(1);
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = contiguous::<T>(xs, layout)?;
            let norm = |i: usize| {
                let row = &xs[i * len..(i + 1) * len];
                T::from_f64(lane_sum(row, row, |x, _| x * x).sqrt())
            };
            let norms: Vec<T> = (0..batch).into_par_iter().map(norm).collect();
            Ok((T::to_cpu_storage_owned(norms), batch.into()))
        })
    }

    fn bwd(&self, xs: &Tensor, norms: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let len = xs.elem_count() / xs.dim(0)?.max(1);
        let (xs_storage, xs_layout) = xs.storage_and_layout();
        let (norms_storage, norms_layout) = norms.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = elements::<T>(&xs_storage, xs_layout)?;
            let norms = elements::<T>(&norms_storage, norms_layout)?;
            let grads = elements::<T>(&grad_storage, grad_layout)?;
            let mut d_xs = vec![T::ZERO; xs.len()];
            let rows = d_xs.par_chunks_mut(len.max(1)).zip(xs.par_chunks(len.max(1)));
            rows.zip(norms.par_iter().zip(grads)).for_each(|((ds, xs), (&norm, &g))| {
                if norm != T::ZERO {
                    ds.iter_mut().zip(xs).for_each(|(d, &x)| *d = g * (x / norm));
                }
            });
            Ok(Some(Tensor::from_vec(d_xs, xs_layout.shape(), grad.device())?))
        })
    }
}
