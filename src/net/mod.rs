//! Networks for the detectors: LeNet for images, a perceptron for vectors. Any candle `ModuleT`
//! serves in their place.

mod batch_norm;
mod layers;
mod lenet;
mod mlp;
mod network;

pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use layers::{Conv2d, Conv2dConfig, Linear, LinearConfig};
pub use lenet::{Head, LeNetConfig, LeNetDecoder, LeNetEncoder};
pub use mlp::{Mlp, MlpConfig};
pub use network::{Architecture, Decoder, Encoder, Layers, MlpShape, Network};
