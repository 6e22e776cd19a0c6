use std::any::Any;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::check_fit;
use super::columns::Columns;
use super::{ExtraTrees, ExtraTreesConfig};
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

impl ModelSpec for ExtraTreesConfig {
    fn check_fit(&self, network: &Architecture, trainer: &Trainer) -> Result<()> {
        check_fit("extremely randomized trees", network, trainer)
    }

    fn fit(&self, task: Task<'_>) -> Result<Learned> {
        self.check_fit(task.network, task.trainer)?;
        let data = task.train;
        let anomalies = data.anomalies().ok_or(Error::EmptyGroup {
            what: "extremely randomized trees",
            group: "anomalous",
        })?;
        let unlabeled = data.unlabeled().to_tensor()?;
        let others = match data.normals() {
            Some(normals) => Tensor::cat(&[unlabeled, normals.to_tensor()?], 0)?,
            None => unlabeled,
        };
        let seed = task.trainer.config().seed;
        let model = ExtraTreesModel {
            trees: ExtraTrees::fit(&others, &anomalies.to_tensor()?, self, seed)?,
            shape: data.unlabeled().sample_shape(),
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
        let trees = Columns::take(stored)?.trees(self.trees, features);
        let trees = ExtraTrees {
            trees: trees.map_err(|e| stored.wrong(e))?,
            features,
        };
        let shape = sample_shape.to_vec();
        Ok(Arc::new(ExtraTreesModel { trees, shape }))
    }

    fn uses_anomalies(&self) -> bool {
        true
    }
}

/// Trees on samples of one shape.
#[derive(Clone, Debug)]
struct ExtraTreesModel {
    trees: ExtraTrees,
    shape: Vec<usize>,
}

impl Fitted for ExtraTreesModel {
    fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        self.trees.score(xs)
    }

    fn sample_shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn state(&self) -> Result<ModelState> {
        Ok(ModelState {
            tensors: Columns::of(&self.trees.trees).tensors()?,
            ..ModelState::default()
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
