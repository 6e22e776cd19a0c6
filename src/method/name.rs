use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use candle_core::Device;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Pair, Registry};
use crate::baseline::IsolationForestConfig;
use crate::detector::{AutoencoderSpec, ClassifierSpec, DeepSvddSpec, DenoisingSpec, DetectorSpec};
use crate::model::{Fitted, Learned, ModelSpec, StoredModel, Task};
use crate::net::Architecture;
use crate::objective::{
    Correction, LoeSpec, ObjectiveSpec, PuSpec, SemiSupervisedSpec, SoelSpec, UnsupervisedSpec,
};
use crate::spec::Spec;
use crate::train::Trainer;
use crate::{Error, Result};

/// What is fitted, and how.
///
/// It prints as the paper's name where its parts have one, whatever their settings, else as
/// `detector/objective` or the model's name, and reads from these. As JSON it is that name where all
/// settings are the name's own, else `{"detector": .., "objective": ..}` or `{"model": ..}`, each a name or
/// `{"name": {settings}}`.
///
/// ```
/// use puad::detector::{DenoisingSpec, RotationSpec};
/// use puad::method::Method;
/// use puad::objective::PuSpec;
///
/// let method: Method = "pusvdd".parse()?;
/// assert_eq!(method, Method::PUSVDD);
/// assert_eq!(method.to_string(), "PUSVDD");
/// assert_eq!("rotation/pu".parse::<Method>()?, Method::new(RotationSpec {}, PuSpec::default()));
///
/// let noisy = Method::new(DenoisingSpec { noise: 0.5 }, PuSpec::default());
/// assert_eq!(noisy.to_string(), "PUDAE");
/// let json = serde_json::to_string(&noisy).unwrap();
/// assert_eq!(json, r#"{"detector":{"denoising":{"noise":0.5}},"objective":"pu"}"#);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// A network detector under an objective.
    Network(Pair),
    /// A model of another kind.
    Model(Spec<dyn ModelSpec>),
}

const fn pair(
    detector: &'static dyn DetectorSpec,
    objective: &'static dyn ObjectiveSpec,
) -> Method {
    Method::Network(Pair {
        detector: Spec::shipped(detector),
        objective: Spec::shipped(objective),
    })
}

/// The methods that have a name, in the order of the paper's tables.
macro_rules! methods {
    ($($constant:ident $name:literal = $method:expr, $doc:literal;)*) => {
        impl Method {
            $(
                #[doc = $doc]
                pub const $constant: Self = $method;
            )*
            /// The methods that have a name of their own.
            pub const NAMED: &'static [(&'static str, Self)] = &[$(($name, Self::$constant)),*];
        }
    };
}

methods! {
    ISOLATION_FOREST "IF" = Method::Model(Spec::shipped(&IsolationForestConfig::DEFAULT)), "Isolation forest.";
    AE "AE" = pair(&AutoencoderSpec {}, &UnsupervisedSpec {}), "Autoencoder.";
    DAE "DAE" = pair(&DenoisingSpec::DEFAULT, &UnsupervisedSpec {}), "Denoising autoencoder.";
    DEEP_SVDD "DeepSVDD" = pair(&DeepSvddSpec {}, &UnsupervisedSpec {}), "Deep support vector data description.";
    LOE "LOE" = pair(&DeepSvddSpec {}, &LoeSpec::DEFAULT), "Latent outlier exposure on the DeepSVDD.";
    ABC "ABC" = pair(&AutoencoderSpec {}, &SemiSupervisedSpec::DEFAULT), "Autoencoding binary classifier.";
    ABC_DAE "ABC-DAE" = pair(&DenoisingSpec::DEFAULT, &SemiSupervisedSpec::DEFAULT), "The same on a denoising autoencoder (Figure 1).";
    DEEP_SAD "DeepSAD" = pair(&DeepSvddSpec {}, &SemiSupervisedSpec::DEFAULT), "Deep semi-supervised anomaly detection.";
    SOEL "SOEL" = pair(&DeepSvddSpec {}, &SoelSpec::DEFAULT), "Semi-supervised outlier exposure on the DeepSVDD.";
    PU "PU" = pair(&ClassifierSpec::DEFAULT, &NON_NEGATIVE), "Positive-unlabeled binary classifier, with Kiryo et al.'s correction.";
    PUAE "PUAE" = pair(&AutoencoderSpec {}, &PuSpec::DEFAULT), "Positive-unlabeled autoencoder, the paper's.";
    PUDAE "PUDAE" = pair(&DenoisingSpec::DEFAULT, &PuSpec::DEFAULT), "Positive-unlabeled denoising autoencoder (Figure 1).";
    PUSVDD "PUSVDD" = pair(&DeepSvddSpec {}, &PuSpec::DEFAULT), "Positive-unlabeled DeepSVDD, the paper's.";
}

const NON_NEGATIVE: PuSpec = PuSpec {
    correction: Correction::NON_NEGATIVE,
    ..PuSpec::DEFAULT
};

impl Method {
    /// `detector` under `objective`.
    pub fn new(
        detector: impl Into<Spec<dyn DetectorSpec>>,
        objective: impl Into<Spec<dyn ObjectiveSpec>>,
    ) -> Self {
        Self::Network(Pair {
            detector: detector.into(),
            objective: objective.into(),
        })
    }

    /// Detector and objective, if it is a network under an objective.
    pub fn pair(&self) -> Option<&Pair> {
        match self {
            Self::Network(pair) => Some(pair),
            Self::Model(_) => None,
        }
    }

    /// Whether fitting needs labeled anomalies. Of a name that is not resolved, no.
    pub fn uses_anomalies(&self) -> bool {
        match self {
            Self::Network(pair) => pair.uses_anomalies().unwrap_or(false),
            Self::Model(model) => model.get(MODEL).is_ok_and(|m| m.uses_anomalies()),
        }
    }

    /// # Errors
    /// [`Error::Config`] for a setting outside its range, or a detector that needs labels under an
    /// objective without (a classifier, which would call everything normal);
    /// [`Error::UnknownSpecification`] for a name that is not resolved.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Network(pair) => pair.check(),
            Self::Model(model) => model.get(MODEL)?.check_settings(),
        }
    }

    /// Fits it.
    ///
    /// # Errors
    /// As [`check`](Self::check) and [`Assembly::fit`](super::Assembly::fit) or [`ModelSpec::fit`].
    pub fn fit(&self, task: Task<'_>) -> Result<Learned> {
        match self {
            Self::Network(pair) => pair.fit(task),
            Self::Model(model) => model.get(MODEL)?.fit(task),
        }
    }

    /// Whether it can be fitted to samples of this shape with this network and trainer.
    pub(crate) fn check_fit(
        &self,
        network: &Architecture,
        shape: &[usize],
        trainer: &Trainer,
    ) -> Result<()> {
        match self {
            Self::Network(pair) => pair.network(network, shape).map(|_| ()),
            Self::Model(model) => model.get(MODEL)?.check_fit(network, trainer),
        }
    }

    /// The model that was written for samples of `sample_shape`.
    pub(crate) fn read(
        &self,
        stored: &mut StoredModel,
        sample_shape: &[usize],
        device: &Device,
    ) -> Result<Arc<dyn Fitted>> {
        match self {
            Self::Network(pair) => pair.read(stored, device),
            Self::Model(model) => model.get(MODEL)?.read(stored, sample_shape, device),
        }
    }

    /// Detector and objective by name, or the model's.
    fn parts(&self) -> String {
        match self {
            Self::Network(pair) => pair.name(),
            Self::Model(model) => model.name().into(),
        }
    }

    /// The paper's name for its parts, and the method of that name.
    fn named(&self) -> Option<(&'static str, Self)> {
        let parts = self.parts();
        let mut all = Self::NAMED.iter();
        all.find(|(_, method)| method.parts() == parts).cloned()
    }

    /// The method of this name, or of these parts with the settings of their name in the paper.
    fn of_name(name: &str) -> Option<Self> {
        let mut all = Self::NAMED.iter();
        let known = |(own, method): &&(&str, Self)| {
            own.eq_ignore_ascii_case(name) || method.parts().eq_ignore_ascii_case(name)
        };
        if let Some((_, method)) = all.find(known) {
            return Some(method.clone());
        }
        let (detector, objective) = name.split_once('/')?;
        let empty = || serde_json::json!({});
        Some(Self::Network(Pair {
            detector: Spec::named(detector.to_lowercase(), empty()),
            objective: Spec::named(objective.to_lowercase(), empty()),
        }))
    }
}

const MODEL: &str = "model";

impl<S: ModelSpec + 'static> From<S> for Method {
    fn from(model: S) -> Self {
        Self::Model(model.into())
    }
}

impl std::hash::Hash for Method {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.named() {
            Some((name, _)) => f.pad(name),
            None => f.pad(&self.parts()),
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    /// # Errors
    /// [`Error::Config`] for a name that is none of the shipped ones; case does not matter.
    fn from_str(name: &str) -> Result<Self> {
        let rule = "a name in puad::method or detector/objective";
        let unknown = || Error::config("method", rule, name);
        let method = Self::of_name(name).ok_or_else(unknown)?;
        let method = Registry::default().resolve(&method)?;
        method.check().map_err(|error| match error {
            Error::UnknownSpecification { .. } => unknown(),
            error => error,
        })?;
        Ok(method)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Name(String),
    Pair(Pair),
    Model { model: Spec<dyn ModelSpec> },
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match (self.named(), self) {
            (Some((name, method)), _) if method == *self => Form::Name(name.into()),
            (_, Self::Network(pair)) => Form::Pair(pair.clone()),
            (_, Self::Model(model)) => Form::Model {
                model: model.clone(),
            },
        };
        form.serialize(serializer)
    }
}

/// Names that this crate ships are resolved, others wait for a [`Registry`].
impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let method = match Form::deserialize(deserializer)? {
            Form::Name(name) => {
                let rule = "a method must be a name in puad::method or detector/objective";
                let unknown = || serde::de::Error::custom(format!("{rule}, got {name:?}"));
                Self::of_name(&name).ok_or_else(unknown)?
            }
            Form::Pair(pair) => Self::Network(pair),
            Form::Model { model } => Self::Model(model),
        };
        let resolved = Registry::default().resolve(&method);
        resolved.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_pair_reads_as_it_prints() {
        let registry = Registry::default();
        let mut named = 1;
        for detector in registry.detectors() {
            for objective in registry.objectives() {
                let text = format!("{detector}/{objective}");
                let Ok(method) = text.parse::<Method>() else {
                    assert!(
                        detector == "classifier" && ["unsupervised", "loe"].contains(&objective)
                    );
                    continue;
                };
                let printed = method.to_string();
                named += usize::from(!printed.contains('/'));
                for text in [printed.clone(), printed.to_lowercase()] {
                    assert_eq!(text.parse::<Method>().unwrap(), method, "{text}");
                }
                let json = serde_json::to_string(&method).unwrap();
                assert_eq!(
                    serde_json::from_str::<Method>(&json).unwrap(),
                    method,
                    "{json}"
                );
                assert_eq!(json == format!("{printed:?}"), !printed.contains('/'));
            }
        }
        assert_eq!(named, Method::NAMED.len());
        assert_eq!("if".parse::<Method>().unwrap(), Method::ISOLATION_FOREST);
    }

    /// The classifier's correction is that of its name, however it is written.
    #[test]
    fn parts_have_the_settings_of_their_name() {
        for text in ["PU", "classifier/pu"] {
            let method: Method = text.parse().unwrap();
            assert_eq!(method, Method::PU);
            assert_eq!(
                serde_json::from_value::<Method>(json!(text)).unwrap(),
                method
            );
        }
        let forest = json!({"model": {"isolation-forest": {"trees": 7}}});
        let method: Method = serde_json::from_value(forest.clone()).unwrap();
        assert_eq!(method.to_string(), "IF");
        assert_eq!(serde_json::to_value(&method).unwrap(), forest);
    }

    #[test]
    fn other_names_are_errors() {
        for name in ["", "PUSVD", "pu/pu", "autoencoder/", "classifier/loe"] {
            let err = name.parse::<Method>().unwrap_err();
            assert!(matches!(err, Error::Config { name: "method", value, .. } if value == name));
        }
        // A stranger's name may be registered yet; using it before is an error that names it.
        let json = json!({"detector": "masked", "objective": "pu"});
        let method: Method = serde_json::from_value(json).unwrap();
        let err = method.check().unwrap_err();
        assert!(
            matches!(&err, Error::UnknownSpecification { kind: "detector", name } if name == "masked"),
            "{err}"
        );
        for wrong in [
            json!("masked"),
            json!({"detector": {"denoising": {"noise": -1.}}, "objective": "pu"}),
            json!({"detector": {"denoising": {"loudness": 1.}}, "objective": "pu"}),
            json!({"detector": {"a": {}, "b": {}}, "objective": "pu"}),
        ] {
            assert!(
                serde_json::from_value::<Method>(wrong.clone()).is_err(),
                "{wrong}"
            );
        }
    }
}
