use serde::{Deserialize, Serialize};

use super::Usual;
use super::category::Category;
use super::config::ColumnEncoding;
use super::flag::Flag;
use super::number::Number;
use super::time::Time;
use crate::data::table::{Column, Kind, Value};

/// How the values of one column become numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Encoder {
    Number(Number),
    Category(Category),
    Boolean(Flag),
    Time(Time),
}

impl Encoder {
    /// On these rows.
    pub(super) fn fit(column: &Column, rows: &[usize], config: &ColumnEncoding) -> Self {
        match column {
            Column::Categories(words) => Self::Category(Category::fit(words, rows, config)),
            Column::Booleans(values) => Self::Boolean(Flag::fit(values, rows, config)),
            Column::Times(values) => Self::Time(Time::fit(values, rows, config)),
            Column::Numbers(values) => Self::Number(Number::fit(values, rows, config)),
            // What a later release of the readers may bring.
            _ => Self::Number(Number::fit(&vec![f64::NAN; column.len()], rows, config)),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Number,
            Self::Category(_) => Kind::Category,
            Self::Boolean(_) => Kind::Boolean,
            Self::Time(_) => Kind::Time,
        }
    }

    /// How many numbers a value becomes.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Number(number) => number.width(),
            Self::Category(category) => category.width(),
            Self::Boolean(flag) => flag.width(),
            Self::Time(time) => time.width(),
        }
    }

    /// Whether the first of these numbers is the value itself.
    pub(super) fn is_measured(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Category(_) | Self::Boolean(_) => false,
            Self::Time(time) => time.is_instant(),
        }
    }

    /// Names of the numbers.
    pub(super) fn names(&self, column: &str) -> Vec<String> {
        match self {
            Self::Number(number) => number.names(column),
            Self::Category(category) => category.names(column),
            Self::Boolean(flag) => flag.names(column),
            Self::Time(time) => time.names(column),
        }
    }

    /// What is usual where `value` stands.
    pub(super) fn usual(&self, value: Value<'_>) -> Usual {
        match (self, value) {
            (Self::Number(number), Value::Number(value)) => number.usual(value),
            (Self::Number(number), _) => number.usual(f64::NAN),
            (Self::Category(category), Value::Word(word)) => category.usual(word),
            (Self::Category(category), _) => category.usual(""),
            (Self::Boolean(flag), Value::Boolean(value)) => flag.usual(Some(value)),
            (Self::Boolean(flag), _) => flag.usual(None),
            (Self::Time(time), Value::Time(seconds)) => time.usual(seconds),
            (Self::Time(time), _) => time.usual(f64::NAN),
        }
    }

    /// # Errors
    /// What is wrong with numbers from a file.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Number(number) => number.check(),
            Self::Category(category) => category.check(),
            Self::Boolean(flag) => flag.check(),
            Self::Time(time) => time.check(),
        }
    }
}
