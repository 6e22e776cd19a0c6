use serde::{Deserialize, Serialize};

use super::budget::Cut;
use super::cells::{self, Cells};
use super::config::ReportConfig;
use super::curve::ScoreCurves;
use super::held_out::sorted;
use super::proportion::proportion;
use super::resample::{AtThreshold, Draws};
use super::{
    Budget, Estimate, HeldOut, KindRecall, KindScores, ReportDoubt, ReportSource, Support,
};
use super::{markdown, svg};
use crate::prior::PriorEstimate;
use crate::{Error, Result};

/// What to expect of a detector, from dirty data alone.
///
/// [The module](crate::report) has the formulas and what they take for granted.
///
/// ```
/// use puad::ClassPrior;
/// use puad::prior::PriorEstimate;
/// use puad::report::{HeldOut, Report, ReportConfig, ReportSource};
///
/// // 950 normals, 50 anomalies among them, and twenty that are labeled.
/// let normals = (0..950).map(|i| f64::from(i) / 950.);
/// let unlabeled: Vec<f64> = normals.chain((0..50).map(|i| 0.9 + f64::from(i) / 50.)).collect();
/// let anomalies: Vec<f64> = (0..20).map(|i| 0.9 + f64::from(i) / 20.).collect();
/// let scores = HeldOut {
///     source: ReportSource::Validation,
///     unlabeled: &unlabeled,
///     anomalies: &anomalies,
///     threshold: None,
/// };
/// let prior = |alpha| ClassPrior::new(alpha);
/// let prior = PriorEstimate {
///     alpha: prior(0.05)?,
///     low: prior(0.03)?,
///     high: prior(0.07)?,
///     level: 0.95,
///     doubts: vec![],
/// };
/// let config = ReportConfig { rates: vec![0.01, 0.045], ..ReportConfig::default() };
/// let report = Report::new(&scores, &prior, &config)?;
///
/// let at = &report.budgets[1];
/// assert!(at.precision.unwrap().value > 0.95); // of the highest 45 nearly all are anomalies
/// assert_eq!(at.recall.unwrap().value, 0.9);
/// assert!(report.auroc.unwrap().value > 0.99);
/// println!("{}", report.to_markdown());
/// assert!(report.to_svg().starts_with("<svg"));
/// let json = report.to_json();
/// assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// How it comes that the detector was not trained on the samples.
    pub source: ReportSource,
    /// Number of unlabeled samples.
    pub unlabeled: usize,
    /// Number of labeled anomalies.
    pub anomalies: usize,
    /// The share of anomalies among unlabeled samples that the estimates start from.
    pub prior: PriorEstimate,
    /// The share of intervals that are meant to hold the truth.
    pub level: f64,
    /// By alarm budget, in the order of [`ReportConfig::budgets`]; the detector's threshold, if given, comes last.
    pub budgets: Vec<AtBudget>,
    /// AUROC of labeled anomalies against unlabeled samples; at most `1 - alpha / 2` even of a perfect detector.
    pub auroc_unlabeled: Estimate,
    /// AUROC of labeled anomalies against normals; `None` where the class prior leaves no normals.
    pub auroc: Option<Estimate>,
    /// Average precision on data with as many anomalies as the unlabeled ones.
    pub average_precision: Estimate,
    /// Recall of kinds that training never saw, of [`with_kinds`](Self::with_kinds).
    pub kinds: Vec<KindRecall>,
    /// What speaks against believing it; empty where nothing does.
    pub doubts: Vec<ReportDoubt>,
    /// The densities of scores.
    pub curves: ScoreCurves,
}

/// What to expect where samples above a threshold are alarms. See [`Report`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtBudget {
    /// The budget.
    pub budget: Budget,
    /// What the held-out samples can say of it; without support the fields below are `None`.
    pub support: Support,
    /// Scores above it are alarms.
    pub threshold: Option<f64>,
    /// Held-out unlabeled samples above it.
    pub alarms: usize,
    /// The share of rows that are alarms. Ties may leave it far below the budget.
    pub alarm_rate: Option<Estimate>,
    /// The share of alarms that are anomalies of the labeled kinds.
    pub precision: Option<Estimate>,
    /// The share of anomalies of the labeled kinds that are alarms.
    pub recall: Option<Estimate>,
    /// The share of normals that are alarms.
    pub false_positive_rate: Option<Estimate>,
}

/// Labeled anomalies below which a report rests on few.
const FEW_ANOMALIES: usize = 20;

impl Report {
    /// Of held-out scores and a class prior: how many anomalies there are among the unlabeled samples. One that is
    /// known exactly has `low` and `high` equal to `alpha`.
    ///
    /// The same scores in any order give the same report, bit for bit, on any number of threads.
    ///
    /// # Errors
    /// - [`Error::EmptyGroup`] without unlabeled or without anomalous scores,
    /// - [`Error::NonFiniteValue`] for a score that is NaN or infinite,
    /// - [`Error::Config`] for a setting outside its range, a threshold that is NaN or infinite, or an interval of
    ///   the class prior that is none.
    pub fn new(scores: &HeldOut<'_>, prior: &PriorEstimate, config: &ReportConfig) -> Result<Self> {
        let mut budgets = config.budgets()?;
        if let Some(score) = scores.threshold {
            if !score.is_finite() {
                return Err(Error::config("threshold", "a finite number", score));
            }
            budgets.push(Budget::Threshold { score });
        }
        check_prior(prior)?;
        let unlabeled = sorted("unlabeled", "unlabeled scores", scores.unlabeled)?;
        let anomalies = sorted("anomalous", "anomaly scores", scores.anomalies)?;

        let cuts: Vec<Cut> = budgets.iter().map(|b| Cut::new(b, &unlabeled)).collect();
        let thresholds: Vec<f64> = cuts.iter().filter_map(|cut| cut.threshold).collect();
        let cells = Cells::new(&unlabeled, &anomalies, &thresholds);
        let mut draws = Draws::new(&cells, &thresholds, prior, (config.resamples, config.seed));

        let alpha = prior.alpha.get();
        let doubts = doubts(
            prior,
            &cells,
            &thresholds,
            &draws,
            config.level,
            anomalies.len(),
        );
        let mut at = std::mem::take(&mut draws.at).into_iter();
        let part = Part {
            cells: &cells,
            alpha,
            level: config.level,
        };
        let budgets = budgets.into_iter().zip(cuts).map(|(budget, cut)| {
            let draws = cut.threshold.and_then(|_| at.next());
            part.at_budget(budget, cut, draws)
        });
        Ok(Self {
            source: scores.source,
            unlabeled: unlabeled.len(),
            anomalies: anomalies.len(),
            prior: prior.clone(),
            level: config.level,
            budgets: budgets.collect(),
            auroc_unlabeled: part.auroc_unlabeled(draws.auroc_unlabeled),
            auroc: part.auroc(draws.auroc),
            average_precision: part.average_precision(draws.average_precision),
            kinds: vec![],
            doubts,
            curves: ScoreCurves::new(&unlabeled, &anomalies, alpha, &thresholds),
        })
    }

    /// With the recall of these kinds, each by a detector whose training never saw it, at the same budgets.
    ///
    /// # Errors
    /// As [`KindRecall::new`].
    pub fn with_kinds(mut self, kinds: &[KindScores<'_>]) -> Result<Self> {
        let budgets: Vec<Budget> = self.budgets.iter().map(|at| at.budget).collect();
        let recall = |scores| KindRecall::new(scores, &budgets, self.level);
        self.kinds = kinds.iter().map(recall).collect::<Result<_>>()?;
        Ok(self)
    }

    /// As JSON, which [`serde_json::from_str`] reads back.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("no map, no number that JSON lacks")
    }

    /// Tables and notes in Markdown.
    pub fn to_markdown(&self) -> String {
        markdown::of(self)
    }

    /// A picture, 800 wide, as the text of an SVG file: the densities of scores of unlabeled samples and of labeled
    /// anomalies, that of normals estimated from both, and the thresholds.
    pub fn to_svg(&self) -> String {
        svg::of(self)
    }
}

/// # Errors
/// [`Error::Config`] for an interval that is none.
fn check_prior(prior: &PriorEstimate) -> Result<()> {
    if prior.low > prior.high {
        let (low, high) = (prior.low.get(), prior.high.get());
        let value = format!("{low} to {high}");
        return Err(Error::config(
            "interval of the class prior",
            "in ascending order",
            value,
        ));
    }
    if prior.level > 0. && prior.level < 1. {
        return Ok(());
    }
    let rule = "strictly between 0 and 1";
    Err(Error::config(
        "level of the class prior's interval",
        rule,
        prior.level,
    ))
}

/// What the samples themselves say, beside the draws.
struct Part<'a> {
    cells: &'a Cells,
    alpha: f64,
    level: f64,
}

impl Part<'_> {
    fn at_budget(&self, budget: Budget, cut: Cut, draws: Option<AtThreshold>) -> AtBudget {
        let mut at = AtBudget {
            budget,
            support: cut.support,
            threshold: cut.threshold,
            alarms: cut.alarms,
            alarm_rate: None,
            precision: None,
            recall: None,
            false_positive_rate: None,
        };
        let (Some(threshold), Some(draws)) = (cut.threshold, draws) else {
            return at;
        };
        let count = |counts: &[usize]| {
            let above: usize = counts[self.cells.above(threshold)..].iter().sum();
            (above, counts.iter().sum::<usize>())
        };
        let (found, anomalies) = count(&self.cells.anomalies);
        let (flagged, unlabeled) = count(&self.cells.unlabeled);
        let shares = (
            found as f64 / anomalies as f64,
            flagged as f64 / unlabeled as f64,
        );
        at.alarm_rate = Some(proportion(flagged, unlabeled, self.level));
        at.recall = Some(proportion(found, anomalies, self.level));
        if flagged > 0 {
            let value = cells::ratio(self.alpha * shares.0, shares.1);
            let clipped = draws.precision.into_iter().map(|p| p.min(1.)).collect();
            at.precision = Some(Estimate::of_draws(value, clipped, self.level));
        }
        if self.alpha < 1. {
            let value = cells::false_positive_rate(shares, self.alpha);
            let rates = draws.false_positive_rate;
            at.false_positive_rate = Some(Estimate::of_draws(value, rates, self.level));
        }
        at
    }

    fn auroc_unlabeled(&self, draws: Vec<f64>) -> Estimate {
        Estimate::of_draws(self.cells.empirical().auroc(), draws, self.level)
    }

    fn auroc(&self, draws: Vec<f64>) -> Option<Estimate> {
        if self.alpha >= 1. {
            return None;
        }
        let value = cells::decontaminated(self.cells.empirical().auroc(), self.alpha);
        let draws = draws.into_iter().map(|auroc| auroc.clamp(0., 1.)).collect();
        Some(Estimate::of_draws(value.clamp(0., 1.), draws, self.level))
    }

    fn average_precision(&self, draws: Vec<f64>) -> Estimate {
        let masses = self.cells.empirical();
        let value = masses.average_precision(&self.cells.anomalies, self.alpha);
        Estimate::of_draws(value, draws, self.level)
    }
}

fn doubts(
    prior: &PriorEstimate,
    cells: &Cells,
    thresholds: &[f64],
    draws: &Draws,
    level: f64,
    anomalies: usize,
) -> Vec<ReportDoubt> {
    let mut doubts = vec![];
    if anomalies < FEW_ANOMALIES {
        doubts.push(ReportDoubt::FewAnomalies { anomalies });
    }
    if prior.low == prior.high {
        doubts.push(ReportDoubt::PriorTakenAsExact);
    }
    if let Some(largest) = largest_prior(cells, thresholds, draws, level) {
        let alpha = prior.alpha.get();
        doubts.push(ReportDoubt::PriorTooLarge { alpha, largest });
    }
    doubts.extend(prior.doubts.iter().cloned().map(ReportDoubt::Prior));
    doubts
}

/// The largest class prior that leaves no more anomalies above any threshold than there are samples, and an AUROC of 1
/// at most, where nearly all draws have more.
fn largest_prior(cells: &Cells, thresholds: &[f64], draws: &Draws, level: f64) -> Option<f64> {
    let beyond = |values: &[f64]| {
        let above = values.iter().filter(|value| **value > 1.).count();
        above as f64 > 0.5 * (1. + level) * values.len() as f64
    };
    let masses = cells.empirical();
    let at = thresholds
        .iter()
        .zip(&draws.at)
        .filter(|(_, at)| beyond(&at.precision));
    let at = at.map(|(&threshold, _)| {
        let (found, flagged) = masses.at_or_above(cells.above(threshold));
        cells::ratio(flagged, found)
    });
    let ranked = beyond(&draws.auroc).then(|| 2. * (1. - masses.auroc()));
    at.chain(ranked).min_by(f64::total_cmp)
}
