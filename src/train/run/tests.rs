use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use candle_core::{DType, Device, Module, Tensor, Var};
use serde_json::{Value, json};

use crate::checkpoint::{CheckpointError, Stored, fail_next_write_at, rewrite};
use crate::data::PuDataset;
use crate::data::toy::{self, ToyConfig};
use crate::net::{Mlp, MlpConfig};
use crate::objective::UnsupervisedObjective;
use crate::train::{Checkpoints, EpochReport, OtherRun, Pretraining, TrainConfig, Trainer};
use crate::{Error, NonNegativeLoss, Params, Pass, Result};

/// `|f(x) - center|^2`.
struct Distance {
    network: Mlp,
    center: Var,
}

impl NonNegativeLoss for Distance {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
        let features = self.network.forward(xs)?;
        let offsets = features.broadcast_sub(&self.center.as_detached_tensor())?;
        Ok(offsets.sqr()?.sum(1)?)
    }

    fn buffers(&self) -> Vec<Var> {
        vec![self.center.clone()]
    }
}

fn points() -> PuDataset {
    let config = ToyConfig {
        normals: 40,
        ..Default::default()
    };
    let toy = toy::generate(&config, 1).unwrap();
    toy.dataset(&Device::Cpu).unwrap()
}

/// The bits of all tensors after a pre-training and a training of five epochs each, and the number of
/// epochs that were run.
fn run(path: Option<&Path>) -> Result<(Vec<u32>, usize)> {
    let mut trainer = Trainer::new(TrainConfig {
        epochs: 5,
        batch_size: 16,
        ..TrainConfig::paper()
    })?;
    if let Some(path) = path {
        let every = Checkpoints {
            every: 2,
            ..Checkpoints::new(path)
        };
        trainer = trainer.with_checkpoints(every)?;
    }
    let params = Params::new(0, DType::F32, &Device::Cpu);
    let network = Mlp::new(&MlpConfig::new([2, 4, 3]), params.var_builder().pp("net"))?;
    params.var_builder().get(3, "center")?;
    let center = params.get("center")?;
    let objective = UnsupervisedObjective::new(Distance { network, center });
    let data = points();
    let mut seen = 0;
    let mut count = |_: &EpochReport| {
        seen += 1;
        ControlFlow::Continue(())
    };
    Pretraining::new(&trainer, &params, &data, &data, &mut count).fit(&objective)?;
    trainer.fit(&objective, &params, &data, &data, &mut count)?;
    let mut bits = Vec::new();
    for tensor in params.snapshot()?.into_tensors().values() {
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        bits.extend(values.into_iter().map(f32::to_bits));
    }
    Ok((bits, seen))
}

/// Killed between any two steps of any write, a run loses no more than the epochs since the
/// write before, and ends as if it had not been killed.
#[test]
fn killed_runs_end_as_if_they_had_not_been() {
    let (expected, _) = run(None).unwrap();
    for writes in 0..6 {
        for step in 0..5 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("run");
            fail_next_write_at(writes, step);
            let err = run(Some(&path)).unwrap_err();
            assert!(
                matches!(err.cause(), Some(CheckpointError::Write { .. })),
                "{err}"
            );
            let (resumed, seen) = run(Some(&path)).unwrap();
            // Writes come after epochs 2, 4 and 5 of each phase.
            let saved = match step {
                4 => [2, 4, 5, 7, 9, 10][writes],
                _ => [0, 2, 4, 5, 7, 9][writes],
            };
            assert_eq!(seen, 10 - saved, "{writes} {step}");
            assert!(resumed == expected, "{writes} {step}");
        }
    }
}

/// Changes the file of a finished run, and what the run then says of it.
fn resumed(change: impl FnOnce(&mut Value, &mut BTreeMap<String, Stored>)) -> Error {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    run(Some(&path)).unwrap();
    rewrite(&path, change);
    run(Some(&path)).unwrap_err()
}

/// Found by fuzzing: the epochs since the best one were fewer than none.
#[test]
fn runs_that_cannot_have_been_are_errors() {
    for (place, value) in [
        ("/content/best_epoch", json!(6)),
        ("/content/best_epoch", json!(u64::MAX)),
        ("/content/reports/1/epoch", json!(1)),
        ("/content/reports", json!([])),
        ("/content/steps/net.layers.0.weight", json!(-1)),
        ("/content/settings_version", json!("1")),
    ] {
        let err = resumed(|text, _| *text.pointer_mut(place).unwrap() = value.clone());
        assert!(
            matches!(err.cause(), Some(CheckpointError::Content { .. })),
            "{place} {value}: {err}"
        );
    }
}

/// Moments of something that is not trained, in the place of a parameter's; a rate that is none.
#[test]
fn a_state_that_is_not_the_optimiser_s_says_why() {
    let state = |err: &Error| {
        let other: &OtherRun = err.cause().expect("another run");
        assert_eq!(other.what, "state of the optimiser", "{err}");
    };
    for group in ["optimizer.first.", "optimizer.second."] {
        let err = resumed(|_, tensors| {
            let center = tensors["now.center"].shape().to_vec();
            let name = tensors.keys().find(|name| name.starts_with(group));
            let name = name.unwrap().clone();
            tensors.remove(&name);
            tensors.insert(format!("{group}center"), Stored::f32s(&center, 0.));
        });
        state(&err);
        let cause: &Error = err.cause().expect("the true cause");
        assert!(
            matches!(cause, Error::UnknownParameter { name } if name.contains("net.")),
            "{group}: {err}"
        );
    }
    for rate in [f64::NAN, f64::INFINITY, 0., -1.] {
        let err = resumed(|_, tensors| {
            tensors.insert("number.learning_rate".into(), Stored::f64s(&[rate]));
        });
        state(&err);
        assert!(err.to_string().contains("learning_rate must be"), "{err}");
    }
    let err = resumed(|_, tensors| {
        tensors.insert("number.learning_rate".into(), Stored::f64s(&[0.1, 0.1]));
    });
    assert!(
        matches!(err.cause(), Some(CheckpointError::Content { .. })),
        "{err}"
    );
}
