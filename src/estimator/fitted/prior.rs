use super::{FittedDetector, OutOfFold};
use crate::estimator::trained::few_scores;
use crate::estimator::{ThresholdRule, Warning};
use crate::prior::PriorEstimate;
use crate::{ClassPrior, Result};

impl FittedDetector {
    /// The class prior that threshold and probabilities follow.
    pub fn decision_prior(&self) -> ClassPrior {
        self.decision.prior
    }

    /// Another class prior for decisions; nothing is trained again. Probabilities follow it, calibrated anew on the
    /// validation part by [`CalibrationMethod::Auto`](crate::estimator::CalibrationMethod::Auto) whatever they were
    /// calibrated by before, and the default threshold; where the fit had no labeled anomalies there are none any more. One by costs or by a corrected rate, which went by the old one,
    /// stays, with a [`Warning::OldThreshold`].
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::{ClassPrior, Estimator, FitConfig};
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 20;
    /// let mut detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
    /// let flagged = |detector: &puad::FittedDetector| -> puad::Result<usize> {
    ///     Ok(detector.predict(&unlabeled)?.iter().filter(|flag| **flag).count())
    /// };
    /// let before = flagged(&detector)?;
    /// detector.set_decision_prior(ClassPrior::new(0.3)?)?;
    /// assert!(flagged(&detector)? > before);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Calibration::fit`](crate::estimator::Calibration::fit).
    pub fn set_decision_prior(&mut self, prior: ClassPrior) -> Result<()> {
        let validation = self.decision.validation.clone();
        self.decision = self.decision.anew(validation, prior)?;
        let by_prior = matches!(
            self.threshold_rule(),
            ThresholdRule::Cost { .. } | ThresholdRule::CorrectedRate { .. }
        );
        self.decided_anew(by_prior, false);
        Ok(())
    }

    /// What there is to say of threshold and probabilities once they rest on something else; `old`: the threshold does
    /// not yet, which one that was old already never does by itself. What was said of the class prior holds on where that
    /// is kept.
    pub(super) fn decided_anew(&mut self, old: bool, prior_is_kept: bool) {
        self.warnings.retain(|warning| match warning {
            Warning::FewScores { .. } => false,
            Warning::PriorAssumed { .. }
            | Warning::DoubtfulPrior { .. }
            | Warning::NoneLikeLabeled { .. } => prior_is_kept,
            _ => true,
        });
        let few = few_scores(&self.decision.validation, self.decision.prior);
        self.warnings.extend(few);
        let is_told = |warning: &Warning| matches!(warning, Warning::OldThreshold { .. });
        if old && !self.warnings.iter().any(is_told) {
            let rule = self.threshold_rule().to_string();
            self.warnings.push(Warning::OldThreshold { rule });
        }
    }

    /// The estimate of the class prior from the fit's data; `None` where it was given, or could not be estimated.
    pub fn prior_estimate(&self) -> Option<&PriorEstimate> {
        self.decision.estimate.as_ref()
    }

    /// Scores of the labeled anomalies by detectors that were not trained on them: a committee has them of itself where the
    /// short path cut the data, another method where [`FitConfig::folds`](crate::FitConfig::folds) asked for them.
    pub fn out_of_fold(&self) -> Option<&OutOfFold> {
        self.decision.out_of_fold.as_ref()
    }
}
