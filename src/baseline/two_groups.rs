use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use super::features::Features;
use super::tree::Tree;
use crate::{Error, Result};

/// Rows are numbered by u32.
const MOST_ROWS: usize = 1 << 31;

/// Rows of a chunk that go through all trees on one thread.
const CHUNK: usize = 256;

/// Anomalies, and the samples that trees tell them from.
pub(super) struct TwoGroups {
    /// The others, then the anomalies.
    pub(super) rows: Features<f32>,
    pub(super) others: usize,
    pub(super) anomalies: usize,
}

impl TwoGroups {
    /// `others`, `anomalies`: `[n, ...]`, each sample flattened, of floats, on any device. `what` they are for, and
    /// `samples`, they themselves, name them in errors.
    ///
    /// # Errors
    /// [`Error::Shape`] unless both have a feature and as many, [`Error::EmptyGroup`] for a group without samples,
    /// [`Error::Config`] for more than 2^31 rows, [`Error::NonFiniteFeature`] if a value is NaN or infinite.
    pub(super) fn read(
        what: &'static str,
        samples: &'static str,
        others: &Tensor,
        anomalies: &Tensor,
    ) -> Result<Self> {
        let (others, anomalies) = (flat(others)?, flat(anomalies)?);
        if others.dims()[1..] != anomalies.dims()[1..] {
            let expected = format!("[n, {}] as the others", others.dims()[1]);
            return Err(Error::shape("anomalies", expected, &anomalies));
        }
        let groups = [others.dim(0)?, anomalies.dim(0)?];
        for (group, n) in ["unlabeled", "anomalous"].into_iter().zip(groups) {
            if n == 0 {
                return Err(Error::EmptyGroup { what, group });
            }
        }
        let n = groups[0] + groups[1];
        if n > MOST_ROWS {
            return Err(Error::config("rows", "at most 2^31", n));
        }
        let all = Tensor::cat(&[others, anomalies], 0)?;
        Ok(Self {
            rows: Features::read(samples, &all)?,
            others: groups[0],
            anomalies: groups[1],
        })
    }
}

/// The mean over all trees of the values of the leaves that each sample ends in. `xs`: `[m, ...]` with so many
/// features.
///
/// # Errors
/// [`Error::Shape`] for another number of features, [`Error::NonFiniteFeature`] if a value is NaN or infinite.
pub(super) fn mean_values(trees: &[Tree], features: usize, xs: &Tensor) -> Result<Vec<f64>> {
    let rows = Features::<f32>::read("samples to score", &flat(xs)?)?;
    if rows.width() != features {
        let expected = format!("[m, ...] with {features} features");
        return Err(Error::shape("samples to score", expected, xs));
    }
    let mut scores = sums(trees, &rows);
    let trees = trees.len() as f64;
    scores.iter_mut().for_each(|score| *score /= trees);
    Ok(scores)
}

/// Of the values of each row's leaves.
pub(super) fn sums(trees: &[Tree], rows: &Features<f32>) -> Vec<f64> {
    let mut sums = vec![0.; rows.len()];
    let chunks = rows.values().par_chunks(CHUNK * rows.width());
    chunks
        .zip(sums.par_chunks_mut(CHUNK))
        .for_each(|(values, sums)| {
            for tree in trees {
                tree.add_values(values, rows.width(), sums);
            }
        });
    sums
}

/// `[n, features]` in f32 on the host.
fn flat(xs: &Tensor) -> Result<Tensor> {
    if xs.rank() < 2 {
        let expected = "[n, ...] with at least one feature";
        return Err(Error::shape("samples", expected, xs));
    }
    let xs = xs.detach().to_device(&Device::Cpu)?;
    Ok(xs.to_dtype(DType::F32)?.flatten_from(1)?)
}

/// What the tests of such trees share.
#[cfg(test)]
pub(super) mod testing {
    use candle_core::{Device, Tensor};

    pub(in crate::baseline) fn column(values: &[f32]) -> Tensor {
        Tensor::from_slice(values, (values.len(), 1), &Device::Cpu).unwrap()
    }

    /// Others and anomalies of four columns without an order.
    pub(in crate::baseline) fn unordered() -> (Tensor, Tensor) {
        let hash = |i: usize| ((i * 7919 + i * i * 31) % 10_007) as f32 / 5003.;
        let rows = |from: usize, n: usize| {
            let values: Vec<f32> = (from..from + n * 4).map(hash).collect();
            Tensor::from_vec(values, (n, 4), &Device::Cpu).unwrap()
        };
        (rows(0, 300), rows(5000, 40))
    }

    pub(in crate::baseline) fn on_threads<T: Send>(
        threads: usize,
        of: impl FnOnce() -> T + Send,
    ) -> T {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(of)
    }
}
