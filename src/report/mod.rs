//! What to expect of a detector, from scores of samples that it was not trained on, without a labeled normal.
//!
//! A [`Report`] is made of the scores of unlabeled samples `U` and of labeled anomalies `A` ([`HeldOut`]) and of the
//! class prior `alpha`, the share of anomalies among `U`, with its interval
//! ([`PriorEstimate`](crate::prior::PriorEstimate)). With `P_U(t)` and `P_A(t)`, the shares of both that score above
//! `t`:
//!
//! | measure | formula |
//! |---|---|
//! | precision, the share of alarms that are anomalies | `alpha P_A / P_U`, at most 1 |
//! | recall | `P_A` |
//! | false-positive rate | `(P_U - alpha P_A) / (1 - alpha)`, at least 0 |
//! | AUROC against normals | `(AUROC(A, U) - alpha / 2) / (1 - alpha)`, at most 1 |
//! | average precision | the mean over `A` of the precision at `t = s`: `1 / |A| sum_a min(1, alpha R(a) / P_U(>= s_a))` |
//!
//! They follow from `U` being a mixture, `P_U = alpha P_A + (1 - alpha) P_N` (eq. 6 of the paper; Jain, White,
//! Radivojac, "Recovering true classifier performance in positive-unlabeled learning", AAAI 2017; Menon et al.,
//! "Learning from corrupted binary labels via class-probability estimation", ICML 2015): an anomaly of `A` and one
//! of `U` score the other way round half the time, which is where `alpha / 2` comes from. Average precision is that on
//! data with `alpha` anomalies, as `U` itself: of a recall that falls by `1 / |A|` at each anomaly `a`, times the
//! precision there, where `R(a)` is the share of `A` that scores at least as high, `a` itself counted half (the whole
//! of it would make the few at the top look better than they are).
//!
//! # What it takes for granted
//! - *Known kinds.* The labeled anomalies score as those among the unlabeled samples do. Recall is that of the kinds
//!   that are labeled. Where only easy anomalies were labeled, recall and AUROC are too high for all anomalies. The
//!   precision is too low if `alpha` is the share of the labeled kinds alone, which is what labels can identify, for
//!   alarms of other kinds count as false; it is too high if `alpha` is the share of all kinds. The recall of kinds
//!   that nobody labeled cannot be told; [`KindRecall`] tells that of labeled ones whose labels were left out.
//! - *The class prior.* Precision is off by the factor by which `alpha` is. One that is too large, or too large for
//!   labels that are easier to find than the rest, may ask for more anomalies above a threshold than there are samples:
//!   where the whole interval of a share is above 1 there is no estimate, but a [`ReportDoubt::PriorTooLarge`].
//! - *Held out.* Samples that were trained on score as the detector was taught to, and would look better.
//!
//! # Intervals
//! Shares that are counted (recall, alarm rate) have the exact interval of Clopper and Pearson. Recall out of fold has
//! the hull of it and of draws: of anomalies that another detector scored the place among unlabeled samples is known,
//! so that the doubt about the alarm rate is one about recall, too ([`ReportSource::OutOfFold`]). For the alarm rate it
//! holds although the threshold was chosen on the same samples, as it lies between two neighbouring scores: the true
//! rate above it is between those above each, whose distributions are the two betas of that interval. All other
//! measures have the middle of the draws of a Bayesian bootstrap over `U` and over `A`, with half a sample (a
//! quarter for AUROC and average precision) supposed at both ends of the scores, so that eight anomalies of eight above the threshold leave doubt; `alpha` is drawn in each
//! from two halves of logistic distributions that meet in the estimate and have the ends of its interval as quantiles.
//! It is drawn apart from the scores, though it may have been estimated on them: an `alpha` too large because `U`
//! happens to hold many anomalies goes with a larger `P_U`, so that the interval of precision is rather too wide.
//! Draws beyond what can be are put on the border, and an interval always holds its estimate. Estimates of a precision
//! near 1 are too low on average, since an `alpha` that is too large cannot make up for one that is too small.
//!
//! A budget that comes to less than one held-out row has no estimate, one of fewer than ten alarms is marked
//! ([`Support`]): nothing is extrapolated.

mod at_budget;
mod axis;
mod budget;
mod canvas;
mod cells;
mod config;
mod curve;
mod doubt;
mod estimate;
mod held_out;
mod kind;
mod markdown;
mod measured;
mod proportion;
mod resample;
mod summary;
mod svg;

pub use at_budget::AtBudget;
pub use axis::ScoreAxis;
pub use budget::{Budget, Support};
pub use config::ReportConfig;
pub use curve::{CurvePoint, ScoreCurves};
pub use doubt::ReportDoubt;
pub use estimate::Estimate;
pub use held_out::{HeldOut, ReportSource};
pub use kind::{KindRecall, KindScores, RecallAtBudget};
pub use summary::Report;
