//! Mean ranks of methods over blocks, and whether they differ (Demsar, Statistical comparisons of classifiers over
//! multiple data sets, 2006).

use statrs::distribution::{ContinuousCDF, FisherSnedecor, Normal};

use crate::mean_ranks::{mean_ranks, ranks};

/// Significance level of the critical difference.
pub const LEVEL: f64 = 0.05;

/// Methods compared on the same blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// A method's; 1 is the best.
    pub mean_ranks: Vec<f64>,
    pub blocks: usize,
    /// Of Friedman's test in Iman and Davenport's form: the probability of mean ranks that lie at least as far apart where
    /// all methods are alike.
    pub p_value: f64,
    /// By how much mean ranks must differ for two methods to differ at 5% (Nemenyi).
    pub critical_difference: f64,
}

impl Comparison {
    /// Of values by block and method, larger is better. `None` for fewer than two methods or blocks.
    pub fn of(blocks: &[Vec<f64>]) -> Option<Self> {
        let (n, k) = (blocks.len(), blocks.first()?.len());
        if n < 2 || k < 2 {
            return None;
        }
        let ranks: Vec<Vec<f64>> = blocks.iter().map(|values| ranks(values)).collect();
        let mean_ranks = mean_ranks(&ranks);
        Some(Self {
            p_value: friedman(&ranks, &mean_ranks),
            blocks: n,
            critical_difference: critical_difference(k, n),
            mean_ranks,
        })
    }
}

/// Conover's form, which allows for ties, then Iman and Davenport's F.
fn friedman(ranks: &[Vec<f64>], mean_ranks: &[f64]) -> f64 {
    let (n, k) = (ranks.len() as f64, mean_ranks.len() as f64);
    let middle = (k + 1.) / 2.;
    let between: f64 = mean_ranks.iter().map(|mean| (mean - middle).powi(2)).sum();
    let within = ranks.iter().flatten().map(|rank| (rank - middle).powi(2));
    let within: f64 = within.sum();
    if within == 0. {
        return 1.;
    }
    let statistic = (k - 1.) * n * n * between / within;
    // At most n (k - 1): all blocks order the methods alike, for which F has no bound, and chance its own.
    let rest = n * (k - 1.) - statistic;
    if rest <= 1e-9 * n * k {
        let orders: f64 = (1..=mean_ranks.len()).map(|method| method as f64).product();
        return orders.powf(1. - n);
    }
    let f = (n - 1.) * statistic / rest;
    let distribution = FisherSnedecor::new(k - 1., (k - 1.) * (n - 1.));
    distribution.map_or(f64::NAN, |distribution| distribution.sf(f))
}

fn critical_difference(methods: usize, blocks: usize) -> f64 {
    let k = methods as f64;
    let quantile = range_quantile(methods, 1. - LEVEL) / 2f64.sqrt();
    quantile * (k * (k + 1.) / (6. * blocks as f64)).sqrt()
}

/// The quantile of the range of `k` standard normal variables: the studentized range with infinitely many degrees of
/// freedom.
fn range_quantile(k: usize, share: f64) -> f64 {
    let (mut low, mut high) = (0., 20.);
    while high - low > 1e-10 {
        let middle = (low + high) / 2.;
        if range_distribution(k, middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.
}

/// P(range <= q) = k int phi(x) (Phi(x) - Phi(x - q))^(k - 1) dx, by the trapezoidal rule, which errs less than any power
/// of its step on what vanishes at both ends.
fn range_distribution(k: usize, q: f64) -> f64 {
    const STEPS: i32 = 800;
    let power = i32::try_from(k - 1).unwrap_or(i32::MAX);
    let normal = Normal::standard();
    let step = 20. / f64::from(STEPS);
    let term = |i: i32| {
        let x = -10. + step * f64::from(i);
        let density = (-x * x / 2.).exp() / std::f64::consts::TAU.sqrt();
        density * (normal.cdf(x) - normal.cdf(x - q)).powi(power)
    };
    k as f64 * step * (0..=STEPS).map(term).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(ranks(&[0.9, 0.7, 0.9, 0.1]), [1.5, 3., 1.5, 4.]);
        assert_eq!(ranks(&[1., 1., 1.]), [2., 2., 2.]);
    }

    // Table 5 of Demsar 2006: the quantiles of two-tailed Nemenyi tests at 5%, divided by the root of 2.
    #[test]
    fn demsars_quantiles() {
        let published = [
            1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164,
        ];
        for (k, q) in (2..).zip(published) {
            let own = range_quantile(k, 0.95) / 2f64.sqrt();
            assert!((own - q).abs() < 1e-3, "{k}: {own} and {q}");
        }
        // scipy.stats.studentized_range.ppf(.95, 20, inf)
        assert_relative_eq!(range_quantile(20, 0.95), 5.0117, max_relative = 1e-4);
    }

    // Table 6 of Demsar 2006, four classifiers on 14 data sets: mean ranks 3.143, 2.000, 2.893, 1.964, chi-squared 9.28,
    // F 3.69, critical difference 1.25.
    #[test]
    fn demsars_example() {
        let table = [
            [0.763, 0.768, 0.771, 0.798],
            [0.599, 0.591, 0.590, 0.569],
            [0.954, 0.971, 0.968, 0.967],
            [0.628, 0.661, 0.654, 0.657],
            [0.882, 0.888, 0.886, 0.898],
            [0.936, 0.931, 0.916, 0.931],
            [0.661, 0.668, 0.609, 0.685],
            [0.583, 0.583, 0.563, 0.625],
            [0.775, 0.838, 0.866, 0.875],
            [1.000, 1.000, 1.000, 1.000],
            [0.940, 0.962, 0.965, 0.962],
            [0.619, 0.666, 0.614, 0.669],
            [0.972, 0.981, 0.9751, 0.975],
            [0.957, 0.978, 0.946, 0.970],
        ];
        let blocks: Vec<Vec<f64>> = table.iter().map(|row| row.to_vec()).collect();
        let compared = Comparison::of(&blocks).unwrap();
        for (own, published) in compared.mean_ranks.iter().zip([3.143, 2., 2.893, 1.964]) {
            assert!((own - published).abs() < 6e-4, "{own} and {published}");
        }
        assert_relative_eq!(compared.critical_difference, 1.25, max_relative = 0.005);
        // F(3, 39) is 2.85 at 5%; without the correction for ties 3.69.
        assert!((0.01..0.025).contains(&compared.p_value), "{compared:?}");
    }

    #[test]
    fn the_ends_of_friedmans_test() {
        let alike = Comparison::of(&vec![vec![0.5; 3]; 4]).unwrap();
        assert_eq!((alike.p_value, &alike.mean_ranks[..]), (1., &[2.; 3][..]));
        let ordered = Comparison::of(&vec![vec![0.9, 0.8, 0.7]; 4]).unwrap();
        assert_relative_eq!(ordered.p_value, 1. / 216., max_relative = 1e-12);
        assert_eq!(ordered.mean_ranks[2], 3.);
        let two = Comparison::of(&vec![vec![0.9, 0.8]; 2]).unwrap();
        assert_relative_eq!(two.p_value, 0.5, max_relative = 1e-12);
        assert_eq!(Comparison::of(&[vec![0.9, 0.8]]), None);
        assert_eq!(Comparison::of(&vec![vec![0.9]; 3]), None);
        assert_eq!(Comparison::of(&[]), None);
    }
}
