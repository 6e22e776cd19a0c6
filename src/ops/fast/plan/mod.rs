//! Which way a convolution goes, and how its images lie.

mod backward;
mod forward;

pub(in crate::ops) use self::backward::Given;
pub(in crate::ops) use self::forward::Kernel;

use super::direct::Direct;
use super::frame::Frame;
use super::grey::Grey;
use super::vector::lanes;
use super::winograd::{GRADIENT_TILES, Winograd};
use super::{KernelView, Way};
use crate::ops::im2col::ConvShape;

/// Images whose weight gradient a task sums. Fixed, so that the order of the sum does not depend on
/// the number of threads.
pub(super) const IMAGES_PER_TASK: usize = 16;
/// Tiles for which a group of images is taken through the transforms together.
const TILES_PER_GROUP: usize = 32;

/// An image of a convolution's input, as it is stored: `[channels, h, w]`, or `[h, w, stride]` with the
/// [`input_stride`](Plan::input_stride).
#[derive(Clone, Copy)]
pub(in crate::ops) enum Image<'a> {
    Planes(&'a [f32]),
    Pixels(&'a [f32]),
}

/// How one convolution is computed.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Plan {
    pub(in crate::ops) shape: ConvShape,
    /// Height and width of the stored input are this much smaller.
    pub(in crate::ops) upsample: usize,
    /// Values per pixel of an output with channels last: its channels, to whole vectors.
    pub(in crate::ops) stride: usize,
    pub(super) view: KernelView,
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

    /// Values per pixel of an input with channels last, and of its gradient.
    pub(in crate::ops) fn input_stride(&self) -> usize {
        self.shape.c_in.next_multiple_of(match self.forward {
            Way::Winograd(way) => way.lanes,
            Way::Direct(way) => way.lanes,
        })
    }
}
