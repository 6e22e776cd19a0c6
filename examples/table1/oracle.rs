//! Eq. 8: what could be had with labeled normals.

use puad::candle_core::Tensor;
use puad::detector::{AutoencoderSpec, DeepSvddSpec};
use puad::method::Method;
use puad::objective::{GroupLosses, Groups, Objective, ObjectiveSpec, SharedObjective};
use puad::spec::Specification;
use puad::{ClassPrior, Error, NonNegativeLoss, Result, SharedDetector};
use serde::{Deserialize, Serialize};

/// `alpha L+_A + (1 - alpha) L-_N` (eq. 8) on the samples that others get as unlabeled ones, without the
/// anomalies among them: for a data set whose "unlabeled" group is all normal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PnSpec {}

impl Specification for PnSpec {
    const NAME: &'static str = "pn";
}

impl ObjectiveSpec for PnSpec {
    fn build(&self, detector: SharedDetector, prior: ClassPrior) -> Result<SharedObjective> {
        Ok(Box::new(Pn { detector, prior }))
    }
}

struct Pn {
    detector: SharedDetector,
    prior: ClassPrior,
}

impl Objective for Pn {
    type Loss = SharedDetector;

    fn detector(&self) -> &SharedDetector {
        &self.detector
    }

    fn sees(&self) -> Groups {
        Groups::ALL
    }

    fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
        let (alpha, term) = (self.prior.get(), self.detector.anomaly_term());
        let anomalies = losses.anomalies.as_ref();
        let positive = anomalies.map(|a| Ok((a.as_anomalies(term)?.mean_all()? * alpha)?));
        let normals = losses.unlabeled.as_ref();
        let negative = normals.map(|n| Ok((n.normal.mean_all()? * (1. - alpha))?));
        let parts = [positive, negative].into_iter().flatten();
        let sum = parts.reduce(|a: Result<Tensor>, b| Ok((a? + b?)?));
        sum.unwrap_or(Err(Error::EmptyGroup {
            what: "the risk of eq. 8",
            group: "anomalous or normal",
        }))
    }
}

/// A detector trained by eq. 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Oracle {
    /// On the autoencoder: PUAE's.
    Pnae,
    /// On the DeepSVDD: PUSVDD's.
    Pnsvdd,
}

impl Oracle {
    pub const ALL: [Self; 2] = [Self::Pnae, Self::Pnsvdd];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pnae => "PNAE",
            Self::Pnsvdd => "PNSVDD",
        }
    }

    pub fn method(self) -> Method {
        match self {
            Self::Pnae => Method::new(AutoencoderSpec::default(), PnSpec {}),
            Self::Pnsvdd => Method::new(DeepSvddSpec::default(), PnSpec {}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use puad::SampleLosses;
    use puad::candle_core::Device;
    use puad::testing::SquaredNorm;
    use std::sync::Arc;

    #[test]
    fn the_risk_is_eq_8() {
        let detector: SharedDetector = Arc::new(SquaredNorm(puad::AnomalyTerm::Complement));
        let objective = PnSpec {}.build(detector, ClassPrior::new(0.25).unwrap());
        let objective = objective.unwrap();
        let losses = |values: &[f64]| {
            let tensor = Tensor::new(values, &Device::Cpu).unwrap();
            Some(SampleLosses::new(tensor))
        };
        let mut groups = GroupLosses {
            unlabeled: losses(&[0.25, 0.75]),
            anomalies: losses(&[0.5]),
            normals: None,
        };
        let value = |groups: &GroupLosses| {
            let risk = objective.risk(groups).unwrap();
            risk.to_scalar::<f64>().unwrap()
        };
        // 0.25 (1 - 0.5) + 0.75 * 0.5
        assert_eq!(value(&groups), 0.5);
        groups.anomalies = None;
        assert_eq!(value(&groups), 0.375);
        groups.unlabeled = None;
        assert!(objective.risk(&groups).is_err());
    }
}
