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
    let (shape, n) = (xs.shape().clone(), xs.elem_count());
    let launch = |kernel| Launch::each(kernel, shape.clone(), n).with(numbers.iter().copied());
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
    let (shape, n) = (xs.shape().clone(), xs.elem_count());
    let back = Launch::each("sigmoid_gradient", shape.clone(), n);
    xs.contiguous()?.apply_op1(Op {
        launch: Launch::each("sigmoid", shape, n),
        held: Vec::new(),
        backward: move |_: &Tensor, ys: &Tensor, grad: &Tensor| back.apply(&[Some(ys), Some(grad)]),
    })
}

pub(in crate::ops) fn l2_norm(xs: &Tensor) -> Result<Tensor> {
    let (batch, n) = (xs.dim(0)?, xs.elem_count());
    let length = n / batch;
    let back = Launch::each("l2_norm_gradient", xs.shape().clone(), n).with([int(length)]);
    let launch = Launch {
        kernel: "l2_norm",
        blocks: [batch as u32, 1],
        output: batch.into(),
        dtype: None,
        numbers: vec![int(length)],
    };
    xs.contiguous()?.apply_op1(Op {
        launch,
        held: Vec::new(),
        backward: move |xs: &Tensor, norms: &Tensor, grad: &Tensor| {
            back.apply(&[Some(xs), Some(norms), Some(grad)])
        },
    })
}
