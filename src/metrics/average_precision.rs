use super::ranked::Ranked;
use crate::Result;

/// Average precision: `sum_k (R_k - R_(k-1)) P_k` over the distinct scores from the largest down,
/// with `P_k` and `R_k` the precision and the recall of "at least the k-th score is positive".
///
/// The step-wise area under the precision-recall curve, without interpolation, as scikit-learn's
/// `average_precision_score`. Samples that share a score enter together. A detector that orders at
/// random has about the share of positives, where AUROC has 0.5.
///
/// `scores`: one a sample, larger = more anomalous; infinities have their place in the order.
/// `positives`: true for an anomaly. Time `O(n log n)`.
///
/// # Errors
/// - [`Error::Length`](crate::Error::Length) if the lists differ in length,
/// - [`Error::NanScore`](crate::Error::NanScore) if a score is NaN,
/// - [`Error::OneClass`](crate::Error::OneClass) without a positive (the recall is undefined), or
///   without a negative (the value would be 1 for any scores).
///
/// # References
/// Davis and Goadrich, The relationship between precision-recall and ROC curves, ICML 2006, on why
/// the curve must not be interpolated linearly.
///
/// ```
/// use puad::metrics::average_precision;
///
/// // Recall 1/2 at precision 1, then recall 1 at precision 2/3.
/// let value = average_precision(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
/// assert!((value - (0.5 + 0.5 * 2. / 3.)).abs() < 1e-15);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn average_precision(scores: &[f64], positives: &[bool]) -> Result<f64> {
    let ranked = Ranked::new("average precision", scores, positives)?;
    let (mut found, mut flagged, mut sum) = (0, 0, 0.);
    for tie in ranked.ties.iter().rev() {
        found += tie.positives;
        flagged += tie.positives + tie.negatives;
        sum += tie.positives as f64 * (found as f64 / flagged as f64);
    }
    Ok(sum / ranked.positives as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    #[test]
    fn closed_forms() -> Result<()> {
        assert_eq!(average_precision(&[0., 1.], &[false, true])?, 1.);
        // The only positive comes k-th: 1 / k.
        for k in 1..6 {
            let scores: Vec<f64> = (0..6).map(|i| -f64::from(i)).collect();
            let positives: Vec<bool> = (1..=6).map(|i| i == k).collect();
            assert_relative_eq!(average_precision(&scores, &positives)?, 1. / f64::from(k));
        }
        // All tied: the share of positives.
        assert_eq!(
            average_precision(&[3.; 4], &[true, false, false, false])?,
            0.25
        );
        Ok(())
    }

    // As for AUROC, with average_precision_score (scikit-learn 1.9.1).
    #[test]
    fn scikit_learns_values() -> Result<()> {
        let scores = [0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.9, 0.1, 0.7, 0.35];
        let positives = [0, 0, 1, 1, 1, 0, 0, 1, 1, 0].map(|y| y == 1);
        assert_relative_eq!(
            average_precision(&scores, &positives)?,
            0.5333333333333333,
            epsilon = 1e-14
        );
        let positives: Vec<bool> = (0..1000).map(|i| i * 31 % 97 < 5).collect();
        let score =
            |i: usize| (i * 7919 % 1009) as f64 / 1009. + if positives[i] { 0.25 } else { 0. };
        let scores: Vec<f64> = (0..1000).map(score).collect();
        let coarse: Vec<f64> = scores.iter().map(|s| (s * 8.).floor() / 8.).collect();
        assert_relative_eq!(
            average_precision(&scores, &positives)?,
            0.3368108879796022,
            epsilon = 1e-14
        );
        assert_relative_eq!(
            average_precision(&coarse, &positives)?,
            0.279536419282049,
            epsilon = 1e-14
        );
        Ok(())
    }

    proptest! {
        #[test]
        fn follows_the_definition(
            samples in prop::collection::vec((-3i32..3, any::<bool>()), 0..30),
        ) {
            let mut samples = samples;
            samples.extend([(1, true), (0, false)]);
            let (scores, positives): (Vec<f64>, Vec<bool>) =
                samples.into_iter().map(|(k, p)| (f64::from(k), p)).unzip();
            let total = positives.iter().filter(|p| **p).count() as f64;
            // Each positive counts the precision of "as high as I or higher".
            let precision = |threshold: f64| {
                let flagged = || scores.iter().zip(&positives).filter(|(s, _)| **s >= threshold);
                flagged().filter(|(_, p)| **p).count() as f64 / flagged().count() as f64
            };
            let expected: f64 = scores.iter().zip(&positives).filter(|(_, p)| **p)
                .map(|(s, _)| precision(*s) / total).sum();
            let value = average_precision(&scores, &positives).unwrap();
            prop_assert!((value - expected).abs() < 1e-12);
            prop_assert!(value > 0. && value <= 1.);
            let mapped: Vec<f64> = scores.iter().map(|s| s.exp()).collect();
            prop_assert_eq!(average_precision(&mapped, &positives).unwrap(), value);
            let reversed = |v: &[f64]| v.iter().rev().copied().collect::<Vec<_>>();
            let flipped: Vec<bool> = positives.iter().rev().copied().collect();
            prop_assert_eq!(average_precision(&reversed(&scores), &flipped).unwrap(), value);
        }
    }
}
