use super::levels::{check_groups, levels};
use super::tail::{below_one, too_few};
use crate::statistics::{at_most, check_share, lower_end};
use crate::{ClassPrior, Result};

/// A threshold above which at most the share `rate` of normals scores, with a probability of at least `confidence`
/// over the draw of the calibration rows: a margin for the noise that [`NormalTail::corrected`] averages over.
///
/// The share of normals above `t` is `(P_U(S > t) - alpha P_A(S > t)) / (1 - alpha)`. The first share is bounded from
/// above and the second from below, each by Clopper's and Pearson's exact interval at half of `1 - confidence`, and `t`
/// is the lowest score at and above which the bound keeps the rate. That all thresholds above must keep it too spares a
/// correction for the choice: the true share falls with `t`, so a `t` that breaks the rate passed the one fixed score
/// where the rate is reached, whose bound then was wrong. Assumed: anomalies that score as those among the unlabeled
/// rows, and the `alpha` of these; give the lower end of an estimate's interval, because a larger `alpha` means a lower
/// threshold. With a prior of 0 it is the bound for normals, or for unlabeled rows whose anomalies score higher, and
/// the anomalies given are of no consequence.
///
/// # Errors
/// [`Error::EmptyGroup`](crate::Error::EmptyGroup) without scores of a group,
/// [`Error::Config`](crate::Error::Config) for a score that is NaN, a rate or confidence outside (0, 1), a prior of 1,
/// and too few unlabeled rows, with how many are needed.
///
/// [`NormalTail::corrected`]: super::NormalTail::corrected
///
/// ```
/// use puad::ClassPrior;
/// use puad::conformal::{NormalTail, corrected_threshold};
///
/// let unlabeled: Vec<f64> = (0..1000).map(f64::from).collect();
/// let anomalies: Vec<f64> = (900..1000).map(f64::from).collect();
/// let prior = ClassPrior::new(0.05)?;
/// let average = NormalTail::corrected(&unlabeled, &anomalies, prior)?.threshold(0.02)?;
/// assert!(corrected_threshold(&unlabeled, &anomalies, prior, 0.02, 0.95)? > average);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn corrected_threshold(
    unlabeled: &[f64],
    anomalies: &[f64],
    prior: ClassPrior,
    rate: f64,
    confidence: f64,
) -> Result<f64> {
    check_groups("a corrected false-positive rate", unlabeled, anomalies)?;
    check_share("rate", rate)?;
    check_share("confidence", confidence)?;
    let alpha = below_one(prior)?;
    let (n, m) = (unlabeled.len() as u64, anomalies.len() as u64);
    let corrects = alpha > 0.;
    let doubt = (1. - confidence) / if corrects { 2. } else { 1. };
    let mut known = (0, 0.);
    let mut keeps = |u: usize, a: usize| {
        let a = a as u64;
        if corrects && known.0 != a {
            known = (a, lower_end(m, a, doubt));
        }
        // So many unlabeled rows above would be unlikely few, were the rate exceeded.
        at_most(n, rate * (1. - alpha) + alpha * known.1, u as u64) <= doubt
    };
    if !keeps(0, 0) {
        let none_above = (-rate * (1. - alpha)).ln_1p();
        let needed = (doubt.ln() / none_above).ceil() as usize;
        return Err(too_few("unlabeled", unlabeled.len(), rate, needed));
    }
    let (mut above, mut threshold) = ((0, 0), f64::INFINITY);
    for level in levels(unlabeled, anomalies) {
        if !keeps(above.0, above.1) {
            break;
        }
        threshold = level.score;
        above = (level.unlabeled, level.anomalies);
    }
    Ok(threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prior(alpha: f64) -> ClassPrior {
        ClassPrior::new(alpha).unwrap()
    }

    /// n = 299 is the least at which no row above tells 1% with 95%: 0.99^299 < 0.05.
    #[test]
    fn without_a_prior_it_is_the_exact_interval_of_one_share() {
        let scores = |n: i32| (0..n).map(f64::from).collect::<Vec<_>>();
        let cut = |n| corrected_threshold(&scores(n), &[1e9], prior(0.), 0.01, 0.95);
        assert_eq!(cut(299).unwrap(), 298.);
        let error = cut(298).unwrap_err().to_string();
        assert!(
            error.ends_with("got 298 at a rate of 0.01, which needs 299"),
            "{error}"
        );
        // binom.cdf(4, 1000, .01) = .0287, binom.cdf(5, 1000, .01) = .0661
        assert_eq!(cut(1000).unwrap(), 995.);
    }

    #[test]
    fn ties_and_infinities() {
        let cut = |u: &[f64], a: &[f64]| corrected_threshold(u, a, prior(0.1), 0.1, 0.9).unwrap();
        assert_eq!(cut(&[2.; 100], &[2.; 30]), 2.);
        assert_eq!(cut(&[f64::INFINITY; 100], &[1.]), f64::INFINITY);
        let low = [vec![f64::NEG_INFINITY; 99], vec![5.]].concat();
        assert_eq!(cut(&low, &[9.; 30]), f64::NEG_INFINITY);
    }

    #[test]
    fn wrong_numbers_are_errors() {
        let cut =
            |rate, confidence| corrected_threshold(&[1.; 900], &[1.], prior(0.1), rate, confidence);
        assert!(cut(0.1, 0.9).is_ok());
        for (rate, confidence, told) in [
            (0., 0.9, "rate must be strictly between 0 and 1, got 0"),
            (
                0.1,
                1.,
                "confidence must be strictly between 0 and 1, got 1",
            ),
            (
                0.1,
                f64::NAN,
                "confidence must be strictly between 0 and 1, got NaN",
            ),
        ] {
            assert_eq!(cut(rate, confidence).unwrap_err().to_string(), told);
        }
    }
}
