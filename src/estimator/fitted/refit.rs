mod learning;

use serde::{Deserialize, Serialize};

use self::learning::Learning;
use super::{Feedback, FittedDetector};
use crate::data::PuDataset;
use crate::estimator::inputs::Inputs;
use crate::estimator::trained::Trained;
use crate::estimator::{Prior, Threshold, ThresholdRule, Warning};
use crate::model::Task;
use crate::train::{Observer, TrainConfig, Trainer};
use crate::{ClassPrior, Error, Result};

/// How [`FittedDetector::refit`] trains.
///
/// ```
/// use puad::estimator::RefitConfig;
///
/// let config = RefitConfig { epochs: 10, ..RefitConfig::default() };
/// config.check()?;
/// assert!(RefitConfig { learning_rate: 0., ..config }.check().is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefitConfig {
    /// The most epochs, >= 1, and never more than the fit's. Default: 30.
    pub epochs: usize,
    /// Times the fit's learning rate, in (0, 1]. Default: 0.3.
    pub learning_rate: f64,
    /// How many unlabeled samples a dismissed alarm weighs as much as, > 0: rows that scored as anomalies and are none
    /// are worth more than those that nobody mistook. All of them weigh as much as the unlabeled part at most. Default:
    /// 10.
    pub dismissed: f64,
}

impl Default for RefitConfig {
    fn default() -> Self {
        Self {
            epochs: 30,
            learning_rate: 0.3,
            dismissed: 10.,
        }
    }
}

impl RefitConfig {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::config("epochs", "at least 1", self.epochs));
        }
        if !(self.learning_rate > 0. && self.learning_rate <= 1.) {
            let rule = "above 0 and at most 1, times that of the fit";
            return Err(Error::config("learning_rate", rule, self.learning_rate));
        }
        if !(self.dismissed > 0. && self.dismissed.is_finite()) {
            return Err(Error::config(
                "dismissed",
                "finite and above 0",
                self.dismissed,
            ));
        }
        Ok(())
    }

    /// Of the fit's training.
    fn of(&self, fit: &TrainConfig) -> TrainConfig {
        let mut train = fit.clone();
        train.epochs = self.epochs.min(fit.epochs);
        train.adam.learning_rate *= self.learning_rate;
        train
    }

    /// The weight of the unlabeled part against `normals` labeled ones.
    fn pnu_weight(&self, unlabeled: usize, normals: usize) -> f64 {
        let unlabeled = unlabeled as f64;
        (unlabeled / (unlabeled + self.dismissed * normals as f64)).max(0.5)
    }
}

impl FittedDetector {
    /// Learns from a review, from where this detector is: a network is trained on from its parameters, for few epochs in
    /// small steps; a committee, an isolation forest, or another model without epochs, is fitted anew, with the fit's
    /// training settings. Scaler and encoding stay, and
    /// so does the configuration, an optimiser of one's own aside.
    ///
    /// - **Confirmed anomalies** leave the unlabeled samples and join the labeled ones.
    /// - **Dismissed alarms** join the labeled normals, and from two on a positive-unlabeled method without a PNU weight
    ///   gets one: `u / (u + dismissed n)` for `u` unlabeled and `n` normal training samples, at least 0.5. Semi-supervised
    ///   methods take labeled normals as they are. Where a method has no use for them they stay unlabeled, which is what
    ///   most unlabeled samples are, with a [`Warning::UnusedLabels`].
    /// - **The class prior** trained with is what the review left ([`Feedback::left`]), with a
    ///   [`Warning::PriorSpent`] where that is nothing.
    /// - **Scores out of fold** ([`FitConfig::folds`](crate::FitConfig::folds)) there are none of, but those that a committee
    ///   has of itself: a report rests on the held-out labels, with a [`Warning::NoFolds`] where the fit had more.
    /// - **Threshold and probabilities** are made anew from the held-out samples as the fit had them, reviewed ones among
    ///   the unlabeled, by the class prior that decisions followed when the feedback was begun: new data come unreviewed. Confirmed anomalies take no part in the
    ///   calibration, since they were picked by their scores. A [`Threshold::Quantile`] of one's own is kept, other
    ///   thresholds than these become the default, with a [`Warning::DefaultThreshold`]: scores have changed.
    ///
    /// See [`Feedback`] for an example.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting outside its range, feedback on samples of another shape, or a detector from a file
    /// of a format before 4; [`Error::EmptyGroup`] if a part has no unlabeled sample left; as training.
    pub fn refit(&self, feedback: &Feedback, config: &RefitConfig) -> Result<Self> {
        self.refit_observed(feedback, config, &mut ())
    }

    /// As [`refit`](Self::refit), with every epoch shown to `observer`, which may stop training.
    ///
    /// # Errors
    /// As there.
    pub fn refit_observed(
        &self,
        feedback: &Feedback,
        config: &RefitConfig,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        config.check()?;
        let inputs = self.refittable(feedback)?;
        let mut learning = Learning::of(self, feedback, config)?;
        if self.decision.out_of_fold.is_some() && !learning.cross_fits {
            let reason = "a refit has none".into();
            learning.warnings.push(Warning::NoFolds { reason });
        }
        let left = feedback.left(None)?.alpha;
        let prior = learning.method.training_prior(match &self.config.prior {
            Prior::Given(_) => left,
            // As the fit: with less it learns too little from the labeled anomalies.
            Prior::Estimated(_) => ClassPrior::new(left.get().max(ClassPrior::default().get()))?,
        })?;
        let trainer = Trainer::new(if learning.method.goes_on() {
            config.of(&self.config.train)
        } else {
            self.config.train.clone()
        })?;
        let (train, validation) = (
            self.trained_on(&learning.groups.train)?,
            self.trained_on(&learning.groups.validation)?,
        );
        learning.method.check_data(&train)?;
        let mut learned = learning.method.refit(
            Task {
                train: &train,
                validation: &validation,
                prior,
                network: &self.config.network,
                trainer: &trainer,
                device: self.device(),
                observer,
            },
            self.model(),
        )?;
        for held_out in &mut learned.held_out {
            held_out.keep(|row| learning.calibrating[row]);
        }
        let mut validation = feedback.held_out().clone();
        if learning.cross_fits {
            validation = validation.without_anomalies();
        }
        let trained = Trained {
            config: self.config.clone(),
            method: learning.method,
            transformation: self.transformation.clone(),
            validation: self.trained_on(&validation)?,
            learned,
            reference: self.reference.clone(),
            inputs,
            warnings: learning.warnings,
            prior: feedback.prior(),
            estimate: self.decision.estimate.clone(),
            out_of_fold: vec![],
        };
        let mut detector = trained.decide()?;
        detector.encoding = self.encoding.clone();
        detector.check = self.check;
        detector.keep_rule(self)?;
        Ok(detector)
    }

    /// What the fit saw, if it can be fitted again on the samples of this feedback.
    fn refittable(&self, feedback: &Feedback) -> Result<Inputs> {
        let inputs = self.inputs.clone().ok_or_else(|| {
            let rule = "one of a fit or a file that says what the fit saw, to be fitted again";
            Error::config("detector", rule, "a file of a format before 4")
        })?;
        let (shape, own) = (
            feedback.held_out().unlabeled().sample_shape(),
            self.sample_shape(),
        );
        if shape != own {
            let rule = "on samples of the detector's shape";
            let found = format!("{shape:?}, not {own:?}");
            return Err(Error::config("feedback", rule, found));
        }
        Ok(inputs)
    }

    /// The threshold by the rule of `before`, where that can be had.
    fn keep_rule(&mut self, before: &Self) -> Result<()> {
        match before.threshold_rule() {
            ThresholdRule::Quantile { quantile } if !before.decision.follows_prior => {
                self.set_threshold(Threshold::Quantile(quantile))?;
            }
            _ if before.decision.follows_prior => {}
            rule => self.warnings.push(Warning::DefaultThreshold {
                rule: rule.to_string(),
            }),
        }
        Ok(())
    }

    /// As the model is trained on it.
    fn trained_on(&self, data: &PuDataset) -> Result<PuDataset> {
        match self.inputs.as_ref().filter(|_| self.config.scaling.clips()) {
            Some(inputs) => self
                .transformation
                .apply_groups(&inputs.clipped_groups(data)?),
            None => self.transformation.apply_groups(data),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refit_takes_smaller_steps_and_no_more_epochs() {
        let config = RefitConfig::default();
        let train = config.of(&TrainConfig::default());
        assert_eq!((train.epochs, train.adam.learning_rate), (30, 3e-4));
        let short = TrainConfig {
            epochs: 7,
            ..TrainConfig::default()
        };
        assert_eq!(config.of(&short).epochs, 7);
    }

    #[test]
    fn dismissed_alarms_weigh_as_ten_unlabeled_samples_up_to_a_half() {
        let config = RefitConfig::default();
        assert_eq!(config.pnu_weight(900, 10), 0.9);
        assert_eq!(config.pnu_weight(100, 50), 0.5);
        assert_eq!(config.pnu_weight(100, 0), 1.);
    }
}
