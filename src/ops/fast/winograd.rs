//! 5x5 convolution by Winograd's F(4x4, 5x5), and its weight gradient by F(5x5, 4x4): 64 products
//! for a tile of 4x4 values where the direct way takes 400.
//!
//! The vectors run over channels. A block of tiles is transformed, multiplied by the transformed
//! kernel in one matrix product a point, and transformed back while it is in the cache.
//!
//! Lavin and Gray, Fast algorithms for convolutional neural networks, CVPR 2016.

use std::mem::MaybeUninit;

use pulp::Simd;

use super::KernelView;
use super::frame::Frame;
use super::product::{Contraction, Target, multiply, multiply_add};
use super::transforms::{SCALE, data, kernel4, output4, output5};
use super::vector::{Slot, load, store};

/// Tiles that go through the transforms together.
const TILES: usize = 32;
/// The same for the weight gradient: fewer, so that they and their sum stay in cache.
pub(super) const GRADIENT_TILES: usize = 16;
const POINTS: usize = 64;
/// Values between one point and the next, without which those of a tile fall into one set of the cache.
const SKEW: usize = 16;

/// The scales of a point in two dimensions.
const SCALES: [[f32; 8]; 8] = {
    let mut all = [[0.; 8]; 8];
    let mut at = 0;
    while at < POINTS {
        let (i, j) = (at / 8, at % 8);
        all[i][j] = (SCALE[i] * SCALE[j]) as f32;
        at += 1;
    }
    all
};

/// `[f(0), f(1), ..]` written out: a closure, as `array::map` takes one, would be compiled without the
/// machine's vector instructions.
macro_rules! four {
    ($i:ident => $value:expr) => {
        four!(0, 1, 2, 3; $i => $value)
    };
    ($($at:literal),*; $i:ident => $value:expr) => {
        [$({
            let $i = $at;
            $value
        }),*]
    };
}
macro_rules! eight {
    ($i:ident => $value:expr) => {
        four!(0, 1, 2, 3, 4, 5, 6, 7; $i => $value)
    };
}

/// A convolution from frames of `c_in` channels to images `[h, w]` of `c_out` channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Winograd {
    pub(super) c_in: usize,
    pub(super) c_out: usize,
    pub(super) h: usize,
    pub(super) w: usize,
    pub(super) lanes: usize,
}

/// `G w` of five weights, in every lane. The values at `p` and `-p` share their even and odd parts.
#[inline(always)]
fn at_points<const L: usize>(weights: &[[f64; L]; 5]) -> [[f64; L]; 8] {
    let mut out = [[0.; L]; 8];
    (out[0], out[7]) = (weights[0], weights[4]);
    for (i, p) in [(1, 1.), (3, 2.), (5, 0.5f64)] {
        let (scale, square) = (SCALE[i], p * p);
        for l in 0..L {
            let w = |k: usize| weights[k][l];
            let even = scale * (w(0) + square * (w(2) + square * w(4)));
            let odd = scale * p * (w(1) + square * w(3));
            (out[i][l], out[i + 1][l]) = (even + odd, even - odd);
        }
    }
    out
}

impl Winograd {
    pub(super) fn tiles(&self) -> usize {
        self.h.div_ceil(4) * self.w.div_ceil(4)
    }

    fn pad_in(&self) -> usize {
        self.c_in.next_multiple_of(self.lanes)
    }

    fn pad_out(&self) -> usize {
        self.c_out.next_multiple_of(self.lanes)
    }

    fn block(&self, images: usize) -> usize {
        TILES.min(images * self.tiles())
    }

    fn gradient_block(&self, images: usize) -> usize {
        GRADIENT_TILES.min(images * self.tiles())
    }

    /// Columns of the product computed at a time.
    fn panels(&self) -> impl Iterator<Item = (usize, usize)> {
        let (width, total) = (2 * self.lanes, self.pad_out());
        (0..total)
            .step_by(width)
            .map(move |at| (at, width.min(total - at)))
    }

    /// Values of a panel of so many columns.
    fn panel_len(&self, width: usize) -> usize {
        POINTS * (self.c_in * width + SKEW)
    }

    /// Values of every panel but a narrower last.
    pub(super) fn wide_panel_len(&self) -> usize {
        self.panel_len(2 * self.lanes)
    }

    pub(super) fn kernel_len(&self) -> usize {
        self.panels().map(|(_, width)| self.panel_len(width)).sum()
    }

    /// The kernel's transform, `[panel, point, c_in, columns of the panel]`, all of it, for the slice of the
    /// panel that begins with output `first`. In f64: its rounding would be a third of the error.
    #[inline(always)]
    pub(super) fn transform_panel(
        &self,
        (kernel, view): (&[f32], &KernelView),
        first: usize,
        out: &mut [MaybeUninit<f32>],
    ) {
        const LANES: usize = 8;
        let point = out.len() / POINTS;
        let width = (point - SKEW) / self.c_in.max(1);
        for gap in out.chunks_exact_mut(point) {
            gap[point - SKEW..].fill(MaybeUninit::new(0.));
        }
        for (c, lane) in (0..self.c_in).flat_map(|c| (0..width).step_by(LANES).map(move |l| (c, l)))
        {
            let mut taps = [[[0f64; LANES]; 5]; 5];
            for l in 0..LANES.min(self.c_out.saturating_sub(first + lane)) {
                let weights = view.weights(kernel, first + lane + l, c);
                for (tap, weight) in taps.as_flattened_mut().iter_mut().zip(weights) {
                    tap[l] = f64::from(weight);
                }
            }
            let mut half = [[[0f64; LANES]; 8]; 5];
            for (half, taps) in half.iter_mut().zip(&taps) {
                *half = at_points(taps);
            }
            let count = LANES.min(width - lane);
            for x in 0..8 {
                let mut column = [[0f64; LANES]; 5];
                for y in 0..5 {
                    column[y] = half[y][x];
                }
                for (y, values) in at_points(&column).iter().enumerate() {
                    let out = &mut out[(y * 8 + x) * point + c * width + lane..][..count];
                    for (out, &v) in out.iter_mut().zip(values) {
                        out.write(v as f32);
                    }
                }
            }
        }
    }

    /// Scratch of [`forward`](Self::forward) for a group of images.
    pub(super) fn forward_scratch(&self, images: usize) -> usize {
        self.scratch(self.block(images))
    }

    /// Scratch of [`add_gradient`](Self::add_gradient) for a group of images.
    pub(super) fn gradient_scratch(&self, images: usize) -> usize {
        self.scratch(self.gradient_block(images))
    }

    /// Both sides of a block of tiles at every point.
    fn scratch(&self, block: usize) -> usize {
        POINTS * (block * (self.pad_in() + self.pad_out()) + 2 * SKEW)
    }

    /// `frames` of `images` images -> `out`: `[images, h, w, pad_out]`, all of it.
    #[inline(always)]
    pub(super) fn forward<S: Simd, V: Slot>(
        &self,
        s: S,
        (frames, frame): (&[f32], Frame),
        kernel: &[f32],
        scratch: &mut [f32],
        out: &mut [V],
    ) {
        let (pad_in, pad_out) = (self.pad_in(), self.pad_out());
        let image_len = self.h * self.w * pad_out;
        let images = out.len() / image_len.max(1);
        let block = self.block(images);
        let (in_point, out_point) = (block * pad_in + SKEW, block * pad_out + SKEW);
        let (v, scratch) = scratch.split_at_mut(POINTS * in_point);
        let m = &mut scratch[..POINTS * out_point];
        let rows: Vec<usize> = (0..block).map(|t| t * pad_in).collect();
        let total = images * self.tiles();
        for first in (0..total).step_by(block) {
            let count = block.min(total - first);
            self.transform_data(s, (frames, frame), (first, count), v, in_point);
            for p in 0..POINTS {
                for (column, width) in self.panels() {
                    let k = Contraction {
                        segments: &[(0, 0)],
                        len: self.c_in,
                        a_stride: 1,
                        b_stride: width,
                    };
                    // All panels before are wide.
                    let panel = column / (2 * self.lanes) * self.wide_panel_len();
                    let b = panel + p * (self.c_in * width + SKEW);
                    let target = Target {
                        values: &mut m[p * out_point + column..],
                        stride: pad_out,
                        columns: width,
                    };
                    let a = (&v[p * in_point..], &rows[..count]);
                    multiply(s, a, &kernel[b..b + self.c_in * width], &k, target);
                }
            }
            for t in 0..count {
                let (image, y, x) = self.tile(first + t);
                let out = &mut out[image * image_len..][..image_len];
                for c in (0..pad_out).step_by(S::F32_LANES) {
                    self.write_tile(s, &m[t * pad_out + c..], out_point, &mut out[c..], (y, x));
                }
            }
        }
    }

    /// Image, first row and first column of a tile.
    fn tile(&self, t: usize) -> (usize, usize, usize) {
        let wide = self.w.div_ceil(4);
        let (image, t) = (t / self.tiles(), t % self.tiles());
        (image, t / wide * 4, t % wide * 4)
    }

    /// `B d B'` of tiles `first ..`, into `v`: point, tile, channel.
    #[inline(always)]
    fn transform_data<S: Simd>(
        &self,
        s: S,
        (frames, frame): (&[f32], Frame),
        (first, count): (usize, usize),
        v: &mut [f32],
        point: usize,
    ) {
        for t in 0..count {
            let (image, y, x) = self.tile(first + t);
            let from = image * frame.len() + frame.at(y, x);
            for c in (0..self.pad_in()).step_by(S::F32_LANES) {
                let source = &frames[from + c..];
                // Written out: an array to be filled would be filled with zeros first.
                let half = eight!(i => data(
                    s,
                    eight!(j => load(s, source, i * frame.stride + j * frame.pitch()))
                ));
                let out = &mut v[t * self.pad_in() + c..];
                for j in 0..8 {
                    let row = data(s, eight!(i => half[i][j]));
                    for (i, value) in row.into_iter().enumerate() {
                        store(s, out, (j * 8 + i) * point, value);
                    }
                }
            }
        }
    }

    /// `A m A'` of one tile and one vector of channels, cut to the image.
    #[inline(always)]
    fn write_tile<S: Simd, V: Slot>(
        &self,
        s: S,
        m: &[f32],
        point: usize,
        out: &mut [V],
        (y, x): (usize, usize),
    ) {
        let half = eight!(i => output4(s, eight!(j => load(s, m, (j * 8 + i) * point))));
        let (rows, columns) = ((self.h - y).min(4), (self.w - x).min(4));
        for j in 0..rows {
            let row = output4(s, eight!(i => half[i][j]));
            for (i, value) in row.into_iter().enumerate().take(columns) {
                store(s, out, ((y + j) * self.w + x + i) * self.pad_out(), value);
            }
        }
    }

    /// Length of the transformed weight gradient.
    pub(super) fn gradient_len(&self) -> usize {
        POINTS * self.gradient_point()
    }

    fn gradient_point(&self) -> usize {
        self.c_out * self.pad_in() + SKEW
    }

    /// Adds to `sum`, `[point, c_out, pad_in]`, or writes there where it has not `begun`, the transformed
    /// weight gradient of a group of images: their frames, and the frames of the gradient of their outputs.
    #[inline(always)]
    pub(super) fn add_gradient<S: Simd>(
        &self,
        s: S,
        (frames, frame): (&[f32], Frame),
        (grads, grad): (&[f32], Frame),
        scratch: &mut [f32],
        (sum, mut begun): (&mut [f32], bool),
    ) {
        let (pad_in, pad_out) = (self.pad_in(), self.pad_out());
        let images = frames.len() / frame.len();
        let block = self.gradient_block(images);
        let (in_point, out_point) = (block * pad_in + SKEW, block * pad_out + SKEW);
        let (v, scratch) = scratch.split_at_mut(POINTS * in_point);
        let d = &mut scratch[..POINTS * out_point];
        let rows: Vec<usize> = (0..self.c_out).collect();
        let total = images * self.tiles();
        for first in (0..total).step_by(block) {
            let count = block.min(total - first);
            self.transform_data(s, (frames, frame), (first, count), v, in_point);
            self.transform_grad(s, (grads, grad), (first, count), d, out_point);
            let k = Contraction {
                segments: &[(0, 0)],
                len: count,
                a_stride: pad_out,
                b_stride: pad_in,
            };
            for (p, sum) in sum.chunks_exact_mut(self.gradient_point()).enumerate() {
                let target = Target {
                    values: sum,
                    stride: pad_in,
                    columns: pad_in,
                };
                let (d, v) = ((&d[p * out_point..], &rows[..]), &v[p * in_point..]);
                if begun {
                    multiply_add(s, d, v, &k, target);
                } else {
                    multiply(s, d, v, &k, target);
                }
            }
            begun = true;
        }
    }

    /// The 4x4 tiles of the output's gradient at every point, into `d`: point, tile, channel.
    #[inline(always)]
    fn transform_grad<S: Simd>(
        &self,
        s: S,
        (grads, grad): (&[f32], Frame),
        (first, count): (usize, usize),
        d: &mut [f32],
        point: usize,
    ) {
        for t in 0..count {
            let (image, y, x) = self.tile(first + t);
            let from = image * grad.len() + grad.at(y + grad.offset, x + grad.offset);
            for c in (0..self.pad_out()).step_by(S::F32_LANES) {
                let source = &grads[from + c..];
                let half = four!(i => kernel4(
                    s,
                    four!(j => load(s, source, i * grad.stride + j * grad.pitch()))
                ));
                let out = &mut d[t * self.pad_out() + c..];
                for j in 0..8 {
                    let row = kernel4(s, four!(i => half[i][j]));
                    for (i, value) in row.into_iter().enumerate() {
                        store(s, out, (j * 8 + i) * point, value);
                    }
                }
            }
        }
    }

    /// From the transformed weight gradient to `[c_out, 5, 5, pad_in]`, all of it.
    #[inline(always)]
    pub(super) fn finish_gradient<S: Simd>(&self, s: S, sum: &[f32], out: &mut [MaybeUninit<f32>]) {
        let pad_in = self.pad_in();
        let point = self.gradient_point();
        for o in 0..self.c_out {
            for c in (0..pad_in).step_by(S::F32_LANES) {
                let source = &sum[o * pad_in + c..];
                let half = eight!(i => output5(s, eight!(j => s.mul_f32s(
                    load(s, source, (j * 8 + i) * point),
                    s.splat_f32s(SCALES[i][j])
                ))));
                for y in 0..5 {
                    let row = output5(s, eight!(i => half[i][y]));
                    for (x, value) in row.into_iter().enumerate() {
                        store(s, out, ((o * 5 + y) * 5 + x) * pad_in + c, value);
                    }
                }
            }
        }
    }
}
