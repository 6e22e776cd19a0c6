use std::sync::Arc;

use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};

use super::Assembly;
use crate::detector::DetectorSpec;
use crate::model::{Fitted, Learned, NetworkModel, StoredModel, Task};
use crate::net::{Architecture, Network};
use crate::objective::ObjectiveSpec;
use crate::spec::Spec;
use crate::testing::SquaredNorm;
use crate::{ClassPrior, Error, Objective, Params, Result};

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

    /// The network that the detector is built on, if it is built on one.
    pub(super) fn network(
        &self,
        network: &Architecture,
        shape: &[usize],
    ) -> Result<Option<Network>> {
        network.resolve(shape, self.detector()?.network(shape))
    }

    pub(super) fn fit(&self, task: Task<'_>) -> Result<Learned> {
        let shape = task.train.unlabeled().sample_shape();
        let params = Params::new(task.trainer.config().seed, DType::F32, task.device);
        let assembly = Assembly::new(self, &shape, task.network, task.prior, params)?;
        let history = assembly.fit(task.trainer, task.train, task.validation, task.observer)?;
        Ok(Learned {
            model: Arc::new(assembly.into_model()?),
            history,
        })
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
        let (shape, detector) = (sample_shape.to_vec(), built.detector().clone());
        Ok(Arc::new(NetworkModel::new(
            shape, network, detector, params,
        )?))
    }
}
