use candle_core::{DType, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::cpu::Real;
use super::cuda::{Launch, Launches, int};
use super::unary::{Unary, Values};

/// Repeats each pixel `factor x factor` times:
/// `[batch, channels, h, w] -> [batch, channels, factor h, factor w]`.
///
/// # Errors
/// If `factor` is 0.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
///
/// let xs = Tensor::new(&[[[[1f32, 2.]]]], &Device::Cpu)?;
/// let ys = puad::ops::upsample_nearest2d(&xs, 2)?;
/// assert_eq!(ys.flatten_all()?.to_vec1::<f32>()?, [1., 1., 2., 2., 1., 1., 2., 2.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn upsample_nearest2d(xs: &Tensor, factor: usize) -> Result<Tensor> {
    xs.dims4()?;
    if factor == 0 {
        bail!("upsample_nearest2d needs a factor of at least 1, got 0")
    }
    Upsample { factor }.apply(xs)
}

struct Upsample {
    factor: usize,
}

impl Unary for Upsample {
    const NAME: &'static str = "puad-upsample2d";

    fn output(&self, xs: &Shape) -> Result<Shape> {
        let (batch, channels, h, w) = xs.dims4()?;
        Ok((batch, channels, h * self.factor, w * self.factor).into())
    }

    fn forward<T: Real>(&self, dims: &[usize], xs: &[T]) -> Vec<T> {
        let w = dims[3];
        let (factor, wide) = (self.factor, w * self.factor);
        let mut ys = vec![T::ZERO; xs.len() * factor * factor];
        let bands = ys.par_chunks_mut((wide * factor).max(1)).with_min_len(64);
        bands.zip(xs.par_chunks(w.max(1))).for_each(|(band, row)| {
            let (first, rest) = band.split_at_mut(wide);
            let pixels = first.chunks_exact_mut(factor).zip(row);
            pixels.for_each(|(ys, &x)| ys.fill(x));
            rest.chunks_exact_mut(wide)
                .for_each(|line| line.copy_from_slice(first));
        });
        ys
    }

    fn backward<T: Real>(&self, dims: &[usize], values: Values<'_, T>) -> Vec<T> {
        let (w, grad) = (dims[3], values.grad);
        let (factor, wide) = (self.factor, w * self.factor);
        let mut d_xs = vec![T::ZERO; grad.len() / (factor * factor)];
        let rows = d_xs.par_chunks_mut(w.max(1)).with_min_len(64);
        rows.zip(grad.par_chunks((wide * factor).max(1)))
            .for_each(|(row, band)| {
                for line in band.chunks_exact(wide) {
                    for (d, gs) in row.iter_mut().zip(line.chunks_exact(factor)) {
                        gs.iter().for_each(|&g| *d += g);
                    }
                }
            });
        d_xs
    }

    fn launches(&self, real: DType, xs: &Shape) -> Result<Launches> {
        let area = self.factor.saturating_mul(self.factor);
        // candle's own kernels have 32-bit positions too.
        if xs.elem_count().saturating_mul(area) >= 1 << 31 {
            bail!(
                "upsample_nearest2d gives fewer than 2^31 values on CUDA, got {:?} by {}",
                xs.dims(),
                self.factor
            )
        }
        let numbers = [xs.dims()[3], self.factor].map(int);
        Ok(Launches {
            forward: Launch::each("upsample", real, self.output(xs)?).with(numbers),
            backward: Launch::each("upsample_gradient", real, xs.clone()).with(numbers),
            reads: &[],
        })
    }

    fn composed(&self, xs: &Tensor) -> Result<Tensor> {
        let ((batch, channels, h, w), factor) = (xs.dims4()?, self.factor);
        xs.reshape((batch * channels, h, 1, w, 1))?
            .broadcast_as((batch * channels, h, factor, w, factor))?
            .reshape((batch, channels, h * factor, w * factor))
    }
}
