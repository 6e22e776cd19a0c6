//! Labels of arrays: floats or integers that must name a class.

use std::path::Path;

use crate::array::Array;
use crate::{DataError, FormatError};

/// The labels of an array `[n]`, `[n, 1]` or `[1, n]`, which must be integers from `min` to `max`.
pub(super) fn from_array(
    key: &str,
    array: &Array,
    [min, max]: [u8; 2],
) -> Result<Vec<u8>, FormatError> {
    let one_axis = match *array.shape() {
        [_] => true,
        [a, b] => a == 1 || b == 1,
        _ => false,
    };
    if !one_axis {
        return Err(FormatError::Shape {
            key: key.into(),
            expected: "[n] or [n, 1]",
            actual: array.shape().to_vec(),
        });
    }
    let values = array.to_f64().into_iter().enumerate();
    values
        .map(|(row, value)| {
            let fits = value.fract() == 0. && (f64::from(min)..=f64::from(max)).contains(&value);
            if !fits {
                return Err(FormatError::Label {
                    row,
                    value,
                    min,
                    max,
                });
            }
            Ok(value as u8)
        })
        .collect()
}

/// Images and labels must be as many.
pub(super) fn same_rows(first: (&str, usize), second: (&str, usize)) -> Result<(), FormatError> {
    if first.1 == second.1 {
        return Ok(());
    }
    Err(FormatError::Rows {
        first: first.0.into(),
        first_rows: first.1,
        second: second.0.into(),
        second_rows: second.1,
    })
}

/// The first label that names no class.
pub(super) fn check_labels(
    path: &Path,
    labels: &[u8],
    classes: u8,
    offset: impl Fn(u64) -> u64,
) -> Result<(), DataError> {
    match labels.iter().position(|&label| label >= classes) {
        Some(i) => Err(DataError::Label {
            path: path.into(),
            offset: offset(i as u64),
            label: labels[i],
            classes,
        }),
        None => Ok(()),
    }
}
