use candle_core::{DType, Result, Shape, Tensor};

use super::cpu::Real;
use super::cuda::{Launch, Launches, Operand, real};
use super::elementwise::map2;
use super::unary::{Unary, Values};

/// `x` where `x > 0`, else `slope * x`; slope 0 is ReLU. Any shape, same shape out.
///
/// The gradient at 0 is `slope`, as in PyTorch (candle's `relu` gives 1 there). NaN stays NaN.
///
/// # Errors
/// Only what the tensor operations give.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
///
/// let xs = Tensor::new(&[-2f32, 0., 3.], &Device::Cpu)?;
/// assert_eq!(puad::ops::leaky_relu(&xs, 0.5)?.to_vec1::<f32>()?, [-1., 0., 3.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn leaky_relu(xs: &Tensor, slope: f64) -> Result<Tensor> {
    LeakyRelu { slope }.apply(xs)
}

/// `1 / (1 + exp(-x))`. Any shape, same shape out.
///
/// # Errors
/// Only what the tensor operations give.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
///
/// let xs = Tensor::new(&[0f32, -1000., 1000.], &Device::Cpu)?;
/// assert_eq!(puad::ops::sigmoid(&xs)?.to_vec1::<f32>()?, [0.5, 0., 1.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn sigmoid(xs: &Tensor) -> Result<Tensor> {
    Sigmoid.apply(xs)
}

struct Sigmoid;

impl Unary for Sigmoid {
    const NAME: &'static str = "puad-sigmoid";

    fn output(&self, xs: &Shape) -> Result<Shape> {
        Ok(xs.clone())
    }

    fn forward<T: Real>(&self, _: &[usize], xs: &[T]) -> Vec<T> {
        map2(xs, xs, |x, _| {
            T::ONE / (T::ONE + (T::ZERO - x).exponential())
        })
    }

    fn backward<T: Real>(&self, _: &[usize], values: Values<'_, T>) -> Vec<T> {
        map2(values.ys, values.grad, |y, g| g * y * (T::ONE - y))
    }

    fn launches(&self, dtype: DType, xs: &Shape) -> Result<Launches> {
        Ok(Launches {
            forward: Launch::each("sigmoid", dtype, xs.clone()),
            backward: Launch::each("sigmoid_gradient", dtype, xs.clone()),
            reads: &[Operand::Output],
        })
    }

    fn composed(&self, xs: &Tensor) -> Result<Tensor> {
        (xs.neg()?.exp()? + 1.)?.recip()
    }
}

struct LeakyRelu {
    slope: f64,
}

impl Unary for LeakyRelu {
    const NAME: &'static str = "puad-leaky-relu";

    fn output(&self, xs: &Shape) -> Result<Shape> {
        Ok(xs.clone())
    }

    fn forward<T: Real>(&self, _: &[usize], xs: &[T]) -> Vec<T> {
        gate(xs, xs, T::from_f64(self.slope))
    }

    fn backward<T: Real>(&self, _: &[usize], values: Values<'_, T>) -> Vec<T> {
        gate(values.xs, values.grad, T::from_f64(self.slope))
    }

    fn launches(&self, dtype: DType, xs: &Shape) -> Result<Launches> {
        let launch = |kernel| Launch::each(kernel, dtype, xs.clone()).with([real(self.slope)]);
        Ok(Launches {
            forward: launch("leaky_relu"),
            backward: launch("leaky_relu_gradient"),
            reads: &[Operand::Input],
        })
    }

    fn composed(&self, xs: &Tensor) -> Result<Tensor> {
        let positive = xs.gt(&xs.zeros_like()?)?;
        positive.where_cond(xs, &xs.affine(self.slope, 0.)?)
    }
}

/// `v` where `x > 0`, else `slope * v`.
fn gate<T: Real>(xs: &[T], values: &[T], slope: T) -> Vec<T> {
    map2(xs, values, |x, v| if x > T::ZERO { v } else { v * slope })
}
