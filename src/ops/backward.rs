//! candle's backward pass, but that it does not add the gradients of the operations here to tensors of zeros.

use std::cell::RefCell;
use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, TensorId, Var};

thread_local! {
    /// What the passes under way on this thread have of their leaves: a thread that waits for others may begin
    /// one within another.
    static FOUND: RefCell<Vec<HashMap<TensorId, Option<Tensor>>>> = const { RefCell::new(Vec::new()) };
}

/// The gradients of `loss`, a scalar, as candle's `Tensor::backward` gives them, and faster on the CPU: those of
/// the `leaves`, parameters say, that operations of this crate compute are taken as they are, where candle
/// adds each to zeros.
///
/// # Errors
/// As candle's.
///
/// ```
/// use puad::candle_core::{Device, Tensor, Var};
/// use puad::ops::{LinearOptions, backward, linear};
///
/// let weight = Var::from_tensor(&Tensor::new(&[[2f32, 3.]], &Device::Cpu)?)?;
/// let xs = Tensor::new(&[[1f32, 10.]], &Device::Cpu)?;
/// let ys = linear(&xs, &weight, LinearOptions::default())?;
/// let grads = backward(&ys.sum_all()?, [&weight])?;
/// assert_eq!(grads.get(&weight).unwrap().to_vec2::<f32>()?, [[1., 10.]]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn backward<'a>(loss: &Tensor, leaves: impl IntoIterator<Item = &'a Var>) -> Result<GradStore> {
    struct Pop;
    impl Drop for Pop {
        fn drop(&mut self) {
            FOUND.with_borrow_mut(Vec::pop);
        }
    }
    let leaves = leaves.into_iter().map(|leaf| (leaf.as_tensor().id(), None));
    FOUND.with_borrow_mut(|passes| passes.push(leaves.collect()));
    let pop = Pop;
    let mut grads = loss.backward()?;
    let found = FOUND.with_borrow_mut(|passes| passes.last_mut().map(std::mem::take));
    drop(pop);
    for (id, grad) in found.unwrap_or_default() {
        if let Some(grad) = grad {
            let sum = match grads.get_id(id) {
                Some(other) => (other + grad)?,
                None => grad,
            };
            grads.insert_id(id, sum);
        }
    }
    Ok(grads)
}

/// What an operation's backward pass gives candle for its argument `of`: its gradient, or nothing where that
/// is a leaf of the pass under way, which has it then.
pub(super) fn deliver(of: &Tensor, grad: Option<Tensor>) -> Result<Option<Tensor>> {
    if !of.is_variable() {
        return Ok(grad);
    }
    let Some(grad) = grad else {
        return Ok(None);
    };
    FOUND.with_borrow_mut(|passes| {
        let Some(place) = passes.last_mut().and_then(|pass| pass.get_mut(&of.id())) else {
            return Ok(Some(grad));
        };
        *place = Some(match place.take() {
            Some(sum) => (sum + grad)?,
            None => grad,
        });
        Ok(None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{LinearOptions, linear};
    use candle_core::{DType, Device};
    use std::panic::AssertUnwindSafe;

    /// Parameters used twice, by candle's operations too, and by a pass within the pass.
    #[test]
    fn gradients_are_candles() {
        let var = |seed: f64, dims: &[usize]| {
            let n = dims.iter().product::<usize>();
            let values: Vec<f64> = (0..n).map(|i| (seed + i as f64).sin()).collect();
            let t = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
            Var::from_tensor(&t.to_dtype(DType::F32).unwrap()).unwrap()
        };
        let (weight, bias, other) = (var(1., &[4, 4]), var(2., &[4]), var(3., &[4, 4]));
        let xs = var(4., &[3, 4]);
        let loss = || {
            let options = LinearOptions {
                bias: Some(&bias),
                negative_slope: 0.1,
            };
            let ys = linear(&xs, &weight, options).unwrap();
            let zs = linear(&ys, &weight, options).unwrap();
            let zs = (zs + ys.matmul(&weight).unwrap().matmul(&other).unwrap()).unwrap();
            zs.sqr().unwrap().sum_all().unwrap()
        };
        let expected = loss().backward().unwrap();
        let inner = loss();
        let ours = backward(&loss(), [&weight, &bias]).unwrap();
        let nested = {
            FOUND.with_borrow_mut(|passes| passes.push(HashMap::from([(other.id(), None)])));
            let grads = inner.backward().unwrap();
            FOUND.with_borrow_mut(Vec::pop);
            grads
        };
        for grads in [&ours, &nested] {
            for leaf in [&weight, &bias, &other, &xs] {
                let values = |grads: &GradStore| {
                    let grad = grads.get(leaf).unwrap().flatten_all().unwrap();
                    grad.to_vec1::<f32>().unwrap()
                };
                let all = values(grads).into_iter().zip(values(&expected));
                for (a, e) in all {
                    approx::assert_relative_eq!(a, e, max_relative = 1e-6);
                }
            }
        }
        assert!(FOUND.with_borrow(Vec::is_empty));
    }

    #[test]
    fn a_pass_that_fails_leaves_no_trace() {
        let weight = Var::zeros((2, 2), DType::U32, &Device::Cpu).unwrap();
        let pass = AssertUnwindSafe(|| backward(&weight, [&weight]).map(|_| ()));
        let _ = std::panic::catch_unwind(pass);
        assert!(FOUND.with_borrow(Vec::is_empty));
    }
}
