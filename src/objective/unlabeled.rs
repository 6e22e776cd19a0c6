use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::{AnomalyTerm, ClassPrior, Result, SampleLosses};

/// The risk `L-_U` of the unlabeled samples.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::{GroupLosses, Loe, Objective, UnlabeledRisk, UnsupervisedObjective};
/// use puad::testing::SquaredNorm;
/// use puad::{ClassPrior, SampleLosses};
///
/// let unlabeled = Some(SampleLosses::new(Tensor::new(&[1f64, 2., 3., 4.], &Device::Cpu)?));
/// let losses = GroupLosses { unlabeled, ..Default::default() };
/// let objective = UnsupervisedObjective::new(SquaredNorm::default());
/// assert_eq!(objective.risk(&losses)?.to_scalar::<f64>()?, 2.5);
///
/// // One of four is an anomaly: the largest loss no longer counts as a normal one.
/// let loe = Loe { prior: ClassPrior::new(0.25)?, ..Default::default() };
/// let objective = objective.with_unlabeled_risk(UnlabeledRisk::Loe(loe));
/// assert!(objective.risk(&losses)?.to_scalar::<f64>()? < 2.5);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlabeledRisk {
    /// The mean of `l`, as if all were normal (eqs. 2, 5 and 11).
    #[default]
    Mean,
    /// Latent outlier exposure: the samples that look most like anomalies count as such.
    Loe(Loe),
}

/// Latent outlier exposure on one batch of unlabeled losses.
///
/// The samples are ranked by `l - term(l)` without gradient. The `floor(alpha n)` largest count as
/// anomalies, the `floor((1 - alpha) n)` smallest as normal with loss `l`, and the risk is the mean
/// over both; 0 where nobody is chosen.
///
/// # References
/// Qiu et al., Latent outlier exposure for anomaly detection with contaminated data, ICML 2022.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::{GroupLosses, Loe, LoeLabels, Objective};
/// use puad::objective::{UnlabeledRisk, UnsupervisedObjective};
/// use puad::testing::SquaredNorm;
/// use puad::{AnomalyTerm, ClassPrior, SampleLosses};
///
/// let unlabeled = Some(SampleLosses::new(Tensor::new(&[1f64, 2., 3., 4.], &Device::Cpu)?));
/// let losses = GroupLosses { unlabeled, ..Default::default() };
/// // The term is `1 / l`: three normals and the sample with `l = 4` as an anomaly.
/// let loe = Loe { prior: ClassPrior::new(0.25)?, labels: LoeLabels::Hard };
/// let objective = UnsupervisedObjective::new(SquaredNorm(AnomalyTerm::Inverse))
///     .with_unlabeled_risk(UnlabeledRisk::Loe(loe));
/// let risk = objective.risk(&losses)?.to_scalar::<f64>()?;
/// assert!((risk - (1. + 2. + 3. + 1. / 4.) / 4.).abs() < 1e-6);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loe {
    /// The share of anomalies among the unlabeled samples; inside a
    /// [`PuObjective`](crate::PuObjective) normally the same as there.
    pub prior: ClassPrior,
    /// How a sample chosen as an anomaly counts.
    pub labels: LoeLabels,
}

/// How [`Loe`] counts a sample chosen as an anomaly.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::{GroupLosses, Loe, LoeLabels, Objective};
/// use puad::objective::{UnlabeledRisk, UnsupervisedObjective};
/// use puad::testing::SquaredNorm;
/// use puad::{AnomalyTerm, ClassPrior, SampleLosses};
///
/// let unlabeled = Some(SampleLosses::new(Tensor::new(&[1f64, 2., 3., 4.], &Device::Cpu)?));
/// let losses = GroupLosses { unlabeled, ..Default::default() };
/// // The term is `1 / l`, and one sample of four is an anomaly.
/// let risk = |labels| {
///     let loe = UnlabeledRisk::Loe(Loe { prior: ClassPrior::new(0.25)?, labels });
///     let objective = UnsupervisedObjective::new(SquaredNorm(AnomalyTerm::Inverse));
///     objective.with_unlabeled_risk(loe).validation_risk(&losses)
/// };
/// let soft = (1. + 2. + 3. + (4. + 1. / 4.) / 2.) / 4.;
/// assert!((risk(LoeLabels::Soft)? - soft).abs() < 1e-6);
/// assert!(risk(LoeLabels::Hard)? < soft);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoeLabels {
    /// As an anomaly: `term(l)`. The form of Table 1.
    #[default]
    Hard,
    /// As one half of each: `(l + term(l)) / 2`.
    Soft,
}

impl UnlabeledRisk {
    /// [`Loe`](Self::Loe) with these settings.
    pub(super) fn loe(prior: ClassPrior, labels: LoeLabels) -> Self {
        Self::Loe(Loe { prior, labels })
    }

    /// The risk of the unlabeled samples, `[]`; `losses` holds at least one sample.
    pub(super) fn risk(self, losses: &SampleLosses, term: AnomalyTerm) -> Result<Tensor> {
        match self {
            Self::Mean => Ok(losses.normal.mean_all()?),
            Self::Loe(loe) => loe.risk(losses, term),
        }
    }
}

impl Loe {
    fn risk(self, losses: &SampleLosses, term: AnomalyTerm) -> Result<Tensor> {
        let as_normal = &losses.normal;
        let as_anomaly = losses.as_anomalies(term)?;
        let (normal, anomalous) = self.choose(as_normal, &as_anomaly)?;
        let pick = |t: &Tensor, ids: &[u32]| {
            let ids = Tensor::new(ids, t.device())?;
            t.index_select(&ids, 0)
        };
        let mut parts = Vec::with_capacity(2);
        if !normal.is_empty() {
            parts.push(pick(as_normal, &normal)?);
        }
        if !anomalous.is_empty() {
            let hard = pick(&as_anomaly, &anomalous)?;
            parts.push(match self.labels {
                LoeLabels::Hard => hard,
                LoeLabels::Soft => ((pick(as_normal, &anomalous)? + hard)? * 0.5)?,
            });
        }
        if parts.is_empty() {
            // Zero through the losses, not a constant: a step must find its parameters.
            return Ok(as_normal.zeros_like()?.mul(as_normal)?.sum_all()?);
        }
        Ok(Tensor::cat(&parts, 0)?.mean_all()?)
    }

    /// The indices taken as normal and as anomalous.
    fn choose(self, as_normal: &Tensor, as_anomaly: &Tensor) -> Result<(Vec<u32>, Vec<u32>)> {
        let rank = (as_normal.detach() - as_anomaly.detach())?;
        let rank = rank.to_dtype(candle_core::DType::F64)?.to_vec1::<f64>()?;
        let mut order: Vec<u32> = (0..rank.len() as u32).collect();
        order.sort_by(|&i, &j| rank[i as usize].total_cmp(&rank[j as usize]));
        let n = order.len();
        let alpha = self.prior.get();
        let normal = (n as f64 * (1. - alpha)) as usize;
        let anomalous = (n as f64 * alpha) as usize;
        Ok((order[..normal].to_vec(), order[n - anomalous..].to_vec()))
    }
}
