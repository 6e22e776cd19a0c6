use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType};

use super::cpu::{Real, contiguous, dispatch, elements, has_kernel};
use super::cuda;

/// Below this, [`log1mexp`] and its gradient continue as if `x` were the floor: the gradient stays
/// at about 1e6 instead of growing without bound, and never vanishes or becomes NaN.
pub const LOG1MEXP_FLOOR: f64 = 1e-6;

/// `log(1 - exp(-x))` for `x >= 0`, exact for small and large `x`. Any shape, same shape out.
///
/// `log(-expm1(-x))` up to ln 2 and `log1p(-exp(-x))` above. The gradient is `1 / expm1(x)`.
///
/// # Errors
/// Only what the tensor operations give.
///
/// # References
/// Mächler, Accurately computing log(1 - exp(-|a|)), 2012.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
///
/// let xs = Tensor::new(&[1e-5f32, 50.], &Device::Cpu)?;
/// let ys = puad::ops::log1mexp(&xs)?.to_vec1::<f32>()?;
/// assert!((ys[0] + 11.512930).abs() < 2e-6);
/// assert_eq!(ys[1], -1.9287499e-22);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn log1mexp(xs: &Tensor) -> Result<Tensor> {
    if has_kernel(xs) {
        return xs.contiguous()?.apply_op1(Log1mExp);
    }
    if cuda::has_kernel(xs) {
        return cuda::log1mexp(xs);
    }
    let floored = {
        let xs = xs.detach();
        let floor = xs.affine(0., LOG1MEXP_FLOOR)?;
        xs.lt(&floor)?.where_cond(&floor, &xs)?
    };
    let value = composed_value(&floored)?;
    let slope = composed_slope(&floored)?;
    // The value without gradient, plus a term that is 0 and carries the exact slope.
    value + (xs - xs.detach())? * slope
}

struct Log1mExp;

impl CustomOp1 for Log1mExp {
    fn name(&self) -> &'static str {
        "puad-log1mexp"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = contiguous::<T>(xs, layout)?;
            let ys = xs.iter().map(|&x| T::from_f64(value(floored(x)))).collect();
            Ok((T::to_cpu_storage_owned(ys), layout.shape().clone()))
        })
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let (xs_storage, xs_layout) = xs.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = elements::<T>(&xs_storage, xs_layout)?;
            let pairs = xs.iter().zip(elements::<T>(&grad_storage, grad_layout)?);
            let d_xs = pairs.map(|(&x, g)| T::from_f64(g.to_f64() / floored(x).exp_m1())).collect();
            Ok(Some(Tensor::from_vec::<_, T>(d_xs, grad.shape(), grad.device())?))
        })
    }
}

/// NaN stays NaN.
fn floored<T: Real>(x: T) -> f64 {
    let x = x.to_f64();
    if x < LOG1MEXP_FLOOR {
        LOG1MEXP_FLOOR
    } else {
        x
    }
}

fn value(x: f64) -> f64 {
    if x < std::f64::consts::LN_2 {
        (-(-x).exp_m1()).ln()
    } else {
        (-(-x).exp()).ln_1p()
    }
}

/// candle has neither expm1 nor log1p. With `t = tanh(x / 2)`: `1 - exp(-x) = 2 t / (1 + t)`, which
/// loses nothing for small `x`; for large `x` the classic `log1p(y) = y log(u) / (u - 1)`, `u` the
/// rounded `1 + y`, makes up for the digits that `u` lost.
fn composed_value(xs: &Tensor) -> Result<Tensor> {
    let small = one_minus_exp(xs)?.log()?;
    let y = xs.neg()?.exp()?.neg()?;
    let u = y.affine(1., 1.)?;
    let lost = u.affine(1., -1.)?;
    let exact = lost.eq(&lost.zeros_like()?)?;
    let safe = exact.where_cond(&lost.ones_like()?, &lost)?;
    let large = exact.where_cond(&y, &(y.mul(&u.log()?)?.div(&safe)?))?;
    xs.lt(&xs.affine(0., std::f64::consts::LN_2)?)?
        .where_cond(&small, &large)
}

/// `1 / expm1(x) = exp(-x) / (1 - exp(-x))`.
fn composed_slope(xs: &Tensor) -> Result<Tensor> {
    xs.neg()?.exp()?.div(&one_minus_exp(xs)?)
}

fn one_minus_exp(xs: &Tensor) -> Result<Tensor> {
    let t = xs.affine(0.5, 0.)?.tanh()?;
    t.affine(2., 0.)?.div(&t.affine(1., 1.)?)
}
