use crate::checkpoint::{CheckpointError, fail_next_write_at};
use crate::data::glyphs::{self, GlyphConfig};
use crate::data::toy::{self, ToyConfig};
use crate::data::{ImageShape, PuDataset, Samples};
use crate::method::Method;
use crate::train::{EpochReport, Observer, Phase, StopReason, TrainConfig};
use crate::{Error, Estimator, FitConfig, FittedDetector, Result};
use candle_core::Device;
use std::ops::ControlFlow;
use std::path::Path;

fn points(seed: u64) -> PuDataset {
    let config = ToyConfig {
        normals: 60,
        unlabeled_anomalies: 8,
        labeled_anomalies: 8,
        ..Default::default()
    };
    toy::generate(&config, seed)
        .unwrap()
        .dataset(&Device::Cpu)
        .unwrap()
}

/// Images, for batch norm's statistics.
fn images() -> PuDataset {
    let config = GlyphConfig {
        size: 12,
        train_per_class: 4,
        test_per_class: 1,
    };
    let set = glyphs::generate(&config, 0).unwrap();
    let shape = ImageShape {
        channels: 1,
        height: 12,
        width: 12,
    };
    let train = Samples::images(&set.train, shape).unwrap();
    let test = Samples::images(&set.test, shape).unwrap();
    PuDataset::new(train).unwrap().with_anomalies(test).unwrap()
}

fn config(method: Method, epochs: usize) -> FitConfig {
    let train = TrainConfig {
        epochs,
        batch_size: 16,
        ..FitConfig::default().train
    };
    FitConfig {
        method: Some(method),
        train,
        ..Default::default()
    }
}

/// Stops at an epoch of a phase, and counts what it sees.
#[derive(Default)]
struct Stop {
    phase: Option<Phase>,
    at: Option<(Phase, usize)>,
    seen: usize,
}

impl Observer for Stop {
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        self.seen += 1;
        match self.at {
            Some((phase, epoch)) if self.phase == Some(phase) && report.epoch == epoch => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
    fn on_phase(&mut self, phase: Phase) {
        self.phase = Some(phase);
    }
}

fn run(
    config: &FitConfig,
    data: &PuDataset,
    path: &Path,
    stop: &mut Stop,
) -> Result<FittedDetector> {
    Estimator::new(config.clone())
        .with_checkpoints(path, 2)
        .with_observer(stop)
        .fit_dataset(data)
}

fn whole(config: &FitConfig, data: &PuDataset) -> FittedDetector {
    Estimator::new(config.clone()).fit_dataset(data).unwrap()
}

/// Parameters, statistics, scores and history, but for its times, bit for bit.
fn assert_same(a: &FittedDetector, b: &FittedDetector, data: &PuDataset) {
    let values = |d: &FittedDetector| -> Vec<(String, Vec<u32>)> {
        let params = d.network_model().unwrap().params();
        let vars = params.parameters().into_iter().chain(params.buffers());
        let bits = |v: candle_core::Var| -> Vec<u32> {
            let flat = v.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            flat.iter().map(|x| x.to_bits()).collect()
        };
        vars.map(|(name, var)| (name, bits(var))).collect()
    };
    assert!(values(a) == values(b), "parameters differ");
    assert_eq!(
        a.score(data.unlabeled()).unwrap(),
        b.score(data.unlabeled()).unwrap()
    );
    let timeless = |d: &FittedDetector| {
        let mut history = d.history().clone();
        let pretraining = history.pretraining.iter_mut().flat_map(|h| &mut h.epochs);
        let epochs = pretraining.chain(&mut history.training.epochs);
        epochs.for_each(|report| report.seconds = 0.);
        history
    };
    assert_eq!(timeless(a), timeless(b));
}

#[test]
fn stopped_runs_end_as_if_they_had_not_been() {
    for (method, data) in [
        (Method::PUDAE, points(0)),
        (Method::PUSVDD, points(0)),
        (Method::PUSVDD, images()),
        (Method::PU, images()),
    ] {
        let config = config(method, 7);
        let expected = whole(&config, &data);
        for epoch in [1, 4, 7] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("run");
            let mut stop = Stop {
                at: Some((Phase::Training, epoch)),
                ..Default::default()
            };
            let early = run(&config, &data, &path, &mut stop).unwrap();
            assert_eq!(early.history().training.stopped, StopReason::Observer);
            let mut rest = Stop::default();
            let resumed = run(&config, &data, &path, &mut rest).unwrap();
            assert_eq!(rest.seen, 7 - epoch);
            assert_same(&resumed, &expected, &data);
        }
    }
}

#[test]
fn pretraining_is_resumed_too() {
    let (config, data) = (config(Method::DEEP_SAD, 5), images());
    let expected = whole(&config, &data);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let mut stop = Stop {
        at: Some((Phase::Pretraining, 3)),
        ..Default::default()
    };
    let err = run(&config, &data, &path, &mut stop).unwrap_err();
    assert!(
        matches!(err, Error::PretrainingStopped { epoch: 3 }),
        "{err}"
    );
    let mut rest = Stop::default();
    let resumed = run(&config, &data, &path, &mut rest).unwrap();
    assert_eq!(rest.seen, 2 + 5);
    assert_same(&resumed, &expected, &data);
}

/// Killed between any two steps of any write, a run loses no more than the epochs since the
/// write before, and ends as if it had not been killed.
#[test]
fn killed_runs_end_as_if_they_had_not_been() {
    let (config, data) = (config(Method::PUSVDD, 5), points(1));
    let expected = whole(&config, &data);
    for writes in 0..6 {
        for step in 0..5 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("run");
            fail_next_write_at(writes, step);
            let err = run(&config, &data, &path, &mut Stop::default()).unwrap_err();
            assert!(
                matches!(err.cause(), Some(CheckpointError::Write { .. })),
                "{err}"
            );
            let mut rest = Stop::default();
            let resumed = run(&config, &data, &path, &mut rest).unwrap();
            // Writes come after epochs 2, 4 and 5 of each phase.
            let before = [0, 2, 4, 5, 7, 9];
            let saved = before[writes]
                + if step < 4 {
                    0
                } else {
                    [2, 2, 1, 2, 2, 1][writes]
                };
            assert_eq!(rest.seen, 10 - saved, "{writes} {step}");
            assert_same(&resumed, &expected, &data);
        }
    }
}

#[test]
fn a_finished_run_is_not_run_again_but_may_be_prolonged() {
    let data = points(2);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let short = config(Method::PUAE, 3);
    let first = run(&short, &data, &path, &mut Stop::default()).unwrap();
    let mut again = Stop::default();
    assert_same(
        &run(&short, &data, &path, &mut again).unwrap(),
        &first,
        &data,
    );
    assert_eq!(again.seen, 0);

    let long = config(Method::PUAE, 8);
    let prolonged = run(&long, &data, &path, &mut again).unwrap();
    assert_eq!(again.seen, 5);
    assert_same(&prolonged, &whole(&long, &data), &data);
}

#[test]
fn a_run_that_lost_patience_stays_ended() {
    let data = points(3);
    let mut config = config(Method::PUAE, 60);
    config.train.patience = Some(1);
    config.train.adam.learning_rate = 0.05;
    let expected = whole(&config, &data);
    assert_eq!(expected.history().training.stopped, StopReason::Patience);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    for _ in 0..2 {
        let detector = run(&config, &data, &path, &mut Stop::default()).unwrap();
        assert_same(&detector, &expected, &data);
    }
}

#[test]
fn files_of_other_runs_are_refused() {
    let (base, data) = (config(Method::PUAE, 3), points(4));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    run(&base, &data, &path, &mut Stop::default()).unwrap();
    let changed = |change: fn(&mut FitConfig)| {
        let mut config = base.clone();
        change(&mut config);
        config
    };
    for (expected, config, data) in [
        (
            "label",
            changed(|c| c.prior = crate::ClassPrior::new(0.3).unwrap()),
            &data,
        ),
        ("label", changed(|c| c.method = Some(Method::ABC)), &data),
        (
            "training configuration",
            changed(|c| c.train.batch_size = 8),
            &data,
        ),
        (
            "training configuration",
            changed(|c| c.train.seed = 1),
            &data,
        ),
        (
            "and larger number of epochs",
            changed(|c| c.train.epochs = 2),
            &data,
        ),
        ("data set", base.clone(), &points(5)),
    ] {
        let err = run(&config, data, &path, &mut Stop::default()).unwrap_err();
        assert!(
            matches!(err.cause(), Some(CheckpointError::OtherRun { what, .. })
                if *what == expected),
            "{expected}: {err}"
        );
    }
    let err = Estimator::new(base)
        .with_checkpoints(&path, 0)
        .fit_dataset(&data)
        .unwrap_err();
    assert!(matches!(err, Error::Config { name: "every", .. }));
}

#[test]
fn damaged_files_are_errors_not_fresh_starts() {
    let (config, data) = (config(Method::AE, 2), points(6));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    run(&config, &data, &path, &mut Stop::default()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let err = run(&config, &data, &path, &mut Stop::default()).unwrap_err();
    assert!(
        matches!(err.cause(), Some(CheckpointError::Malformed { .. })),
        "{err}"
    );
}
