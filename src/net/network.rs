use candle_core::{Module, ModuleT, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::{LeNetConfig, LeNetDecoder, LeNetEncoder, Mlp, MlpConfig};
use crate::{Error, Result};

/// Beyond this a size is taken for a mistake; products of sizes stay far from overflow.
const LARGEST: usize = 1 << 20;

/// Feature maps are halved down to no less than this, the size in the paper's network.
const SMALLEST_MAP: usize = 4;

/// The latent length of the paper's network.
const LATENT: usize = 128;

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
    /// The network that suits samples of this shape.
    ///
    /// Images `[channels, height, width]`: LeNet with as many halving blocks as leave a map of at
    /// least 4 x 4 pixels (three for 32 x 32, as in the paper; two for 28 x 28), 32, 64, 128, 128,
    /// ... channels, and a latent vector of about 128 numbers. Vectors `[features]`: a perceptron
    /// with two hidden layers of four and two times as many units as features (rounded up to a
    /// power of two, 64 to 512 in the first) and half as many latent numbers as features, 2 to 128.
    ///
    /// A classifier drops the perceptron's narrow last layer.
    ///
    /// # Errors
    /// [`Error::SampleRank`] for other shapes, [`Error::ImageSize`] for images with an odd side.
    ///
    /// ```
    /// use puad::net::{LeNetConfig, Network};
    ///
    /// assert_eq!(Network::for_samples(&[3, 32, 32])?, Network::LeNet(LeNetConfig::default()));
    /// assert!(Network::for_samples(&[1, 27, 27]).is_err());
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn for_samples(shape: &[usize]) -> Result<Self> {
        let network = match *shape {
            [features] => Self::Mlp(MlpShape::for_features(features)),
            [channels, height, width] => Self::LeNet(lenet_for(channels, height, width)?),
            _ => return Err(Error::SampleRank(shape.to_vec())),
        };
        network.check()?;
        Ok(network)
    }

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

    /// # Errors
    /// [`Error::Config`] for a size that is 0 or above 2^20. What LeNet's sizes must have in common
    /// is checked when it is built.
    pub fn check(&self) -> Result<()> {
        let (sizes, list): (Vec<(&'static str, usize)>, _) = match self {
            Self::LeNet(c) => (
                vec![
                    ("channels", c.channels),
                    ("height", c.height),
                    ("width", c.width),
                    ("latent", c.latent),
                ],
                ("blocks", &c.blocks),
            ),
            Self::Mlp(s) => (
                vec![("inputs", s.inputs), ("latent", s.latent)],
                ("hidden", &s.hidden),
            ),
        };
        let all = sizes
            .into_iter()
            .chain(list.1.iter().map(|&size| (list.0, size)));
        match all
            .into_iter()
            .find(|&(_, size)| size == 0 || size > LARGEST)
        {
            Some((name, size)) => Err(Error::config(name, "between 1 and 2^20", size)),
            None => Ok(()),
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

/// Which network.
///
/// ```
/// use puad::FitConfig;
/// use puad::estimator::Architecture;
/// use puad::net::{MlpShape, Network};
///
/// let shape = MlpShape { inputs: 30, hidden: vec![256, 64], latent: 8 };
/// let config = FitConfig { network: Architecture::Explicit(Network::Mlp(shape)), ..Default::default() };
/// config.check()?;
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// What the detector takes for the samples' shape: [`Network::for_samples`], another, or none if it
    /// has layers of its own.
    #[default]
    Auto,
    /// This one, for a detector that is built on a network.
    Explicit(Network),
}

impl Architecture {
    /// The network for samples of this shape; `automatic` is what the detector says of it, `None` if it
    /// is built on no network.
    pub(crate) fn resolve(
        &self,
        sample_shape: &[usize],
        automatic: Result<Option<Network>>,
    ) -> Result<Option<Network>> {
        let Self::Explicit(network) = self else {
            return automatic;
        };
        if let Ok(None) = automatic {
            let rule = "automatic under a detector with layers of its own";
            return Err(Error::config("network", rule, format!("{network:?}")));
        }
        if network.sample_shape() != sample_shape {
            let got = format!("{:?}", network.sample_shape());
            let rule = "for samples of the data's shape";
            return Err(Error::config("network", rule, got));
        }
        Ok(Some(network.clone()))
    }
}

impl MlpShape {
    fn for_features(features: usize) -> Self {
        let first = features
            .saturating_mul(4)
            .checked_next_power_of_two()
            .unwrap_or(usize::MAX)
            .clamp(64, 512);
        Self {
            inputs: features,
            hidden: vec![first, first / 2],
            latent: features.div_ceil(2).clamp(2, LATENT),
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

fn lenet_for(channels: usize, height: usize, width: usize) -> Result<LeNetConfig> {
    let smaller = height.min(width);
    let halvings = height.trailing_zeros().min(width.trailing_zeros());
    if smaller == 0 || halvings == 0 {
        return Err(Error::ImageSize { height, width });
    }
    let keeps_a_map = |&blocks: &u32| smaller >> blocks >= SMALLEST_MAP;
    let blocks = (1..=halvings).rev().find(keeps_a_map).unwrap_or(1);
    let map = (height >> blocks).saturating_mul(width >> blocks);
    Ok(LeNetConfig {
        channels,
        height,
        width,
        blocks: (0..blocks).map(|i| 32 << i.min(2)).collect(),
        latent: (LATENT / map).max(1).saturating_mul(map),
        ..LeNetConfig::default()
    })
}

/// An encoder of either kind; clones share their parameters.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, ModuleT, Tensor};
/// use puad::net::{Layers, MlpShape, Network};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let network = Network::Mlp(MlpShape { inputs: 6, hidden: vec![8], latent: 3 });
/// let encoder = network.encoder(Layers::default(), params.var_builder().pp("encoder"))?;
/// let xs = Tensor::ones((4, 6), DType::F32, &Device::Cpu)?;
/// assert_eq!(encoder.forward_t(&xs, false)?.dims(), [4, 3]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Encoder {
    /// For images.
    LeNet(LeNetEncoder),
    /// For vectors.
    Mlp(Mlp),
}

/// A decoder of either kind; clones share their parameters.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, ModuleT, Tensor};
/// use puad::net::{Layers, MlpShape, Network};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let network = Network::Mlp(MlpShape { inputs: 6, hidden: vec![8], latent: 3 });
/// let decoder = network.decoder(Layers::default(), params.var_builder().pp("decoder"))?;
/// let xs = Tensor::ones((4, 3), DType::F32, &Device::Cpu)?;
/// assert_eq!(decoder.forward_t(&xs, false)?.dims(), [4, 6]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Decoder {
    /// For images.
    LeNet(LeNetDecoder),
    /// For vectors.
    Mlp(Mlp),
}

impl ModuleT for Encoder {
    fn forward_t(&self, xs: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        match self {
            Self::LeNet(net) => net.forward_t(xs, train),
            Self::Mlp(net) => net.forward(xs),
        }
    }
}

impl ModuleT for Decoder {
    fn forward_t(&self, xs: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        match self {
            Self::LeNet(net) => net.forward_t(xs, train),
            Self::Mlp(net) => net.forward(xs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use candle_core::{DType, Device};

    #[test]
    fn automatic_networks_round_trip_samples_of_every_kind() {
        let shapes: [&[usize]; 9] = [
            &[1],
            &[2],
            &[37],
            &[1000],
            &[1, 2, 6],
            &[1, 28, 28],
            &[3, 16, 48],
            &[1, 30, 30],
            &[2, 64, 64],
        ];
        for shape in shapes {
            for bias in [true, false] {
                let layers = Layers {
                    bias,
                    ..Layers::default()
                };
                let network = Network::for_samples(shape).unwrap();
                assert_eq!(network.sample_shape(), shape);
                let vb = Params::new(0, DType::F32, &Device::Cpu).var_builder();
                let encoder = network.encoder(layers, vb.pp("e")).unwrap();
                let decoder = network.decoder(layers, vb.pp("d")).unwrap();
                let xs = Tensor::zeros([&[2], shape].concat(), DType::F32, &Device::Cpu).unwrap();
                let latent = encoder.forward_t(&xs, true).unwrap();
                assert_eq!(latent.dims(), [2, network.latent()]);
                assert_eq!(decoder.forward_t(&latent, true).unwrap().dims(), xs.dims());
            }
        }
    }

    #[test]
    fn block_counts_follow_the_size() {
        let blocks = |shape: &[usize]| match Network::for_samples(shape).unwrap() {
            Network::LeNet(config) => (config.blocks, config.latent),
            network => panic!("{network:?}"),
        };
        assert_eq!(blocks(&[3, 32, 32]), (vec![32, 64, 128], 128));
        assert_eq!(blocks(&[1, 28, 28]), (vec![32, 64], 98));
        assert_eq!(blocks(&[1, 16, 16]), (vec![32, 64], 128));
        assert_eq!(blocks(&[3, 224, 224]).0, [32, 64, 128, 128, 128]);
        assert_eq!(blocks(&[3, 30, 30]), (vec![32], 225));
        assert_eq!(blocks(&[1, 2, 2]), (vec![32], 128));
    }

    #[test]
    fn shapes_without_a_network_are_errors() {
        for shape in [&[][..], &[3, 4], &[1, 2, 3, 4]] {
            let err = Network::for_samples(shape).unwrap_err();
            assert!(matches!(err, Error::SampleRank(s) if s == shape));
        }
        for (height, width) in [(27, 28), (28, 27), (0, 4), (1, 1)] {
            let err = Network::for_samples(&[1, height, width]).unwrap_err();
            assert!(
                matches!(err, Error::ImageSize { height: h, width: w } if (h, w) == (height, width))
            );
        }
        for shape in [&[0][..], &[0, 4, 4], &[LARGEST + 1], &[usize::MAX]] {
            assert!(Network::for_samples(shape).is_err(), "{shape:?}");
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
