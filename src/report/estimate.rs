use std::fmt;

use crate::statistics::quantile;
use serde::{Deserialize, Serialize};

/// A number that was estimated, and an interval around it, of the report's level.
///
/// ```
/// use puad::report::Estimate;
///
/// let precision = Estimate { value: 0.8312, low: 0.7, high: 1. };
/// assert_eq!(precision.to_string(), "0.831 (0.700 to 1.000)");
/// assert_eq!(precision.in_percent(), "83.1% (70 to 100)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Estimate {
    /// As percentages, three digits each.
    pub fn in_percent(&self) -> String {
        let (value, low, high) = (percent(self.value), percent(self.low), percent(self.high));
        format!("{value}% ({low} to {high})")
    }

    /// The same with the hull of both intervals.
    pub(super) fn hull(self, other: Self) -> Self {
        Self {
            value: self.value,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// `value`, and between which numbers the middle `level` of `draws` lies: never without `value`.
    pub(super) fn of_draws(value: f64, mut draws: Vec<f64>, level: f64) -> Self {
        draws.sort_unstable_by(f64::total_cmp);
        let tail = 0.5 * (1. - level);
        Self {
            value,
            low: quantile(&draws, tail).min(value),
            high: quantile(&draws, 1. - tail).max(value),
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, low, high } = self;
        write!(f, "{value:.3} ({low:.3} to {high:.3})")
    }
}

/// A share as a percentage of three digits, without zeros at its end.
pub(super) fn percent(share: f64) -> String {
    let percent = 100. * share;
    if percent == 0. {
        return "0".into();
    }
    let decimals = (2. - percent.abs().log10().floor()).clamp(0., 8.) as usize;
    let text = format!("{percent:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').into()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_keep_three_digits() {
        let cases = [
            (0., "0"),
            (1., "100"),
            (0.99999, "100"),
            (0.831, "83.1"),
            (0.05, "5"),
            (0.001234, "0.123"),
            (2.5e-5, "0.0025"),
            (0.1, "10"),
        ];
        for (share, text) in cases {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn an_interval_holds_its_estimate() {
        let draws: Vec<f64> = (0..=100).map(f64::from).collect();
        let inside = Estimate::of_draws(50., draws.clone(), 0.9);
        assert!((inside.low - 5.).abs() < 1e-9 && (inside.high - 95.).abs() < 1e-9);
        let above = Estimate::of_draws(120., draws, 0.9);
        assert!(above.low < 6. && above.high == 120.);
    }
}
