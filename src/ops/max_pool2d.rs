use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::cpu::{Real, contiguous, dispatch, elements, has_kernel};
use super::cuda;

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
    let (batch, channels, h, w) = xs.dims4()?;
    if size == 0 || size > h || size > w {
        bail!("max_pool2d needs a window of 1 to {}, got {size}", h.min(w))
    }
    let windows = Windows { h, w, size };
    if has_kernel(xs) {
        return xs.contiguous()?.apply_op1(windows);
    }
    if cuda::has_kernel(xs) {
        return cuda::max_pool2d(xs, size);
    }
    let (oh, ow) = windows.out_hw();
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
                // `v != v` only for NaN.
                #[allow(clippy::eq_op)]
                if v > plane[best] || v != v {
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

impl CustomOp1 for Windows {
    fn name(&self) -> &'static str {
        "puad-max-pool2d"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, h, w) = layout.shape().dims4()?;
        let (oh, ow) = self.out_hw();
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = contiguous::<T>(xs, layout)?;
            let mut ys = vec![T::ZERO; batch * channels * oh * ow];
            let planes = ys.par_chunks_mut(oh * ow).zip(xs.par_chunks(h * w));
            planes.for_each(|(ys, plane)| {
                ys.iter_mut().zip(self.positions(plane)).for_each(|(y, at)| *y = plane[at]);
            });
            Ok((T::to_cpu_storage_owned(ys), (batch, channels, oh, ow).into()))
        })
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let (oh, ow) = self.out_hw();
        let plane_len = self.h * self.w;
        let (xs_storage, xs_layout) = xs.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = elements::<T>(&xs_storage, xs_layout)?;
            let grads = elements::<T>(&grad_storage, grad_layout)?;
            let mut d_xs = vec![T::ZERO; xs.len()];
            let inputs = xs.par_chunks(plane_len).zip(grads.par_chunks(oh * ow));
            d_xs.par_chunks_mut(plane_len).zip(inputs).for_each(|(ds, (plane, grads))| {
                self.positions(plane).zip(grads).for_each(|(at, &g)| ds[at] += g);
            });
            Ok(Some(Tensor::from_vec(d_xs, xs_layout.shape(), grad.device())?))
        })
    }
}
