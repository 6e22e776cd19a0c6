//! A convolution's gradients.

use pulp::Simd;
use rayon::prelude::*;

use super::{IMAGES_PER_TASK, Image, Plan};
use crate::ops::fast::Way;
use crate::ops::fast::frame::to_planes;
use crate::ops::fast::grey::Grey;
use crate::ops::fast::task::BackwardTask;
use crate::ops::fast::vector::{dispatch, with_scratch};

/// Writes a frame of image `i`, all of it.
pub(in crate::ops) type Fill<'a> = dyn Fn(usize, &mut [f32]) + Sync + 'a;

/// What a backward pass reads.
pub(in crate::ops) struct Given<'a> {
    /// Image `i` of the input.
    pub(in crate::ops) image: &'a (dyn Fn(usize) -> Image<'a> + Sync),
    /// Writes the gradient of output `i`, `[rows, columns, stride]` with a border.
    pub(in crate::ops) grad: &'a Fill<'a>,
}

impl Plan {
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
        if !want_kernel && sinks.is_none() {
            return None;
        }
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
    pub(in crate::ops::fast) fn gradient_len(&self) -> usize {
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

    /// Where the image begins in a frame of an output's gradient, and the values of a row.
    pub(in crate::ops) fn grad_place(&self) -> (usize, usize) {
        let f = &self.output;
        (f.at(f.offset, f.offset), f.pitch())
    }

    /// Zeros around the image in such a frame.
    pub(in crate::ops) fn clear_grad_border(&self, frame: &mut [f32]) {
        self.output.clear_border(self.shape.out_hw(), frame);
    }

    /// Writes planes, `[c_out, oh, ow]`, into a frame of an output's gradient.
    pub(in crate::ops) fn fill_grad(&self, planes: &[f32], frame: &mut [f32]) {
        self.output.fill(planes, self.shape.out_hw(), 1, frame);
    }

    /// Adds to `sum`, or writes there where it has not `begun`, the weight gradient of a group of images: their
    /// frames, and the frames of the gradient of their outputs. A `grey` image is a group.
    #[inline(always)]
    pub(in crate::ops::fast) fn add_gradient<S: Simd>(
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
