//! Where on the line of scores how much of each group lies, as far as the report's measures tell it apart.

/// Groups of samples by cells of the line of scores, in ascending order: below all, then the open interval
/// before the first break, the break, the next interval and so on, and above all. Breaks are the anomalies'
/// scores and thresholds: what unlabeled samples do between two of them changes no measure, so that a resample
/// costs as many draws as there are breaks, however many samples there are.
pub(super) struct Cells {
    breaks: Vec<f64>,
    /// None lies below or above all.
    pub(super) anomalies: Vec<usize>,
    /// As many.
    pub(super) unlabeled: Vec<usize>,
}

impl Cells {
    /// Of sorted scores.
    pub(super) fn new(unlabeled: &[f64], anomalies: &[f64], thresholds: &[f64]) -> Self {
        let mut breaks = [anomalies, thresholds].concat();
        breaks.sort_unstable_by(f64::total_cmp);
        breaks.dedup();
        Self {
            anomalies: counts(anomalies, &breaks),
            unlabeled: counts(unlabeled, &breaks),
            breaks,
        }
    }

    /// The first cell above a threshold, one of those given.
    pub(super) fn above(&self, threshold: f64) -> usize {
        2 * self.breaks.partition_point(|&at| at <= threshold) + 1
    }

    /// The share of the unlabeled samples above each cell, those in it counted half: where an anomaly in it has its place.
    pub(super) fn places(&self) -> Vec<f64> {
        let n = self.unlabeled.iter().sum::<usize>() as f64;
        let mut above = n;
        let place = |&count: &usize| {
            above -= count as f64;
            (above + 0.5 * count as f64) / n
        };
        let mut places: Vec<f64> = self.unlabeled.iter().map(place).collect();
        // What is supposed beyond all is there in every draw.
        if let [first, .., last] = &mut places[..] {
            (*first, *last) = (f64::INFINITY, f64::NEG_INFINITY);
        }
        places
    }

    /// The shares of the samples themselves.
    pub(super) fn empirical(&self) -> Masses {
        let weights = |counts: &[usize]| counts.iter().map(|&count| count as f64).collect();
        Masses::of(&[weights(&self.anomalies), weights(&self.unlabeled)])
    }
}

fn counts(sorted: &[f64], breaks: &[f64]) -> Vec<usize> {
    let mut counts = Vec::with_capacity(2 * breaks.len() + 3);
    counts.push(0);
    let mut rest = sorted;
    for &at in breaks {
        let below = rest.partition_point(|&score| score < at);
        let tied = rest[below..].partition_point(|&score| score <= at);
        counts.extend([below, tied]);
        rest = &rest[below + tied..];
    }
    counts.extend([rest.len(), 0]);
    counts
}

/// Shares of both groups in each cell, which add up to 1 each.
pub(super) struct Masses {
    pub(super) anomalies: Vec<f64>,
    pub(super) unlabeled: Vec<f64>,
}

impl Masses {
    /// Of weights of both groups in each cell.
    pub(super) fn of([anomalies, unlabeled]: &[Vec<f64>; 2]) -> Self {
        let shares = |weights: &[f64]| {
            let sum: f64 = weights.iter().sum();
            weights.iter().map(|weight| weight / sum).collect()
        };
        Self {
            anomalies: shares(anomalies),
            unlabeled: shares(unlabeled),
        }
    }

    /// `AUROC(A, U)`: the probability that an anomaly scores above an unlabeled sample, ties counted half.
    pub(super) fn auroc(&self) -> f64 {
        let (mut below, mut sum) = (0., 0.);
        for (a, u) in self.anomalies.iter().zip(&self.unlabeled) {
            sum += a * (below + 0.5 * u);
            below += u;
        }
        // The weights of either group add up to 1, or to a rounding more.
        sum.min(1.)
    }

    /// The mean over anomalies of the precision at "as high as this one or higher", on data with a share `alpha`
    /// of anomalies: `alpha P_A / P_U`, at most 1. `counts`: the anomalies in each cell, of which one would count
    /// itself; of it a half is taken, since the whole makes the few highest look better than they are.
    pub(super) fn average_precision(&self, counts: &[usize], alpha: f64) -> f64 {
        let (mut found, mut flagged, mut sum) = (0., 0., 0.);
        let cells = self.anomalies.iter().zip(&self.unlabeled).zip(counts);
        for ((&a, &u), &count) in cells.rev() {
            found += a;
            flagged += u;
            if a > 0. {
                let own = a / count.max(1) as f64;
                sum += a * ratio(alpha * (found - 0.5 * own), flagged);
            }
        }
        // The weights of all anomalies add up to 1, or to a rounding more.
        sum.min(1.)
    }

    /// The shares of anomalies and of unlabeled samples in this cell and those above.
    pub(super) fn at_or_above(&self, cell: usize) -> (f64, f64) {
        let sum = |masses: &[f64]| masses[cell..].iter().sum::<f64>().min(1.);
        (sum(&self.anomalies), sum(&self.unlabeled))
    }
}

/// `AUROC(A, N)` from `AUROC(A, U) = alpha / 2 + (1 - alpha) AUROC(A, N)`, as it is, be it above 1.
pub(super) fn decontaminated(auroc: f64, alpha: f64) -> f64 {
    (auroc - 0.5 * alpha) / (1. - alpha)
}

/// The false-positive rate, `(P_U - alpha P_A) / (1 - alpha)`, in [0, 1].
pub(super) fn false_positive_rate((found, flagged): (f64, f64), alpha: f64) -> f64 {
    ((flagged - alpha * found) / (1. - alpha)).clamp(0., 1.)
}

/// `found / flagged`, at most 1, and 0 where nothing is found.
pub(super) fn ratio(found: f64, flagged: f64) -> f64 {
    if found <= 0. {
        0.
    } else if found >= flagged {
        1.
    } else {
        found / flagged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::auroc;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    #[test]
    fn samples_are_counted_by_cell() {
        let cells = Cells::new(&[0., 1., 1., 2., 5.], &[1., 4., 4.], &[3., 9.]);
        // Below all, before 1, 1, between, 3, between, 4, between, 9, behind, above all.
        assert_eq!(cells.unlabeled, [0, 1, 2, 1, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(cells.anomalies, [0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0]);
        assert_eq!(cells.above(3.), 5);
        // Of 1 two are tied, of 4 one is above.
        let places = cells.places();
        assert_eq!((places[2], places[6]), (0.6, 0.2));
        assert_eq!((places[0], places[10]), (f64::INFINITY, f64::NEG_INFINITY));
        assert_eq!(cells.empirical().at_or_above(5), (2. / 3., 0.2));
        assert_eq!(cells.empirical().at_or_above(cells.above(9.)), (0., 0.));
    }

    /// With labels at random of which every hundredth is an anomaly, nothing is more precise than that.
    #[test]
    fn average_precision_of_no_separation_is_the_prior() {
        let scores: Vec<f64> = (0..1000).map(f64::from).collect();
        let anomalies: Vec<f64> = (0..100).map(|i| f64::from(10 * i) + 4.5).collect();
        let cells = Cells::new(&scores, &anomalies, &[]);
        let ap = cells.empirical().average_precision(&cells.anomalies, 0.01);
        assert_relative_eq!(ap, 0.01, max_relative = 0.01);
    }

    proptest! {
        #[test]
        fn the_auroc_is_that_of_the_samples(
            mut u in prop::collection::vec((-4i32..4).prop_map(f64::from), 1..30),
            mut a in prop::collection::vec((-4i32..4).prop_map(f64::from), 1..10),
            thresholds in prop::collection::vec(-4f64..4., 0..3),
        ) {
            let labels: Vec<bool> = (0..u.len() + a.len()).map(|i| i >= u.len()).collect();
            let expected = auroc(&[&u[..], &a].concat(), &labels).unwrap();
            u.sort_by(f64::total_cmp);
            a.sort_by(f64::total_cmp);
            let cells = Cells::new(&u, &a, &thresholds);
            prop_assert!((cells.empirical().auroc() - expected).abs() < 1e-12);
            for t in thresholds {
                let (found, flagged) = cells.empirical().at_or_above(cells.above(t));
                let share = |s: &[f64]| s.iter().filter(|s| **s > t).count() as f64 / s.len() as f64;
                prop_assert!((found - share(&a)).abs() < 1e-12 && (flagged - share(&u)).abs() < 1e-12);
            }
        }
    }
}
