use std::path::Path;

use crate::{DataError, Place, Result};

/// Rows of numbers with a class each: what ADBench's files and CSV hold.
///
/// ```
/// use puad_data::LabeledRows;
///
/// let table = LabeledRows::new(vec![0., 1., 2., 3., 4., 5.], 3, vec![0, 1])?;
/// assert_eq!((table.len(), table.width()), (2, 3));
/// assert_eq!(table.row(1), Some(&[3., 4., 5.][..]));
/// assert_eq!(table.labels(), [Some(0), Some(1)]);
/// // One group's rows, such as the anomalies.
/// assert_eq!(table.rows_of(1), [1]);
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LabeledRows {
    values: Vec<f64>,
    width: usize,
    labels: Vec<Option<u8>>,
    columns: Vec<String>,
}

impl LabeledRows {
    /// `values`: `[n, width]` in row-major order; `labels`: `[n]`, `None` for a sample without one.
    ///
    /// # Errors
    /// [`DataError::Length`] if there is not one row a label, [`DataError::Value`] for NaN and
    /// infinities.
    pub fn new(
        values: Vec<f64>,
        width: usize,
        labels: impl IntoIterator<Item = impl Into<Option<u8>>>,
    ) -> Result<Self> {
        let labels = labels.into_iter().map(Into::into).collect();
        let table = Self::checked(None, values, width, labels)?;
        check_finite(None, &[], 0, width, table.values.iter().copied())?;
        Ok(table)
    }

    /// With values that are known to be finite.
    pub(crate) fn checked(
        path: Option<&Path>,
        values: Vec<f64>,
        width: usize,
        labels: Vec<Option<u8>>,
    ) -> Result<Self> {
        let rows = values.len().checked_div(width).unwrap_or(0);
        if rows != labels.len() || rows.checked_mul(width) != Some(values.len()) {
            return Err(DataError::Length {
                path: path.map(Into::into),
                first_name: format!("rows of {width} values"),
                first: rows,
                second_name: "labels".into(),
                second: labels.len(),
            });
        }
        Ok(Self {
            values,
            width,
            labels,
            columns: vec![],
        })
    }

    #[cfg(feature = "tables")]
    pub(crate) fn with_columns(self, columns: Vec<String>) -> Self {
        Self { columns, ..self }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of columns, without the label.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The class of each row, `[n]`; `None` for an unlabeled one. ADBench: 0 for normals, 1 for anomalies.
    pub fn labels(&self) -> &[Option<u8>] {
        &self.labels
    }

    /// Names of the columns, without the label's, `[width]`; empty where the file has none.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// All values, `[n, width]` in row-major order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values of a row, `[width]`, or `None` beyond the end.
    pub fn row(&self, index: usize) -> Option<&[f64]> {
        let start = index.checked_mul(self.width)?;
        self.values.get(start..start.checked_add(self.width)?)
    }

    /// Positions of the rows of a class, ascending.
    pub fn rows_of(&self, class: u8) -> Vec<u32> {
        self.rows_with(Some(class))
    }

    /// Positions of the rows without a label, ascending.
    pub fn unlabeled(&self) -> Vec<u32> {
        self.rows_with(None)
    }

    fn rows_with(&self, label: Option<u8>) -> Vec<u32> {
        let labels = self.labels.iter().enumerate();
        let rows = labels.filter(|(_, of_row)| **of_row == label);
        rows.map(|(row, _)| row as u32).collect()
    }
}

/// `values`, `[n, width]`, must be finite; `names` are those of the columns, and `first` is the number of the
/// first row.
pub(crate) fn check_finite(
    path: Option<&Path>,
    names: &[String],
    first: usize,
    width: usize,
    values: impl IntoIterator<Item = f64>,
) -> Result<()> {
    let mut values = values.into_iter().enumerate();
    match values.find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((at, value)) => Err(DataError::Value {
            path: path.map(Into::into),
            place: Place::Entry {
                row: first + at / width,
                column: match names.get(at % width) {
                    Some(name) => name.clone(),
                    None => (at % width).to_string(),
                },
            },
            rule: "values must be finite".into(),
            found: value.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_a_label_and_all_finite() {
        for (values, width, labels) in [
            (vec![1.; 5], 2, vec![0; 2]),
            (vec![1.; 6], 2, vec![0; 2]),
            (vec![1.; 6], 0, vec![0; 2]),
            (vec![], 0, vec![0; 2]),
        ] {
            let err = LabeledRows::new(values, width, labels).unwrap_err();
            assert!(matches!(err, DataError::Length { .. }), "{err}");
        }
        for bad in [f64::NAN, f64::INFINITY] {
            let err = LabeledRows::new(vec![0., 1., 2., bad], 2, vec![0; 2]).unwrap_err();
            let column = "1".to_string();
            assert!(
                matches!(&err, DataError::Value { path: None, place, found, .. }
                    if *place == Place::Entry { row: 1, column } && *found == bad.to_string()),
                "{err}"
            );
        }
        assert!(LabeledRows::new(vec![], 0, [0; 0]).unwrap().is_empty());
        let table = LabeledRows::new(vec![1.; 8], 2, [Some(0), Some(1), None, Some(0)]).unwrap();
        assert_eq!((table.rows_of(0), table.unlabeled()), (vec![0, 3], vec![2]));
        assert_eq!(table.row(usize::MAX), None);
    }
}
