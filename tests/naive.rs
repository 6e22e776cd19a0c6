//! Every operation on images against loops that say what it is, values and gradients, over random
//! shapes, with inputs that are not contiguous, in f64 and f32.

mod common;

use common::device;
use proptest::prelude::*;
use puad::candle_core::{DType, Result, Tensor, Var};
use puad::ops::{
    BatchNormOptions, ConvAlgorithm, ConvOptions, batch_norm_eval, batch_norm_train, conv2d,
    max_pool2d, upsample_nearest2d,
};

/// Numbers in [-1, 1) that f32 holds, from an integer hash.
fn numbers(n: usize, key: u64) -> Vec<f64> {
    let value = |i: u64| {
        let mut z = (key << 32).wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from((z >> 40) as u32) / f64::from(1 << 23) - 1.
    };
    (1..=n as u64).map(value).collect()
}

/// A tensor and its values.
fn tensor(dims: &[usize], key: u64) -> (Tensor, Vec<f64>) {
    let flat = numbers(dims.iter().product(), key);
    let t = Tensor::from_vec(flat.clone(), dims, &device()).unwrap();
    (t, flat)
}

/// The same values, with rows and columns stored the other way round behind ten others.
fn relaid(t: &Tensor) -> Result<Tensor> {
    let last = t.rank() - 1;
    let turned = t.transpose(last - 1, last)?.contiguous()?;
    let flat = turned.flatten_all()?;
    let padding = Tensor::zeros(10, t.dtype(), t.device())?;
    let behind = Tensor::cat(&[&padding, &flat], 0)?.narrow(0, 10, flat.elem_count())?;
    behind.reshape(turned.shape())?.transpose(last - 1, last)
}

fn values(t: &Tensor) -> Vec<f64> {
    let t = t.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
    t.to_vec1().unwrap()
}

/// Output, the gradient it is given, and the gradients of `inputs` under it.
struct Seen {
    ys: Vec<f64>,
    grad: Vec<f64>,
    inputs: Vec<Vec<f64>>,
}

fn run(
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[&Tensor],
    dtype: DType,
    swapped: bool,
) -> Seen {
    let vars: Vec<Var> = inputs
        .iter()
        .map(|t| Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap())
        .collect();
    let leaf = |v: &Var| {
        if swapped {
            relaid(v).unwrap()
        } else {
            v.as_tensor().clone()
        }
    };
    let leaves: Vec<Tensor> = vars.iter().map(leaf).collect();
    let ys = f(&leaves).unwrap();
    let grad = tensor(ys.dims(), 99).0.to_dtype(dtype).unwrap();
    let grads = (&ys * &grad)
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    Seen {
        ys: values(&ys),
        grad: values(&grad),
        inputs: vars.iter().map(|v| values(grads.get(v).unwrap())).collect(),
    }
}

/// Within `tolerance` of the largest entry; NaN where `want` is.
fn close(what: &str, got: &[f64], want: &[f64], tolerance: f64) -> std::result::Result<(), String> {
    assert_eq!(got.len(), want.len(), "{what}");
    let finite = want.iter().filter(|w| w.is_finite());
    let scale = finite.fold(1f64, |m, w| m.max(w.abs()));
    let wrong = got.iter().zip(want).position(|(g, w)| {
        let same = (g - w).abs() <= tolerance * scale;
        !(same || g.is_nan() && w.is_nan())
    });
    match wrong {
        None => Ok(()),
        Some(i) => Err(format!(
            "{what}: entry {i} is {}, expected {}",
            got[i], want[i]
        )),
    }
}

fn tolerance(dtype: DType) -> f64 {
    if dtype == DType::F64 { 1e-11 } else { 2e-5 }
}

macro_rules! prop_close {
    ($what:expr, $got:expr, $want:expr, $tolerance:expr) => {
        let result = close($what, $got, $want, $tolerance);
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    };
}

/// Calls `f(output, input, kernel)` with the index of every product of a convolution
/// `[n, c_in, h, w] * [c_out, c_in, k, k]`.
fn products(
    [n, c_in, h, w]: [usize; 4],
    (c_out, k, padding): (usize, usize, usize),
    mut f: impl FnMut(usize, usize, usize),
) {
    let (oh, ow) = (h + 2 * padding + 1 - k, w + 2 * padding + 1 - k);
    for (i, o, c) in (0..n * c_out * c_in).map(|j| (j / c_in / c_out, j / c_in % c_out, j % c_in)) {
        for (y, x) in (0..oh * ow).map(|j| (j / ow, j % ow)) {
            for (dy, dx) in (0..k * k).map(|j| (j / k, j % k)) {
                let (iy, ix) = (
                    (y + dy).wrapping_sub(padding),
                    (x + dx).wrapping_sub(padding),
                );
                if iy < h && ix < w {
                    let output = ((i * c_out + o) * oh + y) * ow + x;
                    let input = ((i * c_in + c) * h + iy) * w + ix;
                    f(output, input, ((o * c_in + c) * k + dy) * k + dx);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

    #[test]
    fn convolutions(
        n in 1usize..10, c_in in 1usize..71, c_out in 1usize..71, h in 1usize..41, w in 1usize..41,
        k in 1usize..8, padding in 0usize..4, swapped: bool, transposed: bool, fast: bool,
    ) {
        prop_assume!(h + 2 * padding >= k && w + 2 * padding >= k);
        let (oh, ow) = (h + 2 * padding + 1 - k, w + 2 * padding + 1 - k);
        // The loops take a second for 10^9 products.
        let work = c_in * c_out * oh * ow * k * k;
        prop_assume!(work < 60_000_000);
        let n = n.min(1 + 60_000_000 / work);
        let (dtype, algorithm) = if fast {
            (DType::F32, ConvAlgorithm::Fast)
        } else {
            (DType::F64, ConvAlgorithm::Exact)
        };
        // A transposed convolution is the same one, from output to input.
        let (input, output) = ([n, c_in, h, w], [n, c_out, oh, ow]);
        let (xs, x) = tensor(if transposed { &output } else { &input }, 1);
        let (kernel, weight) = tensor(&[c_out, c_in, k, k], 2);
        let options = ConvOptions { padding, transposed, algorithm };
        let f = |t: &[Tensor]| conv2d(&t[0], &t[1], options);
        let seen = run(f, &[&xs, &kernel], dtype, swapped);
        let (mut ys, mut d_x) = (vec![0.; seen.ys.len()], vec![0.; x.len()]);
        let mut d_weight = vec![0.; weight.len()];
        products(input, (c_out, k, padding), |o, i, at| {
            let (y, x_at) = if transposed { (i, o) } else { (o, i) };
            ys[y] += x[x_at] * weight[at];
            d_x[x_at] += seen.grad[y] * weight[at];
            d_weight[at] += seen.grad[y] * x[x_at];
        });
        let tolerance = tolerance(dtype);
        prop_close!("values", &seen.ys, &ys, tolerance);
        prop_close!("input gradient", &seen.inputs[0], &d_x, tolerance);
        prop_close!("kernel gradient", &seen.inputs[1], &d_weight, tolerance);
    }

    #[test]
    fn batch_norm(
        n in 1usize..10, channels in 1usize..71, h in 1usize..41, w in 1usize..41,
        swapped: bool, train: bool, affine: bool, single: bool, slope in 0.01f64..1.5,
    ) {
        let count = n * h * w;
        prop_assume!(count >= 2 && count * channels < 200_000);
        let dtype = if single { DType::F32 } else { DType::F64 };
        let (xs, x) = tensor(&[n, channels, h, w], 1);
        let (scales, shifts) = (tensor(&[1, channels], 2), tensor(&[1, channels], 3));
        let (eps, given) = (1e-2, (0.25, 0.5));
        let f = |t: &[Tensor]| {
            let affine = match t {
                [_, scale, shift] => Some((&scale.flatten_all()?, &shift.flatten_all()?)),
                _ => None,
            };
            let options = BatchNormOptions { affine, eps, negative_slope: slope };
            if train {
                Ok(batch_norm_train(&t[0], options)?.0)
            } else {
                let fill = |v: f64| Tensor::full(v, channels, &device())?.to_dtype(dtype);
                batch_norm_eval(&t[0], &fill(given.0)?, &fill(given.1)?, options)
            }
        };
        let inputs = [&xs, &scales.0, &shifts.0];
        let seen = run(f, if affine { &inputs } else { &inputs[..1] }, dtype, swapped);
        let (mut ys, mut d_x) = (vec![0.; x.len()], vec![0.; x.len()]);
        let (mut d_scale, mut d_shift) = (vec![0.; channels], vec![0.; channels]);
        for c in 0..channels {
            let at: Vec<usize> = (0..count).map(|i| (i / (h * w) * channels + c) * h * w + i % (h * w)).collect();
            let mean_of = |f: &dyn Fn(usize) -> f64| at.iter().map(|&i| f(i)).sum::<f64>() / count as f64;
            let (mut mean, mut variance) = given;
            if train {
                mean = mean_of(&|i| x[i]);
                variance = mean_of(&|i| (x[i] - mean).powi(2));
            }
            let deviation = (variance + eps).sqrt();
            let (scale, shift) = if affine { (scales.1[c], shifts.1[c]) } else { (1., 0.) };
            let hat = |i: usize| (x[i] - mean) / deviation;
            let through = |i: usize| seen.grad[i] * if hat(i) * scale + shift > 0. { 1. } else { slope };
            let (sum, product) = (mean_of(&through), mean_of(&|i| through(i) * hat(i)));
            for &i in &at {
                let v = hat(i) * scale + shift;
                ys[i] = if v > 0. { v } else { v * slope };
                let of_moments = if train { sum + hat(i) * product } else { 0. };
                d_x[i] = (through(i) - of_moments) * scale / deviation;
            }
            if affine {
                (d_scale[c], d_shift[c]) = (product * count as f64, sum * count as f64);
            }
        }
        let tolerance = tolerance(dtype);
        prop_close!("values", &seen.ys, &ys, tolerance);
        // A value within rounding of the kink sends its gradient another way.
        if dtype == DType::F64 {
            prop_close!("input gradient", &seen.inputs[0], &d_x, tolerance);
            if affine {
                prop_close!("scale gradient", &seen.inputs[1], &d_scale, tolerance);
                prop_close!("shift gradient", &seen.inputs[2], &d_shift, tolerance);
            }
        }
    }

    #[test]
    fn max_pooling(
        n in 1usize..10, channels in 1usize..71, h in 1usize..41, w in 1usize..41, size in 1usize..8,
        swapped: bool, single: bool, levels in 1f64..20., nan in 0usize..3,
    ) {
        prop_assume!(size <= h && size <= w && n * channels * h * w < 200_000);
        let dtype = if single { DType::F32 } else { DType::F64 };
        // Few levels, so that windows have ties.
        let (xs, _) = tensor(&[n, channels, h, w], 1);
        let xs = ((xs * levels).unwrap().round().unwrap() / 4.).unwrap();
        let mut x = values(&xs);
        for i in 0..nan {
            let at = (i * 7919 + 13) % x.len();
            x[at] = f64::NAN;
        }
        let xs = Tensor::from_vec(x.clone(), xs.dims(), &device()).unwrap();
        let seen = run(|t| max_pool2d(&t[0], size), &[&xs], dtype, swapped);
        let (oh, ow) = (h / size, w / size);
        let mut d_x = vec![0.; x.len()];
        let mut ys = vec![0.; seen.ys.len()];
        for (o, y) in ys.iter_mut().enumerate() {
            let (plane, oy, ox) = (o / (oh * ow), o / ow % oh, o % ow);
            let pixel = |j: usize| (plane * h + oy * size + j / size) * w + ox * size + j % size;
            let mut best = pixel(0);
            for at in (0..size * size).map(pixel) {
                if x[at] > x[best] || x[at].is_nan() {
                    best = at;
                }
            }
            *y = x[best];
            d_x[best] += seen.grad[o];
        }
        prop_close!("values", &seen.ys, &ys, 0.);
        prop_close!("gradient", &seen.inputs[0], &d_x, 0.);
    }

    #[test]
    fn upsampling(
        n in 1usize..10, channels in 1usize..71, h in 1usize..41, w in 1usize..41, factor in 1usize..5,
        swapped: bool, single: bool,
    ) {
        prop_assume!(n * channels * h * w < 50_000);
        let dtype = if single { DType::F32 } else { DType::F64 };
        let (xs, x) = tensor(&[n, channels, h, w], 1);
        let seen = run(|t| upsample_nearest2d(&t[0], factor), &[&xs], dtype, swapped);
        let mut d_x = vec![0.; x.len()];
        let mut ys = vec![0.; seen.ys.len()];
        for (o, y) in ys.iter_mut().enumerate() {
            let (row, column) = (o / (w * factor), o % (w * factor));
            let at = row / factor * w + column / factor;
            *y = x[at];
            d_x[at] += seen.grad[o];
        }
        prop_close!("values", &seen.ys, &ys, 0.);
        prop_close!("gradient", &seen.inputs[0], &d_x, if single { 1e-6 } else { 1e-15 });
    }
}
