//! Quantiles of scores, some of which are equal.

use crate::statistics::{self, midway};

/// The threshold that flags a share of `sorted`, which is not empty, nearest to `1 - q`.
pub(super) fn at_quantile(sorted: &[f64], q: f64) -> f64 {
    let quantile = statistics::quantile(sorted, q);
    let below = sorted.partition_point(|&s| s < quantile);
    let tied = sorted[below..].partition_point(|&s| s <= quantile);
    let above = sorted.len() - below - tied;
    // Compared without the noise of 1 - q, which would decide a draw.
    let nearer = 2. * (1. - q) * sorted.len() as f64 >= (2 * above + tied) as f64 - 1e-9;
    match below {
        _ if tied == 0 || !nearer => quantile,
        0 => quantile.next_down(),
        _ => midway(sorted[below - 1], quantile),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `counts[i]` scores of the value `i`, and how many of the highest are flagged.
    fn flagged(counts: &[usize], q: f64) -> usize {
        let value = |(i, &n): (usize, &usize)| vec![i as f64; n];
        let sorted: Vec<f64> = counts.iter().enumerate().flat_map(value).collect();
        let threshold = at_quantile(&sorted, q);
        sorted.iter().filter(|s| **s > threshold).count()
    }

    #[test]
    fn equal_scores_are_flagged_where_that_is_nearer_to_the_share() {
        // Of a hundred, ten are asked for.
        assert_eq!(flagged(&[88, 12], 0.9), 12);
        assert_eq!(flagged(&[80, 20], 0.9), 20, "a draw");
        assert_eq!(flagged(&[79, 21], 0.9), 0);
        assert_eq!(flagged(&[80, 15, 5], 0.9), 5);
        assert_eq!(flagged(&[84, 11, 5], 0.9), 5);
        assert_eq!(flagged(&[86, 9, 5], 0.9), 14);
        assert_eq!(flagged(&[85, 10, 5], 0.9), 15, "a draw");
        assert_eq!(flagged(&[90, 10], 0.9), 10);
        assert_eq!(flagged(&[100], 0.9), 0);
        assert_eq!(flagged(&[100], 0.5), 100, "a draw");
        assert_eq!(flagged(&[1, 1, 1], 0.), 3);
        assert_eq!(flagged(&[1, 1, 1], 1.), 0);
        // With room on both sides, but never above the next lower score.
        assert_eq!(at_quantile(&[0., 0., 0., 0., 8., 8.], 0.8), 4.);
        let next = 1f64.next_up();
        assert_eq!(at_quantile(&[1., 1., next, next], 0.7), 1.);
    }

    proptest! {
        #[test]
        fn no_other_cut_flags_a_share_nearer_by_more_than_a_score(
            counts in proptest::collection::vec(1usize..20, 1..20), q in 0.0..=1.0f64,
        ) {
            let n: usize = counts.iter().sum();
            let off = |flagged: usize| (flagged as f64 - (1. - q) * n as f64).abs();
            let best = (0..=counts.len()).map(|cut| off(counts[cut..].iter().sum()));
            let best = best.fold(f64::INFINITY, f64::min);
            prop_assert!(off(flagged(&counts, q)) <= best + 1.);
        }
    }
}
