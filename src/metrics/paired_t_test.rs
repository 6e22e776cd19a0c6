use statrs::function::beta::beta_reg;

use crate::{Error, Result};

/// What [`paired_t_test`] gives.
///
/// ```
/// use puad::metrics::paired_t_test;
///
/// // AUROC of two methods with five seeds.
/// let (ours, theirs) = ([0.95, 0.97, 0.96, 0.94, 0.98], [0.93, 0.96, 0.93, 0.93, 0.95]);
/// let test = paired_t_test(&ours, &theirs)?;
/// assert_eq!(test.degrees_of_freedom, 4);
/// assert!(test.t > 0. && test.p_value < 0.05);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedTTest {
    /// Mean difference over its standard error; positive where the first list is larger.
    pub t: f64,
    /// Number of pairs less one.
    pub degrees_of_freedom: usize,
    /// Two-sided: the probability of a `t` at least as far from 0 if the differences are normally
    /// distributed around 0.
    pub p_value: f64,
}

/// Student's two-sided t-test of whether the mean of `left[i] - right[i]` is 0: two methods on the
/// same data sets or seeds.
///
/// `t = mean(d) sqrt(n) / s(d)` with the sample standard deviation `s` (`n - 1` in the denominator).
/// The paper's tables print in bold the best method and all that do not differ from it at 5%.
///
/// Where all differences are equal `s` is 0, and the limit is given: `t = 0, p = 1` if they are 0,
/// else `t` infinite with their sign and `p = 0`. Differences that are equal but for rounding give
/// a huge `t` rather than an infinite one.
///
/// # Errors
/// - [`Error::Length`] if the lists differ in length,
/// - [`Error::TooFewPairs`] for fewer than two pairs,
/// - [`Error::NonFiniteValue`] if a value is NaN or infinite, or a difference overflows.
///
/// # References
/// Student, The probable error of a mean, Biometrika 6, 1908.
///
/// ```
/// use puad::metrics::paired_t_test;
///
/// let test = paired_t_test(&[1., 2.], &[3., 9.])?;
/// // d = (-2, -7): mean -4.5, standard error 2.5. With one degree of freedom (Cauchy) the p-value
/// // is 1 - 2 atan(|t|) / pi.
/// assert_eq!(test.degrees_of_freedom, 1);
/// assert!((test.t + 1.8).abs() < 1e-12);
/// assert!((test.p_value - (1. - 2. * 1.8f64.atan() / std::f64::consts::PI)).abs() < 1e-12);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn paired_t_test(left: &[f64], right: &[f64]) -> Result<PairedTTest> {
    let differences = differences(left, right)?;
    let degrees_of_freedom = differences.len() - 1;
    let t = t_statistic(&differences);
    let freedom = degrees_of_freedom as f64;
    // P(|T| > |t|); t^2 may be infinite, which gives 0.
    let p_value = beta_reg(freedom / 2., 0.5, freedom / (freedom + t * t));
    Ok(PairedTTest {
        t,
        degrees_of_freedom,
        p_value,
    })
}

/// `left - right`, at least two and all finite.
fn differences(left: &[f64], right: &[f64]) -> Result<Vec<f64>> {
    if left.len() != right.len() {
        return Err(Error::Length {
            left_name: "left",
            right_name: "right",
            left: left.len(),
            right: right.len(),
        });
    }
    if left.len() < 2 {
        return Err(Error::TooFewPairs { pairs: left.len() });
    }
    let differences: Vec<f64> = left.iter().zip(right).map(|(l, r)| l - r).collect();
    let lists = [
        ("left", left),
        ("right", right),
        ("left - right", &differences),
    ];
    for (what, values) in lists {
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let value = values[index];
            return Err(Error::NonFiniteValue { what, index, value });
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

    fn test(left: &[f64], right: &[f64]) -> PairedTTest {
        paired_t_test(left, right).unwrap()
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
        assert_eq!(five.degrees_of_freedom, 4);
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
            assert_eq!(result.degrees_of_freedom, n - 1);
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
        assert!(matches!(
            paired_t_test(&[1., 2.], &[1.]),
            Err(Error::Length {
                left: 2,
                right: 1,
                left_name: "left",
                right_name: "right"
            })
        ));
        assert!(matches!(
            paired_t_test(&[], &[]),
            Err(Error::TooFewPairs { pairs: 0 })
        ));
        assert!(matches!(
            paired_t_test(&[1.], &[2.]),
            Err(Error::TooFewPairs { pairs: 1 })
        ));
        assert!(matches!(
            paired_t_test(&[1., 2.], &[1., f64::NAN]),
            Err(Error::NonFiniteValue { what: "right", index: 1, value }) if value.is_nan()
        ));
        assert!(matches!(
            paired_t_test(&[f64::INFINITY, 2.], &[f64::INFINITY, 1.]),
            Err(Error::NonFiniteValue {
                what: "left",
                index: 0,
                value: f64::INFINITY
            })
        ));
        assert!(matches!(
            paired_t_test(&[1., 1e308], &[1., -1e308]),
            Err(Error::NonFiniteValue {
                what: "left - right",
                index: 1,
                value: f64::INFINITY
            })
        ));
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
