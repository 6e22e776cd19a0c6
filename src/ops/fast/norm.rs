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
        self.apply_keeping::<V, f32>(image, out, &mut []);
    }

    /// As [`apply`](Self::apply); `deviations`: `x - mean` where each maximum lies, in the layout of `out`, unless it
    /// is empty.
    pub(in crate::ops) fn apply_keeping<V: Slot, D: Slot>(
        &self,
        image: &[f32],
        out: &mut [V],
        deviations: &mut [D],
    ) {
        assert!(deviations.is_empty() || deviations.len() == out.len());
        dispatch(ApplyTask {
            activation: self,
            image,
            out,
            deviations,
        });
    }

    /// `sum g'` and `sum (x - mean) g'`, with the rounded mean, by channel, where `g'` is the gradient before the
    /// activation; `grad`: `[pooled pixels, stride]`. Without pooling of the image; with it of the deviations that
    /// [`apply_keeping`](Self::apply_keeping) left, a quarter of the values.
    pub(in crate::ops) fn gradient_sums(&self, from: &[f32], grad: &[f32]) -> Vec<[f32; 2]> {
        let mut sums = vec![[0.; 2]; self.stride()];
        dispatch(SumsTask {
            activation: self,
            from,
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

    /// Where the pixels of a window lie in an image of `row` values a row.
    #[inline(always)]
    fn window(&self, row: usize, y: usize, x: usize) -> [usize; 4] {
        let stride = self.stride();
        let first = y * self.pool * row + x * self.pool * stride;
        match self.pool {
            1 => [first; 4],
            _ => [first, first + stride, first + row, first + row + stride],
        }
    }

    /// Values of a row before pooling.
    fn row(&self) -> usize {
        self.size.1 * self.stride()
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
        (deviation, self.activate(s, deviation))
    }

    #[inline(always)]
    fn activate(&self, s: S, deviation: S::f32s) -> S::f32s {
        let v = s.mul_add_e_f32s(deviation, self.factor, self.shift);
        let positive = s.less_than_f32s(s.splat_f32s(0.), v);
        s.select_f32s(positive, v, s.mul_f32s(v, self.slope))
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

struct ApplyTask<'a, V, D> {
    activation: &'a Activation<'a>,
    image: &'a [f32],
    out: &'a mut [V],
    /// As long as `out`, or empty.
    deviations: &'a mut [D],
}

impl<V: Slot, D: Slot> WithSimd for ApplyTask<'_, V, D> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match (self.activation.pool, self.deviations.is_empty()) {
            (1, true) => self.windows::<S, 1, false>(s),
            (1, false) => self.windows::<S, 1, true>(s),
            (_, true) => self.windows::<S, 4, false>(s),
            (_, false) => self.windows::<S, 4, true>(s),
        }
    }
}

impl<V: Slot, D: Slot> ApplyTask<'_, V, D> {
    /// Windows of `N` pixels, their channels innermost, so that the image is read as it lies.
    #[inline(always)]
    fn windows<S: Simd, const N: usize, const KEEP: bool>(self, s: S) {
        let (a, stride) = (self.activation, self.activation.stride());
        let (height, width) = a.pooled();
        assert_eq!(self.out.len(), height * width * stride);
        for (y, row) in self.out.chunks_exact_mut(width * stride).enumerate() {
            for (x, out) in row.chunks_exact_mut(stride).enumerate() {
                let at = a.window(a.row(), y, x);
                for c in (0..stride).step_by(S::F32_LANES) {
                    let channels = Channels::load(s, a, c);
                    let (mut deviation, mut best) =
                        channels.apply(s, load(s, self.image, at[0] + c));
                    for at in &at[1..N] {
                        let (d, y) = channels.apply(s, load(s, self.image, at + c));
                        let wins = beats(s, y, best);
                        best = s.select_f32s(wins, y, best);
                        if KEEP {
                            deviation = s.select_f32s(wins, d, deviation);
                        }
                    }
                    store(s, out, c, best);
                    if KEEP {
                        store(s, self.deviations, (y * width + x) * stride + c, deviation);
                    }
                }
            }
        }
    }
}

struct SumsTask<'a> {
    activation: &'a Activation<'a>,
    from: &'a [f32],
    grad: &'a [f32],
    sums: &'a mut [[f32; 2]],
}

impl WithSimd for SumsTask<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match self.activation.pool {
            1 => self.pixels::<S, false>(s),
            _ => self.pixels::<S, true>(s),
        }
    }
}

impl SumsTask<'_> {
    /// By rows and then over the rows; of pixels, or of their deviations.
    #[inline(always)]
    fn pixels<S: Simd, const DEVIATIONS: bool>(self, s: S) {
        let (a, stride) = (self.activation, self.activation.stride());
        let (height, width) = a.pooled();
        let len = height * width * stride;
        assert!(self.from.len() == len && self.grad.len() == len);
        let mut sums = vec![0f32; 4 * stride];
        let (row, total) = sums.split_at_mut(2 * stride);
        for y in 0..height {
            row.fill(0.);
            for x in 0..width {
                let at = (y * width + x) * stride;
                for c in (0..stride).step_by(S::F32_LANES) {
                    let channels = Channels::load(s, a, c);
                    let x = load(s, self.from, at + c);
                    let deviation = if DEVIATIONS {
                        x
                    } else {
                        s.sub_f32s(x, channels.mean)
                    };
                    let y = channels.activate(s, deviation);
                    let g = channels.back(s, y, load(s, self.grad, at + c));
                    let sum = s.add_f32s(load(s, row, c), g);
                    store(s, row, c, sum);
                    let sum = s.mul_add_e_f32s(deviation, g, load(s, row, stride + c));
                    store(s, row, stride + c, sum);
                }
            }
            for at in (0..2 * stride).step_by(S::F32_LANES) {
                let sum = s.add_f32s(load(s, total, at), load(s, row, at));
                store(s, total, at, sum);
            }
        }
        let (plain, weighted) = total.split_at(stride);
        for (sums, (&plain, &weighted)) in self.sums.iter_mut().zip(plain.iter().zip(weighted)) {
            *sums = [plain, weighted];
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
        match self.activation.pool {
            1 => self.windows::<S, 1>(s),
            _ => self.windows::<S, 4>(s),
        }
    }
}

impl GradientTask<'_> {
    /// As those of [`ApplyTask`].
    #[inline(always)]
    fn windows<S: Simd, const N: usize>(self, s: S) {
        let (a, stride) = (self.activation, self.activation.stride());
        let (height, width) = a.pooled();
        let zero = s.splat_f32s(0.);
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let at = a.window(a.row(), y, x);
            let from = (y * width + x) * stride;
            let to = a.window(self.pitch, y, x);
            for c in (0..stride).step_by(S::F32_LANES) {
                let channels = Channels::load(s, a, c);
                let constant = load(s, &self.gradients.constant, c);
                let linear = load(s, &self.gradients.linear, c);
                let g = load(s, self.grad, from + c);
                let mut deviations = [zero; N];
                let mut first = [zero; N];
                let mut best = zero;
                for i in 0..N {
                    let (deviation, y) = channels.apply(s, load(s, self.image, at[i] + c));
                    deviations[i] = deviation;
                    let back = channels.back(s, y, g);
                    if i == 0 {
                        (best, first[0]) = (y, back);
                        continue;
                    }
                    let wins = beats(s, y, best);
                    best = s.select_f32s(wins, y, best);
                    for earlier in &mut first[..i] {
                        *earlier = s.select_f32s(wins, zero, *earlier);
                    }
                    first[i] = s.select_f32s(wins, back, zero);
                }
                for i in 0..N {
                    let centered = s.sub_f32s(first[i], constant);
                    let term = s.mul_f32s(deviations[i], linear);
                    let d = s.mul_f32s(channels.factor, s.sub_f32s(centered, term));
                    store(s, self.frame, to[i] + c, d);
                }
            }
        }
    }
}
