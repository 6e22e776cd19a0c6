mod quantile;
mod resolve;
mod rule;

use super::Input;
use crate::ClassPrior;
use crate::conformal::Reviewed;

pub(super) use resolve::Known;
pub use rule::ThresholdRule;

/// How the score is chosen above which a sample counts as an anomaly.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::{IntoInput, Threshold};
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
/// let mut config = FitConfig::default();
/// config.train.epochs = 2;
/// let mut detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
///
/// detector.set_threshold(Threshold::Quantile(0.95))?;
/// // Normals that were not trained on.
/// let normals = (&toy::generate(&ToyConfig::default(), 1)?.normals).into_input()?;
/// detector.set_threshold(Threshold::FalsePositiveRate { rate: 0.05, normals })?;
/// detector.set_threshold(Threshold::Value(1.5))?;
/// assert_eq!(detector.threshold(), 1.5);
///
/// // From unlabeled rows that were not trained on either, and of which some are anomalies.
/// let new = toy::generate(&ToyConfig::default(), 2)?;
/// let unlabeled = [new.normals, new.unlabeled_anomalies].concat().into_input()?;
/// detector.set_threshold(Threshold::CorrectedRate {
///     rate: 0.05,
///     unlabeled: unlabeled.clone(),
///     anomalies: None,
///     prior: None,
///     confidence: None,
/// })?;
/// detector.set_threshold(Threshold::Budget { alarms: 50, volume: 2000, chance: None, unlabeled })?;
/// println!("{}", detector.threshold_rule());
/// // at most 50 alarms among 2000 rows on average, by 980 unlabeled rows; more with a chance of 42.2%
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Threshold {
    /// The `1 - alpha` quantile of the validation part's unlabeled scores: the share of anomalies
    /// that the class prior claims. The default.
    Contamination,
    /// This quantile of them, in [0, 1], interpolated linearly as numpy's default. Scores that lie on it
    /// are decided together: they are flagged where that brings the flagged share nearer to one minus the
    /// quantile, or as near, and the threshold then lies midway to the next lower score.
    Quantile(f64),
    /// At most this share of false alarms on new normals like the given ones, which took no part in
    /// training: the `ceil((n + 1)(1 - rate))`-th smallest of their scores, whose false-positive
    /// rate is at most `rate` in expectation over the draw of these normals (split conformal
    /// prediction). Scores that lie on it are not flagged, which would exceed the rate. Needs
    /// `n >= 1 / rate - 1`.
    FalsePositiveRate {
        /// In (0, 1).
        rate: f64,
        /// Normals that were not trained on.
        normals: Input,
    },
    /// At most this share of false alarms from unlabeled rows alone, as
    /// [`FalsePositiveRate`](Self::FalsePositiveRate) from normals: in expectation over their draw, as long as anomalies
    /// score above the threshold at least as often as normals do. The anomalies among the rows only raise it, by as much
    /// as they are found: with a share `alpha` of them far above the rate it lies among their scores, and
    /// [`CorrectedRate`](Self::CorrectedRate) or [`ReviewedRate`](Self::ReviewedRate) find more. Where anomalies score
    /// low, which a detector of normals may do with a kind unlike all labeled ones, the rate is up to `1 / (1 - alpha)`
    /// times as large. Needs `1 / rate - 1` rows (Bashari, Sesia, Romano 2025).
    UnlabeledRate {
        /// In (0, 1).
        rate: f64,
        /// Rows like those to come, that were used neither in training nor for the choice of its epoch: not those that the
        /// detector was fitted on.
        unlabeled: Input,
    },
    /// About this share of false alarms, by taking the anomalies' part out of the unlabeled rows':
    /// `(P_U(s > t) - alpha P_A(s > t)) / (1 - alpha) <= rate`
    /// ([`NormalTail::corrected`](crate::conformal::NormalTail::corrected)). Asymptotic, or with a margin for the noise.
    /// Needs the class prior, and anomalies that score as those among the unlabeled rows do: where the labeled ones are
    /// easier to find, and with a prior too large, there are more false alarms than that, up to about
    /// `alpha / (1 - alpha)` more.
    CorrectedRate {
        /// In (0, 1).
        rate: f64,
        /// As in [`UnlabeledRate`](Self::UnlabeledRate); `1 / (rate (1 - alpha)) - 1` at least.
        unlabeled: Input,
        /// Labeled anomalies that were not trained on: those that were score higher than new ones do, and the rate is
        /// exceeded. Fewer than about ten times `alpha` by the rate gain little. `None`: the validation part's.
        anomalies: Option<Input>,
        /// `None`: the detector's. With a `confidence` give the lower end of its interval.
        prior: Option<ClassPrior>,
        /// In (0, 1): the rate is kept with this probability over the draw of the rows
        /// ([`corrected_threshold`](crate::conformal::corrected_threshold)), which needs about three times as many at 95%.
        /// `None`: about on average.
        confidence: Option<f64>,
    },
    /// At most this share of false alarms from unlabeled rows, of which a person reviewed the highest and took the
    /// anomalies out: [`FittedDetector::review`](crate::FittedDetector::review). Nothing is assumed of the anomalies;
    /// those that were not found inflate the rate by at most their share ([`Review`](crate::conformal::Review)).
    ReviewedRate {
        /// In (0, 1).
        rate: f64,
        /// What the review left.
        reviewed: Reviewed,
    },
    /// At most so many alarms a day, right or wrong, as a share of the unlabeled rows that score highest:
    /// [`Budget`](crate::conformal::Budget).
    Budget {
        /// At most so many.
        alarms: u64,
        /// Of so many rows a day.
        volume: u64,
        /// In (0, 1): more on a day with at most this chance. `None`: as many on average.
        chance: Option<f64>,
        /// As in [`UnlabeledRate`](Self::UnlabeledRate), and like a day's; `volume / alarms - 1` at least, and more with a
        /// `chance`.
        unlabeled: Input,
    },
    /// The least expected cost, from the costs of a false alarm and of a missed anomaly in one unit: where the probability
    /// of an anomaly is `false_alarm / (false_alarm + missed)` ([`Costs`](crate::conformal::Costs)), by the detector's
    /// calibration, or one by [`CalibrationMethod::Auto`](super::CalibrationMethod::Auto) on the rows given. From 200
    /// anomalies on, where this is isotonic, it is the threshold of the least cost on these rows; of fewer the logistic
    /// curve tells it better. As right as the class prior, and as the labeled anomalies are typical.
    Cost {
        /// > 0.
        false_alarm: f64,
        /// > 0.
        missed: f64,
        /// As in [`UnlabeledRate`](Self::UnlabeledRate). `None`: the validation part's.
        unlabeled: Option<Input>,
        /// Labeled anomalies that were not trained on. `None`: the validation part's.
        anomalies: Option<Input>,
    },
    /// This score.
    Value(f64),
}

#[cfg(test)]
mod tests;
