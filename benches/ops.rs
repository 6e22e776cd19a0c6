//! Each operation at the shapes of the LeNet, forward, and forward with backward: batch 128, f32.
//!
//! `cargo bench --bench ops`, or with a filter: `cargo bench --bench ops -- conv`. PyTorch's side of the
//! blocks is `ops.py`.

mod common;

use std::hint::black_box;

use common::{BATCH, random};
use criterion::{Criterion, criterion_group, criterion_main};
use puad::candle_core::{Result, Tensor, Var};
use puad::ops::{
    BatchNormOptions, ConvBlock, ConvOptions, batch_norm_train, conv_block_eval, conv_block_train,
    conv2d, l2_norm, leaky_relu, log1mexp, max_pool2d, sigmoid, upsample_nearest2d,
    upsample2_conv2d,
};
use puad::optim::{Adam, AdamConfig};

/// Times `f` of inputs of the given shapes; those marked get gradients.
fn bench(
    c: &mut Criterion,
    name: &str,
    inputs: &[(&[usize], bool)],
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let mut vars = vec![];
    let mut leaves = vec![];
    for &(dims, tracked) in inputs {
        let t = random(dims);
        if tracked {
            let var = Var::from_tensor(&t).unwrap();
            leaves.push(var.as_tensor().clone());
            vars.push(var);
        } else {
            leaves.push(t);
        }
    }
    let plain: Vec<Tensor> = leaves.iter().map(Tensor::detach).collect();
    let mut group = c.benchmark_group(name);
    group.sample_size(15);
    group.bench_function("forward", |b| b.iter(|| black_box(f(&plain).unwrap())));
    // The sum at the end adds one pass over the output, and one over its gradient.
    group.bench_function("both", |b| {
        b.iter(|| black_box(f(&leaves).unwrap().sum_all().unwrap().backward().unwrap()))
    });
    group.finish();
}

fn options(transposed: bool) -> ConvOptions {
    ConvOptions {
        padding: 2,
        transposed,
        ..Default::default()
    }
}

fn convolutions(c: &mut Criterion) {
    for (name, c_in, c_out, size) in [
        ("conv 3-32 32x32", 3, 32, 32),
        ("conv 32-64 16x16", 32, 64, 16),
        ("conv 64-128 8x8", 64, 128, 8),
    ] {
        let xs = [BATCH, c_in, size, size];
        let kernel = [c_out, c_in, 5, 5];
        let inputs: [(&[usize], bool); 2] = [(&xs, c_in > 3), (&kernel, true)];
        bench(c, name, &inputs, |t| conv2d(&t[0], &t[1], options(false)));
        block(
            c,
            &format!("block {name} pool"),
            [c_in, c_out, size],
            false,
            (1, 2),
        );
    }
    for (name, c_in, c_out, size) in [
        ("conv-t 8-128 4x4", 8, 128, 4),
        ("conv-t 128-64 8x8", 128, 64, 8),
        ("conv-t 64-32 16x16", 64, 32, 16),
    ] {
        let xs = [BATCH, c_in, size, size];
        let kernel = [c_in, c_out, 5, 5];
        let inputs: [(&[usize], bool); 2] = [(&xs, true), (&kernel, true)];
        bench(c, name, &inputs, |t| conv2d(&t[0], &t[1], options(true)));
        let (size, up) = if size > 4 { (size / 2, 2) } else { (size, 1) };
        block(
            c,
            &format!("block {name}"),
            [c_in, c_out, size],
            true,
            (up, 1),
        );
    }
    let (xs, kernel) = ([BATCH, 32, 16, 16], [32, 3, 5, 5]);
    let inputs: [(&[usize], bool); 2] = [(&xs, true), (&kernel, true)];
    bench(c, "upsample, conv-t 32-3 32x32", &inputs, |t| {
        upsample2_conv2d(&t[0], &t[1], options(true))
    });
}

/// A block in training, and in evaluation as `forward` of its own.
fn block(
    c: &mut Criterion,
    name: &str,
    [c_in, c_out, size]: [usize; 3],
    transposed: bool,
    (upsample, pool): (usize, usize),
) {
    let xs = [BATCH, c_in, size, size];
    let kernel = if transposed {
        [c_in, c_out, 5, 5]
    } else {
        [c_out, c_in, 5, 5]
    };
    let inputs: [(&[usize], bool); 4] = [
        (&xs, c_in > 3),
        (&kernel, true),
        (&[c_out], true),
        (&[c_out], true),
    ];
    fn norm(t: &[Tensor]) -> BatchNormOptions<'_> {
        BatchNormOptions {
            affine: Some((&t[2], &t[3])),
            eps: 1e-5,
            negative_slope: 0.01,
        }
    }
    let of = |t: &[Tensor], train: bool| {
        let block = ConvBlock {
            kernel: &t[1],
            conv: options(transposed),
            upsample,
            norm: norm(t),
            pool,
        };
        if train {
            Ok(conv_block_train(&t[0], block)?.0)
        } else {
            conv_block_eval(&t[0], &t[2].detach(), &t[3].detach(), block)
        }
    };
    bench(c, name, &inputs, |t| of(t, true));
    let t: Vec<Tensor> = inputs.iter().map(|(dims, _)| random(dims)).collect();
    let mut group = c.benchmark_group(name);
    group.sample_size(15);
    group.bench_function("evaluation", |b| {
        b.iter(|| black_box(of(&t, false).unwrap()))
    });
    group.finish();
}

fn elementwise(c: &mut Criterion) {
    let features: &[usize] = &[BATCH, 32, 32, 32];
    let one: [(&[usize], bool); 1] = [(features, true)];
    bench(c, "leaky_relu", &one, |t| leaky_relu(&t[0], 0.01));
    bench(c, "max_pool2d", &one, |t| max_pool2d(&t[0], 2));
    bench(c, "batch_norm", &one, |t| {
        let options = BatchNormOptions {
            affine: None,
            eps: 1e-5,
            negative_slope: 0.01,
        };
        Ok(batch_norm_train(&t[0], options)?.0)
    });
    let small: [(&[usize], bool); 1] = [(&[BATCH, 32, 16, 16], true)];
    bench(c, "upsample_nearest2d", &small, |t| {
        upsample_nearest2d(&t[0], 2)
    });
    let image: [(&[usize], bool); 1] = [(&[BATCH, 3, 32, 32], true)];
    bench(c, "sigmoid", &image, |t| sigmoid(&t[0]));
    bench(c, "l2_norm", &image, |t| l2_norm(&t[0]));
    let losses: [(&[usize], bool); 1] = [(&[BATCH], true)];
    bench(c, "log1mexp", &losses, |t| log1mexp(&t[0]));
}

fn linear(c: &mut Criterion) {
    let inputs: [(&[usize], bool); 2] = [(&[BATCH, 2048], true), (&[128, 2048], true)];
    bench(c, "linear 2048-128", &inputs, |t| t[0].matmul(&t[1].t()?));
}

fn adam(c: &mut Criterion) {
    // All weights of the encoder.
    let var = |dims: &[usize]| Var::from_tensor(&random(dims)).unwrap();
    let vars = vec![
        var(&[32, 3, 5, 5]),
        var(&[64, 32, 5, 5]),
        var(&[128, 64, 5, 5]),
        var(&[128, 2048]),
    ];
    let sum = vars.iter().map(|v| v.sqr().unwrap().sum_all().unwrap());
    let grads = sum
        .reduce(|a, b| (a + b).unwrap())
        .unwrap()
        .backward()
        .unwrap();
    let named = vars.into_iter().enumerate();
    let named = named.map(|(i, var)| (i.to_string(), var)).collect();
    let mut adam = Adam::new(named, AdamConfig::paper()).unwrap();
    c.bench_function("adam", |b| b.iter(|| adam.step(&grads).unwrap()));
}

criterion_group!(benches, convolutions, linear, elementwise, adam);
criterion_main!(benches);
