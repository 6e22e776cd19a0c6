//! Access to tensors on the CPU, and sums in a fixed order.

use candle_core::{CpuStorage, Device, Error, Layout, Result, Storage, Tensor, WithDType};

/// The element types that have kernels.
pub(super) trait Real: WithDType {
    const ZERO: Self;
    const ONE: Self;

    fn square_root(self) -> Self;
    fn exponential(self) -> Self;
    fn not_a_number(self) -> bool;
    fn to_f32(self) -> f32;
    fn of_storage_mut(storage: &mut CpuStorage) -> Result<&mut [Self]>;
}

impl Real for f32 {
    const ZERO: Self = 0.;
    const ONE: Self = 1.;

    fn square_root(self) -> Self {
        self.sqrt()
    }

    fn exponential(self) -> Self {
        self.exp()
    }

    fn not_a_number(self) -> bool {
        self.is_nan()
    }

    fn to_f32(self) -> f32 {
        self
    }

    fn of_storage_mut(storage: &mut CpuStorage) -> Result<&mut [Self]> {
        match storage {
            CpuStorage::F32(values) => Ok(values),
            _ => Err(Error::Msg("kernel called with another dtype".into()).bt()),
        }
    }
}

impl Real for f64 {
    const ZERO: Self = 0.;
    const ONE: Self = 1.;

    fn square_root(self) -> Self {
        self.sqrt()
    }

    fn exponential(self) -> Self {
        self.exp()
    }

    fn not_a_number(self) -> bool {
        self.is_nan()
    }

    fn to_f32(self) -> f32 {
        self as f32
    }

    fn of_storage_mut(storage: &mut CpuStorage) -> Result<&mut [Self]> {
        match storage {
            CpuStorage::F64(values) => Ok(values),
            _ => Err(Error::Msg("kernel called with another dtype".into()).bt()),
        }
    }
}

/// Runs `$body` with `$t` as the element type of `$dtype`, f32 or f64.
macro_rules! dispatch {
    ($op:expr, $dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            candle_core::DType::F32 => {
                type $t = f32;
                $body
            }
            candle_core::DType::F64 => {
                type $t = f64;
                $body
            }
            other => Err(candle_core::Error::UnsupportedDTypeForOp(other, $op).bt()),
        }
    };
}
pub(super) use dispatch;

/// The elements of a contiguous tensor on the CPU, as `storage_and_layout` gives it.
pub(super) fn elements<'a, T: Real>(storage: &'a Storage, layout: &Layout) -> Result<&'a [T]> {
    match storage {
        Storage::Cpu(storage) => contiguous(storage, layout),
        _ => Err(Error::Msg("kernel called off the CPU".into()).bt()),
    }
}

/// Runs `f` on the elements of contiguous tensors on the CPU.
pub(super) fn with_elements<R>(tensors: &[Tensor], f: impl FnOnce(&[&[f32]]) -> R) -> Result<R> {
    let stored: Vec<_> = tensors.iter().map(Tensor::storage_and_layout).collect();
    let values = stored
        .iter()
        .map(|(storage, layout)| elements(storage, layout));
    Ok(f(&values.collect::<Result<Vec<&[f32]>>>()?))
}

/// The elements of a contiguous CPU storage.
pub(super) fn contiguous<'a, T: Real>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let (start, end) = layout
        .contiguous_offsets()
        .ok_or_else(|| Error::RequiresContiguous { op: "puad kernel" }.bt())?;
    Ok(&storage.as_slice::<T>()?[start..end])
}

/// The elements of a contiguous CPU storage, to write to.
pub(super) fn contiguous_mut<'a, T: Real>(
    storage: &'a mut CpuStorage,
    layout: &Layout,
) -> Result<&'a mut [T]> {
    let (start, end) = layout
        .contiguous_offsets()
        .ok_or_else(|| Error::RequiresContiguous { op: "puad kernel" }.bt())?;
    T::of_storage_mut(storage).map(|all| &mut all[start..end])
}

/// A gradient as a tensor, of the shape of what it is the gradient of.
pub(super) fn gradient_of(values: Option<Vec<f32>>, of: &Tensor) -> Result<Option<Tensor>> {
    let tensor = |values| Tensor::from_vec(values, of.shape(), &Device::Cpu);
    values.map(tensor).transpose()
}

/// `sum_i f(x_i, y_i)` in 16 interleaved lanes: a fixed order that vectorises.
pub(super) fn lane_sum<T: Real>(xs: &[T], ys: &[T], f: impl Fn(T, T) -> T) -> f64 {
    const LANES: usize = 16;
    let mut lanes = [T::ZERO; LANES];
    let (x_chunks, y_chunks) = (xs.chunks_exact(LANES), ys.chunks_exact(LANES));
    let (x_rest, y_rest) = (x_chunks.remainder(), y_chunks.remainder());
    for (x, y) in x_chunks.zip(y_chunks) {
        for ((lane, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += f(x, y);
        }
    }
    for ((lane, &x), &y) in lanes.iter_mut().zip(x_rest).zip(y_rest) {
        *lane += f(x, y);
    }
    lanes.iter().map(|lane| lane.to_f64()).sum()
}
