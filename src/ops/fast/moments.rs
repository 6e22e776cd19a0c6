//! Mean and deviation by channel, of images with channels last.

use pulp::{Simd, WithSimd};

use super::vector::{dispatch, load, store};

/// Count, mean and summed squared deviation by channel.
#[derive(Clone, Debug, Default)]
pub(in crate::ops) struct Moments {
    pub(in crate::ops) count: usize,
    pub(in crate::ops) mean: Vec<f64>,
    pub(in crate::ops) squares: Vec<f64>,
}

/// The moments of one image `[pixels, stride]`, `row` pixels a row.
pub(in crate::ops) fn image_moments(image: &[f32], stride: usize, row: usize) -> Moments {
    dispatch(MomentsTask { image, stride, row })
}

/// Of all images together (Chan et al.), in their order.
pub(in crate::ops) fn merge_moments(parts: &[Moments]) -> Moments {
    let mut parts = parts.iter();
    let mut all = parts.next().cloned().unwrap_or_default();
    for part in parts {
        let count = all.count + part.count;
        let share = part.count as f64 / count as f64;
        for (c, mean) in all.mean.iter_mut().enumerate() {
            let difference = part.mean[c] - *mean;
            *mean += difference * share;
            all.squares[c] += part.squares[c] + difference * difference * share * all.count as f64;
        }
        all.count = count;
    }
    all
}

struct MomentsTask<'a> {
    image: &'a [f32],
    stride: usize,
    row: usize,
}

impl WithSimd for MomentsTask<'_> {
    type Output = Moments;
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> Moments {
        let count = self.image.len() / self.stride;
        let (mut mean, mut squares) = (vec![0.; self.stride], vec![0.; self.stride]);
        let mut lane = [0f32; 64];
        for c in (0..self.stride).step_by(S::F32_LANES) {
            let sum = self.sum::<S, false>(s, c, s.splat_f32s(0.));
            store(s, &mut lane, 0, sum);
            for (mean, &sum) in mean[c..].iter_mut().zip(&lane[..S::F32_LANES]) {
                *mean = f64::from(sum) / count as f64;
            }
            let exact: Vec<f64> = mean[c..c + S::F32_LANES].to_vec();
            for (lane, &mean) in lane.iter_mut().zip(&exact) {
                *lane = mean as f32;
            }
            let rounded = lane;
            let center = load(s, &rounded, 0);
            let sum = self.sum::<S, true>(s, c, center);
            store(s, &mut lane, 0, sum);
            for (i, exact) in exact.into_iter().enumerate() {
                // The center's rounding taken out again.
                let shift = exact - f64::from(rounded[i]);
                squares[c + i] = (f64::from(lane[i]) - shift * shift * count as f64).max(0.);
                if lane[i].is_nan() {
                    squares[c + i] = f64::NAN;
                }
            }
        }
        Moments {
            count,
            mean,
            squares,
        }
    }
}

impl MomentsTask<'_> {
    /// The sum over the pixels at channel `c`, by rows and then over the rows: of the values, or of
    /// their squared deviations from `center`.
    #[inline(always)]
    fn sum<S: Simd, const SQUARE: bool>(&self, s: S, c: usize, center: S::f32s) -> S::f32s {
        let mut total = s.splat_f32s(0.);
        for row in self.image.chunks(self.row * self.stride) {
            let mut sum = s.splat_f32s(0.);
            for pixel in row.chunks_exact(self.stride) {
                let x = load(s, pixel, c);
                sum = if SQUARE {
                    let deviation = s.sub_f32s(x, center);
                    s.mul_add_e_f32s(deviation, deviation, sum)
                } else {
                    s.add_f32s(sum, x)
                };
            }
            total = s.add_f32s(total, sum);
        }
        total
    }
}
