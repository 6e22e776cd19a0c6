use candle_core::{DType, Device, Result, Tensor};

use super::cpu::{Real, elements};
use super::elementwise::vectorized;

/// Values between `low` and `high`, each one number for all, or one for every `each` values of a sample: `[n, ...]`, same
/// shape and type out.
///
/// On the CPU by one thread, as a copy of this size is: other operations may be at work.
///
/// # Errors
/// Only what the tensor operations give.
pub(crate) fn clamp(xs: &Tensor, low: &[f64], high: &[f64], each: usize) -> Result<Tensor> {
    match (xs.device(), xs.dtype()) {
        (Device::Cpu, DType::F32) => on_cpu::<f32>(xs, low, high, each),
        (Device::Cpu, DType::F64) => on_cpu::<f64>(xs, low, high, each),
        (_, DType::F32) if (low.len(), high.len()) == (1, 1) => xs.clamp(low[0], high[0]),
        _ => {
            // Some devices have no f64.
            let host = xs.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
            let clamped = on_cpu::<f64>(&host, low, high, each)?;
            clamped.to_dtype(xs.dtype())?.to_device(xs.device())
        }
    }
}

fn on_cpu<T: Real>(xs: &Tensor, low: &[f64], high: &[f64], each: usize) -> Result<Tensor> {
    let xs = xs.contiguous()?;
    let (storage, layout) = xs.storage_and_layout();
    let values = elements::<T>(&storage, layout)?;
    let numbers = |numbers: &[f64]| -> Vec<T> {
        let each = if numbers.len() == 1 { 1 } else { each.max(1) };
        let repeated = |&number: &f64| std::iter::repeat_n(T::from_f64(number), each);
        numbers.iter().flat_map(repeated).collect()
    };
    let (low, high) = (numbers(low), numbers(high));
    let mut out = vec![T::ZERO; values.len()];
    let between = |x: T, low: T, high: T| {
        let x = if x < low { low } else { x };
        if x > high { high } else { x }
    };
    vectorized(
        #[inline(always)]
        || match (&low[..], &high[..]) {
            (&[low], &[high]) => {
                for (out, &x) in out.iter_mut().zip(values) {
                    *out = between(x, low, high);
                }
            }
            _ => {
                let len = low.len().max(1);
                for (out, row) in out.chunks_mut(len).zip(values.chunks(len)) {
                    let bounds = low.iter().zip(&high);
                    for ((out, &x), (&low, &high)) in out.iter_mut().zip(row).zip(bounds) {
                        *out = between(x, low, high);
                    }
                }
            }
        },
    );
    Tensor::from_vec(out, xs.shape(), &Device::Cpu)
}

/// Whether a value lies outside of its bounds, as [`clamp`] has them, compared as exact numbers.
///
/// # Errors
/// Only what the tensor operations give.
pub(crate) fn any_outside(xs: &Tensor, low: &[f64], high: &[f64], each: usize) -> Result<bool> {
    let xs = xs.to_device(&Device::Cpu)?.contiguous()?;
    // The bounds' nearest numbers within them: what lies outside of one lies outside of the other.
    if xs.dtype() == DType::F32 {
        let up = |low: f64| {
            let near = low as f32;
            if f64::from(near) < low {
                near.next_up()
            } else {
                near
            }
        };
        let down = |high: f64| -up(-high);
        return outside::<f32>(&xs, (low, &up), (high, &down), each);
    }
    let xs = xs.to_dtype(DType::F64)?;
    outside::<f64>(&xs, (low, &|low| low), (high, &|high| high), each)
}

fn outside<T: Real>(
    xs: &Tensor,
    (low, of_low): (&[f64], &dyn Fn(f64) -> T),
    (high, of_high): (&[f64], &dyn Fn(f64) -> T),
    each: usize,
) -> Result<bool> {
    let (storage, layout) = xs.storage_and_layout();
    let values = elements::<T>(&storage, layout)?;
    let numbers = |numbers: &[f64], of: &dyn Fn(f64) -> T| -> Vec<T> {
        let repeated = |&number: &f64| std::iter::repeat_n(of(number), each.max(1));
        numbers.iter().flat_map(repeated).collect()
    };
    let (low, high) = (numbers(low, of_low), numbers(high, of_high));
    let row_outside = |any: bool, row: &[T]| {
        let bounds = low.iter().zip(&high);
        let values = row.iter().zip(bounds);
        values.fold(any, |any, (x, (low, high))| any | (x < low) | (x > high))
    };
    Ok(vectorized(
        #[inline(always)]
        || values.chunks(low.len().max(1)).fold(false, row_outside),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_and_form_of_bounds() {
        let values = [-5f64, 0.5, 7., 1e30, -1e30, 0., -0., 2.];
        for dtype in [DType::F32, DType::F64, DType::F16, DType::BF16] {
            let xs = Tensor::new(&values, &Device::Cpu)
                .unwrap()
                .reshape((2, 2, 2))
                .unwrap();
            let xs = xs.clamp(-100., 100.).unwrap().to_dtype(dtype).unwrap();
            let rows = |t: Tensor| {
                let t = t.to_dtype(DType::F64).unwrap();
                assert_eq!(t.dims(), [2, 2, 2]);
                t.flatten_all().unwrap().to_vec1::<f64>().unwrap()
            };
            let one = clamp(&xs, &[-1.], &[3.], 9).unwrap();
            assert_eq!(one.dtype(), dtype);
            assert_eq!(rows(one), [-1., 0.5, 3., 3., -1., 0., 0., 2.]);
            let channels = clamp(&xs, &[-1., f64::NEG_INFINITY], &[1., f64::INFINITY], 2).unwrap();
            assert_eq!(rows(channels), [-1., 0.5, 7., 100., -1., 0., 0., 2.]);
            let turned = clamp(&xs.transpose(1, 2).unwrap(), &[-1., -50.], &[1., 50.], 2).unwrap();
            assert_eq!(rows(turned), [-1., 1., 0.5, 50., -1., 0., 0., 2.]);
        }
    }

    #[test]
    fn what_lies_outside_is_told_by_exact_numbers() {
        let outside = |x: f64, low: f64, high: f64, dtype| {
            let xs = Tensor::new(&[[0., x], [0., 0.]], &Device::Cpu).unwrap();
            let xs = xs.to_dtype(dtype).unwrap();
            any_outside(&xs, &[-1., low], &[1., high], 1).unwrap()
        };
        for dtype in [DType::F32, DType::F64, DType::F16] {
            assert!(!outside(0.5, -1., 0.5, dtype) && !outside(-0.5, -0.5, 1., dtype));
            assert!(outside(0.5, -1., 0.49, dtype) && outside(-0.5, -0.49, 1., dtype));
        }
        // 0.1 of f32 is a little larger than that of f64, and -0.1 smaller.
        assert!(outside(0.1, -1., 0.1, DType::F32) && !outside(0.1, -1., 0.1, DType::F64));
        assert!(outside(-0.1, -0.1, 1., DType::F32) && !outside(-0.1, -0.1, 1., DType::F64));
        // And 0.3 of f32 is larger, 0.7 smaller.
        assert!(!outside(0.7, -1., 0.7, DType::F32) && outside(0.7, 0.7, 1., DType::F32));
        assert!(!outside(1e30, f64::NEG_INFINITY, f64::INFINITY, DType::F32));
        assert!(!outside(1e30, -1e300, 1e300, DType::F32));
    }

    #[test]
    fn bounds_that_the_type_does_not_hold_are_its_nearest() {
        let xs = Tensor::new(&[[0.1f32, 1e-3]], &Device::Cpu).unwrap();
        let ys = clamp(&xs, &[0.1, 1e-60], &[1e60, 9e-4], 1).unwrap();
        assert_eq!(ys.to_vec2::<f32>().unwrap(), [[0.1, 9e-4]]);
        let none = Tensor::zeros((0, 2), DType::F32, &Device::Cpu).unwrap();
        assert_eq!(
            clamp(&none, &[0., 0.], &[1., 1.], 1).unwrap().dims(),
            [0, 2]
        );
    }
}
