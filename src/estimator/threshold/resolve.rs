use super::quantile::at_quantile;
use super::{Threshold, ThresholdRule};
use crate::conformal::{Budget, Costs, NormalTail, Reviewed, corrected_threshold};
use crate::data::table::Group;
use crate::estimator::{Calibration, CalibrationMethod, Input};
use crate::statistics::check_share;
use crate::{ClassPrior, Error, Result};

/// What a detector knows when its threshold is set.
#[derive(Clone, Copy)]
pub(in crate::estimator) struct Known<'a> {
    /// Scores of the validation part, sorted.
    pub(in crate::estimator) unlabeled: &'a [f64],
    pub(in crate::estimator) anomalies: &'a [f64],
    pub(in crate::estimator) prior: ClassPrior,
    pub(in crate::estimator) calibration: Option<&'a Calibration>,
}

/// Scores rows of the user's, those of a group.
type Score<'a> = dyn Fn(Input, Group) -> Result<Vec<f64>> + 'a;

type Resolved = Result<(f64, ThresholdRule)>;

impl Threshold {
    /// The score and what it was set by.
    pub(in crate::estimator) fn resolve(self, known: Known, score: &Score) -> Resolved {
        match self {
            Self::Contamination => by_quantile(known, 1. - known.prior.get()),
            Self::Quantile(q) => by_quantile(known, q),
            Self::FalsePositiveRate { rate, normals } => {
                let scores = rated(rate, normals, Group::Normal, score)?;
                let tail = NormalTail::of_scores(&scores)?.named("normals");
                let normals = scores.len();
                let rule = ThresholdRule::FalsePositiveRate { rate, normals };
                Ok((tail.threshold(rate)?, rule))
            }
            Self::UnlabeledRate { rate, unlabeled } => {
                let scores = rated(rate, unlabeled, Group::Unlabeled, score)?;
                let tail = NormalTail::of_scores(&scores)?.named("unlabeled");
                let rows = scores.len();
                Ok((
                    tail.threshold(rate)?,
                    ThresholdRule::UnlabeledRate { rate, rows },
                ))
            }
            Self::CorrectedRate {
                rate,
                unlabeled,
                anomalies,
                prior,
                confidence,
            } => {
                let unlabeled = rated(rate, unlabeled, Group::Unlabeled, score)?;
                let anomalies = anomalies_of(anomalies, known, score)?;
                let prior = prior.unwrap_or(known.prior);
                corrected(rate, &unlabeled, &anomalies, prior, confidence)
            }
            Self::ReviewedRate { rate, reviewed } => reviewed_rate(rate, &reviewed),
            Self::Budget {
                alarms,
                volume,
                chance,
                unlabeled,
            } => {
                let budget = Budget { alarms, volume };
                // Before rows are scored for nothing.
                budget.rate()?;
                by_budget(budget, chance, &score(unlabeled, Group::Unlabeled)?)
            }
            Self::Cost {
                false_alarm,
                missed,
                unlabeled,
                anomalies,
            } => {
                let costs = Costs {
                    false_alarm,
                    missed,
                };
                costs.probability()?;
                by_cost(costs, unlabeled, anomalies, known, score)
            }
            Self::Value(value) if value.is_nan() => {
                Err(Error::config("threshold", "a number", value))
            }
            Self::Value(value) => Ok((value, ThresholdRule::Value)),
        }
    }
}

fn by_quantile(known: Known, quantile: f64) -> Resolved {
    if !(0. ..=1.).contains(&quantile) {
        return Err(Error::config("quantile", "in [0, 1]", quantile));
    }
    let rule = ThresholdRule::Quantile { quantile };
    Ok((at_quantile(known.unlabeled, quantile), rule))
}

/// The scores of rows for a rate, which is looked at before they are scored for nothing.
fn rated(rate: f64, rows: Input, group: Group, score: &Score) -> Result<Vec<f64>> {
    check_share("rate", rate)?;
    score(rows, group)
}

/// The scores of those given, or the validation part's.
fn anomalies_of(given: Option<Input>, known: Known, score: &Score) -> Result<Vec<f64>> {
    match given {
        Some(rows) => score(rows, Group::Anomalous),
        None if known.anomalies.is_empty() => Err(Error::EmptyGroup {
            what: "a threshold by the class prior and anomalies",
            group: "anomalous validation",
        }),
        None => Ok(known.anomalies.to_vec()),
    }
}

fn corrected(
    rate: f64,
    unlabeled: &[f64],
    anomalies: &[f64],
    prior: ClassPrior,
    confidence: Option<f64>,
) -> Resolved {
    let threshold = match confidence {
        Some(confidence) => corrected_threshold(unlabeled, anomalies, prior, rate, confidence)?,
        None => NormalTail::corrected(unlabeled, anomalies, prior)?.threshold(rate)?,
    };
    let rule = ThresholdRule::CorrectedRate {
        rate,
        rows: unlabeled.len(),
        anomalies: anomalies.len(),
        prior,
        confidence,
    };
    Ok((threshold, rule))
}

fn reviewed_rate(rate: f64, reviewed: &Reviewed) -> Resolved {
    let threshold = reviewed.threshold(rate)?;
    let rule = ThresholdRule::ReviewedRate {
        rate,
        rows: reviewed.rows(),
        reviewed: reviewed.reviewed(),
        confirmed: reviewed.confirmed(),
        more: reviewed.more(rate),
    };
    Ok((threshold, rule))
}

fn by_budget(budget: Budget, asked: Option<f64>, scores: &[f64]) -> Resolved {
    let found = budget.threshold(scores, asked)?;
    let Budget { alarms, volume } = budget;
    let rule = ThresholdRule::Budget {
        alarms,
        volume,
        asked,
        rows: scores.len(),
        rate: found.rate,
        chance: found.chance,
    };
    Ok((found.threshold, rule))
}

fn by_cost(
    costs: Costs,
    unlabeled: Option<Input>,
    anomalies: Option<Input>,
    known: Known,
    score: &Score,
) -> Resolved {
    let given = unlabeled.is_some() || anomalies.is_some();
    let anomalies = match (anomalies, known.anomalies) {
        (None, []) => return Err(Error::NotCalibrated),
        (anomalies, _) => anomalies_of(anomalies, known, score)?,
    };
    let unlabeled = match unlabeled {
        Some(rows) => score(rows, Group::Unlabeled)?,
        None => known.unlabeled.to_vec(),
    };
    let prior = known.prior;
    let own = known.calibration.filter(|_| !given).cloned();
    let fit = || Calibration::fit(CalibrationMethod::Auto, &unlabeled, &anomalies, prior);
    let calibration = own.map_or_else(fit, Ok)?;
    let threshold = calibration.score_at(costs.probability()?);
    let rule = ThresholdRule::Cost {
        false_alarm: costs.false_alarm,
        missed: costs.missed,
        rows: unlabeled.len(),
        anomalies: anomalies.len(),
        prior,
        cost: costs.expected(threshold, &unlabeled, &anomalies, prior)?,
    };
    Ok((threshold, rule))
}
