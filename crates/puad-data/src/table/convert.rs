//! Values of a file as those of a schema.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::column::Interned;
use super::{Column, Field, Group, Kind, Schema, Table};
use crate::cell::{self, Cell};
use crate::raw::{RawBatch, RawColumn};
use crate::value::{Value, time};
use crate::{DataError, Place, Result};

/// Which columns of a file become which of a schema.
pub(super) struct Plan {
    path: PathBuf,
    /// Positions in the file.
    features: Vec<(usize, Field)>,
    ids: Option<(usize, Field)>,
    label: Option<(usize, Field)>,
    schema: Arc<Schema>,
    decimal: u8,
}

impl Plan {
    /// # Errors
    /// [`DataError::Missing`] for features that the file has not, all of them named, and what [`Schema::check`]
    /// says; [`DataError::Ambiguous`] for a column that is undecided.
    pub(super) fn of(schema: &Schema, path: &Path, names: &[String], decimal: u8) -> Result<Self> {
        schema.check()?;
        if let Some(field) = schema.columns.iter().find(|f| f.kind == Kind::Undecided) {
            return Err(undecided(path, field));
        }
        let find = |field: &Field| names.iter().position(|name| *name == field.name);
        let absent = schema.features().filter(|field| find(field).is_none());
        let absent: Vec<&str> = absent.map(|field| field.name.as_str()).collect();
        if !absent.is_empty() {
            return Err(DataError::Missing {
                path: path.into(),
                name: format!("the columns {absent:?}"),
                present: names.to_vec(),
            });
        }
        let found = |field: &Field| find(field).map(|at| (at, field.clone()));
        let of_kind = |kind| schema.columns.iter().filter(move |f| f.kind == kind);
        Ok(Self {
            path: path.into(),
            features: schema.features().filter_map(found).collect(),
            ids: of_kind(Kind::Id).find_map(found),
            label: of_kind(Kind::Label).find_map(found),
            schema: Arc::new(schema.clone()),
            decimal,
        })
    }

    /// Whether a value stands for none.
    fn is_gap(&self, value: Value<'_>, kind: Kind) -> bool {
        let Schema {
            gaps, usual_gaps, ..
        } = self.schema.as_ref();
        match value {
            Value::Gap => true,
            Value::Word(text) => {
                let text = cell::bare(text);
                text.is_empty()
                    || (*usual_gaps && cell::is_gap(text, kind == Kind::Category))
                    || gaps.iter().any(|mark| self.is_mark(mark, text))
            }
            Value::Number(value) => gaps.iter().any(|mark| mark.parse() == Ok(value)),
            _ => false,
        }
    }

    fn is_mark(&self, mark: &str, text: &str) -> bool {
        let number = |text: &str, decimal| match cell::cell(text, decimal) {
            Cell::Number(value) => Some(value),
            Cell::Missing | Cell::Text => None,
        };
        let value = number(mark, b'.');
        mark.eq_ignore_ascii_case(text)
            || (value.is_some()
                && mark.parse::<f64>().is_ok()
                && number(text, self.decimal) == value)
    }

    fn bad(
        &self,
        field: &Field,
        of: &Rows<'_>,
        row: usize,
        rule: &str,
        value: Value<'_>,
    ) -> DataError {
        let column = field.name.clone();
        let place = match of.raw.lines.get(row) {
            Some(&line) => Place::Cell { line, column },
            None => Place::Entry {
                row: of.first as usize + row,
                column,
            },
        };
        let found = match value {
            Value::Word(text) => format!("{:?}", text.chars().take(100).collect::<String>()),
            other => other.to_string(),
        };
        DataError::Value {
            path: Some(self.path.clone()),
            place,
            rule: rule.into(),
            found,
        }
    }
}

fn undecided(path: &Path, field: &Field) -> DataError {
    DataError::Ambiguous {
        path: path.into(),
        place: Box::new(Place::Whole),
        found: format!("the column {:?} ({})", field.name, field.about),
        meanings: "of one kind or another",
        remedy: "say which by the schema's `with_kind`, or `with_label` if it is the label",
    }
}

/// Rows as the file has them, and how many were before.
pub(super) struct Rows<'a> {
    pub(super) raw: &'a RawBatch,
    pub(super) first: u64,
}

/// A table that is being read.
pub(super) struct Building {
    columns: Vec<Partial>,
    rows: usize,
    ids: Vec<String>,
    labels: Vec<Group>,
}

enum Partial {
    Numbers(Vec<f64>),
    Categories(Interned),
    Booleans(Vec<Option<bool>>),
    Times(Vec<f64>),
}

impl Building {
    pub(super) fn new(plan: &Plan) -> Self {
        let partial = |(_, field): &(usize, Field)| match field.kind {
            Kind::Category => Partial::Categories(Interned::default()),
            Kind::Boolean => Partial::Booleans(vec![]),
            Kind::Time => Partial::Times(vec![]),
            _ => Partial::Numbers(vec![]),
        };
        Self {
            columns: plan.features.iter().map(partial).collect(),
            rows: 0,
            ids: vec![],
            labels: vec![],
        }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`DataError::Value`] with line or row and column for a value of another kind than its column's.
    pub(super) fn extend(&mut self, plan: &Plan, rows: &Rows<'_>) -> Result<()> {
        for ((at, field), partial) in plan.features.iter().zip(&mut self.columns) {
            let column = &rows.raw.columns[*at];
            for row in 0..rows.raw.rows {
                let value = column.value(row);
                let pushed = push(partial, plan, field, value);
                pushed.map_err(|rule| plan.bad(field, rows, row, rule, value))?;
            }
        }
        if let Some((at, _)) = &plan.ids {
            let texts = (0..rows.raw.rows).map(|row| text(&rows.raw.columns[*at], row));
            self.ids.extend(texts.map(Cow::into_owned));
        }
        if let Some((at, field)) = &plan.label {
            for row in 0..rows.raw.rows {
                let label = text(&rows.raw.columns[*at], row);
                let group = plan.schema.labels.group(&label);
                let value = Value::Word(&label);
                let group = group.map_err(|rule| plan.bad(field, rows, row, rule, value));
                self.labels.push(group?);
            }
        }
        self.rows += rows.raw.rows;
        Ok(())
    }

    pub(super) fn finish(self, plan: &Plan) -> Table {
        let column = |partial| match partial {
            Partial::Numbers(values) => Column::Numbers(values),
            Partial::Categories(words) => Column::Categories(words.finish()),
            Partial::Booleans(values) => Column::Booleans(values),
            Partial::Times(values) => Column::Times(values),
        };
        let names = plan.features.iter().map(|(_, field)| field.name.clone());
        Table {
            schema: plan.schema.clone(),
            columns: names.zip(self.columns.into_iter().map(column)).collect(),
            rows: self.rows,
            ids: self.ids,
            labels: plan.label.is_some().then_some(self.labels),
        }
    }
}

/// # Errors
/// The rule that the value breaks.
fn push(
    partial: &mut Partial,
    plan: &Plan,
    field: &Field,
    value: Value<'_>,
) -> Result<(), &'static str> {
    let gap = plan.is_gap(value, field.kind);
    match partial {
        Partial::Numbers(values) if gap => values.push(f64::NAN),
        Partial::Times(values) if gap => values.push(f64::NAN),
        Partial::Booleans(values) if gap => values.push(None),
        Partial::Categories(words) if gap => words.push(""),
        Partial::Numbers(values) => values.push(number(value, plan.decimal)?),
        Partial::Times(values) => values.push(instant(value, field.format.as_deref())?),
        Partial::Booleans(values) => values
            .push(Some(boolean(value).ok_or(
                "truth values must be true or false, yes or no, t or f, y or n, 1 or 0",
            )?)),
        Partial::Categories(words) => match value {
            Value::Word(text) => words.push(cell::bare(text)),
            other => words.push(&other.to_string()),
        },
    }
    Ok(())
}

fn number(value: Value<'_>, decimal: u8) -> Result<f64, &'static str> {
    let number = match value {
        Value::Number(number) => number,
        Value::Boolean(value) => f64::from(u8::from(value)),
        Value::Word(text) => match cell::cell(text, decimal) {
            Cell::Number(number) => number,
            Cell::Missing => {
                return Err(
                    "numbers must be written as such: what people write for a gap is none under `with_only_gaps`",
                );
            }
            Cell::Text => {
                return Err(
                    "numbers must be written as such: `with_gaps` of the schema says what stands for a gap, or \
                     make the column a category",
                );
            }
        },
        Value::Time(_) | Value::Gap => return Err("numbers must be no times"),
    };
    if number.is_finite() {
        Ok(number)
    } else {
        Err("numbers must be finite")
    }
}

fn instant(value: Value<'_>, format: Option<&str>) -> Result<f64, &'static str> {
    let read = |text: &str| match format {
        Some(format) => time::read_in(text, format),
        None => time::read(text),
    };
    let found = match value {
        Value::Time(seconds) => Some(seconds),
        Value::Word(text) => read(cell::bare(text)),
        Value::Number(number) => read(&number.to_string()),
        Value::Boolean(_) | Value::Gap => None,
    };
    found.filter(|seconds| seconds.is_finite()).ok_or(
        "times must be as 2026-01-31 14:05:00, or as the column's `format` says (`with_time`)",
    )
}

/// `None` for what is no truth value.
pub(super) fn boolean(value: Value<'_>) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(value),
        Value::Number(1.) => Some(true),
        Value::Number(0.) => Some(false),
        Value::Word(text) => {
            let text = cell::bare(text);
            let is = |words: [&str; 5]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
            match (
                is(["true", "yes", "t", "y", "1"]),
                is(["false", "no", "f", "n", "0"]),
            ) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A value as it is written; a gap is empty.
fn text(column: &RawColumn, row: usize) -> Cow<'_, str> {
    match column.value(row) {
        Value::Word(text) => Cow::Borrowed(cell::bare(text)),
        Value::Gap => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}
