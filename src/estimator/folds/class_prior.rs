use std::sync::Arc;

use candle_core::Device;

use super::{Folds, onto_scale};
use crate::data::{PuDataset, Samples};
use crate::estimator::PriorEstimation;
use crate::method::Method;
use crate::model::{Fitted, HeldOut, Task};
use crate::net::Architecture;
use crate::prior::PriorData;
use crate::rng::{Purpose, substream};
use crate::train::{TrainConfig, Trainer};
use crate::{ClassPrior, Result};

/// The scores of transformed samples by a classifier of labeled anomalies that was fitted without them.
///
/// # Errors
/// [`Error::TooFewSamples`](crate::Error::TooFewSamples) for fewer than two labeled anomalies; as the classifier's fit.
pub(in crate::estimator) fn prior_scores(
    settings: &PriorEstimation,
    train: &PuDataset,
    validation: &PuDataset,
    device: &Device,
    config: &TrainConfig,
) -> Result<PriorData> {
    let (train, validation) = &in_memory(train, validation, config.seed)?;
    let folds = Folds::cut(settings.folds, train, "an estimate of the class prior")?;
    let trainer = Trainer::new(TrainConfig {
        epochs: settings.epochs.min(config.epochs),
        patience: Some(settings.patience),
        batch_size: config.batch_size,
        seed: config.seed,
        ..TrainConfig::default()
    })?;
    let shape = train.unlabeled().sample_shape();
    let method = &settings.classifier;
    let suited = method.check_fit(&Architecture::Auto, &shape, &trainer);
    let (train, validation) = match suited {
        Ok(_) => (train.clone(), validation.clone()),
        Err(error) if shape.len() < 2 => return Err(error),
        // No network of images suits them: one of vectors does.
        Err(_) => (train.map(flat)?, validation.map(flat)?),
    };
    let folds = Folds {
        train: &train,
        validation: &validation,
        folds,
        seed: config.seed,
        rows: settings.rows,
    };
    let fit = |train: &PuDataset, validation: &PuDataset| {
        classifier(method, &trainer, train, validation, device)
    };
    let mut scores = folds.scores(device, config.batch_size, &fit)?;
    if matches!(method, Method::Network(_)) {
        scores = on_one_scale(scores);
    }
    let (unlabeled, anomalies) = pooled(scores);
    PriorData::of_scores(unlabeled, anomalies)
}

/// Samples of every group of data in a file that the estimate is made of, at most, of the part that is trained on and of the
/// one held out: all of them are scored.
const STORED: usize = 100_000;
const STORED_VALIDATION: usize = 20_000;

/// Data as they are, those that are in a file, or were, by a sample of them in memory.
fn in_memory(
    train: &PuDataset,
    validation: &PuDataset,
    seed: u64,
) -> Result<(PuDataset, PuDataset)> {
    let drawn = |part: &PuDataset, most, stream| {
        part.map(|samples| samples.drawn(most, &mut substream(seed, Purpose::Stored, stream)))
    };
    Ok((
        drawn(train, STORED, 0)?,
        drawn(validation, STORED_VALIDATION, 1)?,
    ))
}

fn flat(samples: &Samples) -> Result<Samples> {
    let tensor = samples.to_tensor()?;
    Ok(tensor.flatten_from(1)?.into())
}

fn classifier(
    method: &Method,
    trainer: &Trainer,
    train: &PuDataset,
    validation: &PuDataset,
    device: &Device,
) -> Result<Arc<dyn Fitted>> {
    let learned = method.fit(Task {
        train,
        validation,
        prior: ClassPrior::default(),
        network: &Architecture::Auto,
        trainer,
        device,
        observer: &mut (),
    })?;
    Ok(learned.model)
}

/// Networks of two folds have no common unit; trees count shares.
fn on_one_scale(folds: Vec<HeldOut>) -> Vec<HeldOut> {
    let mut first = folds[0].unlabeled.clone();
    first.sort_unstable_by(f64::total_cmp);
    if first.is_empty() {
        return folds;
    }
    folds
        .into_iter()
        .map(|fold| onto_scale(fold, &first))
        .collect()
}

fn pooled(folds: Vec<HeldOut>) -> (Vec<f64>, Vec<f64>) {
    let (mut unlabeled, mut anomalies) = (Vec::new(), Vec::new());
    for fold in folds {
        unlabeled.extend(fold.unlabeled);
        anomalies.extend(fold.anomalies);
    }
    (unlabeled, anomalies)
}
