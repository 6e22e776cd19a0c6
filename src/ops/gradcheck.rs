//! Every operation against central differences in f64, by its kernel and composed of candle's
//! operations, and the two against each other.

use std::sync::OnceLock;

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::backend::composed;
use super::*;

const STEP: f64 = 1e-5;

/// The device that `PUAD_TEST_DEVICE` names, else the CPU.
fn device() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let open = || {
        let name = std::env::var("PUAD_TEST_DEVICE").unwrap_or_else(|_| "cpu".into());
        crate::device(&name).unwrap()
    };
    DEVICE.get_or_init(open).clone()
}

/// Numbers in [-1, 1] that keep away from each other, so that no maximum or kink lies within a step.
fn spread(shape: &[usize], seed: u64) -> Tensor {
    let n: usize = shape.iter().product();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..n).collect();
    rand::seq::SliceRandom::shuffle(order.as_mut_slice(), &mut rng);
    let value = |i: usize| (2 * order[i] + 1) as f64 / n as f64 - 1.;
    Tensor::from_vec((0..n).map(value).collect(), shape, &device()).unwrap()
}

fn values(t: &Tensor) -> Vec<f64> {
    let flat = t.flatten_all().unwrap().to_dtype(DType::F64).unwrap();
    flat.to_vec1().unwrap()
}

/// `sum w_i f(inputs)_i` with fixed random weights.
fn objective(f: &dyn Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> Tensor {
    let out = f(inputs).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    let weights: Vec<f64> = (0..out.elem_count())
        .map(|_| rng.random_range(-1. ..1.))
        .collect();
    let weights = Tensor::from_vec(weights, out.shape(), out.device()).unwrap();
    let weights = weights.to_dtype(out.dtype()).unwrap();
    (out * weights).unwrap().sum_all().unwrap()
}

fn gradients(f: &dyn Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> Vec<Vec<f64>> {
    let vars: Vec<Var> = inputs
        .iter()
        .map(|t| Var::from_tensor(t).unwrap())
        .collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let grads = objective(f, &tensors).backward().unwrap();
    let grad = |var: &Var| values(grads.get(var).expect("a gradient for every input"));
    vars.iter().map(grad).collect()
}

fn differences(f: &dyn Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> Vec<Vec<f64>> {
    let one = |k: usize| {
        let base = values(&inputs[k]);
        let at = |i: usize, step: f64| {
            let mut moved = base.clone();
            moved[i] += step;
            let mut inputs = inputs.to_vec();
            inputs[k] = Tensor::from_vec(moved, inputs[k].shape(), &device()).unwrap();
            values(&objective(f, &inputs))[0]
        };
        let slope = |i| (at(i, STEP) - at(i, -STEP)) / (2. * STEP);
        (0..base.len()).map(slope).collect()
    };
    (0..inputs.len()).map(one).collect()
}

fn assert_close(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let close = (g - w).abs() <= tolerance * (1. + w.abs());
        assert!(close, "{what}: entry {i} is {g}, expected {w}");
    }
}

/// Within `tolerance` of the largest entry: the rounding of Winograd's transforms, and of sums that
/// cancel, goes by the size of the terms.
fn assert_near(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    let largest = want.iter().fold(1f64, |m, w| m.max(w.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let close = (g - w).abs() <= tolerance * largest;
        assert!(close, "{what}: entry {i} is {g}, expected {w}");
    }
}

/// Both paths of `f` against central differences, and against each other, in f64; then in f32
/// against f64.
fn check(what: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let f: &dyn Fn(&[Tensor]) -> Result<Tensor> = &f;
    let (kernel, value) = (gradients(f, inputs), values(&f(inputs).unwrap()));
    let plain = composed(|| gradients(f, inputs));
    let plain_value = composed(|| values(&f(inputs).unwrap()));
    assert_close(what, &plain_value, &value, 1e-12);
    for (k, wanted) in differences(f, inputs).iter().enumerate() {
        assert_close(&format!("{what}, input {k}"), &kernel[k], wanted, 1e-7);
        assert_close(
            &format!("{what}, input {k}, composed"),
            &plain[k],
            wanted,
            1e-7,
        );
    }
    let single: Vec<Tensor> = inputs
        .iter()
        .map(|t| t.to_dtype(DType::F32).unwrap())
        .collect();
    assert_near(what, &values(&f(&single).unwrap()), &value, 2e-5);
    for (k, gradient) in gradients(f, &single).iter().enumerate() {
        let what = format!("{what}, input {k}, f32");
        assert_near(&what, gradient, &kernel[k], 1e-4);
    }
}

fn options(padding: usize, transposed: bool) -> ConvOptions {
    ConvOptions {
        padding,
        transposed,
        ..Default::default()
    }
}

#[test]
fn convolutions() {
    for (n, c_in, h, w, c_out, size, padding) in [
        (2, 3, 6, 5, 4, 3, 1),
        (3, 2, 4, 7, 3, 5, 2),
        (1, 1, 3, 3, 2, 1, 0),
        (2, 2, 5, 4, 1, 2, 0),
        (2, 16, 4, 4, 16, 5, 2),
    ] {
        let what = format!("{n}x{c_in}x{h}x{w}, {c_out} of {size}, padding {padding}");
        let xs = spread(&[n, c_in, h, w], 1);
        let kernel = spread(&[c_out, c_in, size, size], 2);
        check(&format!("conv2d {what}"), &[xs.clone(), kernel], |t| {
            conv2d(&t[0], &t[1], options(padding, false))
        });
        let kernel = spread(&[c_in, c_out, size, size], 3);
        check(&format!("conv_transpose2d {what}"), &[xs, kernel], |t| {
            conv2d(&t[0], &t[1], options(padding, true))
        });
    }
}

#[test]
fn a_transposed_convolution_is_the_adjoint() {
    let (xs, ys) = (spread(&[2, 3, 6, 6], 1), spread(&[2, 4, 6, 6], 2));
    let kernel = spread(&[4, 3, 5, 5], 3);
    let dot = |a: &Tensor, b: &Tensor| values(&(a * b).unwrap().sum_all().unwrap())[0];
    let left = dot(&conv2d(&xs, &kernel, options(2, false)).unwrap(), &ys);
    let right = dot(&xs, &conv2d(&ys, &kernel, options(2, true)).unwrap());
    approx::assert_relative_eq!(left, right, max_relative = 1e-12);
}

#[test]
fn raw_images_get_no_gradient() {
    let xs = spread(&[2, 3, 6, 6], 1);
    let kernel = Var::from_tensor(&spread(&[4, 3, 5, 5], 3)).unwrap();
    let risk = conv2d(&xs, &kernel, options(2, false))
        .unwrap()
        .sum_all()
        .unwrap();
    let grads = risk.backward().unwrap();
    assert!(grads.get(&xs).is_none() && grads.get(&kernel).is_some());
}

#[test]
pub(super) fn batch_norm_of_batch_statistics() {
    for (shape, slope) in [
        (vec![4, 3, 2, 5], 0.01),
        (vec![6, 4], 0.3),
        (vec![5, 2, 3], 1.),
    ] {
        let (xs, channels) = (spread(&shape, 1), shape[1]);
        check("batch norm", std::slice::from_ref(&xs), |t| {
            let options = BatchNormOptions {
                affine: None,
                eps: 1e-5,
                negative_slope: slope,
            };
            Ok(batch_norm_train(&t[0], options)?.0)
        });
        let scale = (spread(&[channels], 2) + 1.5).unwrap();
        let shift = spread(&[channels], 3);
        check("affine batch norm", &[xs, scale, shift], |t| {
            let options = BatchNormOptions {
                affine: Some((&t[1], &t[2])),
                eps: 1e-3,
                negative_slope: slope,
            };
            Ok(batch_norm_train(&t[0], options)?.0)
        });
    }
}

#[test]
pub(super) fn batch_norm_of_given_statistics() {
    let (xs, scale, shift) = (spread(&[3, 2, 4], 1), spread(&[2], 2), spread(&[2], 3));
    let mean = Tensor::new(&[0.3f64, -0.2], &device()).unwrap();
    let variance = Tensor::new(&[0.5f64, 2.], &device()).unwrap();
    check("batch norm in evaluation", &[xs, scale, shift], |t| {
        let like = |s: &Tensor| s.to_dtype(t[0].dtype());
        let options = BatchNormOptions {
            affine: Some((&t[1], &t[2])),
            eps: 1e-5,
            negative_slope: 0.1,
        };
        batch_norm_eval(&t[0], &like(&mean)?, &like(&variance)?, options)
    });
}

#[test]
pub(super) fn batch_norm_keeps_its_digits_beside_a_large_mean() {
    // Deviation 1e-2 around a mean of 100, where f32 steps by 8e-6.
    let xs = (spread(&[64, 1, 8, 8], 1) * 1e-2).unwrap();
    let xs = (xs + 100.).unwrap().to_dtype(DType::F32).unwrap();
    let options = BatchNormOptions {
        affine: None,
        eps: 1e-5,
        negative_slope: 1.,
    };
    let exact = batch_norm_train(&xs.to_dtype(DType::F64).unwrap(), options).unwrap();
    let (ys, statistics) = batch_norm_train(&xs, options).unwrap();
    assert_close("values", &values(&ys), &values(&exact.0), 2e-6);
    let (got, want) = (values(&statistics.variance), values(&exact.1.variance));
    approx::assert_relative_eq!(got[0], want[0], max_relative = 1e-5);
}

/// Largest error of the normalised values, and of the gradient relative to its largest entry, at ratios
/// of the mean to the deviation, by batch norm on its own and inside a block.
#[test]
fn a_block_keeps_its_digits_beside_a_large_mean() {
    let normalised = |t: &[Tensor], algorithm| {
        // The convolution leaves its input as it is.
        let kernel = Tensor::ones((8, 1, 1, 1), t[0].dtype(), &device())?;
        let block = ConvBlock {
            kernel: &kernel,
            conv: ConvOptions {
                algorithm,
                ..Default::default()
            },
            upsample: 1,
            norm: BatchNormOptions {
                affine: None,
                eps: 1e-5,
                negative_slope: 1.,
            },
            pool: 1,
        };
        Ok(conv_block_train(&t[0], block)?.0)
    };
    let largest = |got: &[f64], want: &[f64]| {
        let pairs = got.iter().zip(want);
        pairs.fold(0f64, |m, (g, w)| m.max((g - w).abs()))
    };
    for (ratio, algorithm) in [1., 30., 1000.].into_iter().flat_map(|ratio| {
        [ConvAlgorithm::Exact, ConvAlgorithm::Fast].map(|algorithm| (ratio, algorithm))
    }) {
        let f: &dyn Fn(&[Tensor]) -> Result<Tensor> = &|t| normalised(t, algorithm);
        let (mut value, mut slope) = (0f64, 0f64);
        for seed in 0..8 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mean = ratio * rng.random_range(0.9..1.1);
            // Of deviation 1.
            let mut pixel = |_| mean + 3f64.sqrt() * rng.random_range(-1. ..1.);
            let pixels: Vec<f64> = (0..1 << 16).map(&mut pixel).collect();
            let xs = Tensor::from_vec(pixels, (64, 1, 32, 32), &device()).unwrap();
            let single = [xs.to_dtype(DType::F32).unwrap()];
            let double = [single[0].to_dtype(DType::F64).unwrap()];
            let (got, want) = (f(&single).unwrap(), f(&double).unwrap());
            value = value.max(largest(&values(&got), &values(&want)));
            let (got, want) = (gradients(f, &single), gradients(f, &double));
            slope = slope.max(largest(&got[0], &want[0]) / largest(&want[0], &[0.; 1 << 16]));
        }
        println!("{ratio:>4} {algorithm:?} values {value:.1e} gradient {slope:.1e}");
        assert!(value < 5e-7 && slope < 5e-7, "{ratio}, {algorithm:?}");
    }
}

#[test]
pub(super) fn pooling_and_upsampling() {
    let xs = spread(&[2, 3, 4, 6], 1);
    let odd = spread(&[1, 2, 7, 5], 2);
    for size in [1, 2, 3] {
        let images = [xs.clone()];
        check("max_pool2d", &images, |t| max_pool2d(&t[0], size));
        check("max_pool2d", std::slice::from_ref(&odd), |t| {
            max_pool2d(&t[0], size)
        });
        check("upsample", &images, |t| upsample_nearest2d(&t[0], size));
    }
}

/// Of a size that several tasks, or blocks of a GPU, share: kernels against candle's operations.
#[test]
pub(super) fn large_tensors() {
    type Op = fn(&[Tensor]) -> Result<Tensor>;
    let norm: Op = |t| {
        let affine = (t.len() > 1).then(|| (&t[1], &t[2]));
        let options = BatchNormOptions {
            affine,
            eps: 1e-3,
            negative_slope: 0.2,
        };
        Ok(batch_norm_train(&t[0], options)?.0)
    };
    let images = spread(&[9, 3, 32, 33], 1);
    let affine = [images.clone(), spread(&[3], 2), spread(&[3], 3)];
    let one = std::slice::from_ref(&images);
    let cases: [(&str, &[Tensor], Op); 8] = [
        ("batch norm", one, norm),
        ("affine batch norm", &affine, norm),
        ("max_pool2d", one, |t| max_pool2d(&t[0], 3)),
        ("upsample", one, |t| upsample_nearest2d(&t[0], 2)),
        ("leaky_relu", one, |t| leaky_relu(&t[0], 0.1)),
        ("sigmoid", one, |t| sigmoid(&t[0])),
        ("l2_norm", one, |t| l2_norm(&t[0])),
        ("log1mexp", one, |t| log1mexp(&t[0].sqr()?)),
    ];
    for (what, inputs, f) in cases {
        let value = values(&f(inputs).unwrap());
        assert_close(
            what,
            &value,
            &composed(|| values(&f(inputs).unwrap())),
            1e-11,
        );
        let wanted = composed(|| gradients(&f, inputs));
        for (got, want) in gradients(&f, inputs).iter().zip(&wanted) {
            assert_close(what, got, want, 1e-10);
        }
    }
}

#[test]
pub(super) fn the_first_maximum_takes_all() {
    let ones = Var::from_tensor(&Tensor::ones((1, 1, 2, 4), DType::F64, &device()).unwrap());
    let ones = ones.unwrap();
    let run = || max_pool2d(&ones, 2).unwrap().sum_all().unwrap().backward();
    let first = values(run().unwrap().get(&ones).unwrap());
    assert_eq!(first, [1., 0., 1., 0., 0., 0., 0., 0.]);
    let first = values(composed(run).unwrap().get(&ones).unwrap());
    assert_eq!(first, [1., 0., 1., 0., 0., 0., 0., 0.]);
}

#[test]
pub(super) fn nan_is_a_maximum() {
    let xs = Tensor::new(&[[[[1f32, f32::NAN], [3., 2.]]]], &device()).unwrap();
    assert!(values(&max_pool2d(&xs, 2).unwrap())[0].is_nan());
    assert!(values(&composed(|| max_pool2d(&xs, 2)).unwrap())[0].is_nan());
}

#[test]
pub(super) fn elementwise_operations() {
    let xs = spread(&[4, 7], 1);
    for slope in [0., 0.01, 1.] {
        check("leaky_relu", std::slice::from_ref(&xs), |t| {
            leaky_relu(&t[0], slope)
        });
    }
    check("l2_norm", std::slice::from_ref(&xs), |t| l2_norm(&t[0]));
    check("l2_norm", &[spread(&[2, 3, 4], 1)], |t| l2_norm(&t[0]));
    let positive = ((xs + 1.).unwrap() * 3.).unwrap();
    check("log1mexp", &[positive], |t| log1mexp(&t[0]));
}

/// Widths around those of vectors, one row and several tiles of them.
#[test]
pub(super) fn linear_layers_and_distances() {
    for (rows, inputs, outputs) in [(1, 2, 2), (1, 5, 3), (4, 7, 16), (13, 17, 9), (3, 2, 33)] {
        let seeded = |seed: u64| {
            [
                spread(&[rows, inputs], seed),
                spread(&[outputs, inputs], seed + 1),
                spread(&[outputs], seed + 2),
            ]
        };
        // No sum so close to 0 that a difference would step over the activation's kink.
        let is_clear = |[xs, weight, bias]: &[Tensor; 3]| {
            let sums = xs.matmul(&weight.t().unwrap()).unwrap();
            let with_bias = sums.broadcast_add(bias).unwrap();
            let mut all = values(&sums).into_iter().chain(values(&with_bias));
            all.all(|sum| sum.abs() > 1e2 * STEP)
        };
        let inputs = (1..1000).map(seeded).find(is_clear).unwrap();
        for negative_slope in [0., 0.3, 1., -0.5] {
            let bare = LinearOptions {
                negative_slope,
                ..Default::default()
            };
            check("linear", &inputs[..2], |t| linear(&t[0], &t[1], bare));
            check("linear with bias", &inputs, |t| {
                let bias = Some(&t[2]);
                linear(&t[0], &t[1], LinearOptions { bias, ..bare })
            });
        }
    }
    let pair = [spread(&[3, 2, 5], 1), spread(&[3, 2, 5], 2)];
    check("l2_distance", &pair, |t| l2_distance(&t[0], &t[1]));
    let center = spread(&[19], 3);
    check("squared_distance", &[spread(&[4, 19], 4)], |t| {
        squared_distance(&t[0], &center.to_dtype(t[0].dtype())?)
    });
}

/// A sample on its center or its reconstruction has no direction to go.
#[test]
pub(super) fn distances_of_zero_have_no_gradient() {
    let xs = Var::from_tensor(&spread(&[2, 3], 1)).unwrap();
    let run = || {
        let distance = l2_distance(&xs, &xs.detach()).unwrap();
        assert_eq!(values(&distance), [0.; 2]);
        distance.sum_all().unwrap().backward().unwrap()
    };
    for grads in [run(), composed(run)] {
        assert_eq!(values(grads.get(&xs).unwrap()), [0.; 6]);
    }
}

#[test]
pub(super) fn gradients_at_zero_are_finite() {
    let zero = Var::from_tensor(&Tensor::zeros((2, 3), DType::F64, &device()).unwrap()).unwrap();
    let norm = || {
        l2_norm(&zero)
            .unwrap()
            .sum_all()
            .unwrap()
            .backward()
            .unwrap()
    };
    let leaky = || {
        leaky_relu(&zero, 0.2)
            .unwrap()
            .sum_all()
            .unwrap()
            .backward()
    };
    for run in [norm(), composed(norm)] {
        assert_eq!(values(run.get(&zero).unwrap()), [0.; 6]);
    }
    for run in [leaky().unwrap(), composed(leaky).unwrap()] {
        assert_eq!(values(run.get(&zero).unwrap()), [0.2; 6]);
    }
}

/// `log(1 - exp(-x))` and its slope from their definition, where f64 has digits to spare.
#[test]
pub(super) fn log1mexp_keeps_its_digits_at_both_ends() {
    // mpmath, 30 digits: [log(1 - exp(-x)), 1 / expm1(x)]
    let table = [
        (1e-5, -11.512_930_464_966_062, 99_999.500_000_833_33),
        (1e-3, -6.908_255_237_315_471, 999.500_083_333_331_9),
        (0.693, -0.693_294_382_785_196_6, 1.000_294_426_120_061),
        (0.694, -0.692_295_087_801_204, 0.998_296_540_338_406_7),
        (20., -2.061_153_624_562_735e-9, 2.061_153_626_686_912e-9),
        (
            50.,
            -1.928_749_847_994_236_4e-22,
            1.928_749_847_963_917_8e-22,
        ),
    ];
    for (x, value, slope) in table {
        for dtype in [DType::F64, DType::F32] {
            let xs = Tensor::new(&[x], &device()).unwrap().to_dtype(dtype);
            let var = Var::from_tensor(&xs.unwrap()).unwrap();
            let tolerance = if dtype == DType::F64 { 1e-12 } else { 3e-5 };
            let run = || {
                let ys = log1mexp(&var).unwrap();
                let grads = ys.sum_all().unwrap().backward().unwrap();
                (values(&ys)[0], values(grads.get(&var).unwrap())[0])
            };
            for (y, g) in [run(), composed(run)] {
                approx::assert_relative_eq!(y, value, max_relative = tolerance);
                approx::assert_relative_eq!(g, slope, max_relative = tolerance);
            }
        }
    }
}
