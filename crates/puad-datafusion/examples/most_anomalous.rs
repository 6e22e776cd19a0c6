//! The thousand most anomalous rows of a folder of Parquet files.
//!
//! ```text
//! cargo run --release --example most_anomalous MODELS MODEL PARQUET
//! ```
//!
//! `MODELS/MODEL.safetensors` is a detector whose columns have names, and `PARQUET` a folder whose files have columns
//! of these names. A cluster's client differs in the one line that makes the engine.

use anyhow::{Context, bail};
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use puad_datafusion::Models;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name, parquet] = &arguments[..] else {
        bail!("MODELS MODEL PARQUET");
    };
    let models = Models::new(folder)?;
    let columns = columns(&models, name)?;

    let engine = SessionContext::new();
    puad_datafusion::register(&engine, &models);
    let format = ParquetReadOptions::default();
    engine.register_parquet("rows", parquet, format).await?;
    let query = format!(
        "SELECT *, puad_score('{name}', {columns}) AS score FROM rows ORDER BY score DESC NULLS LAST LIMIT 1000"
    );
    engine.sql(&query).await?.show().await?;
    Ok(())
}

/// The columns of the fit, quoted.
fn columns(models: &Models, name: &str) -> anyhow::Result<String> {
    let model = models.get(name)?;
    let schema = model.detector().schema();
    let schema = schema.context("a detector whose columns have no names")?;
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns = schema.features().map(|field| quoted(&field.name));
    Ok(columns.collect::<Vec<_>>().join(", "))
}
