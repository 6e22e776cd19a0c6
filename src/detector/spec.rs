use std::fmt;
use std::sync::Arc;

use candle_nn::VarBuilder;

use super::Frozen;
use crate::net::Network;
use crate::objective::UnsupervisedObjective;
use crate::spec::{AnySpecification, family};
use crate::train::{History, Pretraining};
use crate::{Error, NonNegativeLoss, Result, SharedDetector};

/// The settings of a network detector, which build it; implemented by the shipped ones and by a user's
/// own alike.
///
/// ```
/// use puad::candle_core::{Module, Tensor};
/// use puad::candle_nn::{self, VarBuilder};
/// use puad::data::toy::{self, ToyConfig};
/// use puad::detector::{Built, DetectorSpec};
/// use puad::method::Method;
/// use puad::net::Network;
/// use puad::objective::PuSpec;
/// use puad::spec::Specification;
/// use puad::{Estimator, FitConfig, NonNegativeLoss, Pass, Result};
/// use serde::{Deserialize, Serialize};
///
/// /// Predicts the second feature from the first.
/// struct Regression(candle_nn::Linear);
///
/// impl NonNegativeLoss for Regression {
///     fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
///         let error = (self.0.forward(&xs.narrow(1, 0, 1)?)? - xs.narrow(1, 1, 1)?)?;
///         Ok(error.sqr()?.sum(1)?)
///     }
/// }
///
/// #[derive(Clone, Debug, Default, Serialize, Deserialize)]
/// struct RegressionSpec {}
///
/// impl Specification for RegressionSpec {
///     const NAME: &'static str = "regression";
/// }
///
/// impl DetectorSpec for RegressionSpec {
///     fn build(&self, _: &[usize], _: Option<&Network>, vb: VarBuilder<'_>) -> Result<Built> {
///         Ok(Built::new(Regression(candle_nn::linear(1, 1, vb.pp("linear"))?)))
///     }
/// }
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let method = Some(Method::new(RegressionSpec {}, PuSpec::default()));
/// let mut config = FitConfig { method, ..FitConfig::default() };
/// config.train.epochs = 2;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert_eq!(detector.predict(&toy.unseen)?.len(), toy.unseen.len());
/// # Ok::<(), puad::Error>(())
/// ```
pub trait DetectorSpec: AnySpecification {
    /// The automatic network for samples of this shape, of a detector that is built on a [`Network`]:
    /// [`Network::for_samples`], say. Default: `None`, for a detector with layers of its own.
    ///
    /// # Errors
    /// As there, for samples that no automatic network suits.
    fn network(&self, _sample_shape: &[usize]) -> Result<Option<Network>> {
        Ok(None)
    }

    /// The detector for samples of this shape, all its tensors from `vb` and in f32. `network` is for
    /// samples of this shape too, and `None` for a detector with layers of its own.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for samples or a network that the detector cannot use;
    /// candle's error if `vb` holds other shapes.
    fn build(
        &self,
        sample_shape: &[usize],
        network: Option<&Network>,
        vb: VarBuilder<'_>,
    ) -> Result<Built>;

    /// Whether it takes samples of this shape, asked before anything is computed. Default: yes.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a setting that these samples have no use for.
    fn check_samples(&self, _sample_shape: &[usize]) -> Result<()> {
        Ok(())
    }

    /// Whether its score of the sample that is 0 everywhere is the same whatever it learns, as that of a
    /// network without bias is. Vectors are then scaled so that no usual one is there. Default: no.
    fn is_homogeneous(&self) -> bool {
        false
    }

    /// Whether a [`Committee`](crate::method::Committee) may have its pre-training once, on the unlabeled samples alone, so
    /// that its fits, each without another fold of the labels, go on from one start: for a pre-training that has no use
    /// for labels. Default: no, each fit has its own.
    fn pretrains_without_labels(&self) -> bool {
        false
    }

    /// Whether it is nothing without labeled anomalies. Default: no.
    fn needs_anomalies(&self) -> bool {
        false
    }
}

family!(DetectorSpec, "detector");

/// Whether a setting is as it is by default, and so not written.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The network of a detector that is built on one, which must be for samples of this shape.
pub(super) fn required<'a>(
    network: Option<&'a Network>,
    sample_shape: &[usize],
) -> Result<&'a Network> {
    let fits = |network: &&Network| network.sample_shape() == sample_shape;
    network.filter(fits).ok_or_else(|| {
        let rule = "one for samples of the data's shape, under a detector built on a network";
        let shape = network.map(Network::sample_shape);
        Error::config("network", rule, format!("{shape:?} for {sample_shape:?}"))
    })
}

/// Makes a copy of a detector for scoring alone.
pub(crate) type Freeze = dyn Fn() -> Result<Option<Frozen>> + Send + Sync;

type Pretrain = dyn Fn(&mut Pretraining<'_>) -> Result<History> + Send + Sync;

/// A detector with its initial weights, and what comes before its own training; see [`DetectorSpec`]
/// for an example. Clones share the weights.
#[derive(Clone)]
pub struct Built {
    detector: SharedDetector,
    pretrain: Option<Arc<Pretrain>>,
    freeze: Option<Arc<Freeze>>,
}

impl Built {
    /// A detector that is trained in one phase.
    pub fn new(detector: impl NonNegativeLoss + Send + Sync + 'static) -> Self {
        Self::shared(Arc::new(detector))
    }

    /// As [`new`](Self::new), of a detector that others hold too.
    pub fn shared(detector: SharedDetector) -> Self {
        Self {
            detector,
            pretrain: None,
            freeze: None,
        }
    }

    /// With the way to a copy for scoring alone, with the parameters as they are when it is made; it may find that there
    /// is none.
    pub(super) fn with_freezing(
        self,
        freeze: impl Fn() -> Result<Option<Frozen>> + Send + Sync + 'static,
    ) -> Self {
        let freeze: Option<Arc<Freeze>> = Some(Arc::new(freeze));
        Self { freeze, ..self }
    }

    /// How the copy for scoring alone is made, if there is a way.
    pub(crate) fn freezing(&self) -> Option<&Arc<Freeze>> {
        self.freeze.as_ref()
    }

    /// With a phase before the training proper. It is called with the tensors in place, and not for a
    /// detector read from a file.
    pub fn with_pretraining(
        self,
        pretrain: impl Fn(&mut Pretraining<'_>) -> Result<History> + Send + Sync + 'static,
    ) -> Self {
        let pretrain: Option<Arc<Pretrain>> = Some(Arc::new(pretrain));
        Self { pretrain, ..self }
    }

    /// With so many epochs at most on the unlabeled samples, without labels, by the detector's own loss as the phase
    /// before: its objective goes on from what it has learned there. Without one if it is 0.
    ///
    /// ```
    /// use puad::detector::AutoencoderSpec;
    /// use puad::method::Method;
    /// use puad::objective::PuSpec;
    ///
    /// // A PUAE that begins as an AE.
    /// let detector = AutoencoderSpec { pretraining_epochs: 40, ..AutoencoderSpec::default() };
    /// let method = Method::new(detector, PuSpec::default());
    /// assert_eq!(method.to_string(), "PUAE");
    /// ```
    pub fn with_unsupervised_pretraining(self, epochs: usize) -> Self {
        if epochs == 0 {
            return self;
        }
        let detector = self.detector.clone();
        self.with_pretraining(move |pretraining| {
            pretraining.fit_at_most(epochs, &UnsupervisedObjective::new(detector.clone()))
        })
    }

    /// The detector.
    pub fn detector(&self) -> &SharedDetector {
        &self.detector
    }

    /// Runs the phase before, if there is one.
    ///
    /// # Errors
    /// As its own training.
    pub fn pretrain(&self, pretraining: &mut Pretraining<'_>) -> Result<Option<History>> {
        let run = self.pretrain.as_ref();
        run.map(|pretrain| pretrain(pretraining)).transpose()
    }

    /// Whether there is a phase before.
    pub fn has_pretraining(&self) -> bool {
        self.pretrain.is_some()
    }
}

impl fmt::Debug for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Built")
            .field("has_pretraining", &self.has_pretraining())
            .finish_non_exhaustive()
    }
}
