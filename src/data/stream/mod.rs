//! Tables on disk, read a batch at a time; needs the feature `datasets`.
//!
//! | file | read by |
//! |---|---|
//! | `.npy`, plain or gzipped | [`Table::npy`] |
//! | one array of an `.npz`, stored or deflated | [`Table::npz`] |
//! | `.csv`, plain or gzipped | [`Table::csv`] |
//!
//! Memory does not grow with the file: [`Table::batches`] holds one batch, and a header that
//! promises more than the file holds is found without room being made for it.

mod csv;
mod npy;
mod npz;
mod table;

pub use self::csv::CsvOptions;
pub use table::{Batches, Table};
