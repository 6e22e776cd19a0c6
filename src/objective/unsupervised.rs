use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    GroupLosses, Groups, LoeLabels, Objective, ObjectiveSpec, SharedObjective, UnlabeledRisk,
};
use crate::spec::Specification;
use crate::{AnomalyTerm, ClassPrior, Error, NonNegativeLoss, Result, SharedDetector};

/// The mean loss of the unlabeled samples (eq. 2), or [`Loe`](super::Loe) on them.
///
/// Labeled samples are never passed through the network, so that they cannot leak into its batch
/// statistics.
///
/// ```
/// use puad::SampleLosses;
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::{GroupLosses, Objective, UnsupervisedObjective};
/// use puad::testing::SquaredNorm;
///
/// let l = SampleLosses::new(Tensor::new(&[1f64, 3.], &Device::Cpu)?);
/// let losses = GroupLosses { unlabeled: Some(l), ..Default::default() };
/// let risk = UnsupervisedObjective::new(SquaredNorm::default()).risk(&losses)?;
/// assert_eq!(risk.to_scalar::<f64>()?, 2.);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct UnsupervisedObjective<L> {
    detector: L,
    term: AnomalyTerm,
    unlabeled: UnlabeledRisk,
}

impl<L: NonNegativeLoss> UnsupervisedObjective<L> {
    /// The mean of `detector`'s loss (AE, DeepSVDD).
    pub fn new(detector: L) -> Self {
        Self {
            term: detector.anomaly_term(),
            detector,
            unlabeled: UnlabeledRisk::Mean,
        }
    }

    /// Another risk of the unlabeled samples (LOE).
    pub fn with_unlabeled_risk(self, unlabeled: UnlabeledRisk) -> Self {
        Self { unlabeled, ..self }
    }

    /// Another anomaly term than the detector's; only [`Loe`](super::Loe) uses it.
    pub fn with_term(self, term: AnomalyTerm) -> Self {
        Self { term, ..self }
    }
}

impl<L: NonNegativeLoss> Objective for UnsupervisedObjective<L> {
    type Loss = L;

    fn detector(&self) -> &L {
        &self.detector
    }

    fn sees(&self) -> Groups {
        Groups::NONE
    }

    fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
        let Some(unlabeled) = &losses.unlabeled else {
            return Err(Error::EmptyGroup {
                what: "the unsupervised risk",
                group: "unlabeled",
            });
        };
        self.unlabeled.risk(unlabeled, self.term)
    }
}

/// [`UnsupervisedObjective`] by name, `unsupervised`: AE, DAE, DeepSVDD.
///
/// ```
/// use puad::detector::AutoencoderSpec;
/// use puad::method::Method;
/// use puad::objective::UnsupervisedSpec;
///
/// assert_eq!(Method::new(AutoencoderSpec::default(), UnsupervisedSpec {}), Method::AE);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnsupervisedSpec {}

impl Specification for UnsupervisedSpec {
    const NAME: &'static str = "unsupervised";
}

impl ObjectiveSpec for UnsupervisedSpec {
    fn build(&self, detector: SharedDetector, _: ClassPrior) -> Result<SharedObjective> {
        Ok(Box::new(UnsupervisedObjective::new(detector)))
    }
}

/// [`UnsupervisedObjective`] with latent outlier exposure by name, `loe`.
///
/// ```
/// use puad::detector::DeepSvddSpec;
/// use puad::method::Method;
/// use puad::objective::{LoeLabels, LoeSpec};
///
/// let method = Method::new(DeepSvddSpec::default(), LoeSpec { labels: LoeLabels::Soft });
/// assert_eq!(method.to_string(), "LOE");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoeSpec {
    /// How a sample taken as an anomaly counts.
    pub labels: LoeLabels,
}

impl LoeSpec {
    pub(crate) const DEFAULT: Self = Self {
        labels: LoeLabels::Hard,
    };
}

impl Specification for LoeSpec {
    const NAME: &'static str = "loe";
}

impl ObjectiveSpec for LoeSpec {
    fn build(&self, detector: SharedDetector, prior: ClassPrior) -> Result<SharedObjective> {
        let loe = UnlabeledRisk::loe(prior, self.labels);
        let objective = UnsupervisedObjective::new(detector);
        Ok(Box::new(objective.with_unlabeled_risk(loe)))
    }
}
