use super::{FittedDetector, LEVEL};
use crate::data::table::Group;
use crate::estimator::decision::ValidationScores;
use crate::estimator::priors::useless;
use crate::estimator::trained::doubts;
use crate::estimator::{IntoInput, ThresholdRule, Warning};
use crate::prior::{PriorEstimate, PriorEstimator};
use crate::{ClassPrior, Error, Result};

/// Where [`FittedDetector::recalibrate`] has the class prior of the new data from.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum NewPrior<'a> {
    /// It is what it was.
    Kept,
    /// Given.
    Given(ClassPrior),
    /// That of the highest likelihood by the detector's own probabilities: right where the share of anomalies changed,
    /// and nothing else ([`shifted_prior`](crate::drift::shifted_prior)). The interval has the calibration's own error, and
    /// that of the class prior it was made with.
    Shifted,
    /// Estimated from the new scores and the kept ones of labeled anomalies, with this seed. One whose interval says next
    /// to nothing is not decided by, as in a fit: the class prior stays, with a [`Warning::PriorAssumed`].
    Estimated(&'a dyn PriorEstimator, u64),
}

impl FittedDetector {
    /// Makes threshold and probabilities anew from new unlabeled data, without training: for data whose normals have
    /// shifted a little, or whose share of anomalies is another one, as [`watch`](Self::watch) may have said. Their scores
    /// take the place of the kept ones, by which the next `watch` compares and [`report`](Self::report) says what to expect; those of labeled anomalies stay, which takes
    /// anomalies to score as they did. Gives the class prior with its interval, which of a kept or given one is that
    /// number alone.
    ///
    /// The default threshold, and a quantile, follow the new data; all others stay where they are, and one that went by
    /// unlabeled rows or costs says so by a [`Warning::OldThreshold`](crate::estimator::Warning::OldThreshold). Probabilities are calibrated by [`CalibrationMethod::Auto`](crate::estimator::CalibrationMethod::Auto).
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::estimator::NewPrior;
    /// use puad::{Estimator, FitConfig};
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 20;
    /// let mut detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
    ///
    /// let new = toy::generate(&ToyConfig { unlabeled_anomalies: 20, ..ToyConfig::default() }, 1)?;
    /// let new = [new.normals, new.unlabeled_anomalies].concat();
    /// let prior = detector.recalibrate(&new, NewPrior::Shifted)?;
    /// assert_eq!(detector.decision_prior(), prior.alpha);
    /// assert_eq!(detector.validation_scores().unlabeled.len(), new.len());
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`score`](Self::score); [`Error::EmptyGroup`] without rows, [`Error::NotCalibrated`] for an estimate if the fit
    /// had no labeled anomalies. The detector is as before then.
    pub fn recalibrate(
        &mut self,
        unlabeled: impl IntoInput,
        prior: NewPrior<'_>,
    ) -> Result<PriorEstimate> {
        let scores = self.group_scores(unlabeled.into_input()?, Group::Unlabeled)?;
        if scores.is_empty() {
            let (what, group) = ("a new calibration", "unlabeled");
            return Err(Error::EmptyGroup { what, group });
        }
        let (estimate, assumed) = self.new_prior(&scores, prior)?;
        let anomalies = self.decision.validation.anomalies.clone();
        let scores = ValidationScores::new(scores, anomalies)?;
        let decided = match assumed {
            Some(_) => self.decision.prior,
            None => estimate.alpha,
        };
        let mut decision = self.decision.anew(scores, decided)?;
        let old = is_of_old_rows(&decision.rule);
        let is_kept = matches!(prior, NewPrior::Kept);
        if !is_kept {
            decision.estimate = Some(estimate.clone());
        }
        self.decision = decision;
        self.decided_anew(old, is_kept);
        if !is_kept {
            self.warnings.extend(doubts(&estimate));
        }
        self.warnings.extend(assumed);
        Ok(estimate)
    }

    /// The class prior, and the warning that it is not decided by, where it says next to nothing. As of a fit one that is
    /// read off scores is at least half a row of them: with none no probability would ever be above 0.
    fn new_prior(
        &self,
        scores: &[f64],
        prior: NewPrior<'_>,
    ) -> Result<(PriorEstimate, Option<Warning>)> {
        let rows = scores.len();
        Ok(match prior {
            NewPrior::Kept => (PriorEstimate::exact(self.decision.prior, LEVEL), None),
            NewPrior::Given(prior) => (PriorEstimate::exact(prior, LEVEL), None),
            NewPrior::Shifted => (self.shifted(scores)?.at_least_half_of(rows)?, None),
            NewPrior::Estimated(estimator, seed) => {
                let found = self.estimate(scores, estimator, seed)?;
                let prior = self.decision.prior.get();
                let assumed = useless(&found).map(|reason| Warning::PriorAssumed { prior, reason });
                (found.at_least_half_of(rows)?, assumed)
            }
        })
    }
}

/// Whether a threshold was set by rows that are others now.
fn is_of_old_rows(rule: &ThresholdRule) -> bool {
    !matches!(
        rule,
        ThresholdRule::Quantile { .. }
            | ThresholdRule::FalsePositiveRate { .. }
            | ThresholdRule::Value
    )
}
