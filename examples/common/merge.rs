//! Rows of several files as one set.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::bail;

use super::record::{self, Run};

/// A row and where it stands, as errors name it.
#[derive(Clone, Debug)]
pub struct Placed<R> {
    pub row: R,
    pub place: String,
}

/// The rows of files in their order.
pub fn read<R: Run>(paths: &[PathBuf]) -> anyhow::Result<Vec<Placed<R>>> {
    let mut all = vec![];
    for path in paths {
        let (rows, _) = record::read(path)?;
        all.extend(rows.into_iter().map(|(line, row)| Placed {
            row,
            place: format!("{}, line {line}", path.display()),
        }));
    }
    Ok(all)
}

/// Equal rows of two files are one; a run that failed in one of them and was measured in another was measured. With
/// `mixed` the first of two that differ is taken.
///
/// # Errors
/// Unless `mixed`, different results of one run: both places.
pub fn unique<R: Run>(rows: Vec<Placed<R>>, mixed: bool) -> anyhow::Result<Vec<Placed<R>>> {
    let mut seen = HashMap::new();
    let mut unique: Vec<Placed<R>> = vec![];
    for placed in rows {
        let key = (placed.row.numerics(), placed.row.key());
        let Some(&first) = seen.get(&key) else {
            seen.insert(key, unique.len());
            unique.push(placed);
            continue;
        };
        let first: &mut Placed<R> = &mut unique[first];
        // What failed elsewhere may have been done again.
        if first.row.failed().is_some() {
            *first = placed;
            continue;
        }
        let both_measured = placed.row.failed().is_none();
        if both_measured && first.row.measured() != placed.row.measured() && !mixed {
            bail!(
                "{} and {} differ on one run, made on {} and {}: keep one; --mixed takes the first",
                first.place,
                placed.place,
                first.row.host(),
                placed.row.host()
            );
        }
    }
    Ok(unique)
}
