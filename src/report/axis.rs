use serde::{Deserialize, Serialize};

/// An axis on which scores of any scale can be read: linear around the middle of the unlabeled scores, logarithmic
/// far from it, on both sides.
///
/// ```
/// use puad::report::ScoreAxis;
///
/// let axis = ScoreAxis { center: 10., scale: 2. };
/// assert_eq!(axis.position(10.), 0.);
/// assert!((axis.position(10.2) - 0.1).abs() < 1e-3);
/// assert!((axis.position(2e6) - axis.position(2e5) - 10f64.ln()).abs() < 1e-3);
/// assert!((axis.score(axis.position(17.)) - 17.).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreAxis {
    /// The score at position 0.
    pub center: f64,
    /// How far from it the axis begins to be logarithmic, > 0.
    pub scale: f64,
}

/// Interquartile ranges that an axis is about linear over, on each side.
const LINEAR: f64 = 2.;

/// Shares of sorted scores, cut off at both ends, whose range is the next to try where a wider cut leaves none.
const CUTS: [f64; 4] = [0.25, 0.1, 0.02, 0.];

impl ScoreAxis {
    /// For sorted scores, not empty.
    pub(super) fn new(sorted: &[f64]) -> Self {
        let last = (sorted.len() - 1) as f64;
        let at = |q: f64| sorted[(q * last).round() as usize];
        // Halves, whose difference is finite.
        let range = |cut: f64| 2. * LINEAR * (0.5 * at(1. - cut) - 0.5 * at(cut));
        let usable = |scale: &f64| *scale >= f64::MIN_POSITIVE && scale.is_finite();
        Self {
            center: at(0.5),
            scale: CUTS.map(range).into_iter().find(usable).unwrap_or(1.),
        }
    }

    /// `asinh((score - center) / scale)`
    pub fn position(&self, score: f64) -> f64 {
        ((score - self.center) / self.scale).asinh()
    }

    /// The score at a position.
    pub fn score(&self, position: f64) -> f64 {
        let score = self.center + self.scale * position.sinh();
        score.clamp(-f64::MAX, f64::MAX)
    }

    /// Scores of few digits, about evenly spaced between two positions, in ascending order.
    pub(super) fn ticks(&self, low: f64, high: f64, most: usize) -> Vec<f64> {
        let step = (high - low) / most.max(1) as f64;
        let tick = |i: usize| {
            let position = low + (i as f64 + 0.5) * step;
            let gap = self.score(position + 0.5 * step) - self.score(position - 0.5 * step);
            rounded(self.score(position), gap)
        };
        let mut ticks: Vec<f64> = (0..most).map(tick).collect();
        ticks.retain(|&score| (low..=high).contains(&self.position(score)));
        ticks.dedup();
        ticks
    }
}

/// To a multiple of a power of ten, or half of one, that fits into `gap`.
fn rounded(score: f64, gap: f64) -> f64 {
    if !(gap > 0. && gap.is_finite()) {
        return score;
    }
    let power = 10f64.powi(gap.log10().floor() as i32);
    let unit = if gap >= 5. * power { 5. * power } else { power };
    // Where a unit is below 1, dividing by its inverse leaves no digits behind.
    let inverse = (1. / unit).round();
    let rounded = if unit < 1. && inverse > 0. && inverse.is_finite() {
        (score * inverse).round() / inverse
    } else {
        (score / unit).round() * unit
    };
    if rounded.is_finite() {
        rounded + 0.
    } else {
        score
    }
}

/// A score in a label, of so many digits that count.
pub(super) fn label(score: f64, digits: usize) -> String {
    let size = score.abs();
    if size >= 1e6 || (size > 0. && size < 1e-4) {
        let after = digits.min(4) - 1;
        let text = format!("{score:.after$e}");
        let (number, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", without_zeros(number));
    }
    let before = if size >= 1. {
        size.log10().floor() as usize + 1
    } else {
        0
    };
    let decimals = digits.saturating_sub(before);
    without_zeros(&format!("{score:.decimals$}")).into()
}

/// Without zeros at the end of the decimals.
fn without_zeros(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_are_short() {
        let cases = [
            (0., "0"),
            (0.25, "0.25"),
            (17., "17"),
            (-3.5, "-3.5"),
            (12_345.678, "12346"),
            (0.999_985_4, "0.99999"),
            (2e9, "2e9"),
            (1.5e-7, "1.5e-7"),
        ];
        for (score, text) in cases {
            assert_eq!(label(score, 5), text);
        }
    }

    #[test]
    fn scores_without_a_range_have_an_axis() {
        for scores in [
            vec![3.; 5],
            vec![0.],
            vec![-f64::MAX, f64::MAX],
            vec![0., 0., 0., 0., 0., 0., 0., 1e-300],
        ] {
            let axis = ScoreAxis::new(&scores);
            assert!(axis.scale > 0. && axis.scale.is_finite(), "{axis:?}");
            assert!(scores.iter().all(|&s| !axis.position(s).is_nan()));
        }
    }

    proptest! {
        #[test]
        fn ticks_rise_and_lie_inside(center in -1e6f64..1e6, log_scale in -9f64..9., low in -12f64..0., width in 0.1f64..12.) {
            let axis = ScoreAxis { center, scale: 10f64.powf(log_scale) };
            let ticks = axis.ticks(low, low + width, 8);
            prop_assert!(ticks.len() <= 8);
            prop_assert!(ticks.windows(2).all(|w| w[0] < w[1]), "{:?}", ticks);
            prop_assert!(ticks.iter().all(|&s| (low..=low + width).contains(&axis.position(s))));
        }
    }
}
