//! What a sample costs when it is taken as an anomaly.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Result, ops};

/// Maps the loss `l` of a sample taken as normal to its loss taken as an anomaly.
///
/// ```
/// use puad::AnomalyTerm;
/// use puad::candle_core::{Device, Tensor};
///
/// let l = Tensor::new(&[0.5f64], &Device::Cpu)?;
/// let value = |t: AnomalyTerm| -> puad::Result<f64> { Ok(t.apply(&l)?.to_vec1()?[0]) };
/// assert!((value(AnomalyTerm::Bce)? + (1. - (-0.5f64).exp()).ln()).abs() < 1e-12);
/// assert_eq!(value(AnomalyTerm::Inverse)?, 1. / (0.5 + 1e-6));
/// assert_eq!(value(AnomalyTerm::Complement)?, 0.5);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnomalyTerm {
    /// `-log(1 - exp(-l))`, eq. 4 at y = 1: the cross-entropy of `p(normal | x) = exp(-l)`.
    /// Below [`ops::LOG1MEXP_FLOOR`] it continues as if `l` were the floor, in value and gradient.
    Bce,
    /// `1 / (l + 1e-6)`, eq. 15 at y = 1 (DeepSAD).
    Inverse,
    /// `1 - l`, for a loss in [0, 1] such as a classifier's sigmoid. A loss beyond 1 makes it
    /// negative; nothing checks that here.
    Complement,
}

impl AnomalyTerm {
    /// The offset that keeps [`Inverse`](Self::Inverse) finite at `l = 0`.
    pub const INVERSE_OFFSET: f64 = 1e-6;

    /// The term of each entry; any shape, same shape out.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    pub fn apply(self, losses: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Bce => ops::log1mexp(losses)?.neg()?,
            Self::Inverse => losses.affine(1., Self::INVERSE_OFFSET)?.recip()?,
            Self::Complement => losses.affine(-1., 1.)?,
        })
    }
}
