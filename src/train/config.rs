use serde::{Deserialize, Serialize};

use super::Selection;
use crate::optim::AdamConfig;
use crate::{Error, Result};

/// How mini-batches are made of the groups.
///
/// ```
/// use puad::train::{Batching, TrainConfig};
///
/// // With few labeled anomalies, let no batch go without.
/// let config = TrainConfig { batching: Batching::Stratified, ..Default::default() };
/// config.check()?;
/// assert_eq!(TrainConfig::paper().batching, Batching::Pooled);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Batching {
    /// All groups are shuffled together, as in the published experiments: with the paper's training
    /// set about 6 of 128 samples are labeled, sometimes none.
    Pooled,
    /// Every batch gets its share of every group, drawn with replacement where a group has fewer
    /// samples than there are batches.
    #[default]
    Stratified,
}

/// The hyperparameters of a [`Trainer`](super::Trainer). The defaults are those of a
/// [`FitConfig`](crate::FitConfig) too; [`paper`](Self::paper) has the published experiments'.
///
/// ```
/// use puad::Error;
/// use puad::train::TrainConfig;
///
/// let config = TrainConfig { epochs: 50, patience: Some(10), ..Default::default() };
/// config.check()?;
/// assert_eq!((config.batch_size, config.adam.learning_rate), (128, 1e-3));
/// assert_eq!(TrainConfig::paper().adam.learning_rate, 1e-4);
///
/// let config = TrainConfig { batch_size: 1, ..config };
/// assert!(matches!(config.check(), Err(Error::Config { name: "batch_size", .. })));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// The most epochs, >= 1. Default: 200, as in the paper.
    pub epochs: usize,
    /// Samples per mini-batch, >= 2 (batch norm needs two). Default: 128, as in the paper.
    pub batch_size: usize,
    /// The optimiser.
    pub adam: AdamConfig,
    /// Epochs without a better one after which training stops, >= 1; `None` runs all epochs, as the paper
    /// does. Default: 20.
    pub patience: Option<usize>,
    /// How mini-batches are made. Default: stratified; the paper pools.
    pub batching: Batching,
    /// Which epoch is kept. Default: that of the lowest risk, as in the paper.
    pub selection: Selection,
    /// Seed of the shuffling and the noise.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 200,
            batch_size: 128,
            adam: AdamConfig::default(),
            patience: Some(20),
            batching: Batching::Stratified,
            selection: Selection::Risk,
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// Section 5.3 of the paper: 200 epochs to the end, pooled batches of 128, [`AdamConfig::paper`].
    pub fn paper() -> Self {
        Self {
            patience: None,
            batching: Batching::Pooled,
            adam: AdamConfig::paper(),
            ..Self::default()
        }
    }

    /// Checks every value against its range.
    ///
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::config("epochs", "at least 1", self.epochs));
        }
        if self.batch_size < 2 {
            return Err(Error::config("batch_size", "at least 2", self.batch_size));
        }
        if self.patience == Some(0) {
            return Err(Error::config("patience", "at least 1", 0));
        }
        self.adam.check()
    }
}
