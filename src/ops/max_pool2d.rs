use candle_core::{DType, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::cpu::Real;
use super::cuda::{Launch, Launches, Operand, int};
use super::unary::{Unary, Values};

/// The maximum of each `size x size` window, windows side by side:
/// `[batch, channels, h, w] -> [batch, channels, h / size, w / size]`, rounded down.
///
/// The first maximum in row order takes all of the gradient, and NaN counts as a maximum, as in
/// PyTorch (candle's own backward pass divides the gradient by the window's area).
///
/// # Errors
/// If `size` is 0 or exceeds the image.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
///
/// let xs = Tensor::new(&[[[[1f32, 5.], [3., 2.]]]], &Device::Cpu)?;
/// assert_eq!(puad::ops::max_pool2d(&xs, 2)?.flatten_all()?.to_vec1::<f32>()?, [5.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn max_pool2d(xs: &Tensor, size: usize) -> Result<Tensor> {
    let (_, _, h, w) = xs.dims4()?;
    if size == 0 || size > h || size > w {
        bail!("max_pool2d needs a window of 1 to {}, got {size}", h.min(w))
    }
    Windows { h, w, size }.apply(xs)
}

/// Also the operation itself.
#[derive(Clone, Copy)]
struct Windows {
    h: usize,
    w: usize,
    size: usize,
}

impl Windows {
    fn out_hw(self) -> (usize, usize) {
        (self.h / self.size, self.w / self.size)
    }

    /// The position of the maximum of window `(oy, ox)` in its plane.
    fn argmax<T: Real>(self, plane: &[T], oy: usize, ox: usize) -> usize {
        let first = oy * self.size * self.w + ox * self.size;
        let mut best = first;
        for dy in 0..self.size {
            let row = first + dy * self.w;
            for at in row..row + self.size {
                let v = plane[at];
                if v > plane[best] || v.not_a_number() {
                    best = at;
                }
            }
        }
        best
    }

    /// The positions of a plane's maxima, window by window.
    fn positions<T: Real>(self, plane: &[T]) -> impl Iterator<Item = usize> {
        let (oh, ow) = self.out_hw();
        (0..oh * ow).map(move |i| self.argmax(plane, i / ow, i % ow))
    }
}

impl Unary for Windows {
    const NAME: &'static str = "puad-max-pool2d";

    fn output(&self, xs: &Shape) -> Result<Shape> {
        let (batch, channels, _, _) = xs.dims4()?;
        let (oh, ow) = self.out_hw();
        Ok((batch, channels, oh, ow).into())
    }

    fn forward<T: Real>(&self, dims: &[usize], xs: &[T]) -> Vec<T> {
        let (oh, ow) = self.out_hw();
        let mut ys = vec![T::ZERO; dims[0] * dims[1] * oh * ow];
        let planes = ys.par_chunks_mut(oh * ow);
        planes
            .zip(xs.par_chunks(self.h * self.w))
            .for_each(|(ys, plane)| {
                let maxima = ys.iter_mut().zip(self.positions(plane));
                maxima.for_each(|(y, at)| *y = plane[at]);
            });
        ys
    }

    fn backward<T: Real>(&self, _: &[usize], values: Values<'_, T>) -> Vec<T> {
        let (oh, ow) = self.out_hw();
        let plane_len = self.h * self.w;
        let mut d_xs = vec![T::ZERO; values.xs.len()];
        let grads = values.grad.par_chunks(oh * ow);
        let inputs = values.xs.par_chunks(plane_len).zip(grads);
        let planes = d_xs.par_chunks_mut(plane_len).zip(inputs);
        planes.for_each(|(ds, (plane, grads))| {
            let maxima = self.positions(plane).zip(grads);
            maxima.for_each(|(at, &g)| ds[at] += g);
        });
        d_xs
    }

    fn launches(&self, real: DType, xs: &Shape) -> Result<Launches> {
        let numbers = [self.h, self.w, self.size].map(int);
        Ok(Launches {
            forward: Launch::each("max_pool", real, self.output(xs)?).with(numbers),
            backward: Launch::each("max_pool_gradient", real, xs.clone()).with(numbers),
            reads: &[Operand::Input],
        })
    }

    fn composed(&self, xs: &Tensor) -> Result<Tensor> {
        let (size, (batch, channels, _, _)) = (self.size, xs.dims4()?);
        let (oh, ow) = self.out_hw();
        let xs = xs.narrow(2, 0, oh * size)?.narrow(3, 0, ow * size)?;
        let xs = xs.reshape((batch * channels, oh, size, ow, size))?;
        let pixel = |i| {
            xs.narrow(2, i / size, 1)?
                .narrow(4, i % size, 1)?
                .reshape((batch, channels, oh, ow))
        };
        (1..size * size).try_fold(pixel(0)?, |best, i| {
            let next = pixel(i)?;
            let nan = next.ne(&next)?;
            let larger = next.gt(&best)?.where_cond(&nan.ones_like()?, &nan)?;
            larger.where_cond(&next, &best)
        })
    }
}
