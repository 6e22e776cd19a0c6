//! Convolution of stride 1 as a matrix product per image: unfold, multiply, fold.

use std::ops::Range;

use candle_core::{Result, Tensor};
use gemm::Parallelism;
use rayon::prelude::*;

use super::ConvOptions;
use super::cpu::Real;

/// Images a task accumulates a weight gradient over. Fixed, so that the order of the sum does not
/// depend on the number of threads.
const IMAGES_PER_TASK: usize = 8;

/// The sizes of a convolution `[n, c_in, h, w] * [c_out, c_in, kh, kw] -> [n, c_out, oh, ow]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ConvShape {
    pub(super) n: usize,
    pub(super) c_in: usize,
    pub(super) h: usize,
    pub(super) w: usize,
    pub(super) c_out: usize,
    pub(super) kh: usize,
    pub(super) kw: usize,
    pub(super) padding: usize,
}

impl ConvShape {
    /// Of an input and a kernel, with the padding of a transposed convolution where it is one; `None` if
    /// their channels differ.
    pub(super) fn of(xs: &Tensor, kernel: &Tensor, options: ConvOptions) -> Result<Option<Self>> {
        Self::of_dims(xs.dims4()?, kernel, options)
    }

    /// The same of an input of these dimensions.
    pub(super) fn of_dims(
        (n, c_in, h, w): (usize, usize, usize, usize),
        kernel: &Tensor,
        options: ConvOptions,
    ) -> Result<Option<Self>> {
        let (k0, k1, kh, kw) = kernel.dims4()?;
        let (kernel_in, c_out) = if options.transposed {
            (k0, k1)
        } else {
            (k1, k0)
        };
        Ok((kernel_in == c_in).then_some(Self {
            n,
            c_in,
            h,
            w,
            c_out,
            kh,
            kw,
            padding: options.padding,
        }))
    }

    /// Whether the kernel has values and fits the padded input.
    pub(super) fn is_valid(&self) -> bool {
        let p = 2 * self.padding;
        self.kh * self.kw > 0 && self.h + p >= self.kh && self.w + p >= self.kw
    }

    /// The convolution that a transposed one, from `c_in` channels of `h x w` and with this padding, is
    /// the adjoint of: it maps the other's output to its input. `None` where there is no output.
    pub(super) fn adjoint(&self) -> Option<Self> {
        let size = |len: usize, k: usize| {
            let len = (len + k).checked_sub(1 + 2 * self.padding);
            len.filter(|&len| len > 0)
        };
        Some(Self {
            c_in: self.c_out,
            c_out: self.c_in,
            h: size(self.h, self.kh)?,
            w: size(self.w, self.kw)?,
            ..*self
        })
    }

    /// The convolution that equals such a transposed one, with a kernel turned by half. `None` where it
    /// would have another padding by rows than by columns, or a negative one.
    pub(super) fn flipped(&self) -> Option<Self> {
        let padding = (self.kh.checked_sub(1)?).checked_sub(self.padding)?;
        (self.kh == self.kw).then_some(Self { padding, ..*self })
    }

    pub(super) fn out_hw(&self) -> (usize, usize) {
        let p = 2 * self.padding;
        (self.h + p - self.kh + 1, self.w + p - self.kw + 1)
    }

    fn pixels_in(&self) -> usize {
        self.c_in * self.h * self.w
    }

    /// Pixels of one output plane: columns of the unfolded image.
    fn columns(&self) -> usize {
        let (oh, ow) = self.out_hw();
        oh * ow
    }

    /// Values under the kernel: rows of the unfolded image.
    fn rows(&self) -> usize {
        self.c_in * self.kh * self.kw
    }

    /// For output row `oy` and kernel offset `(ky, kx)`: where the run of valid pixels starts in
    /// the output row, where it starts in the input plane, and its length.
    fn run(&self, oy: usize, ky: usize, kx: usize) -> Option<(usize, usize, usize)> {
        let (_, ow) = self.out_hw();
        let iy = (oy + ky)
            .checked_sub(self.padding)
            .filter(|&iy| iy < self.h)?;
        let first = self.padding.saturating_sub(kx);
        let last = (self.w + self.padding).saturating_sub(kx).min(ow);
        (first < last).then(|| (first, iy * self.w + first + kx - self.padding, last - first))
    }

    /// Calls `f(row, oy, ky, kx, channel)` for every row segment of the unfolded image.
    fn segments(&self, mut f: impl FnMut(usize, usize, usize, usize, usize)) {
        let (oh, _) = self.out_hw();
        for c in 0..self.c_in {
            for ky in 0..self.kh {
                for kx in 0..self.kw {
                    let row = (c * self.kh + ky) * self.kw + kx;
                    for oy in 0..oh {
                        f(row, oy, ky, kx, c);
                    }
                }
            }
        }
    }

    /// `[c_in, h, w] -> [rows, columns]`: each column holds the values under the kernel.
    fn unfold<T: Real>(&self, image: &[T], out: &mut [T]) {
        let (ow, columns, plane) = (self.out_hw().1, self.columns(), self.h * self.w);
        self.segments(|row, oy, ky, kx, c| {
            let at = row * columns + oy * ow;
            let out = &mut out[at..at + ow];
            let Some((first, from, len)) = self.run(oy, ky, kx) else {
                return out.fill(T::ZERO);
            };
            out[..first].fill(T::ZERO);
            out[first..first + len].copy_from_slice(&image[c * plane + from..][..len]);
            out[first + len..].fill(T::ZERO);
        });
    }

    /// The adjoint of [`unfold`](Self::unfold): adds each value to the pixel it came from.
    fn fold<T: Real>(&self, unfolded: &[T], image: &mut [T]) {
        let (ow, columns, plane) = (self.out_hw().1, self.columns(), self.h * self.w);
        self.segments(|row, oy, ky, kx, c| {
            let Some((first, to, len)) = self.run(oy, ky, kx) else {
                return;
            };
            let from = &unfolded[row * columns + oy * ow + first..][..len];
            let into = &mut image[c * plane + to..][..len];
            for (pixel, &v) in into.iter_mut().zip(from) {
                *pixel += v;
            }
        });
    }
}

/// A row-major matrix, or the transpose of one.
#[derive(Clone, Copy)]
struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    strides: (usize, usize),
}

impl<'a, T> Matrix<'a, T> {
    fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns);
        let strides = (columns, 1);
        Self {
            data,
            rows,
            columns,
            strides,
        }
    }

    fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            strides: (self.strides.1, self.strides.0),
            ..self
        }
    }
}

/// Products that are summed before they are added to the output: gemm sums at least as many, or more where the
/// processor's cache is larger, and rounding would depend on it.
const DEPTH: usize = 512;

/// `out = a b`, or `out += a b`; `out` row-major.
fn multiply<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T], add: bool) {
    assert_eq!(a.columns, b.rows);
    assert_eq!(out.len(), a.rows * b.columns);
    let depth = a.columns.div_ceil(a.columns.div_ceil(DEPTH).max(1));
    let mut from = 0;
    loop {
        let to = (from + depth).min(a.columns);
        add_product(a, b, from..to, out, add || from > 0);
        from = to;
        if from == a.columns {
            return;
        }
    }
}

/// The same of these columns of `a` and rows of `b` alone.
fn add_product<T: Real>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    inner: Range<usize>,
    out: &mut [T],
    add: bool,
) {
    assert!(inner.start <= inner.end && inner.end <= a.columns);
    // SAFETY: the asserts here, in `multiply` and in `Matrix::new` keep every index that the sizes and strides
    // allow inside its slice, and `out` is borrowed mutably, so it overlaps neither operand.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            inner.len(),
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            add,
            a.data.as_ptr().add(inner.start * a.strides.1),
            a.strides.1 as isize,
            a.strides.0 as isize,
            b.data.as_ptr().add(inner.start * b.strides.0),
            b.strides.1 as isize,
            b.strides.0 as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// `[n, c_in, h, w], [c_out, c_in, kh, kw] -> [n, c_out, oh, ow]`.
pub(super) fn forward<T: Real>(s: &ConvShape, xs: &[T], kernel: &[T]) -> Vec<T> {
    let (rows, columns) = (s.rows(), s.columns());
    let mut out = vec![T::ZERO; s.n * s.c_out * columns];
    let kernel = Matrix::new(kernel, s.c_out, rows);
    out.par_chunks_mut((s.c_out * columns).max(1))
        .zip(xs.par_chunks(s.pixels_in().max(1)))
        .for_each_init(
            || vec![T::ZERO; rows * columns],
            |unfolded, (out, image)| {
                s.unfold(image, unfolded);
                multiply(kernel, Matrix::new(unfolded, rows, columns), out, false);
            },
        );
    out
}

/// The gradient of the input: `[n, c_out, oh, ow], [c_out, c_in, kh, kw] -> [n, c_in, h, w]`.
pub(super) fn backward_input<T: Real>(s: &ConvShape, grad: &[T], kernel: &[T]) -> Vec<T> {
    let (rows, columns) = (s.rows(), s.columns());
    let mut out = vec![T::ZERO; s.n * s.pixels_in()];
    let kernel = Matrix::new(kernel, s.c_out, rows).transposed();
    out.par_chunks_mut(s.pixels_in().max(1))
        .zip(grad.par_chunks((s.c_out * columns).max(1)))
        .for_each_init(
            || vec![T::ZERO; rows * columns],
            |unfolded, (image, grad)| {
                multiply(kernel, Matrix::new(grad, s.c_out, columns), unfolded, false);
                s.fold(unfolded, image);
            },
        );
    out
}

/// The gradient of the kernel: `[n, c_in, h, w], [n, c_out, oh, ow] -> [c_out, c_in, kh, kw]`.
pub(super) fn backward_kernel<T: Real>(s: &ConvShape, xs: &[T], grad: &[T]) -> Vec<T> {
    let (rows, columns) = (s.rows(), s.columns());
    let (image_len, grad_len) = (s.pixels_in().max(1), (s.c_out * columns).max(1));
    let parts: Vec<Vec<T>> = xs
        .par_chunks(image_len * IMAGES_PER_TASK)
        .zip(grad.par_chunks(grad_len * IMAGES_PER_TASK))
        .map_init(
            || vec![T::ZERO; rows * columns],
            |unfolded, (images, grads)| {
                let mut part = vec![T::ZERO; s.c_out * rows];
                for (image, grad) in images.chunks(image_len).zip(grads.chunks(grad_len)) {
                    s.unfold(image, unfolded);
                    let unfolded = Matrix::new(unfolded, rows, columns).transposed();
                    multiply(
                        Matrix::new(grad, s.c_out, columns),
                        unfolded,
                        &mut part,
                        true,
                    );
                }
                part
            },
        )
        .collect();
    let mut parts = parts.into_iter();
    let first = parts
        .next()
        .unwrap_or_else(|| vec![T::ZERO; s.c_out * rows]);
    parts.fold(first, |mut sum, part| {
        sum.iter_mut().zip(&part).for_each(|(s, &p)| *s += p);
        sum
    })
}
