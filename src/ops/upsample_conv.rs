use std::mem::MaybeUninit;

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, WithDType};
use rayon::prelude::*;

use super::backend::Backend;
use super::cpu::{contiguous, elements, gradient_of};
use super::fast::{Given, Image, Kernel, KernelView, Plan};
use super::im2col::ConvShape;
use super::{ConvAlgorithm, ConvOptions, conv2d, upsample_nearest2d};

/// Subpixels of a pixel.
const PHASES: usize = 4;

/// Nearest upsampling by 2, then a convolution: `[batch, c_in, h, w] -> [batch, c_out, ...]`.
///
/// Equal to [`upsample_nearest2d`] and [`conv2d`] in turn, up to rounding.
/// For few output channels, f32 and a 5x5 kernel with padding 2 on the CPU, each of the four
/// subpixels is a 3x3 convolution of the small image, whose weights are sums of the kernel's: 9
/// products in place of 25, and the large image is never made.
///
/// # Errors
/// As those operations.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::ops::{ConvOptions, upsample2_conv2d};
///
/// let xs = Tensor::ones((1, 1, 2, 2), DType::F32, &Device::Cpu)?;
/// let kernel = Tensor::ones((1, 1, 5, 5), DType::F32, &Device::Cpu)?;
/// let options = ConvOptions { padding: 2, ..Default::default() };
/// let ys = upsample2_conv2d(&xs, &kernel, options)?;
/// assert_eq!(ys.flatten_all()?.to_vec1::<f32>()?[..4], [9., 12., 12., 9.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn upsample2_conv2d(xs: &Tensor, kernel: &Tensor, options: ConvOptions) -> Result<Tensor> {
    let plan = || Subpixels::choose(xs.dims4().ok()?, kernel, options);
    let on_kernels = Backend::of(xs) == Backend::Cpu && xs.dtype() == DType::F32;
    match plan().filter(|_| on_kernels) {
        Some(op) => xs.contiguous()?.apply_op2(&kernel.contiguous()?, op),
        None => conv2d(&upsample_nearest2d(xs, 2)?, kernel, options),
    }
}

/// Output channel `PHASES o + 2 a + b` of the plan is channel `o` at rows `2 y + a`, columns
/// `2 x + b`.
pub(super) struct Subpixels {
    plan: Plan,
    view: KernelView,
    options: ConvOptions,
}

impl Subpixels {
    /// For f32 images `[n, c, h, w]` on the CPU; `None` where the separate operations serve better.
    pub(super) fn choose(
        xs: (usize, usize, usize, usize),
        kernel: &Tensor,
        options: ConvOptions,
    ) -> Option<Self> {
        let shape = ConvShape::of_dims(xs, kernel, options).ok()??;
        let s = &shape;
        let fits = options.algorithm != ConvAlgorithm::Exact
            && kernel.dtype() == DType::F32
            && (s.kh, s.kw, s.padding) == (5, 5, 2)
            && s.c_in >= 8
            && (1..8).contains(&s.c_out)
            && s.n * s.h * s.w > 0;
        let small = ConvShape {
            c_out: PHASES * shape.c_out,
            kh: 3,
            kw: 3,
            padding: 1,
            ..shape
        };
        fits.then(|| Self {
            plan: Plan::direct(small, false, 1),
            view: KernelView::new(shape.c_in, shape.c_out, (5, 5), options.transposed),
            options,
        })
    }

    pub(super) fn options(&self) -> ConvOptions {
        self.options
    }

    /// Channels, height and width of an output.
    pub(super) fn output(&self) -> (usize, usize, usize) {
        let s = &self.plan.shape;
        (s.c_out / PHASES, 2 * s.h, 2 * s.w)
    }

    /// Calls `f(small, large)` for every weight of the small kernels and every weight of the kernel
    /// in its sum.
    fn terms(&self, mut f: impl FnMut(usize, usize)) {
        // Row `k` of the kernel reads the large image `k - 2` rows on, and that row is a copy of one
        // of three rows of the small image.
        let tap = |phase: usize, k: usize| (phase + k) / 2;
        for o in 0..self.plan.shape.c_out {
            let (a, b) = (o % PHASES / 2, o % 2);
            for c in 0..self.plan.shape.c_in {
                let small = (o * self.plan.shape.c_in + c) * 9;
                for (y, x) in (0..25).map(|i| (i / 5, i % 5)) {
                    let at = small + tap(a, y) * 3 + tap(b, x);
                    f(at, self.view.at(o / PHASES, c, y, x));
                }
            }
        }
    }

    fn small_kernel(&self, kernel: &[f32]) -> Vec<f32> {
        let mut small = vec![0.; 9 * self.plan.shape.c_in * self.plan.shape.c_out];
        self.terms(|at, from| small[at] += kernel[from]);
        small
    }

    /// The kernel as [`convolve`](Self::convolve) takes it.
    pub(super) fn prepare(&self, kernel: &[f32]) -> Kernel {
        self.plan.prepare(&self.small_kernel(kernel))
    }

    /// The images that `image` makes of the items, to the planes that it gives with each.
    pub(super) fn convolve<'a, X>(
        &self,
        kernel: &Kernel,
        items: impl IntoIterator<Item = X>,
        image: impl FnMut(X) -> (Image<'a>, &'a mut [MaybeUninit<f32>]),
    ) {
        self.plan
            .convolve(kernel, items, None, image, |planes, image| {
                self.shuffle(self.plan.shape.w * self.plan.stride, |plane, pixel| {
                    planes[plane].write(image[pixel]);
                });
            });
    }

    /// As [`Plan::backward`], of the kernel as it is.
    pub(super) fn backward<X: Send>(
        &self,
        kernel: &[f32],
        want_kernel: bool,
        given: &Given<'_>,
        sinks: Option<Vec<X>>,
        each: impl Fn(X, &[f32]) + Sync,
    ) -> Option<Vec<f32>> {
        let small = self.small_kernel(kernel);
        let d_small = self
            .plan
            .backward(&small, want_kernel, given, sinks, each)?;
        Some(self.unfolded(&d_small, kernel.len()))
    }

    /// The gradient of a kernel of `len` weights, from that of the small ones.
    fn unfolded(&self, d_small: &[f32], len: usize) -> Vec<f32> {
        let mut d_kernel = vec![0.; len];
        self.terms(|at, from| d_kernel[from] += d_small[at]);
        d_kernel
    }

    /// Writes the frame of an output's gradient, from its planes.
    pub(super) fn fill_grad(&self, planes: &[f32], frame: &mut [f32]) {
        frame.fill(0.);
        let (start, row) = self.plan.grad_place();
        let frame = &mut frame[start..];
        self.shuffle(row, |plane, pixel| frame[pixel] = planes[plane]);
    }

    /// Calls `f(plane, pixel)` with the index of every value in planes `[c_out, 2 h, 2 w]` and in
    /// pixels `row` values a row, `stride` a pixel.
    fn shuffle(&self, row: usize, mut f: impl FnMut(usize, usize)) {
        let (h, w, stride) = (self.plan.shape.h, self.plan.shape.w, self.plan.stride);
        for o in 0..self.plan.shape.c_out / PHASES {
            for y in 0..2 * h {
                let plane = (o * 2 * h + y) * 2 * w;
                let pixel = y / 2 * row + PHASES * o + y % 2 * 2;
                for x in 0..w {
                    f(plane + 2 * x, pixel + x * stride);
                    f(plane + 2 * x + 1, pixel + x * stride + 1);
                }
            }
        }
    }
}

impl CustomOp2 for Subpixels {
    fn name(&self) -> &'static str {
        "puad-upsample2-conv2d"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let xs: &[f32] = contiguous(xs, xs_layout)?;
        let kernel = self.prepare(contiguous(kernel, kernel_layout)?);
        let (n, (c, h, w)) = (self.plan.shape.n, self.output());
        let mut out = Box::new_uninit_slice(n * c * h * w);
        let planes = out.par_chunks_exact_mut(c * h * w);
        let images = xs.par_chunks_exact(self.plan.input_len()).zip(planes);
        images.for_each(|item| {
            let image = |(xs, planes)| (Image::Planes(xs), planes);
            self.convolve(&kernel, [item], image);
        });
        // SAFETY: `shuffle` names every value of an image's planes.
        let ys = unsafe { out.assume_init() }.into_vec();
        Ok((f32::to_cpu_storage_owned(ys), (n, c, h, w).into()))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        kernel: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (xs_storage, xs_layout) = xs.storage_and_layout();
        let (kernel_storage, kernel_layout) = kernel.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        let grads: &[f32] = elements(&grad_storage, grad_layout)?;
        let len = grads.len() / self.plan.shape.n;
        let fill = |i: usize, frame: &mut [f32]| {
            self.fill_grad(&grads[i * len..(i + 1) * len], frame);
        };
        let small = self.small_kernel(elements(&kernel_storage, kernel_layout)?);
        let args = (elements(&xs_storage, xs_layout)?, small.as_slice());
        let want = (xs.track_op(), kernel.track_op());
        let (d_xs, d_small) = self.plan.backward_planes(args, want, &fill);
        let d_kernel = d_small.map(|d_small| self.unfolded(&d_small, kernel.elem_count()));
        Ok((gradient_of(d_xs, xs)?, gradient_of(d_kernel, kernel)?))
    }
}
