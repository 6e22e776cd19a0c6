use std::any::Any;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::isolation_tree::IsolationTree;
use super::{IsolationForest, IsolationForestConfig};
use crate::checkpoint::{ModelState, StoredModel};
use crate::model::{Fitted, Learned, ModelSpec, Task};
use crate::net::Architecture;
use crate::spec::Specification;
use crate::train::FitHistory;
use crate::{Error, Result};

/// By name: `isolation-forest`. It sees the unlabeled samples alone.
impl Specification for IsolationForestConfig {
    const NAME: &'static str = "isolation-forest";

    fn check(&self) -> Result<()> {
        // The inherent one.
        IsolationForestConfig::check(self)
    }
}

impl ModelSpec for IsolationForestConfig {
    fn fit(&self, task: Task<'_>) -> Result<Learned> {
        if *task.network != Architecture::Auto {
            let rule = "auto for a model without a network";
            return Err(Error::config("network", rule, "explicit"));
        }
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
        let Content { samples } = stored.content()?;
        let features: usize = sample_shape.iter().product();
        let mut column = |name| -> Result<Vec<f64>> {
            Ok(stored.take(name, DType::F64)?.flatten_all()?.to_vec1()?)
        };
        let (sizes, values) = (column(SIZES)?, column(VALUES)?);
        let (split, right) = (column(FEATURES)?, column(RIGHT)?);
        let columns = values.into_iter().zip(split).zip(right);
        let mut nodes = columns.map(|((value, split), right)| (value, split as u32, right as u32));
        let tree =
            |size: f64| IsolationTree::from_nodes(nodes.by_ref().take(size as usize), features);
        let trees: Option<Vec<_>> = sizes.into_iter().map(tree).collect();
        let whole = |trees: &Vec<_>| samples > 0 && !trees.is_empty() && nodes.next().is_none();
        let Some(trees) = trees.filter(whole) else {
            let rule = "trees whose nodes follow their parents";
            return Err(stored.wrong(Error::config("nodes", rule, "others")));
        };
        let forest = IsolationForest {
            trees,
            samples,
            features,
        };
        let shape = sample_shape.to_vec();
        Ok(Arc::new(ForestModel { forest, shape }))
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
