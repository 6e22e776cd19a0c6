//! One argument that stands for many parameters: candle's own operations take three tensors at most.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

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
    let join = |first| Join {
        first,
        gradients: gradients.clone(),
    };
    let mut all = nothing()?;
    for (i, pair) in parameters.chunks(2).enumerate() {
        all = match pair {
            [a, b] => all.apply_op3(a, b, join(2 * i))?,
            [a] => all.apply_op2(a, join(2 * i))?,
            _ => all,
        };
    }
    Ok(all)
}

/// The gradient of a [`link`].
pub(super) fn nothing() -> Result<Tensor> {
    Tensor::zeros(1, candle_core::DType::F32, &candle_core::Device::Cpu)
}

/// Of the parameters before, and one or two more.
struct Join {
    /// Index of the first of the two.
    first: usize,
    gradients: Gradients,
}

const NAME: &str = "puad-link";

impl Join {
    fn output() -> (CpuStorage, Shape) {
        (CpuStorage::F32(vec![0.]), 1.into())
    }
}

impl CustomOp2 for Join {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok(Self::output())
    }

    fn bwd(
        &self,
        _: &Tensor,
        a: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((
            Some(grad.clone()),
            deliver(a, self.gradients.take(self.first))?,
        ))
    }
}

impl CustomOp3 for Join {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok(Self::output())
    }

    fn bwd(
        &self,
        _: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad_of = |of, i| deliver(of, self.gradients.take(self.first + i));
        Ok((Some(grad.clone()), grad_of(a, 0)?, grad_of(b, 1)?))
    }
}
