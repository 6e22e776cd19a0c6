use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use datafusion::arrow::array::{AsArray, Float64Array, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use puad::candle_core::{Device, Tensor};
use puad::data::PuDataset;
use puad::estimator::{IntoSamples, Threshold};
use puad::{Estimator, FitConfig, FittedDetector};
use puad_datafusion::{Models, register};
use tempfile::TempDir;

use crate::process::{PATIENCE, Process, answers, free_ports};

const FILES: usize = 4;
const ROWS_A_FILE: usize = 3000;

/// Data, a detector, and the processes that are started on them.
pub struct World {
    folder: TempDir,
    pub detector: FittedDetector,
    /// `[n, 3]`, in the order of the ids.
    pub rows: Tensor,
    scheduler_port: u16,
    pub processes: Vec<Process>,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rows = random(FILES * ROWS_A_FILE);
        write_files(&folder.path().join("t"), &rows).await;
        Self {
            folder,
            detector: detector(&rows),
            rows,
            scheduler_port: 0,
            processes: vec![],
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder with a detector as model `m`.
    pub fn models(&self, name: &str, detector: &FittedDetector) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir_all(&folder).unwrap();
        detector.save(folder.join("m.safetensors")).unwrap();
        folder
    }

    /// A scheduler that is ready when so many executors are.
    pub fn start_scheduler(&mut self, models: Option<&Path>, executors: usize) {
        let [port] = free_ports();
        let mut options = vec![
            ("port", port.to_string()),
            ("executor-timeout", "4".into()),
            ("ready-executors", executors.to_string()),
        ];
        options.extend(models.map(|models| ("models", models.display().to_string())));
        self.start(env!("CARGO_BIN_EXE_scheduler"), "scheduler", &options);
        self.scheduler_port = port;
        self.wait("a scheduler", |_| answers(port, "/healthz"));
    }

    /// An executor of one core, whose folder is that of its name.
    pub fn start_executor(&mut self, name: &str, models: Option<&Path>) {
        let [port, grpc] = free_ports();
        let work = self.path(name);
        fs::create_dir_all(&work).unwrap();
        let mut options = vec![
            ("port", port.to_string()),
            ("grpc-port", grpc.to_string()),
            ("scheduler-port", self.scheduler_port.to_string()),
            ("cores", "1".into()),
            ("heartbeat", "1".into()),
            ("work-dir", work.display().to_string()),
        ];
        options.extend(models.map(|models| ("models", models.display().to_string())));
        self.start(env!("CARGO_BIN_EXE_executor"), name, &options);
    }

    fn start(&mut self, program: &str, name: &str, options: &[(&str, String)]) {
        let process = Process::start(program, name, self.folder.path(), options);
        self.processes.push(process);
    }

    /// Waits for all executors.
    pub fn wait_for_executors(&mut self) {
        let port = self.scheduler_port;
        self.wait("executors", |_| answers(port, "/readyz"));
    }

    pub fn wait(&mut self, what: &str, until: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !until(self) {
            self.processes.iter_mut().for_each(Process::check);
            assert!(start.elapsed() < PATIENCE, "no {what}: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn said(&self) -> String {
        self.processes.iter().map(Process::said).collect()
    }

    /// The answer of the cluster, or the error in words.
    pub async fn ask(&self, query: &str) -> Result<Vec<RecordBatch>, String> {
        let asked = self.asked(query);
        match tokio::time::timeout(PATIENCE, asked).await {
            // Quotes of an error within another one are escaped.
            Ok(answer) => answer.map_err(|error| error.to_string().replace('\\', "")),
            Err(_) => panic!("no answer to {query}: {}", self.said()),
        }
    }

    async fn asked(&self, query: &str) -> datafusion::error::Result<Vec<RecordBatch>> {
        let config = SessionConfig::new_with_ballista().with_target_partitions(FILES);
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .build();
        let scheduler = format!("df://127.0.0.1:{}", self.scheduler_port);
        let engine = SessionContext::remote_with_state(&scheduler, state).await?;
        register(&engine, &Models::elsewhere());
        let table = self.path("t").display().to_string();
        let format = ParquetReadOptions::default();
        engine.register_parquet("t", &table, format).await?;
        engine.sql(query).await?.collect().await
    }

    /// Of each row of `t`, by id.
    pub async fn scores(&self) -> Vec<u64> {
        let answer = self
            .ask("SELECT id, puad_score('m', a, b, c) AS score FROM t")
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("{error}: {}", self.said()));
        let mut scores = BTreeMap::new();
        for batch in answer {
            let ids = batch.column(0).as_primitive::<Int64Type>();
            let found = batch.column(1).as_primitive::<Float64Type>();
            let rows = ids.values().iter().zip(found.values());
            scores.extend(rows.map(|(id, score)| (*id, score.to_bits())));
        }
        assert!(scores.keys().copied().eq(0..(FILES * ROWS_A_FILE) as i64));
        scores.into_values().collect()
    }

    /// As the detector itself has them.
    pub fn expected(&self) -> Vec<u64> {
        let scores = self.detector.score(&self.rows).unwrap();
        scores.into_iter().map(f64::to_bits).collect()
    }

    /// What the client's program prints.
    pub fn run_client(&self, query: &str) -> String {
        let options = [
            (
                "scheduler",
                format!("df://127.0.0.1:{}", self.scheduler_port),
            ),
            ("table", self.path("t").display().to_string()),
            ("query", query.into()),
        ];
        let program = env!("CARGO_BIN_EXE_client");
        Process::start(program, "client", self.folder.path(), &options).finish()
    }
}

fn random(rows: usize) -> Tensor {
    Tensor::rand(0f64, 1., (rows, 3), &Device::Cpu).unwrap()
}

/// That finds half of these rows anomalous.
pub fn detector(rows: &Tensor) -> FittedDetector {
    let mut config = FitConfig {
        method: Some("ae".parse().unwrap()),
        ..FitConfig::default()
    };
    config.train.epochs = 1;
    let data = PuDataset::new(random(300).into_samples().unwrap()).unwrap();
    let mut detector = Estimator::new(config).fit_dataset(&data).unwrap();
    let mut scores = detector.score(rows).unwrap();
    scores.sort_by(f64::total_cmp);
    let median = Threshold::Value(scores[scores.len() / 2]);
    detector.set_threshold(median).unwrap();
    detector
}

/// Files of columns `id`, `a`, `b` and `c`.
async fn write_files(folder: &Path, rows: &Tensor) {
    let columns: Vec<Vec<f64>> = rows.t().unwrap().to_vec2().unwrap();
    let engine = SessionContext::new();
    for file in 0..FILES {
        let part = file * ROWS_A_FILE..(file + 1) * ROWS_A_FILE;
        let ids = Int64Array::from_iter_values(part.clone().map(|id| id as i64));
        let column = |at: usize| Arc::new(Float64Array::from(columns[at][part.clone()].to_vec()));
        let batch = RecordBatch::try_from_iter([
            ("id", Arc::new(ids) as _),
            ("a", column(0) as _),
            ("b", column(1) as _),
            ("c", column(2) as _),
        ]);
        let frame = engine.read_batch(batch.unwrap()).unwrap();
        let path = folder.join(format!("{file}.parquet")).display().to_string();
        frame
            .write_parquet(&path, Default::default(), None)
            .await
            .unwrap();
    }
}
