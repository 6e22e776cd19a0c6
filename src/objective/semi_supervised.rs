use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    GroupLosses, Groups, LoeLabels, Objective, ObjectiveSpec, SharedObjective, UnlabeledRisk,
};
use crate::spec::Specification;
use crate::{
    AnomalyTerm, ClassPrior, Error, NonNegativeLoss, Result, SampleLosses, SharedDetector,
};

/// How the groups of a semi-supervised risk are weighted against each other.
///
/// With the paper's training set the two differ by a factor of about 20 in the weight of `A`.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::{GroupLosses, GroupWeighting, Objective, SemiSupervisedObjective};
/// use puad::testing::SquaredNorm;
/// use puad::{AnomalyTerm, SampleLosses};
///
/// let l = |v: &[f64]| Ok::<_, puad::Error>(Some(SampleLosses::new(Tensor::new(v, &Device::Cpu)?)));
/// let losses = GroupLosses { unlabeled: l(&[0.1, 0.1, 0.4])?, anomalies: l(&[0.8])?, normals: None };
/// let risk = |weighting| -> puad::Result<f64> {
///     let objective = SemiSupervisedObjective::new(SquaredNorm(AnomalyTerm::Complement));
///     objective.with_weighting(weighting).validation_risk(&losses)
/// };
/// // One mean of four, and 0.2 + (1 - 0.8).
/// assert!((risk(GroupWeighting::Pooled)? - 0.8 / 4.).abs() < 1e-12);
/// assert!((risk(GroupWeighting::PerGroup)? - 0.4).abs() < 1e-12);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupWeighting {
    /// Each group by its size: one mean over all samples, as the published experiments and
    /// DeepSAD's own do.
    #[default]
    Pooled,
    /// Each group its own mean, the means added: eq. 5 as printed.
    PerGroup,
}

/// Unlabeled samples as normal, labeled anomalies as anomalies (eq. 5): ABC on an autoencoder,
/// DeepSAD on a DeepSVDD; with [`Loe`](super::Loe) on the unlabeled samples and
/// [`GroupWeighting::PerGroup`] SOEL.
///
/// Labeled normals, where given, count with their loss `l`, as in DeepSAD.
///
/// # References
/// Yamanaka et al., Autoencoding binary classifiers, PRICAI 2019; Ruff et al., Deep semi-supervised
/// anomaly detection, ICLR 2020; Li et al., Deep anomaly detection under labeling budget
/// constraints, ICML 2023.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::{GroupLosses, GroupWeighting, Objective, SemiSupervisedObjective};
/// use puad::testing::SquaredNorm;
/// use puad::{AnomalyTerm, SampleLosses};
///
/// let l = |v: &[f64]| Ok::<_, puad::Error>(Some(SampleLosses::new(Tensor::new(v, &Device::Cpu)?)));
/// let losses = GroupLosses { unlabeled: l(&[0.2, 0.4, 0.6])?, anomalies: l(&[0.2])?, normals: None };
/// let objective = SemiSupervisedObjective::new(SquaredNorm(AnomalyTerm::Complement));
/// let pooled = objective.risk(&losses)?.to_scalar::<f64>()?;
/// assert!((pooled - 0.5).abs() < 1e-12);
/// let objective = objective.with_weighting(GroupWeighting::PerGroup);
/// assert!((objective.risk(&losses)?.to_scalar::<f64>()? - 1.2).abs() < 1e-12);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SemiSupervisedObjective<L> {
    detector: L,
    term: AnomalyTerm,
    weighting: GroupWeighting,
    unlabeled: UnlabeledRisk,
}

impl<L: NonNegativeLoss> SemiSupervisedObjective<L> {
    /// The pooled risk of `detector` with its own anomaly term.
    pub fn new(detector: L) -> Self {
        Self {
            term: detector.anomaly_term(),
            detector,
            weighting: GroupWeighting::Pooled,
            unlabeled: UnlabeledRisk::Mean,
        }
    }

    /// Another anomaly term than the detector's.
    pub fn with_term(self, term: AnomalyTerm) -> Self {
        Self { term, ..self }
    }

    /// Another weighting of the groups.
    pub fn with_weighting(self, weighting: GroupWeighting) -> Self {
        Self { weighting, ..self }
    }

    /// Another risk of the unlabeled samples.
    pub fn with_unlabeled_risk(self, unlabeled: UnlabeledRisk) -> Self {
        Self { unlabeled, ..self }
    }
}

impl<L: NonNegativeLoss> Objective for SemiSupervisedObjective<L> {
    type Loss = L;

    fn detector(&self) -> &L {
        &self.detector
    }

    fn sees(&self) -> Groups {
        Groups::ALL
    }

    fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
        let mut parts = Vec::with_capacity(3);
        let size = |l: &SampleLosses| l.normal.dim(0);
        if let Some(l) = &losses.unlabeled {
            parts.push((size(l)?, self.unlabeled.risk(l, self.term)?));
        }
        if let Some(l) = &losses.anomalies {
            parts.push((size(l)?, l.as_anomalies(self.term)?.mean_all()?));
        }
        if let Some(l) = &losses.normals {
            parts.push((size(l)?, l.normal.mean_all()?));
        }
        let total: usize = parts.iter().map(|(n, _)| n).sum();
        let weighted = parts.into_iter().map(|(n, mean)| match self.weighting {
            GroupWeighting::Pooled => Ok((mean * (n as f64 / total as f64))?),
            GroupWeighting::PerGroup => Ok(mean),
        });
        let sum = weighted.reduce(|a: Result<Tensor>, b| Ok((a? + b?)?));
        sum.unwrap_or(Err(Error::EmptyGroup {
            what: "the semi-supervised risk",
            group: "unlabeled, anomalous or normal",
        }))
    }
}

/// [`SemiSupervisedObjective`] by name, `semi-supervised`: ABC, DeepSAD.
///
/// ```
/// use puad::detector::DeepSvddSpec;
/// use puad::method::Method;
/// use puad::objective::{GroupWeighting, SemiSupervisedSpec};
///
/// let objective = SemiSupervisedSpec { weighting: GroupWeighting::PerGroup };
/// assert_eq!(Method::new(DeepSvddSpec::default(), objective).to_string(), "DeepSAD");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SemiSupervisedSpec {
    /// How the groups are weighted against each other.
    pub weighting: GroupWeighting,
}

impl SemiSupervisedSpec {
    pub(crate) const DEFAULT: Self = Self {
        weighting: GroupWeighting::Pooled,
    };
}

impl Specification for SemiSupervisedSpec {
    const NAME: &'static str = "semi-supervised";
}

impl ObjectiveSpec for SemiSupervisedSpec {
    fn build(&self, detector: SharedDetector, _: ClassPrior) -> Result<SharedObjective> {
        let objective = SemiSupervisedObjective::new(detector);
        Ok(Box::new(objective.with_weighting(self.weighting)))
    }
}

/// [`SemiSupervisedObjective`] with latent outlier exposure, each group its own mean, by name: `soel`.
///
/// ```
/// use puad::detector::DeepSvddSpec;
/// use puad::method::Method;
/// use puad::objective::SoelSpec;
///
/// assert_eq!(Method::new(DeepSvddSpec::default(), SoelSpec::default()), Method::SOEL);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SoelSpec {
    /// How an unlabeled sample taken as an anomaly counts.
    pub labels: LoeLabels,
}

impl SoelSpec {
    pub(crate) const DEFAULT: Self = Self {
        labels: LoeLabels::Hard,
    };
}

impl Specification for SoelSpec {
    const NAME: &'static str = "soel";
}

impl ObjectiveSpec for SoelSpec {
    fn build(&self, detector: SharedDetector, prior: ClassPrior) -> Result<SharedObjective> {
        let loe = UnlabeledRisk::loe(prior, self.labels);
        let objective = SemiSupervisedObjective::new(detector);
        let objective = objective.with_weighting(GroupWeighting::PerGroup);
        Ok(Box::new(objective.with_unlabeled_risk(loe)))
    }
}
