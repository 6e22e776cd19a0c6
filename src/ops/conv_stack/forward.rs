//! From images to the last block's output.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::stage::{Norms, Stage, Weights};
use super::{Kept, Stack};
use crate::ops::channel_norm::ChannelMoments;
use crate::ops::fast::{
    Activation, Image, Kernel, Places, Values, image_moments, merge_moments, to_planes,
    with_scratch,
};

/// Images that pass through all blocks together while they are in cache.
const CHUNK: usize = 8;
/// Chunks for every thread where there are few images, so that none waits long for the last.
const CHUNKS_A_THREAD: usize = 2;

impl Stack {
    /// `xs`: planes, as is the output; and what the backward pass needs.
    pub(super) fn forward_batch(
        &self,
        xs: &[f32],
        weights: &[Weights<'_>],
        end: &[f32],
    ) -> (Vec<f32>, Vec<Kept>) {
        // What is written image by image is all of it.
        assert_eq!(xs.len(), self.images() * self.input_len());
        let mut all: Vec<Kept> = Vec::with_capacity(self.stages.len());
        for (k, (stage, w)) in self.stages.iter().zip(weights).enumerate() {
            let kept = match k.checked_sub(1) {
                None => {
                    let items = xs.chunks_exact(stage.plan.input_len()).collect();
                    convolve(stage, w.kernel, items, Image::Planes)
                }
                Some(before) => {
                    let (from, kept) = (&self.stages[before], &mut all[before]);
                    let norms = from.norms(&kept.moments, weights[before]);
                    let activation = from.activation(&norms);
                    let keep = self.keeps_deviations(before);
                    let own = activated(from, kept, keep, |items| {
                        convolve(stage, w.kernel, items, |item| {
                            Image::Pixels(applied(&activation, item))
                        })
                    });
                    self.trim(before, kept);
                    own
                }
            };
            all.push(kept);
        }
        let (Some((stage, w)), Some(kept)) =
            (self.stages.iter().zip(weights).next_back(), all.last_mut())
        else {
            return (Vec::new(), all);
        };
        let norms = stage.norms(&kept.moments, *w);
        let out = self.finish(stage, stage.activation(&norms), kept, end);
        self.trim(self.stages.len() - 1, kept);
        (out, all)
    }

    /// The last block's activation, and the end.
    fn finish(
        &self,
        stage: &Stage,
        activation: Activation<'_>,
        kept: &mut Kept,
        end: &[f32],
    ) -> Vec<f32> {
        let mut out = Box::new_uninit_slice(self.images() * self.planes_len());
        let planes = out.par_chunks_exact_mut(self.planes_len());
        let keep = self.keeps_deviations(self.stages.len() - 1);
        if let Some(subpixels) = &self.end {
            let kernel = subpixels.prepare(end);
            activated(stage, kept, keep, |items| {
                let items = items.into_par_iter().zip(planes);
                items.for_each(|item| {
                    let image =
                        |(place, planes)| (Image::Pixels(applied(&activation, place)), planes);
                    subpixels.convolve(&kernel, [item], image);
                });
            });
        } else {
            // Nobody asks for its pixels again.
            with_deviations(stage, kept, keep, |images| {
                let images = images.into_par_iter().zip(planes);
                images.for_each(|((values, deviations), planes)| {
                    with_scratch(stage.pixels_len(), |pixels| {
                        activation.apply_keeping(values, pixels, deviations);
                        to_planes(pixels, stage.plan.stride, planes);
                    });
                });
            });
        }
        // SAFETY: the images' planes are all of it, and each is written.
        unsafe { out.assume_init() }.into_vec()
    }

    /// With given moments: nothing but the output is kept.
    pub(super) fn forward_given(
        &self,
        xs: &[f32],
        weights: &[Weights<'_>],
        end: &[f32],
        moments: &[Vec<ChannelMoments>],
    ) -> Vec<f32> {
        assert_eq!(xs.len(), self.images() * self.input_len());
        if self.stages.is_empty() {
            return Vec::new();
        }
        let stages = self.stages.iter().zip(weights).zip(moments);
        let given = stages.map(|((stage, &w), moments)| Given {
            stage,
            kernel: stage.plan.prepare(w.kernel),
            norms: stage.norms(moments, w),
        });
        let given: Vec<Given<'_>> = given.collect();
        let end = self
            .end
            .as_ref()
            .map(|subpixels| (subpixels, subpixels.prepare(end)));
        let threads = rayon::current_num_threads();
        let chunk = self
            .images()
            .div_ceil(CHUNKS_A_THREAD * threads)
            .clamp(1, CHUNK);
        let (input, output) = (self.input_len(), self.planes_len());
        let buffer = self.stages.iter().map(Stage::pixels_len).max().unwrap_or(0) * chunk;
        let mut out = Box::new_uninit_slice(self.images() * output);
        let chunks = xs
            .par_chunks(chunk * input)
            .zip(out.par_chunks_mut(chunk * output));
        chunks.for_each(|(xs, out)| {
            with_scratch(2 * buffer, |scratch| {
                let (pixels, stride) = through(&given, xs, scratch.split_at_mut(buffer));
                let len = pixels.len() / (xs.len() / input);
                let items = pixels.chunks_exact(len).zip(out.chunks_exact_mut(output));
                match &end {
                    Some((subpixels, kernel)) => {
                        let image = |(pixels, planes)| (Image::Pixels(pixels), planes);
                        subpixels.convolve(kernel, items, image);
                    }
                    None => items.for_each(|(pixels, planes)| to_planes(pixels, stride, planes)),
                }
            });
        });
        // SAFETY: the images' planes are all of it, and each is written.
        unsafe { out.assume_init() }.into_vec()
    }
}

/// A block whose statistics are given.
struct Given<'a> {
    stage: &'a Stage,
    kernel: Kernel,
    norms: Norms,
}

/// Images through all blocks; the last one's pixels, in one of the `buffers`, and their stride.
fn through<'a>(
    blocks: &[Given<'_>],
    xs: &[f32],
    (mut from, mut to): (&'a mut [f32], &'a mut [f32]),
) -> (&'a [f32], usize) {
    let (mut len, mut stride) = (0, 0);
    for (k, block) in blocks.iter().enumerate() {
        let (stage, activation) = (block.stage, block.stage.activation(&block.norms));
        let each = |place: &mut [f32], image: &mut [f32]| activation.apply(image, place);
        let places = to.chunks_exact_mut(stage.pixels_len());
        let (plan, kernel) = (&stage.plan, &block.kernel);
        let input = plan.input_len();
        let count = if k == 0 {
            let image = |(planes, place)| (Image::Planes(planes), place);
            plan.convolve(
                kernel,
                xs.chunks_exact(input).zip(places),
                None,
                image,
                each,
            );
            xs.len() / input
        } else {
            let before = blocks[k - 1].stage.pixels_len();
            let image = |(pixels, place)| (Image::Pixels(pixels), place);
            let items = from[..len].chunks_exact(before).zip(places);
            plan.convolve(kernel, items, None, image, each);
            len / before
        };
        (len, stride) = (count * stage.pixels_len(), plan.stride);
        std::mem::swap(&mut from, &mut to);
    }
    (&from[..len], stride)
}

/// What becomes of a convolution's output, in its place: all of it.
fn applied<'a>(activation: &Activation<'_>, place: Place<'a>) -> &'a [f32] {
    activation.apply_keeping(place.values, place.pixels, place.deviations);
    // SAFETY: it is all written.
    unsafe { place.pixels.assume_init_mut() }
}

/// An image's output of the convolution, and where what becomes of it is kept, with what the activation's
/// backward pass needs, if that is kept.
struct Place<'a> {
    values: &'a [f32],
    pixels: &'a mut [MaybeUninit<f32>],
    deviations: &'a mut [MaybeUninit<f32>],
}

/// Runs `f` on each image's place, all of which `f` writes.
fn activated<R>(
    stage: &Stage,
    kept: &mut Kept,
    keep_deviations: bool,
    f: impl FnOnce(Vec<Place<'_>>) -> R,
) -> R {
    let len = stage.pixels_len();
    let mut pixels = Places::new(stage.plan.shape.n * len);
    let of_images = pixels.chunks_exact_mut(len);
    let result = with_deviations(stage, kept, keep_deviations, |images| {
        let places = images.into_iter().zip(of_images);
        let places = places.map(|((values, deviations), pixels)| Place {
            values,
            pixels,
            deviations,
        });
        f(places.collect())
    });
    // SAFETY: `f`'s.
    kept.pixels = unsafe { pixels.assume_init() };
    result
}

/// Runs `f` on each image's output of the convolution and the place of its deviations, all of which `f` writes; the
/// places are empty where none are kept.
fn with_deviations<R>(
    stage: &Stage,
    kept: &mut Kept,
    keep: bool,
    f: impl FnOnce(Vec<(&[f32], &mut [MaybeUninit<f32>])>) -> R,
) -> R {
    let len = stage.pixels_len();
    let mut deviations = Places::new(if keep { stage.plan.shape.n * len } else { 0 });
    let mut of_images = deviations.chunks_exact_mut(len);
    let values = kept.values.chunks_exact(stage.plan.output_len());
    let images = values.map(|values| (values, of_images.next().unwrap_or_default()));
    let result = f(images.collect());
    // SAFETY: `f`'s.
    kept.deviations = unsafe { deviations.assume_init() };
    result
}

/// The convolution of the images that `image` makes of the `items`.
fn convolve<'a, X: Send>(
    stage: &Stage,
    kernel: &[f32],
    items: Vec<X>,
    image: impl Fn(X) -> Image<'a> + Sync,
) -> Kept {
    let plan = &stage.plan;
    let (kernel, group, len) = (plan.prepare(kernel), plan.group(), plan.output_len());
    let row = plan.shape.out_hw().1;
    let mut values = Places::new(items.len() * len);
    let mut parts = vec![Vec::new(); items.len()];
    let outputs = values
        .par_chunks_mut(group * len)
        .zip(parts.par_chunks_mut(group));
    let groups = items.into_par_iter().chunks(group).zip(outputs);
    groups.for_each(|(items, (values, parts))| {
        let items = items.into_iter().zip(parts);
        let image = |(item, part)| (image(item), part);
        plan.convolve(&kernel, items, Some(values), image, |part, image| {
            *part = image_moments(image, plan.stride, row);
        });
    });
    let mut moments = merge_moments(&parts);
    moments.truncate(stage.channels());
    Kept {
        // SAFETY: the convolution writes every value.
        values: unsafe { values.assume_init() },
        moments,
        pixels: Values::default(),
        deviations: Values::default(),
    }
}
