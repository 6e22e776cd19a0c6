mod auto;
mod normals;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use candle_core::Device;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::{Committee, Member, Pair, Registry};
use crate::baseline::{IsolationForestConfig, PuForestConfig};
use crate::data::PuDataset;
use crate::detector::{AutoencoderSpec, ClassifierSpec, DeepSvddSpec, DenoisingSpec, DetectorSpec};
use crate::model::{Fitted, Learned, ModelSpec, NetworkModel, StoredModel, Task};
use crate::net::{Architecture, Network};
use crate::objective::{
    Correction, LoeSpec, ObjectiveSpec, PuSpec, SemiSupervisedSpec, SoelSpec, UnsupervisedSpec,
};
use crate::spec::Spec;
use crate::train::Trainer;
use crate::{ClassPrior, Error, Result};

/// What is fitted, and how.
///
/// It prints as the paper's name where its parts have one, whatever their settings, else as
/// `detector/objective` or the model's name, and reads from these; a committee is its members' names with ` + `
/// between them. As JSON it is that name where all
/// settings are the name's own, else `{"detector": .., "objective": ..}` or `{"model": ..}`, each a name or
/// `{"name": {settings}}`, or `{"committee": {"members": [{"method": .., "weight": ..}]}}`.
///
/// ```
/// use puad::detector::{DenoisingSpec, RotationSpec};
/// use puad::method::Method;
/// use puad::objective::PuSpec;
///
/// let method: Method = "pusvdd".parse()?;
/// assert_eq!(method, Method::PUSVDD);
/// assert_eq!(method.to_string(), "PUSVDD");
/// assert_eq!("rotation/pu".parse::<Method>()?, Method::new(RotationSpec::default(), PuSpec::default()));
///
/// let detector = DenoisingSpec { noise: 0.5, ..DenoisingSpec::default() };
/// let noisy = Method::new(detector, PuSpec::default());
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
    /// Several methods as one.
    Committee(Committee),
    /// What suits the data: [`for_samples`](Self::for_samples).
    Auto,
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
    AE "AE" = pair(&AutoencoderSpec::DEFAULT, &UnsupervisedSpec {}), "Autoencoder.";
    DAE "DAE" = pair(&DenoisingSpec::DEFAULT, &UnsupervisedSpec {}), "Denoising autoencoder.";
    DEEP_SVDD "DeepSVDD" = pair(&DeepSvddSpec::DEFAULT, &UnsupervisedSpec {}), "Deep support vector data description.";
    LOE "LOE" = pair(&DeepSvddSpec::DEFAULT, &LoeSpec::DEFAULT), "Latent outlier exposure on the DeepSVDD.";
    ABC "ABC" = pair(&AutoencoderSpec::DEFAULT, &SemiSupervisedSpec::DEFAULT), "Autoencoding binary classifier.";
    ABC_DAE "ABC-DAE" = pair(&DenoisingSpec::DEFAULT, &SemiSupervisedSpec::DEFAULT), "The same on a denoising autoencoder (Figure 1).";
    DEEP_SAD "DeepSAD" = pair(&DeepSvddSpec::DEFAULT, &SemiSupervisedSpec::DEFAULT), "Deep semi-supervised anomaly detection.";
    SOEL "SOEL" = pair(&DeepSvddSpec::DEFAULT, &SoelSpec::DEFAULT), "Semi-supervised outlier exposure on the DeepSVDD.";
    PU "PU" = pair(&ClassifierSpec::DEFAULT, &NON_NEGATIVE), "Positive-unlabeled binary classifier, with Kiryo et al.'s correction.";
    PUAE "PUAE" = pair(&AutoencoderSpec::DEFAULT, &PuSpec::DEFAULT), "Positive-unlabeled autoencoder, the paper's.";
    PUDAE "PUDAE" = pair(&DenoisingSpec::DEFAULT, &PuSpec::DEFAULT), "Positive-unlabeled denoising autoencoder (Figure 1).";
    PUSVDD "PUSVDD" = pair(&DeepSvddSpec::DEFAULT, &PuSpec::DEFAULT), "Positive-unlabeled DeepSVDD, the paper's.";
    PU_FOREST "PUForest" = Method::Model(Spec::shipped(&PuForestConfig::DEFAULT)), "Bagged trees under positive-unlabeled data.";
    AUTO "Auto" = Method::Auto, "What suits the data.";
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
            _ => None,
        }
    }

    /// Whether labeled anomalies take part in fitting: [`Auto`](Self::Auto) uses those that there are.
    ///
    /// # Errors
    /// [`Error::UnknownSpecification`] for a name that is not resolved; as the objective's own
    /// [`build`](ObjectiveSpec::build).
    pub fn uses_anomalies(&self) -> Result<bool> {
        match self {
            Self::Network(pair) => pair.uses_anomalies(),
            Self::Model(model) => Ok(model.get()?.uses_anomalies()),
            Self::Committee(committee) => any(committee, Self::uses_anomalies),
            Self::Auto => Ok(true),
        }
    }

    /// The class prior to train with where `prior` is given.
    pub(crate) fn training_prior(&self, prior: ClassPrior) -> Result<ClassPrior> {
        match self {
            // A committee asks each member.
            Self::Committee(_) => Ok(prior),
            _ => ClassPrior::new(prior.get().max(self.least_prior()?)),
        }
    }

    /// The least class prior that all of it trains with as it is given.
    pub(crate) fn least_prior(&self) -> Result<f64> {
        match self {
            Self::Network(pair) => Ok(pair.objective()?.least_prior()),
            Self::Committee(committee) => committee.least_prior(),
            Self::Model(_) | Self::Auto => Ok(0.),
        }
    }

    /// Whether [`DetectorSpec::is_homogeneous`](crate::detector::DetectorSpec::is_homogeneous).
    pub(crate) fn is_homogeneous(&self) -> Result<bool> {
        match self {
            Self::Network(pair) => Ok(pair.detector()?.is_homogeneous()),
            Self::Committee(committee) => any(committee, Self::is_homogeneous),
            Self::Model(_) | Self::Auto => Ok(false),
        }
    }

    /// Whether [`refit`](Self::refit) goes on from a model, and does not begin anew.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self, Self::Network(_))
    }

    /// Whether scores of all its fits have one unit, and none lies above the highest that there can be.
    pub(crate) fn has_one_unit(&self) -> bool {
        matches!(self, Self::Committee(_))
    }

    /// Whether it validates on the labeled anomalies that it trains on, a fold at a time, where the validation part has
    /// none.
    pub(crate) fn cross_fits(&self) -> bool {
        matches!(self, Self::Committee(_))
    }

    /// Whether the data hold what a model needs; an objective is asked by its trainer.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] for labeled anomalies that are needed and not there.
    pub(crate) fn check_data(&self, data: &PuDataset) -> Result<()> {
        if let Self::Committee(committee) = self {
            return committee
                .methods()
                .try_for_each(|method| method.check_data(data));
        }
        let is_model = matches!(self, Self::Model(_));
        if is_model && self.uses_anomalies()? && data.anomalies().is_none() {
            let (what, group) = ("the model", "anomalous");
            return Err(Error::EmptyGroup { what, group });
        }
        Ok(())
    }

    /// # Errors
    /// [`Error::Config`] for a setting outside its range, a detector that needs labels under an objective
    /// without (a classifier, which would call everything normal), or a specification of one's own under
    /// a shipped name; [`Error::Settings`] for settings that JSON would lose;
    /// [`Error::UnknownSpecification`] for a name that is not resolved.
    pub fn check(&self) -> Result<()> {
        Registry::default().resolve(self)?;
        match self {
            Self::Network(pair) => pair.check(),
            Self::Model(model) => model.get().map(|_| ()),
            Self::Committee(committee) => committee.check(),
            Self::Auto => Ok(()),
        }
    }

    /// Fits it.
    ///
    /// # Errors
    /// As [`check`](Self::check) and [`Assembly::fit`](super::Assembly::fit) or [`ModelSpec::fit`].
    pub fn fit(&self, task: Task<'_>) -> Result<Learned> {
        match self {
            Self::Network(pair) => pair.fit(task),
            Self::Model(model) => model.get()?.fit(task),
            Self::Committee(committee) => committee.fit(task),
            Self::Auto => {
                let data = task.train;
                let labeled = data.anomalies().is_some();
                let shape = data.unlabeled().sample_shape();
                Self::for_samples(&shape, labeled)
                    .with_one_prior()
                    .fit(task)
            }
        }
    }

    /// Fits it from where `start`, a model of this method on samples of this shape, left off; what is no
    /// network by itself is fitted anew.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), but for the pre-training, which is over.
    pub(crate) fn refit(&self, task: Task<'_>, start: &dyn Fitted) -> Result<Learned> {
        match (self, start.as_any().downcast_ref::<NetworkModel>()) {
            (Self::Network(pair), Some(start)) => pair.refit(task, start),
            _ => self.fit(task),
        }
    }

    /// Whether it can be fitted to samples of this shape with this network and trainer, and the network
    /// that it is then built on, if it is on one.
    pub(crate) fn check_fit(
        &self,
        network: &Architecture,
        shape: &[usize],
        trainer: &Trainer,
    ) -> Result<Option<Network>> {
        match self {
            Self::Network(pair) => pair.network(network, shape),
            Self::Model(model) => {
                model.get()?.check_fit(network, trainer)?;
                Ok(None)
            }
            Self::Committee(committee) => committee.check_fit(network, shape, trainer),
            Self::Auto => Self::for_samples(shape, true).check_fit(network, shape, trainer),
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
            Self::Network(pair) => pair.read(stored, sample_shape, device),
            Self::Model(model) => model.get()?.read(stored, sample_shape, device),
            Self::Committee(committee) => committee.read(stored, sample_shape, device),
            Self::Auto => {
                let rule = "one that was fitted, of a model";
                Err(stored.wrong(Error::config("method", rule, self)))
            }
        }
    }

    /// JSON of all settings, which reads as this method whatever the defaults are by then.
    pub(crate) fn whole(&self) -> Result<Value> {
        Ok(match self {
            Self::Network(pair) => json!({
                "detector": pair.detector.whole()?,
                "objective": pair.objective.whole()?,
            }),
            Self::Model(model) => json!({ "model": model.whole()? }),
            Self::Committee(committee) => {
                let member = |member: &Member| {
                    let mut whole = json!(member);
                    whole["method"] = member.method.whole()?;
                    Ok(whole)
                };
                let members: Result<Vec<_>> = committee.members.iter().map(member).collect();
                json!({ "committee": { "members": members?, "folds": committee.folds } })
            }
            Self::Auto => json!(self),
        })
    }

    /// What tells it from other methods: JSON without defaults, beside the versions of the defaults.
    pub(crate) fn label(&self) -> Value {
        json!({ "method": self, "versions": self.versions() })
    }

    /// Of the parts' defaults.
    fn versions(&self) -> Vec<u32> {
        match self {
            Self::Network(pair) => vec![pair.detector.version(), pair.objective.version()],
            Self::Model(model) => vec![model.version()],
            Self::Committee(committee) => committee.methods().flat_map(Self::versions).collect(),
            Self::Auto => vec![],
        }
    }

    /// Detector and objective by name, or the model's, or those of a committee's members.
    pub(crate) fn parts(&self) -> String {
        match self {
            Self::Network(pair) => pair.name(),
            Self::Model(model) => model.name().into(),
            Self::Committee(committee) => joined(committee.methods().map(Self::parts)),
            Self::Auto => "auto".into(),
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
        if name.contains('+') {
            let members = name.split('+').map(|name| Self::of_name(name.trim()));
            return Some(Committee::of(members.collect::<Option<Vec<_>>>()?).into());
        }
        let (detector, objective) = name.split_once('/')?;
        let empty = || json!({});
        Some(Self::Network(Pair {
            detector: Spec::named(detector.to_lowercase(), empty()),
            objective: Spec::named(objective.to_lowercase(), empty()),
        }))
    }
}

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
        match (self.named(), self) {
            (Some((name, _)), _) => f.pad(name),
            (None, Self::Committee(committee)) => {
                f.pad(&joined(committee.methods().map(Self::to_string)))
            }
            (None, _) => f.pad(&self.parts()),
        }
    }
}

fn joined(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(" + ")
}

/// Whether it is true of a member.
fn any(committee: &Committee, of: impl Fn(&Method) -> Result<bool>) -> Result<bool> {
    let mut any = false;
    for method in committee.methods() {
        any |= of(method)?;
    }
    Ok(any)
}

impl FromStr for Method {
    type Err = Error;

    /// # Errors
    /// [`Error::Config`] for a name that is none of the shipped ones, or several with `+` between them, a committee;
    /// case does not matter.
    fn from_str(name: &str) -> Result<Self> {
        Registry::default().parse(name)
    }
}

impl Method {
    pub(super) fn parse_with(name: &str, registry: &Registry) -> Result<Self> {
        if name.contains('+') {
            let members = name.split('+');
            let members = members.map(|name| Self::parse_with(name.trim(), registry));
            let committee = Self::from(Committee::of(members.collect::<Result<Vec<_>>>()?));
            return committee.check().map(|()| committee);
        }
        let rule = "a name in puad::method, detector/objective, a registered model, or several with + between them";
        let unknown = || Error::config("method", rule, name);
        let mut models = registry.models();
        let mut model = || models.find(|model| model.eq_ignore_ascii_case(name));
        let method = match Self::of_name(name) {
            Some(method) => method,
            None => Self::Model(Spec::named(model().ok_or_else(unknown)?, json!({}))),
        };
        let method = registry.resolve(&method)?;
        method.check().map_err(|error| match error {
            Error::UnknownSpecification { .. } => unknown(),
            error => error,
        })?;
        Ok(method)
    }
}

/// A model as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alone {
    model: Spec<dyn ModelSpec>,
}

/// A committee as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Together {
    committee: Committee,
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.named(), self) {
            (Some((name, method)), _) if method == *self => serializer.serialize_str(name),
            (_, Self::Network(pair)) => pair.serialize(serializer),
            (_, Self::Model(model)) => {
                let model = model.clone();
                Alone { model }.serialize(serializer)
            }
            (_, Self::Committee(committee)) => {
                let committee = committee.clone();
                Together { committee }.serialize(serializer)
            }
            (_, Self::Auto) => serializer.serialize_str("Auto"),
        }
    }
}

/// Names that this crate ships are resolved, others wait for a [`Registry`].
impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let method = match Value::deserialize(deserializer)? {
            Value::String(name) => Self::of_name(&name).ok_or_else(|| {
                let rule = "a method must be a name in puad::method or detector/objective";
                D::Error::custom(format!("{rule}, got {name:?}"))
            })?,
            Value::Object(fields) if fields.contains_key("model") => {
                let alone = Alone::deserialize(Value::Object(fields));
                Self::Model(alone.map_err(D::Error::custom)?.model)
            }
            Value::Object(fields) if fields.contains_key("committee") => {
                let together = Together::deserialize(Value::Object(fields));
                Self::Committee(together.map_err(D::Error::custom)?.committee)
            }
            other => Self::Network(Pair::deserialize(other).map_err(D::Error::custom)?),
        };
        let resolved = Registry::default().resolve(&method);
        resolved.map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_reads_as_it_prints() {
        let registry = Registry::default();
        // Isolation forest, PUForest and Auto are of no pair.
        let mut named = 3;
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

    #[test]
    fn errors_of_json_name_what_is_wrong() {
        for (wrong, told) in [
            (json!("masked"), "got \"masked\""),
            (
                json!({"detector": "autoencoder"}),
                "missing field `objective`",
            ),
            (
                json!({"detector": "autoencoder", "objective": "pu", "epochs": 3}),
                "unknown field `epochs`",
            ),
            (
                json!({"model": "isolation-forest", "epochs": 3}),
                "unknown field `epochs`",
            ),
            (
                json!({"detector": {"denoising": {"loudness": 1.}}, "objective": "pu"}),
                "unknown field `loudness`",
            ),
            (
                json!({"model": {"isolation-forest": {"trees": 0}}}),
                "trees",
            ),
            (
                json!({"model": ["isolation-forest"]}),
                "one name with its settings",
            ),
            (json!(3), "3"),
        ] {
            let err = serde_json::from_value::<Method>(wrong.clone()).unwrap_err();
            assert!(err.to_string().contains(told), "{wrong}: {err}");
        }
    }

    /// Settings that a file must have, whatever the defaults are when it is read.
    #[test]
    fn all_settings_read_as_the_method() {
        for (name, method) in Method::NAMED {
            let whole = method.whole().unwrap();
            assert_eq!(whole.is_object(), *name != "Auto", "{name}: {whole}");
            assert_eq!(serde_json::from_value::<Method>(whole).unwrap(), *method);
        }
        let expected =
            json!({"detector": {"denoising": {"noise": 0.1}}, "objective": {"unsupervised": {}}});
        assert_eq!(Method::DAE.whole().unwrap(), expected);
    }
}
