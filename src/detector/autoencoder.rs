use std::sync::Arc;

use candle_core::{ModuleT, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::{Built, DetectorSpec, Frozen, Pooling, is_default, required};
use crate::explanation::Explanation;
use crate::net::{Decoder, Encoder, Layers, Network};
use crate::spec::Specification;
use crate::{Error, NonNegativeLoss, Pass, Result, ops};

/// Eq. 1: `l = ||D(E(x)) - x||`, the Euclidean norm over all dimensions, not squared.
///
/// # References
/// Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks, Science 2006.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::detector::Autoencoder;
/// use puad::net::{LeNetConfig, LeNetDecoder, LeNetEncoder};
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let (config, vb) = (LeNetConfig::default(), params.var_builder());
/// let encoder = LeNetEncoder::new(&config, vb.pp("encoder"))?;
/// let detector = Autoencoder::new(encoder, LeNetDecoder::new(&config, vb.pp("decoder"))?);
/// let images = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu)?;
/// assert_eq!(detector.score(&images)?.dims(), [2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Autoencoder<E, D> {
    encoder: E,
    decoder: D,
    pooling: Pooling,
}

impl<E: ModuleT, D: ModuleT> Autoencoder<E, D> {
    /// `encoder`: `[batch, ...] -> [batch, latent]`; `decoder` back to the input's shape.
    pub fn new(encoder: E, decoder: D) -> Self {
        let pooling = Pooling::Whole;
        Self {
            encoder,
            decoder,
            pooling,
        }
    }

    /// With another score than the loss; under [`Pooling::LargestPatch`] it takes images alone.
    ///
    /// ```
    /// use puad::candle_core::{DType, Device, Tensor};
    /// use puad::detector::{Autoencoder, Pooling};
    /// use puad::net::{LeNetConfig, LeNetDecoder, LeNetEncoder};
    /// use puad::{NonNegativeLoss, Params};
    ///
    /// let params = Params::new(0, DType::F32, &Device::Cpu);
    /// let (config, vb) = (LeNetConfig::default(), params.var_builder());
    /// let encoder = LeNetEncoder::new(&config, vb.pp("encoder"))?;
    /// let detector = Autoencoder::new(encoder, LeNetDecoder::new(&config, vb.pp("decoder"))?);
    /// let images = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu)?;
    /// let whole = detector.score(&images)?.to_vec1::<f32>()?;
    ///
    /// let detector = detector.with_pooling(Pooling::LargestPatch { side: Some(4) })?;
    /// let patch = detector.score(&images)?.to_vec1::<f32>()?;
    /// assert!(0. < patch[0] && patch[0] < whole[0]);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for patches with a side of 0.
    pub fn with_pooling(self, pooling: Pooling) -> Result<Self> {
        pooling.check()?;
        Ok(Self { pooling, ..self })
    }

    /// The encoder.
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// The reconstruction of each sample in an evaluation pass, in the shape of `xs`.
    ///
    /// # Errors
    /// As [`NonNegativeLoss::per_sample`].
    pub fn reconstruct(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(ops::without_graph(xs, || self.decode_encoded(xs, false))?.detach())
    }

    fn decode_encoded(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let latent = self.encoder.forward_t(xs, train)?;
        let reconstruction = self.decoder.forward_t(&latent, train)?;
        if reconstruction.dims() == xs.dims() {
            return Ok(reconstruction);
        }
        let expected = format!("{:?}, that of the input", xs.dims());
        let what = "the reconstruction";
        Err(Error::shape(what, expected, &reconstruction))
    }

    /// The error of reconstructing `xs` from `input` in its shape, `[batch]`.
    pub(super) fn error(&self, input: &Tensor, xs: &Tensor, train: bool) -> Result<Tensor> {
        let reconstruction = self.decode_encoded(input, train)?;
        Ok(ops::l2_distance(&reconstruction, xs)?)
    }
}

impl Autoencoder<Encoder, Decoder> {
    /// For scoring vectors alone, with the parameters as they are now; `None` of images.
    pub(super) fn frozen(&self) -> Result<Option<Frozen>> {
        let networks = (self.encoder.perceptron(), self.decoder.perceptron());
        let (Some(encoder), Some(decoder)) = networks else {
            return Ok(None);
        };
        if !self.pooling.is_whole() {
            return Ok(None);
        }
        let layers = [encoder.linear_layers(), decoder.linear_layers()].concat();
        Frozen::of_reconstruction(&layers)
    }
}

impl<E: ModuleT, D: ModuleT> NonNegativeLoss for Autoencoder<E, D> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        self.error(xs, xs, pass.is_training())
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(self.pooling.score(&self.reconstruct(xs)?, xs)?.detach())
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        Explanation::reconstruction_error(xs, self.reconstruct(xs)?).map(Some)
    }
}

/// [`Autoencoder`] by name, `autoencoder`: AE, ABC, PUAE.
///
/// ```
/// use puad::detector::AutoencoderSpec;
/// use puad::method::Method;
/// use puad::objective::PuSpec;
///
/// assert_eq!(Method::new(AutoencoderSpec::default(), PuSpec::default()), Method::PUAE);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoencoderSpec {
    /// What of the error is the score. Not written where it is [`Pooling::Whole`].
    #[serde(skip_serializing_if = "Pooling::is_whole")]
    pub pooling: Pooling,
    /// Epochs at most in which it is trained on the unlabeled samples without labels first, as DeepSVDD's encoder is; its
    /// objective goes on from there. It finds kinds that are not labeled better then. Default: 0, none, as the paper has
    /// it, and not written then.
    #[serde(skip_serializing_if = "is_default")]
    pub pretraining_epochs: usize,
}

impl AutoencoderSpec {
    pub(crate) const DEFAULT: Self = Self {
        pooling: Pooling::Whole,
        pretraining_epochs: 0,
    };
}

impl Specification for AutoencoderSpec {
    const NAME: &'static str = "autoencoder";

    fn check(&self) -> Result<()> {
        self.pooling.check()
    }
}

impl DetectorSpec for AutoencoderSpec {
    fn network(&self, sample_shape: &[usize]) -> Result<Option<Network>> {
        Network::for_samples(sample_shape).map(Some)
    }

    fn pretrains_without_labels(&self) -> bool {
        self.pretraining_epochs > 0
    }

    fn check_samples(&self, sample_shape: &[usize]) -> Result<()> {
        self.pooling.check_samples(sample_shape)
    }

    fn build(
        &self,
        sample_shape: &[usize],
        network: Option<&Network>,
        vb: VarBuilder<'_>,
    ) -> Result<Built> {
        self.check_samples(sample_shape)?;
        let network = required(network, sample_shape)?;
        let detector = Arc::new(on_network(network, self.pooling, vb)?);
        let built = Built::shared(detector.clone()).with_freezing(move || detector.frozen());
        Ok(built.with_unsupervised_pretraining(self.pretraining_epochs))
    }
}

/// On an automatic or explicit network, with its parameters under `encoder` and `decoder` of `vb`.
pub(super) fn on_network(
    network: &Network,
    pooling: Pooling,
    vb: VarBuilder<'_>,
) -> Result<Autoencoder<Encoder, Decoder>> {
    let layers = Layers::default();
    let encoder = network.encoder(layers, vb.pp("encoder"))?;
    let decoder = network.decoder(layers, vb.pp("decoder"))?;
    Autoencoder::new(encoder, decoder).with_pooling(pooling)
}
