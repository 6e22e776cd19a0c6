//! Objectives: how the per-sample losses of the groups become one risk to descend.
//!
//! | objective | sees | risk |
//! |---|---|---|
//! | [`UnsupervisedObjective`] | `U` | eq. 2: AE, DeepSVDD; with [`Loe`]: LOE |
//! | [`SemiSupervisedObjective`] | `U`, `A` | eq. 5: ABC, DeepSAD; with [`Loe`]: SOEL |
//! | [`PuObjective`] | `U`, `A`, optionally `N` | eqs. 11-13: PUAE, PUSVDD, and the PU classifier |

mod groups;
mod pu;
mod semi_supervised;
mod unlabeled;
mod unsupervised;

pub use groups::{GroupCounts, GroupLosses, Groups};
pub use pu::{Correction, PuObjective};
pub use semi_supervised::{GroupWeighting, SemiSupervisedObjective};
pub use unlabeled::{Loe, LoeLabels, UnlabeledRisk};
pub use unsupervised::UnsupervisedObjective;

use candle_core::{DType, Tensor};

use crate::{Error, NonNegativeLoss, Result};

/// A risk over the losses of the three groups, and the detector that computes these losses.
///
/// The trait is object-safe, and references and boxes of an objective are objectives, so a
/// `Box<dyn Objective<Loss = L>>` serves a choice made at run time.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::{GroupLosses, Groups, Objective};
/// use puad::{NonNegativeLoss, Result, SampleLosses};
///
/// /// Descends the worst of the unlabeled losses.
/// struct Worst<L>(L);
///
/// impl<L: NonNegativeLoss> Objective for Worst<L> {
///     type Loss = L;
///
///     fn detector(&self) -> &L {
///         &self.0
///     }
///     fn sees(&self) -> Groups {
///         Groups { anomalies: false, normals: false }
///     }
///     fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
///         let unlabeled = losses.unlabeled.as_ref().expect("a batch has unlabeled samples");
///         Ok(unlabeled.normal.max(0)?)
///     }
/// }
///
/// # struct Square;
/// # impl NonNegativeLoss for Square {
/// #     fn per_sample(&self, xs: &Tensor, _: &mut puad::Pass<'_>) -> Result<Tensor> {
/// #         Ok(xs.sqr()?.sum(1)?)
/// #     }
/// # }
/// let unlabeled = Some(SampleLosses::new(Tensor::new(&[1f64, 4., 2.], &Device::Cpu)?));
/// let losses = GroupLosses { unlabeled, ..Default::default() };
/// assert_eq!(Worst(Square).validation_risk(&losses)?, 4.);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Objective {
    /// The detector that is trained.
    type Loss: NonNegativeLoss;

    /// The detector that is trained.
    fn detector(&self) -> &Self::Loss;

    /// Which labeled groups pass through the network in training, beside the unlabeled samples.
    fn sees(&self) -> Groups;

    /// Whether the risk suits a set with these numbers of samples: asked before training begins.
    /// Default: it must hold labeled anomalies if the objective [sees](Self::sees) them.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] for a group that the risk needs.
    fn check_groups(&self, counts: GroupCounts) -> Result<()> {
        if self.sees().anomalies && counts.anomalies == 0 {
            return Err(Error::EmptyGroup {
                what: "the objective",
                group: "anomalous",
            });
        }
        Ok(())
    }

    /// The scalar that a training step descends, `[]`, from the losses of one mini-batch.
    ///
    /// # Errors
    /// If the batch lacks a group that the risk cannot do without.
    fn risk(&self, losses: &GroupLosses) -> Result<Tensor>;

    /// The number that picks the best epoch, from the losses of the whole validation set at once
    /// (an absolute value is not additive over batches). Default: [`risk`](Self::risk).
    ///
    /// # Errors
    /// As [`risk`](Self::risk).
    fn validation_risk(&self, losses: &GroupLosses) -> Result<f64> {
        scalar(&self.risk(losses)?)
    }
}

/// Forwards every method, so that a wrapped objective behaves as the bare one.
macro_rules! forward {
    ($wrapper:ty) => {
        impl<O: Objective + ?Sized> Objective for $wrapper {
            type Loss = O::Loss;

            fn detector(&self) -> &Self::Loss {
                (**self).detector()
            }
            fn sees(&self) -> Groups {
                (**self).sees()
            }
            fn check_groups(&self, counts: GroupCounts) -> Result<()> {
                (**self).check_groups(counts)
            }
            fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
                (**self).risk(losses)
            }
            fn validation_risk(&self, losses: &GroupLosses) -> Result<f64> {
                (**self).validation_risk(losses)
            }
        }
    };
}

forward!(&O);
forward!(Box<O>);

/// A rank-0 tensor's value.
fn scalar(t: &Tensor) -> Result<f64> {
    Ok(t.to_dtype(DType::F64)?.to_scalar::<f64>()?)
}
