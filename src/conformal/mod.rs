//! Thresholds and p-values with a guarantee, from scores that a detector was not trained on.
//!
//! Everything here works on plain lists of scores, larger = more anomalous, which may be infinite and may be equal, but
//! not NaN; [`FittedDetector`](crate::FittedDetector) has the same from rows. The *calibration* scores are those of
//! rows that the model saw neither in training nor in the choice of its epoch, and that were drawn as the rows to
//! come; which is assumed everywhere. What else is, and what then holds for a threshold `t` of which `s > t` is an alarm:
//!
//! | from | what holds | assumed | where it fails |
//! |---|---|---|---|
//! | [`NormalTail::of_scores`] of normals | the false-positive rate is at most the one asked for, on average over calibration sets | | |
//! | [`NormalTail::of_scores`] of unlabeled rows | the same | anomalies score above `t` at least as often as normals | anomalies that score low: up to `1 / (1 - alpha)` times the rate |
//! | [`NormalTail::corrected`] | about the rate, the nearer the more rows | `alpha` and the labeled anomalies are those of the unlabeled rows | labels that are easier to find than the rest, or an `alpha` too large: too many alarms |
//! | [`corrected_threshold`] | at most the rate, with a probability | the same | the same |
//! | [`benjamini_hochberg`] on p-values of the first two | on average at most the share `q` of the alarms in a batch are false | as theirs, and independent rows | calibration rows that were trained on |
//! | [`Budget`] | on average at most so many alarms a day, or more with a chance of at most so much | a day's rows are independent draws | rows that come in bursts |
//! | [`Costs`] | about the least expected cost | as [`NormalTail::corrected`] | as there |
//! | [`Review`] | at most the rate times `(n' + 1) / (n1 + 1)`, on average | the person is right | normals taken for anomalies |
//!
//! # References
//! Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World, 2005 (split conformal prediction). Bates, Candès,
//! Lei, Romano, Sesia, Testing for outliers with conformal p-values, Annals of Statistics 2023. Bashari, Sesia, Romano,
//! Robust conformal outlier detection under contaminated reference data, ICML 2025. Blanchard, Lee, Scott,
//! Semi-supervised novelty detection, JMLR 2010 (the rates of contaminated data).

mod benjamini_hochberg;
mod budget;
mod corrected;
mod costs;
mod levels;
mod review;
mod tail;

pub use benjamini_hochberg::benjamini_hochberg;
pub use budget::{Budget, BudgetThreshold};
pub use corrected::corrected_threshold;
pub use costs::Costs;
pub use review::{Review, Reviewed};
pub use tail::{NormalTail, p_values};
