use std::any::TypeId;
use std::sync::Arc;

use super::Method;
use crate::method::Pair;
use crate::objective::{GroupCounts, Groups, ObjectiveSpec, PuSpec};
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
            Self::Committee(committee) => {
                let mut all = Groups {
                    anomalies: false,
                    normals: false,
                };
                for method in committee.methods() {
                    let own = method.sees()?;
                    all.anomalies |= own.anomalies;
                    all.normals |= own.normals;
                }
                Ok(all)
            }
            Self::Auto => Ok(Groups {
                anomalies: true,
                normals: true,
            }),
        }
    }

    /// The weight of the unlabeled part against labeled normals, 1 where these are not used; `None` of another objective
    /// than the positive-unlabeled one. Of a committee that of the first member that has one.
    ///
    /// # Errors
    /// [`Error::Settings`] for settings that are none.
    pub(crate) fn pnu_weight(&self) -> Result<Option<f64>> {
        if let Self::Committee(committee) = self {
            let mut weights = committee.methods().map(Self::pnu_weight);
            let first = weights.find(|weight| !matches!(weight, Ok(None)));
            return first.unwrap_or(Ok(None));
        }
        let Some(pair) = self.pair() else {
            return Ok(None);
        };
        let objective = pair.objective()?;
        if objective.type_of() != TypeId::of::<PuSpec>() {
            return Ok(None);
        }
        Ok(Some(pu_spec(objective)?.pnu_weight))
    }

    /// This method as it learns from labeled normals too: the positive-unlabeled objective with this weight of the
    /// unlabeled part. `None` where it has no use for them.
    ///
    /// # Errors
    /// As [`sees`](Self::sees).
    pub(crate) fn with_normals(&self, pnu_weight: f64) -> Result<Option<Self>> {
        let sees = self.sees()?;
        if let Self::Committee(committee) = self {
            let with = |method: &Self| {
                let other = method.with_normals(pnu_weight)?;
                Ok(other.unwrap_or_else(|| method.clone()))
            };
            let with = committee.map(with)?;
            return Ok(sees.normals.then_some(Self::Committee(with)));
        }
        let Some(pair) = self.pair().filter(|_| sees.normals) else {
            return Ok(None);
        };
        let objective = pair.objective()?;
        if objective.type_of() == TypeId::of::<PuSpec>() {
            let own = pu_spec(objective)?;
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

fn pu_spec(objective: &dyn ObjectiveSpec) -> Result<PuSpec> {
    serde_json::from_value(objective.settings()?).map_err(|cause| Error::Settings {
        kind: "objective",
        name: objective.name().into(),
        cause: cause.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::AutoencoderSpec;

    #[test]
    fn a_weight_is_set_where_the_objective_has_one() {
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
        let own = Method::new(AutoencoderSpec::default(), own);
        assert_eq!(own.pnu_weight().unwrap(), Some(0.3));
        assert_eq!(weight(own), Some(0.8));
        assert_eq!(Method::PUAE.pnu_weight().unwrap(), Some(1.));
        assert_eq!(Method::DEEP_SAD.pnu_weight().unwrap(), None);
        assert_eq!(Method::ISOLATION_FOREST.pnu_weight().unwrap(), None);
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
