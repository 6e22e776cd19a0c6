//! Several methods as one, and what is taken where no method is named.

mod auto;
mod held_out;
mod names;
mod pretraining;
mod scores;
mod training;

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;

use puad::baseline::PuForestConfig;
use puad::candle_core::{DType, Device, Tensor};
use puad::data::PuDataset;
use puad::data::toy::{self, ToyConfig};
use puad::estimator::{InputCheck, IntoSamples, RefitConfig, Warning};
use puad::method::{Committee, Member, MemberPlaces, Method, Registry};
use puad::metrics::auroc;
use puad::model::{Fitted, Learned, ModelSpec, ModelState, StoredModel, Task};
use puad::net::{Architecture, MlpShape, Network};
use puad::spec::Specification;
use puad::train::{EpochReport, FitHistory, StopReason};
use puad::{ClassPrior, Error, Estimator, FitConfig, FittedDetector, Result};
use serde::{Deserialize, Serialize};

fn points(seed: u64) -> Vec<[f32; 2]> {
    let toy = toy::generate(&ToyConfig::default(), seed).unwrap();
    [toy.normals, toy.unlabeled_anomalies].concat()
}

fn labeled(n: usize) -> Vec<[f32; 2]> {
    let toy = toy::generate(&ToyConfig::default(), 9).unwrap();
    toy.labeled_anomalies[..n].to_vec()
}

fn config(method: impl Into<Method>, epochs: usize) -> FitConfig {
    let mut config = FitConfig {
        method: Some(method.into()),
        prior: ClassPrior::new(0.1).unwrap().into(),
        ..FitConfig::default()
    };
    config.train.epochs = epochs;
    config
}

/// Within a pool's thread fits follow each other.
fn in_turn<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.unwrap().install(run)
}

fn forest() -> Method {
    let trees = 20;
    PuForestConfig {
        trees,
        ..PuForestConfig::default()
    }
    .into()
}

fn pair() -> Committee {
    Committee {
        members: vec![forest().into(), Method::PUAE.into()],
        folds: 3,
    }
}

fn fit(method: impl Into<Method>, epochs: usize, labels: usize) -> FittedDetector {
    let estimator = Estimator::new(config(method, epochs));
    estimator.fit(points(0), labeled(labels)).unwrap()
}

/// Scores 1 for what it was trained on as an anomaly, and the first feature, small, for all else.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct MemorySpec {}

#[derive(Debug)]
struct Memory(Vec<Vec<f32>>);

impl Specification for MemorySpec {
    const NAME: &'static str = "memory";
}

impl ModelSpec for MemorySpec {
    fn fit(&self, task: Task<'_>) -> Result<Learned> {
        let anomalies = task.train.anomalies().unwrap().to_tensor()?;
        let memory = Memory(anomalies.to_vec2()?);
        Ok(Learned::new(Arc::new(memory), FitHistory::without_epochs()))
    }
    fn read(&self, stored: &mut StoredModel, _: &[usize], _: &Device) -> Result<Arc<dyn Fitted>> {
        let rows = stored.take("rows", DType::F32)?;
        Ok(Arc::new(Memory(rows.to_vec2()?)))
    }
    fn uses_anomalies(&self) -> bool {
        true
    }
}

impl Fitted for Memory {
    fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        let score = |row: Vec<f32>| {
            if self.0.contains(&row) {
                1.
            } else {
                f64::from(row[0].tanh()) * 0.1
            }
        };
        Ok(xs.to_vec2()?.into_iter().map(score).collect())
    }
    fn sample_shape(&self) -> Vec<usize> {
        vec![2]
    }
    fn state(&self) -> Result<ModelState> {
        let tensors = [("rows".into(), Tensor::new(self.0.clone(), &Device::Cpu)?)].into();
        Ok(ModelState {
            tensors,
            ..ModelState::default()
        })
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
