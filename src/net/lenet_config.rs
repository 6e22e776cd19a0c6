use serde::{Deserialize, Serialize};

use super::size::{MOST_PARAMETERS, MOST_RULE, product};
use super::{BatchNormConfig, Conv2dConfig};
use crate::ops::{ConvAlgorithm, ConvOptions};
use crate::{Error, Result};

const KERNEL: usize = 5;
const PADDING: usize = 2;
const NEGATIVE_SLOPE: f64 = 0.01;

/// Beyond this a size is taken for a mistake.
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
    ///
    /// Sides that are no multiples of 2 to the number of blocks are padded up to one: the encoder repeats
    /// the last row and column, and the decoder leaves them out, so that a loss is over the image's own
    /// pixels.
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
    /// Number of parameters of encoder and decoder together, running statistics not counted.
    pub(super) fn parameters(&self) -> u64 {
        let (h, w) = self.last_map();
        let (Some(&first), Some(&last)) = (self.blocks.first(), self.blocks.last()) else {
            return 0;
        };
        let conv = |inputs, outputs| product(&[KERNEL, KERNEL, inputs, outputs]);
        let pairs = || self.blocks.windows(2).map(|pair| conv(pair[0], pair[1]));
        let encoder = pairs().chain([
            conv(self.channels, first),
            product(&[last, h, w, self.latent]),
        ]);
        let decoder = pairs().chain([
            conv(self.latent / (h * w).max(1), last),
            conv(first, self.channels),
        ]);
        // Scale and shift of each channel.
        let head = matches!(self.head, Head::NormAct).then_some(self.latent);
        let norms = self.blocks.iter().chain(&self.blocks).chain(&head);
        let norms = norms.map(|&channels| product(&[2, channels]));
        let norms = norms.filter(|_| self.affine);
        encoder
            .chain(decoder)
            .chain(norms)
            .fold(0, u64::saturating_add)
    }

    /// Height and width of the image with the rows and columns that the encoder repeats.
    pub(super) fn padded(&self) -> (usize, usize) {
        let (h, w) = self.last_map();
        (h.saturating_mul(self.step()), w.saturating_mul(self.step()))
    }

    /// The size of the feature maps after the last block.
    fn last_map(&self) -> (usize, usize) {
        let step = self.step();
        (self.height.div_ceil(step), self.width.div_ceil(step))
    }

    /// What the blocks divide a side by.
    fn step(&self) -> usize {
        1 << self.blocks.len().min(31)
    }

    /// The size of the feature maps after the last block, if an encoder can have these settings.
    pub(super) fn check_encoder(&self) -> Result<(usize, usize)> {
        self.check_sample()?;
        check_size(("latent", self.latent))?;
        let blocks = self.blocks.iter().map(|&size| ("blocks", size));
        let none = self.blocks.is_empty().then_some(("blocks", 0));
        blocks.chain(none).try_for_each(check_size)?;
        for (name, size) in [("height", self.height), ("width", self.width)] {
            // No more is repeated than there is.
            if size.saturating_mul(2) < self.step() {
                let rule = "at least half of 2 to the number of blocks";
                return Err(Error::config(name, rule, size));
            }
        }
        let count = self.parameters();
        if count > MOST_PARAMETERS {
            return Err(Error::config("network", MOST_RULE, count));
        }
        Ok(self.last_map())
    }

    /// Whether a sample's sizes are ones.
    pub(super) fn check_sample(&self) -> Result<()> {
        let sizes = [
            ("channels", self.channels),
            ("height", self.height),
            ("width", self.width),
        ];
        sizes.into_iter().try_for_each(check_size)
    }

    /// Channels and size of the feature maps that the decoder starts from.
    pub(super) fn check_decoder(&self) -> Result<(usize, usize, usize)> {
        let (h, w) = self.check_encoder()?;
        if !self.latent.is_multiple_of(h * w) {
            let rule = "a multiple of the smallest feature map's pixels";
            return Err(Error::config("latent", rule, self.latent));
        }
        Ok((self.latent / (h * w), h, w))
    }

    pub(super) fn norm(&self, channels: usize) -> BatchNormConfig {
        BatchNormConfig {
            affine: self.affine,
            negative_slope: NEGATIVE_SLOPE,
            ..BatchNormConfig::new(channels)
        }
    }

    pub(super) fn conv(&self, inputs: usize, outputs: usize, transposed: bool) -> Conv2dConfig {
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

fn check_size((name, size): (&'static str, usize)) -> Result<()> {
    match size {
        1..=LARGEST => Ok(()),
        size => Err(Error::config(name, "between 1 and 65536", size)),
    }
}
