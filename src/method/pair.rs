use std::sync::Arc;

use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};

use super::Assembly;
use crate::detector::DetectorSpec;
use crate::model::{Fitted, Learned, NetworkModel, StoredModel, Task};
use crate::net::{Architecture, Network};
use crate::objective::ObjectiveSpec;
use crate::spec::Spec;
use crate::{Error, Params, Result};

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
        self.detector.get("detector")
    }

    /// The objective's specification.
    ///
    /// # Errors
    /// [`Error::UnknownSpecification`] if it is known by name alone.
    pub fn objective(&self) -> Result<&dyn ObjectiveSpec> {
        self.objective.get("objective")
    }

    /// `detector/objective`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.detector.name(), self.objective.name())
    }

    pub(super) fn uses_anomalies(&self) -> Result<bool> {
        Ok(self.objective()?.uses_anomalies())
    }

    /// # Errors
    /// [`Error::Config`] for a detector that needs labeled anomalies under an objective without.
    pub(super) fn check(&self) -> Result<()> {
        self.detector()?.check_settings()?;
        self.objective()?.check_settings()?;
        if self.detector()?.needs_anomalies() && !self.uses_anomalies()? {
            let detector = self.detector.name();
            let rule =
                "trained with labeled anomalies if its detector needs them, as a classifier does";
            return Err(Error::config(
                "method",
                rule,
                format!("{detector}/{}", self.objective.name()),
            ));
        }
        Ok(())
    }

    pub(super) fn network(&self, network: &Architecture, shape: &[usize]) -> Result<Network> {
        network.resolve(shape, || self.detector()?.network(shape))
    }

    pub(super) fn fit(&self, task: Task<'_>) -> Result<Learned> {
        let shape = task.train.unlabeled().sample_shape();
        let network = self.network(task.network, &shape)?;
        let params = Params::new(task.trainer.config().seed, DType::F32, task.device);
        let assembly = Assembly::new(self, &network, task.prior, params)?;
        let history = assembly.fit(task.trainer, task.train, task.validation, task.observer)?;
        let (detector, params) = (assembly.detector().clone(), assembly.params().clone());
        Ok(Learned {
            model: Arc::new(NetworkModel::new(network, detector, params)?),
            history,
        })
    }

    pub(super) fn read(
        &self,
        stored: &mut StoredModel,
        device: &Device,
    ) -> Result<Arc<dyn Fitted>> {
        let network: Network = stored.content()?;
        network.check().map_err(|e| stored.wrong(e))?;
        let detector = self.detector()?;
        let (built, params) = stored.build(device, |vb| detector.build(&network, vb))?;
        let model = NetworkModel::new(network, built.detector().clone(), params)?;
        Ok(Arc::new(model))
    }
}
