//! Shares of counted samples, with exact intervals.

use super::Estimate;
use crate::statistics::lower_end;

/// `k` of `n`, `n >= 1`, with the interval of Clopper and Pearson, "The use of confidence or fiducial limits
/// illustrated in the case of the binomial", Biometrika 1934: it holds the truth at least as often as `level`
/// says for any `n`, and 8 of 8 have one from 0.63, where resampling the eight would never give another share.
pub(super) fn proportion(k: usize, n: usize, level: f64) -> Estimate {
    let tail = 0.5 * (1. - level);
    let (count, of) = (k as u64, n as u64);
    let (low, high) = (
        lower_end(of, count, tail),
        1. - lower_end(of, of - count, tail),
    );
    let value = k as f64 / n as f64;
    Estimate {
        value,
        low: low.min(value),
        high: high.max(value),
    }
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
