use candle_core::{Result, Tensor, bail};

use super::cpu::{Real, lane_sum};

/// A tensor read as `[batch, channels, pixels]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelView {
    pub(super) batch: usize,
    pub(super) channels: usize,
    pub(super) pixels: usize,
}

impl ChannelView {
    pub(super) fn of(xs: &Tensor) -> Result<Self> {
        match xs.dims() {
            [batch, channels, pixels @ ..] => Ok(Self {
                batch: *batch,
                channels: *channels,
                pixels: pixels.iter().product(),
            }),
            dims => bail!("batch norm needs [batch, channels, ...], got {dims:?}"),
        }
    }

    /// Values per channel.
    pub(super) fn count(self) -> usize {
        self.batch * self.pixels
    }

    /// The runs of one channel, a run an image.
    pub(super) fn runs<T>(self, values: &[T], channel: usize) -> impl Iterator<Item = &[T]> {
        let starts = (0..self.batch).map(move |b| (b * self.channels + channel) * self.pixels);
        starts.map(move |start| &values[start..start + self.pixels])
    }

    /// `sum f(x, y)` over one channel, in a fixed order.
    pub(super) fn sum<T: Real>(
        self,
        xs: &[T],
        ys: &[T],
        channel: usize,
        f: impl Fn(T, T) -> T + Copy,
    ) -> f64 {
        let runs = self.runs(xs, channel).zip(self.runs(ys, channel));
        runs.map(|(x, y)| lane_sum(x, y, f)).sum()
    }
}
