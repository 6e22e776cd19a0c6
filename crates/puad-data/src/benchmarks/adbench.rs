//! The tabular sets of ADBench; needs the feature `benchmarks`.
//!
//! An `.npz` archive with `X`, `[n, d]`, and `y`, `[n]`: 1 for an anomaly, 0 for a normal sample.
//!
//! # References
//! Han, Hu, Huang, Jiang, Zhao, ADBench: Anomaly detection benchmark, NeurIPS 2022.

use std::path::Path;

use super::labels;
use crate::Result;
use crate::labeled_rows::check_finite;
use crate::npz::Npz;
use crate::{DataError, LabeledRows};

/// Reads a set. Values of any number type become f64; labels must be 0 or 1.
///
/// # Errors
/// As [`Npz::open`] and [`Npz::read`]; [`DataError::Shape`], [`DataError::Length`],
/// [`DataError::Value`] for labels, and for values that are NaN or infinite.
///
/// ```no_run
/// let table = puad_data::benchmarks::adbench::load("38_thyroid.npz")?;
/// assert_eq!((table.len(), table.width(), table.rows_of(1).len()), (3772, 6, 93));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<LabeledRows> {
    let path = path.as_ref();
    let mut archive = Npz::open(path)?;
    let labels = labels::from_array(path, "y", &archive.read("y")?, [0, 1])?;
    let x = archive.read("X")?;
    let [rows, width] = *x.shape() else {
        return Err(DataError::Shape {
            path: path.into(),
            name: "X".into(),
            expected: "[n, d]".into(),
            actual: x.shape().to_vec(),
        });
    };
    labels::same_rows(path, ("X", rows), ("y", labels.len()))?;
    let values = x.to_f64();
    check_finite(Some(path), &[], 0, width, values.iter().copied())?;
    let labels = labels.into_iter().map(Some).collect();
    LabeledRows::checked(Some(path), values, width, labels)
}
