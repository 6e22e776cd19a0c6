use candle_core::{ModuleT, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::{Built, DetectorSpec, required, scored_at_once};
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
}

impl<E: ModuleT, D: ModuleT> Autoencoder<E, D> {
    /// `encoder`: `[batch, ...] -> [batch, latent]`; `decoder` back to the input's shape.
    pub fn new(encoder: E, decoder: D) -> Self {
        Self { encoder, decoder }
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
        Ok(self.decoder.forward_t(&latent, train)?)
    }

    /// The error of reconstructing `xs` from `input`, `[batch]`.
    pub(super) fn error(&self, input: &Tensor, xs: &Tensor, train: bool) -> Result<Tensor> {
        let reconstruction = self.decode_encoded(input, train)?;
        if reconstruction.dims() != xs.dims() {
            let expected = format!("{:?}, that of the input", xs.dims());
            return Err(Error::shape(
                "the reconstruction",
                expected,
                &reconstruction,
            ));
        }
        Ok(ops::l2_distance(&reconstruction, xs)?)
    }
}

impl<E: ModuleT, D: ModuleT> NonNegativeLoss for Autoencoder<E, D> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        self.error(xs, xs, pass.is_training())
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        scored_at_once(self, xs)
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
/// assert_eq!(Method::new(AutoencoderSpec {}, PuSpec::default()), Method::PUAE);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoencoderSpec {}

impl Specification for AutoencoderSpec {
    const NAME: &'static str = "autoencoder";
}

impl DetectorSpec for AutoencoderSpec {
    fn network(&self, sample_shape: &[usize]) -> Result<Option<Network>> {
        Network::for_samples(sample_shape).map(Some)
    }

    fn build(
        &self,
        sample_shape: &[usize],
        network: Option<&Network>,
        vb: VarBuilder<'_>,
    ) -> Result<Built> {
        let network = required(network, sample_shape)?;
        Ok(Built::new(on_network(network, vb)?))
    }
}

/// On an automatic or explicit network, with its parameters under `encoder` and `decoder` of `vb`.
pub(super) fn on_network(
    network: &Network,
    vb: VarBuilder<'_>,
) -> Result<Autoencoder<Encoder, Decoder>> {
    let layers = Layers::default();
    let encoder = network.encoder(layers, vb.pp("encoder"))?;
    let decoder = network.decoder(layers, vb.pp("decoder"))?;
    Ok(Autoencoder::new(encoder, decoder))
}
