use super::{Method, Pair};
use crate::Result;
use crate::detector::{self, DetectorSpec};
use crate::model::ModelSpec;
use crate::objective::{self, ObjectiveSpec};
use crate::spec::{Catalog, Specification, entry};

/// The specifications that names in files and JSON stand for: the shipped ones, and a user's own.
///
/// ```
/// use puad::method::{Method, Registry};
/// use puad::objective::{ObjectiveSpec, SharedObjective, UnsupervisedObjective};
/// use puad::spec::Specification;
/// use puad::{ClassPrior, Result, SharedDetector};
/// use serde::{Deserialize, Serialize};
///
/// /// The mean loss, under another name.
/// #[derive(Clone, Debug, Default, Serialize, Deserialize)]
/// struct MeanSpec {}
///
/// impl Specification for MeanSpec {
///     const NAME: &'static str = "mean";
/// }
///
/// impl ObjectiveSpec for MeanSpec {
///     fn build(&self, detector: SharedDetector, _: ClassPrior) -> Result<SharedObjective> {
///         Ok(Box::new(UnsupervisedObjective::new(detector)))
///     }
/// }
///
/// let registry = Registry::default().with_objective::<MeanSpec>()?;
/// let method = registry.parse("autoencoder/mean")?;
/// assert_eq!(method.to_string(), "autoencoder/mean");
/// // JSON waits for the registry.
/// let json = r#"{"detector": "autoencoder", "objective": "mean"}"#;
/// let waiting: Method = serde_json::from_str(json).unwrap();
/// assert!(waiting.check().is_err());
/// assert_eq!(registry.resolve(&waiting)?, method);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone)]
pub struct Registry {
    detectors: Catalog<dyn DetectorSpec>,
    objectives: Catalog<dyn ObjectiveSpec>,
    models: Catalog<dyn ModelSpec>,
}

impl Default for Registry {
    /// What this crate ships.
    fn default() -> Self {
        Self {
            detectors: Catalog::new(detector::SHIPPED),
            objectives: Catalog::new(objective::SHIPPED),
            models: Catalog::new(crate::baseline::SHIPPED),
        }
    }
}

impl Registry {
    /// With a detector.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a name that another detector has.
    pub fn with_detector<S: Specification + DetectorSpec>(mut self) -> Result<Self> {
        self.detectors = self.detectors.with(entry!(DetectorSpec, S))?;
        Ok(self)
    }

    /// With an objective.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a name that another objective has.
    pub fn with_objective<S: Specification + ObjectiveSpec>(mut self) -> Result<Self> {
        self.objectives = self.objectives.with(entry!(ObjectiveSpec, S))?;
        Ok(self)
    }

    /// With a model.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a name that another model has.
    pub fn with_model<S: Specification + ModelSpec>(mut self) -> Result<Self> {
        self.models = self.models.with(entry!(ModelSpec, S))?;
        Ok(self)
    }

    /// The method of this name: one of the paper's, or `detector/objective`, or a model's; case does not
    /// matter.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for any other.
    pub fn parse(&self, name: &str) -> Result<Method> {
        Method::parse_with(name, self)
    }

    /// `method` with the specifications that its names stand for, its settings checked. Names that
    /// nobody registered stay: only using them is an error.
    ///
    /// # Errors
    /// [`Error::Settings`](crate::Error::Settings) for settings that are not the specification's,
    /// [`Error::Config`](crate::Error::Config) for a value outside its range, or a specification of
    /// another type than the one registered under its name.
    pub fn resolve(&self, method: &Method) -> Result<Method> {
        Ok(match method {
            Method::Network(pair) => Method::Network(Pair {
                detector: self.detectors.resolve(&pair.detector)?,
                objective: self.objectives.resolve(&pair.objective)?,
            }),
            Method::Model(model) => Method::Model(self.models.resolve(model)?),
            Method::Committee(committee) => {
                Method::Committee(committee.map(|method| self.resolve(method))?)
            }
            Method::Auto => Method::Auto,
        })
    }

    /// The names of detectors.
    pub fn detectors(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.detectors.names()
    }

    /// The names of objectives.
    pub fn objectives(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.objectives.names()
    }

    /// The names of models.
    pub fn models(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.models.names()
    }
}
