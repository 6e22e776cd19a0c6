//! Comma-separated fields, some lines at a time.

use std::io::Read;
use std::path::{Path, PathBuf};

use ::csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord, Trim};

use crate::file::Source;
use crate::{DataError, Place, Result};

/// The lines that are still to come.
pub(crate) struct CsvRows {
    path: PathBuf,
    reader: Reader<Box<dyn Read>>,
    /// The most bytes that are read.
    limit: u64,
    /// The first line until it is known to hold names.
    first: Option<StringRecord>,
    names: Vec<String>,
    columns: Vec<usize>,
    label: Option<Label>,
}

/// The column of labels.
struct Label {
    column: usize,
    /// Texts of the classes; none if labels are numbers from 0 to 255.
    classes: Vec<String>,
}

/// Some lines.
pub(crate) struct Lines {
    pub(crate) count: usize,
    /// `[count, columns]`.
    pub(crate) values: Vec<f64>,
    /// `[count]`, or none without a column of labels.
    pub(crate) labels: Vec<u8>,
}

impl CsvRows {
    /// Every column is a feature, and the first line one of numbers, until the reader is told otherwise.
    pub(crate) fn open(path: &Path, delimiter: u8, limit: u64) -> Result<Self> {
        let bytes: Box<dyn Read> = Box::new(Source::open(path)?.take(limit));
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .trim(Trim::All)
            .from_reader(bytes);
        let mut rows = Self {
            path: path.into(),
            reader,
            limit,
            first: None,
            names: vec![],
            columns: vec![],
            label: None,
        };
        let mut first = StringRecord::new();
        rows.first = rows.read(&mut first)?.then_some(first);
        rows.columns = (0..rows.fields()).collect();
        Ok(rows)
    }

    /// The features, in this order.
    pub(crate) fn select(&mut self, columns: &[usize]) -> Result<()> {
        for &column in columns {
            self.check_column(column)?;
        }
        self.columns = columns.to_vec();
        Ok(())
    }

    /// The first line holds names. `None`: if one of the features in it is no number.
    pub(crate) fn set_header(&mut self, header: Option<bool>) {
        let Some(first) = &self.first else {
            return;
        };
        let named = || self.columns.iter().any(|&i| number(&first[i]).is_none());
        if header.unwrap_or_else(named) {
            self.names = first.iter().map(String::from).collect();
            self.first = None;
        }
    }

    /// A column of labels instead of a feature.
    pub(crate) fn set_label(&mut self, column: usize, classes: &[String]) -> Result<()> {
        self.check_column(column)?;
        self.columns.retain(|&feature| feature != column);
        let classes = classes.to_vec();
        self.label = Some(Label { column, classes });
        Ok(())
    }

    /// The position of the only column of this name.
    pub(crate) fn named(&self, name: &str) -> Result<usize> {
        let mut at = (0..self.names.len()).filter(|&i| self.names[i] == name);
        match (at.next(), at.next()) {
            (Some(column), None) => Ok(column),
            (None, _) => Err(self.missing(name.into())),
            (Some(_), Some(_)) => Err(DataError::Malformed {
                path: self.path.clone(),
                place: Place::Line(1),
                rule: "the name of the column of labels must be there once",
                found: format!("{name:?} twice"),
            }),
        }
    }

    /// Fields of a line; 0 in an empty file.
    pub(crate) fn fields(&self) -> usize {
        let first = self.first.as_ref().map(StringRecord::len);
        first.unwrap_or(self.names.len())
    }

    /// Number of features.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Names of the features; none without a line of names.
    pub(crate) fn feature_names(&self) -> Vec<String> {
        let name = |&column: &usize| self.names.get(column).cloned();
        self.columns.iter().filter_map(name).collect()
    }

    /// The next `size` lines, or what is left of them.
    pub(crate) fn read_lines(&mut self, size: usize) -> Result<Option<Lines>> {
        let mut lines = Lines {
            count: 0,
            values: vec![],
            labels: vec![],
        };
        let mut record = StringRecord::new();
        while lines.count < size {
            if let Some(first) = self.first.take() {
                record = first;
            } else if !self.read(&mut record)? {
                break;
            }
            for &column in &self.columns {
                let value = number(&record[column]);
                let value = value.ok_or_else(|| self.bad(&record, column, "cells must be numbers"));
                lines.values.push(value?);
            }
            if let Some(label) = &self.label {
                lines.labels.push(self.class(label, &record)?);
            }
            lines.count += 1;
        }
        Ok((lines.count > 0).then_some(lines))
    }

    fn class(&self, label: &Label, record: &StringRecord) -> Result<u8> {
        let text = &record[label.column];
        let (class, rule) = match label.classes.as_slice() {
            [] => (text.parse().ok(), "labels must be integers from 0 to 255"),
            classes => {
                let at = classes.iter().position(|class| class == text);
                let class = at.and_then(|at| at.try_into().ok());
                (class, "labels must be one of the classes")
            }
        };
        class.ok_or_else(|| self.bad(record, label.column, rule))
    }

    /// Whether there was one more line.
    fn read(&mut self, record: &mut StringRecord) -> Result<bool> {
        match self.reader.read_record(record) {
            Ok(true) => Ok(true),
            // The file was cut there, perhaps within a number.
            Ok(false) if self.reader.position().byte() >= self.limit => {
                let shape = vec![self.reader.position().record() as usize, self.fields()];
                Err(DataError::too_large(&self.path, shape, 1, self.limit))
            }
            Ok(false) => Ok(false),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn broken(&self, error: ::csv::Error) -> DataError {
        let line = error.position().map_or(0, Position::line);
        let malformed = |rule, found| DataError::Malformed {
            path: self.path.clone(),
            place: Place::Line(line),
            rule,
            found,
        };
        match error.kind() {
            ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => malformed(
                "lines must have as many fields as the first",
                format!("{len} after {expected_len}"),
            ),
            ErrorKind::Utf8 { err, .. } => malformed("text must be UTF-8", err.to_string()),
            _ => DataError::read(&self.path, self.reader.position().byte(), error.into()),
        }
    }

    fn bad(&self, record: &StringRecord, column: usize, rule: &str) -> DataError {
        let name = self.names.get(column).cloned();
        let text: String = record[column].chars().take(100).collect();
        DataError::Value {
            path: Some(self.path.clone()),
            place: Place::Cell {
                line: record.position().map_or(0, Position::line),
                column: name.unwrap_or_else(|| column.to_string()),
            },
            rule: rule.into(),
            found: format!("{text:?}"),
        }
    }

    fn check_column(&self, column: usize) -> Result<()> {
        if column < self.fields() {
            return Ok(());
        }
        Err(self.missing(format!("column {column} (from 0)")))
    }

    fn missing(&self, name: String) -> DataError {
        let present = match self.names.as_slice() {
            [] => (0..self.fields()).map(|i| i.to_string()).collect(),
            names => names.to_vec(),
        };
        let path = self.path.clone();
        DataError::Missing {
            path,
            name,
            present,
        }
    }
}

/// NaN and infinities are numbers here; what scores or trains on them names their row and column.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}
