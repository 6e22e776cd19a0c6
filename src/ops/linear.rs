use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, DType, Layout, Module, Result, Shape, Tensor, WithDType,
};

use super::backend::Backend;
use super::backward::deliver;
use super::cpu::{contiguous, elements};
use super::elementwise::map2;
use super::fast::{Layer, Matrix, Panels, column_sums, through};
use super::leaky_relu;

/// What [`linear`] does beside the product. Default: no bias, no activation.
#[derive(Clone, Copy, Debug)]
pub struct LinearOptions<'a> {
    /// Added to every row, `[outputs]`.
    pub bias: Option<&'a Tensor>,
    /// Slope of the LeakyReLU behind it; 1 is none, 0 is ReLU.
    pub negative_slope: f64,
}

impl Default for LinearOptions<'_> {
    fn default() -> Self {
        Self {
            bias: None,
            negative_slope: 1.,
        }
    }
}

/// A fully connected layer with its activation, `leaky(xs weight^T + bias)`: `[..., inputs]` to
/// `[..., outputs]`, `weight` `[outputs, inputs]`.
///
/// On the CPU, for f32 and two dimensions, it is one operation forward and backward, and a row's output
/// has the same bits whichever rows are beside it and on any number of threads. Between processors it
/// differs by rounding. Elsewhere it is a matrix product, a sum and [`leaky_relu`](super::leaky_relu).
///
/// # Errors
/// If the shapes do not fit.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::ops::{LinearOptions, linear};
///
/// let xs = Tensor::new(&[[1f32, 2.]], &Device::Cpu)?;
/// let weight = Tensor::new(&[[1f32, 1.], [1., -1.], [0., 2.]], &Device::Cpu)?;
/// let bias = Tensor::new(&[10f32, 0., 0.], &Device::Cpu)?;
/// let options = LinearOptions { bias: Some(&bias), negative_slope: 0.5 };
/// assert_eq!(linear(&xs, &weight, options)?.to_vec2::<f32>()?, [[13., -0.5, 4.]]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn linear(xs: &Tensor, weight: &Tensor, options: LinearOptions<'_>) -> Result<Tensor> {
    let outputs = rows_of(xs).and_then(|(_, inputs)| options.outputs(inputs, weight));
    if outputs.is_none() {
        return composed(xs, weight, options);
    }
    let op = Linear {
        slope: options.negative_slope as f32,
    };
    let (xs, weight) = (xs.contiguous()?, weight.contiguous()?);
    match options.bias {
        Some(bias) => xs.apply_op3(&weight, &bias.contiguous()?, op),
        None => xs.apply_op2(&weight, op),
    }
}

impl LinearOptions<'_> {
    /// The outputs for rows of `inputs` values, where the kernels compute the layer.
    pub(super) fn outputs(&self, inputs: usize, weight: &Tensor) -> Option<usize> {
        let (outputs, summed) = weight.dims2().ok()?;
        let bias_fits = |bias: &Tensor| on_kernels(bias) && bias.dims() == [outputs];
        // The sign of an output tells that of its sum, unless the slope is negative.
        let fits = on_kernels(weight) && summed == inputs && self.negative_slope as f32 >= 0.;
        (fits && self.bias.is_none_or(bias_fits)).then_some(outputs)
    }
}

/// Rows and columns of `xs`, where the kernels take it.
pub(super) fn rows_of(xs: &Tensor) -> Option<(usize, usize)> {
    xs.dims2().ok().filter(|_| on_kernels(xs))
}

fn on_kernels(t: &Tensor) -> bool {
    t.dtype() == DType::F32 && Backend::of(t) == Backend::Cpu
}

fn composed(xs: &Tensor, weight: &Tensor, options: LinearOptions<'_>) -> Result<Tensor> {
    let layer = candle_nn::Linear::new(weight.clone(), options.bias.cloned());
    let ys = layer.forward(xs)?;
    if options.negative_slope == 1. {
        Ok(ys)
    } else {
        leaky_relu(&ys, options.negative_slope)
    }
}

/// Of inputs, weight and bias, where there is one.
struct Linear {
    slope: f32,
}

const NAME: &str = "puad-linear";

impl Linear {
    fn forward(
        &self,
        [xs, weight]: [(&CpuStorage, &Layout); 2],
        bias: Option<&[f32]>,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs) = xs.1.shape().dims2()?;
        let (outputs, _) = weight.1.shape().dims2()?;
        let numbers = LayerNumbers {
            weight: contiguous(weight.0, weight.1)?,
            bias,
            slope: self.slope,
        };
        let ys = numbers.forward(contiguous(xs.0, xs.1)?, [rows, inputs, outputs]);
        Ok((f32::to_cpu_storage_owned(ys), (rows, outputs).into()))
    }

    /// The gradients of inputs, weight and bias.
    fn backward(
        &self,
        [xs, weight, ys, grad]: [&Tensor; 4],
        want: [bool; 3],
    ) -> Result<[Option<Tensor>; 3]> {
        let grad = grad.contiguous()?;
        let all = [xs, weight, ys, &grad];
        let stored = all.map(Tensor::storage_and_layout);
        let values = |i: usize| elements::<f32>(&stored[i].0, stored[i].1);
        let numbers = LayerNumbers {
            weight: values(1)?,
            bias: None,
            slope: self.slope,
        };
        let ((rows, inputs), outputs) = (xs.dims2()?, weight.dim(0)?);
        let [d_xs, d_weight, d_bias] = numbers.backward(
            [values(0)?, values(2)?, values(3)?],
            [rows, inputs, outputs],
            want,
        );
        let tensor = |values: Option<Vec<f32>>, dims: &[usize]| {
            let tensor = |values| Tensor::from_vec(values, dims, xs.device());
            values.map(tensor).transpose()
        };
        Ok([
            tensor(d_xs, xs.dims())?,
            tensor(d_weight, weight.dims())?,
            tensor(d_bias, &[outputs])?,
        ])
    }
}

/// The numbers of a layer, `weight` `[outputs, inputs]` row by row.
#[derive(Clone, Copy)]
pub(super) struct LayerNumbers<'a> {
    pub(super) weight: &'a [f32],
    pub(super) bias: Option<&'a [f32]>,
    pub(super) slope: f32,
}

impl LayerNumbers<'_> {
    /// `[rows, inputs]` to `[rows, outputs]`.
    pub(super) fn forward(&self, xs: &[f32], [rows, inputs, outputs]: [usize; 3]) -> Vec<f32> {
        let weights = Panels::of_columns(self.weight, inputs, outputs);
        let layer = Layer::new(weights, self.bias, self.slope);
        through(&[layer], Matrix::of_rows(xs, inputs), rows)
    }

    /// The gradients of inputs, weight and bias, those that are wanted, of inputs, outputs and the outputs' gradient.
    pub(super) fn backward(
        &self,
        [xs, ys, mut grad]: [&[f32]; 3],
        [rows, inputs, outputs]: [usize; 3],
        want: [bool; 3],
    ) -> [Option<Vec<f32>>; 3] {
        let slope = self.slope;
        let gated;
        if slope != 1. {
            gated = map2(ys, grad, |y, g| if y > 0. { g } else { g * slope });
            grad = &gated;
        }
        let product = |panels, a, rows| through(&[Layer::new(panels, None, 1.)], a, rows);
        let d_xs = want[0].then(|| {
            let weights = Panels::of_rows(self.weight, outputs, inputs);
            product(weights, Matrix::of_rows(grad, outputs), rows)
        });
        let d_weight = want[1].then(|| {
            if rows == 0 {
                return vec![0.; outputs * inputs];
            }
            let xs = Panels::of_rows(xs, rows, inputs);
            product(xs, Matrix::of_columns(grad, outputs), outputs)
        });
        [d_xs, d_weight, want[2].then(|| column_sums(grad, outputs))]
    }
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward([(xs, xs_layout), (weight, weight_layout)], None)
    }

    fn bwd(
        &self,
        xs: &Tensor,
        weight: &Tensor,
        ys: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let want = [xs.track_op(), weight.track_op(), false];
        let [d_xs, d_weight, _] = self.backward([xs, weight, ys, grad], want)?;
        Ok((deliver(grad, xs, d_xs)?, deliver(grad, weight, d_weight)?))
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let bias = contiguous(bias, bias_layout)?;
        self.forward([(xs, xs_layout), (weight, weight_layout)], Some(bias))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        ys: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let want = [xs, weight, bias].map(Tensor::track_op);
        let [d_xs, d_weight, d_bias] = self.backward([xs, weight, ys, grad], want)?;
        Ok((
            deliver(grad, xs, d_xs)?,
            deliver(grad, weight, d_weight)?,
            deliver(grad, bias, d_bias)?,
        ))
    }
}
