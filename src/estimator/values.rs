//! Values as f64 on the host, piece by piece: some devices have no f64, and many samples should not be held
//! twice, or at all.

use candle_core::{DType, Device};

use crate::Result;
use crate::data::Samples;

/// Values converted in one piece.
const PIECE: usize = 1 << 20;

/// Calls `f` with each sample's values.
pub(super) fn for_rows(samples: &Samples, mut f: impl FnMut(&[f64])) -> Result<()> {
    let width = samples.sample_shape().iter().product::<usize>().max(1);
    let rows = (PIECE / width).clamp(1, samples.len().max(1));
    for piece in samples.batches(rows, &Device::Cpu)? {
        let values = piece?.to_dtype(DType::F64)?.flatten_all()?;
        values
            .to_vec1::<f64>()?
            .chunks_exact(width)
            .for_each(&mut f);
    }
    Ok(())
}

/// Columns of vectors or channels of images.
pub(super) fn columns(sample_shape: &[usize]) -> usize {
    sample_shape.first().copied().unwrap_or(1)
}

/// Calls `f` with the column and the value of every value of every sample.
pub(super) fn for_values(samples: &Samples, mut f: impl FnMut(usize, f64)) -> Result<()> {
    let pixels = samples
        .sample_shape()
        .iter()
        .skip(1)
        .product::<usize>()
        .max(1);
    for_rows(samples, |row| {
        for (i, column) in row.chunks_exact(pixels).enumerate() {
            column.iter().for_each(|&x| f(i, x));
        }
    })
}
