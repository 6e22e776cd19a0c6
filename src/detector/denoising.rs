use std::sync::Arc;

use candle_core::{ModuleT, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::{Autoencoder, Built, DetectorSpec, Pooling, autoencoder, is_default, required};
use crate::explanation::Explanation;
use crate::net::Network;
use crate::spec::Specification;
use crate::{Error, NonNegativeLoss, Pass, Result};

/// Eq. 16: `l = ||D(E(x + noise)) - x||`, the noise isotropic Gaussian.
///
/// Noise is added in training passes only; the score is that of the autoencoder without it. Its deviation is
/// one for all samples, or drawn anew for each ([`with_least`](Self::with_least)).
///
/// # References
/// Vincent et al., Extracting and composing robust features with denoising autoencoders, ICML 2008.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::detector::{Autoencoder, DenoisingAutoencoder};
/// use puad::net::{Mlp, MlpConfig};
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let vb = params.var_builder();
/// let encoder = Mlp::new(&MlpConfig::new([2, 16, 16]), vb.pp("encoder"))?;
/// let decoder = Mlp::new(&MlpConfig::new([16, 2]), vb.pp("decoder"))?;
/// let detector = DenoisingAutoencoder::new(Autoencoder::new(encoder, decoder), 0.1)?;
/// let xs = Tensor::zeros((4, 2), DType::F32, &Device::Cpu)?;
/// assert_eq!(detector.score(&xs)?.dims(), [4]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DenoisingAutoencoder<E, D> {
    autoencoder: Autoencoder<E, D>,
    deviation: f64,
    /// The least of the deviations that are drawn.
    least: Option<f64>,
}

impl<E: ModuleT, D: ModuleT> DenoisingAutoencoder<E, D> {
    /// `deviation`: the standard deviation of the noise, in the unit of the data.
    ///
    /// # Errors
    /// [`Error::Config`] if the deviation is negative or not finite.
    pub fn new(autoencoder: Autoencoder<E, D>, deviation: f64) -> Result<Self> {
        check("deviation", deviation)?;
        Ok(Self {
            autoencoder,
            deviation,
            least: None,
        })
    }

    /// With a deviation of each sample's own, drawn uniformly between `least` and that of [`new`](Self::new)
    /// in every pass, so that it learns to mend little noise and much.
    ///
    /// ```
    /// use puad::candle_core::{DType, Device, Tensor};
    /// use puad::detector::{Autoencoder, DenoisingAutoencoder};
    /// use puad::net::{Mlp, MlpConfig};
    /// use puad::{NonNegativeLoss, Params};
    ///
    /// let params = Params::new(0, DType::F32, &Device::Cpu);
    /// let vb = params.var_builder();
    /// let encoder = Mlp::new(&MlpConfig::new([2, 16]), vb.pp("encoder"))?;
    /// let decoder = Mlp::new(&MlpConfig::new([16, 2]), vb.pp("decoder"))?;
    /// let detector = DenoisingAutoencoder::new(Autoencoder::new(encoder, decoder), 0.5)?;
    /// assert!(detector.clone().with_least(0.6).is_err());
    /// let xs = Tensor::zeros((4, 2), DType::F32, &Device::Cpu)?;
    /// assert_eq!(detector.with_least(0.05)?.score(&xs)?.dims(), [4]);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] if it is negative, not finite, or above the deviation.
    pub fn with_least(self, least: f64) -> Result<Self> {
        check_least(least, self.deviation)?;
        let least = Some(least);
        Ok(Self { least, ..self })
    }

    /// The autoencoder without its noise.
    pub fn autoencoder(&self) -> &Autoencoder<E, D> {
        &self.autoencoder
    }
}

impl<E: ModuleT, D: ModuleT> NonNegativeLoss for DenoisingAutoencoder<E, D> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        if !pass.is_training() {
            return self.autoencoder.error(xs, xs, false);
        }
        let noise = pass.normal(xs.shape(), xs.dtype(), xs.device())?;
        let noise = match self.least {
            None => (noise * self.deviation)?,
            Some(least) => {
                let mut dims = vec![1; xs.rank()];
                dims[0] = xs.dim(0)?;
                let drawn = pass.uniform(dims, xs.dtype(), xs.device())?;
                noise.broadcast_mul(&drawn.affine(self.deviation - least, least)?)?
            }
        };
        self.autoencoder.error(&(xs + noise)?, xs, true)
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        self.autoencoder.score(xs)
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        self.autoencoder.explain(xs)
    }
}

fn check(name: &'static str, deviation: f64) -> Result<()> {
    if deviation >= 0. && deviation.is_finite() {
        return Ok(());
    }
    Err(Error::config(name, "finite and at least 0", deviation))
}

fn check_least(least: f64, deviation: f64) -> Result<()> {
    check("least_noise", least)?;
    if least <= deviation {
        return Ok(());
    }
    let value = format!("{least} for {deviation}");
    Err(Error::config("least_noise", "at most the noise", value))
}

/// [`DenoisingAutoencoder`] by name, `denoising`: DAE, ABC-DAE, PUDAE.
///
/// ```
/// use puad::detector::DenoisingSpec;
/// use puad::spec::Specification;
///
/// assert_eq!(DenoisingSpec::default().noise, 0.1);
/// assert!(DenoisingSpec { noise: -1., ..DenoisingSpec::default() }.check().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DenoisingSpec {
    /// Standard deviation of the noise, >= 0, in the unit of the network's input (of a standard
    /// deviation for standardised vectors, of the full range for images).
    pub noise: f64,
    /// Where it is given, every sample's noise has a standard deviation of its own, drawn uniformly between this
    /// and `noise` in every pass; >= 0. Default: `None`, `noise` for all, and not written then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_noise: Option<f64>,
    /// What of the error is the score. Not written where it is [`Pooling::Whole`].
    #[serde(skip_serializing_if = "Pooling::is_whole")]
    pub pooling: Pooling,
    /// As [`AutoencoderSpec::pretraining_epochs`](super::AutoencoderSpec::pretraining_epochs).
    #[serde(skip_serializing_if = "is_default")]
    pub pretraining_epochs: usize,
}

impl DenoisingSpec {
    pub(crate) const DEFAULT: Self = Self {
        noise: 0.1,
        least_noise: None,
        pooling: Pooling::Whole,
        pretraining_epochs: 0,
    };
}

impl Default for DenoisingSpec {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Specification for DenoisingSpec {
    const NAME: &'static str = "denoising";

    fn check(&self) -> Result<()> {
        check("noise", self.noise)?;
        if let Some(least) = self.least_noise {
            check_least(least, self.noise)?;
        }
        self.pooling.check()
    }
}

impl DetectorSpec for DenoisingSpec {
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
        let inner = autoencoder::on_network(network, self.pooling, vb)?;
        let detector = DenoisingAutoencoder::new(inner, self.noise)?;
        let detector = Arc::new(match self.least_noise {
            Some(least) => detector.with_least(least)?,
            None => detector,
        });
        let built = Built::shared(detector.clone());
        let built = built.with_freezing(move || detector.autoencoder.frozen());
        Ok(built.with_unsupervised_pretraining(self.pretraining_epochs))
    }
}
