use candle_core::{Module, ModuleT, Tensor};
use candle_nn::VarBuilder;

use crate::net::{LeNetConfig, LeNetEncoder, Linear};
use crate::{AnomalyTerm, NonNegativeLoss, Pass, Result};

/// A binary classifier as a detector: `l = sigmoid(g)` of a logit `g`, with the term `1 - l`.
///
/// Under [`PuObjective`](crate::PuObjective) with
/// [`Correction::NonNegative`](crate::objective::Correction) it is the PU learning baseline. Its
/// score is the logit, which orders as `l` does but has no ties where `l` saturates; it can be
/// negative.
///
/// # References
/// Kiryo et al., Positive-unlabeled learning with non-negative risk estimator, NeurIPS 2017.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::detector::Classifier;
/// use puad::net::LeNetConfig;
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let detector = Classifier::lenet(&LeNetConfig::default(), params.var_builder())?;
/// let images = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu)?;
/// assert_eq!(detector.score(&images)?.dims(), [2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Classifier<E> {
    encoder: E,
    logit: Linear,
}

impl<E: ModuleT> Classifier<E> {
    /// `encoder`: `[batch, ...] -> [batch, latent]`. Takes `logit.weight` and `logit.bias` from `vb`.
    ///
    /// # Errors
    /// If `vb` holds other shapes.
    pub fn new(encoder: E, latent: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let logit = Linear::new(latent, 1, true, vb.pp("logit"))?;
        Ok(Self { encoder, logit })
    }

    /// The logit `g`, `[batch]`, with its graph.
    pub(crate) fn logits(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let latent = self.encoder.forward_t(xs, train)?;
        Ok(self.logit.forward(&latent)?.squeeze(1)?)
    }
}

impl Classifier<LeNetEncoder> {
    /// On LeNet, with its parameters under `encoder` and `logit` of `vb`.
    ///
    /// # Errors
    /// As [`LeNetEncoder::new`].
    pub fn lenet(config: &LeNetConfig, vb: VarBuilder<'_>) -> Result<Self> {
        let encoder = LeNetEncoder::new(config, vb.pp("encoder"))?;
        Self::new(encoder, config.latent, vb)
    }
}

impl<E: ModuleT> NonNegativeLoss for Classifier<E> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        Ok(candle_nn::ops::sigmoid(
            &self.logits(xs, pass.is_training())?,
        )?)
    }

    fn anomaly_term(&self) -> AnomalyTerm {
        AnomalyTerm::Complement
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(self.logits(xs, false)?.detach())
    }
}
