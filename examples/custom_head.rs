//! A detector of your own under the positive-unlabeled objective.
//!
//! ```text
//! cargo run --release --example custom_head
//! ```
//!
//! `MaskedPrediction` is no detector of this crate: it hides one feature at a time and predicts it
//! from the others; what cannot be predicted is anomalous. It implements `NonNegativeLoss`, passes the
//! crate's conformance check, and trains as it is on Figure 1's toy data (contaminated unlabeled
//! points and 20 labeled anomalies), without and with `PuObjective`. Takes a few seconds; prints both
//! AUROCs on fresh points.

use puad::candle_core::{DType, Device, Module, Tensor};
use puad::candle_nn::VarBuilder;
use puad::data::PuDataset;
use puad::data::toy::{self, ToyConfig};
use puad::metrics::auroc;
use puad::net::{Mlp, MlpConfig};
use puad::objective::{Objective, UnsupervisedObjective};
use puad::optim::AdamConfig;
use puad::train::{TrainConfig, Trainer};
use puad::{
    ClassPrior, NonNegativeLoss, Params, Pass, PuObjective, Result, score_samples, testing,
};

/// `l` = mean over the features of the squared error of predicting each from the others.
struct MaskedPrediction {
    predictors: Vec<Mlp>,
}

impl MaskedPrediction {
    fn new(features: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let config = MlpConfig::new([features, 64, 64, 1]);
        let predictor = |i| Mlp::new(&config, vb.pp(format!("predictor{i}")));
        let predictors = (0..features).map(predictor).collect::<Result<_>>()?;
        Ok(Self { predictors })
    }
}

impl NonNegativeLoss for MaskedPrediction {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
        let features = self.predictors.len();
        let mut errors = Vec::with_capacity(features);
        for (i, predictor) in self.predictors.iter().enumerate() {
            let mask: Vec<f32> = (0..features).map(|j| f32::from(j != i)).collect();
            let visible = xs.broadcast_mul(&Tensor::new(mask, xs.device())?)?;
            errors.push((predictor.forward(&visible)? - xs.narrow(1, i, 1)?)?.sqr()?);
        }
        Ok(Tensor::cat(&errors, 1)?.mean(1)?)
    }
}

fn params() -> Params {
    Params::new(0, DType::F32, &Device::Cpu)
}

/// Trains on the toy data of seed 0; the AUROC on normals and seen anomalies of seed 1.
fn train<O: Objective>(objective: &O, params: &Params) -> Result<f64> {
    let (train, validation) = dataset(0)?.split(0.1, 0)?;
    let adam = AdamConfig {
        learning_rate: 1e-3,
        ..AdamConfig::paper()
    };
    let config = TrainConfig {
        epochs: 60,
        adam,
        ..TrainConfig::paper()
    };
    Trainer::new(config)?.fit(objective, params, &train, &validation, &mut ())?;

    let fresh = toy::generate(&ToyConfig::default(), 1)?;
    let points = [fresh.normals.as_slice(), &fresh.unlabeled_anomalies].concat();
    let labels: Vec<bool> = (0..points.len())
        .map(|i| i >= fresh.normals.len())
        .collect();
    let n = points.len();
    let points = Tensor::from_vec(points.into_flattened(), (n, 2), &Device::Cpu)?;
    let scores = score_samples(objective.detector(), points, 256, &Device::Cpu)?;
    auroc(&scores, &labels)
}

fn dataset(seed: u64) -> Result<PuDataset> {
    toy::generate(&ToyConfig::default(), seed)?.dataset(&Device::Cpu)
}

fn main() -> Result<()> {
    let plain = params();
    let detector = MaskedPrediction::new(2, plain.var_builder())?;
    let some = dataset(0)?.unlabeled().range(0, 8)?;
    testing::check_detector(&detector, &plain, &some)?;
    println!("the detector keeps the contract of NonNegativeLoss");
    let unsupervised = train(&UnsupervisedObjective::new(detector), &plain)?;

    let labeled = params();
    let detector = MaskedPrediction::new(2, labeled.var_builder())?;
    let objective = PuObjective::new(detector, ClassPrior::new(0.1)?);
    let pu = train(&objective, &labeled)?;
    println!("AUROC on fresh points: {unsupervised:.3} unsupervised, {pu:.3} under PuObjective");
    Ok(())
}
