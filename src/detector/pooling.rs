use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, ops};

/// What of an image's reconstruction error is its anomaly score. Training, its loss and its risks are the same
/// under each; threshold, probabilities and, if it picks the epoch,
/// [`Selection::PuAuroc`](crate::train::Selection::PuAuroc) go by the score.
///
/// ```
/// use puad::detector::{AutoencoderSpec, Pooling};
/// use puad::method::Method;
/// use puad::objective::PuSpec;
///
/// // For small defects: a PUAE whose score is the error where it is largest.
/// let detector = AutoencoderSpec { pooling: Pooling::LargestPatch { side: None }, ..Default::default() };
/// let method = Method::new(detector, PuSpec::default());
/// let json = serde_json::to_string(&method).unwrap();
/// assert_eq!(
///     json,
///     r#"{"detector":{"autoencoder":{"pooling":{"largest_patch":{"side":null}}}},"objective":"pu"}"#
/// );
/// assert_eq!(Method::new(AutoencoderSpec::default(), PuSpec::default()), Method::PUAE);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Pooling {
    /// All of it: the loss itself, the norm over all pixels and channels.
    #[default]
    Whole,
    /// Of images, the norm over the square patch where it is largest, all channels: `side` times the square root of
    /// the largest value of the squared error map, summed over channels, zeros around it and blurred by the mean
    /// of a box. So a defect of a few pixels is not lost in the small errors of all others, and counts alike in
    /// the middle and at the border. Patches lie within the image, and one as long as it is
    /// [`Whole`](Self::Whole), but for rounding.
    LargestPatch {
        /// In pixels, at least 1: best about as long as the defects. `None`: an eighth of the image's shorter side,
        /// rounded up.
        side: Option<usize>,
    },
}

/// Of the shorter side, how many patches are as long; `tests/pooling.rs` chose it.
const AUTOMATIC: usize = 8;

impl Pooling {
    /// Whether it is what the loss is; then it is not written down.
    pub(super) fn is_whole(&self) -> bool {
        *self == Self::Whole
    }

    /// # Errors
    /// [`Error::Config`] for a side of 0.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::LargestPatch { side: Some(0) } => Err(Error::config("side", "at least 1", 0)),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// [`Error::Config`] for samples of this shape that have no patches.
    pub(super) fn check_samples(self, sample_shape: &[usize]) -> Result<()> {
        if self.is_whole() || sample_shape.len() == 3 {
            return Ok(());
        }
        let rule = "`Pooling::Whole` for samples other than images [channels, height, width]";
        let got = format!("{self:?} for {sample_shape:?}");
        Err(Error::config("pooling", rule, got))
    }

    /// The score of each of `xs`, `[batch, ...]`, rebuilt as `reconstruction` in its shape: `[batch]`.
    pub(super) fn score(self, reconstruction: &Tensor, xs: &Tensor) -> Result<Tensor> {
        let Self::LargestPatch { side } = self else {
            return Ok(ops::l2_distance(reconstruction, xs)?);
        };
        let &[_, _, height, width] = xs.dims() else {
            let expected = "[batch, channels, height, width] under `Pooling::LargestPatch`";
            return Err(Error::shape("samples", expected, xs));
        };
        let side = side.unwrap_or_else(|| height.min(width).div_ceil(AUTOMATIC));
        Ok(ops::largest_patch_distance(reconstruction, xs, side)?)
    }
}
