//! Time of one training step (losses, risk, backward pass, Adam) and of scoring one batch, for an
//! autoencoder (`ae`), PUAE and PUSVDD with the LeNet of section 5.3 on random 3x32x32 images.
//!
//! `cargo run --release --example step_time -- --batch 128 --size 32`, about ten seconds on two cores.
//!
//! Prints one JSON row a method: the medians in ms and samples per second.
//!
//! With `--network 30,128,64,15` the same of a PUAE on a perceptron of these widths and its mirror, with
//! one row alone, four threads that ask at once, and a whole fit: about a minute.

mod measure;
mod perceptron;

use std::error::Error;
use std::hint::black_box;

use clap::{Parser, ValueEnum};
use measure::{median, random_values, train_step};
use puad::candle_core::{DType, Device, Tensor};
use puad::detector::{Autoencoder, DeepSvdd};
use puad::net::{LeNetConfig, LeNetDecoder, LeNetEncoder};
use puad::objective::{GroupCounts, Objective, UnsupervisedObjective};
use puad::optim::{Adam, AdamConfig};
use puad::{ClassPrior, Noise, NonNegativeLoss, Params, PuObjective};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Clone, Copy, ValueEnum)]
enum Place {
    Cpu,
    Cuda,
}

#[derive(Parser)]
struct Args {
    #[arg(long, value_enum, default_value = "cpu")]
    device: Place,
    /// Images a step.
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Height and width of the images, a multiple of 8.
    #[arg(long, default_value_t = 32)]
    size: usize,
    /// Steps timed, after three to warm up.
    #[arg(long, default_value_t = 15)]
    steps: usize,
    /// Only this method, or this row of a perceptron.
    #[arg(long)]
    method: Option<String>,
    /// Widths of a perceptron's encoder, input first, in place of the images.
    #[arg(long, value_delimiter = ',')]
    network: Vec<usize>,
    /// Rows that the perceptron scores, 1,000 a batch.
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
    /// Epochs of the perceptron's whole fit, on 10,000 rows; 0 leaves it out.
    #[arg(long, default_value_t = 50)]
    epochs: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let (device, place) = match args.device {
        Place::Cpu => (Device::Cpu, "cpu"),
        Place::Cuda => (Device::new_cuda(0)?, "cuda"),
    };
    if !args.network.is_empty() {
        return perceptron::run(&args, &device);
    }
    let mut random = Noise::new(1);
    let shape = [args.batch, 3, args.size, args.size];
    let images = random_values(shape.iter().product());
    let xs = Tensor::from_vec(images, &shape, &device)?;
    for method in ["ae", "puae", "pusvdd"] {
        if args.method.as_deref().is_some_and(|m| m != method) {
            continue;
        }
        let params = Params::new(0, DType::F32, &device);
        let affine = method != "pusvdd";
        let config = LeNetConfig {
            affine,
            height: args.size,
            width: args.size,
            // As many maps of the last block's size as the paper's network has.
            latent: 128 * args.size * args.size / 1024,
            ..Default::default()
        };
        let vb = params.var_builder();
        let encoder = LeNetEncoder::new(&config, vb.pp("encoder"))?;
        let detector: Box<dyn NonNegativeLoss> = match method {
            "pusvdd" => {
                let svdd = DeepSvdd::new(encoder, config.latent, vb)?;
                svdd.set_center(&Tensor::from_vec(
                    random_values(config.latent),
                    config.latent,
                    &device,
                )?)?;
                Box::new(svdd)
            }
            _ => {
                let decoder = LeNetDecoder::new(&config, vb.pp("decoder"))?;
                Box::new(Autoencoder::new(encoder, decoder))
            }
        };
        let detector = detector.as_ref();
        // Every 20th is a labeled anomaly.
        let anomalies = match method {
            "ae" => 0,
            _ => args.batch.div_ceil(20),
        };
        let objective: Box<dyn Objective<Loss = &dyn NonNegativeLoss>> = match method {
            "ae" => Box::new(UnsupervisedObjective::new(detector)),
            _ => Box::new(PuObjective::new(detector, ClassPrior::new(0.1)?)),
        };
        let counts = GroupCounts {
            unlabeled: args.batch - anomalies,
            anomalies,
            normals: 0,
        };
        params.register_buffers(&detector.buffers())?;
        let parameters = params.parameters();
        let mut adam = Adam::new(parameters.clone(), AdamConfig::paper())?;
        let step = median(&device, args.steps, || {
            let trained = (parameters.as_slice(), &mut adam);
            train_step(objective.as_ref(), (&xs, counts), &mut random, trained)
        })?;
        let score = median(&device, args.steps, || {
            black_box(detector.score(&xs)?);
            Ok(())
        })?;
        let rate = |ms: f64| (args.batch as f64 / ms * 1e3).round();
        let row = serde_json::json!({
            "engine": concat!("puad ", env!("CARGO_PKG_VERSION")), "device": place,
            "threads": std::thread::available_parallelism()?.get(), "method": method,
            "batch": args.batch, "size": args.size, "train_step_ms": step, "train_samples_per_s": rate(step),
            "score_ms": score, "score_samples_per_s": rate(score),
        });
        println!("{row}");
    }
    Ok(())
}
