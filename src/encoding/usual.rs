use std::fmt;

use crate::data::table::Value;

/// What the fit's unlabeled training rows have in a column.
///
/// ```
/// use puad::encoding::Usual;
///
/// assert_eq!(Usual::Range(12.049, 310.).to_string(), "usually 12.05 to 310");
/// assert_eq!(Usual::Share(0.0012).to_string(), "seen in 0.12% of rows");
/// assert_eq!(Usual::Share(0.).to_string(), "never seen");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Usual {
    /// Numbers between which nine tenths of them lie.
    Range(f64, f64),
    /// Times, in seconds since 1970-01-01 00:00:00 UTC, likewise.
    Times(f64, f64),
    /// Times of the day, in seconds, likewise: of a column that is not taken as a number.
    Hours(f64, f64),
    /// The share of them that has the same value, in [0, 1].
    Share(f64),
}

impl fmt::Display for Usual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Range(low, high) if low == high => write!(f, "usually {}", short(low)),
            Self::Range(low, high) => write!(f, "usually {} to {}", short(low), short(high)),
            Self::Times(low, high) => {
                write!(f, "usually {} to {}", Value::Time(low), Value::Time(high))
            }
            Self::Hours(low, high) => write!(f, "usually {} to {}", hour(low), hour(high)),
            Self::Share(0.) => write!(f, "never seen"),
            Self::Share(share) => write!(f, "seen in {}% of rows", short(100. * share)),
        }
    }
}

fn hour(seconds: f64) -> String {
    let minutes = (seconds / 60.).floor() as u32;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// To four digits.
pub(crate) fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
