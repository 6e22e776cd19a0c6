//! What a stranger's detector and objective get of the short path: all that PUAE gets.

mod stranger;

use std::any::Any;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use puad::candle_core::{DType, Device, Tensor};
use puad::data::PuDataset;
use puad::data::stream::TableReader;
use puad::estimator::{Architecture, Attribution, Explanation, Threshold};
use puad::method::{Method, Registry};
use puad::metrics::auroc;
use puad::model::{Fitted, Learned, ModelSpec, ModelState, StoredModel, Task};
use puad::net::Network;
use puad::objective::PuSpec;
use puad::spec::Specification;
use puad::train::{EpochReport, FitHistory, OtherRun, StopReason};
use puad::{Error, Estimator, FitConfig, FittedDetector};
use serde::{Deserialize, Serialize};
use stranger::{MarginSpec, MaskedSpec};

const FOLDER: &str = "PUAD_TEST_STRANGER";

/// Three features that hang together, in units of their own; an anomaly breaks one of them.
fn rows(n: usize, broken: Option<usize>) -> Vec<Vec<f64>> {
    let row = |i: usize| {
        let t = i as f64 * 0.37 + n as f64;
        let mut row = vec![1000. * t.sin(), t.sin() + 5., 0.01 * t.sin()];
        if let Some(j) = broken {
            row[j] += [3000., 3., 0.03][j];
        }
        row
    };
    (0..n).map(row).collect()
}

fn method() -> Method {
    Method::new(MaskedSpec { hidden: Some(16) }, MarginSpec {})
}

fn config(epochs: usize) -> FitConfig {
    let method = Some(method());
    let mut config = FitConfig {
        method,
        ..FitConfig::default()
    };
    config.train.epochs = epochs;
    config.train.batch_size = 32;
    config.train.patience = None;
    config.train.adam.learning_rate = 1e-2;
    config.prior = puad::ClassPrior::default().into();
    config
}

fn fit(estimator: Estimator<'_>) -> FittedDetector {
    let unlabeled = [rows(300, None), rows(10, Some(0))].concat();
    estimator.fit(&unlabeled, rows(20, Some(0))).unwrap()
}

fn known() -> Registry {
    let detectors = Registry::default().with_detector::<MaskedSpec>();
    let all = detectors.and_then(Registry::with_objective::<MarginSpec>);
    all.unwrap()
}

#[test]
fn all_in_at_most_80_lines() {
    let lines = include_str!("stranger/mod.rs").lines().count();
    assert!(lines <= 80, "{lines}");
}

#[test]
fn scaling_threshold_probabilities_and_separation() {
    let mut detector = fit(Estimator::new(config(40)));
    assert_eq!(detector.method().to_string(), "masked/margin");
    assert_eq!(detector.scaler().unwrap().scale().len(), 3);
    let new = [rows(200, None), rows(50, Some(1))].concat();
    let truth: Vec<bool> = (0..new.len()).map(|i| i >= 200).collect();
    let scores = detector.score(&new).unwrap();
    // A feature broken that was whole in every labeled anomaly.
    assert!(auroc(&scores, &truth).unwrap() > 0.99);
    let probabilities = detector.predict_proba(&new).unwrap();
    assert!(probabilities[0] < 0.1 && probabilities[249] > 0.5);
    detector.set_threshold(Threshold::Quantile(0.95)).unwrap();
    let flagged = detector.predict(&new).unwrap();
    let found = flagged[200..].iter().filter(|f| **f).count();
    assert!(found >= 48, "{found} of 50");
    // It trains under the crate's objectives as well.
    let method = Some(Method::new(MaskedSpec::default(), PuSpec::default()));
    let config = FitConfig {
        method,
        ..config(5)
    };
    assert_eq!(
        fit(Estimator::new(config)).method().to_string(),
        "masked/pu"
    );
}

#[test]
fn early_stopping() {
    let mut config = config(500);
    config.train.patience = Some(3);
    let history = fit(Estimator::new(config)).history().training.clone();
    assert_eq!(history.stopped, StopReason::Patience);
    assert_eq!(history.epochs.len(), history.best_epoch + 3);
}

#[test]
fn files_and_what_a_registry_must_know() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("masked.safetensors");
    let detector = fit(Estimator::new(config(3)));
    detector.save(&path).unwrap();
    let loaded = FittedDetector::load_with(&path, &Device::Cpu, &known()).unwrap();
    let new = rows(50, Some(2));
    assert_eq!(loaded.score(&new).unwrap(), detector.score(&new).unwrap());
    assert_eq!(
        loaded.predict_proba(&new).unwrap(),
        detector.predict_proba(&new).unwrap()
    );
    assert_eq!(*loaded.method(), method());
    let explained = |d: &FittedDetector| {
        let shares = d.explain(&new).unwrap().attribution;
        shares.to_vec2::<f32>().unwrap()
    };
    assert_eq!(explained(&loaded), explained(&detector));

    let err = FittedDetector::load(&path, &Device::Cpu).unwrap_err();
    assert!(
        matches!(&err, Error::UnknownSpecification { kind: "detector", name } if name == "masked"),
        "{err}"
    );
    let half = Registry::default().with_detector::<MaskedSpec>().unwrap();
    let err = FittedDetector::load_with(&path, &Device::Cpu, &half).unwrap_err();
    assert!(
        matches!(&err, Error::UnknownSpecification { kind: "objective", name } if name == "margin"),
        "{err}"
    );
}

/// Whatever the shape of a sample: no network of the crate's has anything to say about it.
#[test]
fn samples_that_no_network_of_the_crate_s_suits() {
    for shape in [&[5, 3][..], &[1, 27, 27]] {
        let samples = |n: usize, shift: f64| {
            let size: usize = shape.iter().product();
            let value = |i: usize| (i as f64 * 0.7).sin() + shift;
            let values: Vec<f64> = (0..n * size).map(value).collect();
            let dims = [&[n], shape].concat();
            Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
        };
        let estimator = Estimator::new(config(2));
        let mut detector = estimator.fit(samples(20, 0.), samples(8, 3.)).unwrap();
        detector.set_threshold(Threshold::Quantile(0.5)).unwrap();
        assert_eq!(detector.sample_shape(), shape);
        let model = detector.network_model().unwrap();
        assert!(model.network().is_none());

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("masked.safetensors");
        detector.save(&path).unwrap();
        let loaded = FittedDetector::load_with(&path, &Device::Cpu, &known()).unwrap();
        let new = samples(6, 1.);
        assert_eq!(loaded.score(&new).unwrap(), detector.score(&new).unwrap());
        assert_eq!(
            loaded.predict(&new).unwrap(),
            detector.predict(&new).unwrap()
        );
        assert_eq!(loaded.sample_shape(), shape);
        let model = loaded.network_model().unwrap();
        assert!(model.network().is_none());
    }
}

#[test]
fn a_network_for_a_detector_with_layers_of_its_own_is_an_error() {
    let network = Network::for_samples(&[3]).unwrap();
    let mut started = 0;
    let mut count = |_: &EpochReport| {
        started += 1;
        ControlFlow::Continue(())
    };
    let config = FitConfig {
        network: Architecture::Explicit(network),
        ..config(2)
    };
    let estimator = Estimator::new(config).with_observer(&mut count);
    let err = estimator
        .fit(rows(30, None), rows(20, Some(0)))
        .unwrap_err();
    assert!(
        matches!(&err, Error::Config { name: "network", rule, .. } if rule.contains("of its own")),
        "{err}"
    );
    assert_eq!(started, 0);
}

/// A model that is nothing without labeled anomalies; it is never fitted here.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct NeedySpec {}

impl Specification for NeedySpec {
    const NAME: &'static str = "needy";
}

impl ModelSpec for NeedySpec {
    fn fit(&self, _: Task<'_>) -> puad::Result<Learned> {
        panic!("fitted without anomalies")
    }

    fn read(&self, _: &mut StoredModel, _: &[usize], _: &Device) -> puad::Result<Arc<dyn Fitted>> {
        panic!("no file was written")
    }

    fn uses_anomalies(&self) -> bool {
        true
    }
}

#[test]
fn a_model_that_needs_anomalies_is_refused_without() {
    let unlabeled = rows(30, None).concat();
    let unlabeled = Tensor::from_vec(unlabeled, (30, 3), &Device::Cpu).unwrap();
    let data = PuDataset::new(unlabeled).unwrap();
    let config = FitConfig {
        method: Some(Method::from(NeedySpec {})),
        ..FitConfig::default()
    };
    let err = Estimator::new(config).fit_dataset(&data).unwrap_err();
    let (what, group) = ("the model", "anomalous");
    assert!(
        matches!(&err, Error::EmptyGroup { what: w, group: g } if (*w, *g) == (what, group)),
        "{err}"
    );
}

#[test]
fn who_uses_anomalies_is_asked_of_the_objective() {
    assert!(method().uses_anomalies().unwrap());
    assert!(!Method::LOE.uses_anomalies().unwrap());
    assert!(Method::SOEL.uses_anomalies().unwrap());
    assert!(Method::from(NeedySpec {}).uses_anomalies().unwrap());
    assert!(!Method::ISOLATION_FOREST.uses_anomalies().unwrap());
    let json = r#"{"detector": "masked", "objective": "margin"}"#;
    let unresolved: Method = serde_json::from_str(json).unwrap();
    let err = unresolved.uses_anomalies().unwrap_err();
    assert!(
        matches!(&err, Error::UnknownSpecification { kind: "objective", name } if name == "margin"),
        "{err}"
    );
}

#[test]
fn a_configuration_from_json_needs_the_registry() {
    let mut config = config(2);
    let json = serde_json::to_value(&config).unwrap();
    let expected = serde_json::json!({
        "detector": {"masked": {"hidden": 16}}, "objective": "margin",
    });
    assert_eq!(json["method"], expected);
    config = serde_json::from_value(json).unwrap();
    let rows = rows(100, None);
    let err = Estimator::new(config.clone())
        .fit(&rows, &rows)
        .unwrap_err();
    assert!(
        matches!(&err, Error::UnknownSpecification { kind: "detector", name } if name == "masked"),
        "{err}"
    );
    let detector = fit(Estimator::new(config).with_registry(known()));
    assert_eq!(*detector.method(), method());
    assert_eq!(detector.config().method, Some(method()));
    assert_eq!(known().parse("masked/pu").unwrap().to_string(), "masked/pu");
}

#[test]
fn streamed_scores() {
    let detector = fit(Estimator::new(config(3)));
    let new = rows(100, Some(1));
    let line = |row: &Vec<f64>| format!("{},{},{}\n", row[0], row[1], row[2]);
    let text: String = new.iter().map(line).collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.csv");
    std::fs::write(&path, format!("a,b,c\n{text}")).unwrap();
    let mut streamed = Vec::new();
    let table = TableReader::open(&path).unwrap();
    let scored = detector.score_table(table, |rows| {
        streamed.extend_from_slice(&rows.found.scores);
        ControlFlow::Continue(())
    });
    assert_eq!(scored.unwrap().rows, 100);
    assert_eq!(streamed, detector.score(&new).unwrap());
}

#[test]
fn an_explanation_points_at_the_broken_feature() {
    let detector = fit(Estimator::new(config(40)));
    for broken in 0..3 {
        let explanation = detector.explain(rows(30, Some(broken))).unwrap();
        assert_eq!(explanation.kind, Attribution::Occlusion);
        let shares = explanation.attribution.to_vec2::<f32>().unwrap();
        let largest = |row: &Vec<f32>| {
            let by_share = |a: &usize, b: &usize| row[*a].total_cmp(&row[*b]);
            (0..3).max_by(by_share).unwrap()
        };
        let right = shares.iter().filter(|row| largest(row) == broken).count();
        assert!(right >= 27, "feature {broken}: {right} of 30");
    }
}

/// Where the process to kill begins; started by itself it has nothing to do.
#[test]
fn victim() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let path = Path::new(&folder).join("run");
        // Slow enough to be killed on the way.
        let mut slow = |_: &EpochReport| {
            std::thread::sleep(Duration::from_millis(50));
            ControlFlow::Continue(())
        };
        let estimator = Estimator::new(config(40)).with_checkpoints(path, 2);
        fit(estimator.with_observer(&mut slow));
    }
}

#[test]
fn resume_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["victim", "--exact", "--test-threads=1"])
        .env(FOLDER, dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "no file came");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let mut epochs = 0;
    let mut count = |_: &EpochReport| {
        epochs += 1;
        ControlFlow::Continue(())
    };
    let estimator = Estimator::new(config(40)).with_checkpoints(&path, 2);
    let resumed = fit(estimator.with_observer(&mut count));
    assert!((1..=38).contains(&epochs), "{epochs}");
    let whole = fit(Estimator::new(config(40)));
    let new = rows(50, Some(1));
    assert_eq!(resumed.score(&new).unwrap(), whole.score(&new).unwrap());
}

/// On the same data, and of the same network.
#[test]
fn another_setting_of_the_stranger_s_makes_another_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let run = |hidden| {
        let method = Some(Method::new(MaskedSpec { hidden }, MarginSpec {}));
        let config = FitConfig {
            method,
            ..config(2)
        };
        let unlabeled = [rows(300, None), rows(10, Some(0))].concat();
        let estimator = Estimator::new(config).with_checkpoints(&path, 1);
        estimator.fit(&unlabeled, rows(20, Some(0)))
    };
    run(None).unwrap();
    // 32 is what `None` comes to.
    let err = run(Some(32)).unwrap_err();
    assert!(
        matches!(err.cause(), Some(OtherRun { what, .. }) if *what == "label"),
        "{err}"
    );
}

/// The first feature, of a model that fails when it is to explain itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct FirstSpec {}

#[derive(Debug)]
struct First(Vec<usize>);

impl Specification for FirstSpec {
    const NAME: &'static str = "first";
}

impl ModelSpec for FirstSpec {
    fn fit(&self, task: Task<'_>) -> puad::Result<Learned> {
        let model = First(task.train.unlabeled().sample_shape());
        Ok(Learned::new(Arc::new(model), FitHistory::without_epochs()))
    }
    fn read(
        &self,
        _: &mut StoredModel,
        shape: &[usize],
        _: &Device,
    ) -> puad::Result<Arc<dyn Fitted>> {
        Ok(Arc::new(First(shape.into())))
    }
}

impl Fitted for First {
    fn score(&self, xs: &Tensor) -> puad::Result<Vec<f64>> {
        Ok(xs
            .narrow(1, 0, 1)?
            .flatten_all()?
            .to_dtype(DType::F64)?
            .to_vec1()?)
    }
    fn sample_shape(&self) -> Vec<usize> {
        self.0.clone()
    }
    fn explain(&self, _: &Tensor) -> puad::Result<Option<Explanation>> {
        Err(Error::NotCalibrated)
    }
    fn state(&self) -> puad::Result<ModelState> {
        Ok(ModelState::default())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What was trained is there, and in its file, whatever becomes of its explanations.
#[test]
fn a_model_that_fails_to_explain_itself_is_not_lost() {
    let method = Some(Method::from(FirstSpec {}));
    let detector = fit(Estimator::new(FitConfig {
        method,
        ..config(1)
    }));
    let new = rows(9, None);
    assert_eq!(detector.score(&new).unwrap().len(), 9);
    // Its columns are explained by its scores.
    assert_eq!(detector.explain(&new).unwrap().attribution.dims(), [9, 3]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("first");
    detector.save(&path).unwrap();
    let known = Registry::default().with_model::<FirstSpec>().unwrap();
    let loaded = FittedDetector::load_with(&path, &Device::Cpu, &known).unwrap();
    assert_eq!(loaded.score(&new).unwrap(), detector.score(&new).unwrap());
}
