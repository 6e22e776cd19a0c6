//! What stands between raw numbers and a network.

use candle_core::{DType, Device, Result, Tensor};

use super::cpu::{Real, elements};
use super::elementwise::vectorized;

/// Values looked at in one go.
const RUN: usize = 1024;

/// `(xs - shift) / scale`, each one number a value of a sample or a single one, computed in the type of
/// `xs`, f64 or else f32, and rounded to f32: `[n, ...]`, same shape out.
///
/// # Errors
/// Only what the tensor operations give.
pub(crate) fn standardize(xs: &Tensor, shift: &[f64], scale: &[f64]) -> Result<Tensor> {
    if !xs.device().is_cpu() {
        return composed(xs, shift, scale);
    }
    Tensor::from_vec(standardized(xs, shift, scale)?, xs.shape(), &Device::Cpu)
}

/// The values of [`standardize`] of a tensor on the CPU, one behind the other.
///
/// # Errors
/// Only what the tensor operations give.
pub(crate) fn standardized(xs: &Tensor, shift: &[f64], scale: &[f64]) -> Result<Vec<f32>> {
    match xs.dtype() {
        DType::F64 => on_cpu::<f64>(xs, shift, scale),
        DType::F32 => on_cpu::<f32>(xs, shift, scale),
        _ => on_cpu::<f32>(&xs.to_dtype(DType::F32)?, shift, scale),
    }
}

fn on_cpu<T: Real>(xs: &Tensor, shift: &[f64], scale: &[f64]) -> Result<Vec<f32>> {
    let xs = xs.contiguous()?;
    let (storage, layout) = xs.storage_and_layout();
    let values = elements::<T>(&storage, layout)?;
    let rounded = |values: &[f64]| values.iter().map(|&v| T::from_f64(v)).collect::<Vec<T>>();
    let (shift, scale) = (rounded(shift), rounded(scale));
    let mut out = vec![0.; values.len()];
    vectorized(
        #[inline(always)]
        || match (&shift[..], &scale[..]) {
            (&[shift], &[scale]) => {
                for (out, &x) in out.iter_mut().zip(values) {
                    *out = ((x - shift) / scale).to_f32();
                }
            }
            _ => {
                let len = shift.len().max(1);
                for (out, row) in out.chunks_mut(len).zip(values.chunks(len)) {
                    let numbers = shift.iter().zip(&scale);
                    for ((out, &x), (&shift, &scale)) in out.iter_mut().zip(row).zip(numbers) {
                        *out = ((x - shift) / scale).to_f32();
                    }
                }
            }
        },
    );
    Ok(out)
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
    // Converted on the host: some devices have no f64.
    let xs = xs.to_device(&Device::Cpu)?.contiguous()?;
    match xs.dtype() {
        DType::F64 => first_not_finite_of::<f64>(&xs),
        DType::F32 => first_not_finite_of::<f32>(&xs),
        _ => first_not_finite_of::<f64>(&xs.to_dtype(DType::F64)?),
    }
}

fn first_not_finite_of<T: Real>(xs: &Tensor) -> Result<Option<(usize, f64)>> {
    let (storage, layout) = xs.storage_and_layout();
    Ok(first_not_finite_in(elements::<T>(&storage, layout)?))
}

/// Whether no number is NaN or infinite.
pub(crate) fn are_finite(values: &[f32]) -> bool {
    first_not_finite_in(values).is_none()
}

fn first_not_finite_in<T: Real>(values: &[T]) -> Option<(usize, f64)> {
    let mut runs = values.chunks(RUN).enumerate();
    // `0 x` is 0, or NaN.
    let spoiled = |run: &[T]| {
        vectorized(
            #[inline(always)]
            || {
                run.iter()
                    .fold(false, |any, &x| any | (x * T::ZERO != T::ZERO))
            },
        )
    };
    let (i, run) = runs.find(|(_, run)| spoiled(run))?;
    let mut values = run.iter().map(|x| x.to_f64()).enumerate();
    let (j, first) = values.find(|(_, x)| !x.is_finite())?;
    Some((i * RUN + j, first))
}
