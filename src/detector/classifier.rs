use std::sync::Arc;

use candle_core::{Module, ModuleT, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::{Built, DetectorSpec, Frozen, required};
use crate::explanation::Explanation;
use crate::net::{Encoder, Layers, Linear, LinearConfig, Network};
use crate::spec::Specification;
use crate::{AnomalyTerm, NonNegativeLoss, Pass, Result, SampleLosses, ops};

/// What a [`Classifier`] pays for a logit `g`, taken as normal and taken as an anomaly.
///
/// Under both the PU risk is an unbiased estimate of a classification risk. The sigmoid loss is flat
/// where all logits are far below 0: with a small class prior, calling everything normal is a plateau
/// that gradient descent may not leave. The logistic loss is convex in `g` and has none.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::detector::{Classifier, ClassifierLoss};
/// use puad::net::{Mlp, MlpConfig};
/// use puad::{NonNegativeLoss, Pass};
///
/// let params = Params::new(0, DType::F64, &Device::Cpu);
/// let encoder = Mlp::new(&MlpConfig::new([2, 4]), params.var_builder().pp("encoder"))?;
/// let detector = Classifier::new(encoder, 4, params.var_builder())?.with_loss(ClassifierLoss::Logistic);
/// let xs = Tensor::new(&[[0.5f64, -1.]], &Device::Cpu)?;
/// let logit = detector.score(&xs)?.to_vec1::<f64>()?[0];
/// let loss = detector.per_sample(&xs, &mut Pass::evaluation())?.to_vec1::<f64>()?[0];
/// assert!((loss - logit.exp().ln_1p()).abs() < 1e-12);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassifierLoss {
    /// `sigmoid(g)` and `1 - sigmoid(g)`: the published experiments'.
    Sigmoid,
    /// `log(1 + e^g)` and `log(1 + e^-g)`, the cross-entropies.
    Logistic,
}

/// A binary classifier as a detector: `l = sigmoid(g)` of a logit `g`, with the term `1 - l`, or
/// another [`ClassifierLoss`].
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
/// use puad::net::{LeNetConfig, LeNetEncoder};
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let (config, vb) = (LeNetConfig::default(), params.var_builder());
/// let encoder = LeNetEncoder::new(&config, vb.pp("encoder"))?;
/// let detector = Classifier::new(encoder, config.latent, vb)?;
/// let images = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu)?;
/// assert_eq!(detector.score(&images)?.dims(), [2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Classifier<E> {
    encoder: E,
    logit: Linear,
    loss: ClassifierLoss,
}

impl<E: ModuleT> Classifier<E> {
    /// `encoder`: `[batch, ...] -> [batch, latent]`. Takes `logit.weight` and `logit.bias` from `vb`.
    /// The loss is [`ClassifierLoss::Sigmoid`].
    ///
    /// # Errors
    /// If `vb` holds other shapes.
    pub fn new(encoder: E, latent: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let logit = Linear::new(&LinearConfig::new(latent, 1), vb.pp("logit"))?;
        let loss = ClassifierLoss::Sigmoid;
        Ok(Self {
            encoder,
            logit,
            loss,
        })
    }

    /// Another loss.
    pub fn with_loss(self, loss: ClassifierLoss) -> Self {
        Self { loss, ..self }
    }

    /// The logit `g`, `[batch]`, with its graph.
    fn logits(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let latent = self.encoder.forward_t(xs, train)?;
        Ok(self.logit.forward(&latent)?.squeeze(1)?)
    }
}

impl Classifier<Encoder> {
    /// For scoring vectors alone, with the parameters as they are now; `None` of images.
    fn frozen(&self) -> Result<Option<Frozen>> {
        let Some(encoder) = self.encoder.perceptron() else {
            return Ok(None);
        };
        let mut layers = encoder.linear_layers();
        layers.push(self.logit.with_activation(1.));
        Frozen::of_output(&layers)
    }
}

impl<E: ModuleT> NonNegativeLoss for Classifier<E> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        Ok(self.losses(xs, pass)?.normal)
    }

    fn anomaly_term(&self) -> AnomalyTerm {
        match self.loss {
            ClassifierLoss::Sigmoid => AnomalyTerm::Complement,
            ClassifierLoss::Logistic => AnomalyTerm::Bce,
        }
    }

    fn losses(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<SampleLosses> {
        let logits = self.logits(xs, pass.is_training())?;
        Ok(match self.loss {
            ClassifierLoss::Sigmoid => SampleLosses::new(candle_nn::ops::sigmoid(&logits)?),
            // The term of `l` would do, but for logits far below 0, where `l` has lost its digits.
            ClassifierLoss::Logistic => SampleLosses {
                normal: softplus(&logits)?,
                anomalous: Some(softplus(&logits.neg()?)?),
            },
        })
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(ops::without_graph(xs, || self.logits(xs, false))?.detach())
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        Explanation::gradient_times_input(xs, |xs| self.logits(xs, false)).map(Some)
    }
}

/// [`Classifier`] by name, `classifier`: the PU baseline.
///
/// ```
/// use puad::detector::{ClassifierLoss, ClassifierSpec};
/// use puad::method::Method;
/// use puad::objective::{Correction, PuSpec};
///
/// // As in the published experiments.
/// let detector = ClassifierSpec { loss: ClassifierLoss::Sigmoid };
/// let objective = PuSpec { correction: Correction::NON_NEGATIVE, ..PuSpec::default() };
/// assert_eq!(Method::new(detector, objective).to_string(), "PU");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassifierSpec {
    /// What is paid for a logit. Default: [`ClassifierLoss::Logistic`]. The published experiments have
    /// [`ClassifierLoss::Sigmoid`], with which the automatic perceptron ended by calling everything
    /// normal on the toy data.
    pub loss: ClassifierLoss,
}

impl ClassifierSpec {
    pub(crate) const DEFAULT: Self = Self {
        loss: ClassifierLoss::Logistic,
    };
}

impl Default for ClassifierSpec {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Specification for ClassifierSpec {
    const NAME: &'static str = "classifier";
}

impl DetectorSpec for ClassifierSpec {
    /// A perceptron without its narrow last layer: rectified, where a detector's latent vector is
    /// linear, all of as few units as features may be dead from the start.
    fn network(&self, sample_shape: &[usize]) -> Result<Option<Network>> {
        let mut network = Network::for_samples(sample_shape)?;
        if let Network::Mlp(shape) = &mut network {
            shape.latent = shape.hidden.last().copied().unwrap_or(shape.latent);
        }
        Ok(Some(network))
    }

    fn build(
        &self,
        sample_shape: &[usize],
        network: Option<&Network>,
        vb: VarBuilder<'_>,
    ) -> Result<Built> {
        let network = required(network, sample_shape)?;
        // A linear layer follows, which would be one with the last layer otherwise.
        let layers = Layers {
            activate_last: true,
            ..Layers::default()
        };
        let encoder = network.encoder(layers, vb.pp("encoder"))?;
        let classifier = Classifier::new(encoder, network.latent(), vb)?;
        let classifier = Arc::new(classifier.with_loss(self.loss));
        Ok(Built::shared(classifier.clone()).with_freezing(move || classifier.frozen()))
    }

    /// Without them it would call everything normal.
    fn needs_anomalies(&self) -> bool {
        true
    }
}

/// `log(1 + e^x)` as `m + log(e^(x - m) + e^-m)` with `m = max(x, 0)`: no overflow. As `m` drops out
/// of the value it is held constant, which makes the gradient `sigmoid(x)` everywhere.
pub(super) fn softplus(xs: &Tensor) -> Result<Tensor> {
    let shift = xs.detach().relu()?;
    let sum = ((xs - &shift)?.exp()? + shift.neg()?.exp()?)?;
    Ok((sum.log()? + shift)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn softplus_and_its_gradient_are_right_from_end_to_end() {
        let xs = [-1e30f64, -800., -20., -1., 0., 1e-3, 2., 800., 1e30];
        let var = Var::new(&xs, &Device::Cpu).unwrap();
        let ys = softplus(&var).unwrap();
        let slopes = ys.sum_all().unwrap().backward().unwrap();
        let slopes = slopes.get(&var).unwrap().to_vec1::<f64>().unwrap();
        for ((x, y), slope) in xs.into_iter().zip(ys.to_vec1::<f64>().unwrap()).zip(slopes) {
            let expected = x.max(0.) + (-x.abs()).exp().ln_1p();
            assert!((y - expected).abs() <= 1e-15 * (1. + expected), "{x}: {y}");
            let expected = 1. / (1. + (-x).exp());
            assert!((slope - expected).abs() < 1e-15, "{x}: {slope}");
        }
    }
}
