//! Probabilities of counts, without a table and without cancellation of large numbers.

use std::f64::consts::PI;

/// `ln n! - ln (sqrt(2 pi n) (n / e)^n)` for n >= 1.
fn stirling(n: f64) -> f64 {
    if n < 16. {
        let factorial: f64 = (1..=n as u64).map(|i| i as f64).product();
        return factorial.ln() - (0.5 * (2. * PI * n).ln() + n * n.ln() - n);
    }
    let square = n * n;
    (1. / 12. - (1. / 360. - (1. / 1260. - 1. / (1680. * square)) / square) / square) / n
}

/// `x ln(x / mean) + mean - x`: what `x` is off its mean by.
fn deviance(x: f64, mean: f64) -> f64 {
    let off = (x - mean) / mean;
    mean * ((1. + off) * off.ln_1p() - off)
}

/// The probability of `k` of `n` at `p` in [0, 1] each, by Stirling's formula and its rest (Loader, Fast and accurate
/// computation of binomial probabilities, 2000).
fn mass(n: u64, p: f64, k: u64) -> f64 {
    if k > n {
        return 0.;
    }
    let (size, x, y) = (n as f64, k as f64, (n - k) as f64);
    if p <= 0. || p >= 1. {
        let certain = if p <= 0. { 0 } else { n };
        return f64::from(u8::from(k == certain));
    }
    if k == 0 {
        return (size * (-p).ln_1p()).exp();
    }
    if k == n {
        return (size * p.ln()).exp();
    }
    let rest = stirling(size) - stirling(x) - stirling(y);
    let off = deviance(x, size * p) + deviance(y, size * (1. - p));
    (rest - off + 0.5 * (size / (2. * PI * x * y)).ln()).exp()
}

/// `first` and what follows it, each the one before times the ratio, until the rest does not count.
fn series(first: f64, ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut term, mut sum) = (first, first);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        // Ratios fall, so that the rest is below a geometric series.
        if term <= 1e-18 * sum * (1. - ratio.min(1.)) {
            break;
        }
    }
    sum
}

/// The probability of more than `k` of `n` at `p` in [0, 1] each.
pub(crate) fn more_than(n: u64, p: f64, k: u64) -> f64 {
    if k >= n {
        return 0.;
    }
    if ((k + 1) as f64) < n as f64 * p {
        return 1. - at_most(n, p, k);
    }
    let odds = p / (1. - p);
    let ratio = |i: u64| (n - i) as f64 / (i + 1) as f64 * odds;
    series(mass(n, p, k + 1), (k + 1..n).map(ratio)).min(1.)
}

/// The probability of at most `k` of `n` at `p` in [0, 1] each.
pub(crate) fn at_most(n: u64, p: f64, k: u64) -> f64 {
    if k >= n {
        return 1.;
    }
    if (k as f64) > n as f64 * p {
        return 1. - more_than(n, p, k);
    }
    let odds = (1. - p) / p;
    let ratio = |i: u64| i as f64 / (n - i + 1) as f64 * odds;
    series(mass(n, p, k), (1..=k).rev().map(ratio)).min(1.)
}

/// The largest `p` at which `k` or more of `n` are at most this probable: the lower end of Clopper's and Pearson's
/// interval.
pub(crate) fn lower_end(n: u64, k: u64, chance: f64) -> f64 {
    if k == 0 {
        return 0.;
    }
    let (mut low, mut high) = (0., k as f64 / n as f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if more_than(n, middle, k - 1) <= chance {
            low = middle
        } else {
            high = middle
        }
    }
    low
}

/// The probability that of `draws` without replacement from `marked` and `others` at most `k` are marked.
pub(crate) fn marked_at_most(marked: u64, others: u64, draws: u64, k: u64) -> f64 {
    let least = draws.saturating_sub(others);
    let most = draws.min(marked);
    if k >= most {
        return 1.;
    }
    if k < least {
        return 0.;
    }
    let all = marked + others;
    let p = draws as f64 / all as f64;
    let mass = |x: u64| mass(marked, p, x) * mass(others, p, draws - x) / mass(all, p, draws);
    let weight = |x: u64, y: u64| (x as f64, y as f64);
    if (k as f64) <= draws as f64 * (marked as f64 / all as f64) {
        let ratio = |x: u64| {
            let ((a, b), (c, d)) = (
                weight(x, others + x - draws),
                weight(marked - x + 1, draws - x + 1),
            );
            a / c * (b / d)
        };
        return series(mass(k), (least + 1..=k).rev().map(ratio)).min(1.);
    }
    let ratio = |x: u64| {
        let ((a, b), (c, d)) = (
            weight(marked - x, draws - x),
            weight(x + 1, others + x + 1 - draws),
        );
        a / c * (b / d)
    };
    1. - series(mass(k + 1), (k + 1..most).map(ratio)).min(1.)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    // binom.sf(k, n, p), beta.ppf(chance, k, n - k + 1) and hypergeom.cdf(k, marked + others, marked, draws) of
    // scipy.stats
    #[test]
    fn scipys_values() {
        for (n, p, k, expected) in TAILS {
            assert_relative_eq!(more_than(n, p, k), expected, max_relative = 1e-9);
            assert_relative_eq!(
                at_most(n, p, k),
                1. - expected,
                max_relative = 1e-9,
                epsilon = 1e-14
            );
        }
        for (n, k, chance, expected) in ENDS {
            assert_relative_eq!(lower_end(n, k, chance), expected, max_relative = 1e-9);
        }
        for (marked, others, draws, k, expected) in DRAWS {
            assert_relative_eq!(
                marked_at_most(marked, others, draws, k),
                expected,
                max_relative = 1e-9
            );
        }
    }

    const TAILS: [(u64, f64, u64, f64); 9] = [
        (20000, 0.0025, 50, 0.4624832797373994),
        (20000, 0.0025, 62, 0.04219155415444265),
        (20000, 0.0025, 30, 0.9984228481335017),
        (10, 0.3, 2, 0.6172172136000003),
        (1000000, 0.001, 1100, 0.0008628997519888585),
        (1000000000, 1e-07, 120, 0.022669323517287957),
        (5, 0.9, 3, 0.91854),
        (300, 0.5, 150, 0.4769862427904832),
        (20000, 0.0025, 110, 6.89827385377035e-14),
    ];

    const ENDS: [(u64, u64, f64, f64); 4] = [
        (100, 80, 0.05, 0.7227997503290864),
        (40, 1, 0.025, 0.0006327449320494191),
        (1000, 999, 0.01, 0.9933803316043514),
        (7, 7, 0.05, 0.6518363448688391),
    ];

    const DRAWS: [(u64, u64, u64, u64, f64); 6] = [
        (5000, 20000, 63, 12, 0.5000952500970746),
        (5000, 20000, 63, 20, 0.9910509732546114),
        (5000, 20000, 63, 3, 0.0005889341700838991),
        (10, 10, 5, 2, 0.5),
        (1000, 1000000, 51051, 50, 0.47988386593845517),
        (50, 20000, 60, 2, 0.9995482075062544),
    ];

    #[test]
    fn certain_counts() {
        assert_eq!((more_than(10, 0., 0), at_most(10, 0., 0)), (0., 1.));
        assert_eq!((more_than(10, 1., 9), at_most(10, 1., 9)), (1., 0.));
        assert_eq!((more_than(10, 0.5, 10), at_most(10, 0.5, 10)), (0., 1.));
        assert_eq!(lower_end(10, 0, 0.05), 0.);
        assert_eq!(
            marked_at_most(5, 5, 8, 2),
            0.,
            "at least three of eight are marked"
        );
        assert_eq!(marked_at_most(5, 5, 8, 5), 1.);
    }

    /// All masses sum to 1, and tails are their sums.
    #[test]
    fn tails_are_sums_of_masses() {
        for (n, p) in [(1, 0.3), (17, 0.5), (40, 0.01), (200, 0.97)] {
            let mut sum = 0.;
            for k in 0..=n {
                sum += mass(n, p, k);
                assert_relative_eq!(at_most(n, p, k), sum, max_relative = 1e-11);
            }
            assert_relative_eq!(sum, 1., max_relative = 1e-11);
        }
    }
}
