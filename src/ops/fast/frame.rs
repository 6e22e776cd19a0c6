//! Images with channels last and a border of zeros, and their way from and to planes.

use std::mem::MaybeUninit;

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

    /// Zeros, with planes `[channels, h, w]` in them, each pixel repeated `factor x factor` times.
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
        if factor > 1 {
            for y in 0..h {
                let first = self.at(self.offset + y * factor, 0);
                for i in 1..factor {
                    out.copy_within(first..first + self.pitch(), first + i * self.pitch());
                }
            }
        }
    }
}

fn put(line: &mut [f32], values: impl Iterator<Item = f32>, stride: usize) {
    for (pixel, x) in line.chunks_mut(stride).zip(values) {
        pixel[0] = x;
    }
}

/// Channels last, `[pixels, stride]`, to planes `[channels, pixels]`, all of them.
pub(super) fn to_planes(pixels: &[f32], stride: usize, planes: &mut [MaybeUninit<f32>]) {
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

/// As [`to_planes`], with the sum of each `factor x factor` block of pixels; `w` pixels a row.
pub(super) fn to_summed_planes(
    pixels: &mut [f32],
    stride: usize,
    (w, factor): (usize, usize),
    planes: &mut [MaybeUninit<f32>],
) {
    if factor > 1 {
        let small = w / factor;
        let rows = pixels.len() / (w * stride).max(1) / factor;
        for y in 0..rows {
            for x in 0..small {
                let target = (y * small + x) * stride;
                for i in 0..factor * factor {
                    let source = ((y * factor + i / factor) * w + x * factor + i % factor) * stride;
                    if i == 0 {
                        pixels.copy_within(source..source + stride, target);
                    } else {
                        // The source lies behind the target, except for the pixel just copied.
                        let (head, tail) = pixels.split_at_mut(source);
                        let target = &mut head[target..target + stride];
                        target.iter_mut().zip(tail).for_each(|(t, &mut v)| *t += v);
                    }
                }
            }
        }
        let len = rows * small * stride;
        return to_planes(&pixels[..len], stride, planes);
    }
    to_planes(pixels, stride, planes);
}
