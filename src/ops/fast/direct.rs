//! Convolution as a sum over the pixels under the kernel, with nothing unfolded: for few input
//! channels, or few outputs.

use pulp::Simd;

use super::KernelView;
use super::frame::Frame;
use super::product::{Contraction, Target, multiply, multiply_add};
use super::vector::Slot;

/// A convolution from frames of `c_in` channels to images `[h, w]` of `c_out` channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direct {
    pub(super) c_in: usize,
    pub(super) c_out: usize,
    pub(super) kh: usize,
    pub(super) kw: usize,
    pub(super) h: usize,
    pub(super) w: usize,
    pub(super) lanes: usize,
}

impl Direct {
    fn pad_out(&self) -> usize {
        self.c_out.next_multiple_of(self.lanes)
    }

    pub(super) fn kernel_len(&self) -> usize {
        self.kh * self.kw * self.c_in * self.pad_out()
    }

    /// The kernel as `[kh, kw, c_in, pad_out]`.
    pub(super) fn arrange(&self, kernel: &[f32], view: &KernelView, out: &mut [f32]) {
        out.fill(0.);
        for (at, row) in out.chunks_exact_mut(self.pad_out()).enumerate() {
            let (c, at) = (at % self.c_in, at / self.c_in);
            for (o, value) in row[..self.c_out].iter_mut().enumerate() {
                *value = kernel[view.at(o, c, at / self.kw, at % self.kw)];
            }
        }
    }

    /// One frame -> `out`: `[h, w, pad_out]`, all of it.
    #[inline(always)]
    pub(super) fn forward<S: Simd, V: Slot>(
        &self,
        s: S,
        (frame_values, frame): (&[f32], Frame),
        kernel: &[f32],
        out: &mut [V],
    ) {
        let pad_out = self.pad_out();
        let taps = (0..self.kh).flat_map(|y| (0..self.kw).map(move |x| (y, x)));
        let segments: Vec<(usize, usize)> = taps
            .enumerate()
            .map(|(i, (y, x))| (frame.at(y, x), i * self.c_in * pad_out))
            .collect();
        let mut k = Contraction {
            segments: &segments,
            len: self.c_in,
            a_stride: 1,
            b_stride: pad_out,
        };
        let rows_only: Vec<(usize, usize)>;
        if frame.stride == self.c_in {
            // Neighbouring pixels are neighbours in memory: one segment a row of the kernel.
            rows_only = segments.iter().copied().step_by(self.kw).collect();
            k.segments = &rows_only;
            k.len = self.kw * self.c_in;
        }
        let rows: Vec<usize> = (0..self.w).map(|x| x * frame.stride).collect();
        for (y, line) in out.chunks_exact_mut(self.w * pad_out).enumerate() {
            let target = Target {
                values: line,
                stride: pad_out,
                columns: pad_out,
            };
            multiply(
                s,
                (&frame_values[frame.at(y, 0)..], &rows),
                kernel,
                &k,
                target,
            );
        }
    }

    /// Adds to `sum`, `[kh, kw, c_in, pad_out]`, the weight gradient of one image: its frame, and
    /// the frame of the gradient of its output.
    #[inline(always)]
    pub(super) fn add_gradient<S: Simd>(
        &self,
        s: S,
        (frame_values, frame): (&[f32], Frame),
        (grads, grad): (&[f32], Frame),
        sum: &mut [f32],
    ) {
        let taps = (0..self.kh).flat_map(|y| (0..self.kw).map(move |x| (y, x)));
        let rows: Vec<usize> = taps
            .flat_map(|(y, x)| (0..self.c_in).map(move |c| frame.at(y, x) + c))
            .collect();
        let at = |y| (frame.at(y, 0), grad.at(y + grad.offset, grad.offset));
        let segments: Vec<(usize, usize)> = (0..self.h).map(at).collect();
        let k = Contraction {
            segments: &segments,
            len: self.w,
            a_stride: frame.stride,
            b_stride: grad.stride,
        };
        let target = Target {
            values: sum,
            stride: self.pad_out(),
            columns: self.pad_out(),
        };
        multiply_add(s, (frame_values, &rows), grads, &k, target);
    }
}
