//! Numbers that a tensor holds, or that may become one.

use candle_core::{DType, Result, Tensor};

use super::cpu::{Real, elements};
use super::elementwise::vectorized;

/// Values looked at in one go.
const RUN: usize = 1024;

/// Numbers one behind the other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

/// Runs `f` on the values of a tensor on the CPU; those of other types than f32 and f64 as f32.
///
/// # Errors
/// Only what the tensor operations give.
pub(crate) fn with_numbers<R>(xs: &Tensor, f: impl FnOnce(Numbers<'_>) -> R) -> Result<R> {
    let xs = match xs.dtype() {
        DType::F32 | DType::F64 => xs.contiguous()?,
        _ => xs.to_dtype(DType::F32)?.contiguous()?,
    };
    let (storage, layout) = xs.storage_and_layout();
    Ok(f(match xs.dtype() {
        DType::F64 => Numbers::F64(elements(&storage, layout)?),
        _ => Numbers::F32(elements(&storage, layout)?),
    }))
}

impl Numbers<'_> {
    /// Position and value of the first number that is NaN or infinite.
    pub(crate) fn first_not_finite(self) -> Option<(usize, f64)> {
        match self {
            Self::F32(values) => first_not_finite_in(values),
            Self::F64(values) => first_not_finite_in(values),
        }
    }

    /// `(x - shift) / scale`, each one number a value of a sample or a single one, computed in the type of the
    /// numbers and rounded to f32.
    pub(crate) fn standardized(self, shift: &[f64], scale: &[f64]) -> Vec<f32> {
        match self {
            Self::F32(values) => standardized(values, shift, scale),
            Self::F64(values) => standardized(values, shift, scale),
        }
    }

    /// As f64.
    pub(crate) fn to_f64(self) -> Vec<f64> {
        match self {
            Self::F32(values) => values.iter().map(|&x| x.into()).collect(),
            Self::F64(values) => values.to_vec(),
        }
    }

    /// Rounded to f32, what that does not hold infinite.
    pub(crate) fn to_f32(self) -> Vec<f32> {
        match self {
            Self::F32(values) => values.to_vec(),
            Self::F64(values) => values.iter().map(|&x| x as f32).collect(),
        }
    }
}

fn standardized<T: Real>(values: &[T], shift: &[f64], scale: &[f64]) -> Vec<f32> {
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
    out
}

pub(super) fn first_not_finite_in<T: Real>(values: &[T]) -> Option<(usize, f64)> {
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
