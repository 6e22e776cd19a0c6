use std::path::Path;

use crate::raw::ColumnRows;
use crate::stored_rows::StoredRows;
use crate::table_rows::{TableOptions, TableRows};
use crate::{DataError, Result};

/// The formats of tables, each known by the endings of its files.
pub(super) const FORMATS: &[Format] = &[
    Format::of::<crate::npy::NpyOptions>(),
    Format::of::<crate::npz::NpzOptions>(),
    Format::of::<crate::csv::CsvOptions>(),
    #[cfg(feature = "parquet")]
    Format::of::<crate::parquet::ParquetOptions>(),
];

pub(super) struct Format {
    pub(super) endings: &'static [&'static str],
    /// With the options as they are by default.
    pub(super) open: fn(&Path) -> Result<Box<dyn TableRows>>,
    /// As columns.
    pub(super) columns: fn(&Path) -> Result<Box<dyn ColumnRows>>,
    /// At any place.
    pub(super) stored: fn(&Path) -> Result<Box<dyn StoredRows>>,
}

impl Format {
    const fn of<O: TableOptions>() -> Self {
        Self {
            endings: O::ENDINGS,
            open: |path| O::default().rows(path),
            columns: |path| O::default().columns(path),
            stored: |path| O::default().stored(path),
        }
    }

    /// That of a file, by its ending.
    pub(super) fn by_ending(path: &Path) -> Result<&'static Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let named = |format: &&Self| format.endings.iter().any(|ending| name.ends_with(ending));
        FORMATS.iter().find(named).ok_or_else(|| {
            let endings: Vec<_> = FORMATS.iter().flat_map(|format| format.endings).collect();
            DataError::Unsupported {
                path: path.into(),
                rule: "tables must have the ending of a format that is read",
                found: format!("{name:?}, which ends in none of {endings:?}"),
            }
        })
    }
}
