//! Rows of numbers, some lines at a time.

use std::path::{Path, PathBuf};

use super::comment::{Above, above, told};
use super::head::{First, Head, names, names_rows};
use super::labels::Labels;
use super::records::{Record, Records};
use super::table::CsvOptions;
use super::{CsvColumn, CsvConfig, LabelColumn};
use crate::cell::{Cell, cell, rule};
use crate::table_rows::check_names;
use crate::{DataError, Place, Result};

/// The rows that are still to come.
pub(crate) struct CsvRows {
    path: PathBuf,
    records: Records,
    decimal: u8,
    /// The first line of the table.
    first: u64,
    /// Cells of a line; 0 in an empty file.
    fields: usize,
    /// Lines that were looked at: the first of them may be names.
    ahead: std::vec::IntoIter<Record>,
    /// Whether it was left to the file whether its first line holds names.
    guessed: bool,
    /// Whether columns may be other than numbers.
    of_columns: bool,
    names: Vec<String>,
    features: Vec<usize>,
    ids: Option<usize>,
    labels: Option<Labels>,
    /// Whether the samples begin with `#`, once one was read.
    hashed: Option<bool>,
}

/// Some rows.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) count: usize,
    /// `[count, features]`.
    pub(crate) values: Vec<f64>,
    /// `[count]`, or none without a column of labels.
    pub(crate) labels: Vec<Option<u8>>,
    /// `[count]`, or none without a column of the rows' names.
    pub(crate) ids: Vec<String>,
}

impl CsvRows {
    /// A table without labels.
    pub(crate) fn open(path: &Path, options: &CsvOptions) -> Result<Self> {
        Self::with_labels(path, options, None, u64::MAX, false)
    }

    /// All columns of a table, numbers or not.
    pub(super) fn of_columns(path: &Path, options: &CsvOptions) -> Result<Self> {
        Self::with_labels(path, options, None, u64::MAX, true)
    }

    /// A table with labels.
    pub(crate) fn labeled(path: &Path, config: &CsvConfig, limit: u64) -> Result<Self> {
        Self::with_labels(path, &config.table, Some(config), limit, false)
    }

    fn with_labels(
        path: &Path,
        options: &CsvOptions,
        labels: Option<&CsvConfig>,
        limit: u64,
        of_columns: bool,
    ) -> Result<Self> {
        options.check()?;
        let options = &options.of(path);
        let mut records = Records::open(path, options, limit)?;
        let mut ahead = vec![];
        for _ in 0..2 {
            let mut record = Record::default();
            if records.read(&mut record)? {
                ahead.push(record);
            }
        }
        let mut rows = Self {
            path: path.into(),
            records,
            decimal: options.decimal,
            first: 0,
            fields: 0,
            ahead: vec![].into_iter(),
            guessed: false,
            of_columns,
            names: vec![],
            features: vec![],
            ids: None,
            labels: None,
            hashed: None,
        };
        let mut comments = std::mem::take(&mut rows.records.comments);
        if ahead.is_empty() {
            ahead.extend(comments.pop());
        }
        if let Some(first) = ahead.first_mut() {
            // Lines above a table are not its own.
            first.blank = 0;
            rows.settle(&mut ahead, comments, options, labels)?;
        }
        rows.ahead = ahead.into_iter();
        Ok(rows)
    }

    /// Finds out what the columns are, and takes a line of names away.
    fn settle(
        &mut self,
        ahead: &mut Vec<Record>,
        comments: Vec<Record>,
        options: &CsvOptions,
        labels: Option<&CsvConfig>,
    ) -> Result<()> {
        let mut header = told_header(options, labels);
        self.guessed = header.is_none();
        if let Some(names) = self.names_above(ahead, comments, header, options, labels)? {
            ahead.insert(0, names);
            header = Some(true);
        }
        self.first = ahead[0].line;
        self.fields = self.count(ahead, header, labels.is_some());
        match (&options.names, header) {
            (Some(given), _) => self.names = self.given(given)?,
            (None, Some(true)) => self.names = names(&ahead[0], self.fields),
            (None, _) => {}
        }
        self.choose(options, labels)?;
        if header.is_none() && self.has_names(ahead)? {
            self.names = names(&ahead[0], self.fields);
        }
        if !self.names.is_empty() && options.names.is_none() {
            let first = ahead.remove(0);
            // The rows' own names, where nobody says what they are.
            let own = self.fields > 1 && names_rows(first.cell(0).as_ref());
            if own && options.columns.is_none() && !self.of_columns {
                self.features.retain(|&column| column != 0);
                self.ids = self.ids.or(Some(0));
            }
        }
        if options.columns.is_none() && !self.of_columns {
            check_names(&self.path, &self.feature_names())?;
        }
        Ok(())
    }

    /// The names that the caller gave.
    fn given(&self, names: &[String]) -> Result<Vec<String>> {
        if names.len() == self.fields {
            return Ok(names.to_vec());
        }
        let rule = "lines must have as many fields as names are given";
        let found = format!("{} for {} names", self.fields, names.len());
        Err(self.malformed(self.first, rule, found))
    }

    /// Cells of a line, without an empty one behind a delimiter at each line's end.
    fn count(&self, ahead: &[Record], header: Option<bool>, labeled: bool) -> usize {
        let first = &ahead[0];
        let is_number = |text: &str| matches!(cell(text, self.decimal), Cell::Number(_));
        let names = header.unwrap_or_else(|| !first.cells().any(|text| is_number(&text)));
        let Some(second) = ahead.get(1).filter(|_| names || !labeled) else {
            return first.len();
        };
        match first.ends_empty() {
            true if second.ends_empty() && second.len() == first.len() => first.len() - 1,
            true if second.len() + 1 == first.len() => second.len(),
            _ => first.len(),
        }
    }

    fn labels(&self, config: &CsvConfig) -> Result<Labels> {
        let column = match &config.label {
            LabelColumn::Name(name) => self.find(&CsvColumn::Name(name.clone()))?,
            LabelColumn::Index(column) => self.find(&CsvColumn::Index(*column))?,
            LabelColumn::Last => self.fields - 1,
        };
        Ok(Labels {
            column,
            classes: config.classes.clone(),
            rest: config.rest,
            decimal: self.decimal,
        })
    }

    /// The names of the columns, where a comment above the table holds them.
    fn names_above(
        &mut self,
        ahead: &[Record],
        comments: Vec<Record>,
        header: Option<bool>,
        options: &CsvOptions,
        labels: Option<&CsvConfig>,
    ) -> Result<Option<Record>> {
        if comments.is_empty() || header == Some(false) {
            return Ok(None);
        }
        let own = match header {
            Some(_) => told(&ahead[0], self.decimal),
            None => {
                self.fields = self.count(ahead, header, labels.is_some());
                self.choose(options, labels)?;
                self.head(ahead)
            }
        };
        match above(comments, &ahead[0], own, header.is_some(), self.decimal) {
            Above::Comments => Ok(None),
            Above::Names(names) => Ok(Some(names)),
            Above::Asked {
                line,
                found,
                meanings,
                remedy,
            } => Err(DataError::Ambiguous {
                path: self.path.clone(),
                place: Box::new(Place::Line(line)),
                found,
                meanings,
                remedy,
            }),
        }
    }

    /// The columns of labels and of the rows' names, and the features: those that are chosen, or all others.
    fn choose(&mut self, options: &CsvOptions, labels: Option<&CsvConfig>) -> Result<()> {
        self.labels = labels.map(|config| self.labels(config)).transpose()?;
        let ids = options.ids.as_ref();
        self.ids = ids.map(|column| self.find(column)).transpose()?;
        let label = self.labels.as_ref().map(|labels| labels.column);
        self.features = match &options.columns {
            Some(columns) => columns
                .iter()
                .map(|c| self.find(c))
                .collect::<Result<_>>()?,
            None => (0..self.fields)
                .filter(|&column| Some(column) != label && Some(column) != self.ids)
                .collect(),
        };
        Ok(())
    }

    fn head(&self, ahead: &[Record]) -> Head {
        let first = First {
            first: &ahead[0],
            second: ahead.get(1),
            features: &self.features,
            labels: self.labels.as_ref(),
            decimal: self.decimal,
        };
        if self.of_columns {
            first.head_of_columns()
        } else {
            first.head()
        }
    }

    fn has_names(&self, ahead: &[Record]) -> Result<bool> {
        match self.head(ahead) {
            Head::Names => Ok(true),
            Head::Sample => Ok(false),
            Head::Either(what) => {
                let start: Vec<_> = ahead[0].cells().take(4).collect();
                Err(DataError::Ambiguous {
                    path: self.path.clone(),
                    place: Box::new(Place::Line(ahead[0].line)),
                    found: format!("{what} ({})", start.join(", ")),
                    meanings: "names of columns or a sample",
                    remedy: "set `header` to true or false",
                })
            }
        }
    }

    /// The position of a column; the only one of its name.
    fn find(&self, column: &CsvColumn) -> Result<usize> {
        let name = match column {
            CsvColumn::Index(column) if *column < self.fields => return Ok(*column),
            CsvColumn::Index(column) => {
                return Err(self.missing(format!("column {column} (from 0)")));
            }
            CsvColumn::Name(name) => name,
        };
        let mut at = (0..self.names.len()).filter(|&i| self.names[i] == *name);
        match (at.next(), at.next()) {
            (Some(column), None) => Ok(column),
            (None, _) => Err(self.missing(name.clone())),
            (Some(_), Some(_)) => Err(DataError::Malformed {
                path: self.path.clone(),
                place: Place::Line(self.first),
                rule: "the name of a column that is asked for must be there once",
                found: format!("{name:?} twice"),
            }),
        }
    }

    /// Number of features.
    pub(crate) fn width(&self) -> usize {
        self.features.len()
    }

    /// Names of the features; none without a line of names.
    pub(crate) fn feature_names(&self) -> Vec<String> {
        let name = |&column: &usize| self.names.get(column).cloned();
        self.features.iter().filter_map(name).collect()
    }

    /// The next `size` rows, or what is left of them.
    pub(crate) fn read_lines(&mut self, size: usize) -> Result<Option<Lines>> {
        let mut lines = Lines::default();
        let mut record = Record::default();
        while lines.count < size && self.next_record(&mut record)? {
            for &column in &self.features {
                match cell(&record.cell(column), self.decimal) {
                    Cell::Number(value) if value.is_finite() => lines.values.push(value),
                    _ => {
                        let rule = rule(&record.cell(column), self.decimal);
                        return Err(self.bad(&record, column, rule));
                    }
                }
            }
            if let Some(labels) = &self.labels {
                let label = labels.label(&record.cell(labels.column));
                let label = label.map_err(|rule| self.bad(&record, labels.column, rule));
                lines.labels.push(label?);
            }
            if let Some(column) = self.ids {
                lines.ids.push(record.cell(column).into_owned());
            }
            lines.count += 1;
        }
        Ok((lines.count > 0).then_some(lines))
    }

    /// Whether there was one more line, which has the cells of the first.
    pub(super) fn next_record(&mut self, record: &mut Record) -> Result<bool> {
        if let Some(first) = self.ahead.next() {
            *record = first;
        } else if !self.records.read(record)? {
            return Ok(false);
        }
        if record.blank > 0 && self.fields == 1 {
            let rule = "a table of one column must have a value in each line";
            return Err(self.malformed(record.blank, rule, "none".into()));
        }
        if *self.hashed.get_or_insert(record.hashed) != record.hashed {
            let rule = "either all samples or none must begin with #: comments stand above a table, \
                        and a cell in quotes begins none";
            let start: String = record.cell(0).chars().take(100).collect();
            return Err(self.malformed(record.line, rule, format!("{start:?}")));
        }
        let surplus = record.len() == self.fields + 1 && record.ends_empty();
        if record.len() == self.fields || surplus {
            return Ok(true);
        }
        let rule = if record.len() == self.fields + 1 && !self.names.is_empty() {
            "lines must have as many fields as the first (R writes none above the names of rows)"
        } else {
            "lines must have as many fields as the first"
        };
        let found = format!("{} after {}", record.len(), self.fields);
        Err(self.malformed(record.line, rule, found))
    }

    fn malformed(&self, line: u64, rule: &'static str, found: String) -> DataError {
        DataError::Malformed {
            path: self.path.clone(),
            place: Place::Line(line),
            rule,
            found,
        }
    }

    fn bad(&self, record: &Record, column: usize, rule: &str) -> DataError {
        let name = self.names.get(column).cloned();
        let again = || record.cells().eq(self.names.iter().map(String::as_str));
        let text: String = record.cell(column).chars().take(100).collect();
        let hint = match self.guessed && self.names.is_empty() && record.line == self.first {
            true => " (set `header` if this line holds names)",
            false if again() => " (the names come again, as where files are joined)",
            false => "",
        };
        DataError::Value {
            path: Some(self.path.clone()),
            place: Place::Cell {
                line: record.line,
                column: name.unwrap_or_else(|| column.to_string()),
            },
            rule: format!("{rule}{hint}"),
            found: format!("{text:?}"),
        }
    }

    fn missing(&self, name: String) -> DataError {
        let present = match self.names.as_slice() {
            [] => (0..self.fields).map(|i| i.to_string()).collect(),
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

/// Whether the first line holds names, where that is said or follows from what is asked for.
fn told_header(options: &CsvOptions, labels: Option<&CsvConfig>) -> Option<bool> {
    let named = |column: &CsvColumn| matches!(column, CsvColumn::Name(_));
    let by_name = options.columns.iter().flatten().any(named)
        || options.ids.as_ref().is_some_and(named)
        || labels.is_some_and(|config| matches!(config.label, LabelColumn::Name(_)));
    match &options.names {
        Some(_) => Some(false),
        None => options.header.or(by_name.then_some(true)),
    }
}
