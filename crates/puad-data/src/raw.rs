//! Columns as a format has them, before anybody says what they are.

use crate::Result;
use crate::value::Value;

/// Some rows of a file, column by column; [`ColumnRows`] gives them.
///
/// ```
/// use puad_data::stream::{RawBatch, RawColumn, Texts};
///
/// let words: Texts = ["DE", "FR"].into_iter().collect();
/// let batch = RawBatch { rows: 2, columns: vec![RawColumn::Texts(words)], lines: vec![] };
/// assert_eq!(batch.columns[0].value(1).to_string(), "FR");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawBatch {
    /// Number of rows.
    pub rows: usize,
    /// One a column of the file, `rows` values each.
    pub columns: Vec<RawColumn>,
    /// The line of each row, counted from 1; empty where the format has none.
    pub lines: Vec<u64>,
}

/// The values of a column, in the type that the file has them in.
///
/// ```
/// use puad_data::stream::RawColumn;
/// use puad_data::table::Value;
///
/// assert_eq!(RawColumn::Numbers(vec![f64::NAN]).value(0), Value::Gap);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RawColumn {
    /// Not said: text, as in CSV, and words.
    Texts(Texts),
    /// Numbers; NaN is a gap.
    Numbers(Vec<f64>),
    /// Truth values.
    Booleans(Vec<Option<bool>>),
    /// Seconds since 1970-01-01 00:00:00 UTC; NaN is a gap.
    Times(Vec<f64>),
}

impl RawColumn {
    /// What stands in a row; a text is a [`Value::Word`], whatever it says.
    ///
    /// # Panics
    /// Beyond the end.
    pub fn value(&self, row: usize) -> Value<'_> {
        match self {
            Self::Texts(texts) => Value::Word(texts.get(row)),
            Self::Numbers(values) if values[row].is_nan() => Value::Gap,
            Self::Times(values) if values[row].is_nan() => Value::Gap,
            Self::Numbers(values) => Value::Number(values[row]),
            Self::Times(values) => Value::Time(values[row]),
            Self::Booleans(values) => values[row].map_or(Value::Gap, Value::Boolean),
        }
    }
}

/// Texts one behind the other.
///
/// ```
/// use puad_data::stream::Texts;
///
/// let texts: Texts = ["a", "", "bc"].into_iter().collect();
/// assert_eq!((texts.len(), texts.get(1), texts.get(2)), (3, "", "bc"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Adds one.
    pub fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The `i`-th.
    ///
    /// # Panics
    /// Beyond the end.
    pub fn get(&self, i: usize) -> &str {
        let start = i.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start..self.ends[i]]
    }
}

impl<'a> FromIterator<&'a str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|text| all.push(text));
        all
    }
}

/// The rows of an open file that are still to come, column by column. A format that has no more than numbers
/// need not have one: [`TableOptions::columns`](crate::stream::TableOptions::columns) makes it of its
/// [`TableRows`](crate::stream::TableRows).
pub trait ColumnRows {
    /// Names of the columns, each once; by their numbers, `0` on, where the format has none.
    fn names(&self) -> &[String];

    /// Columns that are there, but none of [`names`](Self::names), since their values are not read: what they are
    /// called, and what they hold.
    fn unread(&self) -> &[(String, String)] {
        &[]
    }

    /// Between a number's whole part and its fraction in texts.
    fn decimal(&self) -> u8 {
        b'.'
    }

    /// The number of all rows; `None` where the format does not say.
    fn count(&self) -> Option<u64>;

    /// The next `size` rows, at least 1, or what is left of them; `None` at the end.
    ///
    /// # Errors
    /// Stated by the format's options.
    fn next(&mut self, size: usize) -> Result<Option<RawBatch>>;
}
