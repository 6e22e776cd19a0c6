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
    if f64::from(index) == value {
        Ok(index)
    } else {
        Err(Error::config(name, "whole and in [0, 2^32)", value))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Two trees, of one split and of none.
    fn columns() -> Columns {
        Columns {
            sizes: vec![3., 1.],
            values: vec![0.5, 1., 2., 0.],
            features: vec![1., 0., 0., 0.],
            right: vec![2., 0., 0., 0.],
        }
    }

    fn config() -> IsolationForestConfig {
        IsolationForestConfig {
            trees: 2,
            max_samples: 8,
        }
    }

    #[test]
    fn columns_are_the_forest_that_they_were_of() {
        let forest = columns().forest(&config(), 8, 2).unwrap();
        let nodes = |tree: &IsolationTree| tree.nodes().collect::<Vec<_>>();
        assert_eq!(
            nodes(&forest.trees[0]),
            [(0.5, 1, 2), (1., 0, 0), (2., 0, 0)]
        );
        assert_eq!(nodes(&forest.trees[1]), [(0., 0, 0)]);
        assert_eq!((forest.samples, forest.features), (8, 2));
    }

    #[test]
    fn columns_that_are_no_forest_name_what_is_wrong() {
        let named = |name: &'static str, change: &dyn Fn(&mut Columns)| {
            let mut columns = columns();
            change(&mut columns);
            let err = columns.forest(&config(), 8, 2).unwrap_err();
            let found = match &err {
                Error::Config { name, .. } => name,
                Error::Length { right_name, .. } => right_name,
                _ => panic!("{err}"),
            };
            assert_eq!(*found, name, "{err}");
        };
        // Columns of unequal length, either way.
        named(FEATURES, &|c| c.features.truncate(3));
        named(FEATURES, &|c| c.features.push(0.));
        named(RIGHT, &|c| c.right.truncate(3));
        named(RIGHT, &|c| c.right.push(0.));
        named(FEATURES, &|c| c.values.truncate(3));
        // Numbers that are no index.
        for value in [0.5, -1., f64::NAN, f64::INFINITY, 2f64.powi(32)] {
            named(FEATURES, &|c| c.features[0] = value);
            named(RIGHT, &|c| c.right[0] = value);
            named(SIZES, &|c| c.sizes[0] = value);
        }
        // Indices beyond the end, backwards, and trees that are no share of the nodes.
        named("nodes", &|c| c.features[0] = 2.);
        named("nodes", &|c| c.right[0] = 3.);
        named("nodes", &|c| c.right[0] = 1.);
        named("nodes", &|c| c.sizes = vec![2., 2.]);
        named("nodes", &|c| c.sizes = vec![0., 4.]);
        named(SIZES, &|c| c.sizes = vec![3., 2.]);
        named(SIZES, &|c| c.sizes = vec![4.]);
        named(SIZES, &|c| c.sizes.push(1.));
        for value in [f64::NAN, f64::NEG_INFINITY] {
            named("nodes", &|c| c.values[0] = value);
        }
        named("nodes", &|c| c.values[3] = -1.);
        let left_over = |c: &mut Columns| {
            for column in [&mut c.values, &mut c.features, &mut c.right] {
                column.push(0.);
            }
        };
        named("nodes", &left_over);
        for samples in [0, 9, usize::MAX] {
            let err = columns().forest(&config(), samples, 2).unwrap_err();
            assert!(
                matches!(
                    err,
                    Error::Config {
                        name: "samples",
                        ..
                    }
                ),
                "{err}"
            );
        }
    }
}
