use std::any::TypeId;
use std::sync::Arc;

use super::Method;
use crate::method::Pair;
use crate::objective::{GroupCounts, Groups, PuSpec};
use crate::testing::SquaredNorm;
use crate::{ClassPrior, Error, Objective, Result};

impl Method {
    /// The labeled groups that a fit uses.
    ///
    /// # Errors
    /// As [`uses_anomalies`](Self::uses_anomalies).
    pub(crate) fn sees(&self) -> Result<Groups> {
        match self {
            Self::Network(pair) => {
                let detector = Arc::new(SquaredNorm::default());
                let objective = pair.objective()?.build(detector, ClassPrior::default())?;
                Ok(objective.sees())
            }
            Self::Model(_) => Ok(Groups {
                anomalies: self.uses_anomalies()?,
                normals: false,
            }),
        }
    }

    /// This method as it learns from labeled normals too: the positive-unlabeled objective with this weight of the
    /// unlabeled part, unless its own is below 1. `None` where it has no use for them.
    ///
    /// # Errors
    /// As [`sees`](Self::sees).
    pub(crate) fn with_normals(&self, pnu_weight: f64) -> Result<Option<Self>> {
        let sees = self.sees()?;
        let Some(pair) = self.pair().filter(|_| sees.normals) else {
            return Ok(None);
        };
        let objective = pair.objective()?;
        if objective.type_of() == TypeId::of::<PuSpec>() {
            let own: PuSpec =
                serde_json::from_value(objective.settings()?).map_err(|cause| Error::Settings {
                    kind: "objective",
                    name: objective.name().into(),
                    cause: cause.into(),
                })?;
            let pnu_weight = if own.pnu_weight < 1. {
                own.pnu_weight
            } else {
                pnu_weight
            };
            return Ok(Some(Self::Network(Pair {
                detector: pair.detector.clone(),
                objective: PuSpec { pnu_weight, ..own }.into(),
            })));
        }
        let built = objective.build(Arc::new(SquaredNorm::default()), ClassPrior::default())?;
        let all = GroupCounts {
            unlabeled: 1,
            anomalies: 1,
            normals: 1,
        };
        Ok(built.check_groups(all).is_ok().then(|| self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::AutoencoderSpec;

    #[test]
    fn a_weight_is_set_where_the_objective_has_one_and_is_not_the_user_s() {
        let weight = |method: Method| {
            let method = method.with_normals(0.8).unwrap()?;
            let settings = method.pair()?.objective().unwrap().settings().unwrap();
            settings.get("pnu_weight")?.as_f64()
        };
        assert_eq!(weight(Method::PUAE), Some(0.8));
        let own = PuSpec {
            pnu_weight: 0.3,
            ..PuSpec::default()
        };
        assert_eq!(
            weight(Method::new(AutoencoderSpec::default(), own)),
            Some(0.3)
        );
        // Kiryo et al.'s correction stays.
        let pu = Method::PU.with_normals(0.8).unwrap().unwrap();
        assert!(
            pu.label().to_string().contains("non_negative"),
            "{:?}",
            pu.label()
        );
        // Normals without a weight, and no use for them.
        assert_eq!(
            Method::DEEP_SAD.with_normals(0.8).unwrap(),
            Some(Method::DEEP_SAD)
        );
        for method in [Method::AE, Method::ISOLATION_FOREST] {
            assert_eq!(method.with_normals(0.8).unwrap(), None);
        }
    }
}
