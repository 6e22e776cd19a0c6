//! What stands in one place of a table, and how times are written.

pub(crate) mod time;

use std::fmt;

/// What stands in one place of a table.
///
/// ```
/// use puad_data::table::Value;
///
/// assert_eq!(Value::Number(9812.5).to_string(), "9812.5");
/// assert_eq!(Value::Time(1_767_449_100.).to_string(), "2026-01-03 14:05:00");
/// assert_eq!(Value::Gap.to_string(), "missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Nothing.
    Gap,
    /// A number.
    Number(f64),
    /// A category.
    Word(&'a str),
    /// A truth value.
    Boolean(bool),
    /// Seconds since 1970-01-01 00:00:00 UTC.
    Time(f64),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap => write!(f, "missing"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Word(word) => write!(f, "{word}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Time(seconds) => write!(f, "{}", time::written(*seconds)),
        }
    }
}
