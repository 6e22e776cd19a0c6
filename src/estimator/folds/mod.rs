//! Scores of samples by models that were fitted without them.

mod class_prior;
mod cut;
mod scale;

use std::sync::Arc;

use candle_core::Device;

use crate::data::{PuDataset, Samples};
use crate::model::{Fitted, HeldOut};
use crate::score::model_scores;
use crate::{Error, Result, workers};

pub(super) use class_prior::prior_scores;
pub(super) use scale::onto_scale;

/// Fits a model to a training and a validation part.
pub(super) type Fit<'a> = dyn Fn(&PuDataset, &PuDataset) -> Result<Arc<dyn Fitted>> + Sync + 'a;

/// Transformed data, cut into folds: each has its share of every group of both parts.
pub(super) struct Folds<'a> {
    pub(super) train: &'a PuDataset,
    pub(super) validation: &'a PuDataset,
    /// At least 2.
    pub(super) folds: usize,
    pub(super) seed: u64,
    /// Unlabeled samples to train on at most.
    pub(super) rows: usize,
}

impl Folds<'_> {
    /// As many folds as `wanted` and the labeled anomalies allow.
    ///
    /// # Errors
    /// [`Error::TooFewSamples`] where they, or their blocks, allow fewer than two.
    pub(super) fn cut(wanted: usize, train: &PuDataset, what: &'static str) -> Result<usize> {
        let parts = |samples: &Samples| samples.units().len();
        let anomalies = train.anomalies().map_or(0, parts);
        let folds = wanted.min(anomalies).min(parts(train.unlabeled()));
        if folds >= 2 {
            return Ok(folds);
        }
        Err(Error::TooFewSamples {
            what,
            group: match train.anomalies().and_then(Samples::blocks) {
                Some(_) => "blocks of anomalous training",
                None => "anomalous training",
            },
            classes: vec![],
            needed: 2,
            available: anomalies,
        })
    }

    /// Fits each fold's model, several at once on the CPU, and scores what it did not see. The result depends on
    /// neither the number of threads nor their order.
    pub(super) fn scores(
        &self,
        device: &Device,
        batch_size: usize,
        fit: &Fit<'_>,
    ) -> Result<Vec<HeldOut>> {
        let fold = |index: usize| -> Result<HeldOut> {
            let (train, held) = cut::fold(self.train, self, cut::TRAIN, index)?;
            let (validation, held_too) = cut::fold(self.validation, self, cut::VALIDATION, index)?;
            let model = fit(&train, &validation)?;
            let scores = |samples: &[Samples]| -> Result<Vec<f64>> {
                let mut all = Vec::new();
                for samples in samples {
                    let score = |xs: &_| model.score(xs);
                    all.extend(model_scores(samples, batch_size, device, score)?);
                }
                Ok(all)
            };
            Ok(HeldOut {
                unlabeled: scores(&[held.unlabeled, held_too.unlabeled].concat())?,
                anomalies: scores(&[held.anomalies, held_too.anomalies].concat())?,
                rows: vec![],
            })
        };
        // Each holds windows of its own.
        let at_once = if self.train.is_stored() {
            1
        } else {
            workers::at_once(device)
        };
        workers::run(self.folds, at_once, &fold)
    }
}

/// # Errors
/// [`Error::Config`] for fewer than two folds.
pub(super) fn check_folds(folds: usize) -> Result<()> {
    if folds < 2 {
        return Err(Error::config("folds", "at least 2", folds));
    }
    Ok(())
}
