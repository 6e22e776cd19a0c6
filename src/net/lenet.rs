use candle_core::{Module, ModuleT, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::{BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Linear, LinearConfig};
use crate::ops::{self, ConvAlgorithm, ConvOptions};
use crate::{Error, Result};

const KERNEL: usize = 5;
const PADDING: usize = 2;
const NEGATIVE_SLOPE: f64 = 0.01;

/// Products of a few sizes stay far from overflow.
const LARGEST: usize = 1 << 16;

/// How the encoder ends after its linear layer.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device};
/// use puad::net::{Head, LeNetConfig, LeNetEncoder};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let config = LeNetConfig { head: Head::Linear, ..Default::default() };
/// LeNetEncoder::new(&config, params.var_builder())?;
/// let last = params.parameters().pop().unwrap().0;
/// assert_eq!(last, "linear.weight");
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// Batch norm and LeakyReLU, as in the published experiments.
    #[default]
    NormAct,
    /// Nothing, as in Ruff et al.'s own DeepSVDD network.
    Linear,
}

/// The LeNet of Ruff et al. (2018) for images, encoder and decoder.
///
/// Defaults: section 5.3 of the paper, for the autoencoder family; the DeepSVDD family learns no
/// scale and shift (`affine: false`), so that it has no bias anywhere.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device};
/// use puad::net::{LeNetConfig, LeNetDecoder};
///
/// // MNIST: 28 x 28 can be halved twice.
/// let config = LeNetConfig {
///     channels: 1,
///     height: 28,
///     width: 28,
///     blocks: vec![32, 64],
///     latent: 98, // a multiple of the last map's 7 x 7 pixels
///     ..Default::default()
/// };
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// LeNetDecoder::new(&config, params.var_builder())?;
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeNetConfig {
    /// Channels of the image.
    pub channels: usize,
    /// Height of the image in pixels; each block halves it.
    pub height: usize,
    /// Width of the image in pixels; each block halves it.
    pub width: usize,
    /// Output channels of the encoder's blocks; the decoder mirrors them.
    pub blocks: Vec<usize>,
    /// Length of the latent vector.
    pub latent: usize,
    /// How the encoder ends.
    pub head: Head,
    /// Whether batch norm learns scale and shift.
    pub affine: bool,
    /// How convolutions in f32 are computed.
    pub algorithm: ConvAlgorithm,
}

impl Default for LeNetConfig {
    fn default() -> Self {
        Self {
            channels: 3,
            height: 32,
            width: 32,
            blocks: vec![32, 64, 128],
            latent: 128,
            head: Head::NormAct,
            affine: true,
            algorithm: ConvAlgorithm::Fast,
        }
    }
}

impl LeNetConfig {
    /// The size of the feature maps after the last block.
    fn check_encoder(&self) -> Result<(usize, usize)> {
        let positive = [
            ("channels", self.channels),
            ("height", self.height),
            ("width", self.width),
            ("latent", self.latent),
            ("blocks", self.blocks.iter().copied().min().unwrap_or(0)),
        ];
        if let Some((name, value)) = positive.into_iter().find(|&(_, value)| value == 0) {
            return Err(Error::config(name, "at least 1", value));
        }
        let sizes = [self.channels, self.height, self.width, self.latent];
        let largest = self.blocks.iter().copied().chain(sizes).max();
        if let Some(size) = largest.filter(|&size| size > LARGEST) {
            return Err(Error::config("sizes", "at most 65536 each", size));
        }
        let halved = |name, size: usize| {
            let step = 1usize.checked_shl(self.blocks.len() as u32).unwrap_or(0);
            match size.checked_rem(step) {
                Some(0) => Ok(size / step),
                _ => {
                    let rule = "a multiple of 2 to the number of blocks";
                    Err(Error::config(name, rule, size))
                }
            }
        };
        Ok((halved("height", self.height)?, halved("width", self.width)?))
    }

    /// Channels and size of the feature maps that the decoder starts from.
    fn check_decoder(&self) -> Result<(usize, usize, usize)> {
        let (h, w) = self.check_encoder()?;
        if !self.latent.is_multiple_of(h * w) {
            let rule = "a multiple of the smallest feature map's pixels";
            return Err(Error::config("latent", rule, self.latent));
        }
        Ok((self.latent / (h * w), h, w))
    }

    fn norm(&self, channels: usize) -> BatchNormConfig {
        BatchNormConfig {
            affine: self.affine,
            negative_slope: NEGATIVE_SLOPE,
            ..BatchNormConfig::new(channels)
        }
    }

    fn conv(&self, inputs: usize, outputs: usize, transposed: bool) -> Conv2dConfig {
        Conv2dConfig {
            options: ConvOptions {
                padding: PADDING,
                transposed,
                algorithm: self.algorithm,
            },
            ..Conv2dConfig::new(inputs, outputs, KERNEL)
        }
    }
}

/// Convolution, batch norm, LeakyReLU.
#[derive(Clone, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Block {
    /// With nearest upsampling before and max-pooling after; 1 for none.
    fn forward(
        &self,
        xs: &Tensor,
        train: bool,
        (upsample, pool): (usize, usize),
    ) -> candle_core::Result<Tensor> {
        let block = self.conv.block(self.norm.options(), upsample, pool);
        if train {
            let (ys, statistics) = ops::conv_block_train(xs, block)?;
            self.norm.record(&statistics)?;
            Ok(ys)
        } else {
            let (mean, variance) = self.norm.running();
            ops::conv_block_eval(xs, mean, variance, block)
        }
    }
}

/// `[batch, channels, height, width] -> [batch, latent]`: per block a 5x5 convolution, batch norm,
/// LeakyReLU 0.01 and 2x2 max-pooling; then a linear layer without bias and the [`Head`].
///
/// Clones share their parameters.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, ModuleT, Tensor};
/// use puad::net::{LeNetConfig, LeNetEncoder};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let encoder = LeNetEncoder::new(&LeNetConfig::default(), params.var_builder())?;
/// let images = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu)?;
/// assert_eq!(encoder.forward_t(&images, false)?.dims(), [2, 128]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LeNetEncoder {
    blocks: Vec<Block>,
    linear: Linear,
    norm: Option<BatchNorm>,
}

impl LeNetEncoder {
    /// Takes `blocks.N.conv`, `blocks.N.norm`, `linear` and, with [`Head::NormAct`], `norm` from
    /// `vb`.
    ///
    /// # Errors
    /// [`Error::Config`] for a size that the blocks cannot halve; candle's error if `vb` holds
    /// other shapes.
    pub fn new(config: &LeNetConfig, vb: VarBuilder<'_>) -> Result<Self> {
        let (h, w) = config.check_encoder()?;
        let mut blocks = Vec::with_capacity(config.blocks.len());
        let mut inputs = config.channels;
        for (i, &outputs) in config.blocks.iter().enumerate() {
            let vb = vb.pp("blocks").pp(i);
            blocks.push(Block {
                conv: Conv2d::new(&config.conv(inputs, outputs, false), vb.pp("conv"))?,
                norm: BatchNorm::new(&config.norm(outputs), vb.pp("norm"))?,
            });
            inputs = outputs;
        }
        let norm = match config.head {
            Head::NormAct => Some(BatchNorm::new(&config.norm(config.latent), vb.pp("norm"))?),
            Head::Linear => None,
        };
        let linear = LinearConfig {
            bias: false,
            ..LinearConfig::new(inputs * h * w, config.latent)
        };
        let linear = Linear::new(&linear, vb.pp("linear"))?;
        Ok(Self {
            blocks,
            linear,
            norm,
        })
    }
}

impl ModuleT for LeNetEncoder {
    fn forward_t(&self, xs: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        let features = self
            .blocks
            .iter()
            .try_fold(xs.clone(), |xs, block| block.forward(&xs, train, (1, 2)))?;
        let latent = self.linear.forward(&features.flatten_from(1)?)?;
        match &self.norm {
            Some(norm) => norm.forward_t(&latent, train),
            None => Ok(latent),
        }
    }
}

/// `[batch, latent] -> [batch, channels, height, width]` in (0, 1): the latent vector as small
/// feature maps; per block a 5x5 transposed convolution, batch norm, LeakyReLU 0.01 and nearest
/// upsampling by 2; then a transposed convolution and a sigmoid.
///
/// Clones share their parameters.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, ModuleT, Tensor};
/// use puad::net::{LeNetConfig, LeNetDecoder};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let decoder = LeNetDecoder::new(&LeNetConfig::default(), params.var_builder())?;
/// let latent = Tensor::zeros((2, 128), DType::F32, &Device::Cpu)?;
/// assert_eq!(decoder.forward_t(&latent, false)?.dims(), [2, 3, 32, 32]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LeNetDecoder {
    start: (usize, usize, usize),
    blocks: Vec<Block>,
    out: Conv2d,
}

impl LeNetDecoder {
    /// Takes `blocks.N.conv`, `blocks.N.norm` and `out` from `vb`.
    ///
    /// # Errors
    /// [`Error::Config`] for a size that the blocks cannot halve or a latent vector that does not
    /// fill whole feature maps; candle's error if `vb` holds other shapes.
    pub fn new(config: &LeNetConfig, vb: VarBuilder<'_>) -> Result<Self> {
        let start = config.check_decoder()?;
        let mut blocks = Vec::with_capacity(config.blocks.len());
        let mut inputs = start.0;
        for (i, &outputs) in config.blocks.iter().rev().enumerate() {
            let vb = vb.pp("blocks").pp(i);
            blocks.push(Block {
                conv: Conv2d::new(&config.conv(inputs, outputs, true), vb.pp("conv"))?,
                norm: BatchNorm::new(&config.norm(outputs), vb.pp("norm"))?,
            });
            inputs = outputs;
        }
        let out = Conv2d::new(&config.conv(inputs, config.channels, true), vb.pp("out"))?;
        Ok(Self { start, blocks, out })
    }
}

impl ModuleT for LeNetDecoder {
    fn forward_t(&self, xs: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        let (channels, h, w) = self.start;
        let start = xs.reshape((xs.dim(0)?, channels, h, w))?;
        let mut features = start;
        // Each block's upsampling is part of what follows it.
        for (i, block) in self.blocks.iter().enumerate() {
            features = block.forward(&features, train, (if i > 0 { 2 } else { 1 }, 1))?;
        }
        ops::sigmoid(&self.out.forward_upsampled(&features)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use candle_core::{DType, Device};

    fn build(config: &LeNetConfig) -> Result<(LeNetEncoder, LeNetDecoder)> {
        let vb = Params::new(0, DType::F32, &Device::Cpu).var_builder();
        let encoder = LeNetEncoder::new(config, vb.pp("encoder"))?;
        Ok((encoder, LeNetDecoder::new(config, vb.pp("decoder"))?))
    }

    #[test]
    fn other_sizes_channels_and_depths_round_trip() {
        for (channels, height, width, blocks, latent) in [
            (1, 16, 16, vec![8, 16, 32], 32),
            (3, 32, 64, vec![4, 8, 8], 96),
            (2, 12, 20, vec![6, 5], 30),
        ] {
            let config = LeNetConfig {
                channels,
                height,
                width,
                blocks,
                latent,
                ..Default::default()
            };
            let (encoder, decoder) = build(&config).unwrap();
            let xs = Tensor::zeros((2, channels, height, width), DType::F32, &Device::Cpu).unwrap();
            let z = encoder.forward_t(&xs, true).unwrap();
            assert_eq!(z.dims(), [2, latent]);
            assert_eq!(decoder.forward_t(&z, true).unwrap().dims(), xs.dims());
        }
    }

    #[test]
    fn sizes_it_cannot_take_are_errors() {
        type Spoil = fn(&mut LeNetConfig);
        let bad: [(&str, Spoil); 9] = [
            ("height", |c| c.height = 28),
            ("width", |c| c.width = 36),
            ("height", |c| c.height = 0),
            ("channels", |c| c.channels = 0),
            ("latent", |c| c.latent = 0),
            ("latent", |c| c.latent = 100),
            ("blocks", |c| c.blocks = vec![]),
            ("blocks", |c| c.blocks = vec![8, 0]),
            ("height", |c| c.blocks = vec![1; 64]),
        ];
        for (expected, spoil) in bad {
            let mut config = LeNetConfig::default();
            spoil(&mut config);
            let err = build(&config).err();
            assert!(
                matches!(err, Some(Error::Config { name, .. }) if name == expected),
                "{expected}: {err:?}"
            );
        }
    }
}
