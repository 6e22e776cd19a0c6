//! The functions on detectors of one epoch.

mod lists;
mod pinning;
mod planning;
mod tables;
mod vectors;

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::Float64Type;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use puad::candle_core::{Device, Tensor};
use puad::data::PuDataset;
use puad::estimator::IntoSamples;
use puad::{Estimator, FitConfig, FittedDetector};
use puad_datafusion::Models;
use tempfile::TempDir;

/// Rows of a batch: no multiple of anything.
const BATCH: usize = 37;

/// An engine of two partitions and a folder with models.
struct World {
    folder: TempDir,
    models: Models,
    engine: SessionContext,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let models = Models::new(folder.path()).unwrap();
        let config = SessionConfig::new()
            .with_target_partitions(2)
            .with_batch_size(BATCH);
        let engine = SessionContext::new_with_config(config);
        puad_datafusion::register(&engine, &models);
        Self {
            folder,
            models,
            engine,
        }
    }

    fn with(detector: &FittedDetector) -> Self {
        let world = Self::new();
        detector.save(world.path("m")).unwrap();
        world
    }

    /// The file of a model.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.safetensors"))
    }

    /// Columns as table `t` of two partitions.
    fn table<'a>(&self, columns: impl IntoIterator<Item = (&'a str, ArrayRef)>) {
        let nullable = columns
            .into_iter()
            .map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(nullable).unwrap();
        let half = batch.num_rows() / 2;
        let parts = [
            batch.slice(0, half),
            batch.slice(half, batch.num_rows() - half),
        ];
        let parts = parts.map(|part| vec![part]).to_vec();
        let table = MemTable::try_new(batch.schema(), parts).unwrap();
        self.engine.deregister_table("t").unwrap();
        self.engine.register_table("t", Arc::new(table)).unwrap();
    }

    /// The one column of a query's answer.
    async fn column(&self, query: &str) -> Result<ArrayRef, String> {
        let frame = self.engine.sql(query).await.map_err(|e| e.to_string())?;
        let schema = frame.schema().as_arrow().clone();
        let batches = frame.collect().await.map_err(|e| e.to_string())?;
        let schema = batches
            .first()
            .map_or(Arc::new(schema), RecordBatch::schema);
        let batch = concat_batches(&schema, &batches).map_err(|e| e.to_string())?;
        Ok(batch.column(0).clone())
    }

    /// Of `function` with these arguments for each row of `t`, in the order of its column `id`.
    async fn call(&self, call: &str) -> Result<ArrayRef, String> {
        let query = format!("SELECT {call} AS found FROM t ORDER BY id");
        self.column(&query).await
    }

    async fn scores(&self, call: &str) -> Vec<Option<f64>> {
        floats(&self.call(call).await.unwrap())
    }

    async fn error(&self, call: &str) -> String {
        self.call(call).await.unwrap_err()
    }
}

fn floats(column: &ArrayRef) -> Vec<Option<f64>> {
    column.as_primitive::<Float64Type>().iter().collect()
}

/// Bits, so that no tolerance hides in a comparison.
fn bits(scores: &[Option<f64>]) -> Vec<Option<u64>> {
    scores.iter().map(|score| score.map(f64::to_bits)).collect()
}

fn all(scores: &[f64]) -> Vec<Option<u64>> {
    scores.iter().map(|score| Some(score.to_bits())).collect()
}

fn config(method: &str) -> FitConfig {
    let method = Some(method.parse().unwrap());
    let mut config = FitConfig {
        method,
        ..FitConfig::default()
    };
    config.train.epochs = 1;
    config
}

fn random(shape: &[usize]) -> Tensor {
    Tensor::rand(0f64, 1., shape, &Device::Cpu).unwrap()
}

/// On unlabeled samples alone.
fn fit(samples: impl IntoSamples) -> FittedDetector {
    let data = PuDataset::new(samples.into_samples().unwrap()).unwrap();
    Estimator::new(config("ae")).fit_dataset(&data).unwrap()
}

/// With labeled anomalies, so that there are probabilities.
fn fit_labeled(samples: impl IntoSamples, anomalies: impl IntoSamples) -> FittedDetector {
    let estimator = Estimator::new(config("puae"));
    estimator.fit(samples, anomalies).unwrap()
}

/// Numbers from 0, as 64 bits.
fn ids(rows: usize) -> ArrayRef {
    let ids = (0..rows as i64).collect::<Vec<_>>();
    Arc::new(datafusion::arrow::array::Int64Array::from(ids))
}
