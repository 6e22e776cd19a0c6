//! What one thread does at a time, compiled for the machine's vectors.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::aligned::{Places, Values};
use super::frame::{Frame, sum_blocks};
use super::plan::{Given, Plan};
use super::vector::{Slot, dispatch};
use super::winograd::Winograd;
use super::{KernelView, Way};

impl Way {
    /// The kernel as [`ForwardTask`] takes it.
    pub(super) fn prepare(&self, kernel: &[f32], view: KernelView) -> Values {
        match self {
            Self::Direct(way) => {
                let mut out = Values::zeros(way.kernel_len());
                way.arrange(kernel, &view, &mut out);
                out
            }
            Self::Winograd(way) => {
                let mut out = Places::new(way.kernel_len());
                let panels = out.par_chunks_mut(way.wide_panel_len()).enumerate();
                panels.for_each(|(i, out)| {
                    let first = i * 2 * way.lanes;
                    dispatch(KernelTask {
                        way,
                        kernel,
                        view: &view,
                        first,
                        out,
                    });
                });
                // SAFETY: the panels are all of the kernel, and each is written.
                unsafe { out.assume_init() }
            }
        }
    }

    pub(super) fn scratch(&self, images: usize) -> usize {
        match self {
            Self::Winograd(way) => way.forward_scratch(images),
            Self::Direct(_) => 0,
        }
    }
}

struct KernelTask<'a> {
    way: &'a Winograd,
    kernel: &'a [f32],
    view: &'a KernelView,
    first: usize,
    out: &'a mut [MaybeUninit<f32>],
}

impl WithSimd for KernelTask<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let kernel = (self.kernel, self.view);
        self.way.transform_panel(kernel, self.first, self.out);
    }
}

/// A group of images through one [`Way`], which writes all of `out`.
pub(super) struct ForwardTask<'a, V> {
    pub(super) way: &'a Way,
    pub(super) frames: &'a [f32],
    pub(super) frame: Frame,
    pub(super) kernel: &'a [f32],
    pub(super) work: &'a mut [f32],
    pub(super) out: &'a mut [V],
}

impl<V: Slot> WithSimd for ForwardTask<'_, V> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match self.way {
            Way::Winograd(way) => {
                let frames = (self.frames, self.frame);
                way.forward(s, frames, self.kernel, self.work, self.out);
            }
            Way::Direct(way) => {
                let images = self.frames.len() / self.frame.len();
                let frames = self.frames.chunks_exact(self.frame.len());
                let outs = self.out.chunks_exact_mut(self.out.len() / images);
                for (frame, out) in frames.zip(outs) {
                    way.forward(s, (frame, self.frame), self.kernel, out);
                }
            }
        }
    }
}

/// Takes one image after another.
pub(super) type Sink<'a> = &'a mut (dyn FnMut(&mut [f32]) + 'a);

/// The backward pass of some images.
pub(super) struct BackwardTask<'a, 'g> {
    pub(super) plan: &'a Plan,
    pub(super) images: Range<usize>,
    pub(super) given: &'a Given<'g>,
    /// The adjoint's kernel, and what takes each image of the input's gradient: pixels.
    pub(super) adjoint: Option<(&'a [f32], Sink<'a>)>,
    pub(super) want_kernel: bool,
    pub(super) scratch: &'a mut [f32],
}

impl WithSimd for BackwardTask<'_, '_> {
    /// The weight gradient, as it is collected.
    type Output = Vec<f32>;
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, s: S) -> Vec<f32> {
        let plan = self.plan;
        let group = plan.gradient_group();
        let (input, output) = (plan.input, plan.output);
        let d_len = plan.shape.h * plan.shape.w * plan.input_stride();
        let (sum, scratch) = self.scratch.split_at_mut(plan.gradient_len());
        let (inputs, scratch) = scratch.split_at_mut(group * input.len());
        let (outputs, scratch) = scratch.split_at_mut(group * output.len());
        let (d_images, work) = scratch.split_at_mut(group * d_len);
        for first in self.images.clone().step_by(group) {
            let images = group.min(self.images.end - first);
            let inputs = &mut inputs[..images * input.len()];
            let outputs = &mut outputs[..images * output.len()];
            for (j, frame) in outputs.chunks_exact_mut(output.len()).enumerate() {
                (self.given.grad)(first + j, frame);
            }
            if self.want_kernel {
                let mut grey = None;
                for (j, frame) in inputs.chunks_exact_mut(input.len()).enumerate() {
                    grey = plan.fill_input((self.given.image)(first + j), frame);
                }
                let begun = first > self.images.start;
                plan.add_gradient(s, (inputs, grey), outputs, work, (sum, begun));
            }
            if let Some((kernel, each)) = &mut self.adjoint {
                let d_images = &mut d_images[..images * d_len];
                ForwardTask {
                    way: &plan.backward,
                    frames: outputs,
                    frame: output,
                    kernel,
                    work,
                    out: d_images,
                }
                .with_simd(s);
                for image in d_images.chunks_exact_mut(d_len) {
                    let size = (plan.shape.w, plan.upsample);
                    let len = sum_blocks(s, image, plan.input_stride(), size);
                    each(&mut image[..len]);
                }
            }
        }
        match (self.want_kernel, plan.forward) {
            (false, _) => vec![],
            (true, Way::Direct(way)) => {
                let (plain, sums) = sum.split_at_mut(way.kernel_len());
                if let Some(grey) = plan.grey {
                    grey.spread(sums, plain);
                }
                plain.to_vec()
            }
            (true, Way::Winograd(way)) => {
                let mut out = Box::new_uninit_slice(way.c_out * 25 * input.stride);
                way.finish_gradient(s, sum, &mut out);
                // SAFETY: it is all written.
                unsafe { out.assume_init() }.into_vec()
            }
        }
    }
}
