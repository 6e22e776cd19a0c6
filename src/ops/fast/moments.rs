//! Mean and variance by channel, of images with channels last.

use pulp::{Simd, WithSimd};

use super::vector::{dispatch, load, store};
use crate::ops::channel_norm::ChannelMoments;

/// The moments of one image `[pixels, stride]`, `row` pixels a row, for each value of a pixel.
pub(in crate::ops) fn image_moments(
    image: &[f32],
    stride: usize,
    row: usize,
) -> Vec<ChannelMoments> {
    dispatch(MomentsTask { image, stride, row })
}

/// Of images of one size together, in their order.
pub(in crate::ops) fn merge_moments(images: &[Vec<ChannelMoments>]) -> Vec<ChannelMoments> {
    let Some((first, rest)) = images.split_first() else {
        return Vec::new();
    };
    let mut all = first.clone();
    for (i, image) in rest.iter().enumerate() {
        let share = 1. / (i + 2) as f64;
        for (all, &part) in all.iter_mut().zip(image) {
            all.merge(part, share);
        }
    }
    all
}

struct MomentsTask<'a> {
    image: &'a [f32],
    stride: usize,
    row: usize,
}

impl WithSimd for MomentsTask<'_> {
    type Output = Vec<ChannelMoments>;
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> Vec<ChannelMoments> {
        let count = self.image.len() / self.stride;
        let mut moments = vec![ChannelMoments::default(); self.stride];
        let (mut centers, mut sums, mut squares) = ([0f32; 64], [0f32; 64], [0f32; 64]);
        for c in (0..self.stride).step_by(S::F32_LANES) {
            let sum = self.sum(s, c);
            store(s, &mut centers, 0, sum);
            for center in &mut centers[..S::F32_LANES] {
                *center = (f64::from(*center) / count as f64) as f32;
            }
            let [sum, square] = self.deviations(s, c, load(s, &centers, 0));
            store(s, &mut sums, 0, sum);
            store(s, &mut squares, 0, square);
            for (i, moments) in moments[c..c + S::F32_LANES].iter_mut().enumerate() {
                let [center, sum, square] = [centers[i], sums[i], squares[i]].map(f64::from);
                *moments = ChannelMoments::around(center, sum, square, count);
            }
        }
        moments
    }
}

impl MomentsTask<'_> {
    /// The sum over the pixels at channel `c`, by rows and then over the rows.
    #[inline(always)]
    fn sum<S: Simd>(&self, s: S, c: usize) -> S::f32s {
        let mut total = s.splat_f32s(0.);
        for row in self.image.chunks(self.row * self.stride) {
            let mut sum = s.splat_f32s(0.);
            for pixel in row.chunks_exact(self.stride) {
                sum = s.add_f32s(sum, load(s, pixel, c));
            }
            total = s.add_f32s(total, sum);
        }
        total
    }

    /// As [`sum`](Self::sum), of the deviations from `center` and of their squares.
    #[inline(always)]
    fn deviations<S: Simd>(&self, s: S, c: usize, center: S::f32s) -> [S::f32s; 2] {
        let zero = s.splat_f32s(0.);
        let mut total = [zero; 2];
        for row in self.image.chunks(self.row * self.stride) {
            let mut sum = [zero; 2];
            for pixel in row.chunks_exact(self.stride) {
                let deviation = s.sub_f32s(load(s, pixel, c), center);
                sum[0] = s.add_f32s(sum[0], deviation);
                sum[1] = s.mul_add_e_f32s(deviation, deviation, sum[1]);
            }
            total = [s.add_f32s(total[0], sum[0]), s.add_f32s(total[1], sum[1])];
        }
        total
    }
}
