//! Student's two-sided t-test of two methods on the same data sets and seeds.

use anyhow::{Result, ensure};
use statrs::function::beta::beta_reg;

/// The probability of a mean difference `left[i] - right[i]` at least as far from 0 if the differences
/// are normally distributed around 0.
///
/// `t = mean(d) sqrt(n) / s(d)` with the sample standard deviation `s` (`n - 1` in the denominator).
/// The paper's tables print in bold the best method and all that do not differ from it at 5%.
///
/// Where all differences are equal `s` is 0, and the limit is given: `p = 1` if they are 0, else
/// `p = 0`.
///
/// # Errors
/// Lists of different length, fewer than two pairs, and values or differences that are not finite.
///
/// # References
/// Student, The probable error of a mean, Biometrika 6, 1908.
pub fn p_value(left: &[f64], right: &[f64]) -> Result<f64> {
    Ok(two_sided(&differences(left, right)?))
}

fn two_sided(differences: &[f64]) -> f64 {
    let t = t_statistic(differences);
    let freedom = (differences.len() - 1) as f64;
    // P(|T| > |t|); t^2 may be infinite, which gives 0.
    beta_reg(freedom / 2., 0.5, freedom / (freedom + t * t))
}

/// `left - right`, at least two and all finite.
fn differences(left: &[f64], right: &[f64]) -> Result<Vec<f64>> {
    let (l, r) = (left.len(), right.len());
    ensure!(
        l == r,
        "left and right must be of equal length, got {l} and {r}"
    );
    ensure!(l >= 2, "a paired t-test needs at least 2 pairs, got {l}");
    let differences: Vec<f64> = left.iter().zip(right).map(|(l, r)| l - r).collect();
    let lists = [
        ("left", left),
        ("right", right),
        ("left - right", &differences),
    ];
    for (what, values) in lists {
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let value = values[index];
            anyhow::bail!("{what} must be finite, but the value at index {index} is {value}");
        }
    }
    Ok(differences)
}

fn t_statistic(differences: &[f64]) -> f64 {
    let first = differences[0];
    if differences.iter().all(|&d| d == first) {
        return if first == 0. {
            0.
        } else {
            first.signum() * f64::INFINITY
        };
    }
    // t does not depend on the scale; at scale 1 no sum of squares overflows or vanishes.
    let scale = differences.iter().fold(0., |max: f64, d| max.max(d.abs()));
    let scaled = || differences.iter().map(|d| d / scale);
    let n = differences.len() as f64;
    let mean = scaled().sum::<f64>() / n;
    let variance = scaled().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.);
    mean / (variance / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    struct Outcome {
        t: f64,
        p_value: f64,
    }

    fn test(left: &[f64], right: &[f64]) -> Outcome {
        Outcome {
            t: t_statistic(&differences(left, right).unwrap()),
            p_value: p_value(left, right).unwrap(),
        }
    }

    // import numpy as np
    // from scipy.stats import ttest_rel                                           # SciPy 1.17.1
    // print(ttest_rel([.91, .85, .78, .93, .88], [.89, .86, .70, .90, .84]))
    // for n, shift in (40, 0), (2000, .1):
    //     i = np.arange(n); r = ttest_rel(i * 37 % 101 / 101, i * 53 % 89 / 89 + shift)
    //     print(repr(r.statistic), repr(r.pvalue))
    #[test]
    fn scipys_values() {
        let five = test(
            &[0.91, 0.85, 0.78, 0.93, 0.88],
            &[0.89, 0.86, 0.70, 0.90, 0.84],
        );
        assert_relative_eq!(five.t, 2.1874749664789226, max_relative = 1e-12);
        assert_relative_eq!(five.p_value, 0.09395658377418435, max_relative = 1e-10);
        let hashed = |n: usize, a: usize, m: usize, shift: f64| -> Vec<f64> {
            (0..n)
                .map(|i| (i * a % m) as f64 / m as f64 + shift)
                .collect()
        };
        for (n, shift, t, p) in [
            (40, 0., 0.10149865454251032, 0.919674671623293),
            (2000, 0.1, -10.91171829127778, 5.740329555823055e-27),
        ] {
            let result = test(&hashed(n, 37, 101, 0.), &hashed(n, 53, 89, shift));
            assert_relative_eq!(result.t, t, max_relative = 1e-11);
            assert_relative_eq!(result.p_value, p, max_relative = 1e-9);
        }
    }

    // With two degrees of freedom the distribution function is 1/2 + t / (2 sqrt(2 + t^2)).
    #[test]
    fn closed_form_of_two_degrees_of_freedom() {
        for c in [0.01, 0.3, 1., 4., 1e3, 1e6] {
            let result = test(&[c, c + 1., c - 1.], &[0.; 3]);
            let t = c * 3f64.sqrt();
            assert_relative_eq!(result.t, t, max_relative = 1e-9);
            // 1 - t / sqrt(2 + t^2) without the cancellation.
            let root = (2. + t * t).sqrt();
            assert_relative_eq!(
                result.p_value,
                2. / (root * (root + t)),
                max_relative = 1e-9
            );
        }
    }

    #[test]
    fn equal_differences_give_the_limits() {
        let same = test(&[0.5, 0.7, 0.9], &[0.5, 0.7, 0.9]);
        assert_eq!((same.t, same.p_value), (0., 1.));
        let above = test(&[1.5, 2.5, 3.5], &[1., 2., 3.]);
        assert_eq!((above.t, above.p_value), (f64::INFINITY, 0.));
        let below = test(&[1., 2., 3.], &[1.5, 2.5, 3.5]);
        assert_eq!((below.t, below.p_value), (f64::NEG_INFINITY, 0.));
    }

    #[test]
    fn extreme_scales_neither_overflow_nor_vanish() {
        let plain = test(&[1., 3., 2.], &[0.; 3]);
        for scale in [1e-320, 1e-200, 1e200, 5e307] {
            let result = test(&[scale, 3. * scale, 2. * scale], &[0.; 3]);
            assert_relative_eq!(result.t, plain.t, max_relative = 1e-2);
        }
    }

    #[test]
    fn bad_input_is_named() {
        for (left, right, message) in [
            (
                &[1., 2.][..],
                &[1.][..],
                "left and right must be of equal length, got 2 and 1",
            ),
            (&[], &[], "a paired t-test needs at least 2 pairs, got 0"),
            (
                &[1.],
                &[2.],
                "a paired t-test needs at least 2 pairs, got 1",
            ),
            (
                &[1., 2.],
                &[1., f64::NAN],
                "right must be finite, but the value at index 1 is NaN",
            ),
            (
                &[f64::INFINITY, 2.],
                &[f64::INFINITY, 1.],
                "left must be finite, but the value at index 0 is inf",
            ),
            (
                &[1., 1e308],
                &[1., -1e308],
                "left - right must be finite, but the value at index 1 is inf",
            ),
        ] {
            assert_eq!(p_value(left, right).unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn swapping_the_lists_turns_the_sign(
            pairs in prop::collection::vec((-5f64..5., -5f64..5.), 2..30), scale in 0.01f64..100.,
        ) {
            let (left, right): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let result = test(&left, &right);
            prop_assert!((0. ..=1.).contains(&result.p_value));
            let swapped = test(&right, &left);
            prop_assert_eq!((swapped.t, swapped.p_value), (-result.t, result.p_value));
            let times = |v: &[f64]| v.iter().map(|x| scale * x).collect::<Vec<_>>();
            let scaled = test(&times(&left), &times(&right));
            prop_assert!((scaled.t - result.t).abs() <= 1e-9 * (1. + result.t.abs().powi(3)));
        }
    }
}
