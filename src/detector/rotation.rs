use candle_core::{D, Module, ModuleT, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::geometric::Geometric;
use super::{Built, DetectorSpec, is_default, required};
use crate::explanation::Explanation;
use crate::net::{Layers, Linear, LinearConfig, Network};
use crate::spec::Specification;
use crate::{NonNegativeLoss, Pass, Result};

/// Self-supervision by rotation: `l` is the mean cross-entropy of predicting which of four quarter
/// turns was applied, over all four. Images unlike the normal ones are harder to orient.
///
/// With flips and translations ([`RotationSpec`]) there are up to 72 transformations `T_i` to be told apart, and
/// with [`Likelihood::Sum`] `l = sum over i of -log p(i | T_i(x))`, the joint likelihood, in place of the mean.
///
/// # References
/// Hendrycks et al., Using self-supervised learning can improve model robustness and uncertainty,
/// NeurIPS 2019; Golan and El-Yaniv, Deep anomaly detection using geometric transformations, NeurIPS 2018 (72
/// transformations, the sum).
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::detector::RotationHead;
/// use puad::net::{LeNetConfig, LeNetEncoder};
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let (config, vb) = (LeNetConfig::default(), params.var_builder());
/// let encoder = LeNetEncoder::new(&config, vb.pp("encoder"))?;
/// let detector = RotationHead::new(encoder, config.latent, vb)?;
/// let images = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu)?;
/// assert_eq!(detector.score(&images)?.dims(), [2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RotationHead<E> {
    encoder: E,
    turn: Linear,
    transformations: Geometric,
    likelihood: Likelihood,
}

impl<E: ModuleT> RotationHead<E> {
    /// `encoder`: `[batch, channels, side, side] -> [batch, latent]`. Takes `turn.weight` and
    /// `turn.bias` from `vb`.
    ///
    /// # Errors
    /// If `vb` holds other shapes.
    pub fn new(encoder: E, latent: usize, vb: VarBuilder<'_>) -> Result<Self> {
        Self::with_spec(encoder, latent, &RotationSpec::default(), vb)
    }

    /// As [`new`](Self::new), with the transformations and the likelihood of `spec`.
    ///
    /// # Errors
    /// As there.
    pub fn with_spec(
        encoder: E,
        latent: usize,
        spec: &RotationSpec,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let transformations = spec.transformations();
        let head = LinearConfig::new(latent, transformations.count());
        Ok(Self {
            encoder,
            turn: Linear::new(&head, vb.pp("turn"))?,
            transformations,
            likelihood: spec.likelihood,
        })
    }
}

impl<E: ModuleT> NonNegativeLoss for RotationHead<E> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let count = self.transformations.count();
        let transformed = self.transformations.apply(xs)?;
        // One pass over all of them, so that batch norm sees them together.
        let latent = self
            .encoder
            .forward_t(&Tensor::cat(&transformed, 0)?, pass.is_training())?;
        let logits = self.turn.forward(&latent)?;
        let log_p = candle_nn::ops::log_softmax(&logits, D::Minus1)?;
        let log_p = log_p.reshape((count, xs.dim(0)?, count))?;
        let right = (0..count).map(|k| Ok(log_p.get(k)?.narrow(1, k, 1)?));
        let right = Tensor::cat(&right.collect::<Result<Vec<_>>>()?, 1)?;
        let weight = match self.likelihood {
            Likelihood::Mean => 1. / count as f64,
            Likelihood::Sum => 1.,
        };
        Ok((right.sum(1)? * -weight)?)
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        let score = |xs: &Tensor| self.per_sample(xs, &mut Pass::evaluation());
        Explanation::gradient_times_input(xs, score).map(Some)
    }
}

/// How a [`RotationHead`]'s cross-entropies of all transformations make one loss. The order of the scores is the
/// same; what differs is the probability `exp(-l)` of being normal, from which an anomaly's loss is taken.
///
/// ```
/// use puad::detector::{Likelihood, RotationSpec};
///
/// assert_eq!(RotationSpec::default().likelihood, Likelihood::Mean);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likelihood {
    /// Their mean, of order 1 whatever their number.
    #[default]
    Mean,
    /// Their sum, the negative logarithm of the probability that all are told.
    Sum,
}

/// [`RotationHead`] by name, `rotation`: for square images.
///
/// A training step holds as many images as the batch times the transformations: with 72 of them batches of 128
/// want smaller images than 32 x 32, or `batch_size` fewer samples. Settings at their defaults are not written.
///
/// ```
/// use puad::detector::{Likelihood, RotationSpec};
/// use puad::method::Method;
/// use puad::objective::PuSpec;
///
/// let method = Method::new(RotationSpec::default(), PuSpec::default());
/// assert_eq!(method, "rotation/pu".parse()?);
/// // As in Golan and El-Yaniv.
/// let geometric = RotationSpec { flips: true, translations: true, likelihood: Likelihood::Sum };
/// assert_ne!(Method::new(geometric, PuSpec::default()), method);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RotationSpec {
    /// Whether images are mirrored too, which doubles the number of transformations. Default: no.
    #[serde(skip_serializing_if = "is_default")]
    pub flips: bool,
    /// Whether images are shifted too, by a quarter of the side along either axis or both, which makes nine times
    /// as many transformations of sides of at least 4 pixels. Default: no.
    #[serde(skip_serializing_if = "is_default")]
    pub translations: bool,
    /// Mean or sum.
    #[serde(skip_serializing_if = "is_default")]
    pub likelihood: Likelihood,
}

impl RotationSpec {
    fn transformations(&self) -> Geometric {
        Geometric {
            flips: self.flips,
            translations: self.translations,
        }
    }
}

impl Specification for RotationSpec {
    const NAME: &'static str = "rotation";
}

impl DetectorSpec for RotationSpec {
    fn network(&self, sample_shape: &[usize]) -> Result<Option<Network>> {
        Network::for_samples(sample_shape).map(Some)
    }

    fn check_samples(&self, sample_shape: &[usize]) -> Result<()> {
        self.transformations().check_samples(sample_shape)
    }

    fn build(
        &self,
        sample_shape: &[usize],
        network: Option<&Network>,
        vb: VarBuilder<'_>,
    ) -> Result<Built> {
        let network = required(network, sample_shape)?;
        self.check_samples(sample_shape)?;
        let encoder = network.encoder(Layers::default(), vb.pp("encoder"))?;
        let head = RotationHead::with_spec(encoder, network.latent(), self, vb)?;
        Ok(Built::new(head))
    }
}
