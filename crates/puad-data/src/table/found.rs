//! What is found in one column of a file.

use std::collections::HashMap;

use super::convert::boolean;
use super::look::{like_a_code, like_a_date, like_an_amount};
use crate::cell::{self, Cell};
use crate::value::{Value, time};

/// Words of a column that are counted; of more it is known that they are many.
const WORDS: usize = 1 << 16;

/// What is found in one column.
pub(super) struct Found {
    rows: u64,
    pub(super) gaps: u64,
    pub(super) numbers: u64,
    pub(super) times: u64,
    booleans: u64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) first_time: f64,
    pub(super) last_time: f64,
    /// Whether every number is an integer, and one more than that before.
    pub(super) counts: bool,
    pub(super) integers: bool,
    before: f64,
    pub(super) words: HashMap<String, u64>,
    /// Whether there are more than are counted.
    many: bool,
    /// The first text that is no number, where there are numbers, and its line, or its row where there are none.
    word: Option<(String, u64)>,
    pub(super) in_lines: bool,
    /// Words that may be dates, and those that may be numbers.
    pub(super) dates: u64,
    pub(super) amounts: u64,
    /// Whether a number may be a code.
    pub(super) codes: bool,
    pub(super) letters: u64,
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
            in_lines: false,
            dates: 0,
            amounts: 0,
            codes: false,
            letters: 0,
        }
    }
}

impl Found {
    pub(super) fn add(&mut self, value: Value<'_>, line: u64, decimal: u8) {
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

    /// Whether most values differ.
    pub(super) fn rare(&self) -> bool {
        !self.many && 2 * self.words.len() as u64 >= self.values()
    }

    /// Whether one value stands beside more gaps, as what somebody found out does.
    pub(super) fn marks(&self) -> bool {
        !self.many && self.words.len() == 1 && self.gaps > self.values()
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

    pub(super) fn values(&self) -> u64 {
        self.rows - self.gaps
    }

    /// Whether no value is there twice, as far as was counted.
    pub(super) fn unique(&self) -> bool {
        self.words.values().all(|count| *count == 1)
    }

    /// Whether all are 0, 1 or truth values written out.
    pub(super) fn truths(&self) -> bool {
        let bits = self.numbers == 0 || (self.integers && self.low >= 0. && self.high <= 1.);
        self.booleans > 0 && self.booleans + self.numbers == self.values() && bits
    }

    /// The first text that is neither number nor time nor truth value, and where it stands.
    pub(super) fn odd(&self) -> String {
        match &self.word {
            Some((word, line)) if self.in_lines => format!("{word:?} in line {line}"),
            Some((word, row)) => format!("{word:?} in row {row}"),
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
    pub(super) fn commonest(&self) -> String {
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
