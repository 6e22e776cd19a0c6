//! What stands between raw numbers and a network.

use candle_core::{DType, Device, Result, Tensor};

use super::numbers::{first_not_finite_in, with_numbers};

/// `(xs - shift) / scale`, each one number a value of a sample or a single one, computed in the type of
/// `xs`, f64 or else f32, and rounded to f32: `[n, ...]`, same shape out.
///
/// # Errors
/// Only what the tensor operations give.
pub(crate) fn standardize(xs: &Tensor, shift: &[f64], scale: &[f64]) -> Result<Tensor> {
    if !xs.device().is_cpu() {
        return composed(xs, shift, scale);
    }
    let values = with_numbers(xs, |numbers| numbers.standardized(shift, scale))?;
    Tensor::from_vec(values, xs.shape(), &Device::Cpu)
}

fn composed(xs: &Tensor, shift: &[f64], scale: &[f64]) -> Result<Tensor> {
    let dtype = match xs.dtype() {
        DType::F64 => DType::F64,
        _ => DType::F32,
    };
    let numbers = |values: &[f64]| {
        let mut shape = xs.dims().to_vec();
        if values.len() == 1 {
            shape.fill(1);
        } else {
            shape[0] = 1;
        }
        // Rounded on the host: some devices have no f64.
        let host = Tensor::from_slice(values, shape, &Device::Cpu)?;
        host.to_dtype(dtype)?.to_device(xs.device())
    };
    let xs = xs.to_dtype(dtype)?;
    let scaled = xs.broadcast_sub(&numbers(shift)?)?;
    scaled.broadcast_div(&numbers(scale)?)?.to_dtype(DType::F32)
}

/// Position and value of the first number that is NaN or infinite.
///
/// # Errors
/// Only what the tensor operations give.
pub(crate) fn first_not_finite(xs: &Tensor) -> Result<Option<(usize, f64)>> {
    with_numbers(&xs.to_device(&Device::Cpu)?, |numbers| {
        numbers.first_not_finite()
    })
}

/// Whether no number is NaN or infinite.
pub(crate) fn are_finite(values: &[f32]) -> bool {
    first_not_finite_in(values).is_none()
}
