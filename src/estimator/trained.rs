use std::sync::Arc;

use candle_core::Tensor;

use super::decision::{Decision, OutOfFold, ValidationScores, check_scores};
use super::folds::onto_scale;
use super::{FitConfig, FittedDetector, InputCheck, Inputs, Transformation, Warning};
use crate::data::{PuDataset, Samples};
use crate::method::Method;
use crate::model::{HeldOut, Learned};
use crate::prior::PriorEstimate;
use crate::score::model_scores;
use crate::{ClassPrior, Result};

/// A fit whose model is trained, and which is yet to decide.
pub(super) struct Trained {
    pub(super) config: FitConfig,
    pub(super) method: Method,
    pub(super) transformation: Arc<dyn Transformation>,
    /// Transformed.
    pub(super) validation: PuDataset,
    pub(super) learned: Learned,
    pub(super) reference: Option<Tensor>,
    pub(super) inputs: Inputs,
    pub(super) warnings: Vec<Warning>,
    /// What decisions follow.
    pub(super) prior: ClassPrior,
    pub(super) estimate: Option<PriorEstimate>,
    pub(super) out_of_fold: Vec<HeldOut>,
}

/// Held-out scores below which a threshold is uncertain, and those of them to flag.
const SCORES: usize = 50;
const FLAGGED: f64 = 5.;

/// Whether a threshold by the class prior rests on few.
pub(super) fn few_scores(scores: &ValidationScores, prior: ClassPrior) -> Option<Warning> {
    let scores = scores.unlabeled.len();
    let flagged = prior.get() * scores as f64;
    let few = scores < SCORES || (flagged > 0. && flagged < FLAGGED);
    few.then_some(Warning::FewScores { scores, flagged })
}

/// What speaks against an estimate of the class prior.
pub(super) fn doubts(estimate: &PriorEstimate) -> impl Iterator<Item = Warning> {
    let prior = estimate.alpha.get();
    let doubts = estimate.doubts.iter().cloned();
    doubts.map(move |doubt| Warning::DoubtfulPrior { prior, doubt })
}

/// The folds' scores together, on the scale of the validation part's. Scores of `one_unit` are not stretched beyond the
/// highest that there was.
fn out_of_fold(
    folds: Vec<HeldOut>,
    validation: &ValidationScores,
    one_unit: bool,
) -> Result<Option<OutOfFold>> {
    if folds.is_empty() {
        return Ok(None);
    }
    let n = folds.len();
    let all = folds.iter().flat_map(|fold| &fold.anomalies);
    let highest = all
        .chain(&validation.unlabeled)
        .copied()
        .fold(f64::MIN, f64::max);
    let mapped = folds
        .into_iter()
        .flat_map(|fold| onto_scale(fold, &validation.unlabeled).anomalies);
    let mut anomalies: Vec<f64> = mapped
        .map(|score| if one_unit { score.min(highest) } else { score })
        .collect();
    check_scores(&anomalies)?;
    anomalies.sort_unstable_by(f64::total_cmp);
    Ok(Some(OutOfFold {
        folds: n,
        anomalies,
    }))
}

impl Trained {
    /// Sets threshold and calibration from the validation part.
    ///
    /// # Errors
    /// As the model's scores; [`Error::NonFiniteValue`](crate::Error::NonFiniteValue) if one overflows.
    pub(super) fn decide(self) -> Result<FittedDetector> {
        let unlabeled = self.scores(self.validation.unlabeled())?;
        let anomalies = match self.validation.anomalies() {
            Some(anomalies) => self.scores(anomalies)?,
            None => Vec::new(),
        };
        let mut scores = ValidationScores::new(unlabeled, anomalies)?;
        let one_unit = self.method.has_one_unit();
        let held_out = out_of_fold(self.learned.held_out, &scores, one_unit)?;
        if let Some(held_out) = held_out.as_ref().filter(|_| scores.anomalies.is_empty()) {
            scores.anomalies.clone_from(&held_out.anomalies);
        }
        let mut warnings = self.warnings;
        warnings.extend(few_scores(&scores, self.prior));
        let is_in_force =
            |estimate: &&PriorEstimate| estimate.low <= self.prior && self.prior <= estimate.high;
        warnings.extend(self.estimate.iter().filter(is_in_force).flat_map(doubts));
        let out_of_fold = out_of_fold(self.out_of_fold, &scores, one_unit)?.or(held_out);
        let decision = Decision {
            estimate: self.estimate,
            out_of_fold,
            ..Decision::new(scores, self.prior)?
        };
        Ok(FittedDetector {
            config: self.config,
            method: self.method,
            encoding: None,
            transformation: self.transformation,
            model: self.learned.model,
            history: self.learned.history,
            reference: self.reference,
            decision,
            inputs: Some(self.inputs),
            check: InputCheck::Refuse,
            warnings,
            annex: None,
        })
    }

    fn scores(&self, samples: &Samples) -> Result<Vec<f64>> {
        let model = &self.learned.model;
        let size = self.config.train.batch_size;
        model_scores(samples, size, model.device(), |xs| model.score(xs))
    }
}
