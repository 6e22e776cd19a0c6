use super::Estimator;
use crate::Result;
use crate::data::PuDataset;
use crate::estimator::{Prior, PriorEstimation};
use crate::prior::{PriorData, PriorEstimate};

impl Estimator<'_> {
    /// The class prior of the data without a fit of the method: what
    /// [`fit_dataset`](Self::fit_dataset) would estimate, by the configuration's
    /// [`Prior::Estimated`], or by its defaults where a class prior is given.
    ///
    /// # Errors
    /// As [`prior_scores`](Self::prior_scores) and the estimator.
    pub fn estimate_prior(self, data: &PuDataset) -> Result<PriorEstimate> {
        let (settings, seed) = (self.estimation(), self.config.train.seed);
        settings.read_off(&self.prior_scores(data)?, seed)
    }

    /// Scores of all samples by a classifier of labeled anomalies that was fitted without them: what any
    /// [`PriorEstimator`](crate::prior::PriorEstimator) of scores reads a class prior off.
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::prior::{Dedpul, PriorEstimator};
    /// use puad::{Estimator, FitConfig};
    /// # use puad::candle_core::Device;
    ///
    /// // 80 anomalies among 980.
    /// let data = toy::generate(&ToyConfig::default(), 0)?.dataset(&Device::Cpu)?;
    /// let scores = Estimator::new(FitConfig::default()).prior_scores(&data)?;
    /// for estimator in [&Dedpul::default() as &dyn PriorEstimator] {
    ///     println!("{}: {}", estimator.name(), estimator.estimate(&scores, 0)?);
    /// }
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooFewSamples`](crate::Error::TooFewSamples) for fewer than two labeled anomalies in the training
    /// part; else as [`fit_dataset`](Self::fit_dataset) of the classifier.
    pub fn prior_scores(self, data: &PuDataset) -> Result<PriorData> {
        let settings = self.estimation();
        let (mut settled, run) = self.settle(data, vec![])?;
        let (train, validation) = settled.split(data)?;
        let prepared = settled.prepare(&train, &validation)?;
        prepared.prior_scores(&settings, &run.device)
    }

    fn estimation(&self) -> PriorEstimation {
        match &self.config.prior {
            Prior::Estimated(settings) => settings.clone(),
            Prior::Given(_) => PriorEstimation::default(),
        }
    }
}
