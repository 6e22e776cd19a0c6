//! One argument that stands for many parameters: candle's own operations take three tensors at most.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::backward::deliver;

/// Where an operation leaves its parameters' gradients, one after another, until candle asks for them.
#[derive(Clone, Default)]
pub(super) struct Gradients(Arc<Mutex<Vec<Option<Tensor>>>>);

impl Gradients {
    pub(super) fn leave(&self, all: Vec<Option<Tensor>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }

    fn take(&self, parameter: usize) -> Option<Tensor> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(parameter)?.take()
    }
}

/// A tensor of one value that depends on all of `parameters`, f32 on the CPU. An operation that takes it and,
/// in its backward pass, leaves their gradients in `gradients` and a [`nothing`] as this tensor's, has
/// given each parameter its own.
pub(super) fn link(parameters: &[Tensor], gradients: &Gradients) -> Result<Tensor> {
    let mut all = nothing()?;
    for (index, parameter) in parameters.iter().enumerate() {
        let gradients = gradients.clone();
        all = all.apply_op2(parameter, Join { index, gradients })?;
    }
    Ok(all)
}

/// The gradient of a [`link`].
pub(super) fn nothing() -> Result<Tensor> {
    Tensor::zeros(1, candle_core::DType::F32, &candle_core::Device::Cpu)
}

/// Of the parameters before, and one more.
struct Join {
    index: usize,
    gradients: Gradients,
}

impl CustomOp2 for Join {
    fn name(&self) -> &'static str {
        "puad-link"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(vec![0.]), 1.into()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        parameter: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let own = deliver(parameter, self.gradients.take(self.index))?;
        Ok((Some(grad.clone()), own))
    }
}
