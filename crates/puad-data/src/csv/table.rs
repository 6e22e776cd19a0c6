use std::path::Path;

use serde::{Deserialize, Serialize};

use super::CsvRows;
use crate::Result;
use crate::batch::{Batch, Values};
use crate::table_rows::{TableOptions, TableRows};

/// How a table of comma-separated numbers, a sample a line, is read, plain or gzipped.
///
/// # Errors
/// [`MissingFile`](crate::DataError::MissingFile), [`Read`](crate::DataError::Read),
/// [`Malformed`](crate::DataError::Malformed) for lines of different length and text that is not UTF-8,
/// [`Value`](crate::DataError::Value) for a field that is no number,
/// [`Missing`](crate::DataError::Missing) for a column that is not there.
///
/// ```
/// use puad_data::stream::{CsvOptions, TableReader, Values};
///
/// let path = std::env::temp_dir().join(format!("columns-{}.csv", std::process::id()));
/// std::fs::write(&path, "id;pressure;heat\n17;0.5;80\n18;0.7;85\n")?;
/// let options = CsvOptions { delimiter: b';', columns: Some(vec![1, 2]), ..Default::default() };
/// let mut table = TableReader::open_with(&path, &options)?;
/// let batch = table.next_batch(100)?.expect("the file has lines");
/// assert_eq!(batch.values, Values::F64(vec![0.5, 80., 0.7, 85.]));
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvOptions {
    /// Between the fields of a line.
    pub delimiter: u8,
    /// Whether the first line holds names. `None`: if one of its fields is no number.
    pub header: Option<bool>,
    /// The columns that are features, counted from 0, in the order they are to have. `None`: all.
    pub columns: Option<Vec<usize>>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            header: None,
            columns: None,
        }
    }
}

impl TableOptions for CsvOptions {
    const ENDINGS: &'static [&'static str] = &[".csv", ".csv.gz"];

    fn rows(&self, path: &Path) -> Result<Box<dyn TableRows>> {
        let mut rows = CsvRows::open(path, self.delimiter, u64::MAX)?;
        if let Some(columns) = &self.columns {
            rows.select(columns)?;
        }
        rows.set_header(self.header);
        Ok(Box::new(rows))
    }
}

impl TableRows for CsvRows {
    fn sample_shape(&self) -> Vec<usize> {
        vec![self.width()]
    }

    fn count(&self) -> Option<u64> {
        None
    }

    fn next(&mut self, size: usize) -> Result<Option<Batch>> {
        let lines = self.read_lines(size)?;
        Ok(lines.map(|lines| Batch {
            shape: vec![lines.count, self.width()],
            values: Values::F64(lines.values),
        }))
    }
}
