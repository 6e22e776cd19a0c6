mod passes;
mod plain;

use super::*;
use crate::ops::{BatchNormOptions, ConvAlgorithm};
use candle_core::{Device, Var};

fn numbers(n: usize, key: u64) -> Vec<f64> {
    let value = |i: u64| ((i * 2_654_435_761 + key * 40_503) % 100_003) as f64 / 50_001.5 - 1.;
    (0..n as u64).map(value).collect()
}

fn var(dims: &[usize], key: u64, dtype: DType) -> Var {
    let values = numbers(dims.iter().product(), key);
    let t = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
    // Both precisions see the same numbers.
    let t = t.to_dtype(DType::F32).unwrap().to_dtype(dtype).unwrap();
    Var::from_tensor(&t).unwrap()
}

/// Three blocks as of an encoder or a decoder.
#[derive(Clone, Copy, Debug)]
struct Case {
    transposed: bool,
    affine: bool,
    train: bool,
    end: bool,
    /// Which of the parameters are learned: all, none of the kernels, only the last block's and the end's, only
    /// the end's.
    learned: fn(usize) -> bool,
    input_learned: bool,
}

const CHANNELS: [usize; 4] = [8, 24, 16, 12];

impl Case {
    fn conv(self) -> ConvOptions {
        ConvOptions {
            padding: 2,
            transposed: self.transposed,
            algorithm: ConvAlgorithm::Fast,
        }
    }

    /// Kernel, scale, shift of each block, end.
    fn parameters(self, dtype: DType) -> Vec<Var> {
        let mut all = Vec::new();
        for (i, pair) in CHANNELS.windows(2).enumerate() {
            let (a, b) = if self.transposed {
                (pair[0], pair[1])
            } else {
                (pair[1], pair[0])
            };
            let key = 10 * (i as u64 + 1);
            all.push(var(&[a, b, 5, 5], key, dtype));
            all.push(var(&[pair[1]], key + 1, dtype));
            all.push(var(&[pair[1]], key + 2, dtype));
        }
        all.push(var(&[CHANNELS[3], 3, 5, 5], 99, dtype));
        all
    }

    fn block<'a>(self, i: usize, p: &'a [Tensor]) -> ConvBlock<'a> {
        ConvBlock {
            kernel: &p[0],
            conv: self.conv(),
            upsample: if self.transposed && i > 0 { 2 } else { 1 },
            norm: BatchNormOptions {
                affine: self.affine.then_some((&p[1], &p[2])),
                eps: 1e-2,
                // With a kink, rounding would send a gradient another way.
                negative_slope: 1.,
            },
            pool: if self.transposed { 1 } else { 2 },
        }
    }

    fn with_stack<R>(self, parameters: &[Tensor], f: impl FnOnce(&ConvStack<'_>) -> R) -> R {
        let blocks = parameters.chunks_exact(3).enumerate();
        let blocks: Vec<_> = blocks.map(|(i, p)| self.block(i, p)).collect();
        let end = ConvOptions {
            transposed: true,
            ..self.conv()
        };
        f(&ConvStack {
            blocks: &blocks,
            end: self.end.then_some((&parameters[9], end)),
            maps: None,
            flat: false,
        })
    }

    fn output(self, xs: &Tensor, parameters: &[Tensor]) -> Result<Tensor> {
        if self.train {
            let train = |stack: &ConvStack<'_>| conv_stack_train(xs, stack);
            return Ok(self.with_stack(parameters, train)?.0);
        }
        let moments = parameters.chunks_exact(3);
        let moments = moments.map(|p| Ok((p[2].detach(), (p[1].detach().sqr()? + 0.5)?)));
        let moments = moments.collect::<Result<Vec<_>>>()?;
        let moments: Vec<_> = moments.iter().map(|(m, v)| (m, v)).collect();
        self.with_stack(parameters, |stack| conv_stack_eval(xs, &moments, stack))
    }

    /// The input and the parameters, those that are not learned without gradients; and where gradients go.
    fn arguments(self, dtype: DType) -> (Tensor, Vec<Tensor>, Vec<Var>) {
        let size = if self.transposed { 4 } else { 16 };
        let xs = var(&[5, CHANNELS[0], size, size], 1, dtype);
        let parameters = self.parameters(dtype);
        let given = |var: &Var, learned: bool| {
            if learned {
                var.as_tensor().clone()
            } else {
                var.as_detached_tensor()
            }
        };
        let all = parameters.iter().enumerate();
        let all = all.map(|(i, p)| given(p, (self.learned)(i))).collect();
        let leaves = std::iter::once(xs.clone()).chain(parameters).collect();
        (given(&xs, self.input_learned), all, leaves)
    }
}

/// A scalar that weighs every value of `ys` differently.
fn loss(ys: &Tensor) -> Tensor {
    let weights = var(ys.dims(), 7, ys.dtype()).as_detached_tensor();
    (ys * weights).unwrap().sum_all().unwrap()
}

fn values(t: &Tensor) -> Vec<f64> {
    let t = t.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
    t.to_vec1().unwrap()
}

/// Output, gradient of the input, gradients of the parameters.
fn run(case: Case, dtype: DType) -> Vec<Option<Vec<f64>>> {
    let (xs, parameters, leaves) = case.arguments(dtype);
    let ys = case.output(&xs, &parameters).unwrap();
    let grads = loss(&ys).backward().unwrap();
    let gradients = leaves.iter().map(|leaf| grads.get(leaf).map(values));
    [Some(values(&ys))].into_iter().chain(gradients).collect()
}

fn assert_close(got: &[f64], want: &[f64], what: &str) {
    let square: f64 = want.iter().map(|w| w * w).sum();
    let off: f64 = got.iter().zip(want).map(|(g, w)| (g - w) * (g - w)).sum();
    // Where nothing depends on it, as a shift before batch norm does.
    let scale = square.sqrt().max(1e-3);
    let off = off.sqrt();
    assert!(
        got.len() == want.len() && off < 2e-3 * scale,
        "{what}: {off} of {scale}"
    );
}

#[test]
fn a_stack_is_its_blocks_in_turn() {
    let all = |_: usize| true;
    let no_kernels = |i: usize| !i.is_multiple_of(3);
    let last = |i: usize| i >= 6;
    let end_alone = |i: usize| i == 9;
    for transposed in [false, true] {
        for (affine, train, end) in [
            (true, true, true),
            (true, true, false),
            (false, true, true),
            (true, false, true),
            (true, false, false),
        ] {
            for (learned, input_learned) in [
                (all as fn(usize) -> bool, true),
                (all, false),
                (no_kernels, false),
                (last, false),
                (last, true),
                (end_alone, false),
            ] {
                let case = Case {
                    transposed,
                    affine,
                    train,
                    end,
                    learned,
                    input_learned,
                };
                let used = |&i: &usize| match i {
                    9 => end,
                    _ => affine || i.is_multiple_of(3),
                };
                let untracked = !input_learned && !(0..10).filter(used).any(learned);
                if untracked {
                    continue;
                }
                let (got, want) = (run(case, DType::F32), run(case, DType::F64));
                for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                    assert_eq!(got.is_some(), want.is_some(), "{case:?}, {i}");
                    if let (Some(got), Some(want)) = (got, want) {
                        assert_close(got, want, &format!("{case:?}, {i}"));
                    }
                }
            }
        }
    }
}
