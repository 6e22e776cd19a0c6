//! A fitted detector's file, with a checksum that agrees: what is loaded scores, and is saved and
//! loaded again as it was.
#![no_main]

use std::path::Path;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use puad::candle_core::{DType, Device, Tensor};
use puad::method::Method;
use puad::{Estimator, FitConfig, FittedDetector};
use puad_fuzz_checkpoint::{folder, mutate, seal, seeds};
use serde_json::{Value, json};

/// A detector of each method and both networks.
fn write_seeds(dir: &Path) {
    let mlp = json!({"mlp": {"inputs": 2, "hidden": [3], "latent": 2}});
    let lenet = json!({"lenet": {
        "channels": 1, "height": 4, "width": 4, "blocks": [2], "latent": 4,
    }});
    for (name, method) in Method::NAMED {
        let network = match method.pair() {
            Some(_) => json!({"explicit": mlp}),
            None => json!("auto"),
        };
        fit(&network, &[2], method, &dir.join(format!("mlp-{name}")));
    }
    let lenet = json!({"explicit": lenet});
    for method in [Method::PUAE, Method::PUSVDD, Method::PU] {
        let name = format!("lenet-{method}");
        fit(&lenet, &[1, 4, 4], &method, &dir.join(name));
    }
}

fn fit(network: &Value, sample: &[usize], method: &Method, path: &Path) {
    let config = json!({
        "network": network,
        "method": method,
        "train": {"epochs": 1, "batch_size": 4},
    });
    let config: FitConfig = serde_json::from_value(config).unwrap();
    let samples = |n: usize, from: f32| {
        let shape = [&[n], sample].concat();
        let count: usize = shape.iter().product();
        let values = (0..count).map(|i| (i as f32 * from).sin().abs());
        Tensor::from_vec(values.collect(), shape, &Device::Cpu).unwrap()
    };
    let (unlabeled, anomalies) = (samples(12, 0.7), samples(4, 1.3));
    let detector = Estimator::new(config).fit(&unlabeled, &anomalies).unwrap();
    detector.save(path).unwrap();
}

fuzz_target!(
    init: if let Some(dir) = seeds() {
        write_seeds(&dir);
    },
    |bytes: &[u8]| {
        let path = folder().join("detector");
        std::fs::write(&path, seal(bytes)).unwrap();
        let Ok(detector) = FittedDetector::load(&path, &Device::Cpu) else {
            return;
        };
        let shape = [&[2], &*detector.sample_shape()].concat();
        let samples = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        if let Ok(scores) = detector.score(&samples) {
            assert!(scores.len() == 2 && scores.iter().all(|score| score.is_finite()));
        }
        if let Ok(chances) = detector.predict_proba(&samples) {
            assert!(chances.iter().all(|p| (0. ..=1.).contains(p)), "{chances:?}");
        }
        let again = folder().join("again");
        detector.save(&again).unwrap();
        let loaded = FittedDetector::load(&again, &Device::Cpu).unwrap();
        assert_eq!(loaded.config(), detector.config());
        assert_eq!(loaded.threshold().to_bits(), detector.threshold().to_bits());
    }
);

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed)
});
