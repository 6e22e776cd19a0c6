//! Comma-separated numbers.

use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{Reader, ReaderBuilder, StringRecord};
use serde::{Deserialize, Serialize};

use super::reader::{Batch, Values};
use crate::file::Source;
use crate::{DataError, Result};

/// How a CSV file is read.
///
/// ```
/// use puad_data::stream::{CsvOptions, TableReader};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("machines.csv");
/// std::fs::write(&path, "id;pressure;heat\n17;0.5;80\n18;0.7;85\n").unwrap();
/// let options = CsvOptions { delimiter: b';', columns: Some(vec![1, 2]), ..Default::default() };
/// let mut table = TableReader::csv(&path, &options)?;
/// let batch = table.next_batch(100)?.expect("the file has lines");
/// assert_eq!(batch.values, puad_data::stream::Values::F64(vec![0.5, 80., 0.7, 85.]));
/// # Ok::<(), puad_data::DataError>(())
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

/// The lines that are still to come.
pub(super) struct CsvRows {
    path: PathBuf,
    reader: Reader<Box<dyn Read>>,
    columns: Vec<usize>,
    /// The first line, where it holds numbers.
    first: Option<StringRecord>,
}

impl CsvRows {
    pub(super) fn open(path: &Path, options: &CsvOptions) -> Result<Self> {
        let reader = ReaderBuilder::new()
            .delimiter(options.delimiter)
            .has_headers(false)
            .trim(csv::Trim::All)
            .from_reader(Source::open(path)?.into_reader());
        let mut rows = Self {
            path: path.into(),
            reader,
            columns: Vec::new(),
            first: None,
        };
        let first = rows.record()?.unwrap_or_default();
        let width = first.len();
        rows.columns = options.columns.clone().unwrap_or((0..width).collect());
        if let Some(&column) = rows.columns.iter().find(|&&column| column >= width) {
            let path = path.into();
            return Err(DataError::CsvColumn {
                path,
                column,
                width,
            });
        }
        let named = || rows.columns.iter().any(|&i| number(&first[i]).is_none());
        if !options.header.unwrap_or_else(named) && width > 0 {
            rows.first = Some(first);
        }
        Ok(rows)
    }

    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn next(&mut self, size: usize) -> Result<Option<Batch>> {
        let mut values = Vec::new();
        let mut count = 0;
        while count < size {
            let Some(record) = self
                .first
                .take()
                .map_or_else(|| self.record(), |r| Ok(Some(r)))?
            else {
                break;
            };
            for &column in &self.columns {
                values.push(self.value(&record, column)?);
            }
            count += 1;
        }
        if count == 0 {
            return Ok(None);
        }
        let shape = vec![count, self.width()];
        let values = Values::F64(values);
        Ok(Some(Batch { shape, values }))
    }

    fn record(&mut self) -> Result<Option<StringRecord>, DataError> {
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(true) => Ok(Some(record)),
            Ok(false) => Ok(None),
            Err(e) => Err(DataError::Csv {
                path: self.path.clone(),
                cause: e.into(),
            }),
        }
    }

    fn value(&self, record: &StringRecord, column: usize) -> Result<f64, DataError> {
        let text = &record[column];
        number(text).ok_or_else(|| DataError::CsvValue {
            path: self.path.clone(),
            line: record.position().map_or(0, csv::Position::line),
            column,
            text: text.chars().take(100).collect(),
        })
    }
}

/// NaN and infinities are numbers here; what scores or trains on them names their row and column.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}
