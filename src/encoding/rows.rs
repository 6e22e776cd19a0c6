//! Rows of a table one behind the other.

use super::category::Category;
use super::encoder::Encoder;
use super::{flag, number, time};
use crate::data::table::{Categories, Column};
use crate::{Error, Result};

/// A rule that a value breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// There must be one.
    Gap,
}

/// A column whose values become numbers row by row.
pub(super) struct Pushed<'a> {
    encoder: PushedEncoder<'a>,
    new: Option<(String, u64)>,
}

enum PushedEncoder<'a> {
    Number(&'a number::Number, &'a [f64]),
    Category(&'a Category, &'a Categories),
    Boolean(&'a flag::Flag, &'a [Option<bool>]),
    Time(&'a time::Time, &'a [f64]),
}

impl<'a> Pushed<'a> {
    pub(super) fn of(name: &str, encoder: &'a Encoder, column: &'a Column) -> Result<Self> {
        let encoder = match (encoder, column) {
            (Encoder::Number(number), Column::Numbers(values)) => {
                PushedEncoder::Number(number, values)
            }
            (Encoder::Category(category), Column::Categories(words)) => {
                PushedEncoder::Category(category, words)
            }
            (Encoder::Boolean(flag), Column::Booleans(values)) => {
                PushedEncoder::Boolean(flag, values)
            }
            (Encoder::Time(time), Column::Times(values)) => PushedEncoder::Time(time, values),
            (encoder, column) => {
                return Err(Error::ColumnKind {
                    column: name.into(),
                    expected: encoder.kind(),
                    actual: column.kind(),
                });
            }
        };
        Ok(Self { encoder, new: None })
    }

    pub(super) fn push(&mut self, row: usize, out: &mut Vec<f64>) -> Result<(), Rule> {
        match &self.encoder {
            PushedEncoder::Number(number, values) => {
                number.push(values[row], out)?;
                number.push_missing(values[row], out);
                Ok(())
            }
            PushedEncoder::Category(category, words) => {
                let word = words.word(row).unwrap_or_default();
                if category.is_new(word) {
                    self.new.get_or_insert_with(|| (word.into(), 0)).1 += 1;
                }
                category.push(word, out)
            }
            PushedEncoder::Boolean(flag, values) => flag.push(values[row], out),
            PushedEncoder::Time(time, values) => time.push(values[row], out),
        }
    }

    /// The first level that no training row had, and in how many rows there were such.
    pub(super) fn into_new(self) -> Option<(String, u64)> {
        self.new
    }
}
