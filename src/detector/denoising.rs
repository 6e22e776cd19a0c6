use candle_core::{ModuleT, Tensor};

use super::Autoencoder;
use crate::{Error, NonNegativeLoss, Pass, Result};

/// Eq. 16: `l = ||D(E(x + noise)) - x||`, the noise isotropic Gaussian.
///
/// Noise is added in training passes only; the score is the plain reconstruction error.
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
}

impl<E: ModuleT, D: ModuleT> DenoisingAutoencoder<E, D> {
    /// `deviation`: the standard deviation of the noise, in the unit of the data.
    ///
    /// # Errors
    /// [`Error::Config`] if the deviation is negative or not finite.
    pub fn new(autoencoder: Autoencoder<E, D>, deviation: f64) -> Result<Self> {
        if !(deviation >= 0. && deviation.is_finite()) {
            return Err(Error::config(
                "deviation",
                "finite and at least 0",
                deviation,
            ));
        }
        Ok(Self {
            autoencoder,
            deviation,
        })
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
        let noisy = (xs + (noise * self.deviation)?)?;
        self.autoencoder.error(&noisy, xs, true)
    }
}
