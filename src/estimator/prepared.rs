use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde_json::{Value, json};

use super::folds::{Folds, prior_scores};
use super::inputs::Made;
use super::priors::Priors;
use super::trained::Trained;
use super::warning::OF_FIT;
use super::{FitConfig, InputCheck, Inputs, Prior, PriorEstimation, Transformation, Warning};
use crate::data::{PuDataset, Samples, of_validation};
use crate::method::Method;
use crate::model::{Fitted, HeldOut, Task, reference};
use crate::net::{Architecture, channels_last};
use crate::prior::PriorData;
use crate::train::{Checkpoints, Observer, Trainer};
use crate::{ClassPrior, Error, Result};

/// Makes the trainer to train with of the one that the configuration asks for.
pub(super) type Customize<'a> = dyn FnOnce(Trainer) -> Result<Trainer> + 'a;

/// A fit whose settings were looked at, once, with what can be known of its data without computing.
pub(super) struct Settled {
    config: FitConfig,
    method: Method,
    trainer: Trainer,
    sample_shape: Vec<usize>,
    check: InputCheck,
    inputs: Inputs,
    warnings: Vec<Warning>,
    /// Whether all labeled anomalies are trained on.
    cross_fits: bool,
}

impl Settled {
    /// # Errors
    /// As [`Estimator::fit_dataset`](super::Estimator::fit_dataset), before anything is computed.
    pub(super) fn new(
        mut config: FitConfig,
        checkpoints: Option<Checkpoints>,
        customize: Option<Box<Customize<'_>>>,
        check: InputCheck,
        data: &PuDataset,
        made: Vec<Made>,
    ) -> Result<Self> {
        config.check()?;
        let sample_shape = data.unlabeled().sample_shape();
        if sample_shape.contains(&0) {
            return Err(Error::Shape {
                what: "samples",
                expected: "[values, ...] without a 0".into(),
                actual: sample_shape,
            });
        }
        let labeled = data.anomalies().is_some();
        let mut method = config.method_for(&sample_shape, labeled);
        let named = config.method.as_ref();
        if data.unlabeled().is_stored() && named.is_none_or(|named| *named == Method::Auto) {
            method = Method::for_stored(&sample_shape, labeled);
        }
        method.check_data(data)?;
        config.scaling.check_unscaled(data)?;
        let trainer = trainer(&config, &method, checkpoints, customize)?;
        // Who customises a trainer may have given it other settings.
        config.train = trainer.config().clone();
        let network = method.check_fit(&config.network, &sample_shape, &trainer)?;
        // An explicit network says channels, height and width, and an automatic one asks itself.
        let doubt = match &network {
            None => channel_order(&sample_shape, check)?,
            Some(_) => None,
        };
        if let (Architecture::Auto, Some(network)) = (&config.network, network) {
            network.check_batch(largest_batch(&config, data))?;
        }
        let (inputs, mut warnings) = Inputs::of(data, made, check)?;
        warnings.extend(doubt);
        let names = data.unlabeled().names();
        let labeled = data.groups().skip(1);
        warnings.extend(labeled.filter_map(|(what, samples)| {
            Warning::by_place(samples, what, names, "the unlabeled samples")
        }));
        Ok(Self {
            config,
            method,
            trainer,
            sample_shape,
            check,
            inputs,
            warnings,
            cross_fits: false,
        })
    }

    /// The part to train on and the part held out, of data that were settled with: the parts are not the caller's, and a
    /// method that validates on the labeled anomalies a fold at a time may train on all of them.
    ///
    /// # Errors
    /// As [`PuDataset::split`].
    pub(super) fn split(&mut self, data: &PuDataset) -> Result<(PuDataset, PuDataset)> {
        self.cross_fits = self.method.cross_fits();
        let one_block = data.groups().filter(|(_, samples)| samples.is_one_block());
        let warnings = one_block.map(|(what, samples)| Warning::OneBlock {
            samples: what.into(),
            count: samples.len() as u64,
        });
        self.warnings.extend(warnings);
        data.split(self.config.validation_fraction, self.config.train.seed)
    }

    /// A validation set of the caller's own, as it goes with what was seen.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Columns`], [`Error::HugeFeature`], [`Error::ElementType`] and
    /// [`Error::OtherScale`] for samples that do not.
    pub(super) fn accept(&mut self, validation: &PuDataset) -> Result<PuDataset> {
        for (what, samples) in validation.validation_groups() {
            let warning = Warning::by_place(samples, what, self.inputs.names(), OF_FIT);
            self.warnings.extend(warning);
        }
        let validation = validation.with_columns(self.inputs.names());
        let validation = validation.map_err(of_validation)?;
        let (expected, actual) = (&self.sample_shape, validation.unlabeled().sample_shape());
        if actual != *expected {
            return Err(Error::Shape {
                what: "validation samples",
                expected: format!("{expected:?} as the training samples"),
                actual,
            });
        }
        let scaling = self.config.scaling;
        scaling.check_unscaled(&validation).map_err(of_validation)?;
        let mut groups = validation.validation_groups();
        if let Some((what, unlabeled)) = groups.next() {
            let warnings = self.inputs.check(what, unlabeled, self.check)?;
            self.warnings.extend(warnings);
        }
        for (what, labeled) in groups {
            let warnings = self.inputs.check_labeled(what, labeled, self.check)?;
            self.warnings.extend(warnings);
        }
        validation.map(|samples| self.inputs.widened(samples))
    }

    /// Of parts that both are as what was seen.
    ///
    /// # Errors
    /// As the transformation's fit.
    pub(super) fn prepare(self, train: &PuDataset, validation: &PuDataset) -> Result<Prepared> {
        let scaling = self.config.scaling;
        let homogeneous = self.method.is_homogeneous()?;
        let transformation = scaling.fit(train.unlabeled(), &self.inputs, homogeneous)?;
        let trained_on = |data: &PuDataset| {
            if scaling.clips() {
                return transformation.apply_groups(&self.inputs.clipped_groups(data)?);
            }
            transformation.apply_groups(data)
        };
        let (train, validation) = (trained_on(train)?, trained_on(validation)?);
        Ok(Prepared {
            method: self.method,
            trainer: self.trainer,
            validation,
            reference: reference(train.unlabeled())?,
            train,
            transformation,
            config: self.config,
            inputs: self.inputs,
            warnings: self.warnings,
            cross_fits: self.cross_fits,
        })
    }
}

/// # Errors
/// [`Error::Config`] for samples that look like images with their channels last, unless they are to be taken.
fn channel_order(sample_shape: &[usize], check: InputCheck) -> Result<Option<Warning>> {
    let shape = sample_shape.to_vec();
    match check {
        _ if !channels_last(sample_shape) => Ok(None),
        InputCheck::Warn => Ok(Some(Warning::ChannelsLast { shape })),
        InputCheck::Refuse => {
            let rule = "images [channels, height, width]; what looks like [height, width, channels] is \
                        permuted first (of a batch: `permute((0, 3, 1, 2))`), or taken by `InputCheck::Warn`";
            Err(Error::config("samples", rule, format!("{shape:?}")))
        }
    }
}

/// Where its run is saved, whoever said so, it is labeled.
fn trainer(
    config: &FitConfig,
    method: &Method,
    checkpoints: Option<Checkpoints>,
    customize: Option<Box<Customize<'_>>>,
) -> Result<Trainer> {
    let mut trainer = Trainer::new(config.train.clone())?;
    if let Some(checkpoints) = checkpoints {
        trainer = trainer.with_checkpoints(checkpoints)?;
    }
    if let Some(customize) = customize {
        trainer = customize(trainer)?;
    }
    let Some(checkpoints) = trainer.checkpoints().cloned() else {
        return Ok(trainer);
    };
    let label = label(config, method, &checkpoints.label).to_string();
    trainer.with_checkpoints(Checkpoints {
        label,
        ..checkpoints
    })
}

/// What tells a run from others on the same data with the same training settings: JSON without
/// defaults. `own` is the user's label.
fn label(config: &FitConfig, method: &Method, own: &str) -> Value {
    let mut label = method.label();
    if config.prior != FitConfig::default().prior {
        label["prior"] = json!(config.prior);
    }
    if config.network != FitConfig::default().network {
        label["network"] = json!(config.network);
    }
    if !own.is_empty() {
        label["label"] = json!(own);
    }
    label
}

/// A settled fit whose data are transformed.
pub(super) struct Prepared {
    config: FitConfig,
    method: Method,
    trainer: Trainer,
    transformation: Arc<dyn Transformation>,
    train: PuDataset,
    validation: PuDataset,
    /// Samples that explanations are made against, should the model have none of its own.
    reference: Tensor,
    inputs: Inputs,
    warnings: Vec<Warning>,
    /// Whether all labeled anomalies are trained on.
    cross_fits: bool,
}

impl Prepared {
    /// # Errors
    /// As [`Method::fit`].
    pub(super) fn train(self, device: &Device, observer: &mut dyn Observer) -> Result<Trained> {
        let priors = self.priors(device)?;
        let trainer = &self.trainer;
        let pooled = if self.cross_fits {
            pooled(&self.train, &self.validation)?
        } else {
            None
        };
        let (train, validation) = match &pooled {
            Some((train, validation)) => (train, validation),
            None => (&self.train, &self.validation),
        };
        let task = Task {
            train,
            validation,
            ..self.task(priors.trained, trainer, device, observer)
        };
        let learned = self.method.fit(task)?;
        let (out_of_fold, failed) = match self.out_of_fold(priors.trained, device) {
            Ok(folds) => (folds, None),
            // The fit is there, and must not be lost over it.
            Err(error) => (vec![], Some(error.to_string())),
        };
        let mut warnings = self.warnings;
        warnings.extend(priors.warning);
        warnings.extend(failed.map(|reason| Warning::NoFolds { reason }));
        // Of vectors occlusion tells the column better than a detector's own reasons do.
        let unlabeled = self.train.unlabeled();
        let images = unlabeled.sample_shape().len() > 1;
        let own = images && explains_itself(&learned.model, unlabeled);
        Ok(Trained {
            config: self.config,
            method: self.method,
            transformation: self.transformation,
            validation: pooled.map_or(self.validation, |(_, validation)| validation),
            learned,
            reference: (!own).then_some(self.reference),
            inputs: self.inputs,
            warnings,
            prior: priors.decided,
            estimate: priors.estimate,
            out_of_fold,
        })
    }

    /// A fit of the method to all of the data.
    fn task<'a>(
        &'a self,
        prior: ClassPrior,
        trainer: &'a Trainer,
        device: &'a Device,
        observer: &'a mut dyn Observer,
    ) -> Task<'a> {
        Task {
            train: &self.train,
            validation: &self.validation,
            prior,
            network: &self.config.network,
            trainer,
            device,
            observer,
        }
    }

    fn priors(&self, device: &Device) -> Result<Priors> {
        let settings = match &self.config.prior {
            Prior::Given(given) => return Priors::given(&self.method, *given),
            Prior::Estimated(settings) => settings,
        };
        let seed = self.trainer.config().seed;
        let estimate = self
            .prior_scores(settings, device)
            .and_then(|scores| settings.read_off(&scores, seed));
        // The fit itself needs no estimate, and must not be lost over it.
        let unlabeled = self.train.unlabeled().len() + self.validation.unlabeled().len();
        Priors::estimated(&self.method, estimate, unlabeled)
    }

    /// # Errors
    /// As the classifier's fit.
    pub(super) fn prior_scores(
        &self,
        settings: &PriorEstimation,
        device: &Device,
    ) -> Result<PriorData> {
        let (train, validation) = (&self.train, &self.validation);
        prior_scores(settings, train, validation, device, self.trainer.config())
    }

    /// Scores of all samples by detectors fitted without them, a list a fold; none unless asked for.
    fn out_of_fold(&self, prior: ClassPrior, device: &Device) -> Result<Vec<HeldOut>> {
        let Some(wanted) = self.config.folds else {
            return Ok(vec![]);
        };
        let folds = Folds::cut(wanted, &self.train, "a fold")?;
        let trainer = self.trainer.without_checkpoints();
        let config = trainer.config();
        let folds = Folds {
            train: &self.train,
            validation: &self.validation,
            folds,
            seed: config.seed,
            rows: usize::MAX,
        };
        let fit = |train: &PuDataset, validation: &PuDataset| {
            let mut unobserved = ();
            let task = self.task(prior, &trainer, device, &mut unobserved);
            let task = Task {
                train,
                validation,
                ..task
            };
            Ok(self.method.fit(task)?.model)
        };
        folds.scores(device, config.batch_size, &fit)
    }
}

/// The same parts with all labeled anomalies in the first; `None` where the second has none.
pub(in crate::estimator) fn pooled(
    train: &PuDataset,
    validation: &PuDataset,
) -> Result<Option<(PuDataset, PuDataset)>> {
    let (Some(own), Some(held_out)) = (train.anomalies(), validation.anomalies()) else {
        return Ok(None);
    };
    let train = train.clone().with_anomalies(own.followed_by(held_out)?)?;
    Ok(Some((train, validation.clone().without_anomalies())))
}

fn largest_batch(config: &FitConfig, data: &PuDataset) -> usize {
    let labeled = data.anomalies().into_iter().chain(data.normals());
    let all = labeled.chain([data.unlabeled()]);
    config.train.batch_size.min(all.map(Samples::len).sum())
}

/// Whether a model has explanations of its own. Where it fails to give one it counts as a model that has
/// none: its training must not be lost over that.
fn explains_itself(model: &Arc<dyn Fitted>, unlabeled: &Samples) -> bool {
    let explain = || model.explain(&unlabeled.range(0, 1)?.to_device(model.device())?);
    matches!(explain(), Ok(Some(_)))
}
