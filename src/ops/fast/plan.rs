//! Which way a convolution goes, and its passes over a batch.

use std::mem::MaybeUninit;

use pulp::Simd;
use rayon::prelude::*;

use super::direct::Direct;
use super::frame::{Frame, to_planes};
use super::task::{BackwardTask, ForwardTask};
use super::vector::{Slot, dispatch, lanes, with_scratch};
use super::winograd::Winograd;
use super::{KernelView, Way};
use crate::ops::im2col::ConvShape;

/// Images whose weight gradient a task sums. Fixed, so that the order of the sum does not depend on
/// the number of threads.
const IMAGES_PER_TASK: usize = 16;
/// Tiles for which a group of images is taken through the transforms together.
const TILES_PER_GROUP: usize = 32;

/// How one convolution is computed.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Plan {
    pub(in crate::ops) shape: ConvShape,
    /// Height and width of the stored input are this much smaller.
    pub(in crate::ops) upsample: usize,
    /// Values per pixel of an output with channels last: its channels, to whole vectors.
    pub(in crate::ops) stride: usize,
    view: KernelView,
    pub(super) forward: Way,
    pub(super) backward: Way,
    pub(super) input: Frame,
    pub(super) output: Frame,
}

impl Plan {
    /// The plan of `shape`, or `None` where unfolding serves better. With `transposed` the kernel is
    /// stored as `[c_in, c_out, kh, kw]` and flipped, as a transposed convolution has it.
    pub(in crate::ops) fn choose(
        shape: ConvShape,
        transposed: bool,
        upsample: usize,
    ) -> Option<Self> {
        let s = shape;
        let (oh, ow) = s.out_hw();
        let lanes = lanes();
        let empty = s.n * s.c_in * s.h * s.w * s.c_out * oh * ow == 0;
        if empty || s.padding >= s.kh.min(s.kw) {
            return None;
        }
        let winograd = |c_in, c_out, h, w| {
            let way = Winograd {
                c_in,
                c_out,
                h,
                w,
                lanes,
            };
            // Half-empty tiles cost as much as full ones.
            let pays = 3 * h * w >= 8 * way.tiles();
            (s.kh == 5 && s.kw == 5 && c_in.min(c_out) >= 8 && pays).then_some(way)
        };
        if let (Some(forward), Some(backward)) = (
            winograd(s.c_in, s.c_out, oh, ow),
            winograd(s.c_out, s.c_in, s.h, s.w),
        ) {
            let ways = (Way::Winograd(forward), Way::Winograd(backward));
            Some(Self::new(s, transposed, upsample, ways))
        } else if s.c_in < 8 && s.c_out >= 8 && s.kh == s.kw {
            Some(Self::direct(s, transposed, upsample))
        } else {
            None
        }
    }

    /// The direct way. The kernel is square and exceeds the padding.
    pub(in crate::ops) fn direct(s: ConvShape, transposed: bool, upsample: usize) -> Self {
        let lanes = lanes();
        let (oh, ow) = s.out_hw();
        let way = |c_in, c_out, h, w| {
            let (kh, kw) = (s.kh, s.kw);
            Way::Direct(Direct {
                c_in,
                c_out,
                kh,
                kw,
                h,
                w,
                lanes,
            })
        };
        let ways = (way(s.c_in, s.c_out, oh, ow), way(s.c_out, s.c_in, s.h, s.w));
        Self::new(s, transposed, upsample, ways)
    }

    fn new(
        s: ConvShape,
        transposed: bool,
        upsample: usize,
        (forward, backward): (Way, Way),
    ) -> Self {
        let lanes = lanes();
        let (oh, ow) = s.out_hw();
        let stride = s.c_out.next_multiple_of(lanes);
        let view = KernelView::new(s.c_in, s.c_out, (s.kh, s.kw), transposed);
        let by_four = |n: usize| n.next_multiple_of(4);
        let (input, output) = match forward {
            Way::Winograd(_) => {
                let back = 4 - s.padding;
                let output = Frame {
                    rows: by_four(s.h).max(by_four(oh) + back - 4) + 4,
                    columns: by_four(s.w).max(by_four(ow) + back - 4) + 4,
                    offset: back,
                    stride,
                };
                let input = Frame {
                    rows: by_four(oh) + 4,
                    columns: by_four(ow) + 4,
                    offset: s.padding,
                    stride: s.c_in.next_multiple_of(lanes),
                };
                (input, output)
            }
            Way::Direct(_) => {
                let (back, padding) = (s.kh.max(s.kw) - 1 - s.padding, s.padding);
                let output = Frame {
                    rows: oh + 2 * back,
                    columns: ow + 2 * back,
                    offset: back,
                    stride,
                };
                let input = Frame {
                    rows: s.h + 2 * padding,
                    columns: s.w + 2 * padding,
                    offset: padding,
                    stride: s.c_in,
                };
                (input, output)
            }
        };
        Self {
            shape: s,
            upsample,
            stride,
            view,
            forward,
            backward,
            input,
            output,
        }
    }

    /// Pixels of an output plane.
    pub(in crate::ops) fn pixels(&self) -> usize {
        let (oh, ow) = self.shape.out_hw();
        oh * ow
    }

    /// Values of a stored input image.
    pub(in crate::ops) fn input_len(&self) -> usize {
        let s = &self.shape;
        s.c_in * s.h * s.w / (self.upsample * self.upsample)
    }

    /// Values of an output image with channels last.
    pub(in crate::ops) fn output_len(&self) -> usize {
        self.pixels() * self.stride
    }

    /// Images that one task takes at a time.
    pub(super) fn group(&self) -> usize {
        match self.forward {
            Way::Winograd(way) => (TILES_PER_GROUP / way.tiles()).clamp(1, IMAGES_PER_TASK),
            Way::Direct(_) => 1,
        }
    }

    pub(super) fn fill_input(&self, image: &[f32], frame: &mut [f32]) {
        let size = (self.shape.h / self.upsample, self.shape.w / self.upsample);
        self.input.fill(image, size, self.upsample, frame);
    }

    /// The convolution of `xs`, `[n, c_in, h, w]`. Each image's output, `[pixels, stride]`, goes to
    /// `each` with the image's item of `sinks`; it lies in `kept`, which is all written, or in scratch.
    pub(in crate::ops) fn forward<X: Send>(
        &self,
        xs: &[f32],
        kernel: &[f32],
        kept: Option<&mut [MaybeUninit<f32>]>,
        sinks: Vec<X>,
        each: impl Fn(X, &mut [f32]) + Sync,
    ) {
        // What callers may rely on: every image reaches its sink.
        assert_eq!(xs.len(), self.shape.n * self.input_len());
        assert_eq!(sinks.len(), self.shape.n);
        let kernel = self.forward.prepare(kernel, self.view);
        let (group, len) = (self.group(), self.output_len());
        let kept: Vec<Option<&mut [MaybeUninit<f32>]>> = match kept {
            Some(kept) => kept.chunks_mut(group * len).map(Some).collect(),
            None => (0..sinks.len().div_ceil(group)).map(|_| None).collect(),
        };
        let groups = xs.par_chunks(group * self.input_len());
        let sinks = sinks.into_par_iter().chunks(group);
        groups.zip(sinks).zip(kept).for_each(|((xs, sinks), kept)| {
            let (frames, out) = (group * self.input.len(), group * len);
            let work = self.forward.scratch(group);
            with_scratch(frames + out + work, |scratch| {
                let (frames, scratch) = scratch.split_at_mut(sinks.len() * self.input.len());
                let (out, work) = scratch.split_at_mut(out);
                let images = xs.chunks_exact(self.input_len());
                for (image, frame) in images.zip(frames.chunks_exact_mut(self.input.len())) {
                    self.fill_input(image, frame);
                }
                let out = match kept {
                    Some(kept) => {
                        self.convolve(frames, &kernel, work, kept);
                        // SAFETY: it is all written.
                        unsafe { kept.assume_init_mut() }
                    }
                    None => {
                        let out = &mut out[..sinks.len() * len];
                        self.convolve(frames, &kernel, work, out);
                        out
                    }
                };
                for (sink, image) in sinks.into_iter().zip(out.chunks_exact_mut(len)) {
                    each(sink, image);
                }
            });
        });
    }

    /// A group of frames into `out`, all of it.
    fn convolve<V: Slot>(&self, frames: &[f32], kernel: &[f32], work: &mut [f32], out: &mut [V]) {
        dispatch(ForwardTask {
            way: &self.forward,
            frames,
            frame: self.input,
            kernel,
            work,
            out,
        });
    }

    /// The convolution as planes, `[n, c_out, oh, ow]`.
    pub(in crate::ops) fn forward_planes(&self, xs: &[f32], kernel: &[f32]) -> Vec<f32> {
        let len = self.shape.c_out * self.pixels();
        let mut out = Box::new_uninit_slice(self.shape.n * len);
        let sinks = out.chunks_exact_mut(len).collect();
        self.forward(xs, kernel, None, sinks, |planes, image| {
            to_planes(image, self.stride, planes);
        });
        // SAFETY: the sinks are all of it, and each image's planes are written.
        unsafe { out.assume_init() }.into_vec()
    }

    /// Gradients of the input (planes) and the kernel, those asked for. `grad(i, frame)` writes the
    /// gradient of output `i` into `frame`, `[rows, columns, stride]` with a border, all of it.
    pub(in crate::ops) fn backward(
        &self,
        (xs, kernel): (&[f32], &[f32]),
        want: (bool, bool),
        grad: &(dyn Fn(usize, &mut [f32]) + Sync),
    ) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
        assert_eq!(xs.len(), self.shape.n * self.input_len());
        let adjoint = want
            .0
            .then(|| self.backward.prepare(kernel, self.view.adjoint()));
        let mut d_xs = want.0.then(|| Box::new_uninit_slice(xs.len()));
        let images = IMAGES_PER_TASK * self.input_len();
        let d_parts: Vec<Option<&mut [MaybeUninit<f32>]>> = match &mut d_xs {
            Some(d_xs) => d_xs.chunks_mut(images).map(Some).collect(),
            None => (0..xs.len().div_ceil(images)).map(|_| None).collect(),
        };
        let parts = xs.par_chunks(images).zip(d_parts).enumerate();
        let sums: Vec<Vec<f32>> = parts
            .map(|(part, (xs, d_xs))| {
                // Nothing between `dispatch` and the loops but inlined code: what is compiled on its
                // own, such as this closure, lacks the machine's vector instructions.
                with_scratch(self.backward_scratch(), |scratch| {
                    dispatch(BackwardTask {
                        plan: self,
                        xs,
                        first: part * IMAGES_PER_TASK,
                        grad,
                        adjoint: adjoint.as_deref().zip(d_xs),
                        want_kernel: want.1,
                        scratch,
                    })
                })
            })
            .collect();
        let d_kernel = want.1.then(|| self.collect_kernel(kernel.len(), &sums));
        // SAFETY: the tasks' parts are all of it, and each is written.
        let d_xs = d_xs.map(|d_xs| unsafe { d_xs.assume_init() }.into_vec());
        (d_xs, d_kernel)
    }

    /// Length of the weight gradient while it is summed.
    pub(super) fn gradient_len(&self) -> usize {
        match self.forward {
            Way::Winograd(way) => way.gradient_len(),
            Way::Direct(way) => way.kernel_len(),
        }
    }

    fn backward_scratch(&self) -> usize {
        let group = self.group();
        let d_len = self.shape.h * self.shape.w * self.input_stride();
        let work = self
            .forward
            .scratch(group)
            .max(self.backward.scratch(group));
        group * (self.input.len() + self.output.len() + d_len) + work + self.gradient_len()
    }

    /// The sum of the tasks' weight gradients, in the kernel's own layout.
    fn collect_kernel(&self, len: usize, parts: &[Vec<f32>]) -> Vec<f32> {
        let s = &self.shape;
        let mut out = vec![0.; len];
        let area = s.kh * s.kw;
        for y in 0..s.kh {
            for x in 0..s.kw {
                for o in 0..s.c_out {
                    for c in 0..s.c_in {
                        let from = match self.forward {
                            Way::Winograd(_) => (o * area + y * s.kw + x) * self.input.stride + c,
                            Way::Direct(_) => ((y * s.kw + x) * s.c_in + c) * self.stride + o,
                        };
                        out[self.view.at(o, c, y, x)] = parts.iter().map(|part| part[from]).sum();
                    }
                }
            }
        }
        out
    }

    /// Where the image begins in such a frame, and the values of a row.
    pub(in crate::ops) fn grad_frame(&self) -> (usize, usize) {
        let f = &self.output;
        (f.at(f.offset, f.offset), f.pitch())
    }

    /// Writes planes, `[c_out, oh, ow]`, into a frame that [`backward`](Self::backward) hands out.
    pub(in crate::ops) fn fill_grad(&self, planes: &[f32], frame: &mut [f32]) {
        self.output.fill(planes, self.shape.out_hw(), 1, frame);
    }
}

impl Plan {
    /// Values per pixel of the input's gradient with channels last.
    pub(super) fn input_stride(&self) -> usize {
        self.shape.c_in.next_multiple_of(match self.forward {
            Way::Winograd(way) => way.lanes,
            Way::Direct(way) => way.lanes,
        })
    }

    #[inline(always)]
    pub(super) fn add_gradient<S: Simd>(
        &self,
        s: S,
        inputs: &[f32],
        outputs: &[f32],
        work: &mut [f32],
        sum: &mut [f32],
    ) {
        match self.forward {
            Way::Winograd(way) => {
                way.add_gradient(s, (inputs, self.input), (outputs, self.output), work, sum);
            }
            Way::Direct(way) => {
                let inputs = inputs.chunks_exact(self.input.len());
                for (x, g) in inputs.zip(outputs.chunks_exact(self.output.len())) {
                    way.add_gradient(s, (x, self.input), (g, self.output), sum);
                }
            }
        }
    }
}
