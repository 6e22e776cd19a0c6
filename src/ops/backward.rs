//! candle's backward pass, but that it does not add the gradients of some parameters to tensors of zeros.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, TensorId, Var};

thread_local! {
    /// This thread's passes by [`backward`]: one may begin within another, in an operation's backward pass or
    /// while the thread waits for others.
    static UNDER_WAY: RefCell<Vec<Pass>> = const { RefCell::new(Vec::new()) };
}

/// What it has of its leaves, and how it is told from others, candle's own among them, on the same leaves or even
/// the same graph: by the variable in which it holds the gradient that it hands to an operation. candle's
/// pass has one, and while it is under way no other's can lie where it does, because a pass within is done before
/// it goes on. Were candle to use several, the gradients from all but one would go candle's way.
struct Pass {
    /// Null before the [`Root`].
    grad: *const Tensor,
    found: HashMap<TensorId, Option<Tensor>>,
}

/// The gradients of `loss`, a scalar, as candle's `Tensor::backward` gives them, and faster on the CPU in f32 for
/// those of the `leaves` that are
///
/// - input, weight or bias of [`linear`](super::linear()), and so a perceptron's parameters;
/// - kernel, scale or shift of blocks that are one operation ([`conv_block_train`](super::conv_block_train) and
///   [`conv_block_eval`](super::conv_block_eval) say when), and so the parameters of a LeNet's convolutions.
///
/// Their gradients are taken as they are, where candle adds each to a tensor of zeros. All other gradients are
/// computed and summed by candle, with `leaves` or without; on other devices it is candle's pass alone. A zero
/// may have the other sign than in candle's, and where a leaf is used by several operations their gradients may
/// be summed in another order.
///
/// It may be called by any thread, by several on one loss, and within an operation's backward pass; so
/// may `Tensor::backward` within it.
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
            UNDER_WAY.with_borrow_mut(Vec::pop);
        }
    }
    if !(loss.device().is_cpu() && loss.dtype().is_float() && loss.track_op()) {
        return loss.backward();
    }
    let leaves = leaves.into_iter().map(|leaf| (leaf.as_tensor().id(), None));
    let pass = Pass {
        grad: ptr::null(),
        found: leaves.collect(),
    };
    let root = loss.apply_op1(Root)?;
    UNDER_WAY.with_borrow_mut(|passes| passes.push(pass));
    let pop = Pop;
    let mut grads = root.backward()?;
    let found =
        UNDER_WAY.with_borrow_mut(|passes| passes.last_mut().map(|p| std::mem::take(&mut p.found)));
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

/// An operation on the loss that only [`backward`] knows of: what candle asks of it comes from that pass.
struct Root;

impl CustomOp1 for Root {
    fn name(&self) -> &'static str {
        "puad-backward"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(vec![0.]), 1.into()))
    }

    fn bwd(&self, loss: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        UNDER_WAY.with_borrow_mut(|passes| {
            if let Some(pass) = passes.last_mut() {
                pass.grad = grad;
            }
        });
        loss.ones_like()?.contiguous().map(Some)
    }
}

/// What an operation's backward pass, to which candle handed `grad`, gives for its argument `of`: its gradient
/// `own`, or nothing where that is a leaf of the pass that asks, which has it then.
pub(super) fn deliver(grad: &Tensor, of: &Tensor, own: Option<Tensor>) -> Result<Option<Tensor>> {
    if !of.is_variable() {
        return Ok(own);
    }
    let Some(own) = own else {
        return Ok(None);
    };
    UNDER_WAY.with_borrow_mut(|passes| {
        let asks = passes.last_mut().filter(|pass| ptr::eq(pass.grad, grad));
        let Some(place) = asks.and_then(|pass| pass.found.get_mut(&of.id())) else {
            return Ok(Some(own));
        };
        *place = Some(match place.take() {
            Some(sum) => (sum + own)?,
            None => own,
        });
        Ok(None)
    })
}

#[cfg(test)]
mod tests;
