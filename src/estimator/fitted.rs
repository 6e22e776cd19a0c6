use candle_core::{DType, Device, Tensor};

use super::{
    Calibration, CalibrationMethod, FitConfig, IntoSamples, Scaler, Threshold, ThresholdRule,
};
use crate::data::{Samples, check_finite, check_float};
use crate::method::{AnyDetector, FitHistory, Method, Network};
use crate::{Error, NonNegativeLoss, Params, Result};

/// Who the samples to score are, in errors about them.
const INPUT: &str = "scored samples";

/// A trained detector with its scaler, threshold and calibration; see
/// [`Estimator`](super::Estimator) for an example from end to end.
///
/// Clones share the network, but each has its own threshold and calibration.
///
/// ```
/// use puad::estimator::Threshold;
/// use puad::{Estimator, FitConfig};
///
/// # let rows: Vec<[f32; 2]> = (0..40).map(|i| [(i as f32).sin(), (i as f32).cos()]).collect();
/// # let labeled = [[3f32, 3.], [4., 3.]];
/// # let mut config = FitConfig::default();
/// # config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&rows, &labeled)?;
/// let mut strict = detector.clone();
/// strict.set_threshold(Threshold::Value(1e6))?;
/// assert_eq!(strict.predict(&labeled)?, [false, false]);
/// assert!(detector.threshold() < strict.threshold());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FittedDetector {
    pub(super) parts: Parts,
}

/// What a fitted detector is made of, and what its file holds.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) config: FitConfig,
    pub(crate) network: Network,
    pub(crate) scaler: Option<Scaler>,
    pub(crate) params: Params,
    pub(crate) detector: AnyDetector,
    pub(crate) history: FitHistory,
    pub(crate) validation: ValidationScores,
    pub(crate) calibration: Option<Calibration>,
    pub(crate) threshold: f64,
    /// `None` only while a fit is under way.
    pub(crate) rule: Option<ThresholdRule>,
}

/// The scores of the validation part, in ascending order: what thresholds and probabilities are
/// made of.
///
/// ```
/// use puad::{Estimator, FitConfig};
///
/// # let rows: Vec<[f32; 2]> = (0..40).map(|i| [(i as f32).sin(), (i as f32).cos()]).collect();
/// # let labeled = [[3f32, 3.], [4., 3.]];
/// # let mut config = FitConfig::default();
/// # config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&rows, &labeled)?;
/// let scores = detector.validation_scores();
/// assert!(scores.unlabeled.is_sorted());
/// assert_eq!(scores.anomalies.len(), 1);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValidationScores {
    /// Of the unlabeled samples.
    pub unlabeled: Vec<f64>,
    /// Of the labeled anomalies; empty if there were none.
    pub anomalies: Vec<f64>,
}

impl FittedDetector {
    pub(crate) fn from_parts(parts: Parts) -> Self {
        Self { parts }
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The anomaly score of each sample, larger = more anomalous; `[n, ...]` gives `n`.
    ///
    /// Samples pass through the network in batches of the training batch size, so memory does not
    /// grow with their number beyond the scores themselves. A score does not depend on its
    /// neighbours in the batch beyond the last bits, which matrix products round by their size.
    ///
    /// # Errors
    /// [`Error::Shape`] for samples unlike the training data, [`Error::DType`],
    /// [`Error::NonFiniteFeature`] with row and column, [`Error::NonFiniteValue`] if a score overflows.
    pub fn score(&self, samples: impl IntoSamples) -> Result<Vec<f64>> {
        let samples = samples.into_samples()?;
        let mut scores = Vec::with_capacity(samples.len());
        self.batches(&samples, |_, xs| {
            scores.extend(self.score_scaled(xs)?);
            Ok(())
        })?;
        check_scores(&scores)?;
        Ok(scores)
    }

    /// The scores of each batch, one batch at a time, for data that does not fit in memory.
    ///
    /// ```
    /// # use puad::{Estimator, FitConfig, candle_core::{Device, Tensor}};
    /// # let mut config = FitConfig::default();
    /// # config.train.epochs = 1;
    /// # let rows: Vec<[f32; 2]> = (0..40).map(|i| [(i as f32).sin(), (i as f32).cos()]).collect();
    /// # let detector = Estimator::new(config).fit(&rows, &[[3f32, 3.], [4., 3.]])?;
    /// let batches = (0..3).map(|i| Tensor::full(i as f32, (100, 2), &Device::Cpu));
    /// let mut n = 0;
    /// for scores in detector.score_batches(batches) {
    ///     n += scores?.len();
    /// }
    /// assert_eq!(n, 300);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// An item is an error if the batch was one, or as in [`score`](Self::score); rows count from
    /// the start of the batch.
    pub fn score_batches<E>(
        &self,
        batches: impl IntoIterator<Item = std::result::Result<Tensor, E>>,
    ) -> impl Iterator<Item = Result<Vec<f64>>>
    where
        Error: From<E>,
    {
        batches.into_iter().map(|batch| self.score(batch?))
    }

    /// Whether each sample's score exceeds the [`threshold`](Self::threshold).
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn predict(&self, samples: impl IntoSamples) -> Result<Vec<bool>> {
        let scores = self.score(samples)?;
        Ok(scores.into_iter().map(|s| s > self.threshold()).collect())
    }

    /// The probability in [0, 1] that each sample is an anomaly; see [`Calibration`] for what it
    /// means and how far to trust it.
    ///
    /// # Errors
    /// [`Error::NotCalibrated`] if the fit had no labeled anomalies; else as
    /// [`score`](Self::score).
    pub fn predict_proba(&self, samples: impl IntoSamples) -> Result<Vec<f64>> {
        let calibration = self.calibration().ok_or(Error::NotCalibrated)?;
        let scores = self.score(samples)?;
        Ok(scores
            .into_iter()
            .map(|s| calibration.probability(s))
            .collect())
    }

    /// The score above which a sample counts as an anomaly.
    pub fn threshold(&self) -> f64 {
        self.parts.threshold
    }

    /// What the threshold was set by.
    pub fn threshold_rule(&self) -> ThresholdRule {
        self.parts.rule.unwrap_or(ThresholdRule::Value)
    }

    /// Sets another threshold; nothing is trained again.
    ///
    /// # Errors
    /// [`Error::Config`] for a number outside its range or too few normals for the rate; as
    /// [`score`](Self::score) for the normals.
    pub fn set_threshold(&mut self, threshold: Threshold) -> Result<()> {
        let unlabeled = &self.parts.validation.unlabeled;
        let prior = self.parts.config.prior;
        let (value, rule) = threshold.resolve(unlabeled, prior, |normals| self.score(normals))?;
        self.parts.threshold = value;
        self.parts.rule = Some(rule);
        Ok(())
    }

    /// The map from scores to probabilities; `None` if the fit had no labeled anomalies.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.parts.calibration.as_ref()
    }

    /// Calibrates again, by another method or on other data than the validation part: `unlabeled`
    /// and `anomalies` that took no part in training. `None` uses the validation part.
    ///
    /// # Errors
    /// As [`Calibration::fit`].
    pub fn calibrate(
        &mut self,
        method: CalibrationMethod,
        scores: Option<&ValidationScores>,
    ) -> Result<()> {
        let scores = scores.unwrap_or(&self.parts.validation);
        let (u, a) = (&scores.unlabeled, &scores.anomalies);
        let calibration = Calibration::fit(method, u, a, self.parts.config.prior)?;
        self.parts.calibration = Some(calibration);
        Ok(())
    }

    /// The validation part's scores.
    pub fn validation_scores(&self) -> &ValidationScores {
        &self.parts.validation
    }

    /// The method that was trained.
    pub fn method(&self) -> Method {
        self.parts.config.method_for(&self.sample_shape())
    }

    /// The settings of the fit.
    pub fn config(&self) -> &FitConfig {
        &self.parts.config
    }

    /// The network, with the sizes it was given.
    pub fn network(&self) -> &Network {
        &self.parts.network
    }

    /// The epochs of the fit.
    pub fn history(&self) -> &FitHistory {
        &self.parts.history
    }

    /// The scaling in front of the network, if there is one.
    pub fn scaler(&self) -> Option<&Scaler> {
        self.parts.scaler.as_ref()
    }

    /// The network's parameters and statistics.
    pub fn params(&self) -> &Params {
        &self.parts.params
    }

    /// The detector behind the scaler: `[batch, ...]` in f32 on [`device`](Self::device).
    pub fn detector(&self) -> &AnyDetector {
        &self.parts.detector
    }

    /// Where the detector runs.
    pub fn device(&self) -> &Device {
        self.parts.params.device()
    }

    /// The shape of one sample.
    pub fn sample_shape(&self) -> Vec<usize> {
        self.parts.network.sample_shape()
    }

    /// Calls `f` with each batch of `samples`, as given and as the network sees it.
    pub(super) fn batches(
        &self,
        samples: &Samples,
        mut f: impl FnMut(&Tensor, &Tensor) -> Result<()>,
    ) -> Result<()> {
        let (expected, actual) = (self.sample_shape(), samples.sample_shape());
        if expected != actual {
            return Err(Error::Shape {
                what: INPUT,
                expected: format!("{expected:?} as the training samples"),
                actual,
            });
        }
        check_float(samples.dtype(), INPUT)?;
        let size = self.parts.config.train.batch_size;
        // Scaled where they are: the detector's device may have no f64.
        for (i, raw) in samples.batches(size, samples.device())?.enumerate() {
            let raw = raw?;
            check_finite(&raw, INPUT).map_err(|e| shift_row(e, i * size))?;
            let xs = match &self.parts.scaler {
                Some(scaler) => scaler.apply(&raw)?,
                None => raw.to_dtype(DType::F32)?,
            };
            f(&raw, &xs.to_device(self.device())?)?;
        }
        Ok(())
    }

    fn score_scaled(&self, xs: &Tensor) -> Result<Vec<f64>> {
        let scores = self.parts.detector.score(xs)?.to_device(&Device::Cpu)?;
        Ok(scores.to_dtype(DType::F64)?.to_vec1()?)
    }
}

/// The error about row `i` of a batch as one about row `start + i`.
pub(super) fn shift_row(error: Error, start: usize) -> Error {
    match error {
        Error::NonFiniteFeature {
            what,
            row,
            column,
            value,
        } => Error::NonFiniteFeature {
            what,
            row: start + row,
            column,
            value,
        },
        error => error,
    }
}

fn check_scores(scores: &[f64]) -> Result<()> {
    match scores.iter().position(|s| !s.is_finite()) {
        Some(i) => Err(Error::NonFiniteValue {
            what: "scores",
            index: i,
            value: scores[i],
        }),
        None => Ok(()),
    }
}
