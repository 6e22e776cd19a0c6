use std::any::Any;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::check_fit;
use super::columns::Columns;
use super::{IsolationForest, IsolationForestConfig};
use crate::model::{Fitted, Learned, ModelSpec, ModelState, StoredModel, Task};
use crate::net::Architecture;
use crate::rng::{Purpose, substream};
use crate::spec::Specification;
use crate::train::{FitHistory, Trainer};
use crate::{Error, Result};

/// By name: `isolation-forest`. It sees the unlabeled samples alone, and is grown on the CPU whatever the
/// device of the fit; it has no network, and nothing to go on from between two epochs.
impl Specification for IsolationForestConfig {
    const NAME: &'static str = "isolation-forest";

    fn check(&self) -> Result<()> {
        // The inherent one.
        IsolationForestConfig::check(self)
    }
}

impl ModelSpec for IsolationForestConfig {
    fn check_fit(&self, network: &Architecture, trainer: &Trainer) -> Result<()> {
        check_fit("an isolation forest", network, trainer)
    }

    fn fit(&self, task: Task<'_>) -> Result<Learned> {
        self.check_fit(task.network, task.trainer)?;
        let unlabeled = task.train.unlabeled();
        let seed = task.trainer.config().seed;
        let mut rng = substream(seed, Purpose::Stored, 0);
        // A tree sees few, and all of them together no more than these.
        let most = self.trees.saturating_mul(self.max_samples);
        let seen = unlabeled.drawn(most, &mut rng)?;
        let xs = seen.to_tensor()?.to_device(&Device::Cpu)?;
        let model = ForestModel {
            forest: IsolationForest::fit(&xs, self, seed)?,
            shape: unlabeled.sample_shape(),
        };
        Ok(Learned::new(Arc::new(model), FitHistory::without_epochs()))
    }

    /// Of so many of them as its trees see at most, drawn at random.
    fn takes_stored(&self) -> bool {
        true
    }

    fn read(
        &self,
        stored: &mut StoredModel,
        sample_shape: &[usize],
        _: &Device,
    ) -> Result<Arc<dyn Fitted>> {
        let features: usize = sample_shape.iter().product();
        let samples = stored.content::<Content>()?.samples;
        check_samples(self, samples).map_err(|e| stored.wrong(e))?;
        let trees = Columns::take(stored)?.trees(self.trees, features);
        let forest = IsolationForest {
            trees: trees.map_err(|e| stored.wrong(e))?,
            samples,
            features,
        };
        let shape = sample_shape.to_vec();
        Ok(Arc::new(ForestModel { forest, shape }))
    }
}

/// Whether a forest of these settings can have seen so many rows a tree.
fn check_samples(config: &IsolationForestConfig, samples: usize) -> Result<()> {
    if (1..=config.max_samples).contains(&samples) {
        return Ok(());
    }
    let rule = "at least 1 and at most max_samples";
    Err(Error::config("samples", rule, samples))
}

/// What of a forest is no node.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// Rows that each tree saw.
    samples: usize,
}

/// A forest on samples of one shape.
#[derive(Clone, Debug)]
pub(super) struct ForestModel {
    forest: IsolationForest,
    shape: Vec<usize>,
}

impl Fitted for ForestModel {
    fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        self.forest.scores::<f32>(xs)
    }

    fn sample_shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn state(&self) -> Result<ModelState> {
        let samples = self.forest.samples;
        Ok(ModelState {
            content: serde_json::json!(Content { samples }),
            tensors: Columns::of(&self.forest.trees).tensors()?,
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_a_tree_are_at_most_the_settings() {
        let config = IsolationForestConfig {
            trees: 2,
            max_samples: 8,
        };
        assert!(check_samples(&config, 1).is_ok() && check_samples(&config, 8).is_ok());
        for samples in [0, 9, usize::MAX] {
            let error = check_samples(&config, samples).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Config {
                        name: "samples",
                        ..
                    }
                ),
                "{error}"
            );
        }
    }
}
