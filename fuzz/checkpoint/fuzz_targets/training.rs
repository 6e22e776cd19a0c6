//! The file of a training run, with a checksum that agrees: the run goes on from it, or says why not.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use puad::candle_core::{DType, Device, Tensor};
use puad::data::PuDataset;
use puad::detector::Autoencoder;
use puad::net::{Mlp, MlpConfig};
use puad::train::{Checkpoints, History, TrainConfig, Trainer};
use puad::{ClassPrior, Params, PuObjective, Result};
use puad_fuzz_checkpoint::{folder, mutate, seal, seeds};

const EPOCHS: usize = 3;

fn data() -> PuDataset {
    let samples = |n: usize, from: f32| {
        let values = (0..2 * n).map(|i| (i as f32 * from).sin());
        Tensor::from_vec(values.collect(), (n, 2), &Device::Cpu).unwrap()
    };
    let set = PuDataset::new(samples(6, 0.7)).unwrap();
    set.with_anomalies(samples(3, 1.3)).unwrap()
}

fn run(path: &std::path::Path, epochs: usize) -> Result<History> {
    let params = Params::new(0, DType::F32, &Device::Cpu);
    let vb = params.var_builder();
    let encoder = Mlp::new(&MlpConfig::new([2, 2]), vb.pp("encoder"))?;
    let decoder = Mlp::new(&MlpConfig::new([2, 2]), vb.pp("decoder"))?;
    let objective = PuObjective::new(Autoencoder::new(encoder, decoder), ClassPrior::new(0.1)?);
    let config = TrainConfig {
        epochs,
        batch_size: 4,
        patience: Some(2),
        ..TrainConfig::default()
    };
    let data = data();
    let trainer = Trainer::new(config)?.with_checkpoints(Checkpoints::new(path))?;
    trainer.fit(&objective, &params, &data, &data, &mut ())
}

fuzz_target!(
    init: if let Some(dir) = seeds() {
        // Two in the middle, one at the end.
        for epochs in 1..=EPOCHS {
            run(&dir.join(format!("run-{epochs}")), epochs).unwrap();
        }
    },
    |bytes: &[u8]| {
        let path = folder().join("training");
        std::fs::write(&path, seal(bytes)).unwrap();
        if let Ok(history) = run(&path, EPOCHS) {
            assert!(history.epochs.len() <= EPOCHS);
            assert!(history.best_epoch <= history.epochs.len());
        }
    }
);

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed)
});
