//! Training on samples that stay in a file: the bits of training in memory, bounded memory, errors that name the file.

mod limits;
mod same_bits;
mod wrong;

use std::path::{Path, PathBuf};

use puad::candle_core::{DType, Device, Tensor};
use puad::data::stream::StoredTable;
use puad::data::{ImageSet, ImageShape, PuDataset, Samples, Store};
use puad::estimator::{IntoSamples, Scaling};
use puad::method::{Committee, Method};
use puad::train::{Batching, EpochReport};
use puad::{Error, Estimator, FitConfig, FittedDetector};

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn npy(&self, name: &str, descr: &str, shape: &str, values: &[u8]) -> PathBuf {
        let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let len = (dict.len() as u16).to_le_bytes();
        let bytes = [b"\x93NUMPY\x01\x00", &len[..], dict.as_bytes(), values].concat();
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Rows around 0 in three columns, some of them far out, as f32.
    fn rows(&self, n: usize) -> PathBuf {
        let values: Vec<u8> = rows(n)
            .iter()
            .flatten()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        self.npy("rows.npy", "<f4", &format!("({n}, 3)"), &values)
    }
}

fn rows(n: usize) -> Vec<[f32; 3]> {
    let wave = |i: usize, by: f32| ((i as f32) * by).sin();
    let row = |i: usize| match i % 29 {
        0 => [4. + wave(i, 0.3), 5., wave(i, 1.7)],
        // A gross value now and then, which training clips.
        7 if i % 58 == 7 => [wave(i, 0.9), 3e7, 0.],
        _ => [wave(i, 0.7), 2. * wave(i, 1.1), 100. + wave(i, 2.3)],
    };
    (0..n).map(row).collect()
}

fn stored(path: &Path) -> Samples {
    let samples = Samples::stored(StoredTable::open(path).unwrap()).unwrap();
    assert!(samples.is_stored());
    samples
}

fn labeled() -> Samples {
    let rows: Vec<[f32; 3]> = (0..12).map(|i| [4., 5., 0.1 * i as f32]).collect();
    (&rows).into_samples().unwrap()
}

/// A store whose chunks are small, so that a few hundred rows have several windows.
struct SmallChunks(StoredTable);

impl Store for SmallChunks {
    fn len(&self) -> usize {
        Store::len(&self.0)
    }
    fn sample_shape(&self) -> Vec<usize> {
        Store::sample_shape(&self.0)
    }
    fn dtype(&self) -> DType {
        Store::dtype(&self.0)
    }
    fn names(&self) -> Vec<String> {
        ["x", "y", "z"].map(Into::into).to_vec()
    }
    fn chunk_ends(&self) -> Vec<u32> {
        let n = Store::len(self) as u32;
        (1..=n.div_ceil(16)).map(|i| n.min(i * 16)).collect()
    }
    fn read(&self, first: usize, count: usize) -> puad::Result<Tensor> {
        Store::read(&self.0, first, count)
    }
}

fn small_chunks(path: &Path) -> Samples {
    let store = SmallChunks(StoredTable::open(path).unwrap());
    Samples::stored(store).unwrap().with_window(64).unwrap()
}

fn config(method: Method) -> FitConfig {
    let mut config = FitConfig {
        method: Some(method),
        prior: puad::ClassPrior::new(0.1).unwrap().into(),
        ..FitConfig::default()
    };
    config.train.epochs = 3;
    config.train.batch_size = 32;
    config
}

/// What a fit came to, but for the time it took.
fn outcome(detector: &FittedDetector) -> (Vec<f64>, Vec<(f64, f64)>, f64, String) {
    let epochs = &detector.history().training.epochs;
    let risks = epochs
        .iter()
        .map(|e: &EpochReport| (e.risk, e.validation_risk));
    (
        detector.score(rows(100)).unwrap(),
        risks.collect(),
        detector.threshold(),
        format!("{:?} {:?}", detector.scaler(), detector.warnings()),
    )
}
