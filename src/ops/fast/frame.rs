//! Images with channels last and a border of zeros, and their way from and to planes.

use std::mem::MaybeUninit;

use pulp::Simd;

use super::vector::{load, store};

/// A padded image: pixel `(y, x)` at `(y * columns + x) * stride`, its channels side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Rows and columns of zeros before the image.
    pub(super) offset: usize,
    /// Values per pixel, at least the channels.
    pub(super) stride: usize,
}

impl Frame {
    pub(super) fn len(&self) -> usize {
        self.rows * self.columns * self.stride
    }

    /// Of a pixel of the frame.
    pub(super) fn at(&self, y: usize, x: usize) -> usize {
        (y * self.columns + x) * self.stride
    }

    /// Values of a row.
    pub(super) fn pitch(&self) -> usize {
        self.columns * self.stride
    }

    /// Planes `[channels, h, w]` in a border of zeros, each pixel repeated `factor x factor` times.
    pub(super) fn fill(
        &self,
        planes: &[f32],
        (h, w): (usize, usize),
        factor: usize,
        out: &mut [f32],
    ) {
        out.fill(0.);
        for (c, plane) in planes.chunks_exact((h * w).max(1)).enumerate() {
            for (y, row) in plane.chunks_exact(w).enumerate() {
                let start = self.at(self.offset + y * factor, self.offset) + c;
                let line = &mut out[start..];
                match factor {
                    1 => put(line, row.iter().copied(), self.stride),
                    _ => put(
                        line,
                        row.iter().flat_map(|&x| std::iter::repeat_n(x, factor)),
                        self.stride,
                    ),
                }
            }
        }
        for y in 0..h {
            self.repeat_row(y, factor, out);
        }
    }

    /// The same of pixels `[h, w, stride]`, of at least as many values as this frame's.
    pub(super) fn fill_pixels(
        &self,
        (pixels, stride): (&[f32], usize),
        (h, w): (usize, usize),
        factor: usize,
        out: &mut [f32],
    ) {
        self.clear_border((h * factor, w * factor), out);
        for (y, row) in pixels.chunks_exact(w * stride).take(h).enumerate() {
            let start = self.at(self.offset + y * factor, self.offset);
            let line = &mut out[start..start + w * factor * self.stride];
            if factor == 1 && stride == self.stride {
                line.copy_from_slice(row);
            } else {
                let groups = line.chunks_exact_mut(factor * self.stride);
                for (group, pixel) in groups.zip(row.chunks_exact(stride)) {
                    for copy in group.chunks_exact_mut(self.stride) {
                        copy.copy_from_slice(&pixel[..self.stride]);
                    }
                }
            }
            self.repeat_row(y, factor, out);
        }
    }

    /// Copies the first row of the `factor` that are image row `y` to the others.
    fn repeat_row(&self, y: usize, factor: usize, out: &mut [f32]) {
        let first = self.at(self.offset + y * factor, 0);
        for i in 1..factor {
            out.copy_within(first..first + self.pitch(), first + i * self.pitch());
        }
    }

    /// Zeros around an image `[h, w]`.
    pub(super) fn clear_border(&self, (h, w): (usize, usize), out: &mut [f32]) {
        let first = self.offset * self.pitch();
        let (above, below) = out.split_at_mut(first);
        above.fill(0.);
        let (image, below) = below.split_at_mut(h * self.pitch());
        below.fill(0.);
        let (left, right) = (self.offset * self.stride, (self.offset + w) * self.stride);
        for row in image.chunks_exact_mut(self.pitch()) {
            row[..left].fill(0.);
            row[right..].fill(0.);
        }
    }
}

fn put(line: &mut [f32], values: impl Iterator<Item = f32>, stride: usize) {
    for (pixel, x) in line.chunks_mut(stride).zip(values) {
        pixel[0] = x;
    }
}

/// Channels last, `[pixels, stride]`, to planes `[channels, pixels]`, all of them.
pub(in crate::ops) fn to_planes(pixels: &[f32], stride: usize, planes: &mut [MaybeUninit<f32>]) {
    const BLOCK: usize = 16;
    let count = pixels.len() / stride.max(1);
    for first in (0..count).step_by(BLOCK) {
        let last = (first + BLOCK).min(count);
        let block = &pixels[first * stride..last * stride];
        for (c, plane) in planes.chunks_exact_mut(count).enumerate() {
            let out = &mut plane[first..last];
            for (o, pixel) in out.iter_mut().zip(block.chunks_exact(stride)) {
                o.write(pixel[c]);
            }
        }
    }
}

/// In place of pixels, `w` a row, the sums of their `factor x factor` blocks; how many values that leaves.
#[inline(always)]
pub(super) fn sum_blocks<S: Simd>(
    s: S,
    pixels: &mut [f32],
    stride: usize,
    (w, factor): (usize, usize),
) -> usize {
    if factor == 1 {
        return pixels.len();
    }
    let small = w / factor;
    let rows = pixels.len() / (w * stride).max(1) / factor;
    for (y, x) in (0..rows).flat_map(|y| (0..small).map(move |x| (y, x))) {
        // Never behind the block's own pixels, so nothing is overwritten that is yet to be read.
        let target = (y * small + x) * stride;
        for c in (0..stride).step_by(S::F32_LANES) {
            let first = ((y * factor) * w + x * factor) * stride + c;
            let mut sum = load(s, pixels, first);
            for i in 1..factor * factor {
                let at = first + (i / factor * w + i % factor) * stride;
                sum = s.add_f32s(sum, load(s, pixels, at));
            }
            store(s, pixels, target + c, sum);
        }
    }
    rows * small * stride
}
