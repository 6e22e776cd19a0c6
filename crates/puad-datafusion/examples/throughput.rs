//! Rows a second of `puad_score` against `FittedDetector::score`, over batches in memory and over Parquet files.
//!
//! ```text
//! cargo run --release --example throughput FOLDER [ROWS]
//! ```
//!
//! An autoencoder of 32 columns, 32-128-64-16-64-128-32, scores a million rows of f32, unless told another number:
//! all as one tensor, and by SQL in batches of 8,192, in one partition and in as many as there are cores. Each is run
//! once unmeasured and then five times, in turn; printed are the medians. The query is `max(puad_score(...))`, so
//! that nothing but scores is computed. The files, eight, are left in `FOLDER` for
//! `tests/fixtures/pytorch_parquet.py`, beside the detector.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use datafusion::arrow::array::{ArrayRef, AsArray, Float32Array, RecordBatch};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::datasource::MemTable;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use puad::candle_core::{Device, Tensor};
use puad::data::PuDataset;
use puad::estimator::IntoSamples;
use puad::{Estimator, FitConfig, FittedDetector};
use puad_datafusion::Models;

const COLUMNS: usize = 32;
const BATCH: usize = 8192;
const FILES: usize = 8;
const RUNS: usize = 5;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("FOLDER [ROWS]")?;
    let rows: usize = arguments
        .next()
        .map_or(Ok(1_000_000), |rows| rows.parse())?;
    let folder = Path::new(&folder);
    let parquet = folder.join("rows");
    fs::create_dir_all(&parquet)?;
    let detector = detector()?;
    detector.save(folder.join("rows.safetensors"))?;
    let models = Models::new(folder)?;
    let samples = Tensor::randn(0f32, 1., (rows, COLUMNS), &Device::Cpu)?;
    let batches = batches(&samples)?;
    write(&batches, &parquet).await?;

    let cores = std::thread::available_parallelism()?.get();
    let mut ways = vec![Way::Detector(Box::new(detector), samples)];
    for partitions in [1, cores] {
        ways.push(Way::Query(
            format!("SQL in memory, partitions: {partitions}"),
            in_memory(&models, &batches, partitions)?,
        ));
    }
    for partitions in [1, cores] {
        let engine = engine(&models, partitions);
        let path = parquet.display().to_string();
        let format = ParquetReadOptions::default();
        engine.register_parquet("t", &path, format).await?;
        ways.push(Way::Query(
            format!("SQL over Parquet, partitions: {partitions}"),
            engine,
        ));
    }
    measure(&ways, rows).await
}

/// Something that scores all rows.
enum Way {
    Detector(Box<FittedDetector>, Tensor),
    Query(String, SessionContext),
}

impl Way {
    /// The largest score.
    async fn run(&self) -> anyhow::Result<f64> {
        let engine = match self {
            Self::Detector(detector, samples) => {
                let scores = detector.score(samples)?;
                return Ok(scores.into_iter().fold(f64::MIN, f64::max));
            }
            Self::Query(_, engine) => engine,
        };
        let columns: Vec<String> = (0..COLUMNS).map(|at| format!("c{at}")).collect();
        let query = format!(
            "SELECT max(puad_score('rows', {})) FROM t",
            columns.join(", ")
        );
        let found = engine.sql(&query).await?.collect().await?;
        Ok(found[0].column(0).as_primitive::<Float64Type>().value(0))
    }

    fn name(&self) -> &str {
        match self {
            Self::Detector(..) => "detector.score, one tensor",
            Self::Query(name, _) => name,
        }
    }
}

async fn measure(ways: &[Way], rows: usize) -> anyhow::Result<()> {
    let mut seconds = vec![vec![]; ways.len()];
    let mut largest = vec![];
    for run in 0..=RUNS {
        for (way, seconds) in ways.iter().zip(&mut seconds) {
            let start = Instant::now();
            largest.push(way.run().await?);
            // The first is not measured.
            if run > 0 {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
    }
    ensure!(
        largest.iter().all(|most| *most == largest[0]),
        "scores differ: {largest:?}"
    );
    let medians: Vec<f64> = seconds.into_iter().map(median).collect();
    for (way, median) in ways.iter().zip(&medians) {
        let share = 100. * medians[0] / median;
        println!(
            "{:36} {:>12.0} rows/s {share:>6.1}%",
            way.name(),
            rows as f64 / median
        );
    }
    Ok(())
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn detector() -> anyhow::Result<FittedDetector> {
    let mut config = FitConfig {
        method: Some("ae".parse()?),
        ..FitConfig::default()
    };
    config.train.epochs = 2;
    let samples = Tensor::randn(0f32, 1., (5000, COLUMNS), &Device::Cpu)?;
    let data = PuDataset::new(samples.into_samples()?.with_names(&names())?)?;
    Ok(Estimator::new(config).fit_dataset(&data)?)
}

/// `c0` to `c31`.
fn names() -> Vec<String> {
    (0..COLUMNS).map(|at| format!("c{at}")).collect()
}

fn batches(samples: &Tensor) -> anyhow::Result<Vec<RecordBatch>> {
    let rows = samples.dim(0)?;
    let starts = (0..rows).step_by(BATCH);
    let batch = |start: usize| {
        let part = samples.narrow(0, start, BATCH.min(rows - start))?;
        let columns = part.t()?.to_vec2::<f32>()?.into_iter();
        let columns = columns.map(|values| Arc::new(Float32Array::from(values)) as ArrayRef);
        Ok(RecordBatch::try_from_iter(
            names().into_iter().zip(columns),
        )?)
    };
    starts.map(batch).collect()
}

fn engine(models: &Models, partitions: usize) -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_batch_size(BATCH);
    let engine = SessionContext::new_with_config(config);
    puad_datafusion::register(&engine, models);
    engine
}

fn in_memory(
    models: &Models,
    batches: &[RecordBatch],
    partitions: usize,
) -> anyhow::Result<SessionContext> {
    let engine = engine(models, partitions);
    let each = batches.len().div_ceil(partitions).max(1);
    let parts = batches.chunks(each).map(<[RecordBatch]>::to_vec).collect();
    let schema = batches.first().context("no rows")?.schema();
    engine.register_table("t", Arc::new(MemTable::try_new(schema, parts)?))?;
    Ok(engine)
}

async fn write(batches: &[RecordBatch], folder: &Path) -> anyhow::Result<()> {
    let engine = SessionContext::new();
    let each = batches.len().div_ceil(FILES).max(1);
    for (file, part) in batches.chunks(each).enumerate() {
        let path = folder.join(format!("{file}.parquet")).display().to_string();
        let frame = engine.read_batches(part.to_vec())?;
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        frame.write_parquet(&path, options, None).await?;
    }
    Ok(())
}
