//! The f32 kernels against the exact path in f64, values and gradients, over random shapes.

mod common;

use common::device;
use proptest::prelude::*;
use puad::candle_core::{DType, Result, Tensor, Var};
use puad::ops::{
    BatchNormOptions, ConvAlgorithm, ConvBlock, ConvOptions, conv_block_eval, conv_block_train,
    conv2d, upsample2_conv2d,
};

/// Numbers in [-1, 1) from an integer hash.
fn numbers(n: usize, key: u64) -> Vec<f64> {
    let value = |i: u64| {
        let mut z = (key << 32)
            .wrapping_add(i)
            .wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as f64 / 2f64.powi(63) - 1.
    };
    (0..n as u64).map(value).collect()
}

fn tensor(dims: &[usize], key: u64, dtype: DType) -> Tensor {
    let values = numbers(dims.iter().product(), key);
    let t = Tensor::from_vec(values, dims, &device()).unwrap();
    // Both precisions see the same numbers.
    let t = t.to_dtype(DType::F32).unwrap();
    t.to_dtype(dtype).unwrap()
}

/// `[n, c, h, w]`, the even ones grey if `grey`: all channels as the first.
fn images(dims @ [n, c, _, _]: [usize; 4], grey: bool) -> Tensor {
    let all = tensor(&dims, 1, DType::F32);
    let image = |i: usize| {
        let image = all.narrow(0, i, 1)?;
        if grey && i.is_multiple_of(2) {
            image.narrow(1, 0, 1)?.repeat((1, c, 1, 1))
        } else {
            Ok(image)
        }
    };
    let all = (0..n).map(image).collect::<Result<Vec<_>>>().unwrap();
    Tensor::cat(&all, 0).unwrap()
}

/// Of a convolution from `c_in` to `c_out` channels.
fn kernel([c_in, c_out, size]: [usize; 3], transposed: bool) -> Tensor {
    let (first, second) = if transposed {
        (c_in, c_out)
    } else {
        (c_out, c_in)
    };
    tensor(&[first, second, size, size], 2, DType::F32)
}

const PADDED: ConvOptions = ConvOptions {
    padding: 2,
    transposed: false,
    algorithm: ConvAlgorithm::Fast,
};

fn values(t: &Tensor) -> Vec<f64> {
    let t = t.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
    t.to_vec1().unwrap()
}

/// Largest difference, relative to the root mean square of `want`.
fn error(got: &Tensor, want: &Tensor) -> f64 {
    assert_eq!(got.dims(), want.dims());
    let (got, want) = (values(got), values(want));
    let square: f64 = want.iter().map(|v| v * v).sum();
    let scale = (square / want.len() as f64).sqrt().max(1e-6);
    let differences = got.iter().zip(&want).map(|(g, w)| (g - w).abs());
    differences.fold(0., |worst, d| {
        assert!(!d.is_nan());
        f64::max(worst, d)
    }) / scale
}

/// Output and gradients of `f` at `inputs`, against a random output gradient.
fn run(
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
    dtype: DType,
) -> Result<Vec<Tensor>> {
    let vars: Vec<Var> = inputs
        .iter()
        .map(|t| Var::from_tensor(&t.to_dtype(dtype)?))
        .collect::<Result<_>>()?;
    let leaves: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let ys = f(&leaves)?;
    let grad = tensor(ys.dims(), 99, dtype);
    let grads = (&ys * grad)?.sum_all()?.backward()?;
    let mut out = vec![ys];
    out.extend(vars.iter().map(|v| grads.get(v).unwrap().clone()));
    Ok(out)
}

fn compare(f: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> f64 {
    let got = run(&f, inputs, DType::F32).unwrap();
    let want = run(&f, inputs, DType::F64).unwrap();
    let errors = got.iter().zip(&want).map(|(g, w)| error(g, w));
    errors.fold(0., f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn convolutions_follow_the_exact_path(
        n in 1usize..10, c_in in 1usize..71, c_out in 1usize..71,
        h in 1usize..41, w in 1usize..41, size in 1usize..8, padding in 0usize..4,
        transposed: bool, five: bool, swapped: bool, grey: bool,
    ) {
        // Bound the work of a case, and let half of them have the kernel that Winograd takes.
        let size = if five { 5 } else { size };
        let n = n.min(1 + 200_000 / (h * w * c_in.max(c_out)));
        prop_assume!(h + 2 * padding >= size && w + 2 * padding >= size);
        prop_assume!(!transposed || (h + size > 2 * padding + 1 && w + size > 2 * padding + 1));
        let xs = images([n, c_in, h, w], grey);
        let xs = if swapped { xs.transpose(2, 3).unwrap() } else { xs };
        let kernel = kernel([c_in, c_out, size], transposed);
        let options = ConvOptions { padding, transposed, ..Default::default() };
        let f = |t: &[Tensor]| conv2d(&t[0], &t[1], options);
        let (h, w) = if swapped { (w, h) } else { (h, w) };
        prop_assume!(h + 2 * padding >= size && w + 2 * padding >= size);
        let error = compare(f, &[xs, kernel]);
        prop_assert!(error < 1e-4, "{error}");
    }

    #[test]
    fn upsampled_convolutions_follow_the_exact_path(
        n in 1usize..7, c_in in 1usize..40, c_out in 1usize..10, h in 1usize..20, w in 1usize..20,
        size in 1usize..8, padding in 0usize..4, plain: bool, transposed: bool,
    ) {
        // Half of the cases have the kernel that subpixels take.
        let (size, padding) = if plain { (5, 2) } else { (size, padding) };
        prop_assume!(2 * h.min(w) + 2 * padding >= size);
        prop_assume!(!transposed || 2 * h.min(w) + size > 2 * padding + 1);
        let xs = tensor(&[n, c_in, h, w], 1, DType::F32);
        let kernel = kernel([c_in, c_out, size], transposed);
        let options = ConvOptions { padding, transposed, ..Default::default() };
        let f = |t: &[Tensor]| upsample2_conv2d(&t[0], &t[1], options);
        let error = compare(f, &[xs, kernel]);
        prop_assert!(error < 1e-4, "{error}");
    }

    #[test]
    fn blocks_follow_the_exact_path(
        n in 1usize..7, c_in in 1usize..40, c_out in 1usize..40, h in 2usize..14, w in 2usize..14,
        padding in 0usize..4, upsample in 1usize..4, pool in 1usize..4,
        transposed: bool, affine: bool, train: bool, kink: bool, grey: bool,
    ) {
        let slope = if kink { 0.3 } else { 1. };
        prop_assume!(h * upsample + 2 * padding >= 5 && w * upsample + 2 * padding >= 5);
        prop_assume!(!transposed || (h * upsample + 4 > 2 * padding && w * upsample + 4 > 2 * padding));
        let xs = images([n, c_in, h, w], grey);
        let kernel = kernel([c_in, c_out, 5], transposed);
        let (scale, shift) = (tensor(&[c_out], 3, DType::F32), tensor(&[c_out], 4, DType::F32));
        let f = |t: &[Tensor]| {
            let norm = BatchNormOptions {
                affine: affine.then(|| (&t[2], &t[3])),
                eps: 1e-2,
                negative_slope: slope,
            };
            let conv = ConvOptions { padding, transposed, ..Default::default() };
            let block = ConvBlock { kernel: &t[1], conv, upsample, norm, pool };
            let ys = if train {
                conv_block_train(&t[0], block)?.0
            } else {
                let (mean, variance) = (t[2].detach(), t[3].detach().sqr()?);
                conv_block_eval(&t[0], &mean, &variance, block)?
            };
            // So that scale and shift always have gradients.
            ys.broadcast_add(&(&t[2] + &t[3])?.sum_all()?)
        };
        let out = |len: usize| {
            if transposed {
                len * upsample + 4 - 2 * padding
            } else {
                len * upsample + 2 * padding - 4
            }
        };
        prop_assume!(out(h) >= pool && out(w) >= pool && n * out(h) * out(w) >= 8);
        let inputs = [xs, kernel, scale, shift];
        let got = run(f, &inputs, DType::F32).unwrap();
        let want = run(f, &inputs, DType::F64).unwrap();
        // The statistics of a few values amplify rounding.
        let outputs = error(&got[0], &want[0]);
        prop_assert!(outputs < 2e-3, "{outputs}");
        // A value within rounding of the kink, or of a tie in a window, sends its gradient another
        // way: an error of one value's size, which the rest must not exceed.
        let smooth = slope == 1. && pool == 1;
        let one_value = 0.01 + 2. / (want[0].elem_count() as f64).sqrt();
        for (g, w) in got.iter().zip(&want).skip(1) {
            if smooth {
                prop_assert!(error(g, w) < 2e-3, "{}", error(g, w));
            } else {
                prop_assert!(mean_error(g, w) < one_value, "{}", mean_error(g, w));
            }
        }
    }
}

/// Root mean square of the difference, relative to that of `want`.
fn mean_error(got: &Tensor, want: &Tensor) -> f64 {
    let (got, want) = (values(got), values(want));
    let square: f64 = want.iter().map(|v| v * v).sum();
    let differences = got.iter().zip(&want).map(|(g, w)| (g - w) * (g - w));
    (differences.sum::<f64>() / square).sqrt()
}

/// The errors that `ConvAlgorithm` documents, at the shapes of the LeNet.
#[test]
fn errors_are_as_documented() {
    for (c_in, c_out, size) in [(32, 64, 16), (64, 128, 8), (3, 32, 32), (8, 128, 4)] {
        let inputs = [
            tensor(&[16, c_in, size, size], 1, DType::F32),
            tensor(&[c_out, c_in, 5, 5], 2, DType::F32),
        ];
        let by = |algorithm| ConvOptions {
            padding: 2,
            algorithm,
            ..Default::default()
        };
        let exact = |t: &[Tensor]| conv2d(&t[0], &t[1], by(ConvAlgorithm::Exact));
        let want = run(exact, &inputs, DType::F64).unwrap();
        for (algorithm, limit) in [(ConvAlgorithm::Fast, 3e-6), (ConvAlgorithm::Exact, 5e-7)] {
            let f = |t: &[Tensor]| conv2d(&t[0], &t[1], by(algorithm));
            let got = run(f, &inputs, DType::F32).unwrap();
            for (got, want) in got.iter().zip(&want) {
                let error = mean_error(got, want);
                println!("{c_in} -> {c_out} {algorithm:?} {error:.1e}");
                assert!(error < limit, "{c_in} -> {c_out}, {algorithm:?}: {error:e}");
            }
        }
    }
}

/// One NaN in the input reaches exactly the outputs whose windows hold it, as in PyTorch, or, by
/// Winograd, at most those of the tiles that hold it.
#[test]
fn nan_is_never_lost() {
    for (c_in, pool) in [(3, 1), (3, 2), (16, 1), (16, 2)] {
        let mut pixels = numbers(2 * c_in * 64, 1);
        pixels[3 * 8 + 3] = f64::NAN;
        let xs = Tensor::from_vec(pixels, (2, c_in, 8, 8), &device()).unwrap();
        let kernel = tensor(&[16, c_in, 5, 5], 2, DType::F64);
        let moments = (tensor(&[16], 3, DType::F64), tensor(&[16], 4, DType::F64));
        let run = |dtype| {
            let cast = |t: &Tensor| t.to_dtype(dtype).unwrap();
            let (xs, kernel) = (cast(&xs), cast(&kernel));
            let norm = BatchNormOptions {
                affine: None,
                eps: 1e-5,
                negative_slope: 0.1,
            };
            let block = ConvBlock {
                kernel: &kernel,
                conv: PADDED,
                upsample: 1,
                norm,
                pool,
            };
            let variance = cast(&moments.1.sqr().unwrap());
            let eval = conv_block_eval(&xs, &cast(&moments.0), &variance, block).unwrap();
            (
                values(&eval),
                values(&conv_block_train(&xs, block).unwrap().0),
            )
        };
        let (got, want) = (run(DType::F32), run(DType::F64));
        let second = got.0.len() / 2;
        for (i, (g, w)) in got.0.iter().zip(&want.0).enumerate() {
            assert!(g.is_nan() || !w.is_nan(), "{i}");
            // The other image is untouched.
            assert!(i < second || !g.is_nan(), "{i}");
        }
        assert!(got.1.iter().all(|v| v.is_nan()));
    }
}

/// The same bits on one thread and on three.
#[test]
fn results_do_not_depend_on_threads() {
    let inputs = [
        tensor(&[40, 16, 8, 8], 1, DType::F32),
        tensor(&[24, 16, 5, 5], 2, DType::F32),
        tensor(&[24], 3, DType::F32),
        tensor(&[24], 4, DType::F32),
    ];
    let f = |t: &[Tensor]| {
        let norm = BatchNormOptions {
            affine: Some((&t[2], &t[3])),
            eps: 1e-5,
            negative_slope: 0.1,
        };
        let block = ConvBlock {
            kernel: &t[1],
            conv: PADDED,
            upsample: 1,
            norm,
            pool: 2,
        };
        Ok(conv_block_train(&t[0], block)?.0)
    };
    // CUDA knows no such pool, and a stream belongs to a thread.
    if !device().is_cpu() {
        return;
    }
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new();
        let pool = pool.num_threads(threads).build().unwrap();
        let results = pool.install(|| run(f, &inputs, DType::F32).unwrap());
        results.iter().map(values).collect::<Vec<_>>()
    };
    assert_eq!(on(1), on(3));
}
