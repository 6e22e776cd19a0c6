//! Convolution in f32 with vector instructions, images inside with channels last, and linear layers.
//!
//! [`Plan::choose`] is the one place that picks a way by shape:
//!
//! | way | where | relative error (root mean square) |
//! |---|---|---|
//! | Winograd F(4x4, 5x5), F(5x5, 4x4) for weights | 5x5, 8 channels or more on both sides, tiles well filled | 3e-6 |
//! | direct | fewer than 8 input channels, 8 output channels or more; the subpixels of `upsample_conv.rs` | 2e-7 |
//! | unfolding and a matrix product (`im2col.rs`) | the rest, and f64 | 1e-7 |

mod aligned;
mod allocator;
mod direct;
mod frame;
mod grey;
mod layers;
mod moments;
mod norm;
mod plan;
mod product;
mod task;
mod transforms;
mod vector;
// A row of one array is a column of another there: indices say it best.
#[allow(clippy::needless_range_loop)]
mod winograd;

pub(super) use self::aligned::{Places, Values};
pub(super) use self::frame::to_planes;
pub(super) use self::layers::{Layer, Matrix, Panels, column_sums, through};
pub(super) use self::moments::{image_moments, merge_moments};
pub(super) use self::norm::{Activation, PixelGradients, PixelNorms};
pub(super) use self::plan::{Given, Image, Kernel, Plan};
pub(super) use self::vector::{dispatch, with_scratch};

use self::direct::Direct;
use self::frame::Frame;
use self::winograd::Winograd;

/// Where the weight from input channel `c` to output channel `o` at `(y, x)` lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct KernelView {
    outputs: usize,
    inputs: usize,
    size: (usize, usize),
    flipped: bool,
}

impl KernelView {
    /// Of a kernel `[c_out, c_in, kh, kw]`, or of a transposed convolution's: `[c_in, c_out, kh, kw]`,
    /// flipped.
    pub(super) fn new(c_in: usize, c_out: usize, size: (usize, usize), transposed: bool) -> Self {
        let area = size.0 * size.1;
        let (outputs, inputs) = if transposed {
            (area, c_out * area)
        } else {
            (c_in * area, area)
        };
        Self {
            outputs,
            inputs,
            size,
            flipped: transposed,
        }
    }

    /// The lengths of a stored kernel's first and second dimension.
    fn first_dimensions(&self, c_in: usize, c_out: usize) -> (usize, usize) {
        if self.flipped {
            (c_in, c_out)
        } else {
            (c_out, c_in)
        }
    }

    /// Output and input channel of the indices of these dimensions.
    fn channels(&self, first: usize, second: usize) -> (usize, usize) {
        if self.flipped {
            (second, first)
        } else {
            (first, second)
        }
    }

    /// The convolution that the input's gradient is of the output's.
    fn adjoint(self) -> Self {
        Self {
            outputs: self.inputs,
            inputs: self.outputs,
            flipped: !self.flipped,
            ..self
        }
    }

    /// The weights from channel `c` to channel `o`, row by row.
    fn weights<'a>(&self, kernel: &'a [f32], o: usize, c: usize) -> impl Iterator<Item = f32> + 'a {
        let area = self.size.0 * self.size.1;
        let stored = &kernel[o * self.outputs + c * self.inputs..][..area];
        let flipped = self.flipped;
        (0..area).map(move |i| stored[if flipped { area - 1 - i } else { i }])
    }

    pub(super) fn at(&self, o: usize, c: usize, y: usize, x: usize) -> usize {
        let (kh, kw) = self.size;
        let at = if self.flipped {
            (kh - 1 - y) * kw + kw - 1 - x
        } else {
            y * kw + x
        };
        o * self.outputs + c * self.inputs + at
    }
}

/// One side of a convolution: forward, or from the output's gradient to the input's.
#[derive(Clone, Copy, Debug)]
enum Way {
    Winograd(Winograd),
    Direct(Direct),
}

/// Planes `[channels, h, w]` as `[h, w, stride]`.
pub(super) fn to_pixels(planes: &[f32], size: (usize, usize), stride: usize, out: &mut [f32]) {
    let frame = Frame {
        rows: size.0,
        columns: size.1,
        offset: 0,
        stride,
    };
    frame.fill(planes, size, 1, out);
}
