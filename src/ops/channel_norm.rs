//! Batch norm of one channel: what every kernel on the CPU computes, and `kernels.cu` in its `Channel`.

use super::cpu::Real;

/// Mean and biased variance of one channel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChannelMoments {
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl ChannelMoments {
    /// From the sums of the deviations from `center` and of their squares. Around a value near the mean
    /// neither cancels, and the mean loses the rounding of a sum of large values.
    pub(super) fn around(center: f64, sum: f64, square: f64, count: usize) -> Self {
        let shift = sum / count as f64;
        let variance = square / count as f64 - shift * shift;
        Self {
            mean: center + shift,
            // NaN stays NaN.
            variance: if variance < 0. { 0. } else { variance },
        }
    }

    /// With the values of `other`, which are `share` of all (Chan et al.).
    pub(super) fn merge(&mut self, other: Self, share: f64) {
        let difference = other.mean - self.mean;
        self.mean += share * difference;
        let between = share * (1. - share) * difference * difference;
        self.variance += share * (other.variance - self.variance) + between;
    }
}

/// `(x - mean) factor + shift`. The mean is subtracted in two parts: where it is large beside the
/// deviation, its rounding alone is what a user would see, so what rounding took goes into the shift.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelNorm<T> {
    /// The rounded mean.
    pub(super) mean: T,
    pub(super) factor: T,
    pub(super) shift: T,
    /// What rounding took from the mean.
    rest: f64,
    /// `1 / sqrt(variance + eps)`.
    inverse: f64,
}

impl<T: Real> ChannelNorm<T> {
    pub(super) fn new(moments: ChannelMoments, eps: f64, scale: T, shift: T) -> Self {
        let mean = T::from_f64(moments.mean);
        let rest = moments.mean - mean.to_f64();
        let inverse = (moments.variance + eps).sqrt().recip();
        let factor = inverse * scale.to_f64();
        Self {
            mean,
            factor: T::from_f64(factor),
            shift: T::from_f64(shift.to_f64() - rest * factor),
            rest,
            inverse,
        }
    }

    /// From the sum of the output's gradient, and of its product with the deviation from the rounded
    /// mean, over the `count` values that the moments are of.
    pub(super) fn gradient(&self, sum: f64, product: f64, count: usize) -> ChannelGradient<T> {
        let product = product - self.rest * sum;
        let linear = product / count as f64 * self.inverse * self.inverse;
        ChannelGradient {
            constant: T::from_f64(sum / count as f64 - self.rest * linear),
            linear: T::from_f64(linear),
            scale: T::from_f64(product * self.inverse),
            shift: T::from_f64(sum),
        }
    }
}

/// The gradient of the input, `factor (g - constant - (x - mean) linear)` with the rounded mean, or
/// `factor g` where the moments are not functions of the input; and of scale and shift.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelGradient<T> {
    pub(super) constant: T,
    pub(super) linear: T,
    pub(super) scale: T,
    pub(super) shift: T,
}
