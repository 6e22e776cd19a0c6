use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::upgrade::upgrade;
use super::{
    Calibration, Decision, FitConfig, FittedDetector, InputCheck, Inputs, OutOfFold, Scaler,
    ThresholdRule, ValidationScores, Warning,
};
use crate::checkpoint::{self, Contents, Format, Stored};
use crate::encoding::Encoding;
use crate::estimator::Transformation;
use crate::estimator::folds::check_folds;
use crate::estimator::scaler::{SCALE, SHIFT};
use crate::estimator::transformation::Unchanged;
use crate::method::{Method, Registry};
use crate::model::{StoredModel, check_reference};
use crate::prior::PriorEstimate;
use crate::train::FitHistory;
use crate::{ClassPrior, Error, Result};

// Shared by the threads of whoever serves scores.
const _: () = shared::<FittedDetector>();

const fn shared<T: Send + Sync + 'static>() {}

const FORMAT: Format = Format {
    name: "puad detector",
    version: 7,
    upgrade,
};

/// What errors call bytes that no file holds.
const BYTES: &str = "the detector's bytes";

const THRESHOLD: &str = "threshold";
const UNLABELED: &str = "validation.unlabeled";
const ANOMALIES: &str = "validation.anomalies";
const FOLDS_ANOMALIES: &str = "folds.anomalies";
/// With a dot, as names under a prefix are read.
const REFERENCE: &str = "reference.";
const ROWS: &str = "rows";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    config: FitConfig,
    /// With all settings: a later release may have other defaults, or fit another method by default.
    method: Value,
    /// What makes numbers of a table.
    encoding: Option<Encoding>,
    sample_shape: Vec<usize>,
    /// What of the model is no tensor.
    model: Value,
    history: FitHistory,
    threshold_rule: ThresholdRule,
    /// Files of before have not told a quantile from the class prior's.
    #[serde(default)]
    threshold_follows_prior: Option<bool>,
    /// What decisions follow.
    decision_prior: ClassPrior,
    prior_estimate: Option<PriorEstimate>,
    /// Of the scores that there are by detectors fitted without them.
    folds: Option<usize>,
    calibration: Option<Calibration>,
    /// `None` in files of formats before 4.
    inputs: Option<Inputs>,
    warnings: Vec<Warning>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    annex: Option<Value>,
}

impl FittedDetector {
    /// Writes the detector to one safetensors file: settings, sizes, history, threshold, calibration, what
    /// the fit saw and what it warned of as metadata; the model's tensors, scaler, validation scores and, where explanations
    /// are by occlusion, up to 32 transformed training rows as tensors. An old file is replaced in one step, so
    /// a crash leaves it or the new one, nothing between.
    ///
    /// # Errors
    /// [`CheckpointError::Write`](crate::checkpoint::CheckpointError::Write).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let (content, tensors) = self.contents()?;
        checkpoint::write(path.as_ref(), &FORMAT, content, tensors)
    }

    /// The bytes that [`save`](Self::save) writes: for a store that is no folder, a data base's column, a message to
    /// another process.
    ///
    /// ```
    /// use puad::candle_core::Device;
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::{Estimator, FitConfig, FittedDetector};
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 1;
    /// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
    /// let bytes = detector.to_bytes()?;
    /// let same = FittedDetector::from_bytes(&bytes, &Device::Cpu)?;
    /// assert_eq!(same.score(&toy.unseen)?, detector.score(&toy.unseen)?);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As the model's state, which no shipped method refuses to give.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let (content, tensors) = self.contents()?;
        checkpoint::to_bytes(Path::new(BYTES), &FORMAT, content, tensors)
    }

    fn contents(&self) -> Result<(Content, BTreeMap<String, Stored>)> {
        let state = self.model.state()?;
        let mut tensors: BTreeMap<String, Stored> = state.stored()?.collect();
        let content = Content {
            config: self.config.clone(),
            method: self.method.whole()?,
            encoding: self.encoding.clone(),
            sample_shape: self.sample_shape(),
            model: state.content,
            history: self.history.clone(),
            threshold_rule: self.decision.rule,
            threshold_follows_prior: Some(self.decision.follows_prior),
            decision_prior: self.decision.prior,
            prior_estimate: self.decision.estimate.clone(),
            folds: self.decision.out_of_fold.as_ref().map(|kept| kept.folds),
            calibration: self.decision.calibration.clone(),
            inputs: self.inputs.clone(),
            warnings: self.warnings.clone(),
            annex: self.annex.clone(),
        };
        let mut numbers = |name: &str, values: &[f64]| {
            tensors.insert(name.into(), Stored::f64s(values));
        };
        for (name, values) in self.transformation.numbers() {
            numbers(name, values);
        }
        // As a tensor, because JSON has no infinity.
        numbers(THRESHOLD, &[self.decision.threshold]);
        numbers(UNLABELED, &self.decision.validation.unlabeled);
        numbers(ANOMALIES, &self.decision.validation.anomalies);
        if let Some(kept) = &self.decision.out_of_fold {
            numbers(FOLDS_ANOMALIES, &kept.anomalies);
        }
        if let Some(reference) = &self.reference {
            tensors.insert(format!("{REFERENCE}{ROWS}"), Stored::tensor(reference)?);
        }
        Ok((content, tensors))
    }

    /// Reads a detector that [`save`](Self::save) wrote, onto `device`. On the kind of device that
    /// it was saved from its scores are the same, bit for bit.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] with the
    /// [`CheckpointError`](crate::checkpoint::CheckpointError) that says what is wrong with the
    /// file: absent, cut off, damaged, another's, of a later release, or with tensors missing, too
    /// many, or of the wrong shape or type. [`Error::UnknownSpecification`] for a detector, objective or
    /// model that this crate does not ship: [`load_with`](Self::load_with) reads it.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        Self::load_with(path, device, &Registry::default())
    }

    /// As [`load`](Self::load), with a registry that knows more specifications.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(path: impl AsRef<Path>, device: &Device, registry: &Registry) -> Result<Self> {
        let file = checkpoint::read(path.as_ref(), &FORMAT)?;
        Self::of_contents(file, device, registry)
    }

    /// As [`load`](Self::load), of the bytes of a file, which [`to_bytes`](Self::to_bytes) gives too.
    ///
    /// # Errors
    /// As [`load`](Self::load), but for a file that cannot be read; the path in them says `the detector's bytes`.
    pub fn from_bytes(bytes: &[u8], device: &Device) -> Result<Self> {
        Self::from_bytes_with(bytes, device, &Registry::default())
    }

    /// As [`from_bytes`](Self::from_bytes), with a registry that knows more specifications.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes).
    pub fn from_bytes_with(bytes: &[u8], device: &Device, registry: &Registry) -> Result<Self> {
        let contents = checkpoint::of_bytes(Path::new(BYTES), bytes, &FORMAT)?;
        Self::of_contents(contents, device, registry)
    }

    fn of_contents(
        mut file: Contents<Content>,
        device: &Device,
        registry: &Registry,
    ) -> Result<Self> {
        let shape = file.content.sample_shape.clone();
        let method = method(&mut file, registry)?;
        file.content.check().map_err(|e| file.wrong(e))?;

        let features = features(&shape).map_err(|e| file.wrong(e))?;
        let transformation = transformation(&mut file, features)?;
        let threshold = threshold(&mut file)?;
        let validation = validation(&mut file)?;
        let out_of_fold = out_of_fold(&mut file)?;
        let reference = reference(&mut file, &shape)?;
        let state = std::mem::take(&mut file.content.model);
        let mut stored = StoredModel::take_from(&mut file, state)?;
        file.finish()?;
        let model = method.read(&mut stored, &shape, device)?;
        stored.finish()?;
        if model.sample_shape() != shape {
            let actual = format!("{:?}", model.sample_shape());
            return Err(stored.wrong(Error::config("sample_shape", "the model's", actual)));
        }
        let content = file.content;
        let follows_prior = content.threshold_follows_prior.unwrap_or_else(|| {
            let quantile = 1. - content.decision_prior.get();
            content.threshold_rule == ThresholdRule::Quantile { quantile }
        });
        Ok(Self {
            transformation,
            model,
            history: content.history,
            reference,
            decision: Decision {
                validation,
                prior: content.decision_prior,
                estimate: content.prior_estimate,
                out_of_fold,
                threshold,
                follows_prior,
                rule: content.threshold_rule,
                calibration: content.calibration,
            },
            config: content.config,
            method,
            encoding: content.encoding,
            inputs: content.inputs,
            check: InputCheck::Refuse,
            warnings: content.warnings,
            annex: content.annex,
        })
    }

    /// With other words for what the fit noticed.
    pub(crate) fn with_warnings(self, warnings: Vec<Warning>) -> Self {
        Self { warnings, ..self }
    }

    /// With what the file of a detector built on this one holds beside it.
    pub(crate) fn with_annex(self, annex: Value) -> Self {
        let annex = Some(annex);
        Self { annex, ..self }
    }

    /// What [`with_annex`](Self::with_annex) gave to the file.
    pub(crate) fn annex(&self) -> Option<&Value> {
        self.annex.as_ref()
    }
}

/// What was fitted; the configuration has it too, if it named one.
fn method(file: &mut Contents<Content>, registry: &Registry) -> Result<Method> {
    let method = Method::deserialize(&file.content.method).map_err(|e| file.wrong(e))?;
    let method = registry.resolve(&method).map_err(|e| file.wrong(e))?;
    match method.check() {
        Err(unknown @ Error::UnknownSpecification { .. }) => return Err(unknown),
        checked => checked.map_err(|e| file.wrong(e))?,
    }
    let configured = file.content.config.method.as_ref();
    if let Some(configured) = configured.filter(|method| **method != Method::Auto) {
        // Their settings may differ, by what the defaults were then.
        let (fitted, named) = (method.parts(), configured.parts());
        if fitted != named {
            let rule = "the one that the configuration names";
            return Err(file.wrong(Error::config("method", rule, fitted)).into());
        }
        // But for the weight of labeled normals, which is a review's where none was configured.
        let configured = registry.resolve(configured).map_err(|e| file.wrong(e))?;
        let weight = configured.pnu_weight().map_err(|e| file.wrong(e))?;
        let own = match weight {
            Some(weight) => method.with_normals(weight).map_err(|e| file.wrong(e))?,
            None => None,
        };
        file.content.config.method = Some(own.unwrap_or_else(|| method.clone()));
    }
    Ok(method)
}

/// The number of values of a sample.
fn features(shape: &[usize]) -> Result<usize> {
    let product = |n: usize, &size: &usize| n.checked_mul(size);
    let features = shape.iter().try_fold(1, product);
    let rule = "sizes of at least 1 whose product is below 2^32";
    features
        .filter(|&n| n > 0 && u32::try_from(n).is_ok())
        .ok_or_else(|| Error::config("sample_shape", rule, format!("{shape:?}")))
}

impl Content {
    fn check(&self) -> Result<()> {
        self.config.check()?;
        self.folds.map_or(Ok(()), check_folds)?;
        if let Some(inputs) = &self.inputs {
            inputs.check_numbers(&self.sample_shape)?;
        }
        if let Some(encoding) = &self.encoding {
            encoding.check()?;
            let (rule, numbers) = ("as many numbers as a sample has", encoding.width());
            if self.sample_shape != [numbers] {
                return Err(Error::config("encoding", rule, numbers));
            }
        }
        self.calibration.as_ref().map_or(Ok(()), Calibration::check)
    }
}

fn transformation(
    file: &mut Contents<Content>,
    features: usize,
) -> Result<Arc<dyn Transformation>> {
    let Some(shift) = file.take_optional_f64s(SHIFT)? else {
        return Ok(Arc::new(Unchanged));
    };
    let scale = file.take_f64s(SCALE)?;
    let scaler = Scaler::from_parts(shift, scale);
    scaler.check(features).map_err(|e| file.wrong(e))?;
    Ok(Arc::new(scaler))
}

fn reference(file: &mut Contents<Content>, shape: &[usize]) -> Result<Option<Tensor>> {
    let mut taken = file.take_tensors(REFERENCE, DType::F32, &Device::Cpu)?;
    let rows = taken.remove(ROWS);
    if let Some(name) = taken.into_keys().next() {
        let error = Error::UnknownParameter { name };
        return Err(file.wrong(error).into());
    }
    if let Some(rows) = &rows {
        check_reference(rows, shape).map_err(|e| file.wrong(e))?;
    }
    Ok(rows)
}

fn threshold(file: &mut Contents<Content>) -> Result<f64> {
    match file.take_f64s(THRESHOLD)?[..] {
        [value] if !value.is_nan() => Ok(value),
        ref other => {
            let got = format!("{other:?}");
            Err(file
                .wrong(Error::config("threshold", "one number", got))
                .into())
        }
    }
}

fn out_of_fold(file: &mut Contents<Content>) -> Result<Option<OutOfFold>> {
    let Some(folds) = file.content.folds else {
        return Ok(None);
    };
    let anomalies = scores(file, FOLDS_ANOMALIES)?;
    Ok(Some(OutOfFold { folds, anomalies }))
}

fn validation(file: &mut Contents<Content>) -> Result<ValidationScores> {
    let (unlabeled, anomalies) = (scores(file, UNLABELED)?, scores(file, ANOMALIES)?);
    if unlabeled.is_empty() {
        let error = Error::EmptyGroup {
            what: "a detector's file",
            group: "unlabeled",
        };
        return Err(file.wrong(error).into());
    }
    Ok(ValidationScores {
        unlabeled,
        anomalies,
    })
}

fn scores(file: &mut Contents<Content>, name: &'static str) -> Result<Vec<f64>> {
    let scores = file.take_f64s(name)?;
    if scores.is_sorted() && scores.iter().all(|score| score.is_finite()) {
        return Ok(scores);
    }
    let error = Error::config("validation", "finite and in order", name);
    Err(file.wrong(error).into())
}

#[cfg(test)]
mod tests;
