//! Operations of one tensor.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, WithDType};

use super::backend::Backend;
use super::cpu::{Real, contiguous, dispatch, elements};
use super::cuda::{self, Launches};

/// A differentiable operation of one tensor: its kernels for the CPU, its launches of those for CUDA,
/// and the same of candle's operations.
pub(super) trait Unary: Send + Sync + Sized + 'static {
    const NAME: &'static str;

    /// The output's shape from the input's.
    fn output(&self, xs: &Shape) -> Result<Shape>;

    /// The output's values from the input's, both contiguous. `dims`: of the input.
    fn forward<T: Real>(&self, dims: &[usize], xs: &[T]) -> Vec<T>;

    /// The input's gradient.
    fn backward<T: Real>(&self, dims: &[usize], values: Values<'_, T>) -> Vec<T>;

    /// The kernels of `kernels.cu`, for an input of `xs` values of `real`.
    fn launches(&self, real: DType, xs: &Shape) -> Result<Launches>;

    fn composed(&self, xs: &Tensor) -> Result<Tensor>;

    /// Runs it where `xs` lies.
    fn apply(self, xs: &Tensor) -> Result<Tensor> {
        match Backend::of(xs) {
            Backend::Cpu => xs.contiguous()?.apply_op1(OnCpu(self)),
            Backend::Cuda => {
                let launches = self.launches(xs.dtype(), xs.shape())?;
                cuda::run(launches, &xs.contiguous()?)
            }
            Backend::Candle => self.composed(xs),
        }
    }
}

/// What a backward pass sees.
pub(super) struct Values<'a, T> {
    pub(super) xs: &'a [T],
    pub(super) ys: &'a [T],
    /// The gradient of `ys`.
    pub(super) grad: &'a [T],
}

struct OnCpu<O>(O);

impl<O: Unary> CustomOp1 for OnCpu<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = self.0.output(layout.shape())?;
        dispatch!(O::NAME, xs.dtype(), T => {
            let ys = self.0.forward::<T>(layout.dims(), contiguous(xs, layout)?);
            Ok((T::to_cpu_storage_owned(ys), shape))
        })
    }

    fn bwd(&self, xs: &Tensor, ys: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let (xs_storage, xs_layout) = xs.storage_and_layout();
        let (ys_storage, ys_layout) = ys.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        dispatch!(O::NAME, xs.dtype(), T => {
            let values = Values::<T> {
                xs: elements(&xs_storage, xs_layout)?,
                ys: elements(&ys_storage, ys_layout)?,
                grad: elements(&grad_storage, grad_layout)?,
            };
            let d_xs = self.0.backward(xs.dims(), values);
            Ok(Some(Tensor::from_vec(d_xs, xs.shape(), xs.device())?))
        })
    }
}
