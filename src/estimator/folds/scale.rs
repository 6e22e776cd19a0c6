use crate::model::HeldOut;
use crate::statistics::value_at;

/// The scores of a fold's model on another model's scale: those of unlabeled samples become the other's of the same
/// rank, and all others lie between, above and below them as they did. `unlabeled`: the other model's scores of
/// unlabeled samples that it did not see, in order and not empty.
pub(in crate::estimator) fn onto_scale(fold: HeldOut, unlabeled: &[f64]) -> HeldOut {
    let mut own = fold.unlabeled.clone();
    if own.is_empty() {
        return fold;
    }
    own.sort_unstable_by(f64::total_cmp);
    let stretch = match width(&own) {
        0. => 1.,
        own => width(unlabeled) / own,
    };
    let map = |score: f64| -> f64 {
        let (least, most, end) = (own[0], own[own.len() - 1], 0.5 / own.len() as f64);
        if score > most {
            return value_at(unlabeled, 1. - end) + (score - most) * stretch;
        }
        if score < least {
            return value_at(unlabeled, end) - (least - score) * stretch;
        }
        value_at(unlabeled, share(&own, score))
    };
    HeldOut {
        unlabeled: fold.unlabeled.into_iter().map(map).collect(),
        anomalies: fold.anomalies.into_iter().map(map).collect(),
        rows: fold.rows,
    }
}

/// Between the quartiles, or else all.
fn width(sorted: &[f64]) -> f64 {
    match value_at(sorted, 0.75) - value_at(sorted, 0.25) {
        0. => sorted[sorted.len() - 1] - sorted[0],
        quartiles => quartiles,
    }
}

/// Where a score lies among `sorted`, in (0, 1), as [`value_at`] counts, equal ones midway. Not beyond its ends.
fn share(sorted: &[f64], score: f64) -> f64 {
    let n = sorted.len() as f64;
    let below = sorted.partition_point(|&s| s < score);
    let upto = sorted.partition_point(|&s| s <= score);
    if below < upto {
        return (below + upto) as f64 / 2. / n;
    }
    let (low, high) = (sorted[below - 1], sorted[below]);
    let (before, after) = ((below as f64 - 0.5) / n, (below as f64 + 0.5) / n);
    // Halved first: the difference of two finite scores may not be.
    let part = (score / 2. - low / 2.) / (high / 2. - low / 2.);
    before + (after - before) * part
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fold(unlabeled: &[f64], anomalies: &[f64]) -> HeldOut {
        HeldOut {
            unlabeled: unlabeled.into(),
            anomalies: anomalies.into(),
            rows: vec![],
        }
    }

    #[test]
    fn a_scale_onto_itself_changes_nothing() {
        let own = [1., 2., 2., 5., 9.];
        let mapped = onto_scale(fold(&own, &[0., 3.5, 9., 12.]), &own);
        assert_eq!(mapped.unlabeled, own);
        let expected = [0., 3.5, 9., 12.];
        for (mapped, expected) in mapped.anomalies.iter().zip(expected) {
            assert!((mapped - expected).abs() < 1e-12, "{mapped} {expected}");
        }
    }

    #[test]
    fn units_do_not_matter() {
        let own = [1., 2., 4., 5., 9.];
        let other = own.map(|s| 10. * s - 3.);
        let mapped = onto_scale(fold(&own, &[0.5, 3., 20.]), &other);
        for (mapped, score) in mapped.anomalies.iter().zip([0.5, 3., 20.]) {
            assert!(
                (mapped - (10. * score - 3.)).abs() < 1e-9,
                "{mapped} {score}"
            );
        }
    }

    #[test]
    fn scores_that_are_all_equal_are_mapped_to_the_middle() {
        let mapped = onto_scale(fold(&[3., 3.], &[3., 4.]), &[0., 1., 2.]);
        assert_eq!(mapped.unlabeled, [1., 1.]);
        assert_eq!(mapped.anomalies, [1., 2.75]);
        assert_eq!(onto_scale(fold(&[], &[4.]), &[0.]).anomalies, [4.]);
    }

    proptest! {
        #[test]
        fn order_is_kept(
            own in proptest::collection::vec(-20i32..20, 1..40),
            anomalies in proptest::collection::vec(-30i32..30, 1..40),
            other in proptest::collection::vec(-9i32..9, 1..40),
            spread in -200i32..200,
        ) {
            let scale = |v: Vec<i32>, by: f64| v.into_iter().map(|s| f64::from(s) * by).collect::<Vec<_>>();
            let mut other = scale(other, 10f64.powi(spread));
            other.sort_unstable_by(f64::total_cmp);
            let (own, anomalies) = (scale(own, 0.5), scale(anomalies, 0.5));
            let mapped = onto_scale(fold(&own, &anomalies), &other);
            let before = [own, anomalies].concat();
            let after = [mapped.unlabeled, mapped.anomalies].concat();
            for i in 0..before.len() {
                prop_assert!(after[i].is_finite());
                for j in 0..before.len() {
                    if before[i] <= before[j] {
                        let slack = 1e-9 * (after[i].abs() + after[j].abs());
                        prop_assert!(after[i] <= after[j] + slack, "{} {}", after[i], after[j]);
                    }
                }
            }
        }
    }
}
