use crate::data::PuDataset;
use crate::detector::Built;
use crate::model::NetworkModel;
use crate::net::{Architecture, Network};
use crate::objective::SharedObjective;
use crate::train::{FitHistory, History, Observer, Phase, Pretraining, Trainer};
use crate::{ClassPrior, Params, Result, SharedDetector};

use super::Pair;

/// A detector under an objective, built for samples of a shape and ready to train.
///
/// ```
/// use puad::candle_core::{DType, Device};
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::{Assembly, Method};
/// use puad::net::Architecture;
/// use puad::train::{TrainConfig, Trainer};
/// use puad::{ClassPrior, Params};
///
/// let data = toy::generate(&ToyConfig::default(), 0)?.dataset(&Device::Cpu)?;
/// let (train, validation) = data.split(0.1, 0)?;
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let pusvdd = Method::PUSVDD;
/// let pair = pusvdd.pair().expect("PUSVDD is a network");
/// let assembly = Assembly::new(pair, &[2], &Architecture::Auto, ClassPrior::new(0.08)?, params)?;
///
/// let trainer = Trainer::new(TrainConfig { epochs: 2, ..Default::default() })?;
/// let history = assembly.fit(&trainer, &train, &validation, &mut ())?;
/// assert!(history.pretraining.is_some());
/// # Ok::<(), puad::Error>(())
/// ```
pub struct Assembly {
    sample_shape: Vec<usize>,
    network: Option<Network>,
    built: Built,
    objective: SharedObjective,
    params: Params,
}

impl Assembly {
    /// Takes the detector's tensors from `params`, which must hold no others.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for sizes that make no network, a network for a detector
    /// that is built on none, or a value outside its range;
    /// [`Error::UnknownSpecification`](crate::Error::UnknownSpecification) for a name that was not
    /// resolved.
    pub fn new(
        pair: &Pair,
        sample_shape: &[usize],
        network: &Architecture,
        prior: ClassPrior,
        params: Params,
    ) -> Result<Self> {
        pair.check()?;
        let network = pair.network(network, sample_shape)?;
        let detector = pair.detector()?;
        let built = detector.build(sample_shape, network.as_ref(), params.var_builder())?;
        params.register_buffers(&built.detector().buffers())?;
        let objective = pair.objective()?.build(built.detector().clone(), prior)?;
        Ok(Self {
            sample_shape: sample_shape.into(),
            network,
            built,
            objective,
            params,
        })
    }

    /// What the detector was built from.
    pub(super) fn plan(&self) -> (&[usize], Option<&Network>, &Params) {
        (&self.sample_shape, self.network.as_ref(), &self.params)
    }

    /// What is trained.
    pub fn detector(&self) -> &SharedDetector {
        self.built.detector()
    }

    /// What it is trained under.
    pub fn objective(&self) -> &SharedObjective {
        &self.objective
    }

    /// The detector's tensors, shared.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The detector with its tensors, as a model.
    ///
    /// # Errors
    /// As [`NetworkModel::new`].
    pub fn into_model(self) -> Result<NetworkModel> {
        let detector = self.built.detector().clone();
        NetworkModel::new(self.sample_shape, self.network, detector, self.params)
    }

    /// As [`into_model`](Self::into_model), of an assembly of `pair` that gave nobody its tensors.
    pub(super) fn into_own_model(self, pair: &Pair) -> Result<NetworkModel> {
        pair.own_model(self.sample_shape, self.network, &self.built, self.params)
    }

    /// Whether it is pre-trained.
    pub fn has_pretraining(&self) -> bool {
        self.built.has_pretraining()
    }

    /// Trains from start to end: [`pretrain`](Self::pretrain), then [`train`](Self::train).
    ///
    /// # Errors
    /// As [`Trainer::fit`]; [`Error::PretrainingStopped`](crate::Error::PretrainingStopped) if the
    /// observer stops the run before the method's own training began.
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

    /// What the detector does before its own training, a DeepSVDD's encoder inside an autoencoder for
    /// one. Objectives over one detector, data set and network can share it: a snapshot of
    /// [`params`](Self::params) afterwards serves them all.
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
        if !self.has_pretraining() {
            return Ok(None);
        }
        let mut pretraining = Pretraining::new(trainer, &self.params, train, validation, observer);
        self.built.pretrain(&mut pretraining)
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
        trainer.fit(&self.objective, &self.params, train, validation, observer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is ready to train can be trained on another thread.
    #[test]
    fn an_assembly_crosses_threads() {
        fn crosses<T: Send + Sync>() {}
        crosses::<Assembly>();
        crosses::<SharedObjective>();
    }
}
