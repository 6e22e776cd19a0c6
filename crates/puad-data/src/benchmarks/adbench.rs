//! The tabular sets of ADBench; needs the feature `benchmarks`.
//!
//! An `.npz` archive with `X`, `[n, d]`, and `y`, `[n]`: 1 for an anomaly, 0 for a normal sample.
//!
//! # References
//! Han, Hu, Huang, Jiang, Zhao, ADBench: Anomaly detection benchmark, NeurIPS 2022.

use std::path::Path;

use super::labels;
use crate::Result;
use crate::npz::Npz;
use crate::{DataError, FormatError, Table};

/// Reads a set. Values of any number type become f32; labels must be 0 or 1.
///
/// # Errors
/// As [`Npz::open`] and [`Npz::read`]; in [`DataError::Format`], [`FormatError::Shape`],
/// [`FormatError::Rows`], [`FormatError::Label`], and [`FormatError::NotFinite`] for values that are
/// NaN, infinite or beyond f32.
///
/// ```no_run
/// let table = puad_data::benchmarks::adbench::load("38_thyroid.npz")?;
/// let anomalies = table.labels().iter().filter(|&&label| label == 1).count();
/// assert_eq!((table.len(), table.width(), anomalies), (3772, 6, 93));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Table> {
    Ok(read(path.as_ref())?)
}

fn read(path: &Path) -> Result<Table, DataError> {
    let mut archive = Npz::open_file(path)?;
    let y = archive.array("y")?;
    let labels = labels::from_array("y", &y, [0, 1]).map_err(|e| e.at(path))?;
    let x = archive.array("X")?;
    let [rows, width] = *x.shape() else {
        let shape = FormatError::Shape {
            key: "X".into(),
            expected: "[n, d]",
            actual: x.shape().to_vec(),
        };
        return Err(shape.at(path));
    };
    labels::same_rows(("X", rows), ("y", labels.len())).map_err(|e| e.at(path))?;
    let values = x.to_f64();
    let narrow = values.iter().map(|&value| value as f32).collect();
    let table = Table::checked(narrow, width, labels, vec![]).map_err(|error| match error {
        // With the value as the file has it.
        FormatError::NotFinite { row, column, .. } => FormatError::NotFinite {
            row,
            column,
            value: values[row * width + column],
        },
        error => error,
    });
    table.map_err(|e| e.at(path))
}
