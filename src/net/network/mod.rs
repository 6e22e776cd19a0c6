mod automatic;
mod memory;

use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::size::{MOST_PARAMETERS, MOST_RULE, product};
use super::{Decoder, Encoder, LeNetConfig, LeNetDecoder, LeNetEncoder, Mlp, MlpConfig};
use crate::{Error, Result};
pub(crate) use automatic::channels_last;

/// Beyond this a size is taken for a mistake.
const LARGEST: usize = 1 << 20;

/// An encoder and the decoder that mirrors it.
///
/// What a detector must not have (a DeepSVDD's biases and learned shifts) is left out when the
/// network is built for it with its [`Layers`], whatever `affine` says.
///
/// ```
/// use puad::net::{MlpShape, Network};
///
/// let network = Network::Mlp(MlpShape { inputs: 30, hidden: vec![64], latent: 8 });
/// network.check()?;
/// assert_eq!((network.sample_shape(), network.latent()), (vec![30], 8));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// For images `[channels, height, width]`; an autoencoder's output lies in (0, 1).
    #[serde(rename = "lenet")]
    LeNet(LeNetConfig),
    /// For vectors `[features]`.
    Mlp(MlpShape),
}

/// What a detector asks of its layers.
///
/// ```
/// use puad::net::Layers;
///
/// // For a DeepSVDD.
/// let layers = Layers { bias: false, ..Layers::default() };
/// assert!(!layers.activate_last);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// Whether they have biases, and LeNet's batch norm learned shifts.
    pub bias: bool,
    /// Whether the activation also follows a perceptron encoder's last layer.
    pub activate_last: bool,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            bias: true,
            activate_last: false,
        }
    }
}

/// The sizes of a perceptron's encoder; its decoder has them in reverse.
///
/// ```
/// use puad::net::{MlpShape, Network};
///
/// let shape = MlpShape { inputs: 30, hidden: vec![128, 64], latent: 15 };
/// assert_eq!(Network::for_samples(&[30])?, Network::Mlp(shape));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpShape {
    /// Number of features.
    pub inputs: usize,
    /// Widths of the layers between, ReLU after each.
    pub hidden: Vec<usize>,
    /// Length of the latent vector.
    pub latent: usize,
}

impl Network {
    /// The shape of a sample: `[channels, height, width]` or `[features]`.
    pub fn sample_shape(&self) -> Vec<usize> {
        match self {
            Self::LeNet(config) => vec![config.channels, config.height, config.width],
            Self::Mlp(shape) => vec![shape.inputs],
        }
    }

    /// The length of the latent vector.
    pub fn latent(&self) -> usize {
        match self {
            Self::LeNet(config) => config.latent,
            Self::Mlp(shape) => shape.latent,
        }
    }

    /// Number of parameters of encoder and decoder together, with all biases and shifts.
    ///
    /// ```
    /// use puad::net::{MlpShape, Network};
    ///
    /// let network = Network::Mlp(MlpShape { inputs: 30, hidden: vec![], latent: 8 });
    /// assert_eq!(network.parameters(), 2 * 30 * 8 + 30 + 8);
    /// ```
    pub fn parameters(&self) -> u64 {
        match self {
            Self::LeNet(config) => config.parameters(),
            Self::Mlp(shape) => shape.parameters(),
        }
    }

    /// # Errors
    /// [`Error::Config`] for a size that is 0 or above 2^20 (for LeNet 65,536), a side of an image that
    /// the blocks would halve beyond a pixel, or more than 2^28 [`parameters`](Self::parameters). What a
    /// decoder asks of LeNet's latent vector is checked when it is built.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::LeNet(config) => config.check_encoder().map(|_| ()),
            Self::Mlp(shape) => shape.check(),
        }
    }

    /// The encoder of a detector: `[batch, ...] -> [batch, latent]`.
    ///
    /// # Errors
    /// [`Error::Config`] for sizes that make no network; candle's error if `vb` holds other shapes.
    pub fn encoder(&self, layers: Layers, vb: VarBuilder<'_>) -> Result<Encoder> {
        self.check()?;
        match self {
            Self::LeNet(config) => {
                let encoder = LeNetEncoder::new(&for_layers(config, layers), vb)?;
                Ok(Encoder::LeNet(encoder))
            }
            Self::Mlp(shape) => Ok(Encoder::Mlp(Mlp::new(&shape.encoder(layers), vb)?)),
        }
    }

    /// The decoder of a detector, or of its pre-training: `[batch, latent] -> [batch, ...]`.
    ///
    /// # Errors
    /// As [`encoder`](Self::encoder).
    pub fn decoder(&self, layers: Layers, vb: VarBuilder<'_>) -> Result<Decoder> {
        self.check()?;
        match self {
            Self::LeNet(config) => {
                let decoder = LeNetDecoder::new(&for_layers(config, layers), vb)?;
                Ok(Decoder::LeNet(decoder))
            }
            Self::Mlp(shape) => Ok(Decoder::Mlp(Mlp::new(&shape.decoder(layers), vb)?)),
        }
    }
}

impl MlpShape {
    fn parameters(&self) -> u64 {
        let config = self.encoder(Layers::default());
        let pairs = config.widths.windows(2);
        // Weights and bias of a layer, and of the decoder's.
        let layers = pairs.map(|w| [product(&[2, w[0], w[1]]), w[0] as u64, w[1] as u64]);
        layers.flatten().fold(0, u64::saturating_add)
    }

    fn check(&self) -> Result<()> {
        let hidden = self.hidden.iter().map(|&size| ("hidden", size));
        let mut sizes = hidden.chain([("inputs", self.inputs), ("latent", self.latent)]);
        if let Some((name, size)) = sizes.find(|&(_, size)| size == 0 || size > LARGEST) {
            return Err(Error::config(name, "between 1 and 2^20", size));
        }
        match self.parameters() {
            count if count > MOST_PARAMETERS => Err(Error::config("network", MOST_RULE, count)),
            _ => Ok(()),
        }
    }

    fn encoder(&self, layers: Layers) -> MlpConfig {
        let mut widths = vec![self.inputs];
        widths.extend(&self.hidden);
        widths.push(self.latent);
        MlpConfig {
            bias: layers.bias,
            activate_last: layers.activate_last,
            ..MlpConfig::new(widths)
        }
    }

    fn decoder(&self, layers: Layers) -> MlpConfig {
        let mut config = self.encoder(layers);
        config.widths.reverse();
        config.activate_last = false;
        config
    }
}

fn for_layers(config: &LeNetConfig, layers: Layers) -> LeNetConfig {
    LeNetConfig {
        affine: layers.bias,
        ..config.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use candle_core::{DType, Device};

    #[test]
    fn parameters_are_those_that_are_made() {
        let lenet = |json| serde_json::from_value(json).map(Network::LeNet).unwrap();
        let networks = [
            Network::for_samples(&[7]).unwrap(),
            Network::for_samples(&[3, 32, 32]).unwrap(),
            Network::for_samples(&[2, 27, 50]).unwrap(),
            lenet(serde_json::json!({"head": "linear", "latent": 256})),
        ];
        for network in networks {
            let params = Params::new(0, DType::F32, &Device::Cpu);
            let vb = params.var_builder();
            let layers = Layers::default();
            network.encoder(layers, vb.pp("encoder")).unwrap();
            network.decoder(layers, vb.pp("decoder")).unwrap();
            let vars = params.parameters().into_iter();
            let made: usize = vars.map(|(_, var)| var.elem_count()).sum();
            assert_eq!(network.parameters(), made as u64, "{network:?}");
        }
    }

    /// Before anything is allocated: these would take terabytes.
    #[test]
    fn products_of_sizes_are_checked() {
        let vb = Params::new(0, DType::F32, &Device::Cpu).var_builder();
        for json in [
            serde_json::json!({"mlp": {"inputs": 2, "hidden": [1048576, 1048576], "latent": 2}}),
            serde_json::json!({"mlp": {"inputs": 2, "hidden": vec![16384; 2], "latent": 2}}),
            serde_json::json!({"lenet": {"blocks": [65536, 65536]}}),
            serde_json::json!({"lenet": {"height": 150, "width": 150, "blocks": [32], "latent": 5625}}),
        ] {
            let network: Network = serde_json::from_value(json.clone()).unwrap();
            let layers = Layers::default();
            let refused = [
                network.check().err(),
                network.encoder(layers, vb.clone()).err(),
                network.decoder(layers, vb.clone()).err(),
            ];
            for err in refused {
                assert!(
                    matches!(
                        &err,
                        Some(Error::Config {
                            name: "network",
                            ..
                        })
                    ),
                    "{json}: {err:?}"
                );
            }
        }
    }

    #[test]
    fn networks_are_plain_json() {
        let json = r#"{"mlp": {"inputs": 3, "hidden": [8], "latent": 2}}"#;
        let network: Network = serde_json::from_str(json).unwrap();
        assert_eq!((network.sample_shape(), network.latent()), (vec![3], 2));
        let json = r#"{"lenet": {"height": 16, "width": 16}}"#;
        let network: Network = serde_json::from_str(json).unwrap();
        assert_eq!(network.sample_shape(), [3, 16, 16]);
        assert!(serde_json::from_str::<Network>(r#"{"lenet": {"hight": 16}}"#).is_err());
    }
}
