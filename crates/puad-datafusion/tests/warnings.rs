//! What a detector says of rows is logged once. In a process of its own: a logger is the process's.

use std::sync::{Arc, Mutex};

use datafusion::arrow::array::{Float64Array, RecordBatch};
use datafusion::prelude::{SessionConfig, SessionContext};
use log::{Level, LevelFilter, Log, Metadata, Record};
use puad::candle_core::{Device, Tensor};
use puad::data::PuDataset;
use puad::estimator::IntoSamples;
use puad::{Estimator, FitConfig};
use puad_datafusion::Models;

struct Kept;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Log for Kept {
    fn enabled(&self, _: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        if record.level() == Level::Warn && record.target().starts_with("puad_datafusion") {
            LINES.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn rows_of_another_scale_are_scored_and_told_of_once() {
    log::set_logger(&Kept).unwrap();
    log::set_max_level(LevelFilter::Warn);
    let samples = Tensor::rand(0.1f64, 1., (200, 3), &Device::Cpu).unwrap();
    let data = PuDataset::new(samples.into_samples().unwrap()).unwrap();
    let mut config = FitConfig {
        method: Some("ae".parse().unwrap()),
        ..FitConfig::default()
    };
    config.train.epochs = 1;
    let detector = Estimator::new(config).fit_dataset(&data).unwrap();
    let folder = tempfile::tempdir().unwrap();
    detector.save(folder.path().join("m.safetensors")).unwrap();

    let engine = SessionContext::new_with_config(SessionConfig::new().with_batch_size(50));
    puad_datafusion::register(&engine, &Models::new(folder.path()).unwrap());
    // The detector itself refuses it.
    let column = Float64Array::from(vec![500.; 400]);
    assert!(detector.score(vec![[500f64; 3]; 400]).is_err());
    let batch = RecordBatch::try_from_iter([("a", Arc::new(column) as _)]).unwrap();
    engine.register_batch("t", batch).unwrap();
    for _ in 0..2 {
        let query = "SELECT puad_score('m', a, a, a) AS s FROM t WHERE a > 0";
        let found = engine.sql(query).await.unwrap().collect().await.unwrap();
        assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 400);
    }
    let lines = LINES.lock().unwrap();
    let of = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!(of("far outside"), 3, "{lines:?}");
    assert_eq!(of("times as large"), 1, "{lines:?}");
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(
        lines.iter().all(|line| line.starts_with("model m@")),
        "{lines:?}"
    );
}
