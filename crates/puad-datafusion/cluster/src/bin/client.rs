//! A client that sends a query with puad's functions to a cluster, and prints the answer.

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use puad_datafusion::{Models, register};
use puad_datafusion_cluster::{Options, end_with_parent};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    env_logger::init();
    end_with_parent();
    let options = Options::of_process()?;
    let scheduler = options.get("scheduler", Some("df://127.0.0.1:50050".to_owned()))?;
    // A folder of Parquet files, which the scheduler and the executors see under the same path.
    let folder: String = options.get("table", None)?;
    let query: String = options.get("query", None)?;
    let config = SessionConfig::new_with_ballista();
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .build();
    // Without models of its own: the scheduler has them.
    let models = options.models()?.unwrap_or_else(Models::elsewhere);
    let engine = SessionContext::remote_with_state(&scheduler, state).await?;
    register(&engine, &models);
    let format = ParquetReadOptions::default();
    engine.register_parquet("t", &folder, format).await?;
    engine.sql(&query).await?.show().await?;
    Ok(())
}
