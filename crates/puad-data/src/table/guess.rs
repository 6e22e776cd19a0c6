//! What the columns of a file seem to be.

use std::collections::{HashMap, HashSet};

use super::convert::boolean;
use super::look::{like_a_code, like_a_date, like_an_amount};
use super::names::{of_keys, of_labels, of_rows, says_normal, unnamed};
use super::{Field, Kind, Labels, Schema};
use crate::cell::{self, Cell};
use crate::raw::{RawBatch, RawColumn};
use crate::value::{Value, time};

/// Words of a column that are counted; of more it is known that they are many.
const WORDS: usize = 1 << 16;

/// Rows from which on a column of words that all differ tells rows apart.
const APART: u64 = 20;

/// What is found in one column.
struct Found {
    rows: u64,
    gaps: u64,
    numbers: u64,
    times: u64,
    booleans: u64,
    low: f64,
    high: f64,
    first_time: f64,
    last_time: f64,
    /// Whether every number is an integer, and one more than that before.
    counts: bool,
    integers: bool,
    before: f64,
    words: HashMap<String, u64>,
    /// Whether there are more than are counted.
    many: bool,
    /// The first text that is no number, where there are numbers.
    word: Option<(String, u64)>,
    /// Words that may be dates, and those that may be numbers.
    dates: u64,
    amounts: u64,
    /// Whether a number may be a code.
    codes: bool,
    letters: u64,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            rows: 0,
            gaps: 0,
            numbers: 0,
            times: 0,
            booleans: 0,
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            first_time: f64::INFINITY,
            last_time: f64::NEG_INFINITY,
            counts: true,
            integers: true,
            before: f64::NAN,
            words: HashMap::new(),
            many: false,
            word: None,
            dates: 0,
            amounts: 0,
            codes: false,
            letters: 0,
        }
    }
}

impl Found {
    fn add(&mut self, value: Value<'_>, line: u64, decimal: u8) {
        self.rows += 1;
        match value {
            Value::Gap => self.gaps += 1,
            Value::Word(text) if cell::is_gap(text, false) => self.gaps += 1,
            Value::Word(text) => self.add_text(cell::bare(text), line, decimal),
            Value::Number(number) => {
                self.add_number(number);
                self.add_word(&number.to_string());
            }
            Value::Time(seconds) => self.add_time(seconds),
            Value::Boolean(value) => {
                self.booleans += 1;
                self.add_word(&value.to_string());
            }
        }
    }

    fn add_text(&mut self, text: &str, line: u64, decimal: u8) {
        match cell::cell(text, decimal) {
            // What is written out is a truth value, not a number.
            Cell::Number(number) if text.parse::<f64>().is_ok() || decimal != b'.' => {
                self.codes |= like_a_code(text);
                self.add_number(number);
            }
            _ if boolean(Value::Word(text)).is_some() => self.booleans += 1,
            _ => match time::read(text) {
                Some(seconds) => self.add_time(seconds),
                None => {
                    self.dates += u64::from(like_a_date(text));
                    self.amounts += u64::from(like_an_amount(text));
                    self.word
                        .get_or_insert_with(|| (text.chars().take(40).collect(), line));
                }
            },
        }
        self.letters += text.len() as u64;
        self.add_word(text);
    }

    fn add_word(&mut self, word: &str) {
        if let Some(count) = self.words.get_mut(word) {
            *count += 1;
        } else if self.words.len() < WORDS {
            self.words.insert(word.into(), 1);
        } else {
            self.many = true;
        }
    }

    fn add_number(&mut self, number: f64) {
        self.numbers += 1;
        self.low = self.low.min(number);
        self.high = self.high.max(number);
        self.integers &= number.fract() == 0.;
        self.counts &= number.fract() == 0. && (self.before.is_nan() || number == self.before + 1.);
        self.before = number;
    }

    fn add_time(&mut self, seconds: f64) {
        self.times += 1;
        self.first_time = self.first_time.min(seconds);
        self.last_time = self.last_time.max(seconds);
    }

    fn values(&self) -> u64 {
        self.rows - self.gaps
    }

    /// Whether no value is there twice, as far as was counted.
    fn unique(&self) -> bool {
        self.words.values().all(|count| *count == 1)
    }

    /// Whether all are 0, 1 or truth values written out.
    fn truths(&self) -> bool {
        let bits = self.numbers == 0 || (self.integers && self.low >= 0. && self.high <= 1.);
        self.booleans > 0 && self.booleans + self.numbers == self.values() && bits
    }

    /// The first text that is neither number nor time nor truth value, and where it stands.
    fn odd(&self) -> String {
        match &self.word {
            Some((word, place)) => format!("{word:?} at {place}"),
            None => "values of another kind".into(),
        }
    }

    fn levels(&self) -> String {
        if self.many {
            format!("more than {WORDS} values")
        } else {
            format!("{} values", self.words.len())
        }
    }

    /// The most frequent words with their numbers.
    fn commonest(&self) -> String {
        let mut words: Vec<(&String, &u64)> = self.words.iter().collect();
        words.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
        let more = words.len().saturating_sub(3);
        let told = words.iter().take(3).map(|(word, n)| {
            let word: String = word.chars().take(30).collect();
            format!("{word} ({n})")
        });
        let mut told: Vec<String> = told.collect();
        match (more, self.many) {
            (0, _) => {}
            (_, true) => told.push(self.levels()),
            (more, false) => told.push(format!("{more} more")),
        }
        told.join(", ")
    }
}

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
            "numbers, and {}: a mark of a gap (`with_gaps`), or a category",
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
