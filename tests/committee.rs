//! Several methods as one, and what is taken where no method is named.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;

use puad::baseline::PuForestConfig;
use puad::candle_core::{DType, Device, Tensor};
use puad::data::PuDataset;
use puad::data::toy::{self, ToyConfig};
use puad::estimator::{IntoSamples, RefitConfig};
use puad::method::{Committee, Member, Method, Registry};
use puad::metrics::auroc;
use puad::model::{Fitted, Learned, ModelSpec, ModelState, StoredModel, Task};
use puad::net::{Architecture, MlpShape, Network};
use puad::spec::Specification;
use puad::train::{EpochReport, FitHistory, StopReason};
use puad::{ClassPrior, Error, Estimator, FitConfig, FittedDetector, Result};
use serde::{Deserialize, Serialize};

fn points(seed: u64) -> Vec<[f32; 2]> {
    let toy = toy::generate(&ToyConfig::default(), seed).unwrap();
    [toy.normals, toy.unlabeled_anomalies].concat()
}

fn labeled(n: usize) -> Vec<[f32; 2]> {
    let toy = toy::generate(&ToyConfig::default(), 9).unwrap();
    toy.labeled_anomalies[..n].to_vec()
}

fn config(method: impl Into<Method>, epochs: usize) -> FitConfig {
    let mut config = FitConfig {
        method: Some(method.into()),
        prior: ClassPrior::new(0.1).unwrap().into(),
        ..FitConfig::default()
    };
    config.train.epochs = epochs;
    config
}

fn forest() -> Method {
    let trees = 20;
    PuForestConfig {
        trees,
        ..PuForestConfig::default()
    }
    .into()
}

fn pair() -> Committee {
    Committee {
        members: vec![forest().into(), Method::PUAE.into()],
        folds: 3,
    }
}

fn fit(method: impl Into<Method>, epochs: usize, labels: usize) -> FittedDetector {
    let estimator = Estimator::new(config(method, epochs));
    estimator.fit(points(0), labeled(labels)).unwrap()
}

/// Scores 1 for what it was trained on as an anomaly, and the first feature, small, for all else.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct MemorySpec {}

#[derive(Debug)]
struct Memory(Vec<Vec<f32>>);

impl Specification for MemorySpec {
    const NAME: &'static str = "memory";
}

impl ModelSpec for MemorySpec {
    fn fit(&self, task: Task<'_>) -> Result<Learned> {
        let anomalies = task.train.anomalies().unwrap().to_tensor()?;
        let memory = Memory(anomalies.to_vec2()?);
        Ok(Learned::new(Arc::new(memory), FitHistory::without_epochs()))
    }
    fn read(&self, stored: &mut StoredModel, _: &[usize], _: &Device) -> Result<Arc<dyn Fitted>> {
        let rows = stored.take("rows", DType::F32)?;
        Ok(Arc::new(Memory(rows.to_vec2()?)))
    }
    fn uses_anomalies(&self) -> bool {
        true
    }
}

impl Fitted for Memory {
    fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        let score = |row: Vec<f32>| {
            if self.0.contains(&row) {
                1.
            } else {
                f64::from(row[0].tanh()) * 0.1
            }
        };
        Ok(xs.to_vec2()?.into_iter().map(score).collect())
    }
    fn sample_shape(&self) -> Vec<usize> {
        vec![2]
    }
    fn state(&self) -> Result<ModelState> {
        let tensors = [("rows".into(), Tensor::new(self.0.clone(), &Device::Cpu)?)].into();
        Ok(ModelState {
            tensors,
            ..ModelState::default()
        })
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Every labeled anomaly is learned from, and has a score by a fit that had not seen it.
#[test]
fn labeled_anomalies_are_held_out_a_fold_at_a_time() {
    let committee = Committee {
        members: vec![Method::from(MemorySpec {}).into()],
        folds: 4,
    };
    let detector = fit(committee, 1, 10);
    let scores = &detector.validation_scores().anomalies;
    assert_eq!(scores.len(), 10);
    let highest = detector
        .validation_scores()
        .unlabeled
        .last()
        .copied()
        .unwrap();
    // None of the fits that remember one scores it; together they do.
    assert!(scores.iter().all(|score| *score < highest), "{scores:?}");
    for score in detector.score(labeled(10)).unwrap() {
        assert!(score > 0.7 * 101f64.ln(), "{score}");
    }
    // As many folds as labels.
    let detector = fit(Committee::of([Method::from(MemorySpec {})]), 1, 3);
    assert_eq!(detector.validation_scores().anomalies.len(), 3);
}

/// The caller's own validation part stays held out.
#[test]
fn a_validation_part_of_the_caller_s_is_never_trained_on() {
    let data = |rows: Vec<[f32; 2]>, labels: &[[f32; 2]]| {
        PuDataset::new(rows.into_samples().unwrap())
            .unwrap()
            .with_anomalies(labels.into_samples().unwrap())
            .unwrap()
    };
    let all = labeled(12);
    let (train, validation) = (data(points(0), &all[..8]), data(points(1), &all[8..]));
    let config = config(Committee::of([Method::from(MemorySpec {})]), 1);
    let detector = Estimator::new(config)
        .fit_split(&train, &validation)
        .unwrap();
    let (seen, held) = all.split_at(8);
    assert_eq!(detector.validation_scores().anomalies.len(), 4);
    for score in detector.score(seen).unwrap() {
        assert!(score > 0.99 * 101f64.ln(), "{score}");
    }
    for score in detector.score(held).unwrap() {
        assert!(score < 0.7 * 101f64.ln(), "{score}");
    }
}

#[test]
fn known_and_unknown_kinds_are_found() {
    let detector = fit(pair(), 60, 20);
    let toy = toy::generate(&ToyConfig::default(), 1).unwrap();
    let rows = [toy.normals.clone(), toy.unlabeled_anomalies, toy.unseen].concat();
    let truth: Vec<bool> = (0..rows.len())
        .map(|row| row >= toy.normals.len())
        .collect();
    let found = auroc(&detector.score(&rows).unwrap(), &truth).unwrap();
    assert!(found > 0.97, "{found}");
    let members = detector.members(&rows).unwrap().unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!(members[0].method, forest());
    for member in &members {
        assert_eq!(member.weight, 0.5);
        assert_eq!(member.places.len(), rows.len());
        assert!(member.places.iter().all(|place| (0. ..=1.).contains(place)));
        assert!(auroc(&member.places, &truth).unwrap() > 0.9);
    }
    assert!(fit(Method::PUAE, 1, 20).members(&rows).unwrap().is_none());
    let none = detector.members(&rows[..0]).unwrap().unwrap();
    assert!(none.iter().all(|member| member.places.is_empty()));
}

#[test]
fn the_same_seed_is_the_same_committee_also_from_a_file() {
    let (detector, again) = (fit(pair(), 4, 10), fit(pair(), 4, 10));
    let new = points(3);
    let scores = detector.score(&new).unwrap();
    assert_eq!(scores, again.score(&new).unwrap());
    assert_eq!(detector.validation_scores(), again.validation_scores());
    // Alone as in company.
    for (row, score) in new.iter().zip(&scores).take(20) {
        assert_eq!(
            detector.score([*row]).unwrap()[0].to_bits(),
            score.to_bits()
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("committee");
    detector.save(&path).unwrap();
    let read = FittedDetector::load(&path, &Device::Cpu).unwrap();
    assert_eq!(read.score(&new).unwrap(), scores);
    assert_eq!(read.method(), detector.method());
    assert_eq!(read.validation_scores(), detector.validation_scores());
    let places = |detector: &FittedDetector| detector.members(&new).unwrap();
    assert_eq!(places(&read), places(&detector));
    // A default that was resolved reads as it was, too.
    let auto = fit(Method::Auto, 2, 10);
    auto.save(&path).unwrap();
    let read = FittedDetector::load(&path, &Device::Cpu).unwrap();
    assert_eq!(read.config().method, Some(Method::Auto));
    assert_eq!(read.score(&new).unwrap(), auto.score(&new).unwrap());
}

/// With a stranger's member, by the registry that knows it.
#[test]
fn a_stranger_s_member_is_read_by_its_registry() {
    let members = [Method::from(MemorySpec {}), Method::ISOLATION_FOREST];
    let detector = fit(Committee::of(members), 1, 6);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("committee");
    detector.save(&path).unwrap();
    let error = FittedDetector::load(&path, &Device::Cpu).unwrap_err();
    assert!(
        matches!(&error, Error::UnknownSpecification { name, .. } if name == "memory"),
        "{error}"
    );
    let registry = Registry::default().with_model::<MemorySpec>().unwrap();
    let read = FittedDetector::load_with(&path, &Device::Cpu, &registry).unwrap();
    let new = labeled(20);
    assert_eq!(read.score(&new).unwrap(), detector.score(&new).unwrap());
}

#[test]
fn observers_see_all_fits_and_stop_them() {
    let mut epochs = vec![];
    let mut see = |report: &EpochReport| {
        epochs.push(report.epoch);
        ControlFlow::Continue(())
    };
    let estimator = Estimator::new(config(pair(), 3)).with_observer(&mut see);
    estimator.fit(points(0), labeled(10)).unwrap();
    epochs.sort_unstable();
    assert_eq!(epochs, [1, 1, 1, 2, 2, 2, 3, 3, 3]);

    let mut seen = 0;
    let mut stop = |_: &EpochReport| {
        seen += 1;
        ControlFlow::Break(())
    };
    let estimator = Estimator::new(config(pair(), 50)).with_observer(&mut stop);
    let detector = estimator.fit(points(0), labeled(10)).unwrap();
    assert_eq!(detector.history().training.stopped, StopReason::Observer);
    assert_eq!(detector.history().training.epochs.len(), 1);
    assert!((1..=3).contains(&seen), "{seen}");
}

#[test]
fn each_network_has_a_file_and_goes_on_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let run = |epochs| {
        let estimator = Estimator::new(config(pair(), epochs)).with_checkpoints(&path, 1);
        estimator.fit(points(0), labeled(10)).unwrap()
    };
    let whole = run(5);
    for (member, is_network) in [(0, false), (1, true), (2, false), (3, true), (5, true)] {
        let file = dir.path().join(format!("run.member-{member}"));
        assert_eq!(file.exists(), is_network, "{member}");
    }
    let new = points(3);
    assert_eq!(run(5).score(&new).unwrap(), whole.score(&new).unwrap());
    let plain = fit(pair(), 5, 10);
    assert_eq!(plain.score(&new).unwrap(), whole.score(&new).unwrap());
}

#[test]
fn what_is_taken_where_no_method_is_named() {
    let method = |shape: &[usize], labeled| Method::for_samples(shape, labeled).to_string();
    assert_eq!(method(&[30], true), "PUForest + PUAE");
    assert_eq!(method(&[30], false), "DAE + IF");
    assert_eq!(method(&[1, 28, 28], true), "PUSVDD");
    assert_eq!(method(&[1, 28, 28], false), "DeepSVDD");

    for (labels, kept) in [(2, 2), (3, 3), (4, 4), (20, 20)] {
        let detector = fit(Method::Auto, 2, labels);
        assert_eq!(detector.method().to_string(), "PUForest + PUAE");
        assert_eq!(detector.validation_scores().anomalies.len(), kept);
        assert!(detector.calibration().is_some());
    }
    let plain = FitConfig {
        method: None,
        ..config(Method::Auto, 2)
    };
    let (unlabeled, anomalies) = (points(0), labeled(10));
    let default = Estimator::new(plain.clone())
        .fit(&unlabeled, &anomalies)
        .unwrap();
    let new = points(3);
    let named = fit(Method::Auto, 2, 10);
    assert_eq!(default.score(&new).unwrap(), named.score(&new).unwrap());
    // Without labels.
    let data = PuDataset::new((&unlabeled).into_samples().unwrap()).unwrap();
    let detector = Estimator::new(plain.clone()).fit_dataset(&data).unwrap();
    assert_eq!(detector.method().to_string(), "DAE + IF");
    assert!(detector.calibration().is_none());
    // One label is too few to hold any out.
    let error = Estimator::new(plain)
        .fit(&unlabeled, labeled(1))
        .unwrap_err();
    assert!(matches!(error, Error::TooFewSamples { .. }), "{error}");
}

/// Anew: its fits have seen other folds than the review holds out.
#[test]
fn a_review_is_learned_from() {
    let data = PuDataset::new(points(0).into_samples().unwrap()).unwrap();
    let data = data
        .with_anomalies(labeled(6).into_samples().unwrap())
        .unwrap();
    let detector = Estimator::new(config(pair(), 5))
        .fit_dataset(&data)
        .unwrap();
    let hidden = points(0).len() - 10..points(0).len();
    let labels = hidden.map(|row| (row, puad::estimator::Label::Anomaly));
    let feedback = detector.feedback(&data, labels).unwrap();
    let refitted = detector.refit(&feedback, &RefitConfig::default()).unwrap();
    assert_eq!(refitted.method(), detector.method());
    assert_eq!(refitted.history().training.epochs.len(), 5);
    assert!(refitted.score(points(1)).unwrap() != detector.score(points(1)).unwrap());
}

#[test]
fn a_network_of_one_s_own_is_that_of_the_networks() {
    let shape = MlpShape {
        inputs: 2,
        hidden: vec![7],
        latent: 1,
    };
    let network = Architecture::Explicit(Network::Mlp(shape));
    let with = |method: Committee| FitConfig {
        network: network.clone(),
        ..config(method, 1)
    };
    let (unlabeled, anomalies) = (points(0), labeled(6));
    Estimator::new(with(pair()))
        .fit(&unlabeled, &anomalies)
        .unwrap();
    let trees = Committee::of([forest(), Method::ISOLATION_FOREST]);
    let error = Estimator::new(with(trees))
        .fit(&unlabeled, &anomalies)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Config {
                name: "network",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn committees_read_as_they_print() {
    let method: Method = "puforest + classifier/pu+IF".parse().unwrap();
    assert_eq!(method.to_string(), "PUForest + PU + IF");
    let weighed = Committee {
        members: vec![
            Member {
                weight: 0.25,
                prior: Some(ClassPrior::new(0.3).unwrap()),
                ..Method::PUSVDD.into()
            },
            forest().into(),
        ],
        folds: 7,
    };
    for method in [method, weighed.into(), Method::Auto] {
        let json = serde_json::to_string(&method).unwrap();
        assert_eq!(
            serde_json::from_str::<Method>(&json).unwrap(),
            method,
            "{json}"
        );
    }
    assert_eq!(serde_json::to_string(&Method::Auto).unwrap(), "\"Auto\"");
    let json = r#"{"committee": {"members": [{"method": "PUAE"}]}}"#;
    let method: Method = serde_json::from_str(json).unwrap();
    assert_eq!(method, Committee::of([Method::PUAE]).into());
}

#[test]
fn what_is_no_committee_is_named() {
    let member = |method: Method, weight| Member {
        weight,
        ..method.into()
    };
    let of = |members: Vec<Member>, folds| Committee { members, folds };
    let nested = Method::from(pair());
    for (name, committee) in [
        ("members", of(vec![], 5)),
        ("folds", of(vec![Method::PUAE.into()], 1)),
        ("weight", of(vec![member(Method::PUAE, 0.)], 5)),
        ("weight", of(vec![member(Method::PUAE, f64::NAN)], 5)),
        ("member", of(vec![nested.into()], 5)),
        ("member", of(vec![Method::Auto.into()], 5)),
    ] {
        let error = Method::from(committee).check().unwrap_err();
        assert!(
            matches!(&error, Error::Config { name: n, .. } if *n == name),
            "{name}: {error}"
        );
    }
    for name in ["PUAE +", "+", "PUAE + nothing"] {
        assert!(name.parse::<Method>().is_err(), "{name}");
    }
    // A member that needs labels, without any.
    let data = PuDataset::new(points(0).into_samples().unwrap()).unwrap();
    let error = Estimator::new(config(pair(), 1))
        .fit_dataset(&data)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::EmptyGroup {
                group: "anomalous",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn extreme_rows_are_scored_above_all_others() {
    let detector = fit(pair(), 5, 10);
    let scores = detector.score([[0f32, 0.], [1e30, -1e30]]).unwrap();
    assert!(scores.iter().all(|score| score.is_finite()));
    assert!(scores[1] > scores[0]);
}
