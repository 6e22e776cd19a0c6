use candle_core::DType;

use crate::Result;
use crate::data::Samples;
use crate::estimator::values::for_rows;
use crate::estimator::{ElementType, Inputs, Scaler};

/// Rows that quantiles are taken of, at most.
const ROWS: usize = 1 << 16;

/// Rows of a file that lengths are taken of, about.
const LENGTHS: usize = 1 << 20;

/// What is next to the zero vector, in lengths of a long sample; from which share on these are many; and by
/// how many scales a table is raised then.
const NEAR: f64 = 0.1;
const MANY: f64 = 0.01;
const RAISED: f64 = 0.5;

/// A normal distribution's interquartile range, in deviations.
const QUARTILES: f64 = 1.349;

/// Of the values that take part: the smallest and the largest.
pub(super) fn range(
    samples: &Samples,
    takes_part: impl Fn(usize, f64) -> bool,
) -> Result<(f64, f64)> {
    let mut range = (f64::INFINITY, f64::NEG_INFINITY);
    for_rows(samples, |row| {
        let values = row.iter().copied().enumerate();
        for (_, x) in values.filter(|&(j, x)| takes_part(j, x)) {
            range = (range.0.min(x), range.1.max(x));
        }
    })?;
    Ok(range)
}

/// How a column is told from a column of another kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinds {
    /// All columns are numbers, and all values take part.
    Numbers,
    /// Columns of two values are categories, and marks of missing values take no part.
    Tables,
}

/// What two passes over the samples tell of each feature.
pub(super) struct Columns {
    dtype: DType,
    mean: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    deviation: Vec<f64>,
    /// Whether there are values between the lowest and the highest.
    between: Vec<bool>,
    /// Whether they were measured; marks of levels are never standardised.
    measured: Vec<bool>,
}

impl Columns {
    pub(super) fn of(samples: &Samples, kinds: Kinds, inputs: &Inputs) -> Result<Self> {
        let features = samples.sample_shape().iter().product();
        let takes_part = |j: usize, x: f64| kinds == Kinds::Numbers || inputs.in_range(j, x);
        let each = |f: &mut dyn FnMut(usize, f64)| {
            for_rows(samples, |row| {
                let values = row.iter().copied().enumerate();
                values
                    .filter(|&(j, x)| takes_part(j, x))
                    .for_each(|(j, x)| f(j, x));
            })
        };
        let mut n = vec![0f64; features];
        each(&mut |j, _| n[j] += 1.)?;
        let (mut mean, mut between) = (vec![0f64; features], vec![false; features]);
        let (mut low, mut high) = (
            vec![f64::INFINITY; features],
            vec![f64::NEG_INFINITY; features],
        );
        each(&mut |j, x| {
            mean[j] += x / n[j];
            low[j] = low[j].min(x);
            high[j] = high[j].max(x);
        })?;
        let ends = low.iter().zip(&high);
        let units: Vec<f64> = ends
            .map(|(low, high)| unit(low.abs().max(high.abs())))
            .collect();
        let mut variance = vec![0f64; features];
        each(&mut |j, x| {
            variance[j] += (x / units[j] - mean[j] / units[j]).powi(2) / n[j];
            between[j] |= x != low[j] && x != high[j];
        })?;
        let deviation = variance.iter().zip(&units).map(|(v, unit)| v.sqrt() * unit);
        Ok(Self {
            dtype: samples.dtype(),
            deviation: deviation.collect(),
            mean,
            low,
            high,
            between,
            measured: (0..features).map(|j| inputs.is_measured(j)).collect(),
        })
    }

    /// Every feature to mean 0 and deviation 1; a category to mean 0, its two values 1 apart.
    pub(super) fn standard(self, kinds: Kinds) -> Scaler {
        let deviation = self.deviation.clone();
        let mean = self.mean.clone();
        self.scaled(kinds, mean, &deviation)
    }

    /// Every feature's range to [0, 1].
    pub(super) fn unit_ranges(self) -> Scaler {
        let widths: Vec<f64> = (self.low.iter().zip(&self.high))
            .map(|(low, high)| high - low)
            .collect();
        let low = self.low.clone();
        self.scaled(Kinds::Tables, low, &widths)
    }

    /// Every feature's median to 0 and its quartiles to those of a normal distribution of deviation 1; where
    /// half of the values are one the deviation stands for them.
    pub(super) fn robust(self, samples: &Samples, inputs: &Inputs) -> Result<Scaler> {
        let n = samples.len();
        let step = n.div_ceil(ROWS);
        let mut values = vec![Vec::new(); self.mean.len()];
        let mut row = 0;
        for_rows(samples, |xs| {
            for (j, &x) in xs
                .iter()
                .enumerate()
                .filter(|(j, x)| inputs.in_range(*j, **x))
            {
                if row % step == 0 {
                    values[j].push(x);
                }
            }
            row += 1;
        })?;
        let (mut middle, mut spread) = (self.mean.clone(), self.deviation.clone());
        for (j, values) in values.iter_mut().enumerate().filter(|(_, v)| !v.is_empty()) {
            values.sort_unstable_by(f64::total_cmp);
            let at = |q: f64| values[(q * (values.len() - 1) as f64).round() as usize];
            let range = at(0.75) / QUARTILES - at(0.25) / QUARTILES;
            if range > 0. && self.between[j] {
                (middle[j], spread[j]) = (at(0.5), range);
            }
        }
        Ok(self.scaled(Kinds::Tables, middle, &spread))
    }

    fn scaled(self, kinds: Kinds, mut shift: Vec<f64>, spread: &[f64]) -> Scaler {
        let element = ElementType::of_floats(self.dtype);
        let smallest = match self.dtype {
            DType::F64 => f64::from_bits(1),
            _ => f32::from_bits(1).into(),
        };
        let mut scale = Vec::with_capacity(shift.len());
        for j in 0..shift.len() {
            let (low, high) = (self.low[j], self.high[j]);
            scale.push(if element.is_constant(low, high) {
                // Rounding may have moved the mean of equal values.
                shift[j] = if low == high { low } else { self.mean[j] };
                1.
            } else if (kinds == Kinds::Tables || !self.measured[j]) && !self.between[j] {
                (high - low).min(f64::MAX)
            } else {
                spread[j].clamp(smallest, f64::MAX)
            });
        }
        Scaler::from_parts(shift, scale)
    }
}

/// Whether a share of the vectors are the zero vector to `scaler`, or next to it: a tenth as
/// long as one that nine tenths are no longer than.
pub(super) fn many_at_zero(scaler: &Scaler, samples: &Samples) -> Result<bool> {
    // Of samples in a file not all: which, a hash of their numbers says, since rows may come in turns.
    let share = match samples.chunks() {
        Some(_) => LENGTHS as f64 / samples.len() as f64,
        None => 1.,
    };
    let hash = |row: u64| row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let is_taken = |row: u64| hash(row) as f64 <= share * u64::MAX as f64;
    let (mut lengths, mut rows) = (Vec::new(), 0..);
    for_rows(samples, |row| {
        if !rows.next().is_some_and(is_taken) {
            return;
        }
        let columns = row.iter().zip(scaler.shift()).zip(scaler.scale());
        let squares = columns.map(|((x, shift), scale)| ((x - shift) / scale).powi(2));
        lengths.push(squares.sum::<f64>().sqrt());
    })?;
    let rank = lengths.len() * 9 / 10;
    let long = *lengths.select_nth_unstable_by(rank, f64::total_cmp).1;
    let near = lengths
        .iter()
        .filter(|length| **length <= NEAR * long)
        .count();
    Ok(near as f64 >= MANY * lengths.len() as f64)
}

/// The same scaling with every column half its scale higher; one without any spread stays.
pub(super) fn raised(scaler: &Scaler, inputs: &Inputs) -> Scaler {
    let shifts = scaler.shift().iter().zip(scaler.scale()).enumerate();
    let raise = |(j, (shift, scale)): (usize, (&f64, &f64))| {
        let by = if inputs.is_constant(j) { 0. } else { RAISED };
        shift - by * scale
    };
    Scaler::from_parts(shifts.map(raise).collect(), scaler.scale().to_vec())
}

/// A power of two of about this size, in which squares neither vanish nor overflow; dividing by it
/// rounds nothing.
fn unit(size: f64) -> f64 {
    if size == 0. || (1e-100..1e100).contains(&size) {
        return 1.;
    }
    size.log2().floor().clamp(-1000., 1000.).exp2()
}
