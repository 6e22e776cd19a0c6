use candle_core::Tensor;

use super::{AnyDetector, Method, MethodOptions, RiskKind};
use crate::objective::{
    GroupCounts, GroupLosses, GroupWeighting, Groups, Loe, Objective, PuObjective,
    SemiSupervisedObjective, UnlabeledRisk, UnsupervisedObjective,
};
use crate::{ClassPrior, Result};

/// The objective of a [`Method`], chosen at run time.
///
/// ```
/// use puad::candle_core::{DType, Device};
/// use puad::method::{AnyDetector, AnyObjective, Method, MethodOptions, Network};
/// use puad::objective::Objective;
/// use puad::{ClassPrior, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let network = Network::for_samples(&[5])?;
/// let (method, options) = (Method::PUAE, MethodOptions::default());
/// let detector = AnyDetector::new(method.detector, &network, &options, params.var_builder())?;
/// let objective = AnyObjective::new(method, detector, ClassPrior::new(0.1)?, &options)?;
/// assert!(matches!(objective, AnyObjective::Pu(_)) && objective.sees().anomalies);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnyObjective {
    /// Eq. 2, or LOE.
    Unsupervised(UnsupervisedObjective<AnyDetector>),
    /// Eq. 5, or SOEL.
    SemiSupervised(SemiSupervisedObjective<AnyDetector>),
    /// Eq. 13.
    Pu(PuObjective<AnyDetector>),
}

impl AnyObjective {
    /// The risk of `method` on `detector`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a method or an option outside its range.
    pub fn new(
        method: Method,
        detector: AnyDetector,
        prior: ClassPrior,
        options: &MethodOptions,
    ) -> Result<Self> {
        method.check()?;
        options.check()?;
        let labels = options.loe;
        let loe = UnlabeledRisk::Loe(Loe { prior, labels });
        let semi = |detector| SemiSupervisedObjective::new(detector);
        Ok(match method.risk {
            RiskKind::Unsupervised => Self::Unsupervised(UnsupervisedObjective::new(detector)),
            RiskKind::Loe => {
                Self::Unsupervised(UnsupervisedObjective::new(detector).with_unlabeled_risk(loe))
            }
            RiskKind::SemiSupervised => {
                Self::SemiSupervised(semi(detector).with_weighting(options.weighting))
            }
            RiskKind::Soel => {
                let objective = semi(detector).with_weighting(GroupWeighting::PerGroup);
                Self::SemiSupervised(objective.with_unlabeled_risk(loe))
            }
            RiskKind::Pu => {
                let objective = PuObjective::new(detector, prior);
                let objective = objective.with_correction(options.correction(method))?;
                Self::Pu(objective.with_pnu_weight(options.pnu_weight)?)
            }
        })
    }
}

/// `$body` of the objective inside.
macro_rules! each {
    ($any:expr, $objective:ident => $body:expr) => {
        match $any {
            AnyObjective::Unsupervised($objective) => $body,
            AnyObjective::SemiSupervised($objective) => $body,
            AnyObjective::Pu($objective) => $body,
        }
    };
}

impl Objective for AnyObjective {
    type Loss = AnyDetector;

    fn detector(&self) -> &AnyDetector {
        each!(self, objective => objective.detector())
    }

    fn sees(&self) -> Groups {
        each!(self, objective => objective.sees())
    }

    fn check_groups(&self, counts: GroupCounts) -> Result<()> {
        each!(self, objective => objective.check_groups(counts))
    }

    fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
        each!(self, objective => objective.risk(losses))
    }

    fn validation_risk(&self, losses: &GroupLosses) -> Result<f64> {
        each!(self, objective => objective.validation_risk(losses))
    }
}
