use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, WithDType};

use serde::{Deserialize, Serialize};

use super::backend::Backend;
use super::cpu::{Real, contiguous, dispatch, elements, gradient_of};
#[cfg(feature = "cudnn")]
use super::cuda;
use super::fast::Plan;
use super::im2col::{self, ConvShape};

/// How a convolution is computed in f32, on the CPU and, with the feature `cudnn`, on CUDA. In f64, and
/// on other devices, all are the same. The errors are those measured on the CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConvAlgorithm {
    /// The fastest for the shape, with a relative error of 2e-7 to 3e-6: Winograd's F(4x4, 5x5) for
    /// 5x5 kernels of at least 8 channels, a direct sum for few input channels, else as `Exact`. On
    /// CUDA what cuDNN picks among its deterministic algorithms in f32.
    #[default]
    Fast,
    /// An unfolded image and a matrix product, with a relative error of about 1e-7.
    Exact,
    /// On CUDA, tensor cores, which round the factors to 10 bits, a relative error of some 1e-3:
    /// PyTorch's default there. On the CPU as `Fast`.
    Tf32,
}

/// What a convolution does beside its sum. Default: no padding, not transposed, the fast algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConvOptions {
    /// Zeros added to every border of the input; of a transposed convolution, values taken off every
    /// border of the output.
    pub padding: usize,
    /// Whether it is the transposed convolution, the adjoint of the other in its input.
    pub transposed: bool,
    /// How it is computed.
    pub algorithm: ConvAlgorithm,
}

/// 2-d convolution (cross-correlation) of stride 1, or a transposed one.
///
/// `xs`: `[batch, c_in, h, w]`, `kernel`: `[c_out, c_in, kh, kw]` ->
/// `[batch, c_out, h + 2 padding - kh + 1, w + 2 padding - kw + 1]`. Transposed: `kernel`:
/// `[c_in, c_out, kh, kw]` (PyTorch's layout) ->
/// `[batch, c_out, h + kh - 1 - 2 padding, w + kw - 1 - 2 padding]`.
///
/// No gradient is computed for an input that needs none, such as raw images.
///
/// # Errors
/// If the channels differ, the kernel exceeds the padded input, or a transposed convolution's padding
/// leaves no output.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::ops::{ConvOptions, conv2d};
///
/// let xs = Tensor::new(&[[[[1f32, 2.], [3., 4.]]]], &Device::Cpu)?;
/// let kernel = Tensor::new(&[[[[1f32, 0.], [0., 10.]]]], &Device::Cpu)?;
/// let ys = conv2d(&xs, &kernel, ConvOptions::default())?;
/// assert_eq!(ys.flatten_all()?.to_vec1::<f32>()?, [41.]);
///
/// let options = ConvOptions { transposed: true, ..Default::default() };
/// let ys = conv2d(&Tensor::new(&[[[[2f32]]]], &Device::Cpu)?, &kernel, options)?;
/// assert_eq!(ys.flatten_all()?.to_vec1::<f32>()?, [2., 0., 0., 20.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn conv2d(xs: &Tensor, kernel: &Tensor, options: ConvOptions) -> Result<Tensor> {
    let mismatch = || candle_core::Error::ShapeMismatchBinaryOp {
        lhs: xs.shape().clone(),
        rhs: kernel.shape().clone(),
        op: "conv2d",
    };
    let input = ConvShape::of(xs, kernel, options)?.ok_or_else(|| mismatch().bt())?;
    let (forward, shape) = if options.transposed {
        (Role::Input, input.adjoint())
    } else {
        (Role::Output, Some(input))
    };
    let valid = shape.filter(ConvShape::is_valid);
    let shape = valid.ok_or_else(|| mismatch().bt())?;
    if Backend::of_convolution(xs) == Backend::Candle {
        return if options.transposed {
            xs.conv_transpose2d(kernel, options.padding, 0, 1, 1)
        } else {
            xs.conv2d(kernel, options.padding, 1, 1, 1)
        };
    }
    let (xs, kernel) = (&xs.contiguous()?, &kernel.contiguous()?);
    if let Some(plan) = fast_plan(xs, kernel, input, options) {
        return xs.apply_op2(kernel, FastConv(plan));
    }
    let op = Conv {
        shape,
        algorithm: options.algorithm,
        forward,
    };
    xs.apply_op2(kernel, op)
}

/// The vector kernels' plan, or `None` where [`Conv`] serves better. `shape`: of the convolution, with
/// the padding of a transposed one.
fn fast_plan(xs: &Tensor, kernel: &Tensor, shape: ConvShape, options: ConvOptions) -> Option<Plan> {
    let f32s = xs.dtype() == DType::F32 && kernel.dtype() == DType::F32;
    let fast = options.algorithm != ConvAlgorithm::Exact && Backend::of(xs) == Backend::Cpu;
    if !f32s || !fast {
        return None;
    }
    let shape = if options.transposed {
        shape.flipped()?
    } else {
        shape
    };
    Plan::choose(shape, options.transposed, 1)
}

/// The three tensors of a convolution `output = input * kernel`. Each of them, or its gradient, is
/// computed from the two others.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Role {
    Output,
    Input,
    Kernel,
}

impl Role {
    pub(super) fn shape(self, s: &ConvShape) -> Shape {
        let (oh, ow) = s.out_hw();
        match self {
            Self::Output => (s.n, s.c_out, oh, ow).into(),
            Self::Input => (s.n, s.c_in, s.h, s.w).into(),
            Self::Kernel => (s.c_out, s.c_in, s.kh, s.kw).into(),
        }
    }

    /// Output from (input, kernel), input from (output, kernel), or kernel from (input, output).
    fn compute<T: Real>(self, s: &ConvShape, a: &[T], b: &[T]) -> Vec<T> {
        match self {
            Self::Output => im2col::forward(s, a, b),
            Self::Input => im2col::backward_input(s, a, b),
            Self::Kernel => im2col::backward_kernel(s, a, b),
        }
    }
}

/// A convolution in f32 by the vector kernels.
struct FastConv(Plan);

impl CustomOp2 for FastConv {
    fn name(&self) -> &'static str {
        "puad-conv2d"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let xs = contiguous(xs, xs_layout)?;
        let ys = self
            .0
            .forward_planes(xs, contiguous(kernel, kernel_layout)?);
        Ok((
            f32::to_cpu_storage_owned(ys),
            Role::Output.shape(&self.0.shape),
        ))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        kernel: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = &grad.contiguous()?;
        let (xs_storage, xs_layout) = xs.storage_and_layout();
        let (kernel_storage, kernel_layout) = kernel.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        let values: &[f32] = elements(&grad_storage, grad_layout)?;
        let len = values.len() / self.0.shape.n;
        let fill = |i: usize, frame: &mut [f32]| {
            self.0.fill_grad(&values[i * len..(i + 1) * len], frame);
        };
        let args = (
            elements(&xs_storage, xs_layout)?,
            elements(&kernel_storage, kernel_layout)?,
        );
        let (d_xs, d_kernel) =
            self.0
                .backward_planes(args, (xs.track_op(), kernel.track_op()), &fill);
        Ok((gradient_of(d_xs, xs)?, gradient_of(d_kernel, kernel)?))
    }
}

/// A convolution, which computes the output, or its adjoint, which computes the input, or, without a
/// backward pass, its kernel.
struct Conv {
    shape: ConvShape,
    algorithm: ConvAlgorithm,
    forward: Role,
}

impl CustomOp2 for Conv {
    fn name(&self) -> &'static str {
        "puad-conv2d"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        dispatch!(self.name(), xs.dtype(), T => {
            let xs = contiguous::<T>(xs, xs_layout)?;
            let kernel = contiguous(kernel, kernel_layout)?;
            let ys = self.forward.compute(&self.shape, xs, kernel);
            Ok((T::to_cpu_storage_owned(ys), self.forward.shape(&self.shape)))
        })
    }

    #[cfg(feature = "cudnn")]
    fn cuda_fwd(
        &self,
        xs: &candle_core::CudaStorage,
        xs_layout: &Layout,
        kernel: &candle_core::CudaStorage,
        kernel_layout: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        let what = (self.forward, self.algorithm);
        let (xs, kernel) = ((xs, xs_layout), (kernel, kernel_layout));
        let ys = cuda::convolve(&self.shape, what, xs, kernel)?;
        Ok((ys, self.forward.shape(&self.shape)))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        kernel: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = &grad.contiguous()?;
        let (back, input, output) = match self.forward {
            Role::Input => (Role::Output, grad, xs),
            _ => (Role::Input, xs, grad),
        };
        let compute = |forward: Role, a: &Tensor, b: &Tensor| {
            let (shape, algorithm) = (self.shape, self.algorithm);
            let op = Self {
                shape,
                algorithm,
                forward,
            };
            a.apply_op2_no_bwd(b, &op)
        };
        // Only what candle tracks: for an input such as raw images the work would be wasted.
        let d_xs = xs.track_op().then(|| compute(back, grad, kernel));
        let d_kernel = kernel
            .track_op()
            .then(|| compute(Role::Kernel, input, output));
        Ok((d_xs.transpose()?, d_kernel.transpose()?))
    }
}
