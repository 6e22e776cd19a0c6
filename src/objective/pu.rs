use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    GroupCounts, GroupLosses, Groups, LoeLabels, Objective, ObjectiveSpec, SharedObjective,
    UnlabeledRisk, scalar,
};
use crate::spec::Specification;
use crate::{AnomalyTerm, ClassPrior, Error, NonNegativeLoss, Result, SharedDetector};

/// What is done about a negative bracket `L-_U - alpha L-_A`, which estimates a risk that cannot be
/// negative (eq. 12).
///
/// ```
/// use puad::detector::AutoencoderSpec;
/// use puad::method::Method;
/// use puad::objective::{Correction, PuSpec};
/// use puad::spec::Specification;
///
/// // Kiryo et al. with a tolerance.
/// let correction = Correction::NonNegative { beta: 0.01, gamma: 1. };
/// let objective = PuSpec { correction, ..PuSpec::default() };
/// objective.check()?;
/// let method = Method::new(AutoencoderSpec::default(), objective);
/// assert_eq!(method.to_string(), "PUAE");
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correction {
    /// Its absolute value: eq. 13, the paper's objective.
    #[default]
    Absolute,
    /// `max(0, bracket)`: no gradient through a negative bracket.
    Clamp,
    /// Below `-beta` a step descends `-gamma * bracket` alone, which undoes the overfitting. That
    /// direction is no risk: validation reports `alpha L+_A + max(bracket, -beta)`.
    ///
    /// # References
    /// Kiryo et al., Positive-unlabeled learning with non-negative risk estimator, NeurIPS 2017.
    NonNegative {
        /// Tolerance, `>= 0`.
        beta: f64,
        /// Step size of the undoing, in [0, 1].
        gamma: f64,
    },
    /// Nothing: eq. 11, unbiased, and unbounded below.
    None,
}

impl Correction {
    /// Kiryo et al.'s correction with their defaults, `beta = 0`, `gamma = 1`.
    pub const NON_NEGATIVE: Self = Self::NonNegative {
        beta: 0.,
        gamma: 1.,
    };

    pub(crate) fn check(self) -> Result<()> {
        if let Self::NonNegative { beta, gamma } = self {
            if !(beta >= 0. && beta.is_finite()) {
                return Err(Error::config("beta", "finite and at least 0", beta));
            }
            if !(0. ..=1.).contains(&gamma) {
                return Err(Error::config("gamma", "in [0, 1]", gamma));
            }
        }
        Ok(())
    }
}

/// The positive-unlabeled objective: `alpha L+_A + |L-_U - alpha L-_A|` (eq. 13) on any
/// [`NonNegativeLoss`].
///
/// `L-` is the mean of `l`, `L+` the mean of its [`AnomalyTerm`]. A mini-batch without labeled
/// anomalies contributes `L-_U` alone, one without unlabeled samples `alpha L+_A` alone.
///
/// With labeled normals and a weight `eta < 1` it is the PNU risk
/// `alpha L+_A + (1 - eta)(1 - alpha) L-_N + eta |L-_U - alpha L-_A|`.
///
/// # References
/// Takahashi et al., Deep positive-unlabeled anomaly detection, 2025, eqs. 11-13; Hammoudeh and
/// Lowd, NeurIPS 2020 (the absolute value); Sakai et al., ICML 2017 (PNU).
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::{GroupLosses, Objective};
/// use puad::testing::SquaredNorm;
/// use puad::{AnomalyTerm, ClassPrior, PuObjective, SampleLosses};
///
/// let objective = PuObjective::new(SquaredNorm(AnomalyTerm::Complement), ClassPrior::new(0.5)?);
/// let l = |v: &[f64]| Ok::<_, puad::Error>(Some(SampleLosses::new(Tensor::new(v, &Device::Cpu)?)));
/// let losses = GroupLosses { unlabeled: l(&[0.1, 0.3])?, anomalies: l(&[0.6])?, normals: None };
/// // 0.5 * (1 - 0.6) + |0.2 - 0.5 * 0.6|
/// assert!((objective.risk(&losses)?.to_scalar::<f64>()? - 0.3).abs() < 1e-12);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PuObjective<L> {
    detector: L,
    prior: ClassPrior,
    term: AnomalyTerm,
    correction: Correction,
    unlabeled: UnlabeledRisk,
    eta: f64,
}

impl<L: NonNegativeLoss> PuObjective<L> {
    /// Eq. 13 on `detector`'s loss, with its own anomaly term.
    pub fn new(detector: L, prior: ClassPrior) -> Self {
        Self {
            term: detector.anomaly_term(),
            detector,
            prior,
            correction: Correction::Absolute,
            unlabeled: UnlabeledRisk::Mean,
            eta: 1.,
        }
    }

    /// Another anomaly term than the detector's.
    pub fn with_term(self, term: AnomalyTerm) -> Self {
        Self { term, ..self }
    }

    /// Another correction of a negative bracket.
    ///
    /// # Errors
    /// [`Error::Config`] for a `beta` or `gamma` outside its range.
    pub fn with_correction(self, correction: Correction) -> Result<Self> {
        correction.check()?;
        Ok(Self { correction, ..self })
    }

    /// Another risk of the unlabeled samples: with [`Loe`](super::Loe) the combination of
    /// section 4.1.
    pub fn with_unlabeled_risk(self, unlabeled: UnlabeledRisk) -> Self {
        Self { unlabeled, ..self }
    }

    /// The weight `eta` of the unlabeled part against labeled normals: below 1 with them, 1 (the
    /// default) without.
    ///
    /// # Errors
    /// [`Error::Config`] if `eta` is NaN or lies outside [0, 1].
    pub fn with_pnu_weight(self, eta: f64) -> Result<Self> {
        if !(0. ..=1.).contains(&eta) {
            return Err(Error::config("eta", "in [0, 1]", eta));
        }
        Ok(Self { eta, ..self })
    }

    /// The class prior `alpha`.
    pub fn prior(&self) -> ClassPrior {
        self.prior
    }

    /// The anomaly term in use.
    pub fn term(&self) -> AnomalyTerm {
        self.term
    }

    /// The parts of the risk that a batch has samples for.
    fn parts(&self, losses: &GroupLosses) -> Result<Parts> {
        let alpha = self.prior.get();
        let positive = match &losses.anomalies {
            Some(a) => Some((a.as_anomalies(self.term)?.mean_all()? * alpha)?),
            None => None,
        };
        let bracket = match (&losses.unlabeled, &losses.anomalies) {
            (Some(u), Some(a)) => {
                let as_normal = (a.normal.mean_all()? * alpha)?;
                Some((self.unlabeled.risk(u, self.term)? - as_normal)?)
            }
            (Some(u), None) => Some(self.unlabeled.risk(u, self.term)?),
            (None, _) => None,
        };
        let normal = match &losses.normals {
            Some(_) if self.eta == 1. => return Err(Error::UnusedNormals { eta: self.eta }),
            Some(n) => Some((n.normal.mean_all()? * ((1. - self.eta) * (1. - alpha)))?),
            None => None,
        };
        // A batch that happens to hold no normals keeps eta: over batches the weights must add up.
        Ok(Parts {
            positive,
            bracket,
            normal,
            eta: self.eta,
        })
    }
}

/// `alpha L+_A`, the bracket `L-_U - alpha L-_A`, `(1 - eta)(1 - alpha) L-_N` and the bracket's
/// weight.
struct Parts {
    positive: Option<Tensor>,
    bracket: Option<Tensor>,
    normal: Option<Tensor>,
    eta: f64,
}

impl Parts {
    /// The sum of what is there, with the bracket mapped by `correct`.
    fn total(self, correct: impl FnOnce(Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let eta = self.eta;
        let weigh = |b| Ok::<_, crate::Error>((correct(b)? * eta)?);
        let bracket = self.bracket.map(weigh).transpose()?;
        let parts = [self.positive, self.normal, bracket].into_iter().flatten();
        let sum = parts.map(Ok).reduce(|a: Result<Tensor>, b| Ok((a? + b?)?));
        sum.unwrap_or(Err(Error::EmptyGroup {
            what: "the positive-unlabeled risk",
            group: "unlabeled, anomalous or normal",
        }))
    }
}

/// `t * sign(t)` for a scalar: unlike candle's `abs`, its gradient at 0 is 0.
fn absolute(t: Tensor) -> Result<Tensor> {
    Ok(t.mul(&t.detach().sign()?)?)
}

/// `max(floor, t)` for a scalar, its gradient that of the chosen side, 0 where it is the floor.
fn at_least(floor: f64, t: Tensor) -> Result<Tensor> {
    let keep = t.detach().gt(floor)?;
    Ok(keep.where_cond(&t, &t.detach().affine(0., floor)?)?)
}

impl<L: NonNegativeLoss> Objective for PuObjective<L> {
    type Loss = L;

    fn detector(&self) -> &L {
        &self.detector
    }

    fn sees(&self) -> Groups {
        Groups::ALL
    }

    fn check_groups(&self, counts: GroupCounts) -> Result<()> {
        let lacks = |what, group| Err(Error::EmptyGroup { what, group });
        if counts.anomalies == 0 {
            return lacks("the positive-unlabeled risk", "anomalous");
        }
        match (counts.normals, self.eta) {
            (0, eta) if eta < 1. => lacks("a PNU weight below 1", "normal"),
            (1.., eta) if eta == 1. => Err(Error::UnusedNormals { eta }),
            _ => Ok(()),
        }
    }

    fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
        let parts = self.parts(losses)?;
        match (self.correction, &parts.bracket) {
            (Correction::NonNegative { beta, gamma }, Some(b)) if scalar(b)? < -beta => {
                Ok((b * -gamma)?)
            }
            (Correction::Absolute, _) => parts.total(absolute),
            (Correction::Clamp, _) => parts.total(|b| at_least(0., b)),
            (Correction::None | Correction::NonNegative { .. }, _) => parts.total(Ok),
        }
    }

    fn validation_risk(&self, losses: &GroupLosses) -> Result<f64> {
        match self.correction {
            Correction::NonNegative { beta, .. } => {
                scalar(&self.parts(losses)?.total(|b| at_least(-beta, b))?)
            }
            _ => scalar(&self.risk(losses)?),
        }
    }
}

/// [`PuObjective`] by name, `pu`: PUAE, PUDAE, PUSVDD, and the PU classifier.
///
/// ```
/// use puad::Error;
/// use puad::objective::PuSpec;
/// use puad::spec::Specification;
///
/// let wrong = PuSpec { pnu_weight: 1.5, ..PuSpec::default() }.check();
/// assert!(matches!(wrong, Err(Error::Config { name: "pnu_weight", .. })));
/// ```
///
/// With latent outlier exposure on the unlabeled samples (section 4.1):
///
/// ```
/// use puad::detector::DeepSvddSpec;
/// use puad::method::Method;
/// use puad::objective::{LoeLabels, PuSpec};
///
/// let objective = PuSpec { loe: Some(LoeLabels::Soft), ..PuSpec::default() };
/// let method = Method::new(DeepSvddSpec::default(), objective);
/// assert_eq!(method.to_string(), "PUSVDD");
/// let json = serde_json::to_string(&method)?;
/// assert!(json.contains(r#"{"pu":{"loe":"soft"}}"#), "{json}");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PuSpec {
    /// What is done about a negative bracket. Default: [`Correction::Absolute`] (eq. 13);
    /// [`Method::PU`](crate::method::Method::PU) has [`Correction::NON_NEGATIVE`].
    pub correction: Correction,
    /// Weight `eta` in [0, 1] of the unlabeled part against labeled normals; below 1 if and only if
    /// there are labeled normals.
    pub pnu_weight: f64,
    /// With latent outlier exposure on the unlabeled samples, at the objective's class prior: how a sample
    /// that it chooses as an anomaly counts. Default: without; then it is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loe: Option<LoeLabels>,
}

impl PuSpec {
    pub(crate) const DEFAULT: Self = Self {
        correction: Correction::Absolute,
        pnu_weight: 1.,
        loe: None,
    };
}

impl Default for PuSpec {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Specification for PuSpec {
    const NAME: &'static str = "pu";

    fn check(&self) -> Result<()> {
        if !(0. ..=1.).contains(&self.pnu_weight) {
            return Err(Error::config("pnu_weight", "in [0, 1]", self.pnu_weight));
        }
        self.correction.check()
    }
}

impl ObjectiveSpec for PuSpec {
    fn build(&self, detector: SharedDetector, prior: ClassPrior) -> Result<SharedObjective> {
        let objective = PuObjective::new(detector, prior)
            .with_correction(self.correction)?
            .with_pnu_weight(self.pnu_weight)?;
        Ok(Box::new(match self.loe {
            Some(labels) => objective.with_unlabeled_risk(UnlabeledRisk::loe(prior, labels)),
            None => objective,
        }))
    }

    /// With less, the labeled anomalies weigh next to nothing, and a classifier calls everything normal.
    fn least_prior(&self) -> f64 {
        0.05
    }
}
