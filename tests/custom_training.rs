//! A user's own optimiser, selection of an epoch and stopping rule.

mod common;

use std::path::Path;

use common::device;
use puad::candle_core::{DType, Tensor, Var};
use puad::candle_nn::{Init, SGD};
use puad::data::PuDataset;
use puad::objective::UnsupervisedObjective;
use puad::optim::{Adam, AdamConfig, CandleOptimizer, Gradients, Optimizer, OptimizerState};
use puad::train::{
    Checkpoints, EpochReport, History, OtherRun, Select, Stop, StopReason, TrainConfig, Trainer,
    Validation,
};
use puad::{Error, NonNegativeLoss, Params, Pass, Result};

/// `l = (x - w)^2`, which descends towards the mean of `U`.
struct Distance(Tensor);

impl NonNegativeLoss for Distance {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(xs.broadcast_sub(&self.0)?.sqr()?.sum(1)?)
    }
}

fn fast(epochs: usize) -> Trainer {
    let adam = AdamConfig {
        learning_rate: 0.1,
        ..AdamConfig::paper()
    };
    let config = TrainConfig {
        epochs,
        adam,
        ..TrainConfig::paper()
    };
    Trainer::new(config).unwrap()
}

/// Steepest descent that remembers how often it went; halves its rate when asked.
struct Descent {
    rate: f64,
    steps: u64,
}

impl Optimizer for Descent {
    fn name(&self) -> &'static str {
        "descent"
    }
    fn step(&mut self, gradients: &Gradients<'_>) -> Result<()> {
        assert!(gradients.get("w").is_some() && gradients.get("v").is_none());
        for (_, var, gradient) in gradients.iter() {
            var.set(&(var.as_detached_tensor() - (gradient * self.rate)?)?)?;
        }
        self.steps += 1;
        self.set_learning_rate(self.learning_rate() / 2.)
    }
    fn learning_rate(&self) -> f64 {
        self.rate
    }
    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.rate = rate;
        Ok(())
    }
    fn state(&self) -> Result<OptimizerState> {
        let steps = [("steps".to_string(), self.steps)].into();
        Ok(OptimizerState {
            steps,
            ..OptimizerState::default()
        })
    }
    fn load_state(&mut self, state: OptimizerState) -> Result<()> {
        self.steps = state.steps["steps"];
        self.rate = 0.25 / 2f64.powi(self.steps as i32);
        Ok(())
    }
}

/// Adam whose rate is halved after each step, by another optimiser around it.
struct Halved(Adam);

impl Optimizer for Halved {
    fn name(&self) -> &'static str {
        "halved adam"
    }
    fn step(&mut self, gradients: &Gradients<'_>) -> Result<()> {
        Optimizer::step(&mut self.0, gradients)?;
        self.set_learning_rate(self.learning_rate() / 2.)
    }
    fn learning_rate(&self) -> f64 {
        self.0.learning_rate()
    }
    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.0.set_learning_rate(rate)
    }
    fn state(&self) -> Result<OptimizerState> {
        self.0.state()
    }
    fn load_state(&mut self, state: OptimizerState) -> Result<()> {
        self.0.load_state(state)
    }
}

fn halved(learning_rate: f64) -> impl Fn(&[(String, Var)]) -> Result<Box<dyn Optimizer>> {
    let config = AdamConfig {
        learning_rate,
        ..AdamConfig::paper()
    };
    move |parameters| Ok(Box::new(Halved(Adam::new(parameters.to_vec(), config)?)))
}

/// Descent by the sum of all gradients, which it keeps in f64 whatever the parameters are.
struct Exact {
    rate: f64,
    sum: Tensor,
}

impl Optimizer for Exact {
    fn name(&self) -> &'static str {
        "exact"
    }
    fn step(&mut self, gradients: &Gradients<'_>) -> Result<()> {
        for (_, var, gradient) in gradients.iter() {
            self.sum = (&self.sum + (gradient.to_dtype(DType::F64)? * self.rate)?)?;
            let step = self.sum.to_dtype(var.dtype())?;
            var.set(&(var.as_detached_tensor() - step)?)?;
        }
        Ok(())
    }
    fn learning_rate(&self) -> f64 {
        self.rate
    }
    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.rate = rate;
        Ok(())
    }
    fn state(&self) -> Result<OptimizerState> {
        let tensors = [("sum".to_string(), self.sum.clone())].into();
        let numbers = [("worst".to_string(), f64::NEG_INFINITY)].into();
        Ok(OptimizerState {
            tensors,
            numbers,
            ..OptimizerState::default()
        })
    }
    fn load_state(&mut self, state: OptimizerState) -> Result<()> {
        assert_eq!(state.numbers["worst"], f64::NEG_INFINITY);
        let sum = state.tensors["sum"].clone();
        if sum.dims() != [1] {
            return Err(Error::NotCalibrated);
        }
        assert_eq!(sum.dtype(), DType::F64);
        self.sum = sum;
        Ok(())
    }
}

fn exact(rate: f64) -> impl Fn(&[(String, Var)]) -> Result<Box<dyn Optimizer>> {
    move |_| {
        let sum = Tensor::zeros(1, DType::F64, &device())?;
        Ok(Box::new(Exact { rate, sum }))
    }
}

/// The rate is part of what is gone on from: it survives the file, and another one is another run.
#[test]
fn states_survive_the_file_and_settings_are_compared() {
    let make = |name: &str, rate: f64| -> Box<dyn Fn(usize) -> Trainer> {
        match name {
            "halved" => Box::new(move |epochs| fast(epochs).with_optimizer(halved(rate))),
            _ => Box::new(move |epochs| fast(epochs).with_optimizer(exact(rate))),
        }
    };
    for name in ["halved", "exact"] {
        let (whole, _) = descended(make(name, 0.1)(6), None).unwrap();
        for epochs in 1..6 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("run");
            descended(make(name, 0.1)(epochs), Some(&path)).unwrap();
            let (resumed, _) = descended(make(name, 0.1)(6), Some(&path)).unwrap();
            assert_eq!(resumed, whole, "{name} {epochs}");
            let err = descended(make(name, 0.001)(6), Some(&path)).unwrap_err();
            assert!(
                matches!(
                    err.cause(),
                    Some(OtherRun {
                        what: "setting of the optimiser",
                        ..
                    })
                ),
                "{name}: {err}"
            );
        }
    }
}

fn descent(_: &[(String, Var)]) -> Result<Box<dyn Optimizer>> {
    let (rate, steps) = (0.25, 0);
    Ok(Box::new(Descent { rate, steps }))
}

/// `w` after so many epochs of one batch, gone on with from a file where there is one.
fn descended(trainer: Trainer, file: Option<&Path>) -> Result<(f64, History)> {
    let trainer = match file {
        Some(path) => trainer.with_checkpoints(Checkpoints::new(path))?,
        None => trainer,
    };
    let params = Params::new(0, DType::F32, &device());
    let start = Init::Const(0.);
    let w = params.var_builder().get_with_hints(1, "w", start)?;
    let objective = UnsupervisedObjective::new(Distance(w));
    let data = PuDataset::new(Tensor::ones((4, 1), DType::F32, &device())?)?;
    let history = trainer.fit(&objective, &params, &data, &data, &mut ())?;
    let w = params.get("w")?.to_vec1::<f32>()?[0];
    Ok((f64::from(w), history))
}

#[test]
fn a_user_s_optimiser_trains_and_is_resumed() {
    let trainer = |epochs| fast(epochs).with_optimizer(descent);
    // w <- w + rate * 2 (1 - w), the rate halved at each step.
    let mut expected = 0f64;
    for step in 0..4 {
        expected += 0.25 / 2f64.powi(step) * 2. * (1. - expected);
    }
    let (whole, _) = descended(trainer(4), None).unwrap();
    assert!((whole - expected).abs() < 1e-6, "{whole} {expected}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    descended(trainer(2), Some(&path)).unwrap();
    let (resumed, history) = descended(trainer(4), Some(&path)).unwrap();
    assert_eq!((resumed, history.epochs.len()), (whole, 4));

    let err = descended(fast(4), Some(&path)).unwrap_err();
    assert!(
        matches!(err.cause(), Some(OtherRun { what, .. }) if *what == "optimiser"),
        "{err}"
    );
}

#[test]
fn candle_s_optimisers_train_and_say_that_they_cannot_be_resumed() {
    let trainer = || {
        fast(3).with_optimizer(|parameters| {
            let vars = parameters.iter().map(|(_, var)| var.clone()).collect();
            Ok(Box::new(CandleOptimizer::<SGD>::new(vars, 0.25)?))
        })
    };
    // Each step halves the distance from 1.
    assert_eq!(descended(trainer(), None).unwrap().0, 1. - 0.125);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let err = descended(trainer(), Some(&path)).unwrap_err();
    assert!(matches!(err, Error::NotResumable { what } if what.contains("SGD")));
    assert!(!path.exists());
}

/// The epoch whose risk is nearest 0.5; costs that are no numbers from epoch 3 on, if asked.
struct Near(bool);

impl Select for Near {
    fn name(&self) -> String {
        format!("near {}", self.0)
    }
    fn cost(&self, validation: &Validation<'_>) -> Result<f64> {
        let far = (validation.risk() - 0.5).abs();
        Ok(if self.0 && far < 0.5 { f64::NAN } else { far })
    }
}

struct After(usize);

impl Stop for After {
    fn stops(&self, epochs: &[EpochReport], _: usize) -> bool {
        epochs.len() >= self.0
    }
}

#[test]
fn a_user_s_selection_and_stopping_rule_are_followed() {
    let trainer = |near| fast(9).with_selection(near).with_stopping(After(6));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let (_, history) = descended(trainer(Near(false)), Some(&path)).unwrap();
    assert_eq!(
        (history.epochs.len(), history.stopped),
        (6, StopReason::Patience)
    );
    let far = |r: &EpochReport| (r.validation_risk - 0.5).abs();
    let best = far(&history.epochs[history.best_epoch - 1]);
    assert!(history.epochs.iter().all(|r| far(r) >= best));
    // Ended, it ends again; under another rule it is another run.
    let (_, again) = descended(trainer(Near(false)), Some(&path)).unwrap();
    assert_eq!(again, history);
    let err = descended(fast(9), Some(&path)).unwrap_err();
    assert!(
        matches!(err.cause(), Some(OtherRun { what, .. }) if *what == "selection"),
        "{err}"
    );
    let err = descended(trainer(Near(true)), None).unwrap_err();
    assert!(
        matches!(
            err,
            Error::Config {
                name: "selection",
                ..
            }
        ),
        "{err}"
    );
}
