use std::sync::Arc;

use candle_core::Tensor;

use super::decision::{Decision, ValidationScores, saturated_scores};
use super::{FitConfig, FittedDetector, InputCheck, Inputs, Transformation, Warning};
use crate::Result;
use crate::data::{PuDataset, Samples};
use crate::method::Method;
use crate::model::Learned;
use crate::score::collect_scores;

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
}

impl Trained {
    /// Sets threshold and calibration from the validation part.
    ///
    /// # Errors
    /// As the model's scores; [`Error::NonFiniteValue`](crate::Error::NonFiniteValue) if one overflows.
    pub(super) fn decide(self) -> Result<FittedDetector> {
        let scores = ValidationScores::new(
            self.scores(self.validation.unlabeled())?,
            match self.validation.anomalies() {
                Some(anomalies) => self.scores(anomalies)?,
                None => Vec::new(),
            },
        )?;
        let decision = Decision::new(scores, self.config.prior)?;
        let Learned { model, history } = self.learned;
        Ok(FittedDetector {
            config: self.config,
            method: self.method,
            transformation: self.transformation,
            model,
            history,
            reference: self.reference,
            decision,
            inputs: Some(self.inputs),
            check: InputCheck::Refuse,
            warnings: self.warnings,
        })
    }

    fn scores(&self, samples: &Samples) -> Result<Vec<f64>> {
        let model = &self.learned.model;
        let size = self.config.train.batch_size;
        collect_scores(samples, size, model.device(), |_, xs| {
            saturated_scores(model.score(xs)?, xs)
        })
    }
}
