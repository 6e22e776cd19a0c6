use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::cpu::{Real, contiguous, dispatch, elements, has_kernel};
use super::cuda;

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
    let (batch, channels, h, w) = xs.dims4()?;
    if factor == 0 {
        bail!("upsample_nearest2d needs a factor of at least 1, got 0")
    }
    if has_kernel(xs) {
        return xs.contiguous()?.apply_op1(Upsample { factor });
    }
    if cuda::has_kernel(xs) {
        return cuda::upsample_nearest2d(xs, factor);
    }
    xs.reshape((batch * channels, h, 1, w, 1))?
        .broadcast_as((batch * channels, h, factor, w, factor))?
        .reshape((batch, channels, h * factor, w * factor))
}

struct Upsample {
    factor: usize,
}

impl Upsample {
    fn forward<T: Real>(&self, w: usize, xs: &[T]) -> Vec<T> {
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

    fn backward<T: Real>(&self, w: usize, grad: &[T]) -> Vec<T> {
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
}

impl CustomOp1 for Upsample {
    fn name(&self) -> &'static str {
        "puad-upsample2d"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, h, w) = layout.shape().dims4()?;
        let shape = (batch, channels, h * self.factor, w * self.factor);
        dispatch!(self.name(), xs.dtype(), T => {
            let ys = self.forward(w, contiguous::<T>(xs, layout)?);
            Ok((T::to_cpu_storage_owned(ys), shape.into()))
        })
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let w = xs.dim(3)?;
        let (storage, layout) = grad.storage_and_layout();
        dispatch!(self.name(), grad.dtype(), T => {
            let d_xs = self.backward(w, elements::<T>(&storage, layout)?);
            Ok(Some(Tensor::from_vec(d_xs, xs.shape(), grad.device())?))
        })
    }
}
