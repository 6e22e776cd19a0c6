//! Whole fits of the short path at its defaults: 10,000 rows of 30 features, fifty of them labeled anomalies, the estimate
//! of the class prior included; and scores of 10,000 rows by the default.
//!
//! `cargo bench --bench fits`.

mod common;

use std::hint::black_box;

use common::{BATCH, random};
use criterion::{Criterion, criterion_group, criterion_main};
use puad::candle_core::Tensor;
use puad::method::Method;
use puad::{Estimator, FitConfig, FittedDetector};

const ROWS: usize = 10_000;
const FEATURES: usize = 30;
const LABELED: usize = 50;
/// Anomalies among the unlabeled rows.
const HIDDEN: usize = 500;

/// Unlabeled rows, normals first, and labeled anomalies, which are half their range higher in a third of the features.
fn table() -> (Tensor, Tensor) {
    let rows = random(&[ROWS, FEATURES]);
    let anomalies = HIDDEN + LABELED;
    let normals = rows.narrow(0, 0, ROWS - anomalies).unwrap();
    let mut shift = vec![0f32; FEATURES];
    shift[..FEATURES / 3].fill(0.5);
    let shift = Tensor::new(shift, rows.device()).unwrap();
    let anomalies = rows
        .narrow(0, ROWS - anomalies, anomalies)
        .and_then(|rows| rows.broadcast_add(&shift))
        .unwrap();
    let hidden = anomalies.narrow(0, 0, HIDDEN).unwrap();
    let unlabeled = Tensor::cat(&[normals, hidden], 0).unwrap();
    (unlabeled, anomalies.narrow(0, HIDDEN, LABELED).unwrap())
}

fn fit(method: &Method, (unlabeled, anomalies): &(Tensor, Tensor)) -> FittedDetector {
    let config = FitConfig {
        method: Some(method.clone()),
        ..FitConfig::default()
    };
    Estimator::new(config).fit(unlabeled, anomalies).unwrap()
}

fn fits(c: &mut Criterion) {
    let table = table();
    let mut group = c.benchmark_group("fit 10,000 x 30");
    group.sample_size(10);
    for method in [
        Method::Auto,
        Method::PU_FOREST,
        Method::PUAE,
        Method::ISOLATION_FOREST,
    ] {
        group.bench_function(method.to_string(), |b| {
            b.iter(|| fit(black_box(&method), &table))
        });
    }
    group.finish();
    let fitted = fit(&Method::Auto, &table);
    let (unlabeled, _) = table;
    let mut group = c.benchmark_group("score, Auto");
    for rows in [unlabeled.dims()[0], BATCH, 1] {
        let some = unlabeled.narrow(0, 0, rows).unwrap();
        group.bench_function(rows.to_string(), |b| {
            b.iter(|| fitted.score(black_box(&some)).unwrap())
        });
    }
    group.finish();
}

criterion_group!(benches, fits);
criterion_main!(benches);
