use candle_core::{Module, Result, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::ops::{self, BatchNormOptions, ConvBlock, ConvOptions, LinearLayer, LinearOptions};

/// PyTorch's default: uniform within `1 / sqrt(fan_in)`. candle's own default is 2.4 times wider.
fn torch_default(fan_in: usize) -> Init {
    let bound = 1. / (fan_in.max(1) as f64).sqrt();
    Init::Uniform {
        lo: -bound,
        up: bound,
    }
}

/// The settings of a [`Linear`] layer.
///
/// ```
/// use puad::net::LinearConfig;
///
/// let config = LinearConfig { bias: false, ..LinearConfig::new(3, 2) };
/// assert_eq!((config.inputs, config.outputs), (3, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearConfig {
    /// Length of an input.
    pub inputs: usize,
    /// Length of an output.
    pub outputs: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl LinearConfig {
    /// With a bias.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        Self {
            inputs,
            outputs,
            bias: true,
        }
    }
}

/// A fully connected layer, `[batch, inputs] -> [batch, outputs]`, initialised as PyTorch's.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, Module, Tensor};
/// use puad::net::{Linear, LinearConfig};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let linear = Linear::new(&LinearConfig::new(3, 2), params.var_builder())?;
/// let xs = Tensor::ones((4, 3), DType::F32, &Device::Cpu)?;
/// assert_eq!(linear.forward(&xs)?.dims(), [4, 2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Takes `weight` (`[outputs, inputs]`) and, if asked for, `bias` (`[outputs]`) from `vb`.
    ///
    /// # Errors
    /// If `vb` lacks them or holds other shapes.
    pub fn new(config: &LinearConfig, vb: VarBuilder<'_>) -> Result<Self> {
        let init = torch_default(config.inputs);
        let weight = vb.get_with_hints((config.outputs, config.inputs), "weight", init)?;
        let bias = || vb.get_with_hints(config.outputs, "bias", init);
        let bias = config.bias.then(bias).transpose()?;
        Ok(Self { weight, bias })
    }

    /// This layer with LeakyReLU of this slope behind it, 1 for none.
    pub(crate) fn with_activation(&self, negative_slope: f64) -> LinearLayer<'_> {
        let bias = self.bias.as_ref();
        let options = LinearOptions {
            bias,
            negative_slope,
        };
        (&self.weight, options)
    }
}

impl Module for Linear {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let (weight, options) = self.with_activation(1.);
        ops::linear(xs, weight, options)
    }
}

/// The settings of a [`Conv2d`] layer.
///
/// ```
/// use puad::net::Conv2dConfig;
/// use puad::ops::ConvOptions;
///
/// let options = ConvOptions { padding: 2, ..Default::default() };
/// let config = Conv2dConfig { options, ..Conv2dConfig::new(1, 8, 5) };
/// assert!(!config.options.transposed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dConfig {
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    /// Height and width of the kernel.
    pub size: usize,
    /// Padding, whether it is transposed, and how it is computed.
    pub options: ConvOptions,
}

impl Conv2dConfig {
    /// Without padding, not transposed.
    pub fn new(inputs: usize, outputs: usize, size: usize) -> Self {
        Self {
            inputs,
            outputs,
            size,
            options: ConvOptions::default(),
        }
    }
}

/// A convolution, or transposed convolution, of stride 1 without bias, initialised as PyTorch's.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, Module, Tensor};
/// use puad::net::{Conv2d, Conv2dConfig};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let conv = Conv2d::new(&Conv2dConfig::new(1, 8, 5), params.var_builder())?;
/// let xs = Tensor::ones((4, 1, 12, 12), DType::F32, &Device::Cpu)?;
/// assert_eq!(conv.forward(&xs)?.dims(), [4, 8, 8, 8]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Conv2d {
    weight: Tensor,
    options: ConvOptions,
}

impl Conv2d {
    /// `[batch, inputs, h, w] -> [batch, outputs, ...]`. Takes `weight`,
    /// `[outputs, inputs, size, size]` or, transposed, `[inputs, outputs, size, size]`, from `vb`.
    ///
    /// # Errors
    /// If `vb` lacks it or holds another shape.
    pub fn new(config: &Conv2dConfig, vb: VarBuilder<'_>) -> Result<Self> {
        let &Conv2dConfig {
            inputs,
            outputs,
            size,
            options,
        } = config;
        let (first, second) = if options.transposed {
            (inputs, outputs)
        } else {
            (outputs, inputs)
        };
        // PyTorch reads the fan-in off the second dimension, whichever it is.
        let init = torch_default(second * size * size);
        let weight = vb.get_with_hints((first, second, size, size), "weight", init)?;
        Ok(Self { weight, options })
    }

    /// The weights, and what is done with them.
    pub(super) fn kernel(&self) -> (&Tensor, ConvOptions) {
        (&self.weight, self.options)
    }

    /// This convolution and `norm`, with upsampling before and pooling after.
    pub(super) fn block<'a>(
        &'a self,
        norm: BatchNormOptions<'a>,
        upsample: usize,
        pool: usize,
    ) -> ConvBlock<'a> {
        ConvBlock {
            kernel: &self.weight,
            conv: self.options,
            upsample,
            norm,
            pool,
        }
    }
}

impl Module for Conv2d {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        ops::conv2d(xs, &self.weight, self.options)
    }
}
