use std::fmt;

use serde::{Deserialize, Serialize};

use crate::statistics::wilson;
use crate::{Error, Result};

/// A share of rows with its 95% interval, Wilson's.
///
/// ```
/// use puad::drift::Rate;
///
/// let rate = Rate::of(5, 100)?;
/// assert_eq!(rate.to_string(), "5.00% (2.15% to 11.18%)");
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// In [0, 1].
    pub share: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

/// The 97.5% quantile of the standard normal distribution.
pub(super) const Z: f64 = 1.959_963_984_540_054;

impl Rate {
    /// That of `count` of `rows`.
    ///
    /// # Errors
    /// [`Error::Config`] without rows, or for more than there are.
    pub fn of(count: usize, rows: usize) -> Result<Self> {
        if rows == 0 || count > rows {
            let rule = "of at least one row, and of no more than there are";
            return Err(Error::config("a rate", rule, format!("{count} of {rows}")));
        }
        let (n, share) = (rows as f64, count as f64 / rows as f64);
        let end = |z| wilson(share, n, z);
        Ok(Self {
            share,
            low: if count == 0 { 0. } else { end(-Z) },
            high: if count == rows { 1. } else { end(Z) },
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [share, low, high] = [self.share, self.low, self.high].map(|rate| 100. * rate);
        write!(f, "{share:.2}% ({low:.2}% to {high:.2}%)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels: proportion_confint(5, 100, method="wilson"), and of 0 of 20.
    #[test]
    fn intervals_are_wilson_s() {
        let rate = Rate::of(5, 100).unwrap();
        assert!((rate.low - 0.021_543_679).abs() < 1e-7, "{rate:?}");
        assert!((rate.high - 0.111_750_469).abs() < 1e-7, "{rate:?}");
        let none = Rate::of(0, 20).unwrap();
        assert_eq!((none.share, none.low), (0., 0.));
        assert!((none.high - 0.161_125_158).abs() < 1e-7, "{none:?}");
        assert_eq!(Rate::of(20, 20).unwrap().high, 1.);
        assert!(Rate::of(0, 0).is_err() && Rate::of(3, 2).is_err());
    }
}
