//! Values as f64 on the host, piece by piece: some devices have no f64, and a large tensor should not be held
//! twice.

use candle_core::{DType, Device, Tensor};

use crate::Result;

/// Values converted in one piece.
const PIECE: usize = 1 << 20;

/// Calls `f` with each sample's values, of `[n, ...]`.
pub(super) fn for_rows(tensor: &Tensor, mut f: impl FnMut(&[f64])) -> Result<()> {
    let n = tensor.dim(0)?;
    let width = tensor.dims()[1..].iter().product::<usize>().max(1);
    let rows = (PIECE / width).clamp(1, n.max(1));
    for start in (0..n).step_by(rows) {
        let piece = tensor.narrow(0, start, rows.min(n - start))?;
        let piece = piece.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let values = piece.flatten_all()?.to_vec1::<f64>()?;
        values.chunks_exact(width).for_each(&mut f);
    }
    Ok(())
}

/// Columns of vectors or channels of images.
pub(super) fn columns(sample_shape: &[usize]) -> usize {
    sample_shape.first().copied().unwrap_or(1)
}

/// Calls `f` with the column and the value of every value of every sample.
pub(super) fn for_values(tensor: &Tensor, mut f: impl FnMut(usize, f64)) -> Result<()> {
    let each = tensor.dims().iter().skip(2).product::<usize>().max(1);
    for_rows(tensor, |row| {
        for (i, column) in row.chunks_exact(each).enumerate() {
            column.iter().for_each(|&x| f(i, x));
        }
    })
}
