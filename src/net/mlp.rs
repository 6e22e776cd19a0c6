use std::sync::Arc;

use candle_core::{Module, Result as CandleResult, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::{Linear, LinearConfig};
use crate::ops::{self, LinearLayer, PackedLayers};
use crate::{Error, Result};

/// A multi-layer perceptron.
///
/// ```
/// use puad::net::MlpConfig;
///
/// // For the encoder of a DeepSVDD.
/// let config = MlpConfig { bias: false, ..MlpConfig::new([30, 64, 8]) };
/// assert!(!config.activate_last);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Layer widths, input first: at least two.
    pub widths: Vec<usize>,
    /// Whether layers have a bias; a DeepSVDD's must not.
    pub bias: bool,
    /// Slope of the LeakyReLU between layers; 0 is ReLU.
    pub negative_slope: f64,
    /// Whether the activation also follows the last layer.
    pub activate_last: bool,
}

impl MlpConfig {
    /// Biases, ReLU between the layers, nothing after the last.
    pub fn new(widths: impl Into<Vec<usize>>) -> Self {
        Self {
            widths: widths.into(),
            bias: true,
            negative_slope: 0.,
            activate_last: false,
        }
    }
}

/// `[batch, widths[0]] -> [batch, widths.last()]`. Clones share their parameters.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, Module, Tensor};
/// use puad::net::{Mlp, MlpConfig};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let mlp = Mlp::new(&MlpConfig::new([2, 500, 2]), params.var_builder())?;
/// let xs = Tensor::zeros((4, 2), DType::F32, &Device::Cpu)?;
/// assert_eq!(mlp.forward(&xs)?.dims(), [4, 2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    negative_slope: f64,
    activate_last: bool,
    packed: Arc<PackedLayers>,
}

impl Mlp {
    /// Takes `layers.N.weight` and `layers.N.bias` from `vb`.
    ///
    /// # Errors
    /// [`Error::Config`] for fewer than two widths, a width of 0, or a slope that is not finite;
    /// candle's error if `vb` holds other shapes.
    pub fn new(config: &MlpConfig, vb: VarBuilder<'_>) -> Result<Self> {
        let widths = &config.widths;
        if widths.len() < 2 || widths.contains(&0) {
            let rule = "two or more widths of at least 1";
            return Err(Error::config("widths", rule, format!("{widths:?}")));
        }
        if !config.negative_slope.is_finite() {
            return Err(Error::config(
                "negative_slope",
                "finite",
                config.negative_slope,
            ));
        }
        let layer = |(i, pair): (usize, &[usize])| {
            let linear = LinearConfig {
                bias: config.bias,
                ..LinearConfig::new(pair[0], pair[1])
            };
            Linear::new(&linear, vb.pp("layers").pp(i))
        };
        Ok(Self {
            layers: widths
                .windows(2)
                .enumerate()
                .map(layer)
                .collect::<CandleResult<_>>()?,
            negative_slope: config.negative_slope,
            activate_last: config.activate_last,
            packed: Arc::default(),
        })
    }

    /// The layers with their activations.
    pub(crate) fn linear_layers(&self) -> Vec<LinearLayer<'_>> {
        let last = self.layers.len() - 1;
        let layers = self.layers.iter().enumerate().map(|(i, layer)| {
            let activated = i < last || self.activate_last;
            layer.with_activation(if activated { self.negative_slope } else { 1. })
        });
        layers.collect()
    }
}

impl Module for Mlp {
    fn forward(&self, xs: &Tensor) -> CandleResult<Tensor> {
        let layers = self.linear_layers();
        if ops::is_without_graph(xs)
            && let Some(ys) = ops::linear_layers(xs, &layers, &self.packed)?
        {
            ops::mark_as(xs, &ys);
            return Ok(ys);
        }
        ops::linear_stack(xs, &layers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use candle_core::{DType, Device};

    #[test]
    fn rejects_widths_that_make_no_network() {
        for widths in [vec![], vec![3], vec![3, 0, 2]] {
            let vb = Params::new(0, DType::F32, &Device::Cpu).var_builder();
            let err = Mlp::new(&MlpConfig::new(widths), vb).unwrap_err();
            assert!(matches!(err, Error::Config { name: "widths", .. }));
        }
    }

    #[test]
    fn activation_stands_between_layers_and_last_on_request() {
        let outputs = |activate_last| {
            let params = Params::new(1, DType::F64, &Device::Cpu);
            let config = MlpConfig {
                activate_last,
                ..MlpConfig::new([3, 8, 8])
            };
            let mlp = Mlp::new(&config, params.var_builder()).unwrap();
            let xs = Tensor::ones((1, 3), DType::F64, &Device::Cpu).unwrap();
            mlp.forward(&xs)
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1::<f64>()
                .unwrap()
        };
        let plain = outputs(false);
        assert!(plain.iter().any(|&y| y < 0.));
        let rectified: Vec<f64> = plain.iter().map(|y| y.max(0.)).collect();
        assert_eq!(outputs(true), rectified);
    }
}
