//! Text tables with a column of labels (CSV); needs the feature `tables`.

use std::io::Read;
use std::path::Path;

use ::csv::{ReaderBuilder, StringRecord, Trim};
use serde::{Deserialize, Serialize};

use super::file::{LIMIT, Source};
use super::{DataError, FormatError, Table};
use crate::Result;

/// Which column holds the labels.
///
/// ```
/// use puad_data::csv::{self, CsvConfig, LabelColumn};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("table.csv");
/// std::fs::write(&path, "state,length\n1,0.5\n0,0.7\n").unwrap();
/// let config = CsvConfig { label: LabelColumn::Index(0), ..Default::default() };
/// let table = csv::read(&path, &config)?;
/// assert_eq!((table.labels(), table.columns()), (&[1, 0][..], &["length".to_string()][..]));
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelColumn {
    /// The one of this name; needs a header.
    Name(String),
    /// The one of this number, counted from 0.
    Index(usize),
    /// The last one.
    #[default]
    Last,
}

/// How a file is laid out. Default: commas, a header, labels 0 to 255 in the last column.
///
/// ```
/// use puad_data::csv::{self, CsvConfig};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("table.csv");
/// std::fs::write(&path, "0.5;2;0\n0.7;3;1\n").unwrap();
/// let config = CsvConfig { delimiter: b';', header: false, ..Default::default() };
/// assert_eq!(csv::read(&path, &config)?.labels(), [0, 1]);
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvConfig {
    /// The byte between two cells.
    pub delimiter: u8,
    /// Whether the first line holds the columns' names.
    pub header: bool,
    /// Where the labels are.
    pub label: LabelColumn,
    /// Texts of the classes, in their order: the first becomes label 0. Empty if labels are numbers
    /// from 0 to 255.
    pub classes: Vec<String>,
}

impl Default for CsvConfig {
    fn default() -> Self {
        Self {
            delimiter: b',',
            header: true,
            label: LabelColumn::Last,
            classes: vec![],
        }
    }
}

/// Reads a table, plain or gzipped. All columns but the label's must hold finite numbers; spaces
/// around a cell are dropped, and a cell in quotes may hold anything. At most 2 GiB are read.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`] (lines of unequal length, text that is not UTF-8),
/// or [`DataError::Format`] with [`FormatError::Cell`] (with line and column; an empty cell too),
/// [`FormatError::NotFinite`], [`FormatError::MissingKey`], [`FormatError::DuplicateKey`],
/// [`FormatError::Classes`] or [`FormatError::TooLarge`].
///
/// ```
/// use puad_data::csv::{self, CsvConfig, LabelColumn};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("table.csv");
/// std::fs::write(&path, "length,state,width\n1.5,ok,2\n-3e2, broken ,0\n")?;
/// let config = CsvConfig {
///     label: LabelColumn::Name("state".into()),
///     classes: vec!["ok".into(), "broken".into()],
///     ..CsvConfig::default()
/// };
/// let table = csv::read(&path, &config)?;
/// assert_eq!((table.columns(), table.labels()), (&["length", "width"].map(String::from)[..], &[0, 1][..]));
/// assert_eq!(table.row(1), Some(&[-300., 0.][..]));
///
/// std::fs::write(&path, "length,state,width\n1.5,ok,n/a\n")?;
/// let error = csv::read(&path, &config).unwrap_err();
/// assert!(error.to_string().ends_with("got \"n/a\" in line 2, column \"width\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>, config: &CsvConfig) -> Result<Table> {
    Ok(read_file(path.as_ref(), config)?)
}

fn read_file(path: &Path, config: &CsvConfig) -> Result<Table, DataError> {
    let fail = |error: FormatError| error.at(path);
    unique(&config.classes).map_err(fail)?;
    if config.classes.len() > 256 {
        let actual = config.classes.len();
        return Err(fail(FormatError::Classes { actual }));
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(config.delimiter)
        .has_headers(config.header)
        .trim(Trim::All)
        .from_reader(Source::open(path)?.take(LIMIT));
    let broken = |error: ::csv::Error| {
        let offset = error.position().map_or(0, |position| position.byte());
        DataError::Read {
            path: path.into(),
            offset,
            source: error.into(),
        }
    };
    let names = match config.header {
        true => reader.headers().map_err(broken)?.clone(),
        false => StringRecord::new(),
    };
    let mut rows = Rows::new(config, &names).map_err(fail)?;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        let line = record.position().map_or(0, |position| position.line());
        rows.push(&record, line).map_err(fail)?;
    }
    // The table was cut there, perhaps within a number.
    if reader.position().byte() >= LIMIT {
        return Err(fail(FormatError::TooLarge {
            shape: vec![rows.labels.len(), rows.width.unwrap_or(0) + 1],
            element_bytes: 1,
            limit: LIMIT,
        }));
    }
    rows.finish().map_err(fail)
}

fn unique(names: &[String]) -> Result<(), FormatError> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    match sorted.array_windows().find(|[a, b]| a == b) {
        Some([key, _]) => Err(FormatError::DuplicateKey {
            key: key.to_string(),
        }),
        None => Ok(()),
    }
}

/// What has been read.
struct Rows<'a> {
    config: &'a CsvConfig,
    names: Vec<String>,
    /// The label's column, where it is known before the first row.
    label: Option<usize>,
    width: Option<usize>,
    values: Vec<f32>,
    labels: Vec<u8>,
}

impl<'a> Rows<'a> {
    fn new(config: &'a CsvConfig, header: &StringRecord) -> Result<Self, FormatError> {
        let names: Vec<String> = header.iter().map(String::from).collect();
        let missing = |key: &str| FormatError::MissingKey {
            key: key.into(),
            present: names.clone(),
        };
        let label = match &config.label {
            LabelColumn::Name(name) => {
                let mut at = names.iter().enumerate().filter(|(_, n)| *n == name);
                let (first, _) = at.next().ok_or_else(|| missing(name))?;
                if at.next().is_some() {
                    return Err(FormatError::DuplicateKey { key: name.clone() });
                }
                Some(first)
            }
            LabelColumn::Index(at) => Some(*at),
            LabelColumn::Last => None,
        };
        match label {
            Some(at) if config.header && at >= names.len() => Err(missing(&at.to_string())),
            _ => Ok(Self {
                config,
                names,
                label,
                width: None,
                values: vec![],
                labels: vec![],
            }),
        }
    }

    fn push(&mut self, record: &StringRecord, line: u64) -> Result<(), FormatError> {
        let label = self.label.unwrap_or(record.len().saturating_sub(1));
        if label >= record.len() {
            return Err(FormatError::MissingKey {
                key: label.to_string(),
                present: (0..record.len()).map(|i| i.to_string()).collect(),
            });
        }
        let row = self.labels.len();
        self.width = Some(record.len() - 1);
        for (i, cell) in record.iter().enumerate() {
            if i == label {
                let class = self.class(cell);
                let expected = match self.config.classes.is_empty() {
                    true => "integers from 0 to 255",
                    false => "one of the classes",
                };
                let class = class.ok_or_else(|| self.bad_cell(expected, line, i, cell))?;
                self.labels.push(class);
                continue;
            }
            let Ok(value) = cell.parse::<f64>() else {
                return Err(self.bad_cell("numbers", line, i, cell));
            };
            if !(value as f32).is_finite() {
                let column = i - usize::from(i > label);
                return Err(FormatError::NotFinite { row, column, value });
            }
            self.values.push(value as f32);
        }
        Ok(())
    }

    fn class(&self, cell: &str) -> Option<u8> {
        if self.config.classes.is_empty() {
            return cell.parse().ok();
        }
        let mut classes = self.config.classes.iter();
        classes.position(|class| class == cell)?.try_into().ok()
    }

    fn bad_cell(&self, expected: &'static str, line: u64, i: usize, cell: &str) -> FormatError {
        FormatError::Cell {
            expected,
            line,
            column: self.names.get(i).cloned().unwrap_or_else(|| i.to_string()),
            value: cell.into(),
        }
    }

    fn finish(mut self) -> Result<Table, FormatError> {
        if !self.names.is_empty() {
            let label = self.label.unwrap_or(self.names.len() - 1);
            self.names.remove(label);
        }
        let width = self.width.unwrap_or(self.names.len());
        Table::checked(self.values, width, self.labels, self.names)
    }
}
