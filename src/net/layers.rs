use candle_core::{Module, Result, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::ops::{self, BatchNormOptions, ConvAlgorithm, ConvBlock};

/// PyTorch's default: uniform within `1 / sqrt(fan_in)`. candle's own default is 2.4 times wider.
fn torch_default(fan_in: usize) -> Init {
    let bound = 1. / (fan_in.max(1) as f64).sqrt();
    Init::Uniform {
        lo: -bound,
        up: bound,
    }
}

/// A fully connected layer, `[batch, inputs] -> [batch, outputs]`, initialised as PyTorch's.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, Module, Tensor};
/// use puad::net::Linear;
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let linear = Linear::new(3, 2, true, params.var_builder())?;
/// let xs = Tensor::ones((4, 3), DType::F32, &Device::Cpu)?;
/// assert_eq!(linear.forward(&xs)?.dims(), [4, 2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Linear(candle_nn::Linear);

impl Linear {
    /// Takes `weight` (`[outputs, inputs]`) and, if asked for, `bias` (`[outputs]`) from `vb`.
    ///
    /// # Errors
    /// If `vb` lacks them or holds other shapes.
    pub fn new(inputs: usize, outputs: usize, bias: bool, vb: VarBuilder<'_>) -> Result<Self> {
        let init = torch_default(inputs);
        let weight = vb.get_with_hints((outputs, inputs), "weight", init)?;
        let bias = bias
            .then(|| vb.get_with_hints(outputs, "bias", init))
            .transpose()?;
        Ok(Self(candle_nn::Linear::new(weight, bias)))
    }
}

impl Module for Linear {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        self.0.forward(xs)
    }
}

/// A convolution, or transposed convolution, of stride 1 without bias, initialised as PyTorch's.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, Module, Tensor};
/// use puad::net::Conv2d;
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let conv = Conv2d::new(1, 8, 5, 2, params.var_builder())?;
/// let xs = Tensor::ones((4, 1, 12, 12), DType::F32, &Device::Cpu)?;
/// assert_eq!(conv.forward(&xs)?.dims(), [4, 8, 12, 12]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Conv2d {
    weight: Tensor,
    padding: usize,
    transposed: bool,
    algorithm: ConvAlgorithm,
}

impl Conv2d {
    /// `[batch, inputs, h, w] -> [batch, outputs, ...]`. Takes `weight`
    /// (`[outputs, inputs, size, size]`) from `vb`.
    ///
    /// # Errors
    /// If `vb` lacks it or holds another shape.
    pub fn new(
        inputs: usize,
        outputs: usize,
        size: usize,
        padding: usize,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let init = torch_default(inputs * size * size);
        let weight = vb.get_with_hints((outputs, inputs, size, size), "weight", init)?;
        Ok(Self {
            weight,
            padding,
            transposed: false,
            algorithm: ConvAlgorithm::Fast,
        })
    }

    /// As [`new`](Self::new), transposed: `weight` is `[inputs, outputs, size, size]`.
    ///
    /// # Errors
    /// If `vb` lacks it or holds another shape.
    pub fn transposed(
        inputs: usize,
        outputs: usize,
        size: usize,
        padding: usize,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        // PyTorch reads the fan-in off the second dimension, which here counts outputs.
        let init = torch_default(outputs * size * size);
        let weight = vb.get_with_hints((inputs, outputs, size, size), "weight", init)?;
        Ok(Self {
            weight,
            padding,
            transposed: true,
            algorithm: ConvAlgorithm::Fast,
        })
    }
}

impl Conv2d {
    /// The same layer, computed by `algorithm`.
    pub fn with_algorithm(self, algorithm: ConvAlgorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Nearest upsampling by 2, then this convolution.
    pub(super) fn forward_upsampled(&self, xs: &Tensor) -> Result<Tensor> {
        let (padding, transposed) = (self.padding, self.transposed);
        ops::upsample2_conv2d(xs, &self.weight, padding, transposed, self.algorithm)
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
            transposed: self.transposed,
            padding: self.padding,
            upsample,
            norm,
            pool,
            algorithm: self.algorithm,
        }
    }
}

impl Module for Conv2d {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        if self.transposed {
            ops::conv_transpose2d_with(xs, &self.weight, self.padding, self.algorithm)
        } else {
            ops::conv2d_with(xs, &self.weight, self.padding, self.algorithm)
        }
    }
}
