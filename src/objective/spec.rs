use super::Objective;
use crate::spec::{AnySpecification, family};
use crate::{ClassPrior, Result, SharedDetector};

/// An objective chosen at run time.
pub type SharedObjective = Box<dyn Objective<Loss = SharedDetector> + Send + Sync>;

/// The settings of an objective, which build it on a detector; implemented by the shipped ones and by
/// a user's own alike.
///
/// ```
/// use puad::candle_core::Tensor;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::detector::AutoencoderSpec;
/// use puad::method::Method;
/// use puad::objective::{GroupLosses, Groups, Objective, ObjectiveSpec, SharedObjective};
/// use puad::spec::Specification;
/// use puad::{ClassPrior, Estimator, FitConfig, Result, SharedDetector};
/// use serde::{Deserialize, Serialize};
///
/// /// Descends the worst of the unlabeled losses.
/// #[derive(Clone, Debug, Default, Serialize, Deserialize)]
/// struct WorstSpec {}
///
/// struct Worst(SharedDetector);
///
/// impl Objective for Worst {
///     type Loss = SharedDetector;
///     fn detector(&self) -> &SharedDetector {
///         &self.0
///     }
///     fn sees(&self) -> Groups {
///         Groups::NONE
///     }
///     fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
///         let unlabeled = losses.unlabeled.as_ref().expect("a batch has unlabeled samples");
///         Ok(unlabeled.normal.max(0)?)
///     }
/// }
///
/// impl Specification for WorstSpec {
///     const NAME: &'static str = "worst";
/// }
///
/// impl ObjectiveSpec for WorstSpec {
///     fn build(&self, detector: SharedDetector, _: ClassPrior) -> Result<SharedObjective> {
///         Ok(Box::new(Worst(detector)))
///     }
/// }
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let method = Some(Method::new(AutoencoderSpec::default(), WorstSpec {}));
/// let mut config = FitConfig { method, ..FitConfig::default() };
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert_eq!(detector.method().to_string(), "autoencoder/worst");
/// # Ok::<(), puad::Error>(())
/// ```
pub trait ObjectiveSpec: AnySpecification {
    /// The objective over `detector`; `prior` is the class prior of the fit.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a value outside its range.
    fn build(&self, detector: SharedDetector, prior: ClassPrior) -> Result<SharedObjective>;

    /// The smallest class prior that a fit trains with: with a smaller one nothing would be learned from the
    /// labeled anomalies. Default: 0.
    fn least_prior(&self) -> f64 {
        0.
    }
}

family!(ObjectiveSpec, "objective");
