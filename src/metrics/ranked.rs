//! What both ranking measures need of the scores: checked, ordered, ties in one group.

use crate::{Error, Result};

/// The samples that share one score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tie {
    pub(super) positives: u64,
    pub(super) negatives: u64,
}

/// Samples of both classes in the order of their scores.
pub(super) struct Ranked {
    /// By increasing score.
    pub(super) ties: Vec<Tie>,
    pub(super) positives: u64,
    pub(super) negatives: u64,
}

impl Ranked {
    /// The samples of `metric`, which needs both classes.
    pub(super) fn new(metric: &'static str, scores: &[f64], positives: &[bool]) -> Result<Self> {
        let positive = check(metric, scores, positives)?;
        Ok(Self {
            ties: ties(scores, positives),
            positives: positive as u64,
            negatives: (scores.len() - positive) as u64,
        })
    }
}

/// How many are positive, of scores that `metric`, which needs both classes, can be had of.
pub(super) fn check(metric: &'static str, scores: &[f64], positives: &[bool]) -> Result<usize> {
    Error::check_lengths(("scores", scores.len()), ("positives", positives.len()))?;
    if let Some(index) = scores.iter().position(|score| score.is_nan()) {
        return Err(Error::NanScore { index });
    }
    let total = scores.len();
    let positive = positives.iter().filter(|&&positive| positive).count();
    if positive == 0 || positive == total {
        return Err(Error::OneClass {
            metric,
            positives: positive,
            total,
        });
    }
    Ok(positive)
}

/// Groups of equal scores by increasing score, which must not be NaN.
fn ties(scores: &[f64], positives: &[bool]) -> Vec<Tie> {
    // Adding 0 makes one of the two zeros, which compare equal but have two places in `total_cmp`.
    let mut samples: Vec<(f64, bool)> = scores
        .iter()
        .map(|score| score + 0.)
        .zip(positives.iter().copied())
        .collect();
    samples.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let groups = samples.chunk_by(|a, b| a.0 == b.0);
    groups
        .map(|group| {
            let positives = group.iter().filter(|sample| sample.1).count();
            Tie {
                positives: positives as u64,
                negatives: (group.len() - positives) as u64,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_grouped_in_order_whatever_the_sign_of_zero() -> Result<()> {
        let scores = [0., f64::INFINITY, -0., -3., f64::NEG_INFINITY];
        let ranked = Ranked::new("test", &scores, &[true, true, false, false, true])?;
        let counts: Vec<_> = ranked
            .ties
            .iter()
            .map(|t| (t.positives, t.negatives))
            .collect();
        assert_eq!(counts, [(1, 0), (0, 1), (1, 1), (1, 0)]);
        assert_eq!((ranked.positives, ranked.negatives), (3, 2));
        Ok(())
    }

    #[test]
    fn bad_input_is_named() {
        let rank =
            |scores: &[f64], positives: &[bool]| Ranked::new("AUROC", scores, positives).err();
        assert!(matches!(
            rank(&[1., 2.], &[true]),
            Some(Error::Length {
                left: 2,
                right: 1,
                left_name: "scores",
                right_name: "positives"
            })
        ));
        assert!(matches!(
            rank(&[1., f64::NAN, f64::NAN], &[true, false, true]),
            Some(Error::NanScore { index: 1 })
        ));
        for (positives, count) in [(&[][..], 0), (&[false; 3][..], 0), (&[true; 3][..], 3)] {
            let error = rank(&vec![0.5; positives.len()], positives);
            assert!(matches!(
                error,
                Some(Error::OneClass { metric: "AUROC", positives: p, total })
                    if p == count && total == positives.len()
            ));
        }
    }
}
