//! Text tables with a column of labels (CSV); needs the feature `tables`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::file::LIMIT;
use crate::{DataError, LabeledRows, Place, Result};

mod columns;
mod comment;
mod head;
mod labels;
mod lines;
mod records;
mod rows;
mod table;

use self::rows::CsvRows;
pub use self::table::{CsvColumn, CsvOptions};

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
/// assert_eq!(table.labels(), [Some(1), Some(0)]);
/// assert_eq!(table.columns(), ["length"]);
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

/// A table with labels. Default: labels in the last column, numbers from 0 to 255, `True` (1) and `False`
/// (0), or none for a sample without a label; the rest as [`CsvOptions`].
///
/// ```
/// use puad_data::csv::{self, CsvConfig};
///
/// // An anomaly of any kind against the normals.
/// let path = std::env::temp_dir().join(format!("kinds-{}.csv", std::process::id()));
/// std::fs::write(&path, "0.5,2,normal.\n0.7,3,smurf.\n0.6,2,\n")?;
/// let config = CsvConfig { classes: vec!["normal.".into()], rest: Some(1), ..Default::default() };
/// let table = csv::read(&path, &config)?;
/// assert_eq!(table.labels(), [Some(0), Some(1), None]);
/// assert_eq!((table.rows_of(1), table.unlabeled()), (vec![1], vec![2]));
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvConfig {
    /// How the file is laid out, and which columns are features.
    pub table: CsvOptions,
    /// Where the labels are.
    pub label: LabelColumn,
    /// Texts of the classes, in their order: the first becomes label 0. Numbers are compared as such. Empty
    /// if labels are numbers from 0 to 255 or truth values.
    pub classes: Vec<String>,
    /// The label of a text that is none of the classes. `None`: it is an error.
    pub rest: Option<u8>,
}

/// Reads a table, plain or gzipped, as [`CsvOptions`] says. All columns but those of labels and of the rows'
/// names must hold finite numbers. At most 2 GiB are read.
///
/// # Errors
/// As [`CsvOptions`]; [`DataError::Value`] with line and column also for a label that is none,
/// [`DataError::Config`] for classes that do not differ or more than 256,
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
/// assert_eq!(table.columns(), ["length", "width"]);
/// assert_eq!(table.labels(), [Some(0), Some(1)]);
/// assert_eq!(table.row(1), Some(&[-300., 0.][..]));
///
/// std::fs::write(&path, "length,state,width\n1.5,ok,n/a\n")?;
/// let error = csv::read(&path, &config).unwrap_err();
/// assert!(error.to_string().ends_with("got \"n/a\" in line 2, column \"width\""));
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>, config: &CsvConfig) -> Result<LabeledRows> {
    let path = path.as_ref();
    check_classes(&config.classes)?;
    let mut rows = CsvRows::labeled(path, config, LIMIT)?;
    let (mut values, mut labels) = (vec![], vec![]);
    while let Some(mut lines) = rows.read_lines(PIECE)? {
        values.append(&mut lines.values);
        labels.append(&mut lines.labels);
    }
    let names = rows.feature_names();
    if names.is_empty() && config.label == LabelColumn::Last {
        check_any(path, &labels)?;
    }
    let table = LabeledRows::checked(Some(path), values, rows.width(), labels)?;
    Ok(table.with_columns(names))
}

/// The last column of a file without names may be none, where nothing is in it.
fn check_any(path: &Path, labels: &[Option<u8>]) -> Result<()> {
    if labels.is_empty() || labels.iter().any(Option::is_some) {
        return Ok(());
    }
    Err(DataError::Ambiguous {
        path: path.into(),
        place: Box::new(Place::Whole),
        found: "lines that end in a delimiter".into(),
        meanings: "unlabeled or without a last column",
        remedy: "set `label` to the number of the column",
    })
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
