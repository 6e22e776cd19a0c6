//! The trainer: the same run per seed, early stopping, selection, divergence, missing groups.

use std::ops::ControlFlow;

use puad::candle_core::{DType, Device, Tensor};
use puad::candle_nn::Init;
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::protocol::{ContaminatedSplit, PuSplit};
use puad::data::{ImageShape, PuDataset};
use puad::detector::{Autoencoder, DeepSvdd, DenoisingAutoencoder};
use puad::net::{LeNetConfig, LeNetDecoder};
use puad::objective::{Objective, UnsupervisedObjective};
use puad::optim::AdamConfig;
use puad::train::{
    Batching, EpochReport, History, Selection, StopReason, TrainConfig, Trainer, fit_svdd,
};
use puad::{ClassPrior, Error, NonNegativeLoss, Params, Pass, PuObjective, Result, score_samples};

const SHAPE: ImageShape = ImageShape {
    channels: 1,
    height: 16,
    width: 16,
};

fn split() -> PuSplit {
    let config = GlyphConfig {
        train_per_class: 200,
        test_per_class: 20,
        ..GlyphConfig::default()
    };
    let protocol = ContaminatedSplit {
        unlabeled_normals: 150,
        unlabeled_anomalies: 20,
        labeled_anomalies: 20,
        ..ContaminatedSplit::new(3)
    };
    let images = glyphs::generate(&config, 0).unwrap();
    protocol.split(&images, SHAPE, 0).unwrap()
}

fn network(affine: bool) -> LeNetConfig {
    LeNetConfig {
        channels: 1,
        height: 16,
        width: 16,
        blocks: vec![4, 8, 8],
        latent: 16,
        affine,
        ..LeNetConfig::default()
    }
}

fn config(seed: u64) -> TrainConfig {
    TrainConfig {
        epochs: 2,
        batch_size: 32,
        seed,
        ..TrainConfig::default()
    }
}

/// Bits of the scores of a PUSVDD and a PUDAE trained with `seed`.
fn run(seed: u64, batching: Batching) -> (Vec<u64>, Vec<u64>) {
    let split = split();
    let (train, validation) = (&split.train, &split.validation);
    let config = TrainConfig {
        batching,
        ..config(seed)
    };
    let trainer = Trainer::new(config).unwrap();
    let alpha = ClassPrior::default();
    let bits = |detector: &dyn NonNegativeLoss| {
        let scores = score_samples(detector, &split.test.samples, 64, &Device::Cpu);
        scores.unwrap().into_iter().map(f64::to_bits).collect()
    };

    let params = Params::new(seed, DType::F32, &Device::Cpu);
    let svdd = DeepSvdd::lenet(&network(false), params.var_builder()).unwrap();
    let decoder = LeNetDecoder::new(&network(false), params.var_builder().pp("decoder")).unwrap();
    let objective = PuObjective::new(&svdd, alpha);
    fit_svdd(
        &trainer,
        &svdd,
        decoder,
        &objective,
        &params,
        train,
        validation,
        &mut (),
    )
    .unwrap();

    let params = Params::new(seed, DType::F32, &Device::Cpu);
    let plain = Autoencoder::lenet(&network(true), params.var_builder()).unwrap();
    let pudae = PuObjective::new(DenoisingAutoencoder::new(plain, 0.1).unwrap(), alpha);
    trainer
        .fit(&pudae, &params, train, validation, &mut ())
        .unwrap();
    (bits(&svdd), bits(pudae.detector()))
}

#[test]
fn the_same_seed_gives_the_same_run_bit_for_bit() {
    for batching in [Batching::Pooled, Batching::Stratified] {
        let first = run(1, batching);
        assert_eq!(first, run(1, batching));
        let other = run(2, batching);
        assert!(first.0 != other.0 && first.1 != other.1);
    }
}

/// `l = (x - w)^2` on numbers: descends towards the mean of `U`.
struct Distance {
    w: Tensor,
}

impl NonNegativeLoss for Distance {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(xs.broadcast_sub(&self.w)?.sqr()?.sum(1)?)
    }
}

fn column(values: &[f32]) -> Tensor {
    let t = Tensor::new(values, &Device::Cpu).unwrap();
    t.unsqueeze(1).unwrap()
}

fn distance(start: f64) -> (Distance, Params) {
    let params = Params::new(0, DType::F32, &Device::Cpu);
    let w = params
        .var_builder()
        .get_with_hints(1, "w", Init::Const(start));
    (Distance { w: w.unwrap() }, params)
}

fn w(params: &Params) -> f32 {
    params.get("w").unwrap().to_vec1::<f32>().unwrap()[0]
}

fn fast(epochs: usize, patience: Option<usize>) -> Trainer {
    let adam = AdamConfig {
        learning_rate: 0.1,
        ..AdamConfig::default()
    };
    let config = TrainConfig {
        epochs,
        patience,
        adam,
        ..TrainConfig::default()
    };
    Trainer::new(config).unwrap()
}

fn unlabeled(values: &[f32]) -> PuDataset {
    PuDataset::new(column(values)).unwrap()
}

/// Trains `w` from 0 towards 1 while validation wants 0.35: the best epoch is among the first.
fn overshoot(patience: Option<usize>) -> (History, f32) {
    let (detector, params) = distance(0.);
    let objective = UnsupervisedObjective::new(detector);
    let (train, validation) = (unlabeled(&[1.; 4]), unlabeled(&[0.35; 4]));
    let trainer = fast(12, patience);
    let history = trainer.fit(&objective, &params, &train, &validation, &mut ());
    (history.unwrap(), w(&params))
}

#[test]
fn the_best_epoch_is_kept_and_patience_ends_the_run() {
    let (all, w_all) = overshoot(None);
    assert_eq!((all.epochs.len(), all.stopped), (12, StopReason::Epochs));
    let best = all.best_epoch;
    assert!((2..=5).contains(&best), "{best}");
    let lowest = all.epochs.iter().map(|e| e.validation_risk);
    let lowest = lowest.fold(f64::INFINITY, f64::min);
    assert_eq!(all.epochs[best - 1].validation_risk, lowest);
    assert!((w_all - 0.35).abs() < 0.1);
    assert!(all.epochs[best - 1].best);

    let (stopped, w_stopped) = overshoot(Some(3));
    assert_eq!(stopped.stopped, StopReason::Patience);
    assert_eq!((stopped.best_epoch, stopped.epochs.len()), (best, best + 3));
    assert_eq!(w_stopped, w_all);
}

#[test]
fn an_observer_sees_every_epoch_and_can_stop() {
    let (detector, params) = distance(0.);
    let objective = UnsupervisedObjective::new(detector);
    let data = unlabeled(&[1.; 4]);
    let mut seen = vec![];
    let mut observer = |report: &EpochReport| {
        assert!(report.seconds >= 0. && report.risk.is_finite());
        seen.push(report.epoch);
        match report.epoch {
            3 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    let trainer = fast(12, None);
    let history = trainer.fit(&objective, &params, &data, &data, &mut observer);
    let history = history.unwrap();
    assert_eq!(
        (history.stopped, history.best_epoch),
        (StopReason::Observer, 3)
    );
    assert_eq!(seen, [1, 2, 3]);
}

/// Becomes NaN once `w` passes a wall.
struct Wall {
    inner: Distance,
    training_only: bool,
}

impl NonNegativeLoss for Wall {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let l = self.inner.per_sample(xs, pass)?;
        let w = self.inner.w.to_vec1::<f32>()?[0];
        let applies = pass.is_training() || !self.training_only;
        Ok(if w > 0.25 && applies {
            (l * f64::NAN)?
        } else {
            l
        })
    }
}

#[test]
fn divergence_names_the_place_and_leaves_the_best_parameters() {
    for training_only in [true, false] {
        let (inner, params) = distance(0.);
        let objective = UnsupervisedObjective::new(Wall {
            inner,
            training_only,
        });
        let data = unlabeled(&[1.; 4]);
        let mut best = 0.;
        let mut observer = |_: &EpochReport| {
            best = w(&params);
            ControlFlow::Continue(())
        };
        let err = fast(12, None).fit(&objective, &params, &data, &data, &mut observer);
        match err.unwrap_err() {
            Error::Diverged {
                epoch: 4,
                batch: 1,
                risk,
            } => assert!(training_only && risk.is_nan()),
            Error::DivergedValidation { epoch: 3, risk } => {
                assert!(!training_only && risk.is_nan())
            }
            other => panic!("{other}"),
        }
        assert!(best > 0. && w(&params) == best, "{best} {}", w(&params));
    }
}

#[test]
fn selection_by_auroc_follows_the_labeled_anomalies() {
    let (detector, params) = distance(-3.);
    let objective = PuObjective::new(detector, ClassPrior::new(0.1).unwrap());
    let group = |u: &[f32], a: &[f32]| unlabeled(u).with_anomalies(column(a)).unwrap();
    let data = group(&[0., 0.1, 0.2, 0.3, 0.4, -0.1], &[3., 3.5]);
    let config = TrainConfig {
        epochs: 5,
        selection: Selection::PuAuroc,
        adam: AdamConfig {
            learning_rate: 0.5,
            ..AdamConfig::default()
        },
        ..TrainConfig::default()
    };
    let trainer = Trainer::new(config).unwrap();
    let history = trainer
        .fit(&objective, &params, &data, &data, &mut ())
        .unwrap();
    let aurocs: Vec<f64> = history.epochs.iter().map(|e| e.pu_auroc.unwrap()).collect();
    let highest = aurocs.iter().copied().fold(0., f64::max);
    assert_eq!(aurocs[history.best_epoch - 1], highest);
    assert_eq!(
        aurocs.iter().position(|&a| a == highest).unwrap() + 1,
        history.best_epoch
    );
}

#[test]
fn sets_without_a_group_that_training_needs_are_errors() {
    let plain = unlabeled(&[0., 1., 2.]);
    let labeled = plain.clone().with_anomalies(column(&[5.])).unwrap();
    let with_normals = labeled.clone().with_normals(column(&[0.])).unwrap();
    let fit = |train: &PuDataset, validation: &PuDataset, selection| {
        let (detector, params) = distance(0.);
        let objective = PuObjective::new(detector, ClassPrior::default());
        let config = TrainConfig {
            epochs: 1,
            selection,
            ..TrainConfig::default()
        };
        let trainer = Trainer::new(config).unwrap();
        trainer.fit(&objective, &params, train, validation, &mut ())
    };
    let cases = [
        (&plain, &labeled, "anomalous"),
        (&labeled, &plain, "anomalous"),
        (&with_normals, &labeled, "normal"),
    ];
    for (train, validation, expected) in cases {
        let err = fit(train, validation, Selection::Risk).unwrap_err();
        assert!(
            matches!(err, Error::EmptyGroup { group, .. } if group == expected),
            "{err}"
        );
    }
    let (detector, params) = distance(0.);
    let objective = UnsupervisedObjective::new(detector);
    let config = TrainConfig {
        selection: Selection::PuAuroc,
        ..TrainConfig::default()
    };
    let trainer = Trainer::new(config).unwrap();
    let err = trainer
        .fit(&objective, &params, &plain, &plain, &mut ())
        .unwrap_err();
    assert!(matches!(
        err,
        Error::EmptyGroup {
            group: "anomalous",
            ..
        }
    ));
}

#[test]
fn hyperparameters_outside_their_range_are_errors() {
    let good = TrainConfig::default();
    let bad = [
        (
            "epochs",
            TrainConfig {
                epochs: 0,
                ..good.clone()
            },
        ),
        (
            "batch_size",
            TrainConfig {
                batch_size: 1,
                ..good.clone()
            },
        ),
        (
            "patience",
            TrainConfig {
                patience: Some(0),
                ..good.clone()
            },
        ),
    ];
    for (expected, config) in bad {
        let err = Trainer::new(config).unwrap_err();
        assert!(matches!(err, Error::Config { name, .. } if name == expected));
    }
}

#[test]
fn a_config_survives_json_and_rejects_unknown_fields() {
    let config = config(7);
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<TrainConfig>(&text).unwrap(), config);
    assert_eq!(
        serde_json::from_str::<TrainConfig>("{}").unwrap(),
        TrainConfig::default()
    );
    let err = serde_json::from_str::<TrainConfig>(r#"{"epoch": 3}"#).unwrap_err();
    assert!(err.to_string().contains("unknown field `epoch`"), "{err}");
}
