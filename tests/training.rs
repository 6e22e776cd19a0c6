//! The trainer: the same run per seed, early stopping, selection, divergence, missing groups.

mod common;

use common::device;
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use puad::candle_core::{DType, ModuleT, Tensor, Var};
use puad::candle_nn::Init;
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::protocol::{ContaminatedSplit, PuSplit};
use puad::data::{ImageShape, PuDataset};
use puad::detector::{Autoencoder, DeepSvdd, DenoisingAutoencoder};
use puad::method::{Assembly, Method};
use puad::net::{Architecture, LeNetConfig, LeNetDecoder, LeNetEncoder, Network};
use puad::objective::{Correction, GroupCounts, GroupLosses, Objective, UnsupervisedObjective};
use puad::optim::{AdamConfig, Gradients, Optimizer, OptimizerState};
use puad::testing::check_detector;
use puad::train::{
    Batching, EpochReport, History, Observer, Phase, Pretraining, Selection, StopReason,
    TrainConfig, Trainer,
};
use puad::{
    ClassPrior, Error, NonNegativeLoss, Params, Pass, PuObjective, Result, SampleLosses,
    candle_core, score_samples,
};

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

fn autoencoder(params: &Params) -> Autoencoder<LeNetEncoder, LeNetDecoder> {
    let (config, vb) = (network(true), params.var_builder());
    let encoder = LeNetEncoder::new(&config, vb.pp("encoder")).unwrap();
    Autoencoder::new(
        encoder,
        LeNetDecoder::new(&config, vb.pp("decoder")).unwrap(),
    )
}

fn svdd(params: &Params) -> DeepSvdd<LeNetEncoder> {
    let (config, vb) = (network(false), params.var_builder());
    let encoder = LeNetEncoder::new(&config, vb.pp("encoder")).unwrap();
    DeepSvdd::new(encoder, config.latent, vb).unwrap()
}

fn config(seed: u64) -> TrainConfig {
    TrainConfig {
        epochs: 2,
        batch_size: 32,
        seed,
        ..TrainConfig::paper()
    }
}

fn pretrain<E: ModuleT + Clone>(
    trainer: &Trainer,
    svdd: &DeepSvdd<E>,
    decoder: impl ModuleT,
    params: &Params,
    split: &PuSplit,
    observer: &mut dyn Observer,
) -> puad::Result<History> {
    let (train, validation) = (&split.train, &split.validation);
    svdd.pretrain(
        decoder,
        &mut Pretraining::new(trainer, params, train, validation, observer),
    )
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
        let scores = score_samples(detector, &split.test.samples, 64, &device());
        scores.unwrap().into_iter().map(f64::to_bits).collect()
    };

    let params = Params::new(seed, DType::F32, &device());
    let svdd = svdd(&params);
    let decoder = LeNetDecoder::new(&network(false), params.var_builder().pp("decoder")).unwrap();
    let objective = PuObjective::new(&svdd, alpha);
    pretrain(&trainer, &svdd, decoder, &params, &split, &mut ()).unwrap();
    trainer
        .fit(&objective, &params, train, validation, &mut ())
        .unwrap();

    let params = Params::new(seed, DType::F32, &device());
    let plain = autoencoder(&params);
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

/// The weights of a denoising autoencoder from the same start after one epoch.
fn weights_after_one_epoch(batch_size: usize, noise: f64, seed: u64) -> Vec<f32> {
    let split = split();
    let params = Params::new(0, DType::F32, &device());
    let plain = autoencoder(&params);
    let detector = DenoisingAutoencoder::new(plain, noise).unwrap();
    let config = TrainConfig {
        epochs: 1,
        batch_size,
        seed,
        ..TrainConfig::paper()
    };
    let objective = PuObjective::new(detector, ClassPrior::default());
    let trainer = Trainer::new(config).unwrap();
    trainer
        .fit(
            &objective,
            &params,
            &split.train,
            &split.validation,
            &mut (),
        )
        .unwrap();
    let weight = params.get("encoder.linear.weight").unwrap();
    weight.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn shuffling_and_noise_each_follow_the_seed() {
    // Without noise, only the order of small batches can differ.
    assert_ne!(
        weights_after_one_epoch(32, 0., 1),
        weights_after_one_epoch(32, 0., 2)
    );
    // In one batch of everything, the noise makes the difference, beyond what the order of a sum does.
    let largest = |a: Vec<f32>, b: Vec<f32>| {
        let differences = a.iter().zip(b).map(|(x, y)| (x - y).abs());
        differences.fold(0., f32::max)
    };
    let quiet = largest(
        weights_after_one_epoch(1000, 0., 1),
        weights_after_one_epoch(1000, 0., 2),
    );
    let noisy = largest(
        weights_after_one_epoch(1000, 0.5, 1),
        weights_after_one_epoch(1000, 0.5, 2),
    );
    assert!(noisy > 1e-4 && quiet <= noisy, "{quiet} {noisy}");
}

#[test]
fn the_second_phase_meets_other_batches_than_the_first() {
    let split = split();
    let params = Params::new(0, DType::F32, &device());
    let scale = params
        .var_builder()
        .get_with_hints(1, "scale", Init::Const(1.));
    let seen = Recorder(Rc::default(), scale.unwrap());
    let order = |r: &Recorder| r.0.borrow().clone();
    let svdd = DeepSvdd::new(seen.clone(), 256, params.var_builder()).unwrap();
    let trainer = Trainer::new(config(0)).unwrap();
    let (train, validation) = (&split.train, &split.validation);
    pretrain(&trainer, &svdd, Identity, &params, &split, &mut ()).unwrap();
    let first = order(&seen);
    seen.0.borrow_mut().clear();
    let objective = UnsupervisedObjective::new(&svdd);
    trainer
        .fit(&objective, &params, train, validation, &mut ())
        .unwrap();
    let second = order(&seen);
    assert!(!second.is_empty() && first.len() >= second.len());
    assert_ne!(first[..second.len()], second);
}

/// Flattens and scales, and notes the sum of each training batch's first sample.
#[derive(Clone)]
struct Recorder(Rc<RefCell<Vec<u32>>>, Tensor);

impl ModuleT for Recorder {
    fn forward_t(&self, xs: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        if train {
            let sum = xs.get(0)?.sum_all()?.to_scalar::<f32>()?;
            self.0.borrow_mut().push(sum.to_bits());
        }
        xs.flatten_from(1)?.broadcast_mul(&self.1)
    }
}

/// Back to the shape of an image.
struct Identity;

impl ModuleT for Identity {
    fn forward_t(&self, xs: &Tensor, _: bool) -> candle_core::Result<Tensor> {
        xs.reshape((xs.dim(0)?, 1, 16, 16))
    }
}

#[test]
fn a_stop_in_pre_training_ends_the_run() {
    let split = split();
    let params = Params::new(0, DType::F32, &device());
    let svdd = svdd(&params);
    let decoder = LeNetDecoder::new(&network(false), params.var_builder().pp("decoder")).unwrap();
    let mut phases = Phases::default();
    let trainer = Trainer::new(config(0)).unwrap();
    let err = pretrain(&trainer, &svdd, decoder, &params, &split, &mut phases).unwrap_err();
    assert!(
        matches!(err, Error::PretrainingStopped { epoch: 1 }),
        "{err}"
    );
    assert_eq!(phases.0, [Phase::Pretraining]);
}

#[test]
fn missing_labels_are_found_before_the_pre_training() {
    let plain = PuDataset::new(split().train.unlabeled()).unwrap();
    let params = Params::new(0, DType::F32, &device());
    let network = Architecture::Explicit(Network::LeNet(network(false)));
    let pusvdd = Method::PUSVDD;
    let pair = pusvdd.pair().unwrap();
    let prior = ClassPrior::default();
    let assembly = Assembly::new(pair, &[1, 16, 16], &network, prior, params).unwrap();
    let trainer = Trainer::new(config(0)).unwrap();
    let mut phases = Phases::default();
    let err = assembly.fit(&trainer, &plain, &plain, &mut phases);
    assert!(matches!(
        err,
        Err(Error::EmptyGroup {
            group: "anomalous",
            ..
        })
    ));
    assert!(phases.0.is_empty());
}

/// Notes the phases and stops after one epoch.
#[derive(Default)]
struct Phases(Vec<Phase>);

impl Observer for Phases {
    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
    fn on_phase(&mut self, phase: Phase) {
        self.0.push(phase);
    }
}

#[test]
fn an_objective_can_be_chosen_at_run_time() {
    let (detector, params) = distance(0.);
    let data = unlabeled(&[1.; 4]);
    let boxed: Box<dyn Objective<Loss = &Distance>> =
        Box::new(UnsupervisedObjective::new(&detector));
    fast(3, None)
        .fit(&boxed, &params, &data, &data, &mut ())
        .unwrap();
    assert!(w(&params) > 0.2);
    // The validation risk of NonNegative is not its risk: a wrapper that forgot it would differ.
    let pu = PuObjective::new(&detector, ClassPrior::new(0.9).unwrap());
    let pu = pu.with_term(puad::AnomalyTerm::Complement);
    let pu = pu.with_correction(Correction::NON_NEGATIVE).unwrap();
    let losses = |v: f32| Some(SampleLosses::new(Tensor::new(&[v], &device()).unwrap()));
    let groups = GroupLosses {
        unlabeled: losses(0.1),
        anomalies: losses(0.9),
        normals: None,
    };
    let bare = pu.validation_risk(&groups).unwrap();
    assert_ne!(
        bare,
        f64::from(pu.risk(&groups).unwrap().to_scalar::<f32>().unwrap())
    );
    let boxed: Box<dyn Objective<Loss = &Distance>> = Box::new(&pu);
    assert_eq!(boxed.validation_risk(&groups).unwrap(), bare);
    assert!(boxed.check_groups(GroupCounts::default()).is_err());
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

/// Says that the number it learns is a buffer.
struct Fixed(Distance);

impl NonNegativeLoss for Fixed {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        self.0.per_sample(xs, pass)
    }
    fn buffers(&self) -> Vec<Var> {
        vec![Var::from_tensor(&self.0.w).unwrap()]
    }
}

#[test]
fn a_buffer_that_the_loss_learns_from_is_an_error() {
    let data = unlabeled(&[1.; 4]);
    let xs = column(&[1., 2.]);
    let (detector, params) = distance(0.);
    let detector = Fixed(detector);
    let checked = check_detector(&detector, &params, &xs);
    let objective = UnsupervisedObjective::new(detector);
    let fitted = fast(1, None).fit(&objective, &params, &data, &data, &mut ());
    for outcome in [checked, fitted.map(|_| ())] {
        assert!(matches!(outcome, Err(Error::LearnedBuffer { name }) if name == "w"));
    }
    // Whatever it is called, a tensor that is no buffer is learned.
    let params = Params::new(0, DType::F32, &device());
    let vb = params.var_builder();
    let w = vb.get_with_hints(1, "center", Init::Const(0.)).unwrap();
    let objective = UnsupervisedObjective::new(Distance { w });
    fast(1, None)
        .fit(&objective, &params, &data, &data, &mut ())
        .unwrap();
    let center = params.get("center").unwrap().to_vec1::<f32>().unwrap();
    assert!(center[0] > 0.);
    // A buffer must be of the parameters that are trained with.
    let (stranger, _) = distance(0.);
    let objective = UnsupervisedObjective::new(Fixed(stranger));
    let err = fast(1, None).fit(&objective, &params, &data, &data, &mut ());
    assert!(matches!(err, Err(Error::UnknownBuffer { index: 0 })));
}

/// `l = x` in an evaluation pass, NaN beyond 100, and `(x - w)^2` in training.
struct Raw(Distance);

impl NonNegativeLoss for Raw {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        if pass.is_training() {
            return self.0.per_sample(xs, pass);
        }
        let room = xs.affine(-1., 100.)?.sum(1)?;
        let nan_beyond = (room.sqrt()? * 0.)?;
        Ok((xs.sum(1)? + nan_beyond)?)
    }
}

/// Also where the mean of all is fine.
#[test]
fn a_validation_loss_below_0_or_nan_names_the_contract() {
    let train = unlabeled(&[1.; 4]);
    for (values, expected) in [(&[1f32, 2., -0.5, 9.][..], 2), (&[1., 101.], 1)] {
        let (detector, params) = distance(1.);
        let objective = UnsupervisedObjective::new(Raw(detector));
        let validation = unlabeled(values);
        let err = fast(1, None).fit(&objective, &params, &train, &validation, &mut ());
        let err = err.unwrap_err();
        let Error::LossOutOfRange {
            epoch: 1,
            group: "unlabeled",
            index,
            value,
        } = err
        else {
            panic!("{err}");
        };
        assert_eq!(index, expected);
        assert!(value == -0.5 || value.is_nan(), "{value}");
        let text = err.to_string();
        assert!(text.contains("contract of NonNegativeLoss"), "{text}");
        // NaN has another cause that is as likely.
        assert_eq!(text.contains("learning rate"), value.is_nan(), "{text}");
    }
}

/// Puts NaN into every parameter, as a rate far too large does in the end.
struct Explosion;

impl Optimizer for Explosion {
    fn name(&self) -> &'static str {
        "explosion"
    }
    fn step(&mut self, gradients: &Gradients<'_>) -> puad::Result<()> {
        for (_, var, gradient) in gradients.iter() {
            var.set(&(gradient * f64::NAN)?)?;
        }
        Ok(())
    }
    fn learning_rate(&self) -> f64 {
        1.
    }
    fn set_learning_rate(&mut self, _: f64) -> puad::Result<()> {
        Ok(())
    }
    fn state(&self) -> puad::Result<OptimizerState> {
        Ok(OptimizerState::default())
    }
    fn load_state(&mut self, _: OptimizerState) -> puad::Result<()> {
        Ok(())
    }
}

/// A loss that is NaN because the parameters are is no fault of the detector's.
#[test]
fn a_nan_in_validation_after_divergence_is_divergence() {
    let (detector, params) = distance(0.);
    let objective = UnsupervisedObjective::new(detector);
    let data = unlabeled(&[1.; 4]);
    let trainer = fast(2, None).with_optimizer(|_| Ok(Box::new(Explosion)));
    let err = trainer.fit(&objective, &params, &data, &data, &mut ());
    let err = err.unwrap_err();
    assert!(
        matches!(err, Error::Diverged { epoch: 1, batch: None, risk } if risk.is_nan()),
        "{err}"
    );
    assert_eq!(w(&params), 0.);
}

/// `l = (x - w)^2` with `w` left out of the graph.
struct Detached(Distance);

impl NonNegativeLoss for Detached {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> puad::Result<Tensor> {
        Ok(xs.broadcast_sub(&self.0.w.detach())?.sqr()?.sum(1)?)
    }
}

#[test]
fn training_that_would_move_nothing_is_an_error() {
    let data = unlabeled(&[1.; 4]);
    let fit = |detector: &dyn NonNegativeLoss, params: &Params| {
        let objective = UnsupervisedObjective::new(detector);
        fast(2, None).fit(&objective, params, &data, &data, &mut ())
    };
    // Tensors of another set than is trained: one without any, and one with others.
    let (stranger, _) = distance(0.);
    let empty = Params::new(0, DType::F32, &device());
    let (_, others) = distance(0.);
    let (detached, own) = distance(0.);
    for (detector, params, expected) in [
        (&stranger as &dyn NonNegativeLoss, &empty, 0),
        (&stranger, &others, 1),
        (&Detached(detached), &own, 1),
    ] {
        let err = fit(detector, params).unwrap_err();
        assert!(
            matches!(err, Error::NothingLearned { parameters } if parameters == expected),
            "{err}"
        );
    }
    // One parameter that is frozen beside one that is not.
    let (detector, params) = distance(0.);
    params.var_builder().get(3, "frozen").unwrap();
    fit(&detector, &params).unwrap();
    assert!(w(&params) > 0.);
}

/// A decoder's tensor that is named as one of the detector's would be trained in silence, or not at all.
#[test]
fn names_of_a_pretraining_must_not_be_the_detector_s() {
    let (detector, params) = distance(0.);
    let (trainer, data, mut observer) = (fast(1, None), unlabeled(&[1.; 4]), ());
    let mut pretraining = Pretraining::new(&trainer, &params, &data, &data, &mut observer);
    pretraining.scratch().var_builder().get(2, "w").unwrap();
    let err = pretraining.fit(&UnsupervisedObjective::new(detector));
    let err = err.unwrap_err();
    assert!(
        matches!(&err, Error::Config { name: "joined tensors", value, .. } if value == "\"w\""),
        "{err}"
    );
}

fn column(values: &[f32]) -> Tensor {
    let t = Tensor::new(values, &device()).unwrap();
    t.unsqueeze(1).unwrap()
}

fn distance(start: f64) -> (Distance, Params) {
    let params = Params::new(0, DType::F32, &device());
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
        ..AdamConfig::paper()
    };
    let config = TrainConfig {
        epochs,
        patience,
        adam,
        ..TrainConfig::paper()
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

/// Becomes NaN, or infinite where it also does in validation, once `w` passes a wall.
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
            (l * if self.training_only {
                f64::NAN
            } else {
                f64::INFINITY
            })?
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
                batch: Some(1),
                risk,
            } => assert!(training_only && risk.is_nan()),
            Error::Diverged {
                epoch: 3,
                batch: None,
                risk,
            } => {
                assert!(!training_only && risk == f64::INFINITY)
            }
            other => panic!("{other}"),
        }
        assert!(best > 0. && w(&params) == best, "{best} {}", w(&params));
    }
}

#[test]
fn selection_by_auroc_follows_the_labeled_anomalies() {
    // w moves from -1 towards 6. In validation the anomaly at 0.9 is nearer than both unlabeled
    // samples until w passes 1.95, and farther than both from 2.05 on; the risk is lowest at 3.1.
    let run = |selection| {
        let (detector, params) = distance(-1.);
        let objective = PuObjective::new(detector, ClassPrior::new(0.).unwrap());
        let group = |u: &[f32], a: &[f32]| unlabeled(u).with_anomalies(column(a)).unwrap();
        let (train, validation) = (group(&[6.; 4], &[6.]), group(&[3., 3.2], &[0.9]));
        let config = TrainConfig {
            epochs: 14,
            selection,
            adam: AdamConfig {
                learning_rate: 0.5,
                ..AdamConfig::paper()
            },
            ..TrainConfig::paper()
        };
        let trainer = Trainer::new(config).unwrap();
        trainer
            .fit(&objective, &params, &train, &validation, &mut ())
            .unwrap()
    };
    let history = run(Selection::PuAuroc);
    let aurocs: Vec<f64> = history.epochs.iter().map(|e| e.pu_auroc.unwrap()).collect();
    assert_eq!((aurocs[0], aurocs[13]), (0., 1.));
    let first = aurocs.iter().position(|&auroc| auroc == 1.).unwrap();
    assert!(first > 1);
    assert_eq!(history.best_epoch, first + 1);
    assert_ne!(run(Selection::Risk).best_epoch, history.best_epoch);
}

#[test]
fn sets_without_a_group_that_training_needs_are_errors() {
    let plain = unlabeled(&[0., 1., 2.]);
    let labeled = plain.clone().with_anomalies(column(&[5.])).unwrap();
    let with_normals = labeled.clone().with_normals(column(&[0.])).unwrap();
    let fit = |train: &PuDataset, validation: &PuDataset, eta| {
        let (detector, params) = distance(0.);
        let objective = PuObjective::new(detector, ClassPrior::default());
        let objective = objective.with_pnu_weight(eta).unwrap();
        fast(1, None).fit(&objective, &params, train, validation, &mut ())
    };
    let cases = [
        (&plain, &labeled, 1., "anomalous"),
        (&labeled, &plain, 1., "anomalous validation"),
        (&with_normals, &labeled, 0.5, "normal validation"),
        (&labeled, &with_normals, 0.5, "normal"),
    ];
    for (train, validation, eta, expected) in cases {
        let err = fit(train, validation, eta).unwrap_err();
        assert!(
            matches!(err, Error::EmptyGroup { group, .. } if group == expected),
            "{err}"
        );
    }
    fit(&with_normals, &with_normals, 0.5).unwrap();
    for (train, validation) in [(&with_normals, &labeled), (&labeled, &with_normals)] {
        let err = fit(train, validation, 1.).unwrap_err();
        assert!(matches!(err, Error::UnusedNormals { eta: 1. }), "{err}");
    }
    let one = unlabeled(&[1.]).with_anomalies(column(&[2.])).unwrap();
    let (detector, params) = distance(0.);
    let objective = UnsupervisedObjective::new(detector);
    let err = fast(1, None).fit(&objective, &params, &one, &one, &mut ());
    assert!(matches!(
        err,
        Err(Error::Config {
            name: "training samples",
            ..
        })
    ));
    let config = TrainConfig {
        selection: Selection::PuAuroc,
        ..TrainConfig::paper()
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
    let good = TrainConfig::paper();
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
