//! A scheduler that plans queries with puad's functions.

use std::sync::Arc;

use ballista_core::utils::default_session_builder;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::start_server;
use puad_datafusion_cluster::{Options, end_with_parent, register};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    env_logger::init();
    end_with_parent();
    let options = Options::of_process()?;
    let host: String = options.get("host", Some("127.0.0.1".into()))?;
    let port: u16 = options.get("port", Some(50050))?;
    // How long an executor may be silent, in seconds.
    let patience: u64 = options.get("executor-timeout", Some(180))?;
    // How many executors make `/readyz` of the port answer with success.
    let ready: usize = options.get("ready-executors", Some(0))?;
    let models = options.models()?;
    let config = SchedulerConfig {
        external_host: host.clone(),
        bind_host: host.clone(),
        bind_port: port,
        executor_timeout_seconds: patience,
        no_executors_grace_period_seconds: patience,
        expire_dead_executor_interval_seconds: (patience / 4).clamp(1, 15),
        min_ready_executors: ready,
        task_distribution: TaskDistributionPolicy::RoundRobin,
        override_session_builder: Some(Arc::new(move |config| {
            let mut state = default_session_builder(config)?;
            if let Some(models) = &models {
                register(&mut state, models)?;
            }
            Ok(state)
        })),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    let address = format!("{host}:{port}").parse()?;
    Ok(start_server(cluster, address, Arc::new(config)).await?)
}
