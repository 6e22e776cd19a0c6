use super::FittedDetector;
use crate::Result;
use crate::prior::PriorEstimate;
use crate::report::{HeldOut, Report, ReportConfig, ReportSource};

impl FittedDetector {
    /// What to expect of the detector: estimated precision, recall and false-positive rate by alarm budget, AUROC and
    /// average precision against normals, each with an interval, without a labeled normal.
    ///
    /// It rests on the scores of the validation part, or, where [`FitConfig::folds`](crate::FitConfig::folds) asked
    /// for them, of all samples by detectors that were fitted without them; and on the class prior that decisions
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
        let (source, scores) = match &self.decision.out_of_fold {
            Some(kept) => (ReportSource::OutOfFold { folds: kept.folds }, &kept.scores),
            None => (ReportSource::Validation, &self.decision.validation),
        };
        let held_out = HeldOut {
            source,
            unlabeled: &scores.unlabeled,
            anomalies: &scores.anomalies,
            threshold: Some(self.threshold()),
        };
        Report::new(&held_out, &self.believed(config.level), config)
    }

    /// The class prior that decisions follow, with its interval where it is the estimate.
    fn believed(&self, level: f64) -> PriorEstimate {
        let alpha = self.decision.prior;
        let estimate = self.decision.estimate.as_ref();
        match estimate.filter(|estimate| estimate.alpha == alpha) {
            Some(estimate) => estimate.clone(),
            None => PriorEstimate {
                alpha,
                low: alpha,
                high: alpha,
                level,
                doubts: vec![],
            },
        }
    }
}
