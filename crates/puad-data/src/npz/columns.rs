//! The arrays of an archive as the columns of one table.

use std::path::Path;

use super::Npz;
use crate::raw::{ColumnRows, RawBatch, RawColumn};
use crate::table_rows::twice;
use crate::{DataError, Place, Result};

/// Arrays of as many rows, in memory.
pub(super) struct ArrayColumns {
    names: Vec<String>,
    /// `[rows]` each.
    columns: Vec<Vec<f64>>,
    rows: usize,
    next: usize,
}

impl ArrayColumns {
    /// Of all arrays: one of numbers `[n]` is a column of its name, one of `[n, d]` the columns `NAME0` on.
    ///
    /// # Errors
    /// As [`Npz::read`]; [`DataError::Shape`] for an array of another number of rows or with more axes.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut archive = Npz::open(path)?;
        let (mut names, mut columns) = (vec![], vec![]);
        let mut rows = None;
        for key in archive.keys().to_vec() {
            let array = archive.read(&key)?;
            let expected = *rows.get_or_insert(array.shape().first().copied().unwrap_or(0));
            let width = match array.shape() {
                [n] if *n == expected => None,
                [n, width] if *n == expected => Some(*width),
                shape => {
                    return Err(DataError::Shape {
                        path: path.into(),
                        name: key,
                        expected: format!(
                            "[{expected}] or [{expected}, columns], as the first array"
                        ),
                        actual: shape.to_vec(),
                    });
                }
            };
            let values = array.to_f64();
            for column in 0..width.unwrap_or(1) {
                names.push(match width {
                    None => key.clone(),
                    Some(_) => format!("{key}{column}"),
                });
                let of_column = values.iter().skip(column).step_by(width.unwrap_or(1));
                columns.push(of_column.copied().collect());
            }
        }
        // `x1`, and the second column of `x`.
        if let Some(name) = twice(&names) {
            return Err(DataError::Malformed {
                path: path.into(),
                place: Place::Whole,
                rule: "columns of arrays must have different names",
                found: format!("{name:?} twice"),
            });
        }
        Ok(Self {
            names,
            columns,
            rows: rows.unwrap_or(0),
            next: 0,
        })
    }
}

impl ColumnRows for ArrayColumns {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn count(&self) -> Option<u64> {
        Some(self.rows as u64)
    }

    fn next(&mut self, size: usize) -> Result<Option<RawBatch>> {
        let range = self.next..self.rows.min(self.next.saturating_add(size));
        self.next = range.end;
        let columns = self.columns.iter();
        let columns = columns.map(|values| RawColumn::Numbers(values[range.clone()].to_vec()));
        Ok((!range.is_empty()).then(|| RawBatch {
            rows: range.len(),
            columns: columns.collect(),
            lines: vec![],
        }))
    }
}
