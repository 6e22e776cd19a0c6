//! Text tables column by column.

use std::path::Path;

use super::records::Record;
use super::rows::CsvRows;
use super::table::CsvOptions;
use crate::raw::{ColumnRows, RawBatch, RawColumn, Texts};
use crate::table_rows::twice;
use crate::{DataError, Place, Result};

/// The rows that are still to come, of all columns.
pub(super) struct CsvColumns {
    rows: CsvRows,
    names: Vec<String>,
    decimal: u8,
}

impl CsvColumns {
    pub(super) fn open(path: &Path, options: &CsvOptions) -> Result<Self> {
        let rows = CsvRows::of_columns(path, options)?;
        let mut names = rows.feature_names();
        if names.is_empty() {
            names = (0..rows.width()).map(|column| column.to_string()).collect();
        }
        if let Some(name) = twice(&names) {
            return Err(DataError::Malformed {
                path: path.into(),
                place: Place::Whole,
                rule: "columns must have different names: `names` gives others, with `skip_lines` for the line \
                       that holds these",
                found: format!("{name:?} twice"),
            });
        }
        let decimal = options.decimal;
        Ok(Self {
            rows,
            names,
            decimal,
        })
    }
}

impl ColumnRows for CsvColumns {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn decimal(&self) -> u8 {
        self.decimal
    }

    fn count(&self) -> Option<u64> {
        None
    }

    fn next(&mut self, size: usize) -> Result<Option<RawBatch>> {
        let mut columns = vec![Texts::default(); self.names.len()];
        let mut lines = vec![];
        let mut record = Record::default();
        while lines.len() < size && self.rows.next_record(&mut record)? {
            for (column, texts) in columns.iter_mut().enumerate() {
                texts.push(&record.cell(column));
            }
            lines.push(record.line);
        }
        Ok((!lines.is_empty()).then(|| RawBatch {
            rows: lines.len(),
            columns: columns.into_iter().map(RawColumn::Texts).collect(),
            lines,
        }))
    }
}
