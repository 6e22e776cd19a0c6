use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde_json::json;

use super::trained::Trained;
use super::{FitConfig, Transformation};
use crate::data::{PuDataset, Samples};
use crate::method::Method;
use crate::model::{Fitted, Task, reference};
use crate::net::Architecture;
use crate::train::{Checkpoints, Observer, Trainer};
use crate::{Error, Result};

/// Makes the trainer to train with of the one that the configuration asks for.
pub(super) type Customize<'a> = dyn FnOnce(Trainer) -> Result<Trainer> + 'a;

/// A fit whose settings and data were looked at, and whose data are transformed.
pub(super) struct Prepared {
    config: FitConfig,
    method: Method,
    trainer: Trainer,
    transformation: Arc<dyn Transformation>,
    train: PuDataset,
    validation: PuDataset,
}

impl Prepared {
    /// # Errors
    /// As [`Estimator::fit_split`](super::Estimator::fit_split), before anything is computed.
    pub(super) fn new(
        config: FitConfig,
        customize: Option<Box<Customize<'_>>>,
        train: &PuDataset,
        validation: &PuDataset,
    ) -> Result<Self> {
        check(&config, train)?;
        let expected = train.unlabeled().sample_shape();
        let actual = validation.unlabeled().sample_shape();
        if actual != expected {
            return Err(Error::Shape {
                what: "validation samples",
                expected: format!("{expected:?} as the training samples"),
                actual,
            });
        }
        let trainer = Trainer::new(config.train.clone())?;
        let trainer = match customize {
            Some(customize) => customize(trainer)?,
            None => trainer,
        };
        let transformation = config.scaling.fit(train.unlabeled())?;
        Ok(Self {
            method: config.method_for(&expected),
            trainer,
            train: transformation.apply_groups(train)?,
            validation: transformation.apply_groups(validation)?,
            transformation,
            config,
        })
    }

    /// # Errors
    /// As [`Method::fit`].
    pub(super) fn train(
        self,
        device: &Device,
        checkpoints: Option<Checkpoints>,
        observer: &mut dyn Observer,
    ) -> Result<Trained> {
        let label = self.label()?;
        let trainer = match checkpoints {
            Some(checkpoints) => self.trainer.with_checkpoints(Checkpoints {
                label,
                ..checkpoints
            })?,
            None => self.trainer,
        };
        let learned = self.method.fit(Task {
            train: &self.train,
            validation: &self.validation,
            prior: self.config.prior,
            network: &self.config.network,
            trainer: &trainer,
            device,
            observer,
        })?;
        let reference = reference_for(&learned.model, self.train.unlabeled())?;
        Ok(Trained {
            config: self.config,
            method: self.method,
            transformation: self.transformation,
            validation: self.validation,
            learned,
            reference,
        })
    }

    /// What tells a run from others on the same data with the same training settings: JSON without
    /// defaults.
    fn label(&self) -> Result<String> {
        let mut label = self.method.label();
        if self.config.prior != FitConfig::default().prior {
            label["prior"] = json!(self.config.prior);
        }
        if self.config.network != FitConfig::default().network {
            label["network"] = json!(self.config.network);
        }
        Ok(label.to_string())
    }
}

/// Samples that explanations are made against, where the model has none of its own.
fn reference_for(model: &Arc<dyn Fitted>, unlabeled: &Samples) -> Result<Option<Tensor>> {
    let one = unlabeled.range(0, 1)?.to_device(model.device())?;
    match model.explain(&one)? {
        Some(_) => Ok(None),
        None => reference(unlabeled).map(Some),
    }
}

/// What can be known to be wrong before any work is done.
pub(super) fn check(config: &FitConfig, data: &PuDataset) -> Result<()> {
    config.check()?;
    let shape = data.unlabeled().sample_shape();
    if shape.contains(&0) {
        return Err(Error::Shape {
            what: "samples",
            expected: "[values, ...] without a 0".into(),
            actual: shape,
        });
    }
    let method = config.method_for(&shape);
    method.check_data(data)?;
    let network = method.network(&config.network, &shape)?;
    match (&config.network, network) {
        (Architecture::Auto, Some(network)) => network.check_batch(largest_batch(config, data)),
        _ => Ok(()),
    }
}

fn largest_batch(config: &FitConfig, data: &PuDataset) -> usize {
    let labeled = data.anomalies().into_iter().chain(data.normals());
    let all = labeled.chain([data.unlabeled()]);
    config.train.batch_size.min(all.map(Samples::len).sum())
}
