//! Objectives: how the per-sample losses of the groups become one risk to descend.
//!
//! | objective | sees | risk |
//! |---|---|---|
//! | [`UnsupervisedObjective`] | `U` | eq. 2: AE, DeepSVDD; with [`Loe`]: LOE |
//! | [`SemiSupervisedObjective`] | `U`, `A` | eq. 5: ABC, DeepSAD; with [`Loe`]: SOEL |
//! | [`PuObjective`] | `U`, `A`, optionally `N` | eqs. 11-13: PUAE, PUSVDD, and the PU classifier |
//!
//! ```
//! use puad::objective::{Objective, SemiSupervisedObjective, UnsupervisedObjective};
//! use puad::testing::SquaredNorm;
//! use puad::{ClassPrior, PuObjective};
//!
//! let detector = SquaredNorm::default();
//! // One detector under three objectives.
//! let ae = UnsupervisedObjective::new(&detector);
//! let abc = SemiSupervisedObjective::new(&detector);
//! let puae = PuObjective::new(&detector, ClassPrior::new(0.1)?);
//! assert_eq!([ae.sees().anomalies, abc.sees().anomalies, puae.sees().anomalies], [false, true, true]);
//! # Ok::<(), puad::Error>(())
//! ```

mod groups;
mod pu;
mod semi_supervised;
mod spec;
mod unlabeled;
mod unsupervised;

pub use groups::{GroupCounts, GroupLosses, Groups};
pub use pu::{Correction, PuObjective, PuSpec};
pub use semi_supervised::{GroupWeighting, SemiSupervisedObjective, SemiSupervisedSpec, SoelSpec};
pub use spec::{ObjectiveSpec, SharedObjective};
pub use unlabeled::{Loe, LoeLabels, UnlabeledRisk};
pub use unsupervised::{LoeSpec, UnsupervisedObjective, UnsupervisedSpec};

use candle_core::{DType, Tensor};

use crate::spec::{Entry, entry};
use crate::{Error, NonNegativeLoss, Result};

/// Every objective that this crate ships.
pub(crate) const SHIPPED: &[Entry<dyn ObjectiveSpec>] = &[
    entry!(ObjectiveSpec, UnsupervisedSpec),
    entry!(ObjectiveSpec, LoeSpec),
    entry!(ObjectiveSpec, SemiSupervisedSpec),
    entry!(ObjectiveSpec, SoelSpec),
    entry!(ObjectiveSpec, PuSpec),
];

/// A risk over the losses of the three groups, and the detector that computes these losses.
///
/// The trait is object-safe, and references and boxes of an objective are objectives, so a
/// `Box<dyn Objective<Loss = L>>` serves a choice made at run time.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::{GroupLosses, Groups, Objective};
/// use puad::testing::SquaredNorm;
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
///         Groups::NONE
///     }
///     fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
///         let unlabeled = losses.unlabeled.as_ref().expect("a batch has unlabeled samples");
///         Ok(unlabeled.normal.max(0)?)
///     }
/// }
///
/// let unlabeled = Some(SampleLosses::new(Tensor::new(&[1f64, 4., 2.], &Device::Cpu)?));
/// let losses = GroupLosses { unlabeled, ..Default::default() };
/// assert_eq!(Worst(SquaredNorm::default()).validation_risk(&losses)?, 4.);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Objective {
    /// The detector that is trained.
    type Loss: NonNegativeLoss;

    /// The detector that is trained.
    ///
    /// ```
    /// use puad::NonNegativeLoss;
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::objective::{Objective, UnsupervisedObjective};
    /// use puad::testing::SquaredNorm;
    ///
    /// let objective = UnsupervisedObjective::new(SquaredNorm::default());
    /// // Scores come from the detector, whatever it was trained under.
    /// let xs = Tensor::new(&[[3f32, 4.]], &Device::Cpu)?;
    /// assert_eq!(objective.detector().score(&xs)?.to_vec1::<f32>()?, [25.]);
    /// # Ok::<(), puad::Error>(())
    /// ```
    fn detector(&self) -> &Self::Loss;

    /// Which labeled groups pass through the network in training, beside the unlabeled samples.
    ///
    /// ```
    /// use puad::objective::{Objective, SemiSupervisedObjective, UnsupervisedObjective};
    /// use puad::testing::SquaredNorm;
    ///
    /// assert!(!UnsupervisedObjective::new(SquaredNorm::default()).sees().anomalies);
    /// assert!(SemiSupervisedObjective::new(SquaredNorm::default()).sees().anomalies);
    /// ```
    fn sees(&self) -> Groups;

    /// Whether the risk suits a set with these numbers of samples: asked before training begins.
    /// Default: it must hold labeled anomalies if the objective [sees](Self::sees) them.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] for a group that the risk needs.
    ///
    /// ```
    /// use puad::objective::{GroupCounts, Objective};
    /// use puad::testing::SquaredNorm;
    /// use puad::{ClassPrior, Error, PuObjective};
    ///
    /// let objective = PuObjective::new(SquaredNorm::default(), ClassPrior::new(0.1)?);
    /// let counts = GroupCounts { unlabeled: 100, anomalies: 0, normals: 0 };
    /// let missing = objective.check_groups(counts);
    /// assert!(matches!(missing, Err(Error::EmptyGroup { group: "anomalous", .. })));
    /// assert!(objective.check_groups(GroupCounts { anomalies: 5, ..counts }).is_ok());
    /// # Ok::<(), puad::Error>(())
    /// ```
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
    ///
    /// ```
    /// use puad::SampleLosses;
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::objective::{GroupLosses, Objective, UnsupervisedObjective};
    /// use puad::testing::SquaredNorm;
    ///
    /// let unlabeled = Some(SampleLosses::new(Tensor::new(&[1f64, 2., 6.], &Device::Cpu)?));
    /// let losses = GroupLosses { unlabeled, ..Default::default() };
    /// // Eq. 2: the mean.
    /// let risk = UnsupervisedObjective::new(SquaredNorm::default()).risk(&losses)?;
    /// assert_eq!(risk.to_scalar::<f64>()?, 3.);
    /// # Ok::<(), puad::Error>(())
    /// ```
    fn risk(&self, losses: &GroupLosses) -> Result<Tensor>;

    /// The number that picks the best epoch, from the losses of the whole validation set at once
    /// (an absolute value is not additive over batches). Default: [`risk`](Self::risk).
    ///
    /// # Errors
    /// As [`risk`](Self::risk).
    ///
    /// ```
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::objective::{Correction, GroupLosses, Objective};
    /// use puad::testing::SquaredNorm;
    /// use puad::{AnomalyTerm, ClassPrior, PuObjective, SampleLosses};
    ///
    /// let l = |v: f64| Ok::<_, puad::Error>(Some(SampleLosses::new(Tensor::new(&[v], &Device::Cpu)?)));
    /// let losses = GroupLosses { unlabeled: l(0.2)?, anomalies: l(0.8)?, normals: None };
    /// let objective = PuObjective::new(SquaredNorm(AnomalyTerm::Complement), ClassPrior::new(0.5)?)
    ///     .with_correction(Correction::NON_NEGATIVE)?;
    /// // The bracket is 0.2 - 0.5 * 0.8 < 0: training descends its negative, which is no risk.
    /// assert!((objective.risk(&losses)?.to_scalar::<f64>()? - 0.2).abs() < 1e-12);
    /// assert!((objective.validation_risk(&losses)? - 0.5 * 0.2).abs() < 1e-12);
    /// # Ok::<(), puad::Error>(())
    /// ```
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
