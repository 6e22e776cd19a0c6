//! Tables as numbers: what stands between a [`Table`] of words, times and gaps and a detector of vectors.
//!
//! [`Estimator::fit_table`](crate::Estimator::fit_table) fits an [`Encoding`] on the unlabeled training rows, as
//! an [`EncodingConfig`] says, and keeps it with the detector. Every row is encoded by itself:
//!
//! | column | numbers |
//! |---|---|
//! | number | itself, or its logarithm |
//! | category | a column for each frequent level, its rarity, and hashed columns on request |
//! | boolean | 1 or 0 |
//! | time | seconds, and on request the hour as a point on a circle and the day of the week |
//! | a gap in any | an error, or the median beside a column that says so |
//!
//! ```
//! use puad::data::table::{Column, Table};
//! use puad::encoding::{Encoding, EncodingConfig};
//!
//! let table = Table::new([
//!     ("amount", Column::from(vec![12.5, 9., 11.])),
//!     ("online", Column::from(vec![true, false, true])),
//! ])?;
//! let encoding = Encoding::fit(&table, &[0, 1, 2], &EncodingConfig::default())?;
//! let samples = encoding.encode(&table)?;
//! assert_eq!(samples.names(), ["amount", "online"]);
//! assert_eq!(samples.to_tensor()?.to_vec2::<f64>()?[1], [9., 0.]);
//! # Ok::<(), puad::Error>(())
//! ```

mod category;
mod config;
mod encoder;
mod flag;
mod number;
mod rows;
mod time;
mod usual;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

pub use self::config::{Beyond, ColumnEncoding, EncodingConfig, Gaps};
use self::encoder::Encoder;
use self::rows::{Pushed, Rule};
pub use self::usual::Usual;
pub(crate) use self::usual::short;
use crate::data::Samples;
use crate::data::table::{Column, Field, Kind, Schema, Table, Value};
use crate::{Error, Result};

/// How a table becomes numbers, fitted on the unlabeled training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    columns: Vec<Encoded>,
    /// The column of the rows' names, which a file may lack.
    id: Option<String>,
    gaps: Vec<String>,
    usual_gaps: bool,
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    name: String,
    format: Option<String>,
    encoder: Encoder,
}

/// Levels of one column that no training row had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewLevels {
    /// The position of the column in the table of the fit.
    pub(crate) column: usize,
    /// The first of them.
    pub(crate) level: String,
    /// In how many rows.
    pub(crate) rows: u64,
}

impl Encoding {
    /// On these rows of a table, the unlabeled ones that are trained on.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting outside its range, of a column that is not there or that does not go with
    /// it, and for a table without columns; [`Error::EmptyGroup`] without rows.
    pub fn fit(table: &Table, rows: &[usize], config: &EncodingConfig) -> Result<Self> {
        config.check()?;
        if rows.is_empty() {
            let (what, group) = ("an encoding", "unlabeled");
            return Err(Error::EmptyGroup { what, group });
        }
        if table.names().is_empty() {
            return Err(Error::config("columns", "at least one feature", "none"));
        }
        for (name, set) in &config.columns {
            check_column(table, name, set)?;
        }
        let schema = table.schema();
        let columns = table.columns().map(|(name, column)| Encoded {
            name: name.into(),
            format: schema.field(name).and_then(|field| field.format.clone()),
            encoder: Encoder::fit(column, rows, config.of(name)),
        });
        let columns: Vec<Encoded> = columns.collect();
        if let Some(empty) = columns.iter().find(|of| of.encoder.width() == 0) {
            let rule = "a time's instant, hour or weekday";
            return Err(Error::config(
                "encoding",
                rule,
                format!("none for {:?}", empty.name),
            ));
        }
        let id = schema.columns.iter().find(|field| field.kind == Kind::Id);
        Ok(Self {
            columns,
            id: id.map(|field| field.name.clone()),
            gaps: schema.gaps.clone(),
            usual_gaps: schema.usual_gaps,
        })
    }

    /// A table as samples `[n, numbers]` in f64 with names. Its columns may be in any order, and others among
    /// them.
    ///
    /// # Errors
    /// [`Error::Columns`] for columns that are not there, [`Error::ColumnKind`] for one of another kind,
    /// [`Error::Gap`] for a value that is missing, unless the encoding fills gaps.
    pub fn encode(&self, table: &Table) -> Result<Samples> {
        Ok(self.encode_rows("rows of a table", table)?.0)
    }

    /// `what`: who the rows are in errors.
    pub(crate) fn encode_rows(
        &self,
        what: &'static str,
        table: &Table,
    ) -> Result<(Samples, Vec<NewLevels>)> {
        let mut columns = self.columns_of(what, table)?;
        let width = self.width();
        let mut values = Vec::with_capacity(table.len() * width);
        for row in 0..table.len() {
            for (at, column) in columns.iter_mut().enumerate() {
                column
                    .push(row, &mut values)
                    .map_err(|Rule::Gap| Error::Gap {
                        what,
                        row,
                        id: table.ids().get(row).filter(|id| !id.is_empty()).cloned(),
                        column: self.columns[at].name.clone(),
                    })?;
            }
        }
        let new = columns.into_iter().enumerate();
        let new = new.filter_map(|(column, of)| {
            let (level, rows) = of.into_new()?;
            Some(NewLevels {
                column,
                level,
                rows,
            })
        });
        let new = new.collect();
        let tensor = Tensor::from_vec(values, (table.len(), width), &Device::Cpu)?;
        Ok((Samples::from(tensor).with_names(&self.names())?, new))
    }

    /// The table's columns in the order of the fit.
    fn columns_of<'a>(&'a self, what: &'static str, table: &'a Table) -> Result<Vec<Pushed<'a>>> {
        let needed = self.columns.iter().map(|of| of.name.as_str());
        if needed.clone().any(|name| table.column(name).is_none()) {
            let found = table.names();
            return Err(Error::columns(what, needed, found.into_iter()));
        }
        let columns = self
            .columns
            .iter()
            .filter_map(|of| Some((of, table.column(&of.name)?)));
        columns
            .map(|(of, column)| Pushed::of(&of.name, &of.encoder, column))
            .collect()
    }

    /// How many numbers a row becomes.
    pub(crate) fn width(&self) -> usize {
        self.columns.iter().map(|of| of.encoder.width()).sum()
    }

    /// Names of the numbers, `[numbers]`.
    pub fn names(&self) -> Vec<String> {
        self.columns
            .iter()
            .flat_map(|of| of.encoder.names(&of.name))
            .collect()
    }

    /// For each number the position of the column that it is of, `[numbers]`.
    pub fn sources(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        columns
            .flat_map(|(i, of)| std::iter::repeat_n(i, of.encoder.width()))
            .collect()
    }

    /// For each number whether it is a measured value, and not a mark of a level, of a part of a time or of a gap.
    pub(crate) fn measured(&self) -> Vec<bool> {
        let columns = self.columns.iter();
        let numbers = columns
            .flat_map(|of| (0..of.encoder.width()).map(|i| i == 0 && of.encoder.is_measured()));
        numbers.collect()
    }

    /// Names of the table's columns, in the order of the fit.
    pub fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|of| of.name.as_str()).collect()
    }

    /// What the fit's unlabeled training rows have where `value` stands.
    ///
    /// # Panics
    /// For a column beyond the last.
    pub fn usual(&self, column: usize, value: Value<'_>) -> Usual {
        self.columns[column].encoder.usual(value)
    }

    /// What a file is read by.
    pub fn schema(&self) -> Schema {
        let field = |name: &String, kind, format: &Option<String>| Field {
            name: name.clone(),
            kind,
            format: format.clone(),
            about: String::new(),
        };
        let features = self.columns.iter();
        let features = features.map(|of| field(&of.name, of.encoder.kind(), &of.format));
        let id = self.id.iter().map(|name| field(name, Kind::Id, &None));
        Schema {
            columns: features.chain(id).collect(),
            gaps: self.gaps.clone(),
            usual_gaps: self.usual_gaps,
            ..Schema::default()
        }
    }

    /// Columns of times that are taken as numbers.
    pub(crate) fn instants(&self) -> impl Iterator<Item = usize> {
        let columns = self.columns.iter().enumerate();
        let instant =
            |of: &Encoded| matches!(&of.encoder, Encoder::Time(time) if time.is_instant());
        columns.filter(move |(_, of)| instant(of)).map(|(i, _)| i)
    }

    /// # Errors
    /// [`Error::Config`] for numbers, read from a file, that no fit gives.
    pub(crate) fn check(&self) -> Result<()> {
        self.schema().check().map_err(Error::from)?;
        for of in &self.columns {
            let checked = of.encoder.check();
            checked.map_err(|rule| {
                Error::config("encoding", rule, format!("others for {:?}", of.name))
            })?;
        }
        Ok(())
    }
}

/// Columns of amounts that span orders of magnitude and are taken as they are: position, and between what most of
/// the values that are not 0 lie.
pub(crate) fn wide(
    table: &Table,
    rows: &[usize],
    config: &EncodingConfig,
) -> Vec<(usize, (f64, f64))> {
    let columns = table.columns().enumerate();
    let wide = columns.filter_map(|(i, (name, column))| match column {
        Column::Numbers(values) if !config.of(name).logarithm => {
            Some((i, number::spans_orders(values, rows)?))
        }
        _ => None,
    });
    wide.collect()
}

fn check_column(table: &Table, name: &str, set: &ColumnEncoding) -> Result<()> {
    let Some(column) = table.column(name) else {
        let value = format!("{name:?} of {:?}", table.names());
        return Err(Error::config("encoding", "of the table's columns", value));
    };
    match (set.logarithm, column) {
        (true, Column::Numbers(_)) | (false, _) => Ok(()),
        (true, _) => {
            let rule = "for columns of numbers alone";
            Err(Error::config("logarithm", rule, format!("{name:?}")))
        }
    }
}

#[cfg(test)]
mod tests;
