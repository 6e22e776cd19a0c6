use candle_core::{DType, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::cpu::{Real, lane_sum};
use super::cuda::{Launch, Launches, Operand, int};
use super::elementwise::{SERIAL, per_sample};
use super::unary::{Unary, Values};

/// The Euclidean norm of each sample over all its dimensions: `[batch, ...] -> [batch]`.
///
/// The gradient is `x / norm`, and 0 where the norm is 0 (candle's `sqrt` gives infinity there).
///
/// # Errors
/// If `xs` has no batch dimension.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
///
/// let xs = Tensor::new(&[[3f32, 4.], [0., 0.]], &Device::Cpu)?;
/// assert_eq!(puad::ops::l2_norm(&xs)?.to_vec1::<f32>()?, [5., 0.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn l2_norm(xs: &Tensor) -> Result<Tensor> {
    if xs.rank() == 0 {
        bail!("l2_norm needs a batch dimension, got a scalar")
    }
    L2Norm.apply(xs)
}

struct L2Norm;

/// Values of a sample.
fn sample_len(dims: &[usize]) -> usize {
    dims[1..].iter().product()
}

impl Unary for L2Norm {
    const NAME: &'static str = "puad-l2-norm";

    fn output(&self, xs: &Shape) -> Result<Shape> {
        Ok(xs.dims()[0].into())
    }

    fn forward<T: Real>(&self, dims: &[usize], xs: &[T]) -> Vec<T> {
        let len = sample_len(dims);
        per_sample((dims[0], len), |i| {
            let row = &xs[i * len..(i + 1) * len];
            T::from_f64(lane_sum(row, row, |x, _| x * x).sqrt())
        })
    }

    fn backward<T: Real>(&self, dims: &[usize], values: Values<'_, T>) -> Vec<T> {
        let len = sample_len(dims).max(1);
        let mut d_xs = vec![T::ZERO; values.xs.len()];
        let rows = d_xs.par_chunks_mut(len).zip(values.xs.par_chunks(len));
        let norms = values.ys.par_iter().zip(values.grad);
        let rows = rows.zip(norms).with_min_len(SERIAL / len);
        rows.for_each(|((ds, xs), (&norm, &g))| {
            if norm != T::ZERO {
                let pairs = ds.iter_mut().zip(xs);
                pairs.for_each(|(d, &x)| *d = g * (x / norm));
            }
        });
        d_xs
    }

    fn launches(&self, real: DType, xs: &Shape) -> Result<Launches> {
        let (batch, length) = (xs.dims()[0], int(sample_len(xs.dims())));
        let forward = Launch::each("l2_norm", real, batch);
        Ok(Launches {
            forward: Launch {
                blocks: [batch as u32, 1],
                numbers: vec![length],
                ..forward
            },
            backward: Launch::each("l2_norm_gradient", real, xs.clone()).with([length]),
            reads: &[Operand::Input, Operand::Output],
        })
    }

    fn composed(&self, xs: &Tensor) -> Result<Tensor> {
        let batch = xs.dim(0)?;
        let rows = xs.reshape((batch, xs.elem_count() / batch.max(1)))?;
        let squares = rows.sqr()?.sum(1)?;
        let norm = squares.detach().sqrt()?;
        let zero = norm.eq(&norm.zeros_like()?)?;
        let slope = zero.where_cond(&norm, &norm.affine(2., 0.)?.recip()?)?;
        // The norm without gradient, plus a term that is 0 and carries the gradient.
        norm + (&squares - squares.detach())? * slope
    }
}
