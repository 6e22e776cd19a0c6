use std::any::Any;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::check_fit;
use super::columns::Columns;
use super::pu_forest::Grown;
use super::tree::Tree;
use super::two_groups::mean_values;
use super::{ExtraTrees, ExtraTreesConfig, PuForestConfig};
use crate::model::{Fitted, Learned, ModelSpec, ModelState, StoredModel, Task};
use crate::net::Architecture;
use crate::spec::Specification;
use crate::train::{FitHistory, Trainer};
use crate::{Error, Result};

/// By name: `extra-trees`. It tells labeled anomalies from unlabeled samples and labeled normals, and is grown on the
/// CPU whatever the device of the fit.
impl Specification for ExtraTreesConfig {
    const NAME: &'static str = "extra-trees";

    fn check(&self) -> Result<()> {
        // The inherent one.
        ExtraTreesConfig::check(self)
    }
}

/// By name: `pu-forest`. It tells labeled anomalies from unlabeled samples and labeled normals, and is grown on the
/// CPU whatever the device of the fit.
impl Specification for PuForestConfig {
    const NAME: &'static str = "pu-forest";
    /// The first had one threshold a feature.
    const VERSION: u32 = 2;

    fn check(&self) -> Result<()> {
        // The inherent one.
        PuForestConfig::check(self)
    }
}

/// A specification whose model is trees on labeled anomalies and others.
macro_rules! model_spec {
    ($config:ty, $what:literal, $grow:expr) => {
        impl ModelSpec for $config {
            fn check_fit(&self, network: &Architecture, trainer: &Trainer) -> Result<()> {
                check_fit($what, network, trainer)
            }

            fn fit(&self, task: Task<'_>) -> Result<Learned> {
                self.check_fit(task.network, task.trainer)?;
                let (others, anomalies) = groups($what, &task)?;
                let seed = task.trainer.config().seed;
                let trees: Vec<Tree> = $grow(&others, &anomalies, self, seed)?;
                let shape = task.train.unlabeled().sample_shape();
                let model = Arc::new(TreesModel { trees, shape });
                Ok(Learned::new(model, FitHistory::without_epochs()))
            }

            fn read(
                &self,
                stored: &mut StoredModel,
                sample_shape: &[usize],
                _: &Device,
            ) -> Result<Arc<dyn Fitted>> {
                TreesModel::read(self.trees, stored, sample_shape)
            }

            fn uses_anomalies(&self) -> bool {
                true
            }
        }
    };
}

model_spec!(
    ExtraTreesConfig,
    "extremely randomized trees",
    |others, anomalies, config, seed| {
        ExtraTrees::fit(others, anomalies, config, seed).map(|fitted| fitted.trees)
    }
);
model_spec!(
    PuForestConfig,
    "a positive-unlabeled forest",
    |others, anomalies, config, seed| {
        // Scores out of bag take time with every unlabeled sample, and nothing of a model asks for them.
        Grown::new(others, anomalies, config, seed).map(|grown| grown.trees)
    }
);

/// Unlabeled samples with labeled normals, if there are any, and labeled anomalies.
fn groups(what: &'static str, task: &Task<'_>) -> Result<(Tensor, Tensor)> {
    let data = task.train;
    let group = "anomalous";
    let anomalies = data.anomalies().ok_or(Error::EmptyGroup { what, group })?;
    let unlabeled = data.unlabeled().to_tensor()?;
    let others = match data.normals() {
        Some(normals) => Tensor::cat(&[unlabeled, normals.to_tensor()?], 0)?,
        None => unlabeled,
    };
    Ok((others, anomalies.to_tensor()?))
}

/// Trees whose values are averaged, on samples of one shape.
#[derive(Clone, Debug)]
struct TreesModel {
    trees: Vec<Tree>,
    shape: Vec<usize>,
}

impl TreesModel {
    fn read(
        trees: usize,
        stored: &mut StoredModel,
        sample_shape: &[usize],
    ) -> Result<Arc<dyn Fitted>> {
        let shape = sample_shape.to_vec();
        let trees = Columns::take(stored)?.trees(trees, shape.iter().product());
        let trees = trees.map_err(|e| stored.wrong(e))?;
        Ok(Arc::new(Self { trees, shape }))
    }
}

impl Fitted for TreesModel {
    fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        mean_values(&self.trees, self.shape.iter().product(), xs)
    }

    fn sample_shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn state(&self) -> Result<ModelState> {
        Ok(ModelState {
            tensors: Columns::of(&self.trees).tensors()?,
            ..ModelState::default()
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
