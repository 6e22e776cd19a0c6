use crate::{Error, Result};

/// Rows of one width, one behind the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    pub(super) width: usize,
    pub(super) values: Vec<f64>,
}

/// Who the rows are, in errors.
const ROWS: &str = "rows to cluster";

/// Share of a column's largest value that its deviation must have: less is rounding.
const ROUNDING: f64 = 1e-12;

impl Matrix {
    /// # Errors
    /// [`Error::Config`] without rows or values, [`Error::Ragged`], [`Error::NonFiniteFeature`].
    pub(super) fn new<R: AsRef<[f64]>>(rows: &[R]) -> Result<Self> {
        let width = rows.first().map_or(0, |row| row.as_ref().len());
        if width == 0 {
            let found = format!("{} of {width} values", rows.len());
            return Err(Error::config(
                ROWS,
                "at least one, of a value or more",
                found,
            ));
        }
        let mut values = Vec::with_capacity(rows.len() * width);
        for (row, of) in rows.iter().map(AsRef::as_ref).enumerate() {
            if of.len() != width {
                return Err(Error::Ragged {
                    row,
                    expected: width,
                    actual: of.len(),
                });
            }
            if let Some(column) = of.iter().position(|value| !value.is_finite()) {
                return Err(Error::NonFiniteFeature {
                    what: ROWS,
                    row,
                    column,
                    value: of[column],
                });
            }
            values.extend_from_slice(of);
        }
        Ok(Self { width, values })
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width
    }

    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.width..(i + 1) * self.width]
    }

    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.width)
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self {
            width: self.width,
            values: rows.iter().flat_map(|&i| self.row(i)).copied().collect(),
        }
    }

    /// Numbers whose squares do not overflow: every value divided by the largest.
    pub(super) fn bounded(mut self) -> Self {
        let largest = self.values.iter().fold(0f64, |most, x| most.max(x.abs()));
        if largest > 0. {
            self.values.iter_mut().for_each(|x| *x /= largest);
        }
        self
    }

    /// Every column with mean 0 and deviation 1; one that does not vary is 0.
    pub(super) fn standardized(mut self) -> Self {
        for column in 0..self.width {
            let at = |i: usize| i * self.width + column;
            let n = self.len();
            let largest = (0..n).fold(0f64, |most, i| most.max(self.values[at(i)].abs()));
            let scaled: Vec<f64> = match largest {
                0. => vec![0.; n],
                // Divided first: the sum of large numbers may be none.
                largest => (0..n).map(|i| self.values[at(i)] / largest).collect(),
            };
            let mean = scaled.iter().sum::<f64>() / n as f64;
            let variance = scaled.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            let deviation = variance.sqrt();
            for (i, x) in scaled.into_iter().enumerate() {
                let varies = deviation > ROUNDING;
                self.values[i * self.width + column] =
                    if varies { (x - mean) / deviation } else { 0. };
            }
        }
        self
    }
}

pub(super) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_standardised_whatever_their_size() {
        let rows = [[1e300, 7., -3e-200], [3e300, 7., -1e-200]];
        let standard = Matrix::new(&rows).unwrap().standardized();
        let expected = [-1., 0., -1., 1., 0., 1.];
        let near = |(x, y): (&f64, f64)| (x - y).abs() < 1e-12;
        assert!(
            standard.values.iter().zip(expected).all(near),
            "{standard:?}"
        );
        let bounded = Matrix::new(&rows).unwrap().bounded();
        assert_eq!(bounded.values[..2], [1. / 3., 7. / 3e300]);
    }

    #[test]
    fn what_is_no_table_is_named() {
        let none: [[f64; 2]; 0] = [];
        let error = Matrix::new(&none).unwrap_err().to_string();
        assert_eq!(
            error,
            "rows to cluster must be at least one, of a value or more, got 0 of 0 values"
        );
        let error = Matrix::new(&[vec![1.], vec![1., 2.]]).unwrap_err();
        assert!(matches!(
            error,
            Error::Ragged {
                row: 1,
                expected: 1,
                actual: 2
            }
        ));
        let error = Matrix::new(&[[0., 1.], [0., f64::NAN]]).unwrap_err();
        assert!(matches!(
            error,
            Error::NonFiniteFeature {
                row: 1,
                column: 1,
                ..
            }
        ));
    }
}
