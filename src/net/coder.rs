use candle_core::{Module, ModuleT, Tensor};

use super::{LeNetDecoder, LeNetEncoder, Mlp};

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

impl Encoder {
    /// That of vectors.
    pub(crate) fn perceptron(&self) -> Option<&Mlp> {
        match self {
            Self::LeNet(_) => None,
            Self::Mlp(net) => Some(net),
        }
    }
}

impl Decoder {
    /// That of vectors.
    pub(crate) fn perceptron(&self) -> Option<&Mlp> {
        match self {
            Self::LeNet(_) => None,
            Self::Mlp(net) => Some(net),
        }
    }
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
