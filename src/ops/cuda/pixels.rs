use candle_core::{Result, Tensor, bail};

use super::launch::{Launch, int};
use super::op::Op;

/// `size` is at least 1 and no larger than the image.
pub(in crate::ops) fn max_pool2d(xs: &Tensor, size: usize) -> Result<Tensor> {
    let (batch, channels, h, w) = xs.dims4()?;
    let output = (batch, channels, h / size, w / size);
    let numbers = [int(h), int(w), int(size)];
    let back = Launch::each("max_pool_gradient", xs.dtype(), xs.shape().clone()).with(numbers);
    xs.contiguous()?.apply_op1(Op {
        launch: Launch::each("max_pool", xs.dtype(), output).with(numbers),
        held: Vec::new(),
        backward: move |xs: &Tensor, _: &Tensor, grad: &Tensor| back.apply(&[Some(xs), Some(grad)]),
    })
}

/// `factor` is at least 1.
pub(in crate::ops) fn upsample_nearest2d(xs: &Tensor, factor: usize) -> Result<Tensor> {
    let (batch, channels, h, w) = xs.dims4()?;
    // candle's own kernels have 32-bit positions too.
    if xs
        .elem_count()
        .saturating_mul(factor.saturating_mul(factor))
        >= 1 << 31
    {
        bail!(
            "upsample_nearest2d gives fewer than 2^31 values on CUDA, got {:?} by {factor}",
            xs.dims()
        )
    }
    let output = (batch, channels, h * factor, w * factor);
    let numbers = [int(w), int(factor)];
    let back = Launch::each("upsample_gradient", xs.dtype(), xs.shape().clone()).with(numbers);
    xs.contiguous()?.apply_op1(Op {
        launch: Launch::each("upsample", xs.dtype(), output).with(numbers),
        held: Vec::new(),
        backward: move |_: &Tensor, _: &Tensor, grad: &Tensor| back.apply(&[Some(grad)]),
    })
}
