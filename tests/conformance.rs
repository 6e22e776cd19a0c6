//! `testing::check_detector` accepts every detector of ours and names the rule that a broken one
//! breaks.

mod common;

use common::device;
use std::cell::Cell;

use puad::candle_core::{DType, Tensor, Var};
use puad::candle_nn::{Init, VarBuilder};
use puad::detector::{
    Autoencoder, Classifier, ClassifierLoss, DeepSvdd, DenoisingAutoencoder, Icl, Neutral, Pooling,
    RotationHead,
};
use puad::net::{Head, LeNetConfig, LeNetDecoder, LeNetEncoder, Mlp, MlpConfig};
use puad::testing::{Violation, check_detector};
use puad::{AnomalyTerm, Error, NonNegativeLoss, Params, Pass, Result, SampleLosses};

fn params() -> Params {
    Params::new(0, DType::F32, &device())
}

/// Distinct samples in [0, 1].
fn samples(shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    let value = |i: usize| ((i * i + 3 * i) % 97) as f32 / 96.;
    Tensor::from_vec((0..n).map(value).collect(), shape, &device()).unwrap()
}

fn lenet(affine: bool, head: Head) -> LeNetConfig {
    LeNetConfig {
        channels: 2,
        height: 8,
        width: 8,
        blocks: vec![4, 6],
        latent: 16,
        head,
        affine,
        ..LeNetConfig::default()
    }
}

fn autoencoder(
    config: &LeNetConfig,
    vb: VarBuilder<'_>,
) -> Autoencoder<LeNetEncoder, LeNetDecoder> {
    let decoder = LeNetDecoder::new(config, vb.pp("decoder")).unwrap();
    Autoencoder::new(encoder(config, &vb), decoder)
}

fn encoder(config: &LeNetConfig, vb: &VarBuilder<'_>) -> LeNetEncoder {
    LeNetEncoder::new(config, vb.pp("encoder")).unwrap()
}

fn accepts<L: NonNegativeLoss>(detector: L, params: &Params, xs: &Tensor) {
    check_detector(&detector, params, xs).unwrap();
}

#[test]
fn every_detector_on_lenet_keeps_the_contract() {
    let xs = samples(&[6, 2, 8, 8]);
    for head in [Head::NormAct, Head::Linear] {
        let config = lenet(true, head);
        let p = params();
        accepts(autoencoder(&config, p.var_builder()), &p, &xs);
        let p = params();
        let plain = autoencoder(&config, p.var_builder());
        accepts(DenoisingAutoencoder::new(plain, 0.2).unwrap(), &p, &xs);
        let p = params();
        let patches = Pooling::LargestPatch { side: Some(3) };
        let patches = autoencoder(&config, p.var_builder()).with_pooling(patches);
        accepts(patches.unwrap(), &p, &xs);
        let p = params();
        let vb = p.var_builder();
        let rotation = RotationHead::new(encoder(&config, &vb), config.latent, vb);
        accepts(rotation.unwrap(), &p, &xs);
        let p = params();
        let vb = p.var_builder();
        let classifier = Classifier::new(encoder(&config, &vb), config.latent, vb);
        accepts(classifier.unwrap(), &p, &xs);
        let p = params();
        let config = lenet(false, head);
        let vb = p.var_builder();
        let svdd = DeepSvdd::new(encoder(&config, &vb), config.latent, vb).unwrap();
        svdd.init_center(&xs, 4).unwrap();
        accepts(svdd, &p, &xs);
    }
}

#[test]
fn detectors_on_perceptrons_keep_the_contract_in_both_precisions() {
    for dtype in [DType::F32, DType::F64] {
        let xs = samples(&[7, 5]).to_dtype(dtype).unwrap();
        let p = Params::new(1, dtype, &device());
        let vb = p.var_builder();
        let mlp = |widths: &[usize], vb: VarBuilder<'_>| {
            // A smooth enough slope that no unit is dead on seven samples.
            let config = MlpConfig {
                negative_slope: 0.1,
                ..MlpConfig::new(widths)
            };
            Mlp::new(&config, vb).unwrap()
        };
        let encoder = mlp(&[5, 8, 3], vb.pp("encoder"));
        let decoder = mlp(&[3, 8, 5], vb.pp("decoder"));
        accepts(Autoencoder::new(encoder, decoder), &p, &xs);
        let p = Params::new(1, dtype, &device());
        let encoder = mlp(&[5, 8, 3], p.var_builder().pp("encoder"));
        let classifier = Classifier::new(encoder, 3, p.var_builder()).unwrap();
        let logistic = classifier.clone().with_loss(ClassifierLoss::Logistic);
        accepts(classifier, &p, &xs);
        accepts(logistic, &p, &xs);
    }
}

#[test]
fn a_boxed_choice_keeps_the_contract() {
    let p = params();
    let config = lenet(true, Head::NormAct);
    let vb = p.var_builder();
    let classifier = Classifier::new(encoder(&config, &vb), config.latent, vb).unwrap();
    let boxed: Box<dyn NonNegativeLoss> = Box::new(classifier);
    assert_eq!(boxed.anomaly_term(), AnomalyTerm::Complement);
    accepts(boxed, &p, &samples(&[4, 2, 8, 8]));
}

#[test]
fn the_check_leaves_parameters_and_statistics_as_they_were() {
    let p = params();
    let detector = autoencoder(&lenet(true, Head::NormAct), p.var_builder());
    let all = || -> Vec<(String, Vec<f32>)> {
        let vars = p.parameters().into_iter().chain(p.buffers());
        let flat = |v: &Var| v.flatten_all().unwrap().to_vec1().unwrap();
        vars.map(|(name, var)| (name, flat(&var))).collect()
    };
    let before = all();
    accepts(detector, &p, &samples(&[4, 2, 8, 8]));
    assert_eq!(all(), before);
}

/// A detector `l = w |x|^2` with one of its parts replaced.
struct Broken {
    weight: Tensor,
    unused: Option<Tensor>,
    calls: Cell<usize>,
    loss: fn(&Broken, Tensor, &mut Pass<'_>) -> Result<Tensor>,
    term: AnomalyTerm,
    losses_differ: bool,
    random_score: bool,
}

impl Broken {
    fn new(p: &Params, loss: fn(&Self, Tensor, &mut Pass<'_>) -> Result<Tensor>) -> Self {
        let one = Init::Const(1.);
        Self {
            weight: p.var_builder().get_with_hints(1, "w", one).unwrap(),
            unused: None,
            calls: Cell::new(0),
            loss,
            term: AnomalyTerm::Bce,
            losses_differ: false,
            random_score: false,
        }
    }
}

impl NonNegativeLoss for Broken {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        self.calls.set(self.calls.get() + 1);
        let squares = xs.sqr()?.sum(1)?.broadcast_mul(&self.weight)?;
        (self.loss)(self, squares, pass)
    }

    fn anomaly_term(&self) -> AnomalyTerm {
        self.term
    }

    fn losses(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<SampleLosses> {
        let l = self.per_sample(xs, pass)?;
        let l = if self.losses_differ { (l * 2.)? } else { l };
        Ok(SampleLosses::new(l))
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        let l = self.per_sample(xs, &mut Pass::evaluation())?;
        let calls = if self.random_score {
            self.calls.get()
        } else {
            0
        };
        Ok((l + calls as f64)?)
    }
}

fn violation(
    loss: fn(&Broken, Tensor, &mut Pass<'_>) -> Result<Tensor>,
    change: impl FnOnce(&mut Broken, &Params),
) -> Violation {
    let p = params();
    let mut detector = Broken::new(&p, loss);
    change(&mut detector, &p);
    let xs = samples(&[5, 3]);
    let err = check_detector(&detector, &p, &xs).unwrap_err();
    let violation = err.cause::<Violation>();
    violation.unwrap_or_else(|| panic!("{err}")).clone()
}

fn nothing(_: &mut Broken, _: &Params) {}

#[test]
fn the_model_of_the_broken_ones_is_whole() {
    let p = params();
    accepts(Broken::new(&p, |_, l, _| Ok(l)), &p, &samples(&[5, 3]));
}

#[test]
fn losses_of_the_wrong_form_are_named() {
    let v = violation(|_, l, _| Ok(l.unsqueeze(1)?), nothing);
    assert!(
        matches!(v, Violation::Shape { batch: 5, ref actual, .. } if actual == &[5, 1]),
        "{v}"
    );
    let v = violation(|_, l, _| Ok(l.mean_all()?), nothing);
    assert!(
        matches!(v, Violation::Shape { ref actual, .. } if actual.is_empty()),
        "{v}"
    );
    let v = violation(|_, l, _| Ok((l - 0.5)?), nothing);
    assert!(
        matches!(v, Violation::Negative { value, .. } if value < 0.),
        "{v}"
    );
    let v = violation(|_, l, _| Ok((l / 0.)?), nothing);
    assert!(matches!(v, Violation::NotFinite { .. }), "{v}");
    let v = violation(
        |_, l, _| Ok((l + 1.)?),
        |d, _| d.term = AnomalyTerm::Complement,
    );
    assert!(
        matches!(v, Violation::AboveOne { value, .. } if value > 1.),
        "{v}"
    );
}

#[test]
fn gradients_that_do_not_arrive_are_named() {
    let v = violation(|_, l, _| Ok(l.detach()), nothing);
    assert!(
        matches!(v, Violation::NoGradient { ref name } if name == "w"),
        "{v}"
    );
    let v = violation(
        |_, l, _| Ok(l),
        |d, p| d.unused = Some(p.var_builder().get(2, "unused").unwrap()),
    );
    assert!(
        matches!(v, Violation::NoGradient { ref name } if name == "unused"),
        "{v}"
    );
    // The gradient of a square root at 0.
    let v = violation(|_, l, _| Ok(((&l - &l)?.sqrt()? + &l)?), nothing);
    assert!(
        matches!(v, Violation::GradientNotFinite { ref name } if name == "w"),
        "{v}"
    );
}

#[test]
fn evaluations_that_are_no_function_of_the_sample_are_named() {
    let v = violation(|d, l, _| Ok((l + d.calls.get() as f64)?), nothing);
    assert!(
        matches!(v, Violation::Random { first, second, .. } if first != second),
        "{v}"
    );
    let v = violation(
        |_, l, pass| {
            if pass.is_training() {
                Ok(l)
            } else {
                Ok(l.broadcast_add(&l.mean_all()?)?)
            }
        },
        nothing,
    );
    assert!(matches!(v, Violation::BatchDependent { .. }), "{v}");
    let v = violation(
        |_, l, pass| {
            if pass.is_training() {
                Ok(l)
            } else {
                Ok((l * 0.)?)
            }
        },
        nothing,
    );
    assert!(
        matches!(
            v,
            Violation::Constant {
                count: 5,
                value: 0.
            }
        ),
        "{v}"
    );
}

#[test]
fn a_loss_that_depends_on_the_samples_before_it_is_named() {
    let v = violation(
        |_, l, pass| {
            if pass.is_training() {
                Ok(l)
            } else {
                Ok(l.cumsum(0)?)
            }
        },
        nothing,
    );
    assert!(
        matches!(v, Violation::BatchDependent { index: 4, .. }),
        "{v}"
    );
}

#[test]
fn a_score_that_does_not_repeat_is_named() {
    let v = violation(|_, l, _| Ok(l), |d, _| d.random_score = true);
    assert!(matches!(v, Violation::Random { what: "score", .. }), "{v}");
}

/// A loss of its own for anomalies (as NeuTraL has), with a parameter that only this loss uses.
struct TwoSided {
    push: Tensor,
    pull: Tensor,
    bad: bool,
}

impl NonNegativeLoss for TwoSided {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(xs.sqr()?.sum(1)?.broadcast_mul(&self.pull)?)
    }

    fn losses(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<SampleLosses> {
        let normal = self.per_sample(xs, pass)?;
        let anomalous = (&normal + 1.)?.recip()?.broadcast_mul(&self.push)?;
        let anomalous = Some(if self.bad {
            (anomalous / 0.)?
        } else {
            anomalous
        });
        Ok(SampleLosses { normal, anomalous })
    }
}

#[test]
fn a_loss_of_its_own_for_anomalies_is_checked_too() {
    let p = params();
    let get = |name| {
        p.var_builder()
            .get_with_hints(1, name, Init::Const(1.))
            .unwrap()
    };
    let two_sided = |bad| TwoSided {
        push: get("push"),
        pull: get("pull"),
        bad,
    };
    accepts(two_sided(false), &p, &samples(&[5, 3]));
    let err = check_detector(&two_sided(true), &p, &samples(&[5, 3])).unwrap_err();
    let Some(Violation::NotFinite { what, .. }) = err.cause() else {
        panic!("{err}");
    };
    assert_eq!(*what, "losses of anomalies in training");
}

#[test]
fn shipped_detectors_can_be_shared_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Autoencoder<Mlp, Mlp>>();
    check::<DenoisingAutoencoder<LeNetEncoder, LeNetDecoder>>();
    check::<DeepSvdd<LeNetEncoder>>();
    check::<RotationHead<LeNetEncoder>>();
    check::<Classifier<Mlp>>();
    check::<Neutral<Mlp>>();
    check::<Icl<Mlp>>();
}

#[test]
fn losses_that_differ_from_per_sample_are_named() {
    let v = violation(|_, l, _| Ok(l), |d, _| d.losses_differ = true);
    assert!(
        matches!(v, Violation::Inconsistent { losses, per_sample, .. } if losses == 2. * per_sample),
        "{v}"
    );
}

/// Moves its own buffer in every pass, as batch norm must in training only.
struct Restless(Var);

impl NonNegativeLoss for Restless {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
        self.0.set(&(self.0.as_detached_tensor() + 1.)?)?;
        Ok(puad::ops::l2_norm(xs)?)
    }
}

#[test]
fn an_evaluation_that_trains_is_named() {
    let p = params();
    let mean = p.var_builder().get(1, "running_mean").unwrap();
    let detector = Restless(Var::from_tensor(&mean).unwrap());
    let err = check_detector(&detector, &p, &samples(&[5, 3])).unwrap_err();
    let Some(Violation::EvaluationTrains { name }) = err.cause() else {
        panic!("{err}");
    };
    assert_eq!(name, "running_mean");
}

#[test]
fn one_sample_is_too_few_to_check() {
    let p = params();
    let detector = Broken::new(&p, |_, l, _| Ok(l));
    let err = check_detector(&detector, &p, &samples(&[1, 3])).unwrap_err();
    assert!(matches!(err, Error::Config { name: "batch", .. }));
}
