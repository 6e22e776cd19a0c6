//! Detectors: per-sample losses over networks, each a [`NonNegativeLoss`].
//!
//! | detector | loss | term |
//! |---|---|---|
//! | [`Autoencoder`] | eq. 1, reconstruction error | eq. 4 |
//! | [`DenoisingAutoencoder`] | eq. 16, from a noisy input | eq. 4 |
//! | [`DeepSvdd`] | eq. 14, squared distance from a center | eq. 15 |
//! | [`Neutral`] | contrastive loss over learned views: NeuTraL AD | its own |
//! | [`Icl`] | contrastive loss over windows of features: ICL | eq. 4 |
//! | [`RotationHead`] | cross-entropy of predicting rotations | eq. 4 |
//! | [`Classifier`] | [`ClassifierLoss`] of a logit: the PU baseline | `1 - l` or eq. 4 |
//!
//! Each has a [`DetectorSpec`], its settings under a name, which builds it for samples of a shape. The score is
//! the loss, but that a [`Pooling`] may make another one of an autoencoder's errors.

mod autoencoder;
mod centers;
mod classifier;
mod contrast;
mod deep_svdd;
mod denoising;
mod frozen;
mod geometric;
mod icl;
mod neutral;
mod pooling;
mod rotation;
mod spec;

pub use autoencoder::{Autoencoder, AutoencoderSpec};
pub use classifier::{Classifier, ClassifierLoss, ClassifierSpec};
pub use deep_svdd::{DeepSvdd, DeepSvddSpec};
pub use denoising::{DenoisingAutoencoder, DenoisingSpec};
pub(crate) use frozen::Frozen;
pub use icl::{Icl, IclSpec};
pub use neutral::{Neutral, NeutralSpec, Transformation};
pub use pooling::Pooling;
pub use rotation::{Likelihood, RotationHead, RotationSpec};
pub(crate) use spec::Freeze;
pub use spec::{Built, DetectorSpec};

use candle_core::Tensor;

use crate::spec::{Entry, entry};
use crate::{NonNegativeLoss, Pass, Result, ops};
use spec::{is_default, required};

/// Every detector that this crate ships.
pub(crate) const SHIPPED: &[Entry<dyn DetectorSpec>] = &[
    entry!(DetectorSpec, AutoencoderSpec),
    entry!(DetectorSpec, DenoisingSpec),
    entry!(DetectorSpec, DeepSvddSpec),
    entry!(DetectorSpec, ClassifierSpec),
    entry!(DetectorSpec, RotationSpec),
    entry!(DetectorSpec, NeutralSpec),
    entry!(DetectorSpec, IclSpec),
];

/// The default of [`NonNegativeLoss::score`] for a detector that asks for no gradient on the way: its
/// networks may compute their part in one piece.
fn scored_at_once(detector: &impl NonNegativeLoss, xs: &Tensor) -> Result<Tensor> {
    let losses = ops::without_graph(xs, || detector.per_sample(xs, &mut Pass::evaluation()));
    Ok(losses?.detach())
}
