use super::Input;
use super::calibration::{Calibration, CalibrationMethod};
use super::threshold::{Known, Threshold, ThresholdRule};
use crate::data::table::Group;
use crate::prior::PriorEstimate;
use crate::{ClassPrior, Error, Result};

/// The scores of the validation part, in ascending order: what thresholds and probabilities are
/// made of.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let scores = detector.validation_scores();
/// assert!(scores.unlabeled.is_sorted());
/// // A committee, the default, holds each out once.
/// assert_eq!(scores.anomalies.len(), toy.labeled_anomalies.len());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValidationScores {
    /// Of the unlabeled samples.
    pub unlabeled: Vec<f64>,
    /// Of the labeled anomalies; empty if there were none.
    pub anomalies: Vec<f64>,
}

impl ValidationScores {
    /// Of scores in any order.
    ///
    /// # Errors
    /// [`Error::NonFiniteValue`] for one that is NaN or infinite.
    pub(super) fn new(mut unlabeled: Vec<f64>, mut anomalies: Vec<f64>) -> Result<Self> {
        for scores in [&mut unlabeled, &mut anomalies] {
            check_scores(scores)?;
            scores.sort_unstable_by(f64::total_cmp);
        }
        Ok(Self {
            unlabeled,
            anomalies,
        })
    }
}

/// Scores of the labeled anomalies by detectors that were fitted without them, on the scale of the detector that was
/// fitted to all: what [`FitConfig::folds`](super::FitConfig::folds) asks for. One that is the only labeled one of the
/// training or the validation part is in every fit, and not among them. An anomaly keeps its place among the
/// unlabeled samples of its fold, which are mapped onto those of the detector's validation part.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfFold {
    /// Into how many parts the data were cut.
    pub folds: usize,
    /// In ascending order.
    pub anomalies: Vec<f64>,
}

/// How scores become decisions and probabilities.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) validation: ValidationScores,
    pub(super) prior: ClassPrior,
    /// What `prior` is taken from, unless it was given.
    pub(super) estimate: Option<PriorEstimate>,
    pub(super) out_of_fold: Option<OutOfFold>,
    pub(super) threshold: f64,
    /// Whether another class prior is another threshold: that of the default.
    pub(super) follows_prior: bool,
    pub(super) rule: ThresholdRule,
    pub(super) calibration: Option<Calibration>,
}

impl Decision {
    /// The default threshold, and probabilities where there are labeled anomalies.
    pub(super) fn new(validation: ValidationScores, prior: ClassPrior) -> Result<Self> {
        let known = known(&validation, prior, None);
        let (threshold, rule) = Threshold::Contamination.resolve(known, &|_, _| Ok(Vec::new()))?;
        let mut decision = Self {
            validation,
            prior,
            estimate: None,
            out_of_fold: None,
            threshold,
            follows_prior: true,
            rule,
            calibration: None,
        };
        if !decision.validation.anomalies.is_empty() {
            decision.calibrate(CalibrationMethod::Auto, None)?;
        }
        Ok(decision)
    }

    /// What a threshold comes to; `score` is of a user's rows, those of a group.
    pub(super) fn resolve(
        &self,
        threshold: Threshold,
        score: impl Fn(Input, Group) -> Result<Vec<f64>>,
    ) -> Result<(f64, ThresholdRule)> {
        let known = known(&self.validation, self.prior, self.calibration.as_ref());
        threshold.resolve(known, &score)
    }

    /// On these scores, or on the validation part's.
    pub(super) fn calibrate(
        &mut self,
        method: CalibrationMethod,
        scores: Option<&ValidationScores>,
    ) -> Result<()> {
        let scores = scores.unwrap_or(&self.validation);
        let (u, a) = (&scores.unlabeled, &scores.anomalies);
        self.calibration = Some(Calibration::fit(method, u, a, self.prior)?);
        Ok(())
    }

    /// By other scores, or another class prior: a threshold that is a quantile is set anew, the default one by the new
    /// prior, and probabilities are calibrated anew. Without labeled anomalies there is nothing to calibrate them on, and
    /// one on scores of the user's is of the old prior: there are none then.
    pub(super) fn anew(&self, validation: ValidationScores, prior: ClassPrior) -> Result<Self> {
        let mut decision = Self {
            validation,
            prior,
            ..self.clone()
        };
        let again = match self.rule {
            _ if self.follows_prior => Some(Threshold::Contamination),
            ThresholdRule::Quantile { quantile } => Some(Threshold::Quantile(quantile)),
            _ => None,
        };
        if let Some(threshold) = again {
            (decision.threshold, decision.rule) = decision.resolve(threshold, |_, _| Ok(vec![]))?;
        }
        if decision.validation.anomalies.is_empty() {
            decision.calibration = None;
        } else {
            decision.calibrate(CalibrationMethod::Auto, None)?;
        }
        Ok(decision)
    }

    /// Whether each score counts as an anomaly's.
    pub(super) fn of_scores(&self, scores: &[f64]) -> Vec<bool> {
        scores.iter().map(|&score| score > self.threshold).collect()
    }
}

fn known<'a>(
    validation: &'a ValidationScores,
    prior: ClassPrior,
    calibration: Option<&'a Calibration>,
) -> Known<'a> {
    Known {
        unlabeled: &validation.unlabeled,
        anomalies: &validation.anomalies,
        prior,
        calibration,
    }
}

/// # Errors
/// [`Error::NonFiniteValue`] for the first score that is NaN or infinite.
pub(super) fn check_scores(scores: &[f64]) -> Result<()> {
    match scores.iter().position(|s| !s.is_finite()) {
        Some(index) => Err(Error::NonFiniteValue {
            what: "scores",
            index,
            value: scores[index],
        }),
        None => Ok(()),
    }
}
