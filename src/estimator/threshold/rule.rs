use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ClassPrior;

/// What a detector's threshold was set by.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::{Threshold, ThresholdRule};
/// use puad::{ClassPrior, Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
/// let mut config = FitConfig { prior: ClassPrior::new(0.1)?.into(), ..FitConfig::default() };
/// config.train.epochs = 2;
///
/// let mut detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
/// // The default is the class prior's quantile.
/// assert_eq!(detector.threshold_rule(), ThresholdRule::Quantile { quantile: 0.9 });
/// detector.set_threshold(Threshold::Value(2.))?;
/// assert_eq!(detector.threshold_rule(), ThresholdRule::Value);
/// // In words.
/// let rule = ThresholdRule::FalsePositiveRate { rate: 0.01, normals: 500 };
/// assert_eq!(rule.to_string(), "at most 1% false alarms on average, by 500 normals");
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ThresholdRule {
    /// A quantile of the validation part's unlabeled scores.
    Quantile {
        /// In [0, 1].
        quantile: f64,
    },
    /// A false-positive rate on normals.
    FalsePositiveRate {
        /// In (0, 1).
        rate: f64,
        /// Their number.
        normals: usize,
    },
    /// A false-positive rate on unlabeled rows.
    UnlabeledRate {
        /// In (0, 1).
        rate: f64,
        /// Number of the unlabeled rows.
        rows: usize,
    },
    /// A false-positive rate on unlabeled rows, the anomalies' part taken out.
    CorrectedRate {
        /// In (0, 1).
        rate: f64,
        /// Number of the unlabeled rows.
        rows: usize,
        /// Number of the labeled anomalies.
        anomalies: usize,
        /// The share that was taken out.
        prior: ClassPrior,
        /// With which probability the rate is kept; `None`: about on average.
        confidence: Option<f64>,
    },
    /// A false-positive rate on unlabeled rows whose highest were reviewed.
    ReviewedRate {
        /// In (0, 1).
        rate: f64,
        /// Number of the rows without the confirmed anomalies.
        rows: usize,
        /// How many were reviewed.
        reviewed: usize,
        /// How many of them are anomalies.
        confirmed: usize,
        /// How many more are to be reviewed at least until the threshold lies among the reviewed rows; 0 where it does.
        more: usize,
    },
    /// A number of alarms a day.
    Budget {
        /// At most so many.
        alarms: u64,
        /// Of so many rows.
        volume: u64,
        /// The chance of more on a day that was asked for; `None`: so many on average.
        asked: Option<f64>,
        /// Number of the unlabeled rows.
        rows: usize,
        /// The expected share of alarms.
        rate: f64,
        /// The chance of more on a day.
        chance: f64,
    },
    /// The least expected cost.
    Cost {
        /// Of an alarm about a normal.
        false_alarm: f64,
        /// Of an anomaly without an alarm.
        missed: f64,
        /// Number of the unlabeled rows.
        rows: usize,
        /// Number of the labeled anomalies.
        anomalies: usize,
        /// The class prior.
        prior: ClassPrior,
        /// The estimated cost, on average a row, in the unit of the two.
        cost: f64,
    },
    /// A given score.
    Value,
}

impl fmt::Display for ThresholdRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Quantile { quantile } => write!(
                f,
                "the {:.2}% of unlabeled validation rows that score highest",
                100. * (1. - quantile)
            ),
            Self::FalsePositiveRate { rate, normals } => {
                write!(f, "{} on average, by {normals} normals", Alarms(rate))
            }
            Self::UnlabeledRate { rate, rows } => write!(
                f,
                "{} on average, by {rows} unlabeled rows, if anomalies score higher than normals",
                Alarms(rate)
            ),
            Self::CorrectedRate { .. } | Self::ReviewedRate { .. } => self.of_rate(f),
            Self::Budget {
                alarms,
                volume,
                asked,
                rows,
                rate,
                chance,
            } => {
                write!(f, "at most {alarms} alarms among {volume} rows")?;
                match asked {
                    Some(_) => write!(f, " (on average {:.1})", rate * volume as f64)?,
                    None => write!(f, " on average")?,
                }
                let percent = 100. * chance;
                write!(
                    f,
                    ", by {rows} unlabeled rows; more with a chance of {percent:.1}%"
                )
            }
            Self::Cost {
                false_alarm,
                missed,
                rows,
                anomalies,
                prior,
                cost,
            } => write!(
                f,
                "the least cost at {false_alarm} a false alarm and {missed} a missed anomaly, about {} a row, by \
                 {rows} unlabeled rows, of which {}% are anomalies like {anomalies} labeled ones",
                about(cost),
                about(100. * prior.get())
            ),
            Self::Value => write!(f, "a given score"),
        }
    }
}

impl ThresholdRule {
    /// A rate that more than the rows went into.
    fn of_rate(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CorrectedRate {
                rate,
                rows,
                anomalies,
                prior,
                confidence,
            } => {
                write!(f, "{} ", Alarms(rate))?;
                match confidence {
                    Some(confidence) => {
                        write!(f, "with a probability of {}%", given(100. * confidence))?
                    }
                    None => write!(f, "on average, about")?,
                }
                write!(
                    f,
                    ", by {rows} unlabeled rows, of which {}% are anomalies like {anomalies} labeled ones",
                    about(100. * prior.get())
                )
            }
            Self::ReviewedRate {
                rate,
                rows,
                reviewed,
                confirmed,
                more,
            } => {
                write!(
                    f,
                    "{} on average, by {rows} unlabeled rows without the {confirmed} anomalies among {reviewed} \
                     that were reviewed",
                    Alarms(rate)
                )?;
                match more {
                    0 => Ok(()),
                    more => write!(f, "; it lies below these: review at least {more} more"),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Without the noise of the last digits.
fn given(value: f64) -> f64 {
    (1e6 * value).round() / 1e6
}

/// An estimate, to four digits.
fn about(value: f64) -> f64 {
    if value == 0. || !value.is_finite() {
        return value;
    }
    let scale = 10f64.powf(3. - value.abs().log10().floor());
    let rounded = (value * scale).round() / scale;
    // Values far from 1 have no such scale.
    if rounded.is_finite() { rounded } else { value }
}

/// A rate in words.
struct Alarms(f64);

impl fmt::Display for Alarms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {}% false alarms", given(100. * self.0))
    }
}
