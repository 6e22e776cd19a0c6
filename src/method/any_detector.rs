use candle_core::Tensor;
use candle_nn::VarBuilder;

use super::{Decoder, DetectorKind, Encoder, MethodOptions, Network};
use crate::detector::{Autoencoder, Classifier, DeepSvdd, DenoisingAutoencoder, RotationHead};
use crate::{AnomalyTerm, Error, NonNegativeLoss, Pass, Result, SampleLosses};

/// One of the shipped detectors, chosen at run time; clones share their parameters.
///
/// ```
/// use puad::method::{AnyDetector, DetectorKind, MethodOptions, Network};
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let network = Network::for_samples(&[5])?;
/// let options = MethodOptions::default();
/// let detector =
///     AnyDetector::new(DetectorKind::DeepSvdd, &network, &options, params.var_builder())?;
/// let xs = Tensor::zeros((4, 5), DType::F32, &Device::Cpu)?;
/// assert_eq!(detector.score(&xs)?.dims(), [4]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnyDetector {
    /// Eq. 1.
    Autoencoder(Autoencoder<Encoder, Decoder>),
    /// Eq. 16.
    Denoising(DenoisingAutoencoder<Encoder, Decoder>),
    /// Eq. 14.
    DeepSvdd(DeepSvdd<Encoder>),
    /// The PU baseline.
    Classifier(Classifier<Encoder>),
    /// Predicts rotations of square images.
    Rotation(RotationHead<Encoder>),
}

impl AnyDetector {
    /// Takes `encoder.*` and, by its kind, `decoder.*`, `center`, `logit.*` or `turn.*` from `vb`.
    ///
    /// # Errors
    /// [`Error::Config`] for a network that the detector cannot use; candle's error if `vb` holds
    /// other shapes.
    pub fn new(
        kind: DetectorKind,
        network: &Network,
        options: &MethodOptions,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let encoder = network.encoder(kind, vb.pp("encoder"))?;
        let latent = network.latent();
        let autoencoder = |encoder| -> Result<_> {
            let decoder = network.decoder(kind, vb.pp("decoder"))?;
            Ok(Autoencoder::new(encoder, decoder))
        };
        Ok(match kind {
            DetectorKind::Autoencoder => Self::Autoencoder(autoencoder(encoder)?),
            DetectorKind::Denoising => {
                let inner = autoencoder(encoder)?;
                Self::Denoising(DenoisingAutoencoder::new(inner, options.noise)?)
            }
            DetectorKind::DeepSvdd => Self::DeepSvdd(DeepSvdd::new(encoder, latent, vb)?),
            DetectorKind::Classifier => {
                let classifier = Classifier::new(encoder, latent, vb)?;
                Self::Classifier(classifier.with_loss(options.classifier_loss))
            }
            DetectorKind::Rotation => {
                let shape = network.sample_shape();
                if !matches!(shape[..], [_, height, width] if height == width) {
                    let rule = "for square images under a rotation head";
                    return Err(Error::config("network", rule, format!("{shape:?}")));
                }
                Self::Rotation(RotationHead::new(encoder, latent, vb)?)
            }
        })
    }

    /// The autoencoder, in the detectors that reconstruct their input.
    pub fn autoencoder(&self) -> Option<&Autoencoder<Encoder, Decoder>> {
        match self {
            Self::Autoencoder(detector) => Some(detector),
            Self::Denoising(detector) => Some(detector.autoencoder()),
            _ => None,
        }
    }

    /// [`NonNegativeLoss::score`] with its graph, `[batch, ...] -> [batch]`.
    pub(crate) fn differentiable_score(&self, xs: &Tensor) -> Result<Tensor> {
        match self {
            Self::Classifier(detector) => detector.logits(xs, false),
            _ => self.per_sample(xs, &mut Pass::evaluation()),
        }
    }

    fn inner(&self) -> &dyn NonNegativeLoss {
        match self {
            Self::Autoencoder(detector) => detector,
            Self::Denoising(detector) => detector,
            Self::DeepSvdd(detector) => detector,
            Self::Classifier(detector) => detector,
            Self::Rotation(detector) => detector,
        }
    }
}

impl NonNegativeLoss for AnyDetector {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        self.inner().per_sample(xs, pass)
    }

    fn anomaly_term(&self) -> AnomalyTerm {
        self.inner().anomaly_term()
    }

    fn losses(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<SampleLosses> {
        self.inner().losses(xs, pass)
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        self.inner().score(xs)
    }
}
