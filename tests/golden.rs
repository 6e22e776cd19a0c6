//! Files of every format version so far keep loading.
//!
//! `detector-v5.safetensors` and `detector-v5.json` were written by the ignored test below, as those of
//! earlier formats: `cargo test --release --test golden -- --ignored`. A new format version adds a pair; an old pair
//! is never written again.

use std::path::{Path, PathBuf};

use puad::candle_core::Device;
use puad::estimator::{IntoSamples, Warning};
use puad::{Estimator, FitConfig, FittedDetector};
use serde::{Deserialize, Serialize};

/// What the detector gave when it was saved.
#[derive(Serialize, Deserialize)]
struct Expected {
    rows: Vec<Vec<f64>>,
    scores: Vec<f64>,
    probabilities: Vec<f64>,
    threshold: f64,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn close(got: &[f64], expected: &[f64]) -> bool {
    let mut pairs = got.iter().zip(expected);
    // Matrix products are rounded differently from processor to processor.
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5 * (1. + b.abs());
    got.len() == expected.len() && pairs.all(near)
}

/// The detector of a format's fixture, which gives what it gave when it was saved.
fn load(version: u32) -> FittedDetector {
    let name = |ending: &str| fixture(&format!("detector-v{version}.{ending}"));
    let text = std::fs::read_to_string(name("json")).unwrap();
    let expected: Expected = serde_json::from_str(&text).unwrap();
    let detector = FittedDetector::load(name("safetensors"), &Device::Cpu).unwrap();
    let scores = detector.score(&expected.rows).unwrap();
    assert!(close(&scores, &expected.scores), "{scores:?}");
    let probabilities = detector.predict_proba(&expected.rows).unwrap();
    assert!(
        close(&probabilities, &expected.probabilities),
        "{probabilities:?}"
    );
    assert_eq!(detector.threshold(), expected.threshold);
    assert_eq!(detector.method().to_string(), "PUSVDD");
    assert_eq!(detector.history().training.epochs.len(), 3);
    detector
}

#[test]
fn version_1_loads() {
    assert!(load(1).inputs().is_none());
}

#[test]
fn versions_that_tell_of_the_inputs_load() {
    for (version, unchecked) in [(4, true), (5, false)] {
        let detector = load(version);
        tells_of_its_inputs(&detector);
        let warnings = detector.warnings();
        assert_eq!(warnings.contains(&Warning::Unchecked), unchecked);
        assert_eq!(warnings.len(), 1 + usize::from(unchecked));
    }
}

fn tells_of_its_inputs(detector: &FittedDetector) {
    let inputs = detector.inputs().unwrap();
    assert_eq!(inputs.names(), ["sine", "cosine", "constant"]);
    assert_eq!((inputs.low()[2], inputs.high()[2]), (4., 4.));
}

#[test]
#[ignore = "writes the fixture of the current format version"]
fn write() {
    let (file, text) = (
        fixture("detector-v5.safetensors"),
        fixture("detector-v5.json"),
    );
    if file.exists() {
        return;
    }
    let row = |i: usize| vec![(i as f64 * 0.7).sin(), (i as f64 * 0.3).cos(), 4.];
    let rows: Vec<Vec<f64>> = (0..80).map(row).collect();
    let anomalies: Vec<Vec<f64>> = (0..10)
        .map(|i| vec![2. + 0.1 * f64::from(i), -2., 4.])
        .collect();
    let mut config: FitConfig = serde_json::from_str(
        r#"{"network": {"explicit": {"mlp": {"inputs": 3, "hidden": [6], "latent": 2}}},
            "method": "PUSVDD"}"#,
    )
    .unwrap();
    config.train.epochs = 3;
    config.train.batch_size = 16;
    let named = |rows: &Vec<Vec<f64>>| {
        let samples = rows.into_samples().unwrap();
        samples.with_names(&["sine", "cosine", "constant"]).unwrap()
    };
    let estimator = Estimator::new(config);
    let detector = estimator.fit(named(&rows), named(&anomalies)).unwrap();
    detector.save(file).unwrap();
    let rows = [&rows[..4], &anomalies[..4]].concat();
    let expected = Expected {
        scores: detector.score(&rows).unwrap(),
        probabilities: detector.predict_proba(&rows).unwrap(),
        threshold: detector.threshold(),
        rows,
    };
    std::fs::write(text, serde_json::to_string_pretty(&expected).unwrap()).unwrap();
}
