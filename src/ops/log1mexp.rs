use candle_core::{DType, Result, Shape, Tensor};

use super::cpu::Real;
use super::cuda::{Launch, Launches, Operand, real};
use super::unary::{Unary, Values};

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
    Log1mExp.apply(xs)
}

struct Log1mExp;

impl Unary for Log1mExp {
    const NAME: &'static str = "puad-log1mexp";

    fn output(&self, xs: &Shape) -> Result<Shape> {
        Ok(xs.clone())
    }

    fn forward<T: Real>(&self, _: &[usize], xs: &[T]) -> Vec<T> {
        let values = xs.iter().map(|&x| T::from_f64(value(floored(x))));
        values.collect()
    }

    fn backward<T: Real>(&self, _: &[usize], values: Values<'_, T>) -> Vec<T> {
        let slope = |(&x, g): (&T, &T)| T::from_f64(g.to_f64() / floored(x).exp_m1());
        values.xs.iter().zip(values.grad).map(slope).collect()
    }

    fn launches(&self, dtype: DType, xs: &Shape) -> Result<Launches> {
        let launch = |kernel| Launch::each(kernel, dtype, xs.clone()).with([real(LOG1MEXP_FLOOR)]);
        Ok(Launches {
            forward: launch("log1mexp"),
            backward: launch("log1mexp_gradient"),
            reads: &[Operand::Input],
        })
    }

    fn composed(&self, xs: &Tensor) -> Result<Tensor> {
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
