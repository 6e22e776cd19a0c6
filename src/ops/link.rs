//! One argument that stands for many parameters: candle's own operations take three tensors at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, DType, Device, Layout, Result, Shape, Tensor};

use super::backward::deliver;

/// Where an operation leaves its parameters' gradients until candle asks for them, pass by pass: several threads may
/// ask at once, and one within another pass. A pass has a number, which it carries from the operation to
/// the parameters as the gradient of their [`link`], so that nothing but the pass itself tells it from others.
#[derive(Clone, Default)]
pub(super) struct Gradients(Arc<Mutex<Passes>>);

#[derive(Default)]
struct Passes {
    /// Numbers given away, from 1.
    count: u32,
    /// By number, what a pass has not asked for yet. A pass that fails leaves the rest here.
    left: HashMap<u32, Vec<Option<Tensor>>>,
}

impl Gradients {
    /// Leaves `all` parameters' gradients, and returns that of their [`link`].
    pub(super) fn leave(&self, all: Vec<Option<Tensor>>) -> Result<Tensor> {
        let mut passes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        passes.count += 1;
        let number = passes.count;
        passes.left.insert(number, all);
        Tensor::new(&[f64::from(number)], &Device::Cpu)
    }

    /// Of a parameter, for the pass in which the link has the gradient `grad`.
    fn take(&self, parameter: usize, grad: &Tensor) -> Result<Option<Tensor>> {
        let [number] = grad.to_vec1::<f64>()?[..] else {
            candle_core::bail!("the gradient of linked parameters is no number: {grad}")
        };
        let mut passes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = number as u32;
        let Some(all) = passes.left.get_mut(&number) else {
            return Ok(None);
        };
        let own = all.get_mut(parameter).and_then(Option::take);
        if all.iter().all(Option::is_none) {
            passes.left.remove(&number);
        }
        Ok(own)
    }
}

/// A tensor of one value that depends on those of `parameters` that want a gradient, f64 on the CPU. An
/// operation that takes it alone and, in its backward pass, [leaves](Gradients::leave) their gradients and returns what
/// that gives as this tensor's, has given each parameter its own.
pub(super) fn link(parameters: &[Tensor], gradients: &Gradients) -> Result<Tensor> {
    let mut all = Tensor::zeros(1, DType::F64, &Device::Cpu)?;
    for (index, parameter) in parameters.iter().enumerate() {
        if parameter.track_op() {
            let gradients = gradients.clone();
            all = all.apply_op2(parameter, Join { index, gradients })?;
        }
    }
    Ok(all)
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
        Ok((CpuStorage::F64(vec![0.]), 1.into()))
    }

    fn bwd(
        &self,
        before: &Tensor,
        parameter: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let own = deliver(grad, parameter, self.gradients.take(self.index, grad)?)?;
        Ok((before.track_op().then(|| grad.clone()), own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Var;

    /// Gradients that are left last, and for a pass that never asks, do not reach another's parameters.
    #[test]
    fn every_pass_takes_its_own() {
        let gradients = Gradients::default();
        let tensor = |value: f32| Tensor::new(&[value], &Device::Cpu).unwrap();
        let all = |value: f32| vec![Some(tensor(value)), None, Some(tensor(-value))];
        let passes = [1f32, 2., 3.].map(|value| gradients.leave(all(value)).unwrap());
        let take = |parameter: usize, pass: usize| {
            let own = gradients.take(parameter, &passes[pass]).unwrap();
            own.map(|own| own.to_vec1::<f32>().unwrap()[0])
        };
        assert_eq!(take(2, 0), Some(-1.));
        assert_eq!(take(2, 2), Some(-3.));
        assert_eq!(take(1, 2), None);
        assert_eq!(take(0, 2), Some(3.));
        assert_eq!(take(0, 0), Some(1.));
        assert_eq!(take(0, 0), None);
        let left = gradients.0.lock().unwrap();
        assert_eq!(left.left.keys().collect::<Vec<_>>(), [&2]);
    }

    #[test]
    fn only_what_wants_a_gradient_is_linked() {
        let learned = Var::zeros(2, DType::F32, &Device::Cpu).unwrap();
        let fixed = learned.as_detached_tensor();
        let linked = |all: &[Tensor]| link(all, &Gradients::default()).unwrap().track_op();
        assert!(!linked(std::slice::from_ref(&fixed)));
        assert!(linked(&[fixed, learned.as_tensor().clone()]));
    }
}
