//! Isolation forest: a fit on 10,000 rows of 30 features, and scores of 100,000 rows and of one.
//!
//! `cargo bench --bench forest`; `python benches/forest.py` is scikit-learn's side.

mod common;

use std::hint::black_box;

use common::{BATCH, random};
use criterion::{Criterion, criterion_group, criterion_main};
use puad::baseline::{IsolationForest, IsolationForestConfig};

const FEATURES: usize = 30;

fn forest(c: &mut Criterion) {
    let rows = random(&[100_000, FEATURES]);
    let few = rows.narrow(0, 0, 10_000).unwrap();
    let one = rows.narrow(0, 0, 1).unwrap();
    let config = IsolationForestConfig::default();
    let fitted = IsolationForest::fit(&few, &config, 0).unwrap();
    let mut group = c.benchmark_group("isolation forest");
    group.sample_size(15);
    group.bench_function("fit 10,000", |b| {
        b.iter(|| IsolationForest::fit(black_box(&few), &config, 0).unwrap())
    });
    group.bench_function("score 100,000", |b| {
        b.iter(|| fitted.score(black_box(&rows)).unwrap())
    });
    let some = rows.narrow(0, 0, BATCH).unwrap();
    group.bench_function("score a batch of 128", |b| {
        b.iter(|| fitted.score(black_box(&some)).unwrap())
    });
    group.bench_function("score 1", |b| {
        b.iter(|| fitted.score(black_box(&one)).unwrap())
    });
    group.finish();
}

criterion_group!(benches, forest);
criterion_main!(benches);
