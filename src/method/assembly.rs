use serde::{Deserialize, Serialize};

use super::{AnyDetector, AnyObjective, Decoder, Method, MethodOptions, Network};
use crate::data::PuDataset;
use crate::objective::Objective;
use crate::train::{History, Observer, Phase, Trainer};
use crate::{ClassPrior, Params, Result};

/// A [`Method`] built on a [`Network`], ready to train.
///
/// ```
/// use puad::candle_core::{DType, Device};
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::{Assembly, Method, MethodOptions, Network};
/// use puad::train::{TrainConfig, Trainer};
/// use puad::{ClassPrior, Params};
///
/// let data = toy::generate(&ToyConfig::default(), 0)?.dataset(&Device::Cpu)?;
/// let (train, validation) = data.split(0.1, 0)?;
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let network = Network::for_samples(&[2])?;
/// let (method, options) = (Method::PUSVDD, MethodOptions::default());
/// let assembly = Assembly::new(method, &network, ClassPrior::new(0.08)?, &options, params)?;
///
/// let trainer = Trainer::new(TrainConfig { epochs: 2, ..Default::default() })?;
/// let history = assembly.fit(&trainer, &train, &validation, &mut ())?;
/// assert!(history.pretraining.is_some());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Assembly {
    objective: AnyObjective,
    /// Of a DeepSVDD's pre-training.
    decoder: Option<Decoder>,
    params: Params,
}

/// The epochs of a training run.
///
/// ```
/// # use puad::data::toy::{self, ToyConfig};
/// # use puad::{Estimator, FitConfig};
/// # let toy = toy::generate(&ToyConfig::default(), 0)?;
/// # let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
/// # let mut config = FitConfig::default();
/// # config.train.epochs = 2;
/// use puad::method::Method;
///
/// config.method = Some(Method::PUSVDD);
/// let detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
/// let history = detector.history();
/// assert_eq!(history.training.epochs.len(), 2);
/// assert_eq!(history.pretraining.as_ref().map(|phase| phase.epochs.len()), Some(2));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitHistory {
    /// Of a DeepSVDD's encoder inside an autoencoder.
    pub pretraining: Option<History>,
    /// Of the method itself.
    pub training: History,
}

impl Assembly {
    /// Takes the detector's tensors from `params`, and a DeepSVDD's pre-training decoder under
    /// `decoder`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for sizes that make no network, or a value outside its range.
    pub fn new(
        method: Method,
        network: &Network,
        prior: ClassPrior,
        options: &MethodOptions,
        params: Params,
    ) -> Result<Self> {
        let vb = params.var_builder();
        let detector = AnyDetector::new(method.detector, network, options, vb.clone())?;
        let decoder = match detector {
            AnyDetector::DeepSvdd(_) => Some(network.decoder(method.detector, vb.pp("decoder"))?),
            _ => None,
        };
        Ok(Self {
            objective: AnyObjective::new(method, detector, prior, options)?,
            decoder,
            params,
        })
    }

    /// What is trained.
    pub fn detector(&self) -> &AnyDetector {
        self.objective.detector()
    }

    /// What it is trained under.
    pub fn objective(&self) -> &AnyObjective {
        &self.objective
    }

    /// All tensors, those of a pre-training decoder included.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The detector's own tensors, shared: without a pre-training decoder.
    pub fn detector_params(&self) -> Params {
        let svdd = self.decoder.is_some();
        let keep = |name: &str| !(svdd && name.starts_with("decoder."));
        self.params.filter(keep)
    }

    /// Trains from start to end: [`pretrain`](Self::pretrain), then [`train`](Self::train).
    ///
    /// # Errors
    /// As [`Trainer::fit`]; [`Error::PretrainingStopped`](crate::Error::PretrainingStopped) if the observer stops the run before the
    /// method's own training began.
    pub fn fit(
        &self,
        trainer: &Trainer,
        train: &PuDataset,
        validation: &PuDataset,
        observer: &mut dyn Observer,
    ) -> Result<FitHistory> {
        trainer.check_data(&self.objective, train, validation)?;
        Ok(FitHistory {
            pretraining: self.pretrain(trainer, train, validation, observer)?,
            training: self.train(trainer, train, validation, observer)?,
        })
    }

    /// For a DeepSVDD [`Trainer::pretrain_svdd`], else nothing. Methods on one data set and network can
    /// share it: a snapshot of [`params`](Self::params) afterwards serves them all.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn pretrain(
        &self,
        trainer: &Trainer,
        train: &PuDataset,
        validation: &PuDataset,
        observer: &mut dyn Observer,
    ) -> Result<Option<History>> {
        let (AnyDetector::DeepSvdd(svdd), Some(decoder)) = (self.detector(), &self.decoder) else {
            return Ok(None);
        };
        let (decoder, params) = (decoder.clone(), &self.params);
        let history = trainer.pretrain_svdd(svdd, decoder, params, train, validation, observer)?;
        Ok(Some(history))
    }

    /// Trains the method itself, whatever the parameters are.
    ///
    /// # Errors
    /// As [`Trainer::fit`].
    pub fn train(
        &self,
        trainer: &Trainer,
        train: &PuDataset,
        validation: &PuDataset,
        observer: &mut dyn Observer,
    ) -> Result<History> {
        observer.on_phase(Phase::Training);
        let params = self.detector_params();
        trainer.fit(&self.objective, &params, train, validation, observer)
    }
}
