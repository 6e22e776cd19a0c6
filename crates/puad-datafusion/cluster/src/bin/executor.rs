//! An executor that runs tasks with puad's functions.

use std::sync::Arc;

use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use puad_datafusion::functions;
use puad_datafusion_cluster::{Options, end_with_parent};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    env_logger::init();
    end_with_parent();
    let options = Options::of_process()?;
    let host: String = options.get("host", Some("127.0.0.1".into()))?;
    let mut registry = BallistaFunctionRegistry::default();
    for function in options.models()?.iter().flat_map(functions) {
        let name = function.name().to_owned();
        registry.scalar_functions.insert(name, Arc::new(function));
    }
    let config = ExecutorProcessConfig {
        external_host: Some(host.clone()),
        bind_host: host.clone(),
        port: options.get("port", Some(50051))?,
        grpc_port: options.get("grpc-port", Some(50052))?,
        scheduler_host: options.get("scheduler-host", Some(host))?,
        scheduler_port: options.get("scheduler-port", Some(50050))?,
        scheduler_connect_timeout_seconds: 30,
        // 0: as many as there are.
        vcores: options.get("cores", Some(0))?,
        executor_heartbeat_interval_seconds: options.get("heartbeat", Some(60))?,
        work_dir: Some(options.get("work-dir", None)?),
        override_function_registry: Some(Arc::new(registry)),
        ..ExecutorProcessConfig::default()
    };
    Ok(start_executor_process(Arc::new(config)).await?)
}
