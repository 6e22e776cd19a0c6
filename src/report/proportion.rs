//! Shares of counted samples, with exact intervals.

use super::Estimate;

/// `k` of `n`, `n >= 1`, with the interval of Clopper and Pearson, "The use of confidence or fiducial limits
/// illustrated in the case of the binomial", Biometrika 1934: it holds the truth at least as often as `level`
/// says for any `n`, and 8 of 8 have one from 0.63, where resampling the eight would never give another share.
pub(super) fn proportion(k: usize, n: usize, level: f64) -> Estimate {
    let tail = 0.5 * (1. - level);
    let low = match k {
        0 => 0.,
        // P(X >= k) rises with p.
        _ => root(|p| 1. - at_most(k - 1, n, p) - tail),
    };
    let high = match k {
        k if k == n => 1.,
        // P(X <= k) falls with p.
        _ => root(|p| tail - at_most(k, n, p)),
    };
    let value = k as f64 / n as f64;
    Estimate {
        value,
        low: low.min(value),
        high: high.max(value),
    }
}

/// Where a rising function crosses 0 in [0, 1].
fn root(f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0., 1.);
    // Until both are neighbours, for shares near 0 too.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if f(middle) < 0. {
            low = middle
        } else {
            high = middle
        }
    }
    0.5 * (low + high)
}

/// `P(X <= k)` of a binomial `X` of `n` trials, for `p` in (0, 1) and `k < n`: the terms of the tail that is
/// shorter, from its largest on.
fn at_most(k: usize, n: usize, p: f64) -> f64 {
    if (k as f64) < p * n as f64 {
        return below(k, n, p);
    }
    // X > k is n - X < n - k of the other outcome.
    1. - below(n - k - 1, n, 1. - p)
}

/// As [`at_most`], summed from `k` down, where terms fall.
fn below(k: usize, n: usize, p: f64) -> f64 {
    let odds = (1. - p) / p;
    let (mut term, mut sum) = (1f64, 1f64);
    for i in (1..=k).rev() {
        term *= i as f64 / (n - i + 1) as f64 * odds;
        sum += term;
        if term < f64::EPSILON * sum {
            break;
        }
    }
    let largest = ln_choose(k, n) + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p();
    (largest + sum.ln()).exp().min(1.)
}

/// The logarithm of the number of ways to choose `k` of `n`.
fn ln_choose(k: usize, n: usize) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Stirling's series, good to the last digits from 16 on.
fn ln_factorial(n: usize) -> f64 {
    if n < 16 {
        return (1..=n).map(|i| i as f64).product::<f64>().ln();
    }
    let x = n as f64;
    let series = 1. / (12. * x) - 1. / (360. * x.powi(3)) + 1. / (1260. * x.powi(5));
    x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use statrs::distribution::{Beta, ContinuousCDF};

    /// The ends are quantiles of beta distributions.
    #[test]
    fn ends_are_those_of_the_beta_distribution() {
        for (k, n) in [
            (1, 2),
            (3, 8),
            (8, 9),
            (17, 40),
            (2, 4000),
            (199, 4000),
            (90_000, 100_000),
        ] {
            for level in [0.5, 0.9, 0.95, 0.999] {
                let Estimate { low, high, .. } = proportion(k, n, level);
                let tail = 0.5 * (1. - level);
                let (k, n) = (k as f64, n as f64);
                let lower = Beta::new(k, n - k + 1.).unwrap();
                let upper = Beta::new(k + 1., n - k).unwrap();
                assert_relative_eq!(lower.cdf(low), tail, max_relative = 1e-6);
                assert_relative_eq!(1. - upper.cdf(high), tail, max_relative = 1e-6);
            }
        }
    }

    #[test]
    fn none_and_all_have_closed_forms() {
        let all = proportion(8, 8, 0.95);
        assert_eq!((all.value, all.high), (1., 1.));
        assert_relative_eq!(all.low, 0.025f64.powf(1. / 8.), max_relative = 1e-9);
        let none = proportion(0, 1_000_000, 0.95);
        assert_eq!((none.value, none.low), (0., 0.));
        assert_relative_eq!(none.high, 1. - 0.025f64.powf(1e-6), max_relative = 1e-7);
    }
}
