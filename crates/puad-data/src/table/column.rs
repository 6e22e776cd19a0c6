use std::collections::HashMap;

use super::Kind;
use crate::value::Value;

/// The values of a column of a [`Table`](super::Table). Any may be missing: a gap.
///
/// ```
/// use puad_data::table::{Column, Value};
///
/// let heat = Column::numbers([Some(80.5), None]);
/// let country = Column::words([Some("DE"), Some("FR")]);
/// assert_eq!(heat.value(1), Value::Gap);
/// assert_eq!(country.value(1), Value::Word("FR"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Column {
    /// Finite numbers; NaN is a gap.
    Numbers(Vec<f64>),
    /// Words of a set.
    Categories(Categories),
    /// Truth values.
    Booleans(Vec<Option<bool>>),
    /// Seconds since 1970-01-01 00:00:00 UTC; NaN is a gap.
    Times(Vec<f64>),
}

impl Column {
    /// Of numbers; NaN counts as `None`.
    pub fn numbers(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values = values.into_iter();
        Self::Numbers(values.map(|value| value.unwrap_or(f64::NAN)).collect())
    }

    /// Of categories; an empty word counts as `None`.
    pub fn words<W: AsRef<str>>(values: impl IntoIterator<Item = Option<W>>) -> Self {
        let mut words = Interned::default();
        for word in values {
            words.push(word.as_ref().map_or("", AsRef::as_ref));
        }
        Self::Categories(words.finish())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) | Self::Times(values) => values.len(),
            Self::Categories(categories) => categories.codes.len(),
            Self::Booleans(values) => values.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the values are.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Numbers(_) => Kind::Number,
            Self::Categories(_) => Kind::Category,
            Self::Booleans(_) => Kind::Boolean,
            Self::Times(_) => Kind::Time,
        }
    }

    /// What stands in a row.
    ///
    /// # Panics
    /// Beyond the end.
    pub fn value(&self, row: usize) -> Value<'_> {
        match self {
            Self::Numbers(values) if values[row].is_nan() => Value::Gap,
            Self::Times(values) if values[row].is_nan() => Value::Gap,
            Self::Numbers(values) => Value::Number(values[row]),
            Self::Times(values) => Value::Time(values[row]),
            Self::Categories(categories) => match categories.word(row) {
                Some(word) => Value::Word(word),
                None => Value::Gap,
            },
            Self::Booleans(values) => values[row].map_or(Value::Gap, Value::Boolean),
        }
    }

    /// Rows at these positions, in their order.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let picked = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        match self {
            Self::Numbers(values) => Self::Numbers(picked(values)),
            Self::Times(values) => Self::Times(picked(values)),
            Self::Categories(categories) => Self::Categories(categories.select(rows)),
            Self::Booleans(values) => Self::Booleans(rows.iter().map(|&row| values[row]).collect()),
        }
    }

    /// The first number or time that is infinite, which is neither a value nor a gap.
    pub(super) fn first_infinite(&self) -> Option<(usize, f64)> {
        match self {
            Self::Numbers(values) | Self::Times(values) => {
                let mut values = values.iter().copied().enumerate();
                values.find(|(_, value)| value.is_infinite())
            }
            Self::Categories(_) | Self::Booleans(_) => None,
        }
    }
}

/// Of one kind, and row by row: gaps are equal.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.len() == other.len()
            && (0..self.len()).all(|row| self.value(row) == other.value(row))
    }
}

impl From<Vec<f64>> for Column {
    fn from(values: Vec<f64>) -> Self {
        Self::Numbers(values)
    }
}

impl From<Vec<bool>> for Column {
    fn from(values: Vec<bool>) -> Self {
        Self::Booleans(values.into_iter().map(Some).collect())
    }
}

impl From<Vec<&str>> for Column {
    fn from(words: Vec<&str>) -> Self {
        Self::words(words.into_iter().map(Some))
    }
}

impl From<Vec<String>> for Column {
    fn from(words: Vec<String>) -> Self {
        Self::words(words.into_iter().map(Some))
    }
}

/// Words, each held once.
///
/// ```
/// use puad_data::table::Column;
///
/// let Column::Categories(country) = Column::from(vec!["DE", "FR", "", "DE"]) else { unreachable!() };
/// assert_eq!(country.levels(), ["DE", "FR"]);
/// assert_eq!((country.word(3), country.word(2)), (Some("DE"), None));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Categories {
    levels: Vec<String>,
    /// Positions among the levels; [`GAP`].
    codes: Vec<u32>,
}

/// The code of a row without a word.
const GAP: u32 = u32::MAX;

impl Categories {
    /// The words, each once, in the order of their first rows. Some may be in none of these rows, which may be
    /// a part of others.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// The position of a row's word among the [`levels`](Self::levels); `None` for a gap.
    ///
    /// # Panics
    /// Beyond the end.
    pub fn code(&self, row: usize) -> Option<usize> {
        let code = self.codes[row];
        (code != GAP).then_some(code as usize)
    }

    /// The word of a row; `None` for a gap.
    ///
    /// # Panics
    /// Beyond the end.
    pub fn word(&self, row: usize) -> Option<&str> {
        self.code(row).map(|code| self.levels[code].as_str())
    }

    /// With the levels of these rows alone: one row of a million words is one word.
    fn select(&self, rows: &[usize]) -> Self {
        let mut words = Self::default();
        let mut codes: HashMap<u32, u32> = HashMap::new();
        for &row in rows {
            let code = self.codes[row];
            let code = match code {
                GAP => GAP,
                _ => *codes.entry(code).or_insert_with(|| {
                    words.levels.push(self.levels[code as usize].clone());
                    words.levels.len() as u32 - 1
                }),
            };
            words.codes.push(code);
        }
        words
    }
}

/// Row by row: in which order words first came does not matter.
impl PartialEq for Categories {
    fn eq(&self, other: &Self) -> bool {
        self.codes.len() == other.codes.len()
            && (0..self.codes.len()).all(|row| self.word(row) == other.word(row))
    }
}

/// Categories that are being read.
#[derive(Default)]
pub(crate) struct Interned {
    categories: Categories,
    codes: HashMap<String, u32>,
}

impl Interned {
    /// An empty word is a gap.
    pub(crate) fn push(&mut self, word: &str) {
        let code = match (word, self.codes.get(word)) {
            ("", _) => GAP,
            (_, Some(code)) => *code,
            (_, None) => {
                let code = self.categories.levels.len() as u32;
                self.categories.levels.push(word.into());
                self.codes.insert(word.into(), code);
                code
            }
        };
        self.categories.codes.push(code);
    }

    pub(crate) fn finish(self) -> Categories {
        self.categories
    }
}
