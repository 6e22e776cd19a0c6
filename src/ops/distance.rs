//! Distances between samples.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::backend::Backend;
use super::cpu::{Real, contiguous, dispatch, elements, lane_sum};
use super::elementwise::{SERIAL, per_sample};
use super::l2_norm;

/// The Euclidean distance of each sample from that of `others`: twice `[batch, ...]` to `[batch]`. The
/// gradient is 0 where the distance is 0.
///
/// # Errors
/// If the shapes differ, or have no batch dimension.
pub(crate) fn l2_distance(xs: &Tensor, others: &Tensor) -> Result<Tensor> {
    if fits(xs, others) && xs.dims() == others.dims() {
        apply(xs, others, Distance::Euclidean)
    } else {
        l2_norm(&(xs - others)?)
    }
}

/// The squared Euclidean distance of each row from `center`, which gets no gradient: `[batch, n]` and
/// `[n]` to `[batch]`.
///
/// # Errors
/// If the lengths differ.
pub(crate) fn squared_distance(xs: &Tensor, center: &Tensor) -> Result<Tensor> {
    let center = center.detach();
    if fits(xs, &center) && xs.rank() == 2 && xs.dims()[1..] == *center.dims() {
        apply(xs, &center, Distance::Squared)
    } else {
        xs.broadcast_sub(&center)?.sqr()?.sum(1)
    }
}

fn fits(xs: &Tensor, others: &Tensor) -> bool {
    let on_cpu = |t: &Tensor| Backend::of(t) == Backend::Cpu;
    xs.rank() > 0 && on_cpu(xs) && on_cpu(others) && xs.dtype() == others.dtype()
}

fn apply(xs: &Tensor, others: &Tensor, distance: Distance) -> Result<Tensor> {
    xs.contiguous()?.apply_op2(&others.contiguous()?, distance)
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Distance {
    /// From a sample each.
    Euclidean,
    /// From one for all.
    Squared,
}

impl Distance {
    /// Of one sample from another.
    pub(crate) fn of(self, x: &[f32], other: &[f32]) -> f32 {
        self.between(x, other)
    }

    fn between<T: Real>(self, x: &[T], other: &[T]) -> T {
        let squares = lane_sum(x, other, |x, y| (x - y) * (x - y));
        T::from_f64(match self {
            Self::Euclidean => squares.sqrt(),
            Self::Squared => squares,
        })
    }

    /// Sample `i` of the others.
    fn other<'a, T>(&self, others: &'a [T], i: usize, len: usize) -> &'a [T] {
        match self {
            Self::Euclidean => &others[i * len..(i + 1) * len],
            Self::Squared => others,
        }
    }

    fn forward<T: Real>(&self, xs: &[T], others: &[T], (batch, len): (usize, usize)) -> Vec<T> {
        per_sample((batch, len), |i| {
            let x = &xs[i * len..(i + 1) * len];
            self.between(x, self.other(others, i, len))
        })
    }

    /// The gradient of `xs`.
    fn backward<T: Real>(&self, [xs, others, ys, grad]: [&[T]; 4], len: usize) -> Vec<T> {
        let mut d_xs = vec![T::ZERO; xs.len()];
        let rows = d_xs.par_chunks_mut(len.max(1)).enumerate();
        let rows = rows.with_min_len(SERIAL / len.max(1));
        rows.for_each(|(i, d)| {
            let x = &xs[i * len..(i + 1) * len];
            let pairs = x.iter().zip(self.other(others, i, len));
            let (norm, g) = (ys[i], grad[i]);
            match self {
                Self::Euclidean if norm == T::ZERO => {}
                Self::Euclidean => d
                    .iter_mut()
                    .zip(pairs)
                    .for_each(|(d, (&x, &y))| *d = g * ((x - y) / norm)),
                Self::Squared => d
                    .iter_mut()
                    .zip(pairs)
                    .for_each(|(d, (&x, &y))| *d = (g + g) * (x - y)),
            }
        });
        d_xs
    }
}

impl CustomOp2 for Distance {
    fn name(&self) -> &'static str {
        "puad-distance"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        others: &CpuStorage,
        others_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        use candle_core::backend::BackendStorage;
        let Some((&batch, sample)) = xs_layout.dims().split_first() else {
            bail!("a distance needs a batch dimension, got a scalar")
        };
        let size = (batch, sample.iter().product());
        dispatch!(self.name(), xs.dtype(), T => {
            let (xs, others) = (contiguous(xs, xs_layout)?, contiguous(others, others_layout)?);
            let ys = self.forward::<T>(xs, others, size);
            Ok((T::to_cpu_storage_owned(ys), batch.into()))
        })
    }

    fn bwd(
        &self,
        xs: &Tensor,
        others: &Tensor,
        ys: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let stored = [xs, others, ys, &grad].map(Tensor::storage_and_layout);
        let len = xs.dims()[1..].iter().product();
        let d_xs = dispatch!(self.name(), xs.dtype(), T => {
            let values = |i: usize| elements::<T>(&stored[i].0, stored[i].1);
            let values = [values(0)?, values(1)?, values(2)?, values(3)?];
            Tensor::from_vec(self.backward(values, len), xs.shape(), xs.device())
        })?;
        let d_others = others.track_op().then(|| d_xs.neg()).transpose()?;
        Ok((xs.track_op().then_some(d_xs), d_others))
    }
}
