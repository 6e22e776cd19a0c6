//! The f32 kernels against the exact path in f64, values and gradients, over random shapes.

use proptest::prelude::*;
use puad::candle_core::{DType, Device, Result, Tensor, Var};
use puad::ops::{
    BatchNormOptions, ConvBlock, conv_block_eval, conv_block_train, conv_transpose2d, conv2d,
    upsample2_conv2d,
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
    let t = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
    // Both precisions see the same numbers.
    let t = t.to_dtype(DType::F32).unwrap();
    t.to_dtype(dtype).unwrap()
}

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
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn convolutions_follow_the_exact_path(
        n in 1usize..10, c_in in 1usize..71, c_out in 1usize..71,
        h in 1usize..41, w in 1usize..41, size in 1usize..8, padding in 0usize..4,
        transposed: bool, five: bool, swapped: bool,
    ) {
        // Bound the work of a case, and let half of them have the kernel that Winograd takes.
        let size = if five { 5 } else { size };
        let n = n.min(1 + 200_000 / (h * w * c_in.max(c_out)));
        prop_assume!(h + 2 * padding >= size && w + 2 * padding >= size);
        prop_assume!(!transposed || (h + size > 2 * padding + 1 && w + size > 2 * padding + 1));
        let xs = tensor(&[n, c_in, h, w], 1, DType::F32);
        let xs = if swapped { xs.transpose(2, 3).unwrap() } else { xs };
        let kernel = match transposed {
            false => tensor(&[c_out, c_in, size, size], 2, DType::F32),
            true => tensor(&[c_in, c_out, size, size], 2, DType::F32),
        };
        let f = |t: &[Tensor]| match transposed {
            false => conv2d(&t[0], &t[1], padding),
            true => conv_transpose2d(&t[0], &t[1], padding),
        };
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
        let kernel = match transposed {
            false => tensor(&[c_out, c_in, size, size], 2, DType::F32),
            true => tensor(&[c_in, c_out, size, size], 2, DType::F32),
        };
        let f = |t: &[Tensor]| upsample2_conv2d(&t[0], &t[1], padding, transposed);
        let error = compare(f, &[xs, kernel]);
        prop_assert!(error < 1e-4, "{error}");
    }

    #[test]
    fn blocks_follow_the_exact_path(
        n in 1usize..7, c_in in 1usize..40, c_out in 1usize..40, h in 2usize..14, w in 2usize..14,
        padding in 0usize..4, upsample in 1usize..4, pool in 1usize..4,
        transposed: bool, affine: bool, train: bool,
    ) {
        prop_assume!(h * upsample + 2 * padding >= 5 && w * upsample + 2 * padding >= 5);
        prop_assume!(!transposed || (h * upsample + 4 > 2 * padding && w * upsample + 4 > 2 * padding));
        let xs = tensor(&[n, c_in, h, w], 1, DType::F32);
        let kernel = match transposed {
            false => tensor(&[c_out, c_in, 5, 5], 2, DType::F32),
            true => tensor(&[c_in, c_out, 5, 5], 2, DType::F32),
        };
        let (scale, shift) = (tensor(&[c_out], 3, DType::F32), tensor(&[c_out], 4, DType::F32));
        let f = |t: &[Tensor]| {
            let norm = BatchNormOptions {
                affine: affine.then(|| (&t[2], &t[3])),
                eps: 1e-2,
                negative_slope: 0.3,
            };
            let block = ConvBlock { kernel: &t[1], transposed, padding, upsample, norm, pool };
            let ys = match train {
                true => conv_block_train(&t[0], block)?.0,
                false => {
                    let (mean, variance) = (t[2].detach(), t[3].detach().sqr()?);
                    conv_block_eval(&t[0], &mean, &variance, block)?
                }
            };
            // So that scale and shift always have gradients.
            ys.broadcast_add(&(&t[2] + &t[3])?.sum_all()?)
        };
        let out = |len: usize| match transposed {
            true => len * upsample + 4 - 2 * padding,
            false => len * upsample + 2 * padding - 4,
        };
        prop_assume!(out(h) >= pool && out(w) >= pool && n * out(h) * out(w) >= 8);
        let inputs = [xs, kernel, scale, shift];
        let error = compare(f, &inputs);
        // The statistics of a few values amplify rounding, and a pooling window nearly tied may
        // choose another pixel: rare, and then all errors are large.
        prop_assert!(error < 2e-3, "{error}");
    }
}
