use candle_core::{Result, Tensor};

use super::super::LOG1MEXP_FLOOR;
use super::launch::{Launch, int, real};
use super::op::Op;

/// An elementwise operation by `kernel`, its gradient from argument and output's gradient by
/// `gradient`.
fn map(
    xs: &Tensor,
    (kernel, gradient): (&'static str, &'static str),
    numbers: Vec<u64>,
) -> Result<Tensor> {
    let launch =
        |kernel| Launch::each(kernel, xs.dtype(), xs.shape().clone()).with(numbers.iter().copied());
    let back = launch(gradient);
    xs.contiguous()?.apply_op1(Op {
        launch: launch(kernel),
        held: Vec::new(),
        backward: move |xs: &Tensor, _: &Tensor, grad: &Tensor| back.apply(&[Some(xs), Some(grad)]),
    })
}

pub(in crate::ops) fn leaky_relu(xs: &Tensor, slope: f64) -> Result<Tensor> {
    map(xs, ("leaky_relu", "leaky_relu_gradient"), vec![real(slope)])
}

pub(in crate::ops) fn log1mexp(xs: &Tensor) -> Result<Tensor> {
    let floor = real(LOG1MEXP_FLOOR);
    map(xs, ("log1mexp", "log1mexp_gradient"), vec![floor])
}

pub(in crate::ops) fn sigmoid(xs: &Tensor) -> Result<Tensor> {
    let launch = |kernel| Launch::each(kernel, xs.dtype(), xs.shape().clone());
    let back = launch("sigmoid_gradient");
    xs.contiguous()?.apply_op1(Op {
        launch: launch("sigmoid"),
        held: Vec::new(),
        backward: move |_: &Tensor, ys: &Tensor, grad: &Tensor| back.apply(&[Some(ys), Some(grad)]),
    })
}

pub(in crate::ops) fn l2_norm(xs: &Tensor) -> Result<Tensor> {
    let (batch, real) = (xs.dim(0)?, xs.dtype());
    let length = int(xs.elem_count() / batch);
    let back = Launch::each("l2_norm_gradient", real, xs.shape().clone()).with([length]);
    let launch = Launch {
        blocks: [batch as u32, 1],
        numbers: vec![length],
        ..Launch::each("l2_norm", real, batch)
    };
    xs.contiguous()?.apply_op1(Op {
        launch,
        held: Vec::new(),
        backward: move |xs: &Tensor, norms: &Tensor, grad: &Tensor| {
            back.apply(&[Some(xs), Some(norms), Some(grad)])
        },
    })
}
