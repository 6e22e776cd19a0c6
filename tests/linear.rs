//! The f32 kernel of linear layers: against f64, over random shapes, and bit by bit against itself.

mod common;

use common::device;
use proptest::prelude::*;
use puad::candle_core::{DType, Tensor, Var};
use puad::ops::{LinearOptions, linear};

/// Numbers in [-1, 1) that f32 holds, from an integer hash.
fn tensor(dims: &[usize], key: u64) -> Tensor {
    let value = |i: u64| {
        let mut z = (key << 32).wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z >> 40) as u32) as f32 / (1 << 23) as f32 - 1.
    };
    let n: usize = dims.iter().product();
    let values = (1..=n as u64).map(value).collect();
    Tensor::from_vec(values, dims, &device()).unwrap()
}

fn double(t: &Tensor) -> Tensor {
    t.to_dtype(DType::F64).unwrap()
}

fn values(t: &Tensor) -> Vec<f64> {
    double(&t.flatten_all().unwrap()).to_vec1().unwrap()
}

fn bits(t: &Tensor) -> Vec<u32> {
    let values = t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.into_iter().map(f32::to_bits).collect()
}

/// Output, and the gradients of input, weight and bias, against a fixed gradient of the output.
struct Seen {
    ys: Tensor,
    grads: Vec<Tensor>,
}

/// `gate` stands in for the activation: what each output's gradient is multiplied with.
fn run(inputs: &[Tensor], slope: f64, gate: Option<&Tensor>) -> Seen {
    let vars: Vec<Var> = inputs
        .iter()
        .map(|t| Var::from_tensor(t).unwrap())
        .collect();
    let options = LinearOptions {
        bias: vars.get(2).map(Var::as_tensor),
        negative_slope: slope,
    };
    let ys = linear(&vars[0], &vars[1], options).unwrap();
    let grad = tensor(ys.dims(), 99).to_dtype(ys.dtype()).unwrap();
    let weighed = match gate {
        Some(gate) => (&ys * grad).unwrap() * gate,
        None => &ys * grad,
    };
    let store = weighed.unwrap().sum_all().unwrap().backward().unwrap();
    let grads = vars.iter().map(|v| store.get(v).unwrap().clone());
    Seen {
        ys: ys.clone(),
        grads: grads.collect(),
    }
}

/// Whether each value is within `bound` of the sum of the sizes of its terms.
fn close(got: &Tensor, want: &Tensor, sizes: &Tensor, bound: f64) -> bool {
    let pairs = values(got).into_iter().zip(values(want)).zip(values(sizes));
    got.dims() == want.dims()
        && pairs
            .into_iter()
            .all(|((g, w), size)| (g - w).abs() <= bound * size + 1e-30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    /// Every output and every gradient to within a few roundings of its terms.
    #[test]
    fn values_and_gradients_follow_f64(
        rows in 1usize..140, inputs in 1usize..70, outputs in 1usize..70,
        biased: bool, slope in prop_oneof![Just(0.), Just(0.01), Just(1.)], turned: bool,
    ) {
        let xs = tensor(&[inputs, rows], 1).t().unwrap();
        let xs = if turned { xs } else { xs.contiguous().unwrap() };
        let mut args = vec![xs, tensor(&[outputs, inputs], 2)];
        if biased {
            args.push(tensor(&[outputs], 3));
        }
        let got = run(&args, slope, None);
        // The sign of a sum within rounding of 0 is the kernel's to choose.
        let positive = double(&got.ys).gt(0f64).unwrap();
        let ones = double(&got.ys).ones_like().unwrap();
        let gate = positive.where_cond(&ones, &(&ones * slope).unwrap()).unwrap();
        let wide: Vec<Tensor> = args.iter().map(double).collect();
        let want = run(&wide, 1., Some(&gate));
        let sizes: Vec<Tensor> = wide.iter().map(|t| t.abs().unwrap()).collect();
        let sizes = run_of_sizes(&sizes);
        let activated = (&want.ys * &gate).unwrap();
        prop_assert!(close(&got.ys, &activated, &sizes.ys, 4e-7));
        for ((got, want), sizes) in got.grads.iter().zip(&want.grads).zip(&sizes.grads) {
            prop_assert!(close(got, want, sizes, 1e-6));
        }
    }

    /// A row alone, and any part of a batch, has the bits of the whole.
    #[test]
    fn a_row_has_the_same_bits_in_any_batch(
        rows in 1usize..200, inputs in 1usize..70, outputs in 1usize..70, first in 0usize..200,
        len in 1usize..60,
    ) {
        let (xs, weight) = (tensor(&[rows, inputs], 1), tensor(&[outputs, inputs], 2));
        let bias = tensor(&[outputs], 3);
        let options = LinearOptions { bias: Some(&bias), negative_slope: 0.01 };
        let first = first % rows;
        let len = len.min(rows - first);
        let whole = linear(&xs, &weight, options).unwrap();
        let part = linear(&xs.narrow(0, first, len).unwrap(), &weight, options).unwrap();
        prop_assert_eq!(bits(&whole.narrow(0, first, len).unwrap()), bits(&part));
    }
}

/// The sums of the terms' sizes.
fn run_of_sizes(sizes: &[Tensor]) -> Seen {
    let vars: Vec<Var> = sizes.iter().map(|t| Var::from_tensor(t).unwrap()).collect();
    let options = LinearOptions {
        bias: vars.get(2).map(Var::as_tensor),
        ..Default::default()
    };
    let ys = linear(&vars[0], &vars[1], options).unwrap();
    let grad = double(&tensor(ys.dims(), 99)).abs().unwrap();
    let store = (&ys * grad).unwrap().sum_all().unwrap().backward().unwrap();
    let grads = vars.iter().map(|v| store.get(v).unwrap().clone());
    Seen {
        ys: ys.clone(),
        grads: grads.collect(),
    }
}

/// Large enough for several threads, forward and backward.
#[test]
fn results_do_not_depend_on_threads() {
    if !device().is_cpu() {
        return;
    }
    let args = [
        tensor(&[700, 203], 1),
        tensor(&[515, 203], 2),
        tensor(&[515], 3),
    ];
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let seen = pool.build().unwrap().install(|| run(&args, 0.1, None));
        let all = [&[seen.ys], &seen.grads[..]].concat();
        all.iter().map(bits).collect::<Vec<_>>()
    };
    let one = on(1);
    assert_eq!(on(2), one);
    assert_eq!(on(4), one);
}

#[test]
fn no_rows_give_no_rows() {
    let (xs, weight) = (tensor(&[0, 5], 1), tensor(&[3, 5], 2));
    let ys = linear(&xs, &weight, LinearOptions::default()).unwrap();
    assert_eq!(ys.dims(), [0, 3]);
    // And move nothing, of more outputs than a chunk of rows.
    let weight = Var::from_tensor(&tensor(&[64, 5], 2)).unwrap();
    let bias = Var::from_tensor(&tensor(&[64], 3)).unwrap();
    let options = LinearOptions {
        bias: Some(&bias),
        negative_slope: 0.1,
    };
    let ys = linear(&xs, &weight, options).unwrap();
    let grads = ys.sum_all().unwrap().backward().unwrap();
    for var in [&weight, &bias] {
        let grad = grads.get(var).unwrap().flatten_all().unwrap();
        assert!(grad.to_vec1::<f32>().unwrap().iter().all(|&g| g == 0.));
    }
}

/// NaN and infinities reach the outputs of their row, and no other.
#[test]
fn what_is_not_finite_stays_in_its_row() {
    let weight = tensor(&[20, 6], 2);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut flat = tensor(&[15, 6], 1)
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        flat[13 * 6 + 2] = bad;
        let xs = Tensor::from_vec(flat, (15, 6), &device()).unwrap();
        for slope in [0., 0.1, 1.] {
            let options = LinearOptions {
                bias: None,
                negative_slope: slope,
            };
            let got = values(&linear(&xs, &weight, options).unwrap());
            let want = values(&linear(&double(&xs), &double(&weight), options).unwrap());
            for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                let same = if want.is_finite() {
                    (got - want).abs() < 1e-5
                } else {
                    got.is_nan() == want.is_nan() && (got.is_nan() || got == want)
                };
                assert!(same, "{bad}, {slope}: output {i} is {got}, expected {want}");
                assert!(want.is_finite() || i / 20 == 13);
            }
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let (xs, weight) = (tensor(&[2, 5], 1), tensor(&[3, 4], 2));
    assert!(linear(&xs, &weight, LinearOptions::default()).is_err());
    let (weight, bias) = (tensor(&[3, 5], 2), tensor(&[4], 3));
    let options = LinearOptions {
        bias: Some(&bias),
        ..Default::default()
    };
    assert!(linear(&xs, &weight, options).is_err());
}
