mod auto;
mod normals;
mod text;

use std::sync::Arc;

use candle_core::Device;
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

    /// Whether it is fitted to samples that are never held all at once.
    fn takes_stored(&self) -> Result<bool> {
        match self {
            Self::Network(_) => Ok(true),
            Self::Model(model) => Ok(model.get()?.takes_stored()),
            Self::Committee(_) | Self::Auto => Ok(false),
        }
    }

    /// Whether the data hold what a model needs; an objective is asked by its trainer.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] for labeled anomalies that are needed and not there; [`Error::Config`] for samples in a file and a
    /// method that would have to read them all.
    pub(crate) fn check_data(&self, data: &PuDataset) -> Result<()> {
        if data.is_stored() && !self.takes_stored()? {
            let rule = "a network's or the isolation forest, for samples that stay in a file; \
                        `Samples::in_memory` reads them for any other";
            return Err(Error::config("method", rule, self));
        }
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
