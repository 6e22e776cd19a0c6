//! Wilcoxon's signed-rank test of two methods on the same blocks, and Holm's correction for several such tests.

/// The probability of rank sums at least as far apart if each difference has either sign with the same probability, two-sided
/// and exact: over all signs of the differences as they are, ties included. Differences of 0 are left out; without others
/// it is 1.
///
/// # References
/// Wilcoxon, Individual comparisons by ranking methods, Biometrics 1, 1945.
pub fn p_value(differences: &[f64]) -> f64 {
    let differences: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.).collect();
    let ranks = doubled_ranks(&differences);
    let positive = differences.iter().zip(&ranks).filter(|(d, _)| **d > 0.);
    let sum: usize = positive.map(|(_, rank)| rank).sum();
    let total: usize = ranks.iter().sum();
    // How probable each sum of the ranks of positive differences is.
    let mut probabilities = vec![0.; total + 1];
    probabilities[0] = 1.;
    for rank in ranks {
        for i in (0..=total).rev() {
            let without = probabilities[i];
            let with = if i >= rank {
                probabilities[i - rank]
            } else {
                0.
            };
            probabilities[i] = (without + with) / 2.;
        }
    }
    // The distribution is symmetric.
    let tail: f64 = probabilities[..=sum.min(total - sum)].iter().sum();
    (2. * tail).min(1.)
}

/// Twice the ranks of the absolute values from 1, so that those of ties are integers too.
fn doubled_ranks(differences: &[f64]) -> Vec<usize> {
    let rank = |d: &f64| {
        let below = differences
            .iter()
            .filter(|other| other.abs() < d.abs())
            .count();
        let same = differences
            .iter()
            .filter(|other| other.abs() == d.abs())
            .count();
        2 * below + same + 1
    };
    differences.iter().map(rank).collect()
}

/// Adjusted values of several tests' p: those below a level are the hypotheses that Holm's procedure rejects at it.
///
/// # References
/// Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.; p_values.len()];
    let mut largest = 0f64;
    for (i, place) in order.into_iter().enumerate() {
        let left = (p_values.len() - i) as f64;
        largest = largest.max((left * p_values[place]).min(1.));
        adjusted[place] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    // scipy.stats.wilcoxon(d, method="exact").pvalue
    #[test]
    fn scipys_values() {
        let zea = [
            6., 8., 14., 16., 23., 24., 28., 29., 41., -48., 49., 56., 60., -67., 75.,
        ];
        assert_relative_eq!(p_value(&zea), 0.041259765625, max_relative = 1e-12);
        assert_relative_eq!(
            p_value(&[1., 2., 3., 4., 5., 6.]),
            0.03125,
            max_relative = 1e-12
        );
        assert_relative_eq!(
            p_value(&[1., 2., 3., 4., 5., -6.]),
            0.4375,
            max_relative = 1e-12
        );
    }

    #[test]
    fn ties_and_zeros() {
        // Of the eight signs of three equal differences two are as far out.
        assert_relative_eq!(p_value(&[0.5, 0., 0.5, 0.5]), 0.25, max_relative = 1e-12);
        assert_eq!(p_value(&[1., -1.]), 1.);
        assert_eq!(p_value(&[0., 0.]), 1.);
        assert_eq!(p_value(&[]), 1.);
        let many: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!(p_value(&many) < 1e-28);
    }

    // statsmodels.stats.multitest.multipletests([.01, .04, .03, .005], method="holm")
    #[test]
    fn holms_adjustment() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (own, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert_relative_eq!(*own, expected, max_relative = 1e-12);
        }
        assert_eq!(holm(&[0.6, 0.7]), [1., 1.]);
    }
}
