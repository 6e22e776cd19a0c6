//! Text tables with a column of labels (CSV); needs the feature `tables`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::file::LIMIT;
use crate::table::check_finite;
use crate::{DataError, Result, Table};

mod rows;
mod table;

use self::rows::CsvRows;
pub use self::table::CsvOptions;

/// Lines read in one go.
const PIECE: usize = 4096;

/// Which column holds the labels.
///
/// ```
/// use puad_data::csv::{self, CsvConfig, LabelColumn};
///
/// let path = std::env::temp_dir().join(format!("labels-{}.csv", std::process::id()));
/// std::fs::write(&path, "state,length\n1,0.5\n0,0.7\n")?;
/// let config = CsvConfig { label: LabelColumn::Index(0), ..Default::default() };
/// let table = csv::read(&path, &config)?;
/// assert_eq!((table.labels(), table.columns()), (&[1, 0][..], &["length".to_string()][..]));
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
/// let path = std::env::temp_dir().join(format!("semicolons-{}.csv", std::process::id()));
/// std::fs::write(&path, "0.5;2;0\n0.7;3;1\n")?;
/// let config = CsvConfig { delimiter: b';', header: false, ..Default::default() };
/// assert_eq!(csv::read(&path, &config)?.labels(), [0, 1]);
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
/// [`DataError::MissingFile`], [`DataError::Read`], [`DataError::Malformed`] for lines of unequal length
/// and text that is not UTF-8, [`DataError::Value`] with line and column for a cell that is no number or
/// no class (an empty one too) and with row and column for one that is not finite, [`DataError::Missing`] for
/// a column that is not there, [`DataError::Config`] for classes that do not differ or more than 256,
/// [`DataError::Shape`] for a larger table.
///
/// ```
/// use puad_data::csv::{self, CsvConfig, LabelColumn};
///
/// let path = std::env::temp_dir().join(format!("states-{}.csv", std::process::id()));
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
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>, config: &CsvConfig) -> Result<Table> {
    let path = path.as_ref();
    check_classes(&config.classes)?;
    let mut rows = CsvRows::open(path, config.delimiter, LIMIT)?;
    rows.set_header(Some(config.header));
    let label = match &config.label {
        LabelColumn::Name(name) => Some(rows.named(name)?),
        LabelColumn::Index(column) => Some(*column),
        LabelColumn::Last => rows.fields().checked_sub(1),
    };
    // An empty file has no last column, and no row that lacks it.
    if let Some(column) = label {
        rows.set_label(column, &config.classes)?;
    }
    let (mut values, mut labels) = (vec![], vec![]);
    while let Some(mut lines) = rows.read_lines(PIECE)? {
        check_finite(
            Some(path),
            labels.len(),
            rows.width(),
            lines.values.iter().copied(),
        )?;
        values.extend(lines.values.iter().map(|&value| value as f32));
        labels.append(&mut lines.labels);
    }
    let table = Table::checked(Some(path), values, rows.width(), labels)?;
    Ok(table.with_columns(rows.feature_names()))
}

/// At most 256, each once.
fn check_classes(classes: &[String]) -> Result<()> {
    if classes.len() > 256 {
        let rule = "at most 256 names";
        return Err(DataError::config("classes", rule, classes.len()));
    }
    let mut sorted: Vec<&String> = classes.iter().collect();
    sorted.sort();
    match sorted.array_windows().find(|[a, b]| a == b) {
        Some([class, _]) => Err(DataError::config(
            "classes",
            "names that differ",
            format!("{class:?} twice"),
        )),
        None => Ok(()),
    }
}
