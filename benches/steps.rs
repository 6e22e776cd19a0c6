//! One training step (losses, risk, backward pass, Adam) of each method of the paper and the rotation
//! head under the PU risk, and scoring: LeNet of section 5.3, batch 128, 3x32x32, f32, 7 labeled.
//!
//! `cargo bench --bench steps`, or with a filter: `cargo bench --bench steps -- PUSVDD`.

mod common;

use std::hint::black_box;

use common::{BATCH, random};
use criterion::{Criterion, criterion_group, criterion_main};
use puad::candle_core::{DType, Device, Tensor, Var};
use puad::method::{Assembly, Method, Pair};
use puad::net::Architecture;
use puad::objective::{GroupCounts, GroupLosses, Objective};
use puad::ops::backward;
use puad::optim::{Adam, AdamConfig};
use puad::{ClassPrior, Noise, NonNegativeLoss, Params, Pass, Result};

const LABELED: usize = 7;

fn assemble(pair: &Pair) -> Result<Assembly> {
    let params = Params::new(0, DType::F32, &Device::Cpu);
    let prior = ClassPrior::new(0.1)?;
    let assembly = Assembly::new(pair, &[3, 32, 32], &Architecture::Auto, prior, params)?;
    // A DeepSVDD's center.
    for center in assembly.detector().buffers() {
        center.set(&random(center.dims()))?;
    }
    Ok(assembly)
}

fn step(
    assembly: &Assembly,
    xs: &Tensor,
    noise: &mut Noise,
    (parameters, adam): (&[(String, Var)], &mut Adam),
) -> Result<()> {
    let objective = assembly.objective();
    let anomalies = if objective.sees().anomalies {
        LABELED
    } else {
        0
    };
    let counts = GroupCounts {
        unlabeled: BATCH - anomalies,
        anomalies,
        normals: 0,
    };
    let losses = objective
        .detector()
        .losses(xs, &mut Pass::training(noise))?;
    let risk = objective.risk(&GroupLosses::split(&losses, counts)?)?;
    adam.step(&backward(&risk, parameters.iter().map(|(_, var)| var))?)
}

fn steps(c: &mut Criterion) {
    let xs = random(&[BATCH, 3, 32, 32]);
    let rotation = ("rotation/pu", "rotation/pu".parse().unwrap());
    let networks = Method::NAMED.iter().chain([&rotation]);
    for (name, pair) in networks.filter_map(|(name, method)| Some((name, method.pair()?))) {
        let assembly = assemble(pair).unwrap();
        let parameters = assembly.params().parameters();
        let mut adam = Adam::new(parameters.clone(), AdamConfig::paper()).unwrap();
        let mut noise = Noise::new(0);
        let mut group = c.benchmark_group(*name);
        group.sample_size(15);
        group.bench_function("step", |b| {
            b.iter(|| step(&assembly, &xs, &mut noise, (&parameters, &mut adam)).unwrap())
        });
        group.bench_function("score", |b| {
            b.iter(|| black_box(assembly.detector().score(&xs).unwrap()))
        });
        group.finish();
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
