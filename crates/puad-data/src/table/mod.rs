//! Tables whose columns have names and kinds: numbers, categories, truth values, times, with gaps.
//!
//! A [`Schema`] says what each column is. [`TableFile`] guesses it from a file, and reads by it, whole or some
//! rows at a time; a table in memory is made of [`Column`]s.
//!
//! ```
//! # #[cfg(feature = "tables")] {
//! use puad_data::table::{Group, Kind, Labels, TableFile};
//!
//! let path = std::env::temp_dir().join(format!("payments-{}.csv", std::process::id()));
//! std::fs::write(
//!     &path,
//!     "amount,country,at,state\n12.5,DE,2026-01-03 14:05,\n,FR,2026-01-03 14:07,fraud\n9,DE,2026-01-04 9:00,\n",
//! )?;
//! let file = TableFile::open(&path)?;
//! let schema = file.schema()?.with_label("state", Labels::anomalous(["fraud"]))?;
//! println!("{schema}"); // amount   number     9 to 12.5, 1 gap ...
//! assert_eq!(schema.field("country").map(|field| field.kind), Some(Kind::Category));
//!
//! let table = file.read(&schema)?;
//! assert_eq!((table.len(), table.names()), (3, vec!["amount", "country", "at"]));
//! assert_eq!(table.rows_of(Group::Anomalous), [1]);
//! std::fs::remove_file(path)?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod column;
#[cfg(feature = "tables")]
mod convert;
#[cfg(feature = "tables")]
mod file;
#[cfg(feature = "tables")]
mod found;
#[cfg(feature = "tables")]
mod guess;
mod label;
#[cfg(feature = "tables")]
mod look;
#[cfg(feature = "tables")]
mod names;
mod schema;

pub use crate::value::Value;
#[cfg(feature = "tables")]
pub use crate::value::time::read as parse_time;
pub use column::{Categories, Column};
#[cfg(feature = "tables")]
pub use file::{TableBatches, TableFile};
pub use label::{Group, Labels};
pub use schema::{Field, Kind, Schema};

use std::sync::Arc;

use crate::{DataError, Place, Result};

/// Rows of named columns, which may have names and labels of their own.
///
/// ```
/// use puad_data::table::{Column, Group, Table, Value};
///
/// let table = Table::new([
///     ("amount", Column::from(vec![12.5, 9812.])),
///     ("country", Column::from(vec!["DE", "XX"])),
/// ])?
/// .with_labels(vec![Group::Unlabeled, Group::Anomalous])?;
/// assert_eq!(table.value(1, "country"), Some(Value::Word("XX")));
/// assert_eq!(table.select(&[1]).len(), 1);
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    schema: Arc<Schema>,
    columns: Vec<(String, Column)>,
    rows: usize,
    ids: Vec<String>,
    labels: Option<Vec<Group>>,
}

impl Table {
    /// Of columns, the features.
    ///
    /// # Errors
    /// [`DataError::Length`] for columns of different length, [`DataError::Config`] for a name that is there
    /// twice, [`DataError::Value`] for an infinite number.
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, Column)>) -> Result<Self> {
        let columns = columns
            .into_iter()
            .map(|(name, column)| (name.into(), column));
        let columns: Vec<(String, Column)> = columns.collect();
        let rows = columns.first().map_or(0, |(_, column)| column.len());
        for (at, (name, column)) in columns.iter().enumerate() {
            check_length(&columns[0].0, rows, name, column.len())?;
            if columns[..at].iter().any(|(before, _)| before == name) {
                let twice = format!("{name:?} twice");
                return Err(DataError::config("columns", "names that differ", twice));
            }
            if let Some((row, value)) = column.first_infinite() {
                return Err(DataError::Value {
                    path: None,
                    place: Place::Entry {
                        row,
                        column: name.clone(),
                    },
                    rule: "numbers must be finite, or NaN for a gap".into(),
                    found: value.to_string(),
                });
            }
        }
        let kinds = columns
            .iter()
            .map(|(name, column)| (name.as_str(), column.kind()));
        Ok(Self {
            schema: Arc::new(Schema::new(kinds)?),
            columns,
            rows,
            ids: vec![],
            labels: None,
        })
    }

    /// With a name for each row.
    ///
    /// # Errors
    /// [`DataError::Length`] for another number of them.
    pub fn with_ids(self, ids: Vec<String>) -> Result<Self> {
        check_length("rows", self.rows, "ids", ids.len())?;
        Ok(Self { ids, ..self })
    }

    /// With what is known of each row.
    ///
    /// # Errors
    /// [`DataError::Length`] for another number of them.
    pub fn with_labels(self, labels: Vec<Group>) -> Result<Self> {
        check_length("rows", self.rows, "labels", labels.len())?;
        let labels = Some(labels);
        Ok(Self { labels, ..self })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Names of the columns, in their order.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The columns with their names, in their order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.columns
            .iter()
            .map(|(name, column)| (name.as_str(), column))
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let found = self.columns.iter().find(|(of, _)| of == name);
        found.map(|(_, column)| column)
    }

    /// What stands in a row of a column; `None` without such a row or column.
    pub fn value(&self, row: usize, name: &str) -> Option<Value<'_>> {
        let column = self.column(name).filter(|_| row < self.rows)?;
        Some(column.value(row))
    }

    /// The rows' own names, `[n]`; empty where they have none.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// What is known of each row, `[n]`; `None` without a column of labels.
    pub fn labels(&self) -> Option<&[Group]> {
        self.labels.as_deref()
    }

    /// Positions of the rows of a group, ascending; without labels all are unlabeled.
    pub fn rows_of(&self, group: Group) -> Vec<usize> {
        let of = |row: &usize| match &self.labels {
            Some(labels) => labels[*row] == group,
            None => group == Group::Unlabeled,
        };
        (0..self.rows).filter(of).collect()
    }

    /// Rows at these positions, in their order.
    ///
    /// # Panics
    /// For a position beyond the end.
    pub fn select(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter();
        let columns = columns.map(|(name, column)| (name.clone(), column.select(rows)));
        let ids = rows.iter().filter_map(|&row| self.ids.get(row).cloned());
        let labels = self.labels.as_ref();
        Self {
            schema: self.schema.clone(),
            columns: columns.collect(),
            rows: rows.len(),
            ids: ids.collect(),
            labels: labels.map(|labels| rows.iter().map(|&row| labels[row]).collect()),
        }
    }

    /// What the columns are: as the table was read, or as the values are that it was made of.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

fn check_length(first_name: &str, first: usize, second_name: &str, second: usize) -> Result<()> {
    if first == second {
        return Ok(());
    }
    Err(DataError::Length {
        path: None,
        first_name: first_name.into(),
        first,
        second_name: second_name.into(),
        second,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_are_no_table_are_errors() {
        let numbers = |values: &[f64]| Column::from(values.to_vec());
        let error = |columns: Vec<(&str, Column)>| Table::new(columns).unwrap_err().to_string();
        assert_eq!(
            error(vec![("a", numbers(&[1.])), ("b", numbers(&[1., 2.]))]),
            "a and b must be as many, got 1 and 2"
        );
        assert!(error(vec![("a", numbers(&[1.])), ("a", numbers(&[2.]))]).contains("\"a\" twice"));
        let infinite = error(vec![("a", numbers(&[1., f64::INFINITY]))]);
        assert!(
            infinite.ends_with("got inf in row 1, column \"a\""),
            "{infinite}"
        );
        let table = Table::new([("a", numbers(&[1., f64::NAN]))]).unwrap();
        assert_eq!(table.value(1, "a"), Some(Value::Gap));
        assert_eq!((table.value(2, "a"), table.value(0, "b")), (None, None));
        assert!(table.clone().with_labels(vec![Group::Normal]).is_err());
        assert!(table.with_ids(vec![]).is_err());
    }

    #[test]
    fn selected_rows_keep_names_and_labels() {
        let column = Column::from(vec!["x", "y", "x", ""]);
        let table = Table::new([("word", column)]).unwrap();
        assert_eq!(table.rows_of(Group::Unlabeled), [0, 1, 2, 3]);
        let ids = ["a", "b", "c", "d"].map(String::from).to_vec();
        let labels = [0, 1, 0, 1].map(|i| [Group::Unlabeled, Group::Anomalous][i]);
        let table = table
            .with_ids(ids)
            .unwrap()
            .with_labels(labels.to_vec())
            .unwrap();
        let picked = table.select(&[3, 2, 2]);
        assert_eq!(picked.ids(), ["d", "c", "c"]);
        assert_eq!(picked.rows_of(Group::Anomalous), [0]);
        assert_eq!(picked.value(0, "word"), Some(Value::Gap));
        assert_eq!(picked.value(1, "word"), Some(Value::Word("x")));
        let Some(Column::Categories(words)) = picked.column("word") else {
            panic!("words");
        };
        assert_eq!(words.levels(), ["x"]);
    }
}
