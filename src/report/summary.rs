use serde::{Deserialize, Serialize};

use super::budget::Cut;
use super::cells::Cells;
use super::config::ReportConfig;
use super::curve::ScoreCurves;
use super::held_out::sorted;
use super::measured::Measured;
use super::resample::{Draws, Scores};
use super::{
    AtBudget, Budget, Estimate, HeldOut, KindRecall, KindScores, ReportDoubt, ReportSource,
};
use super::{markdown, svg};
use crate::prior::PriorEstimate;
use crate::statistics::check_share;
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
    /// AUROC of labeled anomalies against normals; `None` where the class prior leaves no normals, or contradicts the
    /// scores: see [`ReportDoubt::PriorTooLarge`].
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
        let placed = match scores.source {
            ReportSource::Validation => Scores::Own,
            ReportSource::OutOfFold { .. } => Scores::Placed,
        };
        let random = (config.resamples, config.seed);
        let mut draws = Draws::new(&cells, &thresholds, prior, placed, random);

        let measured = Measured {
            cells: &cells,
            alpha: prior.alpha.get(),
            level: config.level,
            scores: placed,
        };
        let doubts = measured.doubts(prior, &thresholds, &draws);
        let mut at = std::mem::take(&mut draws.at).into_iter();
        let budgets = budgets.into_iter().zip(cuts).map(|(budget, cut)| {
            let draws = cut.threshold.and_then(|_| at.next());
            measured.at_budget(budget, cut, draws)
        });
        let mut budgets: Vec<AtBudget> = budgets.collect();
        at_most_as_of_lower(&mut budgets);
        Ok(Self {
            source: scores.source,
            unlabeled: unlabeled.len(),
            anomalies: anomalies.len(),
            prior: prior.clone(),
            level: config.level,
            budgets,
            auroc_unlabeled: measured.auroc_unlabeled(draws.auroc_unlabeled),
            auroc: measured.auroc(draws.auroc),
            average_precision: measured.average_precision(draws.average_precision),
            kinds: vec![],
            doubts,
            curves: ScoreCurves::new(&unlabeled, &anomalies, prior.alpha.get(), &thresholds),
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
/// A false-positive rate cannot be larger than that of a lower threshold: with few labels above a high one the difference
/// of counts would say so.
fn at_most_as_of_lower(budgets: &mut [AtBudget]) {
    let mut order: Vec<usize> = (0..budgets.len()).collect();
    let threshold = |at: &AtBudget| at.threshold.unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|&i, &j| threshold(&budgets[i]).total_cmp(&threshold(&budgets[j])));
    let mut least = 1f64;
    for i in order {
        if let Some(rate) = &mut budgets[i].false_positive_rate {
            least = least.min(rate.value);
            rate.value = least;
            rate.low = rate.low.min(least);
        }
    }
}

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
    check_share("level of the class prior's interval", prior.level)
}
