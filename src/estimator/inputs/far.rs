use candle_core::Device;

use super::{Inputs, LABELED};
use crate::data::{PuDataset, Samples};
use crate::estimator::Warning;
use crate::estimator::values::for_values;
use crate::{Result, ops};

/// Times the width of a column's range by which unlabeled samples lie outside of it in training at most.
const UNLABELED: f64 = 1.;

/// Samples looked through at once.
const PIECE: usize = 1024;

/// How far `x` lies outside of a range.
pub(in crate::estimator) fn distance((low, high): (f64, f64), x: f64) -> f64 {
    (low - x).max(x - high)
}

impl Inputs {
    /// The groups as they are trained on, values far outside of the range at its ends.
    pub(in crate::estimator) fn clipped_groups(&self, data: &PuDataset) -> Result<PuDataset> {
        let clipped = |widths| move |samples: &Samples| self.clipped(samples, widths);
        data.map_groups(clipped(UNLABELED), clipped(LABELED))
    }

    /// Where values lie outside by more than `widths` times the width, or the size of a constant: the nearest
    /// that does not.
    fn clipped(&self, samples: &Samples, widths: f64) -> Result<Samples> {
        if samples.is_8_bit() {
            return Ok(samples.clone());
        }
        let bounds = self.bounds(widths, |size| size.max(1.));
        let Some(first) = pieces_outside(samples, &bounds)?.next() else {
            return Ok(samples.clone());
        };
        first?;
        let pixels = samples.sample_shape().iter().skip(1).product();
        let (low, high): (Vec<f64>, Vec<f64>) = bounds.into_iter().unzip();
        samples.mapped(move |tensor| Ok(ops::clamp(tensor, &low, &high, pixels)?))
    }

    /// A warning for each column of which values lie outside of the range of the fit by more than `widths`
    /// times its width.
    pub(in crate::estimator) fn far_outside(
        &self,
        what: &str,
        samples: &Samples,
        widths: f64,
    ) -> Result<Vec<Warning>> {
        if samples.is_8_bit() {
            return Ok(Vec::new());
        }
        let bounds = self.bounds(widths, |size| 1e-6 * size);
        let mut outside = vec![(0u64, 0f64); bounds.len()];
        for piece in pieces_outside(samples, &bounds)? {
            for_values(&piece?, |i, x| {
                let (low, high) = bounds[i];
                if x < low || x > high {
                    let (count, farthest) = &mut outside[i];
                    *count += 1;
                    let off = |x| distance((low, high), x);
                    if *count == 1 || off(x) > off(*farthest) {
                        *farthest = x;
                    }
                }
            })?;
        }
        let found = outside.into_iter().enumerate();
        let found = found.filter(|(i, o)| o.0 > 0 && self.is_measured(*i));
        let warning = |(i, (count, value))| Warning::FarOutside {
            samples: what.into(),
            column: self.column(i),
            count,
            value,
            low: self.low[i],
            high: self.high[i],
        };
        Ok(found.map(warning).collect())
    }

    /// The range of each column with room for so many times its width on both sides, or for what `constant`
    /// makes of the size of a column of one value.
    fn bounds(&self, widths: f64, constant: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        let bounds = |(&low, &high): (&f64, &f64)| {
            let width = if self.element_type.is_constant(low, high) {
                constant(low.abs().max(high.abs()))
            } else {
                high - low
            };
            (low - widths * width, high + widths * width)
        };
        self.low.iter().zip(&self.high).map(bounds).collect()
    }
}

/// Pieces of samples in which a value lies outside of its column's bounds: most have none, and are looked through at the
/// speed of memory.
fn pieces_outside<'a>(
    samples: &'a Samples,
    bounds: &[(f64, f64)],
) -> Result<impl Iterator<Item = Result<Samples>> + 'a> {
    let pixels = samples.sample_shape().iter().skip(1).product();
    let (low, high): (Vec<f64>, Vec<f64>) = bounds.iter().copied().unzip();
    let pieces = samples.batches(PIECE, &Device::Cpu)?;
    Ok(pieces.filter_map(move |piece| {
        let found = piece.and_then(|piece| {
            let outside = ops::any_outside(&piece, &low, &high, pixels)?;
            Ok(outside.then(|| piece.into()))
        });
        found.transpose()
    }))
}
