use candle_core::{Module, ModuleT, Tensor};
use candle_nn::VarBuilder;

use super::{BatchNorm, Conv2d, Head, LeNetConfig, Linear, LinearConfig};
use crate::{Result, ops};

/// Convolution, batch norm, LeakyReLU.
#[derive(Clone, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

/// What blocks are part of.
#[derive(Clone, Copy)]
enum Coder<'a> {
    /// Each is followed by max-pooling, and all by vectors.
    Encoder,
    /// From vectors, as feature maps of this shape: all blocks but the first, and the transposed convolution that
    /// ends them, follow an upsampling.
    Decoder {
        start: (usize, usize, usize),
        end: &'a Conv2d,
    },
}

/// Blocks one after another.
fn through(
    blocks: &[Block],
    coder: Coder<'_>,
    xs: &Tensor,
    train: bool,
) -> candle_core::Result<Tensor> {
    let parts = blocks.iter().enumerate().map(|(i, block)| {
        let (upsample, pool) = match coder {
            Coder::Encoder => (1, 2),
            Coder::Decoder { .. } => (if i > 0 { 2 } else { 1 }, 1),
        };
        block.conv.block(block.norm.options(), upsample, pool)
    });
    let parts: Vec<_> = parts.collect();
    let (maps, end) = match coder {
        Coder::Encoder => (None, None),
        Coder::Decoder { start, end } => (Some(start), Some(end.kernel())),
    };
    let stack = ops::ConvStack {
        blocks: &parts,
        end,
        maps,
        flat: matches!(coder, Coder::Encoder),
    };
    if !train {
        let running: Vec<_> = blocks.iter().map(|block| block.norm.running()).collect();
        return ops::conv_stack_eval(xs, &running, &stack);
    }
    let (ys, statistics) = ops::conv_stack_train(xs, &stack)?;
    for (block, statistics) in blocks.iter().zip(&statistics) {
        block.norm.record(statistics)?;
    }
    Ok(ys)
}

/// `[batch, channels, height, width] -> [batch, latent]`: per block a 5x5 convolution, batch norm,
/// LeakyReLU 0.01 and 2x2 max-pooling; then a linear layer without bias and the [`Head`]. Before the
/// blocks the last row and column are repeated up to a size that can be halved that often.
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
    size: (usize, usize),
    padding: (usize, usize),
    blocks: Vec<Block>,
    linear: Linear,
    norm: Option<BatchNorm>,
}

impl LeNetEncoder {
    /// Takes `blocks.N.conv`, `blocks.N.norm`, `linear` and, with [`Head::NormAct`], `norm` from
    /// `vb`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a size of 0 or above 65,536, a side that the blocks
    /// would halve beyond a pixel, or more than 2^28 parameters of encoder and decoder; candle's error if
    /// `vb` holds other shapes.
    pub fn new(config: &LeNetConfig, vb: VarBuilder<'_>) -> Result<Self> {
        let (h, w) = config.check_encoder()?;
        let size = (config.height, config.width);
        let (height, width) = config.padded();
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
            size,
            padding: (height - size.0, width - size.1),
            blocks,
            linear,
            norm,
        })
    }

    fn pad(&self, xs: &Tensor) -> candle_core::Result<Tensor> {
        let (_, _, height, width) = xs.dims4()?;
        let (h, w) = self.size;
        if (height, width) != (h, w) {
            candle_core::bail!("the encoder takes images of {h} x {w}, got {height} x {width}");
        }
        let (rows, columns) = self.padding;
        xs.pad_with_same(2, 0, rows)?.pad_with_same(3, 0, columns)
    }
}

impl ModuleT for LeNetEncoder {
    fn forward_t(&self, xs: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        let features = through(&self.blocks, Coder::Encoder, &self.pad(xs)?, train)?;
        let latent = self.linear.forward(&features)?;
        match &self.norm {
            Some(norm) => norm.forward_t(&latent, train),
            None => Ok(latent),
        }
    }
}

/// `[batch, latent] -> [batch, channels, height, width]` in (0, 1): the latent vector as small
/// feature maps; per block a 5x5 transposed convolution, batch norm, LeakyReLU 0.01 and nearest
/// upsampling by 2; then a transposed convolution and a sigmoid, of which the rows and columns that the
/// encoder repeated are left out.
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
    size: (usize, usize),
    start: (usize, usize, usize),
    blocks: Vec<Block>,
    out: Conv2d,
}

impl LeNetDecoder {
    /// Takes `blocks.N.conv`, `blocks.N.norm` and `out` from `vb`.
    ///
    /// # Errors
    /// As [`LeNetEncoder::new`]; [`Error::Config`](crate::Error::Config) for a latent vector that does not
    /// fill whole feature maps.
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
        Ok(Self {
            size: (config.height, config.width),
            start,
            blocks,
            out,
        })
    }
}

impl ModuleT for LeNetDecoder {
    fn forward_t(&self, xs: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        // Each block's upsampling is part of what follows it.
        let decoder = Coder::Decoder {
            start: self.start,
            end: &self.out,
        };
        let images = ops::sigmoid(&through(&self.blocks, decoder, xs, train)?)?;
        let (height, width) = self.size;
        images
            .narrow(2, 0, height)?
            .narrow(3, 0, width)?
            .contiguous()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Params};
    use candle_core::{DType, Device, Var};

    fn build(config: &LeNetConfig) -> Result<(LeNetEncoder, LeNetDecoder)> {
        let vb = Params::new(0, DType::F32, &Device::Cpu).var_builder();
        let encoder = LeNetEncoder::new(config, vb.pp("encoder"))?;
        Ok((encoder, LeNetDecoder::new(config, vb.pp("decoder"))?))
    }

    #[test]
    fn vectors_that_are_no_feature_maps_are_errors() {
        let (_, decoder) = build(&LeNetConfig::default()).unwrap();
        for train in [false, true] {
            for width in [0, 64, 100, 256] {
                let latent = Tensor::zeros((2, width), DType::F32, &Device::Cpu).unwrap();
                assert!(decoder.forward_t(&latent, train).is_err(), "{width}");
            }
            let latent = Tensor::zeros((2, 128), DType::F32, &Device::Cpu).unwrap();
            assert_eq!(
                decoder.forward_t(&latent, train).unwrap().dims(),
                [2, 3, 32, 32]
            );
        }
    }

    #[test]
    fn other_sizes_channels_and_depths_round_trip() {
        for (channels, height, width, blocks, latent) in [
            (1, 16, 16, vec![8, 16, 32], 32),
            (3, 32, 64, vec![4, 8, 8], 96),
            (2, 12, 20, vec![6, 5], 30),
            (1, 27, 13, vec![6, 5], 28),
            (2, 5, 1, vec![4], 3),
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

    /// 27 x 26 is 28 x 28 with the last row and the last column repeated, and cut off again.
    #[test]
    fn other_sides_are_padded_by_the_edge_and_cut() {
        let config = |height, width| LeNetConfig {
            channels: 2,
            height,
            width,
            blocks: vec![3, 5],
            latent: 49,
            ..Default::default()
        };
        let params = Params::new(0, DType::F64, &Device::Cpu);
        let vb = params.var_builder();
        let nets = |config: LeNetConfig| {
            let encoder = LeNetEncoder::new(&config, vb.pp("encoder")).unwrap();
            (
                encoder,
                LeNetDecoder::new(&config, vb.pp("decoder")).unwrap(),
            )
        };
        let (small, whole) = (nets(config(27, 26)), nets(config(28, 28)));
        let values: Vec<f64> = (0..3 * 2 * 27 * 26)
            .map(|i| (f64::from(i) * 0.7).sin())
            .collect();
        let xs = Var::from_vec(values, (3, 2, 27, 26), &Device::Cpu).unwrap();
        let rows: Vec<u32> = (0..27).chain([26]).collect();
        let columns: Vec<u32> = (0..26).chain([25, 25]).collect();
        let ids = |ids: Vec<u32>| Tensor::new(ids, &Device::Cpu).unwrap();
        let padded = xs.index_select(&ids(rows), 2).unwrap();
        let padded = padded.index_select(&ids(columns), 3).unwrap();

        let latent = small.0.forward_t(&xs, true).unwrap();
        let expected = whole.0.forward_t(&padded, true).unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert_eq!(flat(&latent), flat(&expected));
        let images = small.1.forward_t(&latent, true).unwrap();
        let expected = whole.1.forward_t(&expected, true).unwrap();
        let expected = expected.narrow(2, 0, 27).unwrap().narrow(3, 0, 26).unwrap();
        assert_eq!(flat(&images), flat(&expected));

        let gradient = |loss: Tensor| flat(loss.backward().unwrap().get(&xs).unwrap());
        let ours = gradient(images.sqr().unwrap().sum_all().unwrap());
        let expected = gradient(expected.sqr().unwrap().sum_all().unwrap());
        assert!(ours.iter().any(|g| g.abs() > 1e-6));
        for (a, e) in ours.iter().zip(expected) {
            approx::assert_relative_eq!(*a, e, max_relative = 1e-9, epsilon = 1e-12);
        }
    }

    /// A size that would pass through the blocks, but is another than was asked for.
    #[test]
    fn images_of_another_size_are_an_error() {
        let config = LeNetConfig {
            channels: 1,
            height: 27,
            width: 27,
            blocks: vec![4],
            latent: 196,
            ..Default::default()
        };
        let (encoder, _) = build(&config).unwrap();
        let xs = Tensor::zeros((2, 1, 28, 28), DType::F32, &Device::Cpu).unwrap();
        let err = encoder.forward_t(&xs, false).unwrap_err().to_string();
        assert!(err.contains("27 x 27, got 28 x 28"), "{err}");
    }

    #[test]
    fn sizes_it_cannot_take_are_errors() {
        type Spoil = fn(&mut LeNetConfig);
        let bad: [(&str, Spoil); 11] = [
            ("height", |c| c.height = 3),
            ("width", |c| c.width = 1),
            ("height", |c| c.height = 0),
            ("channels", |c| c.channels = 0),
            ("latent", |c| c.latent = 0),
            ("latent", |c| c.latent = 100),
            ("blocks", |c| c.blocks = vec![]),
            ("blocks", |c| c.blocks = vec![8, 0]),
            ("height", |c| c.blocks = vec![1; 64]),
            ("network", |c| c.blocks = vec![1 << 16; 3]),
            ("network", |c| {
                (c.height, c.width, c.latent) = (4096, 4096, 1 << 16)
            }),
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
