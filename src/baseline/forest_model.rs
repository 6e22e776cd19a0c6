use std::any::Any;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::isolation_tree::IsolationTree;
use super::{IsolationForest, IsolationForestConfig};
use crate::model::{Fitted, Learned, ModelSpec, ModelState, StoredModel, Task};
use crate::net::Architecture;
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
        if *network != Architecture::Auto {
            let rule = "auto for a model without a network";
            return Err(Error::config("network", rule, "explicit"));
        }
        match trainer.checkpoints() {
            Some(_) => Err(Error::NotResumable {
                what: "an isolation forest",
            }),
            None => Ok(()),
        }
    }

    fn fit(&self, task: Task<'_>) -> Result<Learned> {
        self.check_fit(task.network, task.trainer)?;
        let unlabeled = task.train.unlabeled();
        let xs = unlabeled.to_tensor()?.to_device(&Device::Cpu)?;
        let model = ForestModel {
            forest: IsolationForest::fit(&xs, self, task.trainer.config().seed)?,
            shape: unlabeled.sample_shape(),
        };
        Ok(Learned {
            model: Arc::new(model),
            history: FitHistory::without_epochs(),
        })
    }

    fn read(
        &self,
        stored: &mut StoredModel,
        sample_shape: &[usize],
        _: &Device,
    ) -> Result<Arc<dyn Fitted>> {
        let features: usize = sample_shape.iter().product();
        let samples = stored.content::<Content>()?.samples;
        let columns = Columns::take(stored)?;
        let forest = columns.forest(self, samples, features);
        let forest = forest.map_err(|e| stored.wrong(e))?;
        let shape = sample_shape.to_vec();
        Ok(Arc::new(ForestModel { forest, shape }))
    }
}

/// The nodes of all trees, one after the other, as a file has them.
struct Columns {
    /// Nodes of each tree.
    sizes: Vec<f64>,
    values: Vec<f64>,
    features: Vec<f64>,
    right: Vec<f64>,
}

impl Columns {
    fn take(stored: &mut StoredModel) -> Result<Self> {
        let mut column = |name| -> Result<Vec<f64>> {
            let column = stored.take(name, DType::F64)?;
            match column.rank() {
                1 => Ok(column.to_vec1()?),
                _ => Err(stored.wrong(Error::shape(name, "[nodes] or [trees]", &column))),
            }
        };
        Ok(Self {
            sizes: column(SIZES)?,
            values: column(VALUES)?,
            features: column(FEATURES)?,
            right: column(RIGHT)?,
        })
    }

    /// The forest, if it can have been grown with `config` on rows of so many features.
    fn forest(
        &self,
        config: &IsolationForestConfig,
        samples: usize,
        features: usize,
    ) -> Result<IsolationForest> {
        if !(1..=config.max_samples).contains(&samples) {
            let rule = "at least 1 and at most max_samples";
            return Err(Error::config("samples", rule, samples));
        }
        if self.sizes.len() != config.trees {
            let rule = "as many as the settings' trees";
            return Err(Error::config(SIZES, rule, self.sizes.len()));
        }
        let nodes = self.nodes()?;
        let mut rest = nodes.as_slice();
        let mut tree = |size: &f64| {
            let size = whole(SIZES, *size)? as usize;
            let rule = "the trees' shares of the nodes";
            let (own, others) = rest
                .split_at_checked(size)
                .ok_or_else(|| Error::config(SIZES, rule, size))?;
            rest = others;
            let tree = IsolationTree::from_nodes(own.iter().copied(), features);
            let rule = "trees whose nodes follow their parents";
            tree.ok_or_else(|| Error::config("nodes", rule, "others"))
        };
        let trees = self.sizes.iter().map(&mut tree).collect::<Result<_>>()?;
        match rest.len() {
            0 => Ok(IsolationForest {
                trees,
                samples,
                features,
            }),
            left => Err(Error::config(
                "nodes",
                "each of a tree",
                format!("{left} left over"),
            )),
        }
    }

    fn nodes(&self) -> Result<Vec<(f64, u32, u32)>> {
        for (right_name, column) in [(FEATURES, &self.features), (RIGHT, &self.right)] {
            let (left, right) = (self.values.len(), column.len());
            if left != right {
                let left_name = VALUES;
                return Err(Error::Length {
                    left_name,
                    right_name,
                    left,
                    right,
                });
            }
        }
        let columns = self.values.iter().zip(&self.features).zip(&self.right);
        let node = |((&value, &feature), &right)| {
            Ok((value, whole(FEATURES, feature)?, whole(RIGHT, right)?))
        };
        columns.map(node).collect()
    }
}

/// A number that is stored as f64 and must be an index.
fn whole(name: &'static str, value: f64) -> Result<u32> {
    let index = value as u32;
    match f64::from(index) == value {
        true => Ok(index),
        false => Err(Error::config(name, "whole and in [0, 2^32)", value)),
    }
}

const SIZES: &str = "sizes";
const VALUES: &str = "values";
const FEATURES: &str = "features";
const RIGHT: &str = "right";

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
        let trees = &self.forest.trees;
        let column = |value: fn((f64, u32, u32)) -> f64| {
            let all = trees.iter().flat_map(|tree| tree.nodes().map(value));
            let all: Vec<f64> = all.collect();
            let len = all.len();
            Tensor::from_vec(all, len, &Device::Cpu)
        };
        let sizes: Vec<f64> = trees.iter().map(|tree| tree.nodes().len() as f64).collect();
        let tensors = [
            (SIZES, Tensor::from_vec(sizes, trees.len(), &Device::Cpu)?),
            (VALUES, column(|node| node.0)?),
            (FEATURES, column(|node| f64::from(node.1))?),
            (RIGHT, column(|node| f64::from(node.2))?),
        ];
        let samples = self.forest.samples;
        Ok(ModelState {
            content: serde_json::json!(Content { samples }),
            tensors: tensors.map(|(name, tensor)| (name.into(), tensor)).into(),
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
