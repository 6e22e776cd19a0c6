//! Which way a convolution goes, and its passes over a batch.

use std::mem::MaybeUninit;

use pulp::Simd;
use rayon::prelude::*;

use super::direct::Direct;
use super::frame::{Frame, to_planes};
use super::grey::Grey;
use super::task::{BackwardTask, ForwardTask};
use super::vector::{Slot, dispatch, lanes, with_scratch};
use super::winograd::{GRADIENT_TILES, Winograd};
use super::{KernelView, Way};
use crate::ops::im2col::ConvShape;

/// Images whose weight gradient a task sums. Fixed, so that the order of the sum does not depend on
/// the number of threads.
const IMAGES_PER_TASK: usize = 16;
/// Tiles for which a group of images is taken through the transforms together.
const TILES_PER_GROUP: usize = 32;

/// An image of a convolution's input, as it is stored: `[channels, h, w]`, or `[h, w, stride]` with the
/// [`input_stride`](Plan::input_stride).
#[derive(Clone, Copy)]
pub(in crate::ops) enum Image<'a> {
    Planes(&'a [f32]),
    Pixels(&'a [f32]),
}

/// A kernel as its [`Plan`] takes it.
pub(in crate::ops) struct Kernel {
    plain: Vec<f32>,
    grey: Option<Vec<f32>>,
}

/// Frames and the way that they go.
struct Run<'a> {
    way: Way,
    frames: &'a [f32],
    frame: Frame,
    kernel: &'a [f32],
}

impl Run<'_> {
    /// All of `out`.
    fn write<V: Slot>(&self, work: &mut [f32], out: &mut [V]) {
        dispatch(ForwardTask {
            way: &self.way,
            frames: self.frames,
            frame: self.frame,
            kernel: self.kernel,
            work,
            out,
        });
    }
}

/// Writes a frame of image `i`, all of it.
pub(in crate::ops) type Fill<'a> = dyn Fn(usize, &mut [f32]) + Sync + 'a;

/// What a backward pass reads.
pub(in crate::ops) struct Given<'a> {
    /// Image `i` of the input.
    pub(in crate::ops) image: &'a (dyn Fn(usize) -> Image<'a> + Sync),
    /// Writes the gradient of output `i`, `[rows, columns, stride]` with a border.
    pub(in crate::ops) grad: &'a Fill<'a>,
}

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
    /// How images are taken whose planes are all the same: one by one.
    pub(super) grey: Option<Grey>,
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
        let grey = match forward {
            Way::Direct(way) if upsample == 1 => Grey::of(way, input),
            _ => None,
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
            grey,
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
    pub(in crate::ops) fn group(&self) -> usize {
        match self.forward {
            Way::Winograd(way) => (TILES_PER_GROUP / way.tiles()).clamp(1, IMAGES_PER_TASK),
            Way::Direct(_) => 1,
        }
    }

    /// The same in a backward pass.
    pub(super) fn gradient_group(&self) -> usize {
        match self.forward {
            Way::Winograd(way) => (GRADIENT_TILES / way.tiles()).clamp(1, IMAGES_PER_TASK),
            Way::Direct(_) => 1,
        }
    }

    /// Writes an image of the input into a frame of its own, all of it; for a grey one its way, whose frame lies
    /// at the beginning.
    pub(super) fn fill_input(&self, image: Image<'_>, frame: &mut [f32]) -> Option<Grey> {
        let size = (self.shape.h / self.upsample, self.shape.w / self.upsample);
        match image {
            Image::Planes(planes) => {
                if let Some(grey) = self.grey
                    && let Some(channel) = grey.channel(planes)
                {
                    let frame = &mut frame[..grey.input.len()];
                    grey.input.fill(channel, size, 1, frame);
                    return Some(grey);
                }
                self.input.fill(planes, size, self.upsample, frame);
            }
            Image::Pixels(pixels) => {
                let pixels = (pixels, self.input_stride());
                self.input.fill_pixels(pixels, size, self.upsample, frame);
            }
        }
        None
    }

    /// The kernel as [`convolve`](Self::convolve) takes it.
    pub(in crate::ops) fn prepare(&self, kernel: &[f32]) -> Kernel {
        Kernel {
            plain: self.forward.prepare(kernel, self.view),
            grey: self.grey.map(|grey| grey.arrange(kernel, &self.view)),
        }
    }

    /// The images that `image` makes of `items`, one after another, through the convolution. Each one's output,
    /// `[pixels, stride]`, goes to `each` with what `image` made beside it; it lies in `kept`, which is all
    /// written, or in scratch.
    pub(in crate::ops) fn convolve<'a, X, Y>(
        &self,
        kernel: &Kernel,
        items: impl IntoIterator<Item = X>,
        mut kept: Option<&mut [MaybeUninit<f32>]>,
        mut image: impl FnMut(X) -> (Image<'a>, Y),
        mut each: impl FnMut(Y, &mut [f32]),
    ) {
        let (group, len, frame) = (self.group(), self.output_len(), self.input.len());
        let mut items = items.into_iter();
        let scratch = group * (frame + len) + self.forward.scratch(group);
        with_scratch(scratch, |scratch| {
            let (frames, scratch) = scratch.split_at_mut(group * frame);
            let (out, work) = scratch.split_at_mut(group * len);
            let mut sinks = Vec::with_capacity(group);
            loop {
                let mut grey = None;
                let places = frames.chunks_exact_mut(frame);
                // The places first: an item taken without one would be lost.
                sinks.extend(places.zip(items.by_ref()).map(|(frame, item)| {
                    let (image, sink) = image(item);
                    grey = self.fill_input(image, frame);
                    sink
                }));
                let count = sinks.len();
                let run = self.run(grey, kernel, &frames[..count * frame]);
                if count == 0 {
                    return;
                }
                let out = match kept.take() {
                    Some(all) => {
                        let (now, later) = all.split_at_mut(count * len);
                        kept = Some(later);
                        run.write(work, now);
                        // SAFETY: it is all written.
                        unsafe { now.assume_init_mut() }
                    }
                    None => {
                        let out = &mut out[..count * len];
                        run.write(work, out);
                        out
                    }
                };
                for (sink, image) in sinks.drain(..).zip(out.chunks_exact_mut(len)) {
                    each(sink, image);
                }
            }
        });
    }

    /// What is to be done with frames: those of a group, or a grey one.
    fn run<'a>(&'a self, grey: Option<Grey>, kernel: &'a Kernel, frames: &'a [f32]) -> Run<'a> {
        match grey.zip(kernel.grey.as_ref()) {
            Some((grey, kernel)) => Run {
                way: Way::Direct(grey.way),
                frames: &frames[..grey.input.len()],
                frame: grey.input,
                kernel,
            },
            None => Run {
                way: self.forward,
                frames,
                frame: self.input,
                kernel: &kernel.plain,
            },
        }
    }

    /// The convolution of planes `[n, c_in, h, w]`. Each image's output, `[pixels, stride]`, goes to `each`
    /// with the image's item of `sinks`.
    pub(in crate::ops) fn forward<X: Send>(
        &self,
        xs: &[f32],
        kernel: &[f32],
        sinks: Vec<X>,
        each: impl Fn(X, &[f32]) + Sync,
    ) {
        // What callers may rely on: every image reaches its sink.
        assert_eq!(xs.len(), self.shape.n * self.input_len());
        assert_eq!(sinks.len(), self.shape.n);
        let kernel = self.prepare(kernel);
        let group = self.group();
        let groups = xs.par_chunks(group * self.input_len());
        let sinks = sinks.into_par_iter().chunks(group);
        groups.zip(sinks).for_each(|(xs, sinks)| {
            let items = xs.chunks_exact(self.input_len()).zip(sinks);
            let image = |(planes, sink)| (Image::Planes(planes), sink);
            self.convolve(&kernel, items, None, image, |sink, image| each(sink, image));
        });
    }

    /// The convolution as planes, `[n, c_out, oh, ow]`.
    pub(in crate::ops) fn forward_planes(&self, xs: &[f32], kernel: &[f32]) -> Vec<f32> {
        let len = self.shape.c_out * self.pixels();
        let mut out = Box::new_uninit_slice(self.shape.n * len);
        let sinks = out.chunks_exact_mut(len).collect();
        self.forward(xs, kernel, sinks, |planes, image| {
            to_planes(image, self.stride, planes);
        });
        // SAFETY: the sinks are all of it, and each image's planes are written.
        unsafe { out.assume_init() }.into_vec()
    }

    /// The gradient of the kernel, if it is wanted, and of the input, for which there is a sink an image: its
    /// pixels, `[h, w, stride]` as they are stored, go to `each`.
    pub(in crate::ops) fn backward<X: Send>(
        &self,
        kernel: &[f32],
        want_kernel: bool,
        given: &Given<'_>,
        sinks: Option<Vec<X>>,
        each: impl Fn(X, &[f32]) + Sync,
    ) -> Option<Vec<f32>> {
        let n = self.shape.n;
        let adjoint = sinks
            .is_some()
            .then(|| self.backward.prepare(kernel, self.view.adjoint()));
        // What callers may rely on: every image reaches its sink.
        assert!(sinks.as_ref().is_none_or(|sinks| sinks.len() == n));
        let mut sinks = sinks.unwrap_or_default().into_iter();
        let tasks = (0..n).step_by(IMAGES_PER_TASK).map(|first| {
            let images = first..n.min(first + IMAGES_PER_TASK);
            let sinks: Vec<X> = sinks.by_ref().take(images.len()).collect();
            (images, sinks)
        });
        let tasks: Vec<_> = tasks.collect();
        let parts = tasks.into_par_iter().map(|(images, sinks)| {
            let mut sinks = sinks.into_iter();
            let mut each = |pixels: &mut [f32]| {
                if let Some(sink) = sinks.next() {
                    each(sink, pixels);
                }
            };
            // Nothing between `dispatch` and the loops but inlined code: what is compiled on its
            // own, such as this closure, lacks the machine's vector instructions.
            with_scratch(self.backward_scratch(), |scratch| {
                dispatch(BackwardTask {
                    plan: self,
                    images,
                    given,
                    adjoint: adjoint.as_deref().map(|kernel| (kernel, &mut each as _)),
                    want_kernel,
                    scratch,
                })
            })
        });
        let parts: Vec<Vec<f32>> = parts.collect();
        want_kernel.then(|| self.collect_kernel(kernel.len(), parts))
    }

    /// As [`backward`](Self::backward) of planes `[n, c_in, h, w]`, to planes; which of both are wanted.
    /// `grad` as in [`Given`].
    pub(in crate::ops) fn backward_planes(
        &self,
        (xs, kernel): (&[f32], &[f32]),
        want: (bool, bool),
        grad: &Fill<'_>,
    ) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
        let len = self.input_len();
        let mut d_xs = want.0.then(|| Box::new_uninit_slice(xs.len()));
        let sinks = d_xs.as_mut().map(|d| d.chunks_exact_mut(len).collect());
        let given = Given {
            image: &|i| Image::Planes(&xs[i * len..(i + 1) * len]),
            grad,
        };
        let d_kernel = self.backward(kernel, want.1, &given, sinks, |planes, pixels| {
            to_planes(pixels, self.input_stride(), planes);
        });
        // SAFETY: the sinks are all of it, and each image's planes are written.
        let d_xs = d_xs.map(|d_xs| unsafe { d_xs.assume_init() }.into_vec());
        (d_xs, d_kernel)
    }

    /// Length of the weight gradient while it is summed.
    pub(super) fn gradient_len(&self) -> usize {
        match self.forward {
            Way::Winograd(way) => way.gradient_len(),
            Way::Direct(way) => {
                let grey = self.grey.map_or(0, |grey| grey.way.kernel_len());
                way.kernel_len() + grey
            }
        }
    }

    fn backward_scratch(&self) -> usize {
        let group = self.gradient_group();
        let d_len = self.shape.h * self.shape.w * self.input_stride();
        let gradient = match self.forward {
            Way::Winograd(way) => way.gradient_scratch(group),
            Way::Direct(_) => 0,
        };
        let work = gradient.max(self.backward.scratch(group));
        group * (self.input.len() + self.output.len() + d_len) + work + self.gradient_len()
    }

    /// The sum of the tasks' weight gradients, in the kernel's own layout.
    fn collect_kernel(&self, len: usize, parts: Vec<Vec<f32>>) -> Vec<f32> {
        /// Values that a thread sums or moves at a time.
        const RUN: usize = 1 << 14;
        let mut parts = parts.into_iter();
        let mut sum = parts.next().unwrap_or_default();
        let rest: Vec<Vec<f32>> = parts.collect();
        let runs = sum.par_chunks_mut(RUN).enumerate();
        runs.for_each(|(i, sum)| {
            for part in &rest {
                let part = &part[i * RUN..][..sum.len()];
                sum.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
            }
        });
        let s = &self.shape;
        let area = s.kh * s.kw;
        let from = |o: usize, c: usize, at: usize| match self.forward {
            Way::Winograd(_) => (o * area + at) * self.input.stride + c,
            Way::Direct(_) => (at * s.c_in + c) * self.stride + o,
        };
        let mut out = vec![0.; len];
        // By the kernel's first dimension.
        let (firsts, seconds) = self.view.first_dimensions(s.c_in, s.c_out);
        let block = (seconds * area).max(1);
        let blocks = out.par_chunks_exact_mut(block).with_min_len(RUN / block);
        debug_assert_eq!(firsts * block, len);
        blocks.enumerate().for_each(|(first, out)| {
            for second in 0..seconds {
                let (o, c) = self.view.channels(first, second);
                for (y, x) in (0..s.kh).flat_map(|y| (0..s.kw).map(move |x| (y, x))) {
                    let to = self.view.at(o, c, y, x) - first * block;
                    out[to] = sum[from(o, c, y * s.kw + x)];
                }
            }
        });
        out
    }

    /// Zeros around the image in a frame of an output's gradient; where the image begins in it, and the values
    /// of a row.
    pub(in crate::ops) fn clear_grad(&self, frame: &mut [f32]) -> (usize, usize) {
        let f = &self.output;
        f.clear_border(self.shape.out_hw(), frame);
        (f.at(f.offset, f.offset), f.pitch())
    }

    /// Writes planes, `[c_out, oh, ow]`, into a frame of an output's gradient.
    pub(in crate::ops) fn fill_grad(&self, planes: &[f32], frame: &mut [f32]) {
        self.output.fill(planes, self.shape.out_hw(), 1, frame);
    }
}

impl Plan {
    /// Values per pixel of an input with channels last, and of its gradient.
    pub(in crate::ops) fn input_stride(&self) -> usize {
        self.shape.c_in.next_multiple_of(match self.forward {
            Way::Winograd(way) => way.lanes,
            Way::Direct(way) => way.lanes,
        })
    }

    /// Adds to `sum`, or writes there where it has not `begun`, the weight gradient of a group of images: their
    /// frames, and the frames of the gradient of their outputs. A `grey` image is a group.
    #[inline(always)]
    pub(super) fn add_gradient<S: Simd>(
        &self,
        s: S,
        (inputs, grey): (&[f32], Option<Grey>),
        outputs: &[f32],
        work: &mut [f32],
        (sum, begun): (&mut [f32], bool),
    ) {
        match self.forward {
            Way::Winograd(way) => {
                let (inputs, outputs) = ((inputs, self.input), (outputs, self.output));
                way.add_gradient(s, inputs, outputs, work, (sum, begun));
            }
            Way::Direct(way) => {
                if !begun {
                    sum.fill(0.);
                }
                let (plain, sums) = sum.split_at_mut(way.kernel_len());
                let outputs = (outputs, self.output);
                match grey {
                    Some(grey) => {
                        let frame = (&inputs[..grey.input.len()], grey.input);
                        grey.way.add_gradient(s, frame, outputs, sums);
                    }
                    None => way.add_gradient(s, (inputs, self.input), outputs, plain),
                }
            }
        }
    }
}
