use std::sync::Arc;

use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};

use super::Assembly;
use crate::data::{PuDataset, Samples};
use crate::detector::{self, Built, DetectorSpec};
use crate::model::{Fitted, Learned, NetworkModel, StoredModel, Task};
use crate::net::{Architecture, Network};
use crate::objective::{self, ObjectiveSpec};
use crate::spec::{Spec, is_among};
use crate::testing::{SquaredNorm, Violation};
use crate::train::{FitHistory, History};
use crate::{ClassPrior, Error, Objective, Params, Result, scores_of};

/// A network detector and the objective that it is trained under.
///
/// ```
/// use puad::detector::DenoisingSpec;
/// use puad::method::{Method, Pair};
/// use puad::objective::PuSpec;
///
/// let pair = Pair { detector: DenoisingSpec::default().into(), objective: PuSpec::default().into() };
/// assert_eq!(Method::Network(pair), Method::PUDAE);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The per-sample loss.
    pub detector: Spec<dyn DetectorSpec>,
    /// How it is trained.
    pub objective: Spec<dyn ObjectiveSpec>,
}

/// A network after what comes before its training proper.
pub(super) struct Begun {
    pub(super) model: NetworkModel,
    /// `None` if it was stopped.
    pub(super) history: Option<History>,
    pub(super) stopped: bool,
}

impl Pair {
    /// The detector's specification.
    ///
    /// # Errors
    /// [`Error::UnknownSpecification`] if it is known by name alone.
    pub fn detector(&self) -> Result<&dyn DetectorSpec> {
        self.detector.get()
    }

    /// The objective's specification.
    ///
    /// # Errors
    /// [`Error::UnknownSpecification`] if it is known by name alone.
    pub fn objective(&self) -> Result<&dyn ObjectiveSpec> {
        self.objective.get()
    }

    /// Whether both are this crate's: a stranger's may keep the tensors that it is built on, or the detector.
    fn is_shipped(&self) -> bool {
        let detector = self.detector();
        let objective = self.objective();
        detector.is_ok_and(|spec| is_among(spec, detector::SHIPPED))
            && objective.is_ok_and(|spec| is_among(spec, objective::SHIPPED))
    }

    /// The model of tensors that were given to nobody but `built`.
    pub(super) fn own_model(
        &self,
        sample_shape: Vec<usize>,
        network: Option<Network>,
        built: &Built,
        params: Params,
    ) -> Result<NetworkModel> {
        if self.is_shipped() {
            NetworkModel::of_own_tensors(sample_shape, network, built, params)
        } else {
            NetworkModel::new(sample_shape, network, built.detector().clone(), params)
        }
    }

    /// `detector/objective`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.detector.name(), self.objective.name())
    }

    /// Asked of the objective, over a detector that is never trained.
    pub(super) fn uses_anomalies(&self) -> Result<bool> {
        let detector = Arc::new(SquaredNorm::default());
        let objective = self.objective()?.build(detector, ClassPrior::default())?;
        Ok(objective.sees().anomalies)
    }

    /// # Errors
    /// [`Error::Config`] for a detector that needs labeled anomalies under an objective without.
    pub(super) fn check(&self) -> Result<()> {
        let (detector, uses_anomalies) = (self.detector()?, self.uses_anomalies()?);
        if detector.needs_anomalies() && !uses_anomalies {
            let rule =
                "trained with labeled anomalies if its detector needs them, as a classifier does";
            return Err(Error::config("method", rule, self.name()));
        }
        Ok(())
    }

    /// The network that the detector is built on for samples of this shape, if it is built on one.
    pub(super) fn network(
        &self,
        network: &Architecture,
        shape: &[usize],
    ) -> Result<Option<Network>> {
        let detector = self.detector()?;
        detector.check_samples(shape)?;
        network.resolve(shape, detector.network(shape))
    }

    /// Whether the detector is built on a network, which may be one of the caller's.
    pub(super) fn has_network(&self, shape: &[usize]) -> Result<bool> {
        Ok(!matches!(self.detector()?.network(shape), Ok(None)))
    }

    /// Ready to train, with initial parameters by the trainer's seed.
    fn assembled(&self, task: &Task<'_>, network: &Architecture) -> Result<Assembly> {
        let shape = task.train.unlabeled().sample_shape();
        let params = Params::new(task.trainer.config().seed, DType::F32, task.device);
        Assembly::new(self, &shape, network, task.prior, params)
    }

    pub(super) fn fit(&self, task: Task<'_>) -> Result<Learned> {
        let assembly = self.assembled(&task, task.network)?;
        self.check_built_again(&assembly, task.train.unlabeled())?;
        let history = assembly.fit(task.trainer, task.train, task.validation, task.observer)?;
        Ok(Learned::new(
            Arc::new(assembly.into_own_model(self)?),
            history,
        ))
    }

    /// Whether what comes before the training proper is the same whatever is labeled.
    pub(super) fn begins_without_labels(&self) -> bool {
        self.detector()
            .is_ok_and(|detector| detector.pretrains_without_labels())
    }

    /// What comes before the training proper, on the unlabeled samples alone: of an observer's stop too there is the best
    /// epoch so far.
    pub(super) fn begun(&self, task: Task<'_>) -> Result<Begun> {
        let assembly = self.assembled(&task, task.network)?;
        self.check_built_again(&assembly, task.train.unlabeled())?;
        task.trainer
            .check_data(assembly.objective(), task.train, task.validation)?;
        let bare = |data: &PuDataset| PuDataset::new(data.unlabeled().clone());
        let (train, validation) = (bare(task.train)?, bare(task.validation)?);
        let ran = assembly.pretrain(task.trainer, &train, &validation, task.observer);
        let (history, stopped) = match ran {
            Ok(history) => (history, false),
            Err(Error::PretrainingStopped { .. }) => (None, true),
            Err(error) => return Err(error),
        };
        let model = assembly.into_model()?;
        Ok(Begun {
            model,
            history,
            stopped,
        })
    }

    /// Trains from the parameters of `start`, a model of this pair; what comes before the training proper is in them.
    pub(super) fn refit(&self, task: Task<'_>, start: &NetworkModel) -> Result<Learned> {
        let network = match start.network() {
            // What was automatic then.
            Some(network) => Architecture::Explicit(network.clone()),
            None => task.network.clone(),
        };
        let assembly = self.assembled(&task, &network)?;
        assembly.params().restore(&start.snapshot()?)?;
        let training = assembly.train(task.trainer, task.train, task.validation, task.observer)?;
        let history = FitHistory {
            pretraining: None,
            training,
        };
        Ok(Learned::new(
            Arc::new(assembly.into_own_model(self)?),
            history,
        ))
    }

    /// Whether the detector's tensors are all among the parameters: its file has no others, and a random
    /// one of its own would be another when it is read.
    fn check_built_again(&self, assembly: &Assembly, unlabeled: &Samples) -> Result<()> {
        let (shape, network, params) = assembly.plan();
        let again = self
            .detector()?
            .build(shape, network, params.var_builder())?;
        let few = unlabeled.range(0, unlabeled.len().min(2))?;
        let xs = few.to_device(params.device())?;
        // A detector that cannot score before it is trained is not asked.
        let both = [assembly.detector(), again.detector()].map(|built| scores_of(built, &xs).ok());
        let [Some(scores), Some(others)] = both else {
            return Ok(());
        };
        let mut pairs = scores.into_iter().zip(others);
        match pairs.find(|(a, b)| a.to_bits() != b.to_bits()) {
            Some((score, again)) => Err(Violation::Rebuilt { score, again }.into()),
            None => Ok(()),
        }
    }

    pub(super) fn read(
        &self,
        stored: &mut StoredModel,
        sample_shape: &[usize],
        device: &Device,
    ) -> Result<Arc<dyn Fitted>> {
        let network: Option<Network> = stored.content()?;
        if let Some(network) = &network {
            network.check().map_err(|e| stored.wrong(e))?;
        }
        let detector = self.detector()?;
        let built = stored.build(device, |vb| {
            detector.build(sample_shape, network.as_ref(), vb)
        });
        let (built, params) = built.map_err(|error| match error {
            Error::Config { .. } => stored.wrong(error),
            error => error,
        })?;
        let model = self.own_model(sample_shape.to_vec(), network, &built, params);
        Ok(Arc::new(model?))
    }
}
