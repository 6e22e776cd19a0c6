//! Batch norm, LeakyReLU and pooling over images with channels last: the vectors run over channels.

use pulp::{Simd, WithSimd};

use super::vector::{Slot, dispatch, load, store};
use crate::ops::channel_norm::{ChannelGradient, ChannelNorm};

/// `leaky((x - mean) factor + shift)`, then the maximum of `pool x pool` windows.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Activation<'a> {
    pub(in crate::ops) norms: &'a PixelNorms,
    pub(in crate::ops) slope: f32,
    /// 1 or 2.
    pub(in crate::ops) pool: usize,
    /// Height and width before pooling, multiples of `pool`.
    pub(in crate::ops) size: (usize, usize),
}

/// The channels' [`ChannelNorm`]s as vectors as long as a pixel, 0 behind the channels.
#[derive(Clone, Debug)]
pub(in crate::ops) struct PixelNorms {
    mean: Vec<f32>,
    factor: Vec<f32>,
    shift: Vec<f32>,
}

/// The same of the [`ChannelGradient`]s.
#[derive(Clone, Debug)]
pub(in crate::ops) struct PixelGradients {
    constant: Vec<f32>,
    linear: Vec<f32>,
}

/// `f` of every channel, to a pixel of `stride` values.
fn to_pixel<C>(channels: &[C], stride: usize, f: impl Fn(&C) -> f32) -> Vec<f32> {
    let mut values: Vec<f32> = channels.iter().map(f).collect();
    values.resize(stride, 0.);
    values
}

impl PixelNorms {
    pub(in crate::ops) fn new(channels: &[ChannelNorm<f32>], stride: usize) -> Self {
        Self {
            mean: to_pixel(channels, stride, |c| c.mean),
            factor: to_pixel(channels, stride, |c| c.factor),
            shift: to_pixel(channels, stride, |c| c.shift),
        }
    }
}

impl PixelGradients {
    pub(in crate::ops) fn new(channels: &[ChannelGradient<f32>], stride: usize) -> Self {
        Self {
            constant: to_pixel(channels, stride, |c| c.constant),
            linear: to_pixel(channels, stride, |c| c.linear),
        }
    }
}

impl Activation<'_> {
    fn stride(&self) -> usize {
        self.norms.mean.len()
    }

    /// `[pixels, stride]` to pooled pixels, all of them.
    pub(in crate::ops) fn apply<V: Slot>(&self, image: &[f32], out: &mut [V]) {
        dispatch(ApplyTask {
            activation: self,
            image,
            out,
        });
    }

    /// `sum g'` and `sum (x - mean) g'`, with the rounded mean, by channel, where `g'` is the gradient before the
    /// activation; `grad`: `[pooled pixels, stride]`.
    pub(in crate::ops) fn gradient_sums(&self, image: &[f32], grad: &[f32]) -> Vec<[f32; 2]> {
        let mut sums = vec![[0.; 2]; self.stride()];
        dispatch(SumsTask {
            activation: self,
            image,
            grad,
            sums: &mut sums,
        });
        sums
    }

    /// The gradient of `image`, `factor (g' - constant - (x - mean) linear)`, into the pixels of
    /// `frame` from `start` on, `pitch` values a row.
    pub(in crate::ops) fn input_gradient(
        &self,
        (image, grad): (&[f32], &[f32]),
        gradients: &PixelGradients,
        frame: &mut [f32],
        (start, pitch): (usize, usize),
    ) {
        dispatch(GradientTask {
            activation: self,
            image,
            grad,
            gradients,
            frame: &mut frame[start..],
            pitch,
        });
    }

    #[inline(always)]
    fn window(&self, y: usize, x: usize) -> [usize; 4] {
        let (row, stride) = (self.size.1 * self.stride(), self.stride());
        let first = y * self.pool * row + x * self.pool * stride;
        match self.pool {
            1 => [first; 4],
            _ => [first, first + stride, first + row, first + row + stride],
        }
    }

    fn pooled(&self) -> (usize, usize) {
        (self.size.0 / self.pool, self.size.1 / self.pool)
    }
}

/// The coefficients of one vector of channels.
#[derive(Clone, Copy)]
struct Channels<S: Simd> {
    mean: S::f32s,
    factor: S::f32s,
    shift: S::f32s,
    slope: S::f32s,
}

impl<S: Simd> Channels<S> {
    #[inline(always)]
    fn load(s: S, a: &Activation<'_>, c: usize) -> Self {
        Self {
            mean: load(s, &a.norms.mean, c),
            factor: load(s, &a.norms.factor, c),
            shift: load(s, &a.norms.shift, c),
            slope: s.splat_f32s(a.slope),
        }
    }

    /// The deviation from the rounded mean, and the activation.
    #[inline(always)]
    fn apply(&self, s: S, x: S::f32s) -> (S::f32s, S::f32s) {
        let deviation = s.sub_f32s(x, self.mean);
        let v = s.mul_add_e_f32s(deviation, self.factor, self.shift);
        let positive = s.less_than_f32s(s.splat_f32s(0.), v);
        (
            deviation,
            s.select_f32s(positive, v, s.mul_f32s(v, self.slope)),
        )
    }

    /// The gradient before the activation, of one after it.
    #[inline(always)]
    fn back(&self, s: S, y: S::f32s, g: S::f32s) -> S::f32s {
        let positive = s.less_than_f32s(s.splat_f32s(0.), y);
        s.select_f32s(positive, g, s.mul_f32s(g, self.slope))
    }
}

/// Where `new` replaces `best` as the maximum: it is larger, or NaN.
#[inline(always)]
fn beats<S: Simd>(s: S, new: S::f32s, best: S::f32s) -> S::m32s {
    let number = s.equal_f32s(new, new);
    s.or_m32s(s.less_than_f32s(best, new), s.not_m32s(number))
}

struct ApplyTask<'a, V> {
    activation: &'a Activation<'a>,
    image: &'a [f32],
    out: &'a mut [V],
}

impl<V: Slot> WithSimd for ApplyTask<'_, V> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (a, stride) = (self.activation, self.activation.stride());
        let (height, width) = a.pooled();
        assert_eq!(self.out.len(), height * width * stride);
        for c in (0..stride).step_by(S::F32_LANES) {
            let channels = Channels::load(s, a, c);
            for (y, row) in self.out.chunks_exact_mut(width * stride).enumerate() {
                for (x, out) in row.chunks_exact_mut(stride).enumerate() {
                    let at = a.window(y, x);
                    let (_, mut best) = channels.apply(s, load(s, self.image, at[0] + c));
                    if a.pool > 1 {
                        for at in &at[1..] {
                            let (_, y) = channels.apply(s, load(s, self.image, at + c));
                            best = s.select_f32s(beats(s, y, best), y, best);
                        }
                    }
                    store(s, out, c, best);
                }
            }
        }
    }
}

struct SumsTask<'a> {
    activation: &'a Activation<'a>,
    image: &'a [f32],
    grad: &'a [f32],
    sums: &'a mut [[f32; 2]],
}

impl WithSimd for SumsTask<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (a, stride) = (self.activation, self.activation.stride());
        let (height, width) = a.pooled();
        let zero = s.splat_f32s(0.);
        for c in (0..stride).step_by(S::F32_LANES) {
            let channels = Channels::load(s, a, c);
            let mut total = [zero; 2];
            for y in 0..height {
                let mut row = [zero; 2];
                for x in 0..width {
                    let at = a.window(y, x);
                    let (mut deviation, mut best) =
                        channels.apply(s, load(s, self.image, at[0] + c));
                    if a.pool > 1 {
                        for at in &at[1..] {
                            let (d, y) = channels.apply(s, load(s, self.image, at + c));
                            let wins = beats(s, y, best);
                            best = s.select_f32s(wins, y, best);
                            deviation = s.select_f32s(wins, d, deviation);
                        }
                    }
                    let g = load(s, self.grad, (y * width + x) * stride + c);
                    let g = channels.back(s, best, g);
                    row[0] = s.add_f32s(row[0], g);
                    row[1] = s.mul_add_e_f32s(deviation, g, row[1]);
                }
                total = [s.add_f32s(total[0], row[0]), s.add_f32s(total[1], row[1])];
            }
            let mut lanes = [[0f32; 64]; 2];
            store(s, &mut lanes[0], 0, total[0]);
            store(s, &mut lanes[1], 0, total[1]);
            for (i, sums) in self.sums[c..c + S::F32_LANES].iter_mut().enumerate() {
                *sums = [lanes[0][i], lanes[1][i]];
            }
        }
    }
}

struct GradientTask<'a> {
    activation: &'a Activation<'a>,
    image: &'a [f32],
    grad: &'a [f32],
    gradients: &'a PixelGradients,
    frame: &'a mut [f32],
    pitch: usize,
}

impl WithSimd for GradientTask<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (a, stride) = (self.activation, self.activation.stride());
        let (height, width) = a.pooled();
        let zero = s.splat_f32s(0.);
        for c in (0..stride).step_by(S::F32_LANES) {
            let channels = Channels::load(s, a, c);
            let constant = load(s, &self.gradients.constant, c);
            let linear = load(s, &self.gradients.linear, c);
            for y in 0..height {
                for x in 0..width {
                    let at = a.window(y, x);
                    let g = load(s, self.grad, (y * width + x) * stride + c);
                    let mut state = [(zero, zero); 4];
                    let count = a.pool * a.pool;
                    for (state, at) in state.iter_mut().zip(at).take(count) {
                        *state = channels.apply(s, load(s, self.image, at + c));
                    }
                    let mut best = state[0].1;
                    let mut first = [zero; 4];
                    first[0] = channels.back(s, best, g);
                    if a.pool > 1 {
                        for i in 1..4 {
                            let y = state[i].1;
                            let wins = beats(s, y, best);
                            best = s.select_f32s(wins, y, best);
                            for earlier in &mut first[..i] {
                                *earlier = s.select_f32s(wins, zero, *earlier);
                            }
                            first[i] = s.select_f32s(wins, channels.back(s, y, g), zero);
                        }
                    }
                    for i in 0..count {
                        let centered = s.sub_f32s(first[i], constant);
                        let term = s.mul_f32s(state[i].0, linear);
                        let d = s.mul_f32s(channels.factor, s.sub_f32s(centered, term));
                        let pixel = (x * a.pool + i % a.pool) * stride + c;
                        store(
                            s,
                            self.frame,
                            (y * a.pool + i / a.pool) * self.pitch + pixel,
                            d,
                        );
                    }
                }
            }
        }
    }
}
