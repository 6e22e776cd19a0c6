#[cfg(feature = "tables")]
mod alarms;
mod explain;
mod feedback;
mod file;
mod guarantee;
mod input;
mod members;
#[cfg(feature = "tables")]
mod output;
mod pairs;
#[cfg(feature = "tables")]
mod pieces;
mod prior;
mod reasons;
mod recalibrate;
mod refit;
mod report;
mod shifted;
#[cfg(feature = "tables")]
mod stream;
mod suggest;
mod upgrade;
mod watch;

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::decision::{Decision, OutOfFold, ValidationScores, check_scores};
use super::{
    Calibration, CalibrationMethod, Detections, FitConfig, InputCheck, Inputs, IntoInput, Scaler,
    Threshold, ThresholdRule, Transformation, Warning, unknown_inputs,
};
use crate::data::{ImageShape, Samples, check_finite_batch, check_float, not_finite};
use crate::detector::Frozen;
use crate::encoding::Encoding;
use crate::estimator::warning::OF_FIT;
use crate::method::Method;
use crate::model::{Fitted, NetworkModel};
use crate::ops::{self, Numbers};
use crate::score::{collect_scores_at_once, saturated_scores, saturated_scores_of_rows};
use crate::train::FitHistory;
use crate::{Error, Result};

#[cfg(feature = "tables")]
pub use alarms::{Alarm, Alarms};
pub use feedback::{Feedback, Label};
pub use pairs::Pair;
#[cfg(feature = "tables")]
pub use pieces::{Pieces, TableSource};
pub use reasons::{Observed, Reason};
pub use recalibrate::NewPrior;
pub use refit::RefitConfig;
#[cfg(feature = "tables")]
pub use stream::{ScoredRows, TableScored};
pub use suggest::{SuggestConfig, Suggestion, Why};
pub use watch::Watched;

/// Who the samples to score are, in errors about them.
const INPUT: &str = "scored samples";

/// Of the interval of a class prior that is a number alone.
const LEVEL: f64 = 0.95;

/// A fitted model with what stands before it, the transformation, and behind it, threshold and
/// calibration; see [`Estimator`](super::Estimator) for an example from end to end.
///
/// Clones share the model, but each has its own threshold and calibration.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::Threshold;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 20;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let mut strict = detector.clone();
/// strict.set_threshold(Threshold::Value(1e6))?;
/// assert_eq!(strict.predict(&toy.unseen)?, [false, false]);
/// assert!(detector.threshold() < strict.threshold());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FittedDetector {
    pub(super) config: FitConfig,
    pub(super) method: Method,
    /// What makes numbers of a table; `None` of a detector of samples.
    pub(super) encoding: Option<Encoding>,
    pub(super) transformation: Arc<dyn Transformation>,
    pub(super) model: Arc<dyn Fitted>,
    pub(super) history: FitHistory,
    /// Unlabeled samples, transformed, for explanations of models without their own.
    pub(super) reference: Option<Tensor>,
    pub(super) decision: Decision,
    /// `None` of a detector from a file of a format before 4.
    pub(super) inputs: Option<Inputs>,
    pub(super) check: InputCheck,
    pub(super) warnings: Vec<Warning>,
    /// Of a file of a detector built on this one.
    pub(super) annex: Option<serde_json::Value>,
}

impl FittedDetector {
    /// The anomaly score of each sample, larger = more anomalous; `[n, ...]` gives `n`.
    ///
    /// Samples pass through the network in batches of the training batch size, so memory does not
    /// grow with their number beyond the scores themselves. On the CPU the score of a shipped detector
    /// has the same bits alone and in any company, in a stream, and on any number of threads; on another
    /// kind of processor it differs by rounding.
    ///
    /// Columns with names are put in the order of the fit; a [`Table`](crate::data::table::Table) may have more of
    /// them. What is noticed without failing, values far outside of
    /// the fit's among it, [`detect`](Self::detect) tells. Every finite sample is scored: one so far out that its score overflows gets `f32::MAX`.
    ///
    /// # Errors
    /// [`Error::Shape`] for samples unlike the training data, [`Error::Columns`] for other names,
    /// [`Error::ColumnKind`] and [`Error::Gap`] for another kind of a table's column and a gap in it,
    /// [`Error::DType`], [`Error::ElementType`] and [`Error::OtherScale`] for another type or scale (see
    /// [`set_input_check`](Self::set_input_check)), [`Error::NonFiniteFeature`] with row and column, [`Error::NonFiniteValue`] if a score is no number
    /// although its sample is nothing unusual.
    pub fn score(&self, input: impl IntoInput) -> Result<Vec<f64>> {
        let (samples, _) = self.numbers(input)?;
        let (samples, _) = self.accepted(samples, self.check)?;
        self.scores_of(&samples)
    }

    /// Scores, decisions and, where there were labeled anomalies, probabilities in one pass, with what it
    /// noticed of the samples.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn detect(&self, input: impl IntoInput) -> Result<Detections> {
        let (samples, warnings) = self.numbers(input)?;
        let mut found = self.detect_in(samples, self.check)?;
        found.warnings.splice(..0, warnings);
        Ok(found)
    }

    /// Of numbers.
    fn detect_in(&self, samples: Samples, check: InputCheck) -> Result<Detections> {
        let (samples, mut warnings) = self.accepted(samples, check)?;
        let scores = self.scores_of(&samples)?;
        if let Some(inputs) = self.inputs.as_ref().filter(|_| !samples.is_empty()) {
            warnings.extend(inputs.far_outside(INPUT, &samples, 1.)?);
        }
        Ok(Detections {
            anomalous: self.decision.of_scores(&scores),
            probabilities: self.calibration().map(|c| c.of_scores(&scores)),
            scores,
            warnings,
        })
    }

    /// Of samples that were accepted.
    fn scores_of(&self, samples: &Samples) -> Result<Vec<f64>> {
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let scores = if let Some((numbers, features)) = samples.few_rows()
            && let Some(frozen) = self.frozen(features)?
        {
            self.frozen_scores(frozen, 0, numbers)?
        } else {
            self.scores_in_batches(samples)?
        };
        check_scores(&scores)?;
        Ok(scores)
    }

    fn scores_in_batches(&self, samples: &Samples) -> Result<Vec<f64>> {
        let size = self.config.train.batch_size;
        // Transformed where they are: the model's device may have no f64.
        collect_scores_at_once(samples, size, self.device(), |start, raw| {
            if let Some(scores) = self.scores_of_rows(start, raw)? {
                return Ok(scores);
            }
            let xs = self.transformed(start, raw)?;
            saturated_scores(self.model.score(&xs)?, &xs)
        })
    }

    /// Of a batch of vectors, of which the first is number `start`, where the model scores rows of numbers.
    fn scores_of_rows(&self, start: usize, raw: &Tensor) -> Result<Option<Vec<f64>>> {
        let &[_, features] = raw.dims() else {
            return Ok(None);
        };
        let frozen = self.frozen(features)?.filter(|_| raw.device().is_cpu());
        let scores = frozen.map(|frozen| {
            ops::with_numbers(raw, |numbers| self.frozen_scores(frozen, start, numbers))?
        });
        scores.transpose()
    }

    fn frozen(&self, features: usize) -> Result<Option<&Frozen>> {
        let model = self.network_model();
        model.map_or(Ok(None), |model| model.frozen(features))
    }

    /// Of rows of numbers, of which the first is number `start`.
    fn frozen_scores(
        &self,
        frozen: &Frozen,
        start: usize,
        numbers: Numbers<'_>,
    ) -> Result<Vec<f64>> {
        let features = frozen.inputs();
        if let Some(found) = numbers.first_not_finite() {
            return Err(not_finite(INPUT, start, features, found));
        }
        let rows = self.transformation.values(numbers);
        let scores = frozen.score(&rows);
        Ok(saturated_scores_of_rows(scores, &rows, features))
    }

    /// The scores of each batch, one batch at a time, for data that does not fit in memory.
    ///
    /// ```
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::{Estimator, FitConfig};
    ///
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 1;
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
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
    pub fn predict(&self, input: impl IntoInput) -> Result<Vec<bool>> {
        Ok(self.decision.of_scores(&self.score(input)?))
    }

    /// The probability in [0, 1] that each sample is an anomaly; see [`Calibration`] for what it
    /// means and how far to trust it.
    ///
    /// # Errors
    /// [`Error::NotCalibrated`] if the fit had no labeled anomalies; else as
    /// [`score`](Self::score).
    pub fn predict_proba(&self, input: impl IntoInput) -> Result<Vec<f64>> {
        let calibration = self.calibration().ok_or(Error::NotCalibrated)?;
        Ok(calibration.of_scores(&self.score(input)?))
    }

    /// The score above which a sample counts as an anomaly.
    pub fn threshold(&self) -> f64 {
        self.decision.threshold
    }

    /// What the threshold was set by.
    pub fn threshold_rule(&self) -> ThresholdRule {
        self.decision.rule
    }

    /// Sets another threshold; nothing is trained again.
    ///
    /// # Errors
    /// [`Error::Config`] for a number outside its range or too few rows for the rate, with how many are needed; as
    /// [`score`](Self::score) for the rows; [`Error::EmptyGroup`] and [`Error::NotCalibrated`] where anomalies are
    /// needed that there are none of.
    pub fn set_threshold(&mut self, threshold: Threshold) -> Result<()> {
        let follows_prior = matches!(threshold, Threshold::Contamination);
        let resolved = self
            .decision
            .resolve(threshold, |rows, group| self.group_scores(rows, group))?;
        self.warnings
            .retain(|warning| !matches!(warning, Warning::OldThreshold { .. }));
        (self.decision.threshold, self.decision.rule) = resolved;
        self.decision.follows_prior = follows_prior;
        Ok(())
    }

    /// The map from scores to probabilities; `None` if the fit had no labeled anomalies.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.decision.calibration.as_ref()
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
        self.decision.calibrate(method, scores)
    }

    /// The validation part's scores.
    pub fn validation_scores(&self) -> &ValidationScores {
        &self.decision.validation
    }

    /// What the fit saw; `None` of a detector from a file of an earlier format.
    pub fn inputs(&self) -> Option<&Inputs> {
        self.inputs.as_ref()
    }

    /// What the fit noticed without failing.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What becomes of samples in another type or scale than those of the fit. Not kept in the file.
    pub fn set_input_check(&mut self, check: InputCheck) {
        self.check = check;
    }

    /// What was fitted.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The settings of the fit.
    pub fn config(&self) -> &FitConfig {
        &self.config
    }

    /// The epochs of the fit.
    pub fn history(&self) -> &FitHistory {
        &self.history
    }

    /// The scaling in front of the model, if there is one.
    pub fn scaler(&self) -> Option<&Scaler> {
        self.transformation.as_any().downcast_ref()
    }

    /// The model behind the transformation.
    pub fn model(&self) -> &dyn Fitted {
        self.model.as_ref()
    }

    /// The model, if it is a network: its detector, sizes and parameters.
    pub fn network_model(&self) -> Option<&NetworkModel> {
        self.model.as_any().downcast_ref()
    }

    /// Where the model runs.
    pub fn device(&self) -> &Device {
        self.model.device()
    }

    /// The shape of one sample.
    pub fn sample_shape(&self) -> Vec<usize> {
        self.model.sample_shape()
    }

    /// The shape of one sample of a detector of images: what one that is sent in is to be read as, with the
    /// feature `images`. Where the fit's were read in another size and then scaled by
    /// [`Samples::images`], read and scale a new one in the same two steps.
    ///
    /// ```
    /// # #[cfg(feature = "images")] {
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::data::image_file;
    /// use puad::data::image_folder::ImageFolderConfig;
    /// use puad::{Estimator, FitConfig, FittedDetector};
    ///
    /// let random = |n| Tensor::rand(0f32, 1., (n, 1, 8, 8), &Device::Cpu);
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 1;
    /// let detector = Estimator::new(config).fit(random(20)?, random(4)?)?;
    ///
    /// fn score(detector: &FittedDetector, upload: &[u8]) -> puad::Result<f64> {
    ///     let shape = detector.image_shape()?;
    ///     let config = ImageFolderConfig { shape, resize: true, ..ImageFolderConfig::default() };
    ///     Ok(detector.score(image_file::decode(upload, &config)?)?[0])
    /// }
    ///
    /// let upload = image_file::encode_png(&[51; 64], detector.image_shape()?)?;
    /// let same = Tensor::full(0.2f32, (1, 1, 8, 8), &Device::Cpu)?;
    /// assert_eq!(score(&detector, &upload)?, detector.score(same)?[0]);
    /// assert!(score(&detector, b"GIF89a").is_err());
    /// # }
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] of a detector of vectors.
    pub fn image_shape(&self) -> Result<ImageShape> {
        let shape = self.sample_shape();
        if let [channels, height, width] = shape[..] {
            return Ok(ImageShape {
                channels,
                height,
                width,
            });
        }
        Err(Error::Shape {
            what: "the samples of a detector of images",
            expected: "[channels, height, width]".into(),
            actual: shape,
        })
    }

    /// Samples in the order of the fit's columns, of the detector's shape, type and scale, and what there is
    /// to say of them.
    fn accepted(&self, samples: Samples, check: InputCheck) -> Result<(Samples, Vec<Warning>)> {
        if samples.is_empty() {
            return Ok((samples, Vec::new()));
        }
        let inputs = self.inputs.as_ref();
        let samples = match inputs.map(Inputs::names) {
            Some(names) => samples.in_columns(names, INPUT)?,
            None => samples,
        };
        let (expected, actual) = (self.sample_shape(), samples.sample_shape());
        if expected != actual {
            return Err(Error::Shape {
                what: INPUT,
                expected: format!("{expected:?} as the training samples"),
                actual,
            });
        }
        check_float(samples.dtype(), INPUT)?;
        let mut warnings = match inputs {
            Some(inputs) => inputs.check(INPUT, &samples, check)?,
            None => unknown_inputs(INPUT, &samples, self.scaler(), check)?,
        };
        let by_place = |inputs: &Inputs| Warning::by_place(&samples, INPUT, inputs.names(), OF_FIT);
        warnings.extend(inputs.and_then(by_place));
        let widened = inputs.map(|inputs| inputs.widened(&samples));
        Ok((widened.transpose()?.unwrap_or(samples), warnings))
    }

    /// A batch of the user's samples, of which the first is number `start`, as the model sees it.
    fn transformed(&self, start: usize, raw: &Tensor) -> Result<Tensor> {
        check_finite_batch(raw, INPUT, start)?;
        let xs = self.transformation.apply(raw)?;
        Ok(xs.to_device(self.device())?)
    }
}

/// The error about row `i` of a batch as one about row `start + i`.
#[cfg(feature = "tables")]
fn shift_row(error: Error, start: usize) -> Error {
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
        Error::Gap {
            what,
            row,
            id,
            column,
        } => Error::Gap {
            what,
            row: start + row,
            id,
            column,
        },
        Error::NonFiniteValue { what, index, value } => Error::NonFiniteValue {
            what,
            index: start + index,
            value,
        },
        error => error,
    }
}
