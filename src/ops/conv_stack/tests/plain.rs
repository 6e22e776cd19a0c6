//! Against the same network in candle's own operations, f32, where values lie on the activation's kink, in
//! which max-pooling's windows are tied, and where images are grey.

use super::*;

const SLOPE: f64 = 0.1;
const EPS: f64 = 1e-2;
/// Of a block's output that is 0 for all images: by its kernel, and by its scale.
const ZERO_KERNEL: usize = 2;
const ZERO_SCALE: usize = 5;
/// Colours, and channels of the two blocks.
const SIZES: [usize; 3] = [3, 8, 16];

#[derive(Clone, Copy, Debug)]
struct Network {
    train: bool,
    /// All images, or every other one.
    all_grey: bool,
    /// Of the images' numbers.
    key: u64,
}

impl Network {
    /// `[3, 3, 12, 12]`, with a corner in which all is 0: not so large that it covers a window of the second
    /// block, where transforms round what is 0.
    fn images(self) -> Var {
        let all = var(&[3, 3, 12, 12], self.key, DType::F32).as_detached_tensor();
        let image = |i: usize| {
            let image = all.narrow(0, i, 1)?;
            if self.all_grey || i.is_multiple_of(2) {
                image.narrow(1, 0, 1)?.repeat((1, 3, 1, 1))
            } else {
                Ok(image)
            }
        };
        let images: Vec<_> = (0..3).map(|i| image(i).unwrap()).collect();
        let images = Tensor::cat(&images, 0).unwrap();
        let mask: Vec<f32> = (0..144)
            .map(|i| f32::from(i / 12 >= 6 || i % 12 >= 6))
            .collect();
        let mask = Tensor::from_vec(mask, (1, 1, 12, 12), &Device::Cpu).unwrap();
        Var::from_tensor(&images.broadcast_mul(&mask).unwrap()).unwrap()
    }

    /// Kernel, scale and shift of each block.
    fn parameters(self) -> Vec<Var> {
        let blocks = SIZES.windows(2).zip([10, 20]).flat_map(|(sizes, key)| {
            let (c_in, c) = (sizes[0], sizes[1]);
            let zeroed = |dims: &[usize], key: u64, zeros: &[usize]| {
                let t = var(dims, key, DType::F32).as_detached_tensor();
                let mask = (0..c).map(|i| f32::from(!zeros.contains(&i))).collect();
                let mut shape = vec![1; dims.len()];
                shape[0] = c;
                let mask = Tensor::from_vec(mask, shape, &Device::Cpu).unwrap();
                Var::from_tensor(&t.broadcast_mul(&mask).unwrap()).unwrap()
            };
            // With given statistics all means are 0, and without shifts what is 0 stays it.
            let (on_kink, all) = ([ZERO_KERNEL, ZERO_SCALE], Vec::from_iter(0..c));
            let shiftless: &[usize] = if self.train { &on_kink } else { &all };
            [
                zeroed(&[c, c_in, 5, 5], key, &[ZERO_KERNEL]),
                zeroed(&[c], key + 1, &[ZERO_SCALE]),
                zeroed(&[c], key + 2, shiftless),
            ]
        });
        blocks.collect()
    }

    /// Means and variances of a block's channels, where they are given.
    fn given(block: usize) -> (Tensor, Tensor) {
        let c = SIZES[block + 1];
        let variance = numbers(c, 31 + block as u64)
            .into_iter()
            .map(|v| v.abs() as f32 + 0.5);
        let variance = Tensor::from_vec(variance.collect(), c, &Device::Cpu).unwrap();
        (variance.zeros_like().unwrap(), variance)
    }

    fn ours(self, xs: &Tensor, parameters: &[Var]) -> Result<Tensor> {
        let blocks = parameters.chunks_exact(3).map(|p| ConvBlock {
            kernel: &p[0],
            conv: ConvOptions {
                padding: 2,
                transposed: false,
                algorithm: ConvAlgorithm::Fast,
            },
            upsample: 1,
            norm: BatchNormOptions {
                affine: Some((&p[1], &p[2])),
                eps: EPS,
                negative_slope: SLOPE,
            },
            pool: 2,
        });
        let stack = ConvStack {
            blocks: &blocks.collect::<Vec<_>>(),
            end: None,
            maps: None,
            flat: false,
        };
        assert!(stack.plan(xs)?.is_some_and(|plan| plan.stages.len() == 2));
        if self.train {
            return Ok(conv_stack_train(xs, &stack)?.0);
        }
        let given = [0, 1].map(Self::given);
        conv_stack_eval(xs, &given.each_ref().map(|(m, v)| (m, v)), &stack)
    }

    fn plain(self, xs: &Tensor, parameters: &[Var]) -> Result<Tensor> {
        let mut blocks = parameters.chunks_exact(3).enumerate();
        blocks.try_fold(xs.clone(), |xs, (i, p)| {
            let ys = xs.conv2d(&p[0], 2, 1, 1, 1)?;
            let column = |t: &Tensor| t.reshape((1, t.elem_count(), 1, 1));
            let (mean, variance) = if self.train {
                let mean = ys.mean_keepdim((0, 2, 3))?;
                let variance = ys.broadcast_sub(&mean)?.sqr()?.mean_keepdim((0, 2, 3))?;
                (mean, variance)
            } else {
                let (mean, variance) = Self::given(i);
                (column(&mean)?, column(&variance)?)
            };
            let deviation = (variance + EPS)?.sqrt()?;
            let ys = ys.broadcast_sub(&mean)?.broadcast_div(&deviation)?;
            let ys = ys.broadcast_mul(&column(&p[1])?)?;
            max_pool(&leaky(&ys.broadcast_add(&column(&p[2])?)?)?)
        })
    }
}

/// With the slope of the negative side at 0.
fn leaky(ys: &Tensor) -> Result<Tensor> {
    let all = values(ys);
    let zeros = all.iter().filter(|&&y| y == 0.).count();
    assert!(
        zeros >= all.len() / 8,
        "{zeros} of {} on the kink",
        all.len()
    );
    let nearest = all.iter().map(|y| y.abs()).filter(|&y| y > 0.);
    let nearest = nearest.fold(f64::INFINITY, f64::min);
    if nearest < 1e-5 {
        candle_core::bail!("rounding may send {nearest} over the kink")
    }
    let positive = ys.gt(0f32)?.to_dtype(DType::F32)?;
    ys * positive.affine(1. - SLOPE, SLOPE)?
}

/// Of windows of two, side by side; the first of the largest takes the gradient.
fn max_pool(ys: &Tensor) -> Result<Tensor> {
    let (n, c, h, w) = ys.dims4()?;
    let windows = ys.reshape((n * c, h / 2, 2, w / 2, 2))?;
    let windows = windows.permute((0, 1, 3, 2, 4))?.contiguous()?;
    let windows = windows.reshape((n, c, h / 2, w / 2, 4))?;
    let largest = windows.detach().argmax_keepdim(4)?;
    windows.gather(&largest, 4)?.squeeze(4)
}

#[test]
fn a_stack_is_plain_operations_on_the_kink_and_on_grey_images() {
    for train in [true, false] {
        for all_grey in [true, false] {
            let plain = |key| {
                let network = Network {
                    train,
                    all_grey,
                    key,
                };
                let (xs, parameters) = (network.images(), network.parameters());
                let ys = network.plain(&xs, &parameters);
                ys.map(|ys| (network, xs, parameters, ys))
            };
            let (network, xs, parameters, want) = (1..9).find_map(|key| plain(key).ok()).unwrap();
            let got = network.ours(&xs, &parameters).unwrap();
            assert_close(&values(&got), &values(&want), &format!("{network:?}"));
            let want = loss(&want).backward().unwrap();
            let loss = loss(&got);
            let (got, again) = (loss.backward().unwrap(), loss.backward().unwrap());
            for (i, leaf) in [&xs].into_iter().chain(&parameters).enumerate() {
                let [got, again, want] =
                    [&got, &again, &want].map(|grads| values(grads.get(leaf).unwrap()));
                assert_close(&got, &want, &format!("{network:?}, {i}"));
                assert_eq!(got, again, "{network:?}, {i}");
            }
        }
    }
}
