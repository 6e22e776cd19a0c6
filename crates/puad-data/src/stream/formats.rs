use std::path::Path;

use crate::Result;
use crate::table_rows::{TableOptions, TableRows};

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
}

impl Format {
    const fn of<O: TableOptions>() -> Self {
        Self {
            endings: O::ENDINGS,
            open: |path| O::default().rows(path),
        }
    }
}
