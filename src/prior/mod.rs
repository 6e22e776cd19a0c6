//! The class prior `alpha`: the share of anomalies among the unlabeled data, and its estimation.
//!
//! A [`PriorEstimator`] sees what stands for the unlabeled samples and for the labeled anomalies, [`PriorData`]:
//! scores of a classifier that saw none of them in its training, or vectors. It gives a [`PriorEstimate`]: `alpha`,
//! an interval with its level, and what speaks against believing it.
//!
//! `alpha` is the share that is *left* among the unlabeled samples after the labeled anomalies were taken out, of the
//! kinds that are labeled: [`ClassPrior::from_base_rate`] has it of the share among all rows. Where normals score as high
//! as the highest anomalies, no method can tell it from data; the largest share that the data allow is estimated, which
//! is then an upper bound ([`PriorDoubt::Overlap`]).
//!
//! | estimator | of | paper | fails |
//! |---|---|---|---|
//! | [`Dedpul`], the default | scores | Ivanov 2020 | normals among the highest scores: too high |
//! | [`Bbe`] | scores | Garg et al. 2021 | few labels or `alpha` near 0: too high by its slack |
//! | [`Menon`] | scores | Menon et al. 2015 | few labels: it reads the ratio at one point, which is noise |
//! | [`RocSlope`] | scores | Scott 2015 | few labels: too high by its bounds |
//! | [`AlphaMax`] | scores | Jain et al. 2016 | a bend of a noisy curve: few labels |
//! | [`PenL1`] | vectors | Christoffel et al. 2016 | classes that lie close: too high |
//! | [`KernelMean`], KM1 and KM2 | vectors | Ramaswamy et al. 2016 | many columns, small shares: slow, and noise |

mod alpha_max;
mod bbe;
mod bins;
mod bootstrap;
mod class_prior;
mod data;
mod dedpul;
mod doubt;
mod estimate;
mod estimator;
mod hull;
mod kernel;
mod kernel_mean;
mod levels;
mod menon;
mod overlap;
mod pen_l1;
mod points;
mod resample;
mod roc_slope;
mod smooth;
mod windows;

pub use alpha_max::{AlphaMax, AlphaMaxConfig};
pub use bbe::{Bbe, BbeConfig};
pub use class_prior::ClassPrior;
pub use data::PriorData;
pub use dedpul::{Dedpul, DedpulConfig};
pub use estimate::{PriorDoubt, PriorEstimate};
pub use estimator::PriorEstimator;
pub use kernel_mean::{KernelMean, KernelMeanConfig, SlopeThreshold};
pub use menon::{Menon, MenonConfig};
pub(crate) use overlap::FEW_ANOMALIES;
pub use pen_l1::{PenL1, PenL1Config};
pub use roc_slope::{RocSlope, RocSlopeConfig};
