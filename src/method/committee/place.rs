use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};

use crate::model::StoredModel;
use crate::{Error, Result};

/// Scores that are kept of a member at most.
const KNOTS: usize = 1024;

/// What keeps one member's extreme place from outweighing all others.
const FLOOR: f64 = 0.01;

/// Widths of the highest tenth beyond which a score grows no more.
const FARTHEST: f64 = 1e9;

/// The share of the unlabeled samples from the end within which the scale of what lies beyond them is read off.
const TENTH: f64 = 0.1;

/// Where a score lies among scores of unlabeled samples: their distribution function, linear between them, with
/// exponential ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// Distinct scores, in ascending order; not empty.
    scores: Vec<f64>,
    /// The share of all below each, equal ones counted by half: ascending, in (0, 1).
    shares: Vec<f64>,
}

impl Place {
    /// # Errors
    /// [`Error::NonFiniteValue`] for a score that is NaN or infinite, [`Error::EmptyGroup`] without any.
    pub(super) fn of(mut all: Vec<f64>) -> Result<Self> {
        if let Some(index) = all.iter().position(|score| !score.is_finite()) {
            let (what, value) = ("scores of a committee's member", all[index]);
            return Err(Error::NonFiniteValue { what, index, value });
        }
        if all.is_empty() {
            let (what, group) = ("a committee", "unlabeled validation");
            return Err(Error::EmptyGroup { what, group });
        }
        all.sort_unstable_by(f64::total_cmp);
        let n = all.len() as f64;
        let (mut scores, mut shares) = (vec![], vec![]);
        for equal in all.chunk_by(|a, b| a == b) {
            let below = shares_below(&all, equal);
            scores.push(equal[0]);
            shares.push((below + equal.len() as f64 / 2.) / n);
        }
        let kept = thinned(scores.len());
        Ok(Self {
            scores: kept.iter().map(|&at| scores[at]).collect(),
            shares: kept.iter().map(|&at| shares[at]).collect(),
        })
    }

    /// The member's part of a committee's score: how far up a score lies, and how far beyond all unlabeled samples.
    pub(super) fn term(&self, score: f64) -> f64 {
        let (share, widths) = self.located(score);
        ((1. + FLOOR) / (1. - share + FLOOR)).ln() + widths.min(FARTHEST).ln_1p()
    }

    /// The share of unlabeled samples with a lower score, in [0, 1]; NaN of NaN.
    pub(super) fn at(&self, score: f64) -> f64 {
        self.located(score).0
    }

    /// The share, and how many widths of the last tenth a score lies above all; 0 of one that does not.
    fn located(&self, score: f64) -> (f64, f64) {
        let (first, last) = (self.scores[0], self.scores[self.scores.len() - 1]);
        if score > last {
            let end = 1. - self.shares[self.shares.len() - 1];
            let scale = self.scale(end, |part| last - self.score_at(1. - part));
            let widths = widths(score - last, scale);
            return (1. - end * 10f64.powf(-widths), widths);
        }
        if score < first {
            let end = self.shares[0];
            let scale = self.scale(end, |part| self.score_at(part) - first);
            return (end * 10f64.powf(-widths(first - score, scale)), 0.);
        }
        if score.is_nan() {
            return (score, 0.);
        }
        (between(&self.scores, &self.shares, score), 0.)
    }

    /// How far beyond an end its share is a tenth: as wide as the last tenth, or wider where the shares fall less from
    /// there to the end's, `end`, since scores are few or equal ones many. Where these leave no width it is that of the
    /// last quarter, half or all, and of equal scores their size. So what lies further out has another place.
    fn scale(&self, end: f64, width: impl Fn(f64) -> f64) -> f64 {
        for part in [TENTH, 0.25, 0.5, 1.] {
            let (width, tenths) = (width(part), (part / end).log10());
            if width > 0. && tenths > 0. {
                // Twice the largest number is none any more.
                return (width / tenths.min(1.)).min(f64::MAX);
            }
        }
        self.scores[0].abs()
    }

    /// The score at a share; not beyond the ends.
    fn score_at(&self, share: f64) -> f64 {
        let last = self.shares.len() - 1;
        between(
            &self.shares,
            &self.scores,
            share.clamp(self.shares[0], self.shares[last]),
        )
    }

    /// By name, after `prefix`.
    pub(super) fn tensors(&self, prefix: &str) -> Result<BTreeMap<String, Tensor>> {
        let tensor = |name: &str, values: &[f64]| {
            let tensor = Tensor::new(values, &Device::Cpu)?;
            Ok((format!("{prefix}{name}"), tensor))
        };
        let both = [(SCORES, &self.scores), (SHARES, &self.shares)];
        both.into_iter()
            .map(|(name, values)| tensor(name, values))
            .collect()
    }

    pub(super) fn take(stored: &mut StoredModel) -> Result<Self> {
        let mut column = |name: &'static str| -> Result<Vec<f64>> {
            let tensor = stored.take(name, DType::F64)?;
            let column = match tensor.rank() {
                1 => tensor.to_vec1::<f64>()?,
                _ => return Err(stored.wrong(Error::shape(name, "[scores]", &tensor))),
            };
            let finite = column.iter().all(|value| value.is_finite());
            if column.is_empty() || !finite || !column.is_sorted_by(|a, b| a < b) {
                let rule = "finite and ascending, of one at least";
                return Err(stored.wrong(Error::config(name, rule, "others")));
            }
            Ok(column)
        };
        let place = Self {
            scores: column(SCORES)?,
            shares: column(SHARES)?,
        };
        let last = place.shares.len() - 1;
        if place.scores.len() != place.shares.len()
            || place.shares[0] <= 0.
            || place.shares[last] >= 1.
        {
            let rule = "in (0, 1), one a score";
            return Err(stored.wrong(Error::config(SHARES, rule, "others")));
        }
        Ok(place)
    }
}

/// How many of `all` lie below `equal`, a part of it.
fn shares_below(all: &[f64], equal: &[f64]) -> f64 {
    all.partition_point(|&score| score < equal[0]) as f64
}

/// At most [`KNOTS`] of the first `n` whole numbers, evenly, the ends among them.
fn thinned(n: usize) -> Vec<usize> {
    if n <= KNOTS {
        return (0..n).collect();
    }
    (0..KNOTS).map(|i| i * (n - 1) / (KNOTS - 1)).collect()
}

/// How often a width, 0 too, goes into a distance above 0.
fn widths(distance: f64, width: f64) -> f64 {
    if width > 0. {
        distance / width
    } else {
        f64::INFINITY
    }
}

/// `y` at `x`, which lies within `xs`, ascending, on the line between its neighbours.
fn between(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let upper = xs.partition_point(|&other| other < x).min(xs.len() - 1);
    if xs[upper] <= x || upper == 0 {
        return ys[upper];
    }
    let (low, high) = (xs[upper - 1], xs[upper]);
    // Halved first: the difference of two finite scores may not be.
    let part = (x / 2. - low / 2.) / (high / 2. - low / 2.);
    ys[upper - 1] * (1. - part) + ys[upper] * part
}

const SCORES: &str = "scores";
const SHARES: &str = "shares";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_count_those_below_and_half_of_those_equal() {
        let place = Place::of(vec![3., 1., 2., 2.]).unwrap();
        for (score, share) in [
            (1., 0.125),
            (2., 0.5),
            (3., 0.875),
            (1.5, 0.3125),
            (2.5, 0.6875),
        ] {
            assert!((place.at(score) - share).abs() < 1e-12, "{score}");
        }
    }

    /// With ten thousand scores 0.0001, 0.0002 .. the highest tenth is 0.1 wide.
    #[test]
    fn ends_fall_to_a_tenth_a_decile() {
        let place = Place::of((1..=10_000).map(|i| f64::from(i) / 1e4).collect()).unwrap();
        for (score, above) in [(1., 5e-5), (1.1, 5e-6), (1.2, 5e-7)] {
            let found = 1. - place.at(score);
            assert!((found / above - 1.).abs() < 5e-3, "{score}: {found}");
        }
        for (score, below) in [(1e-4, 5e-5), (1e-4 - 0.1, 5e-6)] {
            let found = place.at(score);
            assert!((found / below - 1.).abs() < 5e-3, "{score}: {found}");
        }
        assert_eq!(place.scores.len(), KNOTS);
        assert!((place.at(0.5) - 0.49995).abs() < 1e-6);
    }

    #[test]
    fn a_member_that_says_nothing_places_all_in_the_middle() {
        let place = Place::of(vec![7.; 9]).unwrap();
        assert_eq!(place.at(7.), 0.5);
        // A tenth of the half a score's size further up.
        assert!((place.at(14.) - 0.95).abs() < 1e-12 && (place.at(0.) - 0.05).abs() < 1e-12);
        let zero = Place::of(vec![0.; 9]).unwrap();
        assert_eq!([-1., 0., 1.].map(|score| zero.at(score)), [0., 0.5, 1.]);
    }

    /// What is gross by one of three members is above what is among the highest tenth of all three.
    #[test]
    fn far_scores_grow_on() {
        let place = Place::of((1..=1000).map(|i| f64::from(i) / 1e3).collect()).unwrap();
        let [middle, high, top] = [0.5, 0.9, 1.].map(|score| place.term(score));
        assert!((middle - (1.01f64 / 0.5105).ln()).abs() < 1e-9);
        assert!((top - (1.01f64 / 0.0105).ln()).abs() < 1e-9);
        // A width of the highest tenth is 0.1: these lie 1, 100 and 1e6 of them beyond.
        for (score, widths) in [(1.1, 1f64), (11., 100.), (1e5, 1e6)] {
            let grown = place.term(score) - 101f64.ln();
            assert!((grown - widths.ln_1p()).abs() < 0.01, "{score}: {grown}");
        }
        let gross = place.term(1e3) + 2. * middle;
        assert!(gross > 3. * high, "{gross} {high}");
        for extreme in [f64::INFINITY, f64::from(f32::MAX)] {
            assert!((place.term(extreme) - 101f64.ln() - 1e9f64.ln_1p()).abs() < 1e-9);
        }
        assert!(place.term(f64::NAN).is_nan());
    }

    /// Also where no score lies within the last tenth, or they are equal there.
    #[test]
    fn what_lies_further_out_is_told_apart() {
        for n in 1..=30 {
            let different: Vec<f64> = (1..=n).map(f64::from).collect();
            let highest = different.iter().map(|&score| score.min(2.)).collect();
            for scores in [different, highest] {
                let last = scores.iter().copied().fold(0., f64::max);
                let place = Place::of(scores).unwrap();
                let above = [last, last + 0.5, last + 1., last + 2.].map(|score| place.at(score));
                assert!(
                    above.is_sorted_by(|a, b| a < b) && above[3] < 1.,
                    "{n}: {above:?}"
                );
                let below = [0.9, 0.5, -1.].map(|score| place.at(score));
                assert!(
                    below.is_sorted_by(|a, b| a > b) && below[2] > 0.,
                    "{n}: {below:?}"
                );
            }
        }
    }

    #[test]
    fn extreme_scores_have_a_place() {
        let place = Place::of(vec![-f64::MAX, 0., f64::MAX]).unwrap();
        assert_eq!(place.at(0.), 0.5);
        assert!((place.at(f64::MAX / 2.) - (0.5 + 1. / 6.)).abs() < 1e-12);
        assert_eq!(place.at(f64::INFINITY), 1.);
        assert_eq!(place.at(f64::NEG_INFINITY), 0.);
        assert!(place.at(f64::NAN).is_nan());
        for wrong in [vec![1., f64::NAN], vec![f64::INFINITY]] {
            assert!(matches!(
                Place::of(wrong),
                Err(Error::NonFiniteValue { .. })
            ));
        }
        assert!(matches!(Place::of(vec![]), Err(Error::EmptyGroup { .. })));
    }

    proptest! {
        #[test]
        fn a_higher_score_has_no_lower_place(
            scores in proptest::collection::vec(-5i32..5, 1..60), a in -8f64..8., b in -8f64..8.,
        ) {
            let place = Place::of(scores.into_iter().map(f64::from).collect()).unwrap();
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(place.at(low) <= place.at(high));
            prop_assert!((0. ..=1.).contains(&place.at(a)));
        }
    }
}
