//! A convolution of a batch.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::{Image, Plan};
use crate::ops::fast::Way;
use crate::ops::fast::aligned::Values;
use crate::ops::fast::frame::{Frame, to_planes};
use crate::ops::fast::grey::Grey;
use crate::ops::fast::task::ForwardTask;
use crate::ops::fast::vector::{Slot, dispatch, with_scratch};

/// A kernel as its [`Plan`] takes it.
pub(in crate::ops) struct Kernel {
    plain: Values,
    grey: Option<Values>,
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

impl Plan {
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

    /// The convolution of planes `[n, c_in, h, w]` as planes, `[n, c_out, oh, ow]`.
    pub(in crate::ops) fn forward_planes(&self, xs: &[f32], kernel: &[f32]) -> Vec<f32> {
        let (input, output) = (self.input_len(), self.shape.c_out * self.pixels());
        assert_eq!(xs.len(), self.shape.n * input);
        let (kernel, group) = (self.prepare(kernel), self.group());
        let mut out = Box::new_uninit_slice(self.shape.n * output);
        let groups = xs
            .par_chunks(group * input)
            .zip(out.par_chunks_mut(group * output));
        groups.for_each(|(xs, out)| {
            let items = xs.chunks_exact(input).zip(out.chunks_exact_mut(output));
            let image = |(xs, planes)| (Image::Planes(xs), planes);
            self.convolve(&kernel, items, None, image, |planes, image| {
                to_planes(image, self.stride, planes);
            });
        });
        // SAFETY: the groups' planes are all of it, and each image's are written.
        unsafe { out.assume_init() }.into_vec()
    }
}
