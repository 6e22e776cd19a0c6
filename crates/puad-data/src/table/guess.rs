//! What the columns of a file seem to be.

use std::collections::{HashMap, HashSet};

use super::convert::boolean;
use super::{Field, Kind, Labels, Schema};
use crate::cell::{self, Cell};
use crate::raw::{RawBatch, RawColumn};
use crate::value::{Value, time};

/// Names under which rows are told apart, and those that tell what somebody found out about them.
const OF_ROWS: [&str; 7] = ["id", "index", "idx", "row_id", "rowid", "row", "uuid"];
const OF_LABELS: [&str; 16] = [
    "label",
    "labels",
    "anomaly",
    "is_anomaly",
    "anomalous",
    "outlier",
    "is_outlier",
    "fraud",
    "is_fraud",
    "isfraud",
    "attack",
    "target",
    "class",
    "y",
    "ground_truth",
    "is_attack",
];

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
                self.add_number(number);
            }
            _ if boolean(Value::Word(text)).is_some() => self.booleans += 1,
            _ => match time::read(text) {
                Some(seconds) => self.add_time(seconds),
                None => {
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

    /// A kind a column, and the labels' meaning where there is one only.
    pub(super) fn schema(self, names: &[String]) -> Schema {
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
    let is_one_of = |names: &[&str]| names.iter().any(|of| name.eq_ignore_ascii_case(of));
    if is_one_of(&OF_LABELS) {
        return label(found, labels);
    }
    let (kind, about) = kind(name, found);
    let told = is_one_of(&OF_ROWS) && kind.is_feature();
    match told {
        true if found.unique() && kind != Kind::Time => (Kind::Id, about),
        true => (
            Kind::Undecided,
            format!("{about}: a feature, or what tells rows apart"),
        ),
        false => (kind, about),
    }
}

fn kind(name: &str, found: &Found) -> (Kind, String) {
    let n = found.values();
    let gaps = match found.gaps {
        0 => String::new(),
        1 => ", 1 gap".into(),
        gaps => format!(", {gaps} gaps"),
    };
    let unnamed =
        name.is_empty() || name.starts_with("Unnamed: ") || name.starts_with("__index_level_");
    match () {
        () if n == 0 => (Kind::Ignored, "nothing in it".into()),
        () if found.times == n => {
            let (first, last) = (
                time::written(found.first_time),
                time::written(found.last_time),
            );
            (Kind::Time, format!("{first} to {last}{gaps}"))
        }
        () if found.numbers == n && found.counts && unnamed => (Kind::Id, "counts the rows".into()),
        () if found.numbers == n => (
            Kind::Number,
            format!("{} to {}{gaps}", found.low, found.high),
        ),
        () if found.booleans == n => (Kind::Boolean, format!("{}{gaps}", found.commonest())),
        () if 2 * found.numbers >= n => {
            let (word, place) = found.word.clone().unwrap_or_default();
            let about = format!(
                "numbers, and {:?} at {place}: a mark of a gap (`with_gaps`), or a category",
                word
            );
            (Kind::Undecided, about)
        }
        () if found.unique() && n >= APART => {
            if unnamed || found.letters / n <= 40 {
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
    let normal = [
        "0", "0.0", "false", "normal", "ok", "good", "benign", "no", "n", "f",
    ];
    let mut words = found.words.keys();
    match (words.next(), words.next(), found.gaps) {
        (Some(only), None, 1..) if !normal.iter().any(|word| word.eq_ignore_ascii_case(only)) => {
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
