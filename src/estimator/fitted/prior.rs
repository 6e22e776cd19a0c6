use super::{FittedDetector, OutOfFold};
use crate::prior::PriorEstimate;
use crate::{ClassPrior, Result};

impl FittedDetector {
    /// The class prior that threshold and probabilities follow.
    pub fn decision_prior(&self) -> ClassPrior {
        self.decision.prior
    }

    /// Another class prior for decisions; nothing is trained again. Probabilities follow it, calibrated anew on the
    /// validation part, and the threshold where it was set by the class prior.
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
        self.decision.follow(prior)
    }

    /// The estimate of the class prior from the fit's data; `None` where it was given, or could not be estimated.
    pub fn prior_estimate(&self) -> Option<&PriorEstimate> {
        self.decision.estimate.as_ref()
    }

    /// Scores of all samples of the fit by detectors that were fitted without them; `None` unless
    /// [`FitConfig::folds`](crate::FitConfig::folds) asked for them.
    pub fn out_of_fold(&self) -> Option<&OutOfFold> {
        self.decision.out_of_fold.as_ref()
    }
}
