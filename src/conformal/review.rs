use super::NormalTail;
use super::levels::check_numbers;
use crate::{ClassPrior, Error, Result};

/// The highest unlabeled calibration rows, for a person to say which are anomalies: with these taken out, the rest is
/// nearly normal where it counts.
///
/// Take as many rows as there may be anomalies and false alarms, [`enough`](Self::enough). A review may be made again
/// with more rows: those before are the first of them.
///
/// # What then holds
/// Of `n` rows `n1` are normal, and `n' >= n1` are left. The threshold is the `k`-th highest of these with
/// `k = floor(rate (n' + 1))`. Adding anomalies to a set of normals raises its `k`-th highest score, so the threshold is
/// at least that of the `n1` normals, of which a new one is above the `k`-th highest with a probability of
/// `k / (n1 + 1)`: whatever the anomalies that were not found score like, the false-positive rate is on average at most
/// `rate (n' + 1) / (n1 + 1)`, the rate itself where none was missed, and never above `rate (n + 1) / (n1 + 1)`. That `k`
/// depends on how many were found does not harm as long as the threshold lies among the reviewed rows, whatever that
/// number: the higher the normals score, the fewer anomalies are among the reviewed and the larger is `k`, so the two are
/// never both unlucky. Where the threshold falls below them ([`Reviewed::more`] is not 0) `n1 - m` stands in the place of
/// `n1`, of `m` reviewed. Assumed is that the person is right: a normal taken for an anomaly lowers the threshold.
///
/// # References
/// Bashari, Sesia, Romano 2025 (Label-Trim).
///
/// ```
/// use puad::conformal::Review;
///
/// let scores: Vec<f64> = (0..99).map(f64::from).collect();
/// let review = Review::of(&scores, 6)?;
/// assert_eq!(review.rows(), [98, 97, 96, 95, 94, 93]);
/// // A person looks at them. All but 95 are anomalies.
/// let reviewed = review.confirm(&[98, 97, 96, 94, 93])?;
/// assert_eq!(reviewed.threshold(0.0106)?, 95.); // 94 rows are left, none may be above
/// assert_eq!(reviewed.more(0.05), 3); // three more normals, and the anomalies among them
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    scores: Vec<f64>,
    /// Positions among the scores, the highest first.
    positions: Vec<usize>,
    /// Their numbers.
    rows: Vec<usize>,
}

/// What is left of the calibration rows after a [`Review`].
#[derive(Clone, Debug, PartialEq)]
pub struct Reviewed {
    kept: Vec<f64>,
    reviewed: usize,
    confirmed: usize,
}

impl Review {
    /// Of the `most` highest of unlabeled calibration scores; of equal ones the first.
    ///
    /// # Errors
    /// [`Error::Config`] for none, for more than there are, and for a score that is NaN.
    pub fn of(scores: &[f64], most: usize) -> Result<Self> {
        check_numbers("calibration scores", scores)?;
        if most == 0 || most > scores.len() {
            let rule = "at least 1 and at most the calibration rows";
            let value = format!("{most} of {}", scores.len());
            return Err(Error::config("rows to review", rule, value));
        }
        let mut positions: Vec<usize> = (0..scores.len()).collect();
        positions.sort_by(|&i, &j| scores[j].total_cmp(&scores[i]));
        positions.truncate(most);
        Ok(Self {
            scores: scores.to_vec(),
            rows: positions.clone(),
            positions,
        })
    }

    /// With other numbers for the rows, one a score.
    pub(crate) fn numbered(self, numbers: &[usize]) -> Self {
        let rows = self.positions.iter().map(|&at| numbers[at]).collect();
        Self { rows, ..self }
    }

    /// How many of `rows` calibration rows are to be reviewed for a threshold at this rate: the expected anomalies, three
    /// standard deviations of their number, and the false alarms that the rate allows.
    pub fn enough(rows: usize, rate: f64, prior: ClassPrior) -> usize {
        let (n, alpha) = (rows as f64, prior.get());
        let spread = 3. * (n * alpha * (1. - alpha)).sqrt();
        let enough = n * alpha + spread + rate * (n + 1.);
        (enough.ceil() as usize).min(rows)
    }

    /// The numbers of the rows to look at, among the calibration rows counted from 0, the highest score first.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// What is left when these rows, which the person says are anomalies, are taken out; in any order.
    ///
    /// # Errors
    /// [`Error::Config`] for a row that was not given out.
    pub fn confirm(&self, anomalies: &[usize]) -> Result<Reviewed> {
        let mut out = vec![false; self.scores.len()];
        for &row in anomalies {
            let Some(at) = self.rows.iter().position(|of| *of == row) else {
                let rule = "rows that were given out for review";
                return Err(Error::config("confirmed anomalies", rule, row));
            };
            out[self.positions[at]] = true;
        }
        let kept = self.scores.iter().zip(&out).filter(|(_, out)| !**out);
        Ok(Reviewed {
            kept: kept.map(|(score, _)| *score).collect(),
            reviewed: self.rows.len(),
            confirmed: out.iter().filter(|out| **out).count(),
        })
    }
}

impl Reviewed {
    /// The shares of normals by what is left.
    ///
    /// # Errors
    /// None: the scores were checked.
    pub fn tail(&self) -> Result<NormalTail> {
        Ok(NormalTail::of_scores(&self.kept)?.named("rows left after the review"))
    }

    /// The threshold at a false-positive rate in (0, 1).
    ///
    /// # Errors
    /// As [`NormalTail::threshold`].
    pub fn threshold(&self, rate: f64) -> Result<f64> {
        self.tail()?.threshold(rate)
    }

    /// At least how many more rows are to be reviewed until the threshold at this rate lies among the reviewed ones; 0
    /// where it does.
    pub fn more(&self, rate: f64) -> usize {
        let normals = (rate * (self.kept.len() + 1) as f64 + 1e-9) as usize;
        let unknown = self.kept.len() + self.confirmed - self.reviewed;
        normals
            .saturating_sub(self.reviewed - self.confirmed)
            .min(unknown)
    }

    /// Number of rows left.
    pub fn rows(&self) -> usize {
        self.kept.len()
    }

    /// How many were reviewed.
    pub fn reviewed(&self) -> usize {
        self.reviewed
    }

    /// How many of them are anomalies.
    pub fn confirmed(&self) -> usize {
        self.confirmed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prior(alpha: f64) -> ClassPrior {
        ClassPrior::new(alpha).unwrap()
    }

    #[test]
    fn equal_scores_are_given_out_in_order_and_decided_together() {
        let review = Review::of(&[5., 7., 7., 7., f64::INFINITY], 3).unwrap();
        assert_eq!(review.rows(), [4, 1, 2]);
        let reviewed = review.confirm(&[4]).unwrap();
        assert_eq!(reviewed.threshold(0.4).unwrap(), 7.);
        assert_eq!(
            (reviewed.rows(), reviewed.reviewed(), reviewed.confirmed()),
            (4, 3, 1)
        );
        assert_eq!(
            (reviewed.more(0.4), reviewed.more(0.6), reviewed.more(0.9)),
            (0, 1, 2)
        );
    }

    #[test]
    fn a_row_is_taken_out_once() {
        let review = Review::of(&[1., 2., 3.], 2).unwrap();
        assert_eq!(
            review.confirm(&[2, 2]).unwrap(),
            review.confirm(&[2]).unwrap()
        );
        let all = Review::of(&[1., 2., 3.], 3)
            .unwrap()
            .confirm(&[0, 1, 2])
            .unwrap();
        assert_eq!((all.rows(), all.more(0.5)), (0, 0));
        assert!(
            all.threshold(0.5)
                .unwrap_err()
                .to_string()
                .contains("got 0 at a rate of 0.5")
        );
    }

    #[test]
    fn wrong_rows_are_errors() {
        let review = Review::of(&[1., 2., 3.], 2).unwrap();
        for row in [0, 3] {
            let error = review.confirm(&[2, row]).unwrap_err().to_string();
            let told = "confirmed anomalies must be rows that were given out for review, got";
            assert_eq!(error, format!("{told} {row}"));
        }
        for most in [0, 4] {
            let error = Review::of(&[1., 2., 3.], most).unwrap_err().to_string();
            let told = "rows to review must be at least 1 and at most the calibration rows, got";
            assert_eq!(error, format!("{told} {most} of 3"));
        }
        assert!(Review::of(&[f64::NAN], 1).is_err());
    }

    #[test]
    fn enough_rows_hold_the_anomalies_and_the_false_alarms() {
        assert_eq!(Review::enough(999, 0.01, prior(0.)), 10);
        assert_eq!(Review::enough(2000, 0.01, prior(0.05)), 150);
        assert_eq!(Review::enough(10, 0.5, prior(0.9)), 10);
    }
}
