use super::ranked::Ranked;
use crate::Result;

/// The area under the ROC curve: the probability that a random positive scores above a random
/// negative, ties counted half.
///
/// With midranks `r_i` over all `n = P + N` samples it is `(sum_(i positive) r_i - P (P + 1) / 2) /
/// (P N)`. The pairs are counted in integers, so the result is the exact fraction rounded once, and
/// does not depend on the order of the samples.
///
/// `scores`: one a sample, larger = more anomalous; infinities have their place in the order.
/// `positives`: true for an anomaly. Time `O(n log n)`.
///
/// # Errors
/// - [`Error::Length`](crate::Error::Length) if the lists differ in length,
/// - [`Error::NanScore`](crate::Error::NanScore) if a score is NaN,
/// - [`Error::OneClass`](crate::Error::OneClass) without a positive or without a negative.
///
/// # References
/// Hanley and McNeil, The meaning and use of the area under a receiver operating characteristic
/// (ROC) curve, Radiology 143, 1982.
///
/// ```
/// use puad::metrics::auroc;
///
/// // Of the four pairs of a positive and a negative three are in order, one is tied.
/// let value = auroc(&[0.1, 0.4, 0.4, 0.8], &[false, false, true, true])?;
/// assert_eq!(value, 3.5 / 4.);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn auroc(scores: &[f64], positives: &[bool]) -> Result<f64> {
    let ranked = Ranked::new("AUROC", scores, positives)?;
    let mut below = 0;
    let mut twice_in_order = 0;
    for tie in &ranked.ties {
        twice_in_order += u128::from(tie.positives) * u128::from(2 * below + tie.negatives);
        below += tie.negatives;
    }
    let pairs = u128::from(ranked.positives) * u128::from(ranked.negatives);
    Ok(twice_in_order as f64 / (2 * pairs) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    /// Few distinct scores, so that ties are common, and both classes.
    fn samples() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
        let sample = ((-4i32..4).prop_map(|k| f64::from(k) / 4.), any::<bool>());
        prop::collection::vec(sample, 0..40).prop_map(|mut samples| {
            samples.push((0.25, true));
            samples.push((-0.25, false));
            samples.into_iter().unzip()
        })
    }

    #[test]
    fn closed_forms() -> Result<()> {
        assert_eq!(auroc(&[0., 1.], &[false, true])?, 1.);
        assert_eq!(auroc(&[0., 1.], &[true, false])?, 0.);
        assert_eq!(
            auroc(&[2.; 7], &[true, false, true, true, false, true, true])?,
            0.5
        );
        // Positives at the ranks 1 and 4 of four.
        assert_eq!(auroc(&[1., 2., 3., 4.], &[true, false, false, true])?, 0.5);
        Ok(())
    }

    #[test]
    fn infinities_have_their_place() -> Result<()> {
        let infinite = [f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY, 1e308];
        assert_eq!(auroc(&infinite, &[false, true, false, true])?, 2.5 / 4.);
        Ok(())
    }

    // import numpy as np
    // from sklearn.metrics import roc_auc_score                            # scikit-learn 1.9.1
    // s = [.1, .4, .35, .8, .4, .4, .9, .1, .7, .35]; y = [0, 0, 1, 1, 1, 0, 0, 1, 1, 0]
    // print(roc_auc_score(y, s))
    // i = np.arange(1000); y = i * 31 % 97 < 5; s = i * 7919 % 1009 / 1009 + y * .25
    // print(roc_auc_score(y, s), roc_auc_score(y, np.floor(s * 8) / 8))
    #[test]
    fn scikit_learns_values() -> Result<()> {
        let scores = [0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.9, 0.1, 0.7, 0.35];
        let positives = [0, 0, 1, 1, 1, 0, 0, 1, 1, 0].map(|y| y == 1);
        assert_relative_eq!(auroc(&scores, &positives)?, 0.52, epsilon = 1e-14);
        let positives: Vec<bool> = (0..1000).map(|i| i * 31 % 97 < 5).collect();
        let score =
            |i: usize| (i * 7919 % 1009) as f64 / 1009. + if positives[i] { 0.25 } else { 0. };
        let scores: Vec<f64> = (0..1000).map(score).collect();
        let coarse: Vec<f64> = scores.iter().map(|s| (s * 8.).floor() / 8.).collect();
        assert_relative_eq!(
            auroc(&scores, &positives)?,
            0.7136887374229146,
            epsilon = 1e-14
        );
        assert_relative_eq!(
            auroc(&coarse, &positives)?,
            0.6993569457968192,
            epsilon = 1e-14
        );
        Ok(())
    }

    proptest! {
        #[test]
        fn equals_counting_pairs((scores, positives) in samples()) {
            let (mut won, mut pairs) = (0., 0.);
            for (s, _) in scores.iter().zip(&positives).filter(|(_, p)| **p) {
                for (t, _) in scores.iter().zip(&positives).filter(|(_, p)| !**p) {
                    pairs += 1.;
                    won += if s > t { 1. } else if s == t { 0.5 } else { 0. };
                }
            }
            prop_assert_eq!(auroc(&scores, &positives).unwrap(), won / pairs);
        }

        #[test]
        fn only_the_order_counts((scores, positives) in samples()) {
            let value = auroc(&scores, &positives).unwrap();
            let mapped: Vec<f64> = scores.iter().map(|s| (3. * s).exp() - 7.).collect();
            prop_assert_eq!(auroc(&mapped, &positives).unwrap(), value);
        }

        #[test]
        fn reversing_scores_or_classes_gives_the_complement((scores, positives) in samples()) {
            let value = auroc(&scores, &positives).unwrap();
            let negated: Vec<f64> = scores.iter().map(|s| -s).collect();
            let negatives: Vec<bool> = positives.iter().map(|p| !p).collect();
            prop_assert!((auroc(&negated, &positives).unwrap() + value - 1.).abs() < 1e-15);
            prop_assert!((auroc(&scores, &negatives).unwrap() + value - 1.).abs() < 1e-15);
            prop_assert_eq!(auroc(&negated, &negatives).unwrap(), value);
        }

        #[test]
        fn the_order_of_samples_does_not_count((scores, positives) in samples(), by in 0usize..40) {
            let value = auroc(&scores, &positives).unwrap();
            let (mut scores, mut positives) = (scores, positives);
            let by = by % scores.len();
            scores.rotate_left(by);
            positives.rotate_left(by);
            prop_assert_eq!(auroc(&scores, &positives).unwrap(), value);
            scores.reverse();
            positives.reverse();
            prop_assert_eq!(auroc(&scores, &positives).unwrap(), value);
        }
    }
}
