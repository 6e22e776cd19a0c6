use super::FittedDetector;
use crate::ClassPrior;
use crate::Result;
use crate::estimator::Warning;
use crate::prior::PriorEstimate;
use crate::report::{HeldOut, Report, ReportConfig, ReportSource};

/// Ends of what an assumed class prior may be.
const NONE: f64 = 0.;
const HALF: f64 = 0.5;

impl FittedDetector {
    /// What to expect of the detector: estimated precision, recall and false-positive rate by alarm budget, AUROC and
    /// average precision against normals, each with an interval, without a labeled normal.
    ///
    /// It rests on the unlabeled scores of the validation part; on those of its labeled anomalies, or, where
    /// [`FitConfig::folds`](crate::FitConfig::folds) asked for them, of all labeled anomalies by detectors that were
    /// fitted without them; and on the class prior that decisions
    /// follow, over its interval where it was estimated. See [`report`](crate::report) for formulas and limits.
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::report::ReportConfig;
    /// use puad::{Estimator, FitConfig};
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
    /// let mut config = FitConfig { folds: Some(5), ..FitConfig::default() };
    /// # config.train.epochs = 20;
    /// let detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
    /// let report = detector.report(&ReportConfig { daily_rows: Some(10_000.), ..ReportConfig::default() })?;
    /// println!("{}", report.to_markdown());
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyGroup`](crate::Error::EmptyGroup) for a detector fitted without labeled anomalies; else as
    /// [`Report::new`].
    pub fn report(&self, config: &ReportConfig) -> Result<Report> {
        let validation = &self.decision.validation;
        let (source, anomalies) = match &self.decision.out_of_fold {
            Some(kept) => (
                ReportSource::OutOfFold { folds: kept.folds },
                &kept.anomalies,
            ),
            None => (ReportSource::Validation, &validation.anomalies),
        };
        let threshold = Some(self.threshold()).filter(|threshold| threshold.is_finite());
        let held_out = HeldOut {
            source,
            unlabeled: &validation.unlabeled,
            anomalies,
            threshold,
        };
        Report::new(&held_out, &self.believed(config.level)?, config)
    }

    /// The class prior that decisions follow, with the interval of the estimate that holds it. One that was assumed for
    /// lack of an estimate may be anything up to a half.
    pub(super) fn believed(&self, level: f64) -> Result<PriorEstimate> {
        let alpha = self.decision.prior;
        let exact = PriorEstimate::exact(alpha, level);
        let estimate = self.decision.estimate.as_ref();
        let assumed = self
            .warnings
            .iter()
            .any(|warning| matches!(warning, Warning::PriorAssumed { .. }));
        Ok(match estimate {
            Some(estimate) if assumed || (estimate.low <= alpha && alpha <= estimate.high) => {
                let low = if alpha < estimate.low {
                    alpha
                } else {
                    estimate.low
                };
                PriorEstimate {
                    alpha,
                    low,
                    ..estimate.clone()
                }
            }
            None if assumed => PriorEstimate {
                low: ClassPrior::new(NONE)?,
                high: ClassPrior::new(HALF)?,
                ..exact
            },
            _ => exact,
        })
    }
}
