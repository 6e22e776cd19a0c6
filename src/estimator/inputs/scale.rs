use candle_core::{DType, Device};

use crate::Result;
use crate::data::Samples;
use crate::estimator::values::columns;

/// Samples looked at.
const SAMPLES: usize = 64;

/// From this factor on, of most columns alike, numbers are in another unit and not unusual.
const FACTOR: f64 = 50.;

/// Fewer samples than these are no evidence: a row may be unusual in all of its columns.
const FEW: usize = 5;
const SEVERAL: usize = 20;

/// The size of a large value of each column of vectors or channel of images: the 90% quantile of absolute
/// values, of images the 99%. Of at most `most` samples, spread evenly.
pub(super) fn typical(samples: &Samples, most: usize) -> Result<Vec<f64>> {
    let shape = samples.sample_shape();
    let (columns, images) = (columns(&shape), shape.len() > 1);
    let most = if images { SAMPLES } else { most };
    let (n, size) = (samples.len(), shape.iter().product::<usize>());
    let taken = n.min(most);
    let ids: Vec<u32> = (0..taken).map(|i| (i * n / taken) as u32).collect();
    let xs = samples.gather(&ids)?.to_device(&Device::Cpu)?;
    let values = xs.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    let each = (size / columns.max(1)).max(1);
    let share = if images { 0.99 } else { 0.9 };
    let quantile = |i: usize| {
        let rows = values.chunks_exact(size.max(1));
        let mut column: Vec<f64> = rows
            .flat_map(|row| &row[i * each..][..each])
            .map(|x| x.abs())
            .collect();
        let rank = (share * column.len().saturating_sub(1) as f64) as usize;
        if column.is_empty() {
            return 0.;
        }
        *column.select_nth_unstable_by(rank, f64::total_cmp).1
    };
    Ok((0..columns).map(quantile).collect())
}

/// How the sizes of samples compare with those of the fit.
pub(super) struct Scale {
    /// Quotients of the columns that have a size in the fit, ascending.
    factors: Vec<f64>,
    columns: usize,
    samples: usize,
    images: bool,
}

impl Scale {
    pub(super) fn of(samples: &Samples, seen: &[f64]) -> Result<Self> {
        let images = samples.sample_shape().len() > 1;
        let mut scale = Self {
            factors: Vec::new(),
            columns: seen.len(),
            samples: samples.len(),
            images,
        };
        if !(images || scale.samples >= FEW) || scale.samples == 0 {
            return Ok(scale);
        }
        let sizes = typical(samples, SAMPLES)?;
        let factors = sizes.iter().zip(seen).filter(|(_, seen)| **seen > 0.);
        scale.factors = factors.map(|(size, seen)| size / seen).collect();
        scale.factors.sort_by(f64::total_cmp);
        Ok(scale)
    }

    /// About how many times as large they are, if they are in another scale: three quarters of the columns
    /// are, and the samples are enough to tell.
    pub(super) fn factor(&self) -> Option<f64> {
        let all = self.factors.len();
        let most = |count: usize| all > 0 && 4 * count >= 3 * all;
        let larger: Vec<f64> = self
            .factors
            .iter()
            .copied()
            .filter(|f| *f >= FACTOR)
            .collect();
        let least = if self.columns < 3 { SEVERAL } else { FEW };
        if most(larger.len()) && (self.images || self.samples >= least) {
            return Some(larger[larger.len() / 2]);
        }
        let smaller = |f: &f64| *f > 0. && *f <= 1. / FACTOR;
        let smaller: Vec<f64> = self.factors.iter().copied().filter(smaller).collect();
        let least = if self.images { FEW } else { SEVERAL };
        (most(smaller.len()) && self.samples >= least).then(|| smaller[smaller.len() / 2])
    }
}
