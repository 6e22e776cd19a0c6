//! Grey images that are stored as colours: one channel, with the sums of the kernel's weights.

use super::KernelView;
use super::aligned::Values;
use super::direct::Direct;
use super::frame::Frame;

/// The convolution of the one channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grey {
    pub(super) way: Direct,
    pub(super) input: Frame,
    /// Channels that are the same.
    channels: usize,
}

impl Grey {
    /// Of a convolution of several channels with frames `input`.
    pub(super) fn of(way: Direct, input: Frame) -> Option<Self> {
        (way.c_in > 1).then_some(Self {
            way: Direct { c_in: 1, ..way },
            input: Frame { stride: 1, ..input },
            channels: way.c_in,
        })
    }

    /// The first of planes that are all the same, bit by bit.
    pub(super) fn channel<'a>(&self, planes: &'a [f32]) -> Option<&'a [f32]> {
        let (first, rest) = planes.split_at(planes.len() / self.channels);
        let bits = |x: &f32| x.to_bits();
        let mut rest = rest.chunks_exact(first.len());
        rest.all(|plane| plane.iter().map(bits).eq(first.iter().map(bits)))
            .then_some(first)
    }

    /// The kernel's sums over the channels, as [`Direct::arrange`] has a kernel.
    pub(super) fn arrange(&self, kernel: &[f32], view: &KernelView) -> Values {
        let (kw, width) = (self.way.kw, self.way.kernel_len() / self.area());
        let mut out = Values::zeros(self.way.kernel_len());
        for (at, row) in out.chunks_exact_mut(width).enumerate() {
            for (o, value) in row[..self.way.c_out].iter_mut().enumerate() {
                let weights = (0..self.channels).map(|c| kernel[view.at(o, c, at / kw, at % kw)]);
                *value = weights.sum();
            }
        }
        out
    }

    /// Adds the gradient of the sums, `[kh, kw, pad_out]`, to that of every channel's weights,
    /// `[kh, kw, channels, pad_out]`.
    pub(super) fn spread(&self, sums: &[f32], gradient: &mut [f32]) {
        let width = sums.len() / self.area();
        let taps = gradient.chunks_exact_mut(self.channels * width);
        for (tap, sums) in taps.zip(sums.chunks_exact(width)) {
            for row in tap.chunks_exact_mut(width) {
                row.iter_mut().zip(sums).for_each(|(g, &x)| *g += x);
            }
        }
    }

    fn area(&self) -> usize {
        self.way.kh * self.way.kw
    }
}
