use super::scale::{Looked, NOTICED, SEVERAL, quantile};
use super::{Inputs, Warning};

impl Inputs {
    /// A warning for each column of vectors that is in another unit than the fit's, as cents for euros are: the size
    /// of a large value is 8 times that of the fit, or an eighth of it, and nine tenths of the values lie beyond
    /// what nine tenths of the fit's do. Of 20 values that are not 0 or more.
    pub(super) fn other_units(&self, what: &str, looked: &Looked) -> Vec<Warning> {
        let columns = if self.channels { 0 } else { self.typical.len() };
        let warning = |column: usize| {
            let factor = self.other_unit(looked.absolute(column), column)?;
            Some(Warning::OtherUnit {
                samples: what.into(),
                column: self.column(column),
                factor,
            })
        };
        (0..columns).filter_map(warning).collect()
    }

    /// How many times as large as the fit's these absolute values of a column are, none of them 0.
    fn other_unit(&self, sizes: Vec<f64>, column: usize) -> Option<f64> {
        let typical = self.typical[column];
        if typical <= 0. || sizes.len() < SEVERAL || self.is_constant(column) {
            return None;
        }
        let large = quantile(0.9, sizes.clone());
        let factor = large / typical;
        let (low, high) = self.usual[column];
        if factor >= NOTICED {
            let small = quantile(0.1, sizes);
            return (small > low.abs().max(high.abs())).then_some(factor);
        }
        // A column around 0 has no smallest usual size.
        let one_sided = low > 0. || high < 0.;
        let below = factor <= 1. / NOTICED && one_sided && large < low.abs().min(high.abs());
        below.then_some(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{PuDataset, Samples};
    use crate::estimator::InputCheck;
    use candle_core::{Device, Tensor};

    /// Amounts over two orders of magnitude, numbers around 0, a category, and others.
    fn rows(n: usize, amount: f64, around: f64) -> Samples {
        let row = |i: usize| {
            let u = ((i * 37) % 101) as f64 / 100.;
            let v = ((i * 53) % 97) as f64 / 48. - 1.;
            let w = ((i * 29) % 89) as f64;
            [
                amount * 100f64.powf(u),
                around * v,
                (i % 2) as f64,
                5. + w,
                w - 40.,
            ]
        };
        let values: Vec<f64> = (0..n).flat_map(row).collect();
        let tensor = Tensor::from_vec(values, (n, 5), &Device::Cpu).unwrap();
        Samples::from(tensor)
            .with_names(&["amount", "around", "kind", "c", "d"])
            .unwrap()
    }

    fn found(samples: &Samples) -> Vec<(usize, f64)> {
        let data = PuDataset::new(rows(400, 1., 1.)).unwrap();
        let (inputs, _) = Inputs::of(&data, vec![], InputCheck::Warn).unwrap();
        let warnings = inputs
            .check("scored samples", samples, InputCheck::Refuse)
            .unwrap();
        let found = |warning| match warning {
            Warning::OtherUnit { column, factor, .. } => (column.index, factor),
            other => panic!("{other}"),
        };
        warnings.into_iter().map(found).collect()
    }

    #[test]
    fn a_column_in_another_unit_is_told_by_name_and_factor() {
        for (amount, around, expected) in [
            (1., 1., None),
            (100., 1., Some((0, 100.))),
            (0.01, 1., Some((0, 0.01))),
            (1., 1000., Some((1, 1000.))),
            // Twice as much is no other unit; around 0 no value is too small.
            (2., 1., None),
            (1., 0.001, None),
        ] {
            let found = found(&rows(60, amount, around));
            let Some((column, factor)) = expected else {
                assert!(found.is_empty(), "{amount} {around}: {found:?}");
                continue;
            };
            assert_eq!(found.len(), 1, "{amount} {around}: {found:?}");
            assert_eq!(found[0].0, column);
            assert!((found[0].1 / factor - 1.).abs() < 0.3, "{found:?}");
        }
    }

    #[test]
    fn a_few_rows_zeros_and_some_rows_among_others_are_no_evidence() {
        assert!(found(&rows(19, 100., 1.)).is_empty());
        assert!(found(&rows(60, 0., 1.)).is_empty());
        let few = rows(6, 100., 1.).to_tensor().unwrap();
        let most = rows(54, 1., 1.).to_tensor().unwrap();
        assert!(found(&Tensor::cat(&[few, most], 0).unwrap().into()).is_empty());
        assert!(found(&rows(60, 1., 1.).select(&[]).unwrap()).is_empty());
    }
}
