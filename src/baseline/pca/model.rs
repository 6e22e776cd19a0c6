use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde_json::Value;

use super::{Pca, PcaConfig};
use crate::baseline::check_fit;
use crate::model::{Fitted, Learned, ModelSpec, ModelState, StoredModel, Task};
use crate::net::Architecture;
use crate::spec::Specification;
use crate::train::{FitHistory, Trainer};
use crate::{Error, Result};

const MEAN: &str = "mean";
const WHITENING: &str = "whitening";

/// By name: `pca`. It sees the unlabeled samples alone, and is fitted on the CPU whatever the device of the fit.
impl Specification for PcaConfig {
    const NAME: &'static str = "pca";

    fn check(&self) -> Result<()> {
        // The inherent one.
        PcaConfig::check(self)
    }
}

impl ModelSpec for PcaConfig {
    fn check_fit(&self, network: &Architecture, trainer: &Trainer) -> Result<()> {
        check_fit("principal components", network, trainer)
    }

    fn fit(&self, task: Task<'_>) -> Result<Learned> {
        self.check_fit(task.network, task.trainer)?;
        let unlabeled = task.train.unlabeled();
        let model = PcaModel {
            pca: Pca::fit(&unlabeled.to_tensor()?, self)?,
            shape: unlabeled.sample_shape(),
        };
        Ok(Learned::new(Arc::new(model), FitHistory::without_epochs()))
    }

    fn read(
        &self,
        stored: &mut StoredModel,
        sample_shape: &[usize],
        _: &Device,
    ) -> Result<Arc<dyn Fitted>> {
        let width: usize = sample_shape.iter().product();
        let mut numbers = |name, expected: usize| -> Result<Vec<f64>> {
            let tensor = stored.take(name, DType::F64)?;
            if tensor.dims() != [expected] {
                let expected = format!("[{expected}]");
                return Err(stored.wrong(Error::shape("principal components", expected, &tensor)));
            }
            let values = tensor.to_vec1::<f64>()?;
            match values.iter().position(|value| !value.is_finite()) {
                Some(index) => Err(stored.wrong(Error::NonFiniteValue {
                    what: "principal components",
                    index,
                    value: values[index],
                })),
                None => Ok(values),
            }
        };
        let pca = Pca {
            mean: numbers(MEAN, width)?,
            whitening: numbers(WHITENING, width.saturating_mul(width))?,
        };
        let shape = sample_shape.to_vec();
        Ok(Arc::new(PcaModel { pca, shape }))
    }
}

/// Of samples of one shape.
#[derive(Clone, Debug)]
struct PcaModel {
    pca: Pca,
    shape: Vec<usize>,
}

impl Fitted for PcaModel {
    fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        self.pca.score(xs)
    }

    fn sample_shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn state(&self) -> Result<ModelState> {
        let tensor = |values: &Vec<f64>| Tensor::from_slice(values, values.len(), &Device::Cpu);
        let tensors = [(MEAN, &self.pca.mean), (WHITENING, &self.pca.whitening)];
        let tensors = tensors.map(|(name, values)| Ok((name.to_string(), tensor(values)?)));
        Ok(ModelState {
            content: Value::Null,
            tensors: tensors.into_iter().collect::<Result<BTreeMap<_, _>>>()?,
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
