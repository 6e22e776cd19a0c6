//! Files of every format version so far keep loading.
//!
//! `detector-v7.safetensors` and `detector-v7.json` were written by the ignored test below, as those of
//! earlier formats: `cargo test --release --test golden -- --ignored`. A new format version adds a pair; an old pair
//! is never written again.

use std::path::{Path, PathBuf};

use puad::candle_core::Device;
use puad::data::table::{Column, Group, Table};
use puad::encoding::{Beyond, Gaps};
use puad::estimator::{IntoInput, Warning};
use puad::{Estimator, FitConfig, FittedDetector};
use serde::{Deserialize, Serialize};

/// What the detector gave when it was saved.
#[derive(Serialize, Deserialize)]
struct Expected {
    /// None of a detector of tables, whose rows are those of [`table`].
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
    let input = match expected.rows.as_slice() {
        [] => table().into_input().unwrap(),
        rows => rows.into_input().unwrap(),
    };
    let scores = detector.score(&input).unwrap();
    assert!(close(&scores, &expected.scores), "{scores:?}");
    let probabilities = detector.predict_proba(&input).unwrap();
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

/// Words, times, truth values and gaps, of which every eighth row is a labeled anomaly.
fn table() -> Table {
    let all = 0..80usize;
    let wave = |i: usize| (i as f64 * 0.7).sin();
    let anomalous = |i: usize| i.is_multiple_of(8);
    let amount = |i: usize| {
        (i % 11 != 3).then(|| 50. + 40. * wave(i) + if anomalous(i) { 900. } else { 0. })
    };
    let words = ["DE", "FR", "AT", "", "a word, with a comma"];
    let labels = all.clone().map(|i| {
        if anomalous(i) {
            Group::Anomalous
        } else {
            Group::Unlabeled
        }
    });
    let columns = [
        ("amount", Column::numbers(all.clone().map(amount))),
        (
            "country",
            Column::words(all.clone().map(|i| Some(words[i * i % 5]))),
        ),
        (
            "online",
            Column::from(all.clone().map(|i| i.is_multiple_of(3)).collect::<Vec<_>>()),
        ),
        (
            "at",
            Column::Times(all.map(|i| 1.76e9 + 4000. * i as f64).collect()),
        ),
    ];
    Table::new(columns)
        .unwrap()
        .with_labels(labels.collect())
        .unwrap()
}

#[test]
fn a_table_s_versions_load() {
    let detector = load(6);
    // Given then, and 0.1 where nothing was said.
    assert_eq!(detector.decision_prior().get(), 0.1);
    assert_eq!(detector.prior_estimate(), None);
    has_columns(&detector);
    let detector = load(7);
    let estimate = detector.prior_estimate().unwrap();
    // Half a sample of 70 at least.
    assert_eq!(
        detector.decision_prior().get(),
        estimate.alpha.get().max(0.5 / 70.)
    );
    assert_eq!(detector.out_of_fold().unwrap().folds, 2);
    has_columns(&detector);
}

fn has_columns(detector: &FittedDetector) {
    let encoding = detector.encoding().unwrap();
    assert_eq!(encoding.columns(), ["amount", "country", "online", "at"]);
    let names = encoding.names();
    for name in [
        "amount (logarithm)",
        "amount (missing)",
        "country=FR",
        "at (hour, sine)",
    ] {
        assert!(names.iter().any(|of| of == name), "{name} of {names:?}");
    }
}

#[test]
#[ignore = "writes the fixture of the current format version"]
fn write() {
    let (file, text) = (
        fixture("detector-v7.safetensors"),
        fixture("detector-v7.json"),
    );
    if file.exists() {
        return;
    }
    let table = table();
    let mut config = FitConfig {
        method: Some(puad::method::Method::PUSVDD),
        folds: Some(2),
        ..FitConfig::default()
    };
    config.train.epochs = 3;
    config.train.batch_size = 16;
    config.encoding.all.gaps = Gaps::Fill;
    config.encoding.column("amount").logarithm = true;
    config.encoding.column("at").hour = true;
    let country = config.encoding.column("country");
    (country.one_hot, country.beyond) = (2, Beyond::Hashed(2));
    let detector = Estimator::new(config).fit_table(&table).unwrap();
    detector.save(file).unwrap();
    let expected = Expected {
        rows: vec![],
        scores: detector.score(&table).unwrap(),
        probabilities: detector.predict_proba(&table).unwrap(),
        threshold: detector.threshold(),
    };
    std::fs::write(text, serde_json::to_string_pretty(&expected).unwrap()).unwrap();
}
