//! Labels, which must name a class.

use std::path::Path;

use crate::array::Array;
use crate::{DataError, Place, Result};

/// The labels of the array `key`, `[n]`, `[n, 1]` or `[1, n]`, floats or integers that must be integers
/// from `min` to `max`.
pub(super) fn from_array(
    path: &Path,
    key: &str,
    array: &Array,
    [min, max]: [u8; 2],
) -> Result<Vec<u8>> {
    let one_axis = match *array.shape() {
        [_] => true,
        [a, b] => a == 1 || b == 1,
        _ => false,
    };
    if !one_axis {
        return Err(DataError::Shape {
            path: path.into(),
            name: key.into(),
            expected: "[n] or [n, 1]".into(),
            actual: array.shape().to_vec(),
        });
    }
    let values = array.to_f64().into_iter().enumerate();
    values
        .map(|(row, value)| {
            let fits = value.fract() == 0. && (f64::from(min)..=f64::from(max)).contains(&value);
            if !fits {
                return Err(DataError::Value {
                    path: Some(path.into()),
                    place: Place::Row(row),
                    rule: format!("labels must be integers from {min} to {max}"),
                    found: value.to_string(),
                });
            }
            Ok(value as u8)
        })
        .collect()
}

/// Images and labels must be as many.
pub(super) fn same_rows(path: &Path, first: (&str, usize), second: (&str, usize)) -> Result<()> {
    if first.1 == second.1 {
        return Ok(());
    }
    Err(DataError::Length {
        path: Some(path.into()),
        first_name: first.0.into(),
        first: first.1,
        second_name: second.0.into(),
        second: second.1,
    })
}

/// The first label that names no class.
pub(super) fn check_labels(
    path: &Path,
    labels: &[u8],
    classes: u8,
    offset: impl Fn(u64) -> u64,
) -> Result<()> {
    match labels.iter().position(|&label| label >= classes) {
        Some(i) => Err(DataError::Value {
            path: Some(path.into()),
            place: Place::Byte(offset(i as u64)),
            rule: format!("labels must lie below {classes}"),
            found: labels[i].to_string(),
        }),
        None => Ok(()),
    }
}
