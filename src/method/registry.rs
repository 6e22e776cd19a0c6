use super::{Method, Pair};
use crate::Result;
use crate::detector::{self, DetectorSpec};
use crate::model::ModelSpec;
use crate::objective::{self, ObjectiveSpec};
use crate::spec::{Catalog, Specification, entry};

/// The specifications that names in files and JSON stand for: the shipped ones, and a user's own.
///
/// ```
/// use puad::detector::AutoencoderSpec;
/// use puad::method::{Method, Registry};
///
/// // A detector of one's own is added by its type; this one is shipped already.
/// let registry = Registry::default().with_detector::<AutoencoderSpec>();
/// let method: Method = serde_json::from_str(r#"{"detector": "autoencoder", "objective": "pu"}"#).unwrap();
/// assert_eq!(registry.resolve(&method)?, Method::PUAE);
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
            detectors: Catalog::new("detector", detector::SHIPPED),
            objectives: Catalog::new("objective", objective::SHIPPED),
            models: Catalog::new("model", crate::baseline::SHIPPED),
        }
    }
}

impl Registry {
    /// With a detector; one of the same name is replaced.
    pub fn with_detector<S: Specification + DetectorSpec>(mut self) -> Self {
        self.detectors.add(entry!(DetectorSpec, S));
        self
    }

    /// With an objective; one of the same name is replaced.
    pub fn with_objective<S: Specification + ObjectiveSpec>(mut self) -> Self {
        self.objectives.add(entry!(ObjectiveSpec, S));
        self
    }

    /// With a model; one of the same name is replaced.
    pub fn with_model<S: Specification + ModelSpec>(mut self) -> Self {
        self.models.add(entry!(ModelSpec, S));
        self
    }

    /// `method` with the specifications that its names stand for, its settings checked. Names that
    /// nobody registered stay: only using them is an error.
    ///
    /// # Errors
    /// [`Error::Settings`](crate::Error::Settings) for settings that are not the specification's,
    /// [`Error::Config`](crate::Error::Config) for a value outside its range.
    pub fn resolve(&self, method: &Method) -> Result<Method> {
        Ok(match method {
            Method::Network(pair) => Method::Network(Pair {
                detector: self.detectors.resolve(&pair.detector)?,
                objective: self.objectives.resolve(&pair.objective)?,
            }),
            Method::Model(model) => Method::Model(self.models.resolve(model)?),
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
}
