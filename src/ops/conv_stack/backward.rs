//! From the gradient of the output to those of the parameters and the input.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::stage::{Norms, Stage, Weights};
use super::{Kept, PARAMETERS, Stack};
use crate::ops::channel_norm::ChannelGradient;
use crate::ops::fast::{Given, Image, PixelGradients, Places, Values, to_pixels, with_scratch};

/// The gradient of a block's output.
enum Incoming<'a> {
    Planes(&'a [f32]),
    Pixels(Values),
}

/// By image and channel, what the batch norm's gradients are sums of.
type Sums = Vec<Vec<[f32; 2]>>;

/// Of a block on the way back.
struct Back<'a> {
    stage: &'a Stage,
    kept: &'a Kept,
    norms: Norms,
}

impl Stack {
    /// The gradients of the input, if it is wanted, and of the parameters that want one.
    pub(super) fn backward(
        &self,
        xs: &[f32],
        (weights, end): (&[Weights<'_>], &[f32]),
        grad: &[f32],
        kept: &[Kept],
    ) -> (Option<Vec<f32>>, Vec<Option<Vec<f32>>>) {
        let want: Vec<bool> = self.parameters.iter().map(|p| p.track_op()).collect();
        let mut gradients = vec![None; want.len()];
        let first = self.first_reached();
        let back = self.stages.iter().zip(weights).zip(kept);
        let mut back = back.map(|((stage, &w), kept)| {
            let norms = stage.norms(&kept.moments, w);
            (w, Back { stage, kept, norms })
        });
        let mut back: Vec<(Weights<'_>, Back<'_>)> = back.by_ref().collect();
        let Some((_, last)) = back.last() else {
            return (None, gradients);
        };
        let (mut incoming, mut sums) = match &self.end {
            Some(subpixels) => {
                let (at, len) = (want.len() - 1, grad.len() / self.images());
                let given = Given {
                    image: &|i| Image::Pixels(last.pixels(i)),
                    grad: &|i, frame| subpixels.fill_grad(&grad[i * len..(i + 1) * len], frame),
                };
                if first == self.stages.len() {
                    let none = None::<Vec<()>>;
                    gradients[at] = subpixels.backward(end, want[at], &given, none, |(), _| {});
                    return (None, gradients);
                }
                let (pixels, sums) = last.receive(|sinks, each| {
                    gradients[at] = subpixels.backward(end, want[at], &given, sinks, each);
                });
                (Incoming::Pixels(pixels), sums)
            }
            None => (Incoming::Planes(grad), last.sums_of_planes(grad)),
        };
        while let Some((w, block)) = back.pop() {
            let at = PARAMETERS * back.len();
            let norm = block.stage.norm_gradients(&block.norms, &sums);
            let vector = |f: fn(&ChannelGradient<f32>) -> f32| norm.iter().map(f).collect();
            gradients[at + 1] = want[at + 1].then(|| vector(|g| g.scale));
            gradients[at + 2] = want[at + 2].then(|| vector(|g| g.shift));
            let pixel_gradients = PixelGradients::new(&norm, block.stage.plan.stride);
            let fill = |i: usize, frame: &mut [f32]| {
                block.fill(i, &incoming, &pixel_gradients, frame);
            };
            let (plan, want_kernel) = (&block.stage.plan, want[at]);
            let Some((_, before)) = back.last() else {
                let want = (self.want_input, want_kernel);
                let (d_xs, d_kernel) = plan.backward_planes((xs, w.kernel), want, &fill);
                gradients[at] = d_kernel;
                return (d_xs, gradients);
            };
            let given = Given {
                image: &|i| Image::Pixels(before.pixels(i)),
                grad: &fill,
            };
            if back.len() == first {
                let none = None::<Vec<()>>;
                gradients[at] = plan.backward(w.kernel, want_kernel, &given, none, |(), _| {});
                break;
            }
            let (pixels, of_before) = before.receive(|sinks, each| {
                gradients[at] = plan.backward(w.kernel, want_kernel, &given, sinks, each);
            });
            (incoming, sums) = (Incoming::Pixels(pixels), of_before);
        }
        (None, gradients)
    }
}

/// Of an image: its number, the place of the gradient of its pixels, and of its sums.
type Sink<'a> = (usize, &'a mut [MaybeUninit<f32>], &'a mut Vec<[f32; 2]>);

impl Back<'_> {
    /// Image `i` of the output.
    fn pixels(&self, i: usize) -> &[f32] {
        let len = self.stage.pixels_len();
        &self.kept.pixels[i * len..(i + 1) * len]
    }

    /// What the [sums](Activation::gradient_sums) of image `i` are taken of.
    fn summed(&self, i: usize) -> &[f32] {
        if !self.stage.pools() {
            return self.values(i);
        }
        let len = self.stage.pixels_len();
        &self.kept.deviations[i * len..(i + 1) * len]
    }

    /// Image `i` of the convolution's output.
    fn values(&self, i: usize) -> &[f32] {
        let len = self.stage.plan.output_len();
        &self.kept.values[i * len..(i + 1) * len]
    }

    /// The gradient of the output that `give` hands, image by image, to its second argument with the image's
    /// sink; and the sums, taken while it is in cache.
    fn receive(
        &self,
        give: impl FnOnce(Option<Vec<Sink<'_>>>, &(dyn Fn(Sink<'_>, &[f32]) + Sync)),
    ) -> (Values, Sums) {
        let (n, len) = (self.stage.plan.shape.n, self.stage.pixels_len());
        let mut d_pixels = Places::new(n * len);
        let mut sums = vec![Vec::new(); n];
        let activation = self.stage.activation(&self.norms);
        let places = d_pixels.chunks_exact_mut(len).zip(&mut sums).enumerate();
        let sinks = places.map(|(i, (place, sums))| (i, place, sums)).collect();
        give(Some(sinks), &|(i, place, sums), pixels| {
            place.write_copy_of_slice(pixels);
            *sums = activation.gradient_sums(self.summed(i), pixels);
        });
        // SAFETY: every image reaches its sink.
        (unsafe { d_pixels.assume_init() }, sums)
    }

    /// The sums for a gradient of the output as planes.
    fn sums_of_planes(&self, grad: &[f32]) -> Sums {
        let activation = self.stage.activation(&self.norms);
        let images = (0..self.stage.plan.shape.n).into_par_iter();
        images
            .map(|i| self.with_pixels(i, grad, |d| activation.gradient_sums(self.summed(i), d)))
            .collect()
    }

    /// Runs `f` on image `i` of planes, as pixels.
    fn with_pixels<R>(&self, i: usize, planes: &[f32], f: impl FnOnce(&[f32]) -> R) -> R {
        let size = self.stage.out_hw();
        let len = self.stage.channels() * size.0 * size.1;
        with_scratch(self.stage.pixels_len(), |pixels| {
            let planes = &planes[i * len..(i + 1) * len];
            to_pixels(planes, size, self.stage.plan.stride, pixels);
            f(pixels)
        })
    }

    /// Writes the frame of the gradient of the convolution's output `i`.
    fn fill(&self, i: usize, incoming: &Incoming<'_>, norm: &PixelGradients, frame: &mut [f32]) {
        let activation = self.stage.activation(&self.norms);
        let plan = &self.stage.plan;
        plan.clear_grad_border(frame);
        let place = plan.grad_place();
        let mut fill =
            |d: &[f32]| activation.input_gradient((self.values(i), d), norm, frame, place);
        match incoming {
            Incoming::Planes(planes) => self.with_pixels(i, planes, fill),
            Incoming::Pixels(pixels) => {
                let len = self.stage.pixels_len();
                fill(&pixels[i * len..(i + 1) * len]);
            }
        }
    }
}
