use super::{Channels, Seen};
use crate::estimator::Warning;
use crate::series::Series;

/// Of steps between points, in usual ones, that are told.
const UNEVEN: f64 = 1.5;

impl Channels {
    /// What there is to say of a series, [arranged](Self::arranged), against those of the fit: channels that lie far
    /// outside, that have no value where they had one, and steps of time that are not alike.
    pub(in crate::series) fn survey(&self, arranged: &Series) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = uneven(arranged.times()).into_iter().collect();
        for (at, seen) in self.seen.iter().enumerate() {
            let values = (0..arranged.len()).map(|point| arranged.at(point)[at]);
            warnings.extend(self.far_outside(at, seen, values.clone()));
            let gaps = values.filter(|value| value.is_nan()).count();
            if gaps > 0 && (!seen.gaps || 2 * gaps > arranged.len()) {
                warnings.push(Warning::NoValues {
                    column: self.column(at),
                    count: gaps as u64,
                    points: arranged.len() as u64,
                });
            }
        }
        warnings
    }

    /// By more than the width of what the fit saw.
    fn far_outside(
        &self,
        at: usize,
        seen: &Seen,
        values: impl Iterator<Item = f32>,
    ) -> Option<Warning> {
        let (low, high) = (f64::from(seen.low), f64::from(seen.high));
        let width = if high > low {
            high - low
        } else {
            low.abs().max(1.)
        };
        let beyond = |value: f64| (low - value).max(value - high);
        let (mut count, mut farthest) = (0, None);
        for value in values.map(f64::from).filter(|&value| beyond(value) > width) {
            count += 1;
            if farthest.is_none_or(|far| beyond(value) > beyond(far)) {
                farthest = Some(value);
            }
        }
        farthest.map(|value| Warning::FarOutside {
            samples: "scored points".into(),
            column: self.column(at),
            count,
            value,
            low,
            high,
        })
    }

    /// What a fit to windows says of their columns, once a channel; of columns that were made nothing.
    pub(in crate::series) fn of_channels(&self, warnings: &[Warning]) -> Vec<Warning> {
        let mut told: Vec<Warning> = vec![];
        for warning in warnings {
            let mut warning = warning.clone();
            if let Some(column) = warning.column_mut().filter(|column| !column.channel) {
                let channel = column.index % self.width();
                if channel >= self.raw() {
                    continue;
                }
                *column = self.column(channel);
                let is_same = |other: &mut Warning| {
                    let kind = std::mem::discriminant(other) == std::mem::discriminant(&warning);
                    kind && other.column_mut().map(|other| other.index) == Some(channel)
                };
                if told.iter_mut().any(is_same) {
                    continue;
                }
            }
            told.push(warning);
        }
        told
    }
}

/// Whether some steps are longer, or shorter, than the usual one.
pub(in crate::series) fn uneven(times: &[f64]) -> Option<Warning> {
    let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut sorted = steps.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let usual = *sorted.get(sorted.len() / 2)?;
    let is_uneven = |step: &&f64| **step > UNEVEN * usual || **step * UNEVEN < usual;
    let count = steps.iter().filter(is_uneven).count() as u64;
    (count > 0).then(|| Warning::UnevenTimes {
        count,
        usual,
        longest: sorted[sorted.len() - 1],
    })
}
