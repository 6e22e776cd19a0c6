//! What the columns of a file seem to be.

use std::collections::HashSet;

use super::found::Found;
use super::names::{of_keys, of_labels, of_rows, says_normal, unnamed};
use super::{Field, Kind, Labels, Schema};
use crate::raw::{RawBatch, RawColumn};
use crate::value::time;

/// Rows from which on a column of words that all differ tells rows apart.
const APART: u64 = 20;

/// What is found in the columns of a file.
#[derive(Default)]
pub(super) struct Survey {
    columns: Vec<Found>,
    rows: u64,
}

impl Survey {
    pub(super) fn add(&mut self, raw: &RawBatch, decimal: u8) {
        self.columns.resize_with(raw.columns.len(), Found::default);
        for (column, found) in raw.columns.iter().zip(&mut self.columns) {
            add_column(found, column, raw, self.rows, decimal);
        }
        self.rows += raw.rows as u64;
    }

    /// A kind a column, and the labels' meaning where there is one only. `unread`: columns whose values are not
    /// read, and what they hold.
    pub(super) fn schema(mut self, names: &[String], unread: &[(String, String)]) -> Schema {
        // Of a file without rows.
        self.columns.resize_with(names.len(), Found::default);
        let mut schema = Schema::default();
        let mut ids = HashSet::new();
        for (name, found) in names.iter().zip(&self.columns) {
            let (kind, about) = field(name, found, &mut schema.labels);
            let (kind, about) = match kind {
                Kind::Id if !ids.insert("one") => {
                    (Kind::Ignored, format!("{about}, as another column"))
                }
                Kind::Label if schema.columns.iter().any(|of| of.kind == Kind::Label) => (
                    Kind::Undecided,
                    format!("{about}: another label or a feature"),
                ),
                kind => (kind, about),
            };
            schema.columns.push(Field {
                name: name.clone(),
                kind,
                format: None,
                about,
            });
        }
        for (name, held) in unread {
            if schema.field(name).is_none() {
                schema.columns.push(Field {
                    name: name.clone(),
                    kind: Kind::Ignored,
                    format: None,
                    about: format!("{held}, which is not read"),
                });
            }
        }
        schema
    }
}

fn add_column(found: &mut Found, column: &RawColumn, raw: &RawBatch, first: u64, decimal: u8) {
    found.in_lines = !raw.lines.is_empty();
    for row in 0..raw.rows {
        // Lines count from 1, rows from 0.
        let place = raw.lines.get(row).copied().unwrap_or(first + row as u64);
        found.add(column.value(row), place, decimal);
    }
}

/// The kind of a column, and what is said of it.
fn field(name: &str, found: &Found, labels: &mut Labels) -> (Kind, String) {
    if of_labels(name) {
        return label(found, labels);
    }
    let (kind, about) = kind(name, found);
    let integers = kind == Kind::Number && found.integers;
    let told = of_rows(name) && (kind.is_feature() || found.codes);
    let key = of_keys(name) && integers;
    let apart = match () {
        () if told => found.unique() && kind != Kind::Time,
        () if key => found.unique() && found.values() >= APART,
        () => found.unique(),
    };
    match (told || key || (unnamed(name) && integers), apart) {
        (true, true) => (Kind::Id, about),
        (true, false) => (
            Kind::Undecided,
            format!("{about}: a feature, or what tells rows apart"),
        ),
        (false, _) => (kind, about),
    }
}

fn kind(name: &str, found: &Found) -> (Kind, String) {
    let n = found.values();
    let gaps = match found.gaps {
        0 => String::new(),
        1 => ", 1 gap".into(),
        gaps => format!(", {gaps} gaps"),
    };
    let range = format!("{} to {}{gaps}", found.low, found.high);
    match () {
        () if n == 0 => (Kind::Ignored, "nothing in it".into()),
        () if found.times == n => {
            let (first, last) = (
                time::written(found.first_time),
                time::written(found.last_time),
            );
            (Kind::Time, format!("{first} to {last}{gaps}"))
        }
        () if found.numbers == n && found.counts && unnamed(name) => {
            (Kind::Id, "counts the rows".into())
        }
        () if found.numbers == n && found.codes => (
            Kind::Undecided,
            format!(
                "{range}, with digits that a number does not keep: a category, an id, or a number"
            ),
        ),
        () if found.marks() => (
            Kind::Undecided,
            format!(
                "{}{gaps}: the label (`with_label`), or a feature",
                found.commonest()
            ),
        ),
        () if found.numbers == n => (Kind::Number, range),
        () if found.truths() => (Kind::Boolean, format!("{}{gaps}", found.commonest())),
        () => words(name, found, &gaps),
    }
}

/// Of a column that has other words than numbers, times and truth values.
fn words(name: &str, found: &Found, gaps: &str) -> (Kind, String) {
    let n = found.values();
    let undecided = |about: String| (Kind::Undecided, about);
    match () {
        () if 2 * found.numbers >= n && found.amounts == 0 => undecided(format!(
            "numbers, and {}: a mark of a gap (`with_gaps`, and `with_kind` for numbers), or a category",
            found.odd()
        )),
        () if 2 * (found.times + found.dates) >= n => undecided(format!(
            "times, and {}: `with_time` says how they are written, `with_gaps` what marks a gap, or a category",
            found.odd()
        )),
        () if 2 * (found.numbers + found.amounts) >= n => undecided(format!(
            "as numbers, but {}: with a decimal comma (`CsvOptions::decimal`), with parted thousands or a unit, \
             which are not read, or a category",
            found.odd()
        )),
        () if found.rare() && n >= APART && !found.unique() => undecided(format!(
            "{}{gaps}, hardly one of them twice: a category, an id, or to be ignored",
            found.commonest()
        )),
        () if found.unique() && n >= APART => {
            if unnamed(name) || found.letters / n <= 40 {
                (Kind::Id, format!("another word in each row{gaps}"))
            } else {
                (Kind::Ignored, format!("another text in each row{gaps}"))
            }
        }
        () => (Kind::Category, format!("{}{gaps}", found.commonest())),
    }
}

/// A column with the name of a label: where a single value stands beside gaps it is the anomalies'.
fn label(found: &Found, labels: &mut Labels) -> (Kind, String) {
    let gaps = format!("{} gaps", found.gaps);
    let about = match found.values() {
        0 => gaps.clone(),
        _ => format!("{}, {gaps}", found.commonest()),
    };
    let mut words = found.words.keys();
    match (words.next(), words.next(), found.gaps) {
        (Some(only), None, 1..) if !says_normal(only) => {
            *labels = Labels::anomalous([only.clone()]);
            (
                Kind::Label,
                format!("{about}: {only:?} is an anomaly, gaps are unlabeled"),
            )
        }
        _ => (
            Kind::Undecided,
            format!(
                "{about}: a feature, or the label, of which `with_label` says what values mean"
            ),
        ),
    }
}
