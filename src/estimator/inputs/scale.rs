use candle_core::DType;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::Samples;
use crate::estimator::values::columns;

/// Values of a fit looked at, and the most vectors and the least images they may be of.
const VALUES: usize = 1 << 22;
const VECTORS: usize = 4096;
const IMAGES: usize = 64;

/// The most samples of other input looked at.
const LOOKED_AT: usize = 64;

/// From this factor on, if no sample of the fit was like it, numbers are in another unit and not unusual.
const FACTOR: f64 = 50.;

/// From this factor on it is worth a warning: 12 bits are 16 times 8.
pub(super) const NOTICED: f64 = 8.;

/// Fewer samples than these are no evidence: they may be unusual in all of their columns.
pub(super) const FEW: usize = 5;
pub(in crate::estimator) const SEVERAL: usize = 20;

/// Some samples, spread evenly, as rows of `size` values of which `each` are one column's or channel's.
pub(super) struct Looked {
    values: Vec<f64>,
    size: usize,
    each: usize,
    columns: usize,
}

impl Looked {
    pub(super) fn of_fit(samples: &Samples) -> Result<Self> {
        let shape = samples.sample_shape();
        let size = shape.iter().product::<usize>().max(1);
        let most = (VALUES / size).max(IMAGES);
        Self::at(
            samples,
            if shape.len() > 1 {
                most
            } else {
                most.min(VECTORS)
            },
        )
    }

    /// Of a few samples, spread evenly.
    pub(super) fn at_few(samples: &Samples) -> Result<Self> {
        Self::at(samples, LOOKED_AT)
    }

    /// The sizes of a column's values that are not 0.
    pub(super) fn absolute(&self, column: usize) -> Vec<f64> {
        let sizes = self.column(column).map(f64::abs);
        sizes.filter(|size| *size > 0.).collect()
    }

    fn at(samples: &Samples, most: usize) -> Result<Self> {
        let shape = samples.sample_shape();
        let (columns, size) = (columns(&shape), shape.iter().product::<usize>().max(1));
        let xs = samples.spread(most)?.to_dtype(DType::F64)?;
        Ok(Self {
            values: xs.flatten_all()?.to_vec1()?,
            size,
            each: (size / columns.max(1)).max(1),
            columns,
        })
    }

    /// The size of a large value of each column or channel: the 90% quantile of absolute values, zeros left
    /// out; 0 where there is no other, for categories of two values beside numbers, and for what was not measured.
    pub(super) fn typical(&self, is_measured: impl Fn(usize) -> bool) -> Vec<f64> {
        let large = |i: usize| {
            let sizes = self.column(i).map(f64::abs);
            quantile(0.9, sizes.filter(|x| *x > 0.).collect())
        };
        // Where there are numbers, a category's 1 says nothing of their unit.
        let number = |i: usize| is_measured(i) && !self.has_two_values(i);
        let numbers: Vec<bool> = (0..self.columns).map(number).collect();
        let any = numbers.contains(&true);
        let counts = |i: usize| is_measured(i) && (!any || numbers[i]);
        (0..self.columns)
            .map(|i| if counts(i) { large(i) } else { 0. })
            .collect()
    }

    fn has_two_values(&self, column: usize) -> bool {
        let mut seen: Vec<f64> = Vec::new();
        let more = self.column(column).any(|x| {
            if !seen.contains(&x) {
                seen.push(x);
            }
            seen.len() > 2
        });
        seen.len() == 2 && !more
    }

    fn column(&self, i: usize) -> impl Iterator<Item = f64> {
        let rows = self.values.chunks_exact(self.size);
        rows.flat_map(move |row| &row[i * self.each..][..self.each])
            .copied()
    }

    /// The 5% and 95% quantiles of each column or channel, of the values from `low` to `high`; these, where none
    /// was looked at.
    pub(super) fn usual(&self, low: &[f64], high: &[f64]) -> Vec<(f64, f64)> {
        let quantiles = |i: usize| {
            let values = self.column(i).filter(|x| (low[i]..=high[i]).contains(x));
            let values: Vec<f64> = values.collect();
            if values.is_empty() {
                return (low[i], high[i]);
            }
            (quantile(0.05, values.clone()), quantile(0.95, values))
        };
        (0..self.columns).map(quantiles).collect()
    }

    /// Of each sample that is not 0: how many times the typical value its values are, by the median of those
    /// that are not 0. Ascending.
    fn sizes(&self, typical: &[f64]) -> Vec<f64> {
        let size = |row: &[f64]| {
            let columns = row.chunks_exact(self.each).zip(typical);
            let sized = columns.filter(|(_, typical)| **typical > 0.);
            let times =
                sized.flat_map(|(column, typical)| column.iter().map(move |x| x.abs() / typical));
            quantile(0.5, times.filter(|t| *t > 0.).collect())
        };
        let rows = self.values.chunks_exact(self.size);
        let mut sizes: Vec<f64> = rows.map(size).filter(|s| *s > 0.).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        sizes
    }

    /// Whether all values lie about where images' usually do.
    fn in_unit_range(&self) -> bool {
        self.values.iter().all(|&x| in_unit_range(x, x))
    }
}

/// Whether values of this range lie in [0, 1] but for what augmentation or a resizer may add.
pub(super) fn in_unit_range(low: f64, high: f64) -> bool {
    low > -0.5 && high < 1.5
}

/// Of ascending numbers, at least one.
fn of_sorted(values: &[f64], share: f64) -> f64 {
    values[(share * (values.len() - 1) as f64) as usize]
}

/// 0 of no values.
pub(super) fn quantile(share: f64, mut values: Vec<f64>) -> f64 {
    let rank = (share * values.len().saturating_sub(1) as f64) as usize;
    if values.is_empty() {
        return 0.;
    }
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}

/// The 1%, 50% and 99% quantiles of the sizes of a fit's samples; see [`Looked::sizes`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sizes {
    low: f64,
    median: f64,
    high: f64,
}

impl Sizes {
    /// `None` where all samples are 0.
    pub(super) fn of(looked: &Looked, typical: &[f64]) -> Option<Self> {
        let sizes = looked.sizes(typical);
        (!sizes.is_empty()).then(|| Self {
            low: of_sorted(&sizes, 0.01),
            median: of_sorted(&sizes, 0.5),
            high: of_sorted(&sizes, 0.99),
        })
    }

    pub(super) fn are_good(&self) -> bool {
        let ordered = self.low <= self.median && self.median <= self.high;
        self.low > 0. && ordered && self.high.is_finite()
    }
}

/// Another scale than the fit's.
pub(super) struct Other {
    /// About how many times as large.
    pub(super) factor: f64,
    /// Whether it may not be what the samples are.
    pub(super) sure: bool,
}

/// The scale of a fit's samples.
pub(super) struct Scale<'a> {
    pub(super) typical: &'a [f64],
    pub(super) sizes: Sizes,
    pub(super) images: bool,
    /// Whether what was seen are images in [0, 1].
    pub(super) unit: bool,
    /// The vectors that are evidence.
    pub(super) enough: usize,
}

impl Scale<'_> {
    /// About how many times as large `n` samples are as those of the fit, if they are in another scale:
    /// their middle is 50 times as large, or as small, as that of the fit, and nine tenths of them are beyond 99%
    /// of it; 8 times as large or small are told, but for labeled samples. A few samples, or some among others, are
    /// scored however unusual they are.
    pub(super) fn of(&self, n: usize, looked: &Looked) -> Option<Other> {
        let (larger, smaller) = self.evidence();
        let sizes = looked.sizes(self.typical);
        if sizes.is_empty() {
            return None;
        }
        let dark = self.unit && looked.in_unit_range();
        let factor = of_sorted(&sizes, 0.5) / self.sizes.median;
        let labeled = self.enough < SEVERAL;
        // Labeled anomalies may be that large.
        let least = if labeled { FACTOR } else { NOTICED };
        let above = factor >= least && of_sorted(&sizes, 0.1) > self.sizes.high && !dark;
        let below = factor <= 1. / least && of_sorted(&sizes, 0.9) < self.sizes.low;
        // Frames may be dark; one sensor, or two, as small as never before; and anomalies as large.
        let sensors = !self.images && self.columns() < 3;
        let far = factor >= FACTOR || factor <= 1. / FACTOR;
        let sure = far && (!(dark || sensors) || (above && !labeled));
        ((above && n >= larger) || (below && n >= smaller)).then_some(Other { factor, sure })
    }

    /// The least number of samples that are evidence of anything.
    pub(super) fn least(&self) -> usize {
        let (larger, smaller) = self.evidence();
        larger.min(smaller)
    }

    /// The columns that have a size.
    fn columns(&self) -> usize {
        self.typical.iter().filter(|typical| **typical > 0.).count()
    }

    /// The numbers of samples that show that they are larger, or smaller: pixels of one image are many.
    fn evidence(&self) -> (usize, usize) {
        match (self.images, self.columns()) {
            (true, _) if self.unit => (1, FEW),
            (true, _) => (FEW, FEW),
            (false, 0..3) => (SEVERAL, SEVERAL),
            (false, _) => (self.enough, self.enough),
        }
    }
}
