use std::fmt;

use super::FittedDetector;
use super::guarantee::rows_of;
use crate::data::table::Group;
use crate::drift::{Drift, DriftTest, FEW, Rate, Verdict};
use crate::estimator::{Detections, Input, IntoInput, Warning};
use crate::prior::{PriorData, PriorEstimate, PriorEstimator};
use crate::{Error, Result};

/// What [`FittedDetector::watch`] saw in a window of new data.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// Rows of the window, >= 1.
    pub rows: usize,
    /// The share of them above the threshold.
    pub alarms: Rate,
    /// That of the kept scores: what it was set to.
    pub kept_alarms: Rate,
    /// The window's class prior; `None` if the fit had no labeled anomalies. Not to be believed where the normals have
    /// shifted, unless an estimator other than the detector's own probabilities gave it.
    pub prior: Option<PriorEstimate>,
    /// Whether scores are those of the fit, and what changed.
    pub drift: Drift,
    /// What was noticed of the samples.
    pub warnings: Vec<Warning>,
}

impl Watched {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        self.drift.verdict
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, p) = (self.rows, self.drift.p_value);
        write!(f, "{} (p = {p:.3}", self.drift.verdict)?;
        if let Some(p) = self.drift.normals_p_value {
            write!(f, "; but for the share of anomalies {p:.3}")?;
        }
        let s = if rows == 1 { "" } else { "s" };
        write!(f, "; {rows} row{s}")?;
        if rows < FEW {
            write!(f, ", too few to show much")?;
        }
        write!(f, ")")?;
        write!(
            f,
            ", alarms {}, of the fit {}",
            self.alarms, self.kept_alarms
        )?;
        match &self.prior {
            Some(prior) => write!(f, ", alpha {prior}"),
            None => Ok(()),
        }
    }
}

impl FittedDetector {
    /// Compares new unlabeled data with the held-out data of the fit, or of the last
    /// [`recalibrate`](Self::recalibrate): the rate of alarms, the class prior, and whether the scores are still
    /// exchangeable with the kept ones ([`validation_scores`](Self::validation_scores)), with a [`Verdict`] whose error
    /// rate is the `test`'s.
    ///
    /// The class prior is that of the highest likelihood by the detector's own probabilities, as long as nothing but the
    /// share of anomalies changed ([`shifted_prior`](crate::drift::shifted_prior)), its interval widened by what the
    /// calibration and its class prior leave open; [`watch_with`](Self::watch_with) takes an estimator that does
    /// without that assumption.
    ///
    /// Of a table with labels its unlabeled rows are the window: labeled ones are no part of a random sample.
    ///
    /// Kept scores are of rows that no training saw, but that its epoch was chosen by: they lie lower than new ones by a
    /// hair, which windows of many thousand rows may show. Where that matters, recalibrate on rows that the fit did not
    /// have first.
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::drift::{DriftTest, Verdict};
    /// use puad::{Estimator, FitConfig};
    ///
    /// let points = |anomalies: usize, seed| {
    ///     let config = ToyConfig { unlabeled_anomalies: anomalies, ..ToyConfig::default() };
    ///     let toy = toy::generate(&config, seed)?;
    ///     Ok::<_, puad::Error>(([toy.normals, toy.unlabeled_anomalies].concat(), toy.labeled_anomalies))
    /// };
    /// let (unlabeled, labeled) = points(80, 0)?;
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 40;
    /// let detector = Estimator::new(config).fit(&unlabeled, &labeled)?;
    ///
    /// let today = detector.watch(&points(300, 2)?.0, &DriftTest::default())?;
    /// assert_eq!(today.verdict(), Verdict::MoreAnomalies);
    /// println!("{today}"); // more anomalies (p = 0.002; ...; 1200 rows), alarms 26.00% ..., of the fit ..., alpha ...
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`detect`](Self::detect) and [`DriftTest::compare`]; [`Error::EmptyGroup`] for a window without rows.
    pub fn watch(&self, window: impl IntoInput, test: &DriftTest) -> Result<Watched> {
        let found = self.of_window(window)?;
        let is_calibrated = self.calibration().is_some();
        let prior = is_calibrated.then(|| self.shifted(&found.scores));
        self.compare(&found.scores, prior.transpose()?, test, found.warnings)
    }

    /// As [`watch`](Self::watch), with the class prior by `estimator` from the window's scores and the kept ones of
    /// labeled anomalies.
    ///
    /// # Errors
    /// As there and as the estimator's; [`Error::NotCalibrated`] if the fit had no labeled anomalies.
    pub fn watch_with(
        &self,
        window: impl IntoInput,
        test: &DriftTest,
        estimator: &dyn PriorEstimator,
    ) -> Result<Watched> {
        let found = self.of_window(window)?;
        let prior = self.estimate(&found.scores, estimator, test.seed)?;
        self.compare(&found.scores, Some(prior), test, found.warnings)
    }

    /// The class prior of scores, by the kept ones of labeled anomalies.
    pub(super) fn estimate(
        &self,
        scores: &[f64],
        estimator: &dyn PriorEstimator,
        seed: u64,
    ) -> Result<PriorEstimate> {
        let anomalies = self.kept_anomalies().to_vec();
        if anomalies.is_empty() {
            return Err(Error::NotCalibrated);
        }
        estimator.estimate(&PriorData::of_scores(scores.to_vec(), anomalies)?, seed)
    }

    /// What there is to say of its rows, of which there must be one: of a table with labels, of its unlabeled ones.
    fn of_window(&self, window: impl IntoInput) -> Result<Detections> {
        let window = window.into_input()?;
        let window = match (&window, rows_of(&window, Group::Unlabeled)?) {
            (Input::Table(table), Some(rows)) => Input::Table(table.select(&rows)),
            _ => window,
        };
        let found = self.detect(window)?;
        if found.scores.is_empty() {
            let (what, group) = ("a window to watch", "unlabeled");
            return Err(Error::EmptyGroup { what, group });
        }
        Ok(found)
    }

    /// The scores of as many labeled anomalies as there are by a detector that did not see them.
    fn kept_anomalies(&self) -> &[f64] {
        match &self.decision.out_of_fold {
            Some(kept) => &kept.anomalies,
            None => &self.decision.validation.anomalies,
        }
    }

    fn compare(
        &self,
        scores: &[f64],
        prior: Option<PriorEstimate>,
        test: &DriftTest,
        warnings: Vec<Warning>,
    ) -> Result<Watched> {
        let kept = &self.decision.validation;
        let rate = |scores: &[f64]| {
            let flags = self.decision.of_scores(scores);
            Rate::of(flags.iter().filter(|flag| **flag).count(), scores.len())
        };
        Ok(Watched {
            rows: scores.len(),
            alarms: rate(scores)?,
            kept_alarms: rate(&kept.unlabeled)?,
            prior,
            drift: test.compare(&kept.unlabeled, self.kept_anomalies(), scores)?,
            warnings,
        })
    }
}
