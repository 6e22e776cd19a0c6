use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use candle_core::{DType, Device, Tensor};

use super::{Fitted, ModelState};
use crate::detector::{Built, Freeze, Frozen};
use crate::explanation::Explanation;
use crate::net::Network;
use crate::{Error, NonNegativeLoss, Params, Result, SharedDetector, Snapshot, ops, scores_of};

/// A trained network under a [`NonNegativeLoss`].
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::Method;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig { method: Some(Method::PUAE), ..FitConfig::default() };
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let model = detector.network_model().expect("a PUAE is a network");
/// let network = model.network().expect("a PUAE is built on one");
/// assert_eq!(network.latent(), 2);
/// assert!(model.params().get("encoder.layers.0.weight").is_ok());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone)]
pub struct NetworkModel {
    sample_shape: Vec<usize>,
    network: Option<Network>,
    detector: SharedDetector,
    params: Params,
    /// Of tensors that nobody else has. Clones share it, as they share the tensors.
    freezing: Option<Arc<Freezing>>,
}

impl NetworkModel {
    /// `detector` for samples of this shape, with its tensors; `network` is what it was built on, if it
    /// was built on one.
    ///
    /// # Errors
    /// As [`Params::register_buffers`] for the detector's buffers.
    pub fn new(
        sample_shape: Vec<usize>,
        network: Option<Network>,
        detector: SharedDetector,
        params: Params,
    ) -> Result<Self> {
        params.register_buffers(&detector.buffers())?;
        Ok(Self {
            sample_shape,
            network,
            detector,
            params,
            freezing: None,
        })
    }

    /// As [`new`](Self::new), with a detector and tensors that nobody else has: they stay as they are, and rows are
    /// scored by a copy that need not look for changes, until the caller [asks for them](Self::params).
    pub(crate) fn of_own_tensors(
        sample_shape: Vec<usize>,
        network: Option<Network>,
        built: &Built,
        params: Params,
    ) -> Result<Self> {
        let model = Self::new(sample_shape, network, built.detector().clone(), params)?;
        let freezing = built.freezing().cloned().map(Freezing::new).map(Arc::new);
        Ok(Self { freezing, ..model })
    }

    /// The copy for scoring rows of so many numbers; `None` where there is none, and once parameters may have changed.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    pub(crate) fn frozen(&self, features: usize) -> Result<Option<&Frozen>> {
        let frozen = self
            .freezing
            .as_deref()
            .map_or(Ok(None), Freezing::frozen)?;
        Ok(frozen.filter(|frozen| frozen.inputs() == features))
    }

    fn hand_out(&self) {
        if let Some(freezing) = &self.freezing {
            freezing.handed_out.store(true, Ordering::Release);
        }
    }

    /// The network, with the sizes it was given; `None` if the detector has layers of its own.
    pub fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// The detector: `[batch, ...]` in f32 on the parameters' device, transformed. To ask for it counts as to ask for
    /// [`params`](Self::params).
    pub fn detector(&self) -> &SharedDetector {
        self.hand_out();
        &self.detector
    }

    /// The network's parameters and buffers. Changes count at once: the model of a shipped detector of vectors, and its
    /// clones, look for them at every call from the first time that they are asked for, which costs a few microseconds.
    pub fn params(&self) -> &Params {
        self.hand_out();
        &self.params
    }

    /// A copy of the parameters and buffers.
    ///
    /// # Errors
    /// As [`Params::snapshot`].
    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        self.params.snapshot()
    }
}

/// The copy for scoring, made when it is first needed.
struct Freezing {
    freeze: Arc<Freeze>,
    frozen: OnceLock<Option<Frozen>>,
    /// Whether somebody may have changed parameters since.
    handed_out: AtomicBool,
}

impl Freezing {
    fn new(freeze: Arc<Freeze>) -> Self {
        Self {
            freeze,
            frozen: OnceLock::new(),
            handed_out: AtomicBool::new(false),
        }
    }

    fn frozen(&self) -> Result<Option<&Frozen>> {
        if self.handed_out.load(Ordering::Acquire) {
            return Ok(None);
        }
        if let Some(frozen) = self.frozen.get() {
            return Ok(frozen.as_ref());
        }
        let frozen = (self.freeze)()?;
        Ok(self.frozen.get_or_init(|| frozen).as_ref())
    }
}

impl fmt::Debug for NetworkModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkModel")
            .field("sample_shape", &self.sample_shape)
            .field("network", &self.network)
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

impl Fitted for NetworkModel {
    fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        if let &[_, features] = xs.dims()
            && (xs.dtype(), xs.device().is_cpu()) == (DType::F32, true)
            && let Some(frozen) = self.frozen(features)?
        {
            return Ok(ops::with_values(&xs.contiguous()?, |rows| {
                frozen.score(rows)
            })?);
        }
        scores_of(&self.detector, xs)
    }

    fn sample_shape(&self) -> Vec<usize> {
        self.sample_shape.clone()
    }

    fn device(&self) -> &Device {
        self.params.device()
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        self.detector.explain(xs)
    }

    /// The network's sizes, null without one, and copies of the tensors of [`params`](Self::params).
    fn state(&self) -> Result<ModelState> {
        let content = serde_json::to_value(&self.network).map_err(|e| Error::Settings {
            kind: "network",
            name: "sizes".into(),
            cause: e.into(),
        })?;
        Ok(ModelState {
            content,
            tensors: self.snapshot()?.into_tensors(),
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::{AutoencoderSpec, DetectorSpec};
    use crate::net::MlpShape;

    fn model() -> (NetworkModel, Params) {
        let network = Network::Mlp(MlpShape {
            inputs: 3,
            hidden: vec![8],
            latent: 2,
        });
        let params = Params::new(0, DType::F32, &Device::Cpu);
        let spec = AutoencoderSpec::default();
        let built = spec.build(&[3], Some(&network), params.var_builder());
        let model =
            NetworkModel::of_own_tensors(vec![3], Some(network), &built.unwrap(), params.clone());
        (model.unwrap(), params)
    }

    fn xs() -> Tensor {
        Tensor::new(&[[1f32, -2., 0.5], [0., 3., 1.]], &Device::Cpu).unwrap()
    }

    fn double(params: &Params) {
        for (_, var) in params.parameters() {
            var.set(&(var.as_tensor() * 2.).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_change_of_parameters_that_were_asked_for_counts_at_once_for_all_clones() {
        let (model, _) = model();
        let clone = model.clone();
        let before = model.score(&xs()).unwrap();
        assert_eq!(clone.score(&xs()).unwrap(), before);
        assert!(clone.frozen(3).unwrap().is_some());
        double(model.params());
        let after = model.score(&xs()).unwrap();
        assert_ne!(after, before);
        assert_eq!(clone.score(&xs()).unwrap(), after);
        assert!(model.frozen(3).unwrap().is_none() && clone.frozen(3).unwrap().is_none());
        double(model.params());
        assert_ne!(clone.score(&xs()).unwrap(), after);
    }

    #[test]
    fn nothing_is_compared_before() {
        let (model, params) = model();
        let before = model.score(&xs()).unwrap();
        // Nobody outside can do this.
        double(&params);
        assert_eq!(model.score(&xs()).unwrap(), before);
        assert_ne!(scores_of(model.detector(), &xs()).unwrap(), before);
        // Whoever has the detector may have its buffers.
        assert_ne!(model.score(&xs()).unwrap(), before);
    }

    #[test]
    fn tensors_of_its_state_are_copies() {
        let (model, params) = model();
        let state = model.state().unwrap();
        let kept = |state: &ModelState| state.tensors["encoder.layers.0.weight"].to_vec2::<f32>();
        let before = kept(&state).unwrap();
        double(&params);
        assert_eq!(kept(&state).unwrap(), before);
        assert!(model.frozen(3).unwrap().is_some());
    }

    #[test]
    fn samples_of_another_kind_are_the_detectors_to_judge() {
        let (model, _) = model();
        let wide = Tensor::zeros((2, 4), DType::F32, &Device::Cpu).unwrap();
        assert!(model.score(&wide).is_err());
        let turned = xs().t().unwrap().contiguous().unwrap().t().unwrap();
        assert_eq!(model.score(&turned).unwrap(), model.score(&xs()).unwrap());
    }
}
