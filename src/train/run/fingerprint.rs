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
    for piece in samples.batches(PIECE, &Device::Cpu)? {
        let piece = piece?.flatten_all()?;
        state = match piece.dtype() {
            DType::F64 => {
                let values = piece.to_vec1::<f64>()?;
                values.iter().fold(state, |h, v| hash(h, &v.to_le_bytes()))
            }
            _ => {
                let values = piece.to_dtype(DType::F32)?.to_vec1::<f32>()?;
                values.iter().fold(state, |h, v| hash(h, &v.to_le_bytes()))
            }
        };
    }
    Ok(state)
}
