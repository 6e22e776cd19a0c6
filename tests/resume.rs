//! Runs that were stopped and go on, through the short path: as if they had not been stopped.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use puad::candle_core::{self, Device, Tensor};
use puad::candle_nn::{Module, VarBuilder};
use puad::checkpoint::CheckpointError;
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::toy::{self, ToyConfig};
use puad::data::{ImageShape, PuDataset, Samples};
use puad::detector::{AutoencoderSpec, Built, DetectorSpec};
use puad::method::Method;
use puad::net::{Mlp, MlpConfig, Network};
use puad::objective::{PuSpec, UnsupervisedObjective, UnsupervisedSpec};
use puad::spec::Specification;
use puad::train::{Checkpoints, EpochReport, Observer, OtherRun, Phase, StopReason, TrainConfig};
use puad::{
    ClassPrior, Error, Estimator, FitConfig, FittedDetector, NonNegativeLoss, Pass, Result,
};
use serde::{Deserialize, Serialize};

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
    let detector = AutoencoderSpec {
        pretraining_epochs: 5,
        ..AutoencoderSpec::default()
    };
    let pretrained = Method::new(detector, PuSpec::default());
    for (method, data) in [(Method::DEEP_SAD, images()), (pretrained, points(0))] {
        resumed_in_its_pretraining(&config(method, 5), &data);
    }
}

fn resumed_in_its_pretraining(config: &FitConfig, data: &PuDataset) {
    let expected = whole(config, data);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let mut stop = Stop {
        at: Some((Phase::Pretraining, 3)),
        ..Default::default()
    };
    let err = run(config, data, &path, &mut stop).unwrap_err();
    assert!(
        matches!(err, Error::PretrainingStopped { epoch: 3 }),
        "{err}"
    );
    let mut rest = Stop::default();
    let resumed = run(config, data, &path, &mut rest).unwrap();
    assert_eq!(rest.seen, 2 + 5);
    assert_same(&resumed, &expected, data);
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
            changed(|c| c.prior = ClassPrior::new(0.3).unwrap().into()),
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
            matches!(err.cause(), Some(OtherRun { what, .. }) if *what == expected),
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

/// Checkpoints set on the trainer are the estimator's as much as its own.
#[test]
fn checkpoints_of_a_customised_trainer_know_the_method_and_keep_their_label() {
    let data = points(7);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let run = |method: Method, label: &str| {
        let checkpoints = Checkpoints {
            label: label.into(),
            ..Checkpoints::new(&path)
        };
        Estimator::new(config(method, 2))
            .with_trainer(|trainer| trainer.with_checkpoints(checkpoints))
            .fit_dataset(&data)
    };
    run(Method::PUAE, "one").unwrap();
    run(Method::PUAE, "one").unwrap();
    for (method, label) in [
        (Method::ABC, "one"),
        (Method::PUAE, "two"),
        (Method::PUAE, ""),
    ] {
        let err = run(method, label).unwrap_err();
        assert!(
            matches!(err.cause(), Some(OtherRun { what: "label", .. })),
            "{label}: {err}"
        );
    }
    // The estimator's own come to the trainer that is customised.
    let estimator = Estimator::new(config(Method::PUAE, 2)).with_checkpoints(&path, 3);
    let other = dir.path().join("other");
    let moved = estimator.with_trainer(|trainer| {
        let set = trainer.checkpoints().cloned().expect("checkpoints");
        assert_eq!((&set.path, set.every), (&path, 3));
        let path = other.clone();
        trainer.with_checkpoints(Checkpoints { path, ..set })
    });
    moved.fit_dataset(&data).unwrap();
    assert!(other.exists());
}

/// `|f(x)|^2`, pre-trained in two phases.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct TwiceSpec {}

struct Squares(Mlp);

impl NonNegativeLoss for Squares {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(self.0.forward(xs)?.sqr()?.sum(1)?)
    }
}

impl Specification for TwiceSpec {
    const NAME: &'static str = "twice";
}

impl DetectorSpec for TwiceSpec {
    fn build(&self, _: &[usize], _: Option<&Network>, vb: VarBuilder<'_>) -> Result<Built> {
        let squares = Arc::new(Squares(Mlp::new(&MlpConfig::new([2, 8, 2]), vb)?));
        let shared = squares.clone();
        Ok(Built::shared(squares).with_pretraining(move |pretraining| {
            let objective = UnsupervisedObjective::new(shared.clone());
            let first = pretraining.fit(&objective)?;
            let second = pretraining.fit(&objective)?;
            // Mini-batches of its own: it starts lower, and goes on.
            assert!(second.epochs[0].validation_risk < first.epochs[0].validation_risk);
            Ok(second)
        }))
    }
}

/// Stops at the epoch that it sees as this one, counted over all phases.
struct At(usize, usize);

impl Observer for At {
    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        self.1 += 1;
        if self.0 == self.1 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[test]
fn two_phases_of_a_pretraining_are_two_runs() {
    let config = config(Method::new(TwiceSpec {}, UnsupervisedSpec {}), 3);
    let data = points(8);
    let expected = whole(&config, &data);
    let dir = tempfile::tempdir().unwrap();
    let fit = |path: &Path, at: &mut At| {
        let estimator = Estimator::new(config.clone()).with_checkpoints(path, 1);
        estimator.with_observer(at).fit_dataset(&data)
    };
    for stopped in 1..=10 {
        let path = dir.path().join(format!("run {stopped}"));
        let early = fit(&path, &mut At(stopped, 0));
        assert_eq!(early.is_err(), stopped <= 6, "{stopped}");
        let mut rest = At(usize::MAX, 0);
        let resumed = fit(&path, &mut rest).unwrap();
        assert_eq!(rest.1, 9usize.saturating_sub(stopped), "{stopped}");
        assert_same(&resumed, &expected, &data);
    }
}

/// A forest has nothing to go on from: it says so before any work, as it does of a network.
#[test]
fn a_forest_refuses_what_it_would_ignore() {
    let data = points(9);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let forest = || Estimator::new(config(Method::ISOLATION_FOREST, 2));
    let not_resumable = |fitted: Result<FittedDetector>| {
        let err = fitted.unwrap_err();
        let what = "an isolation forest";
        assert!(
            matches!(err, Error::NotResumable { what: w } if w == what),
            "{err}"
        );
    };
    not_resumable(forest().with_checkpoints(&path, 1).fit_dataset(&data));
    let own = forest().with_trainer(|t| t.with_checkpoints(Checkpoints::new(&path)));
    not_resumable(own.fit_dataset(&data));
    assert!(!path.exists());
    // Before the data are split, which these are too few for.
    let one = PuDataset::new(data.unlabeled().range(0, 1).unwrap()).unwrap();
    not_resumable(forest().with_checkpoints(&path, 1).fit_dataset(&one));
    let explicit = FitConfig {
        network: puad::estimator::Architecture::Explicit(Network::for_samples(&[2]).unwrap()),
        ..config(Method::ISOLATION_FOREST, 2)
    };
    let err = Estimator::new(explicit).fit_dataset(&one).unwrap_err();
    assert!(
        matches!(
            err,
            Error::Config {
                name: "network",
                ..
            }
        ),
        "{err}"
    );
    forest().fit_dataset(&data).unwrap();
}
