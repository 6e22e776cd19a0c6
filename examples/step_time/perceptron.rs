//! The rows of a perceptron: a PUAE on random vectors.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use puad::candle_core::{DType, Device, Tensor};
use puad::detector::Autoencoder;
use puad::method::Method;
use puad::net::{Architecture, Layers, MlpShape, Network};
use puad::objective::{GroupCounts, Objective};
use puad::optim::{Adam, AdamConfig};
use puad::{
    ClassPrior, Estimator, FitConfig, FittedDetector, Noise, NonNegativeLoss, Params, PuObjective,
};
use serde_json::json;

use crate::measure::{median, random_values, train_step};
use crate::{Args, Result};

/// Rows of the fit, a twentieth of them labeled anomalies.
const FITTED: usize = 10_000;
/// Calls of one row in one timing.
const CALLS: usize = 1_000;
const BATCH: usize = 1_000;
/// Threads that ask for one row after another, in turns.
const ASKING: [usize; 2] = [1, 4];

pub fn run(args: &Args, device: &Device) -> Result<()> {
    let [inputs, hidden @ .., latent] = args.network.as_slice() else {
        return Err("--network takes two widths or more".into());
    };
    let network = Network::Mlp(MlpShape {
        inputs: *inputs,
        hidden: hidden.to_vec(),
        latent: *latent,
    });
    let name = args.network.iter().map(ToString::to_string);
    let name = name.collect::<Vec<_>>().join(",");
    let print = |what: &str, value: f64| {
        let row = json!({
            "engine": concat!("puad ", env!("CARGO_PKG_VERSION")), "network": name, "what": what,
            "value": value,
        });
        println!("{row}");
    };
    let wanted = |what: &str| args.method.as_deref().is_none_or(|m| m == what);
    if wanted("step_ms") {
        print("step_ms", step(args, &network, device)?);
    }
    let detector = fit(&network, device, 1)?;
    if wanted("score_ms") {
        let rows = vectors(args.rows, *inputs)?;
        let score = median(device, args.steps, || {
            black_box(detector.score(&rows)?);
            Ok(())
        })?;
        print("score_ms", score);
    }
    if wanted("one_row_us") {
        print("one_row_us", one_row(&detector, *inputs)?);
    }
    if wanted("rows_per_s") {
        let mut rates = [vec![], vec![]];
        for _ in 0..5 {
            for (rates, threads) in rates.iter_mut().zip(ASKING) {
                rates.push(rate(&detector, *inputs, threads)?);
            }
        }
        for (mut rates, threads) in rates.into_iter().zip(ASKING) {
            rates.sort_by(f64::total_cmp);
            print(&format!("rows_per_s_of_{threads}"), rates[rates.len() / 2]);
        }
    }
    if wanted("fit_s") && args.epochs > 0 {
        let start = Instant::now();
        black_box(fit(&network, device, args.epochs)?);
        print("fit_s", start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn vectors(rows: usize, features: usize) -> Result<Tensor> {
    let values = random_values(rows * features);
    Ok(Tensor::from_vec(values, (rows, features), &Device::Cpu)?)
}

/// One training step, in ms.
fn step(args: &Args, network: &Network, device: &Device) -> Result<f64> {
    let params = Params::new(0, DType::F32, device);
    let vb = params.var_builder();
    let layers = Layers::default();
    let encoder = network.encoder(layers, vb.pp("encoder"))?;
    let detector = Autoencoder::new(encoder, network.decoder(layers, vb.pp("decoder"))?);
    let detector: &dyn NonNegativeLoss = &detector;
    let objective = PuObjective::new(detector, ClassPrior::new(0.1)?);
    let objective: &dyn Objective<Loss = &dyn NonNegativeLoss> = &objective;
    let anomalies = args.batch.div_ceil(20);
    let counts = GroupCounts {
        unlabeled: args.batch - anomalies,
        anomalies,
        normals: 0,
    };
    let xs = vectors(args.batch, args.network[0])?.to_device(device)?;
    let parameters = params.parameters();
    let mut adam = Adam::new(parameters.clone(), AdamConfig::paper())?;
    let mut noise = Noise::new(1);
    median(device, 20 * args.steps, || {
        let trained = (parameters.as_slice(), &mut adam);
        train_step(objective, (&xs, counts), &mut noise, trained)
    })
}

/// The short path from rows to a detector; it scores in batches of 1,000 when it is fitted for scoring.
fn fit(network: &Network, device: &Device, epochs: usize) -> Result<FittedDetector> {
    let Network::Mlp(shape) = network else {
        return Err("a perceptron".into());
    };
    let mut config = FitConfig {
        method: Some(Method::PUAE),
        network: Architecture::Explicit(network.clone()),
        ..FitConfig::default()
    };
    config.train.epochs = epochs;
    config.train.patience = None;
    if epochs == 1 {
        config.train.batch_size = BATCH;
    }
    let all = vectors(FITTED, shape.inputs)?;
    let anomalies = FITTED / 20;
    let unlabeled = all.narrow(0, 0, FITTED - anomalies)?;
    let anomalies = (all.narrow(0, FITTED - anomalies, anomalies)? + 1.)?;
    let estimator = Estimator::new(config).with_device(device);
    Ok(estimator.fit(&unlabeled, &anomalies)?)
}

/// One row alone, in microseconds.
fn one_row(detector: &FittedDetector, features: usize) -> Result<f64> {
    let row = [random_values(features)];
    let ms = median(&Device::Cpu, 15, || {
        for _ in 0..CALLS {
            black_box(detector.score(&row)?);
        }
        Ok(())
    })?;
    Ok(ms * 1e3 / CALLS as f64)
}

/// Rows a second of as many threads that ask for one row at a time.
fn rate(detector: &FittedDetector, features: usize, threads: usize) -> Result<f64> {
    let row = [random_values(features)];
    let ask = || -> puad::Result<()> {
        for _ in 0..100 * CALLS {
            black_box(detector.score(&row)?);
        }
        Ok(())
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let asking: Vec<_> = (0..threads).map(|_| scope.spawn(ask)).collect();
        let done = asking.into_iter().map(|t| t.join().map_err(|_| "a panic"));
        done.collect::<std::result::Result<Vec<_>, _>>()
    })?
    .into_iter()
    .collect::<puad::Result<Vec<()>>>()?;
    Ok((threads * 100 * CALLS) as f64 / start.elapsed().as_secs_f64())
}
