use serde::{Deserialize, Serialize};

use super::folds::check_folds;
use super::{Prior, Scaling};
use crate::Result;
use crate::encoding::EncodingConfig;
use crate::method::Method;
use crate::net::Architecture;
use crate::statistics::check_share;
use crate::train::TrainConfig;

/// The settings of an [`Estimator`](super::Estimator).
///
/// ```
/// use puad::ClassPrior;
/// use puad::estimator::FitConfig;
/// use puad::method::Method;
/// use puad::train::TrainConfig;
///
/// let config = FitConfig {
///     method: Some(Method::PUAE),
///     prior: ClassPrior::new(0.02)?.into(),
///     train: TrainConfig { epochs: 50, seed: 7, ..TrainConfig::default() },
///     ..FitConfig::default()
/// };
/// let text = serde_json::to_string(&config).unwrap();
/// assert_eq!(serde_json::from_str::<FitConfig>(&text).unwrap(), config);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FitConfig {
    /// What is fitted, with its own settings. `None`, as [`Method::Auto`]: what suits the data, see
    /// [`Method::for_samples`].
    pub method: Option<Method>,
    /// `alpha`, the share of anomalies among the unlabeled samples, which threshold and probabilities follow.
    /// Default: estimated, and trained with if it is larger than the paper's 0.1; [`Method::Auto`] on vectors trains
    /// with 0.1 whatever it is. Positive-unlabeled
    /// objectives train with at least
    /// [`ObjectiveSpec::least_prior`](crate::objective::ObjectiveSpec::least_prior), 0.05, whatever is given.
    pub prior: Prior,
    /// Parts that the data are cut into, >= 2, for scores of all labeled anomalies by detectors that were fitted
    /// without them: [`FittedDetector::report`](crate::FittedDetector::report) then rests on all labeled anomalies, at the
    /// cost of as many fits more. Default: none, and it rests on the validation part's.
    pub folds: Option<usize>,
    /// Which network.
    pub network: Architecture,
    /// How the columns of a table become numbers, for [`Estimator::fit_table`](super::Estimator::fit_table).
    pub encoding: EncodingConfig,
    /// How samples are scaled.
    pub scaling: Scaling,
    /// Share of each group held out for early stopping, threshold and calibration, in (0, 1).
    /// Default: 0.2.
    pub validation_fraction: f64,
    /// Training. Its seed is the seed of everything: split, initial weights, shuffling, noise.
    /// Defaults: at most 200 epochs a phase, 20 without improvement, stratified batches of 128, learning
    /// rate 1e-3, weight decay 1e-4.
    pub train: TrainConfig,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            method: None,
            prior: Prior::default(),
            folds: None,
            network: Architecture::Auto,
            encoding: EncodingConfig::default(),
            scaling: Scaling::Auto,
            validation_fraction: 0.2,
            train: TrainConfig::default(),
        }
    }
}

impl FitConfig {
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        self.method.as_ref().map_or(Ok(()), Method::check)?;
        self.prior.check()?;
        self.folds.map_or(Ok(()), check_folds)?;
        self.encoding.check()?;
        if let Architecture::Explicit(network) = &self.network {
            network.check()?;
        }
        check_share("validation_fraction", self.validation_fraction)?;
        self.train.check()
    }

    /// The method for samples of this shape, with labeled anomalies or without. A class prior that is given is what all
    /// members of [`Method::Auto`] train with.
    pub fn method_for(&self, sample_shape: &[usize], labeled: bool) -> Method {
        match (&self.method, &self.prior) {
            (Some(method), _) if *method != Method::Auto => method.clone(),
            (_, Prior::Given(_)) => Method::for_samples(sample_shape, labeled).with_one_prior(),
            _ => Method::for_samples(sample_shape, labeled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{AdamConfig, WeightDecay};
    use serde_json::json;

    #[test]
    fn what_is_not_said_keeps_its_default() {
        let config = FitConfig {
            train: TrainConfig {
                adam: AdamConfig {
                    beta1: 0.8,
                    ..AdamConfig::default()
                },
                ..TrainConfig::default()
            },
            ..FitConfig::default()
        };
        let mut expected = FitConfig::default();
        expected.train.adam.beta1 = 0.8;
        assert_eq!(config, expected);
        let read = |json| serde_json::from_value::<FitConfig>(json);
        let mut expected = FitConfig::default();
        expected.train.epochs = 30;
        assert_eq!(read(json!({"train": {"epochs": 30}})).unwrap(), expected);
        expected.train.adam.weight_decay = WeightDecay::Decoupled(0.01);
        let adam = json!({"weight_decay": {"decoupled": 0.01}});
        let told = json!({"train": {"epochs": 30, "adam": adam}});
        assert_eq!(read(told).unwrap(), expected);
        expected.train.patience = None;
        assert_eq!(read(json!(expected)).unwrap(), expected);
        for wrong in [
            json!({"epoch": 30}),
            json!({"adam": {"rate": 1.}}),
            json!({"adam": 1}),
            json!(30),
        ] {
            assert!(read(json!({ "train": wrong })).is_err(), "{wrong}");
        }
    }
}
