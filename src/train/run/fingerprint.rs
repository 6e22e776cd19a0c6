use candle_core::{DType, Device};

use crate::Result;
use crate::checkpoint::{HASH_START, hash};
use crate::data::{PuDataset, Samples};

/// Samples hashed at a time.
const PIECE: usize = 256;

/// A hash of all values of both sets.
pub(super) fn of(train: &PuDataset, validation: &PuDataset) -> Result<u64> {
    hash_set(hash_set(HASH_START, train)?, validation)
}

fn hash_set(start: u64, data: &PuDataset) -> Result<u64> {
    let groups = [Some(data.unlabeled()), data.anomalies(), data.normals()];
    groups.into_iter().try_fold(start, |h, group| match group {
        Some(samples) => hash_samples(h, samples),
        None => Ok(hash(h, b"none")),
    })
}

fn hash_samples(start: u64, samples: &Samples) -> Result<u64> {
    let n = samples.len();
    let shape = format!("{n} {:?}", samples.sample_shape());
    let mut state = hash(start, shape.as_bytes());
    if let Some(chunks) = samples.chunks() {
        // How they are shuffled.
        state = hash(state, format!("{chunks:?}").as_bytes());
    }
    for piece in samples.batches(PIECE, &Device::Cpu)? {
        let piece = piece?.flatten_all()?;
        // The bits of f32 where the data have no more.
        state = match piece.dtype() {
            DType::F64 => hash_values(state, &piece.to_vec1::<f64>()?, f64::to_le_bytes),
            _ => {
                let values = piece.to_dtype(DType::F32)?.to_vec1::<f32>()?;
                hash_values(state, &values, f32::to_le_bytes)
            }
        };
    }
    Ok(state)
}

fn hash_values<T: Copy, const N: usize>(start: u64, values: &[T], bytes: fn(T) -> [u8; N]) -> u64 {
    values
        .iter()
        .fold(start, |h, &value| hash(h, &bytes(value)))
}
