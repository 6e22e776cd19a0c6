use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;

use candle_core::{Device, Tensor};

use super::{Fitted, ModelState};
use crate::explanation::Explanation;
use crate::net::Network;
use crate::{Error, NonNegativeLoss, Params, Result, SharedDetector, scores_of};

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
        })
    }

    /// The network, with the sizes it was given; `None` if the detector has layers of its own.
    pub fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// The detector: `[batch, ...]` in f32 on the parameters' device, transformed.
    pub fn detector(&self) -> &SharedDetector {
        &self.detector
    }

    /// The network's parameters and buffers.
    pub fn params(&self) -> &Params {
        &self.params
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

    /// The network's sizes, null without one, and the tensors of [`params`](Self::params).
    fn state(&self) -> Result<ModelState> {
        let all = self.params.parameters().into_iter();
        let all = all.chain(self.params.buffers());
        let tensors = all.map(|(name, var)| (name, var.into_inner()));
        let content = serde_json::to_value(&self.network).map_err(|e| Error::Settings {
            kind: "network",
            name: "sizes".into(),
            cause: e.into(),
        })?;
        Ok(ModelState {
            content,
            tensors: tensors.collect::<BTreeMap<_, _>>(),
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
