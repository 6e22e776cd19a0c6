//! What the samples say, with what the draws leave open.

use super::budget::Cut;
use super::cells::{self, Cells};
use super::proportion::proportion;
use super::resample::{AtThreshold, Draws, Scores};
use super::{AtBudget, Budget, Estimate, ReportDoubt, Support};
use crate::prior::{FEW_ANOMALIES, PriorDoubt, PriorEstimate};

/// What the samples themselves say.
pub(super) struct Measured<'a> {
    pub(super) cells: &'a Cells,
    pub(super) alpha: f64,
    pub(super) level: f64,
    pub(super) scores: Scores,
}

impl Measured<'_> {
    /// `draws` go with the threshold of `cut`.
    pub(super) fn at_budget(
        &self,
        budget: Budget,
        cut: Cut,
        draws: Option<AtThreshold>,
    ) -> AtBudget {
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
        let [(found, anomalies), (flagged, unlabeled)] =
            [&self.cells.anomalies, &self.cells.unlabeled].map(|counts| {
                let above: usize = counts[self.cells.above(threshold)..].iter().sum();
                (above, counts.iter().sum::<usize>())
            });
        at.alarm_rate = Some(proportion(flagged, unlabeled, self.level));
        let counted = proportion(found, anomalies, self.level);
        let drawn = Estimate::of_draws(counted.value, draws.recall, self.level);
        at.recall = Some(match self.scores {
            Scores::Own => counted,
            Scores::Placed => counted.hull(drawn),
        });
        if self.contradicts(&draws.precision) {
            at.support = Support::Contradicted;
            return at;
        }
        let shares = (
            found as f64 / anomalies as f64,
            flagged as f64 / unlabeled as f64,
        );
        if flagged > 0 && found == 0 {
            at.support = Support::NoLabel;
        } else if flagged > 0 {
            // Of all anomalies it is 1, or a rounding more.
            let value = cells::ratio(self.alpha * shares.0, shares.1).min(1.);
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

    pub(super) fn auroc_unlabeled(&self, draws: Vec<f64>) -> Estimate {
        Estimate::of_draws(self.cells.empirical().auroc(), draws, self.level)
    }

    pub(super) fn auroc(&self, draws: Vec<f64>) -> Option<Estimate> {
        if self.alpha >= 1. || self.contradicts(&draws) {
            return None;
        }
        let value = cells::decontaminated(self.cells.empirical().auroc(), self.alpha);
        let draws = draws.into_iter().map(|auroc| auroc.clamp(0., 1.)).collect();
        Some(Estimate::of_draws(value.clamp(0., 1.), draws, self.level))
    }

    pub(super) fn average_precision(&self, draws: Vec<f64>) -> Estimate {
        let masses = self.cells.empirical();
        let value = masses.average_precision(&self.cells.anomalies, self.alpha);
        Estimate::of_draws(value, draws, self.level)
    }

    pub(super) fn doubts(
        &self,
        prior: &PriorEstimate,
        thresholds: &[f64],
        draws: &Draws,
    ) -> Vec<ReportDoubt> {
        let mut doubts = vec![];
        let anomalies: usize = self.cells.anomalies.iter().sum();
        if anomalies < FEW_ANOMALIES {
            doubts.push(ReportDoubt::FewAnomalies { anomalies });
        }
        if prior.low == prior.high {
            doubts.push(ReportDoubt::PriorTakenAsExact);
        }
        if let Some(largest) = self.largest_prior(thresholds, draws) {
            let alpha = self.alpha;
            doubts.push(ReportDoubt::PriorTooLarge { alpha, largest });
        }
        // Few anomalies are told once.
        let told = |doubt: &&PriorDoubt| {
            anomalies < FEW_ANOMALIES && matches!(doubt, PriorDoubt::FewAnomalies { .. })
        };
        let others = prior.doubts.iter().filter(|doubt| !told(doubt));
        doubts.extend(others.cloned().map(ReportDoubt::Prior));
        doubts
    }

    /// The largest class prior that leaves no more anomalies above any threshold than there are samples, and an AUROC
    /// of 1 at most; `None` where the prior is no larger, but for chance.
    fn largest_prior(&self, thresholds: &[f64], draws: &Draws) -> Option<f64> {
        let masses = self.cells.empirical();
        let at = thresholds.iter().zip(&draws.at);
        let at = at
            .filter(|(_, at)| self.contradicts(&at.precision))
            .map(|(&threshold, _)| {
                let (found, flagged) = masses.at_or_above(self.cells.above(threshold));
                cells::ratio(flagged, found)
            });
        let ranked = self
            .contradicts(&draws.auroc)
            .then(|| 2. * (1. - masses.auroc()));
        at.chain(ranked).min_by(f64::total_cmp)
    }

    /// Whether the interval of draws of a share lies above 1 altogether.
    fn contradicts(&self, draws: &[f64]) -> bool {
        let above = draws.iter().filter(|draw| **draw > 1.).count();
        above as f64 > 0.5 * (1. + self.level) * draws.len() as f64
    }
}
