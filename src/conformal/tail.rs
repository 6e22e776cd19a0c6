use super::levels::{check_groups, check_numbers, levels};
use crate::statistics::check_share;
use crate::{ClassPrior, Error, Result};

/// What a share may exceed a rate by: the noise of its division.
const NOISE: f64 = 1e-12;

/// The share of normals that score at least as high as a score, as calibration scores tell it: the p-value of the
/// hypothesis that a row is normal.
///
/// - [`of_scores`](Self::of_scores): `(1 + #{calibration >= s}) / (n + 1)`. For a new normal it is at most `u` with a
///   probability of at most `u`, over the draw of the calibration rows and of the normal, where they are normals too
///   (split conformal prediction). Where they are unlabeled it holds as well, as long as anomalies score above every
///   score at least as often as normals: then normals are above it no more often than unlabeled rows.
/// - [`corrected`](Self::corrected): what is left of it when the anomalies' part is taken out.
///
/// ```
/// use puad::ClassPrior;
/// use puad::conformal::NormalTail;
///
/// let unlabeled: Vec<f64> = (0..99).map(f64::from).collect();
/// let tail = NormalTail::of_scores(&unlabeled)?;
/// assert_eq!(tail.share(97.), 0.03); // 97 and 98 are as high
/// assert_eq!(tail.threshold(0.03)?, 96.); // above it lie two of 99
/// // Five of a hundred are anomalies, which score 96 to 98: less than one in a hundred normals does.
/// let tail = NormalTail::corrected(&unlabeled, &[96., 97., 98.], ClassPrior::new(0.05)?)?;
/// assert!(tail.share(96.) < 0.011);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NormalTail {
    /// The different scores, ascending.
    scores: Vec<f64>,
    /// The share at or above each.
    shares: Vec<f64>,
    /// That above all.
    finest: f64,
    rows: usize,
    /// The part of the rows that the shares are of.
    normal: f64,
    /// What the rows are, in errors.
    name: &'static str,
}

impl NormalTail {
    /// Of calibration scores, in any order: of normals, or of unlabeled rows. None: every share is 1.
    ///
    /// # Errors
    /// [`Error::Config`] for a score that is NaN.
    pub fn of_scores(calibration: &[f64]) -> Result<Self> {
        check_numbers("calibration scores", calibration)?;
        Ok(Self::new(calibration, &[], 0.))
    }

    /// `(P_U(S >= s) - alpha P_A(S >= s)) / (1 - alpha)`, by the shares of unlabeled and of anomalous calibration
    /// scores, and no less than it is above any higher score: it falls as the share that it estimates.
    ///
    /// Asymptotic: of few anomalies the second share is coarse. With fewer than about ten times `alpha` by the rate asked
    /// for, the rows above the highest of them may use the rate up, and little or nothing is gained over
    /// [`of_scores`](Self::of_scores). [`corrected_threshold`](super::corrected_threshold) leaves a margin for the noise. Needs anomalies that score as those among the unlabeled rows do: labeled ones that are
    /// easier to find, or that were trained on, score higher, and make it too small, as does a prior too large. With a
    /// prior of 0 it is [`of_scores`](Self::of_scores).
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] without scores of a group, [`Error::Config`] for one that is NaN or a prior of 1.
    pub fn corrected(unlabeled: &[f64], anomalies: &[f64], prior: ClassPrior) -> Result<Self> {
        check_groups("a corrected false-positive rate", unlabeled, anomalies)?;
        Ok(Self::new(unlabeled, anomalies, below_one(prior)?).named("unlabeled"))
    }

    fn new(unlabeled: &[f64], anomalies: &[f64], alpha: f64) -> Self {
        let rows = unlabeled.len();
        let (n, m) = (rows as f64, anomalies.len().max(1) as f64);
        let share = |u: usize, a: usize| {
            let (of_u, of_a) = ((u as f64 + 1.) / (n + 1.), a as f64 / m);
            (of_u - alpha * of_a) / (1. - alpha)
        };
        let finest = share(0, 0);
        let mut worst = finest;
        let falling = levels(unlabeled, anomalies).into_iter().map(|level| {
            worst = worst.max(share(level.unlabeled, level.anomalies));
            (level.score, worst.min(1.))
        });
        let (mut scores, mut shares): (Vec<f64>, Vec<f64>) = falling.unzip();
        scores.reverse();
        shares.reverse();
        Self {
            scores,
            shares,
            finest: finest.min(1.),
            rows,
            normal: 1. - alpha,
            name: "calibration",
        }
    }

    /// Under another name of its rows in errors.
    pub(crate) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Number of the rows that it was made of, anomalies aside.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The smallest share that there is, that of a score above all: `1 / (n + 1)`, and `1 / (1 - alpha)` times as much
    /// of a corrected one.
    pub fn finest(&self) -> f64 {
        self.finest
    }

    /// How many rows make the smallest share no larger than this one, in (0, 1): `1 / share - 1` for an uncorrected
    /// one.
    pub fn rows_for(&self, share: f64) -> usize {
        (1. / (share * self.normal) - 1. - 1e-9).ceil().max(0.) as usize
    }

    /// The share in (0, 1] of normals that score at least as high; NaN at NaN.
    pub fn share(&self, score: f64) -> f64 {
        if score.is_nan() {
            return score;
        }
        let next = self.scores.partition_point(|&s| s < score);
        self.shares.get(next).copied().unwrap_or(self.finest)
    }

    /// The [`share`](Self::share) of each score, in their order.
    ///
    /// # Errors
    /// [`Error::Config`] for one that is NaN.
    pub fn p_values(&self, scores: &[f64]) -> Result<Vec<f64>> {
        check_numbers("scores", scores)?;
        Ok(scores.iter().map(|&score| self.share(score)).collect())
    }

    /// The lowest threshold above which every score's share is at most `rate`, in (0, 1). It is one of the scores, and
    /// those that are equal to it are not above it.
    ///
    /// # Errors
    /// [`Error::Config`] for a rate outside its range, and for too few rows, with how many are needed.
    pub fn threshold(&self, rate: f64) -> Result<f64> {
        check_share("rate", rate)?;
        let fine = |share: f64| share <= rate + NOISE;
        let first = self.shares.partition_point(|&share| !fine(share));
        // The share of the lowest score is 1.
        match first.checked_sub(1) {
            Some(below) if fine(self.finest) => Ok(self.scores[below]),
            _ => {
                let (rows, needed) = (self.rows, self.rows_for(rate));
                Err(too_few(self.name, rows, rate, needed))
            }
        }
    }
}

/// The share of a prior that leaves normals.
pub(super) fn below_one(prior: ClassPrior) -> Result<f64> {
    match prior.get() {
        alpha if alpha < 1. => Ok(alpha),
        alpha => Err(Error::config("prior", "below 1", alpha)),
    }
}

pub(super) fn too_few(name: &'static str, rows: usize, rate: f64, needed: usize) -> Error {
    let rule = "enough rows for the rate, about 1 / rate";
    let value = format!("{rows} at a rate of {rate}, which needs {needed}");
    Error::config(name, rule, value)
}

/// Conformal p-values `(1 + #{calibration >= s}) / (n + 1)` of scores, in their order, as
/// [`NormalTail::of_scores`] has them.
///
/// # Errors
/// [`Error::Config`] for a score that is NaN.
///
/// ```
/// use puad::conformal::p_values;
///
/// assert_eq!(p_values(&[1., 2., 3., 4.], &[9., 3., 0.])?, [0.2, 0.6, 1.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn p_values(calibration: &[f64], scores: &[f64]) -> Result<Vec<f64>> {
    NormalTail::of_scores(calibration)?.p_values(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prior(alpha: f64) -> ClassPrior {
        ClassPrior::new(alpha).unwrap()
    }

    #[test]
    fn infinite_and_equal_scores_have_their_place() {
        let low = f64::NEG_INFINITY;
        let tail = NormalTail::of_scores(&[f64::INFINITY, low, 1., 1.]).unwrap();
        let shares = tail.p_values(&[f64::INFINITY, 2., 1., low]).unwrap();
        assert_eq!(shares, [0.4, 0.4, 0.8, 1.]);
        assert_eq!(tail.threshold(0.2).unwrap(), f64::INFINITY);
        assert_eq!(tail.threshold(0.5).unwrap(), 1.);
        assert_eq!(tail.threshold(0.9).unwrap(), low);
        let equal = NormalTail::of_scores(&[3.; 50]).unwrap();
        assert_eq!(equal.threshold(0.5).unwrap(), 3.);
        assert_eq!(NormalTail::of_scores(&[0., -0.]).unwrap().share(0.), 1.);
        assert_eq!(p_values(&[], &[5.]).unwrap(), [1.]);
    }

    #[test]
    fn too_few_rows_are_an_error_that_says_how_many_are_needed() {
        let tail = NormalTail::of_scores(&[0.; 98]).unwrap();
        assert_eq!(
            tail.threshold(0.01).unwrap_err().to_string(),
            "calibration must be enough rows for the rate, about 1 / rate, got 98 at a rate of 0.01, which needs 99"
        );
        assert!(
            NormalTail::of_scores(&[0.; 99])
                .unwrap()
                .threshold(0.01)
                .is_ok()
        );
        // Of normals, 1 / rate - 1; of as many normals in more rows.
        let half = |n: usize| NormalTail::corrected(&vec![0.; n], &[1.], prior(0.5)).unwrap();
        assert_eq!(half(5).rows_for(0.1), 19);
        assert!(
            half(18)
                .threshold(0.1)
                .unwrap_err()
                .to_string()
                .contains("needs 19")
        );
        assert_eq!(half(19).threshold(0.1).unwrap(), 0.);
    }

    #[test]
    fn wrong_numbers_are_errors() {
        let tail = NormalTail::of_scores(&[0.; 98]).unwrap();
        for rate in [0., 1., -0.1, f64::NAN] {
            let error = tail.threshold(rate).unwrap_err().to_string();
            assert!(
                error.starts_with("rate must be strictly between 0 and 1"),
                "{error}"
            );
        }
        let nan = [1., f64::NAN];
        for (error, told) in [
            (
                tail.p_values(&nan).unwrap_err(),
                "scores must be numbers, got NaN at index 1",
            ),
            (
                NormalTail::of_scores(&nan).unwrap_err(),
                "calibration scores must be numbers, got NaN at index 1",
            ),
            (
                NormalTail::corrected(&[1.], &nan, prior(0.1)).unwrap_err(),
                "anomaly scores must be numbers, got NaN at index 1",
            ),
            (
                NormalTail::corrected(&[1.], &[1.], prior(1.)).unwrap_err(),
                "prior must be below 1, got 1",
            ),
            (
                NormalTail::corrected(&[1.], &[], prior(0.1)).unwrap_err(),
                "a corrected false-positive rate needs at least one anomalous sample, got none",
            ),
            (
                NormalTail::corrected(&[], &[1.], prior(0.1)).unwrap_err(),
                "a corrected false-positive rate needs at least one unlabeled sample, got none",
            ),
        ] {
            assert_eq!(error.to_string(), told);
        }
    }

    proptest! {
        #[test]
        fn a_score_is_above_the_threshold_where_its_share_is_at_most_the_rate(
            unlabeled in proptest::collection::vec(-9i32..9, 1..80),
            anomalies in proptest::collection::vec(-9i32..12, 1..20),
            alpha in 0.0..0.9f64, rate in 0.01..0.99f64,
        ) {
            let scores = |v: &[i32]| v.iter().copied().map(f64::from).collect::<Vec<_>>();
            let (u, a) = (scores(&unlabeled), scores(&anomalies));
            for tail in [NormalTail::of_scores(&u).unwrap(), NormalTail::corrected(&u, &a, prior(alpha)).unwrap()] {
                let Ok(t) = tail.threshold(rate) else {
                    prop_assert!(tail.finest() > rate);
                    continue;
                };
                let mut before = 1.;
                for score in (-30..40).map(|s| f64::from(s) / 2.) {
                    let share = tail.share(score);
                    prop_assert!(share <= before && share > 0.);
                    before = share;
                    prop_assert_eq!(score > t, share <= rate + NOISE);
                }
            }
            // Without a prior nothing is taken out.
            let plain = NormalTail::of_scores(&u).unwrap();
            let zero = NormalTail::corrected(&u, &a, prior(0.)).unwrap();
            for score in (-30..40).map(|s| f64::from(s) / 2.) {
                prop_assert_eq!(plain.share(score), zero.share(score));
            }
        }
    }
}
