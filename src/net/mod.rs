//! Networks for the detectors: LeNet for images, a perceptron for vectors. Any candle `ModuleT`
//! serves in their place.

mod architecture;
mod batch_norm;
mod coder;
mod layers;
mod lenet;
mod lenet_config;
mod mlp;
mod network;
mod size;

pub use architecture::Architecture;
pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use coder::{Decoder, Encoder};
pub use layers::{Conv2d, Conv2dConfig, Linear, LinearConfig};
pub use lenet::{LeNetDecoder, LeNetEncoder};
pub use lenet_config::{Head, LeNetConfig};
pub use mlp::{Mlp, MlpConfig};
pub(crate) use network::channels_last;
pub use network::{Layers, MlpShape, Network};
