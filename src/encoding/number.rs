use serde::{Deserialize, Serialize};

use super::Usual;
use super::config::{ColumnEncoding, Gaps};
use super::rows::Rule;

/// Where a value stands among the training rows' from which to which nine tenths of them lie.
const USUAL: (f64, f64) = (0.05, 0.95);

/// Orders of magnitude that a column spans from which on a logarithm is proposed, and how many different values
/// that takes.
const ORDERS: f64 = 1e3;
const DIFFERENT: usize = 20;

/// A number, or its logarithm, and whether it is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Number {
    /// The unit of the logarithm, > 0; `None`: no logarithm.
    unit: Option<f64>,
    /// What stands for a gap; `None`: they are errors.
    median: Option<f64>,
    usual: (f64, f64),
    /// Share of the training rows without a value.
    gaps: f64,
}

impl Number {
    pub(super) fn fit(values: &[f64], rows: &[usize], config: &ColumnEncoding) -> Self {
        let sorted = sorted(values, rows);
        let filled = config.gaps == Gaps::Fill;
        Self {
            unit: config.logarithm.then(|| unit(&sorted)),
            median: filled.then(|| quantile(&sorted, 0.5)),
            usual: usual(&sorted),
            gaps: 1. - sorted.len() as f64 / rows.len() as f64,
        }
    }

    pub(super) fn push(&self, value: f64, out: &mut Vec<f64>) -> Result<(), Rule> {
        let value = match (value.is_nan(), self.median) {
            (false, _) => value,
            (true, Some(median)) => median,
            (true, None) => return Err(Rule::Gap),
        };
        out.push(match self.unit {
            None => value,
            Some(unit) => logarithm(value.abs(), unit).copysign(value),
        });
        Ok(())
    }

    /// Whether a value is missing, after it.
    pub(super) fn push_missing(&self, value: f64, out: &mut Vec<f64>) {
        if self.median.is_some() {
            out.push(f64::from(u8::from(value.is_nan())));
        }
    }

    pub(super) fn usual(&self, value: f64) -> Usual {
        if value.is_nan() {
            Usual::Share(self.gaps)
        } else {
            Usual::Range(self.usual.0, self.usual.1)
        }
    }

    /// How many numbers a value becomes.
    pub(super) fn width(&self) -> usize {
        1 + usize::from(self.median.is_some())
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        let name = match self.unit {
            None => column.into(),
            Some(_) => format!("{column} (logarithm)"),
        };
        let missing = self.median.map(|_| format!("{column} (missing)"));
        [name].into_iter().chain(missing).collect()
    }

    /// # Errors
    /// What is wrong with numbers from a file.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let unit = self.unit.is_none_or(|unit| unit > 0. && unit.is_finite());
        let finite = [self.median.unwrap_or(0.), self.usual.0, self.usual.1];
        let share = (0. ..=1.).contains(&self.gaps);
        let good = unit
            && share
            && finite.iter().all(|value| value.is_finite())
            && self.usual.0 <= self.usual.1;
        good.then_some(())
            .ok_or("finite, and the logarithm's unit above 0")
    }
}

/// `ln(1 + size / unit)`, of any size.
fn logarithm(size: f64, unit: f64) -> f64 {
    let times = size / unit;
    if times.is_finite() {
        times.ln_1p()
    } else {
        size.ln() - unit.ln()
    }
}

/// The values of these rows in order, without gaps.
pub(super) fn sorted(values: &[f64], rows: &[usize]) -> Vec<f64> {
    let there = rows
        .iter()
        .map(|&row| values[row])
        .filter(|value| !value.is_nan());
    let mut sorted: Vec<f64> = there.collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Of sorted values, one of them; 0 of none.
pub(super) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = (q * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(0.)
}

/// Between which of sorted values nine tenths lie.
fn usual(sorted: &[f64]) -> (f64, f64) {
    (quantile(sorted, USUAL.0), quantile(sorted, USUAL.1))
}

/// The first decile of the sizes that are not 0; 1 where there is none.
fn unit(sorted: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = sorted
        .iter()
        .map(|value| value.abs())
        .filter(|size| *size > 0.)
        .collect();
    sizes.sort_by(f64::total_cmp);
    match sizes[..] {
        [] => 1.,
        _ => quantile(&sizes, 0.1),
    }
}

/// Whether the values, none negative, span so many orders of magnitude that a logarithm suits them: those that are
/// not 0 differ, and their 99th percentile is a thousand times their first decile. The two, if so.
pub(super) fn spans_orders(values: &[f64], rows: &[usize]) -> Option<(f64, f64)> {
    let sorted = sorted(values, rows);
    if sorted.first().is_none_or(|lowest| *lowest < 0.) {
        return None;
    }
    let positive = &sorted[sorted.partition_point(|value| *value == 0.)..];
    let different = 1 + positive.array_windows().filter(|[a, b]| a != b).count();
    let (low, high) = (quantile(positive, 0.1), quantile(positive, 0.99));
    (different >= DIFFERENT && high >= ORDERS * low).then_some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(values: &[f64], config: &ColumnEncoding) -> Number {
        Number::fit(values, &(0..values.len()).collect::<Vec<_>>(), config)
    }

    fn encoded(number: &Number, value: f64) -> Vec<f64> {
        let mut out = vec![];
        number.push(value, &mut out).unwrap();
        number.push_missing(value, &mut out);
        out
    }

    #[test]
    fn gaps_are_refused_or_get_the_median_beside_an_indicator() {
        let values = [3., f64::NAN, 1., 2.];
        let plain = fit(&values, &ColumnEncoding::default());
        assert_eq!(encoded(&plain, 2.5), [2.5]);
        assert_eq!(plain.push(f64::NAN, &mut vec![]), Err(Rule::Gap));
        let config = ColumnEncoding {
            gaps: Gaps::Fill,
            ..ColumnEncoding::default()
        };
        let filled = fit(&values, &config);
        assert_eq!(filled.names("x"), ["x", "x (missing)"]);
        assert_eq!(encoded(&filled, f64::NAN), [2., 1.]);
        assert_eq!(encoded(&filled, 5.), [5., 0.]);
        assert_eq!(filled.usual(f64::NAN), Usual::Share(0.25));
        assert_eq!(filled.usual(2.), Usual::Range(1., 3.));
        // Of nothing.
        assert_eq!(encoded(&fit(&[f64::NAN; 3], &config), f64::NAN), [0., 1.]);
    }

    #[test]
    fn logarithms_take_zero_and_negative_values() {
        let config = ColumnEncoding {
            logarithm: true,
            ..ColumnEncoding::default()
        };
        let values: Vec<f64> = (0..=10).map(|i| 2f64 * f64::from(i)).collect();
        let number = fit(&values, &config);
        assert_eq!(number.names("x"), ["x (logarithm)"]);
        // The first decile of 2, 4, .., 20 is 4.
        assert_eq!(encoded(&number, 0.), [0.]);
        assert_eq!(encoded(&number, 4.), [2f64.ln()]);
        assert_eq!(encoded(&number, -12.), [-(4f64.ln())]);
        assert!(encoded(&number, f64::MAX)[0] < 710.);
        let cents = encoded(&fit(&[1e-2; 4], &config), f64::MAX)[0];
        assert!((cents - (f64::MAX.ln() + 100f64.ln())).abs() < 1e-9);
        assert_eq!(encoded(&fit(&[0.; 4], &config), 1.), [2f64.ln()]);
    }

    #[test]
    fn a_logarithm_is_proposed_for_amounts_over_orders_of_magnitude() {
        let rows: Vec<usize> = (0..100).collect();
        let wide: Vec<f64> = (0..100).map(|i| 10f64.powf(f64::from(i) / 20.)).collect();
        assert!(spans_orders(&wide, &rows).is_some());
        let narrow: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(spans_orders(&narrow, &rows), None);
        let negative: Vec<f64> = wide.iter().map(|x| x - 1.5).collect();
        assert_eq!(spans_orders(&negative, &rows), None);
        let few: Vec<f64> = (0..100).map(|i| [0., 1., 1e6][i % 3]).collect();
        assert_eq!(spans_orders(&few, &rows), None);
        assert_eq!(spans_orders(&[f64::NAN; 100], &rows), None);
    }
}
