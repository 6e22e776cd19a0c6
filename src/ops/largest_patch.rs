//! Distances between images where they are farthest apart.

use candle_core::{D, Device, Result, Tensor, WithDType};

use super::backend::Backend;
use super::cpu::{dispatch, elements};
use super::elementwise::per_sample;

/// The Euclidean distance of each image from that of `others` over the square patch of `side` pixels, all
/// channels, where it is largest: twice `[batch, channels, height, width]` to `[batch]`, without a gradient.
///
/// Patches lie within the image; one longer than the image is as long as it. A patch that juts out holds no
/// more than one of those within, so this is the largest value of the squared error, zeros around it, under a
/// box of that side.
///
/// # Errors
/// If the shapes differ or are no images'.
pub(crate) fn largest_patch_distance(xs: &Tensor, others: &Tensor, side: usize) -> Result<Tensor> {
    let dims = xs.dims4()?;
    if others.dims4()? != dims {
        candle_core::bail!("shapes differ: {:?} and {:?}", xs.shape(), others.shape())
    }
    let (xs, others) = (xs.detach(), others.detach());
    let patch = [side.min(dims.2), side.min(dims.3)];
    let alike = xs.dtype() == others.dtype();
    if alike && [&xs, &others].map(Backend::of) == [Backend::Cpu; 2] {
        on_cpu(&xs.contiguous()?, &others.contiguous()?, patch)
    } else {
        composed(&xs, &others, patch)
    }
}

fn on_cpu(xs: &Tensor, others: &Tensor, patch: [usize; 2]) -> Result<Tensor> {
    let (batch, channels, height, width) = xs.dims4()?;
    let (area, size) = (height * width, channels * height * width);
    let stored = [xs, others].map(Tensor::storage_and_layout);
    dispatch!("puad-largest-patch", xs.dtype(), T => {
        let values = |i: usize| elements::<T>(&stored[i].0, stored[i].1);
        let (xs, others) = (values(0)?, values(1)?);
        let distances = per_sample((batch, size), |i| {
            let mut errors = vec![0.; area];
            let own = i * size..(i + 1) * size;
            for (j, (&x, &y)) in xs[own.clone()].iter().zip(&others[own]).enumerate() {
                errors[j % area] += (x.to_f64() - y.to_f64()).powi(2);
            }
            T::from_f64(largest_sum(&errors, width, patch).sqrt())
        });
        Tensor::from_vec(distances, batch, &Device::Cpu)
    })
}

/// The largest sum over a patch of a map, `[.., width]` of values of at least 0. They are added, never taken
/// away again as in running sums, which would round below 0.
fn largest_sum(map: &[f64], width: usize, [down, across]: [usize; 2]) -> f64 {
    let add = |sums: &mut [f64], values: &[f64]| {
        let pairs = sums.iter_mut().zip(values);
        pairs.for_each(|(sum, value)| *sum += value);
    };
    let mut largest = 0.;
    let (mut columns, mut patches) = (vec![0.; width], vec![0.; width - across + 1]);
    for band in map.windows(down * width).step_by(width) {
        columns.fill(0.);
        for row in band.chunks_exact(width) {
            add(&mut columns, row);
        }
        patches.fill(0.);
        for offset in 0..across {
            add(&mut patches, &columns[offset..]);
        }
        for &sum in &patches {
            // What is no number stays none.
            if sum > largest || sum.is_nan() {
                largest = sum;
            }
        }
    }
    largest
}

/// Of candle's operations: box by box, rows before columns.
fn composed(xs: &Tensor, others: &Tensor, [down, across]: [usize; 2]) -> Result<Tensor> {
    let errors = (xs - others)?;
    // In units of an image's largest error, whose square may be beyond the type's range.
    let unit = errors.abs()?.flatten_from(1)?.max_keepdim(1)?;
    let none = unit.eq(&unit.zeros_like()?)?;
    let unit = none.where_cond(&unit.ones_like()?, &unit)?;
    let errors = errors.broadcast_div(&unit.unsqueeze(2)?.unsqueeze(3)?)?;
    let means = errors.sqr()?.sum_keepdim(1)?;
    let means = means.avg_pool2d_with_stride((down, 1), (1, 1))?;
    let means = means.avg_pool2d_with_stride((1, across), (1, 1))?;
    let largest = means.flatten_from(1)?.max(D::Minus1)?;
    (largest * (down * across) as f64)?.sqrt()? * unit.squeeze(1)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::backend;
    use candle_core::DType;
    use proptest::prelude::*;

    /// The error map by itself, and a box centred on every pixel and beyond every border, with zeros around.
    fn naive(xs: &[f64], others: &[f64], [c, h, w]: [usize; 3], side: usize) -> f64 {
        let error = |y: isize, x: isize| {
            if !(0..h as isize).contains(&y) || !(0..w as isize).contains(&x) {
                return 0.;
            }
            let at = |channel: usize| channel * h * w + y as usize * w + x as usize;
            (0..c).map(|k| (xs[at(k)] - others[at(k)]).powi(2)).sum()
        };
        let side = side as isize;
        let mut largest = 0f64;
        for top in -side..h as isize {
            for left in -side..w as isize {
                let rows = top..top + side;
                let sum = rows.flat_map(|y| (left..left + side).map(move |x| (y, x)));
                largest = largest.max(sum.map(|(y, x)| error(y, x)).sum());
            }
        }
        largest.sqrt()
    }

    fn both(xs: &Tensor, others: &Tensor, side: usize) -> [Vec<f64>; 2] {
        let distances = || {
            let distances = largest_patch_distance(xs, others, side).unwrap();
            assert_eq!(distances.dtype(), xs.dtype());
            distances.to_dtype(DType::F64).unwrap().to_vec1().unwrap()
        };
        [distances(), backend::composed(distances)]
    }

    fn shapes() -> impl Strategy<Value = ([usize; 4], usize)> {
        let sides = (1usize..=9, 1usize..=9);
        let channels = prop_oneof![Just(1usize), Just(3)];
        (1usize..=3, channels, sides, 1usize..=11).prop_map(|(n, c, (h, w), s)| ([n, c, h, w], s))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn patches_are_those_of_a_naive_box(
            (shape, side) in shapes(),
            values in proptest::collection::vec(-2f64..2., 2 * 3 * 3 * 81),
        ) {
            let [n, c, h, w] = shape;
            let size = c * h * w;
            let (xs, others) = (&values[..n * size], &values[3 * 3 * 81..][..n * size]);
            let tensor = |values: &[f64]| Tensor::from_slice(values, (n, c, h, w), &Device::Cpu);
            let (a, b) = (tensor(xs).unwrap(), tensor(others).unwrap());
            for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
                let (a, b) = (a.to_dtype(dtype).unwrap(), b.to_dtype(dtype).unwrap());
                for distances in both(&a, &b, side) {
                    for (i, distance) in distances.into_iter().enumerate() {
                        let own = i * size..(i + 1) * size;
                        let expected = naive(&xs[own.clone()], &others[own], [c, h, w], side);
                        prop_assert!((distance - expected).abs() <= tolerance * (1. + expected));
                        prop_assert!(distance >= 0.);
                    }
                }
            }
        }
    }

    fn image(shape: (usize, usize, usize, usize), at: impl Fn(usize) -> f32) -> Tensor {
        let (n, c, h, w) = shape;
        let values: Vec<f32> = (0..n * c * h * w).map(at).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn one_pixel_counts_alike_wherever_it_is() {
        for y in 0..5 {
            for x in 0..7 {
                let spot = image((1, 1, 5, 7), |i| if i == y * 7 + x { 0.5 } else { 0. });
                for side in [1, 2, 3, 5, 6, 50] {
                    let zeros = spot.zeros_like().unwrap();
                    for distances in both(&spot, &zeros, side) {
                        assert_eq!(distances, [0.5], "{y} {x} {side}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_patch_of_the_whole_image_is_the_distance() {
        let xs = image((4, 3, 6, 5), |i| (i as f32 * 0.7).sin());
        let others = image((4, 3, 6, 5), |i| (i as f32 * 0.3).cos());
        let whole = crate::ops::l2_distance(&xs, &others).unwrap();
        let whole = whole.to_vec1::<f32>().unwrap();
        for distances in [6, 7, 1000, usize::MAX].map(|side| both(&xs, &others, side)) {
            for (distance, whole) in distances.concat().into_iter().zip(whole.repeat(2)) {
                assert!((distance - f64::from(whole)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn an_image_has_the_same_bits_in_every_company() {
        let xs = image((300, 3, 9, 8), |i| (i as f32 * 0.7).sin());
        let others = image((300, 3, 9, 8), |i| (i as f32 * 0.31).cos());
        let all = largest_patch_distance(&xs, &others, 4).unwrap();
        let all = all.to_vec1::<f32>().unwrap();
        for i in [0, 1, 17, 299] {
            let one = |t: &Tensor| t.narrow(0, i, 1).unwrap();
            let alone = largest_patch_distance(&one(&xs), &one(&others), 4).unwrap();
            assert_eq!(
                alone.to_vec1::<f32>().unwrap()[0].to_bits(),
                all[i].to_bits()
            );
        }
    }

    #[test]
    fn large_errors_stay_finite_and_what_is_no_number_is_none() {
        for size in [1e30f32, 1e-30] {
            let xs = image((1, 1, 4, 4), |i| if i < 2 { size } else { 0. });
            for distances in both(&xs, &xs.zeros_like().unwrap(), 2) {
                let expected = f64::from(size) * 2f64.sqrt();
                assert!((distances[0] / expected - 1.).abs() < 1e-6, "{distances:?}");
            }
        }
        for last in [15, 0] {
            let xs = image((1, 1, 4, 4), |i| if i == last { f32::NAN } else { 1. });
            let distance = largest_patch_distance(&xs, &xs.zeros_like().unwrap(), 2).unwrap();
            assert!(distance.to_vec1::<f32>().unwrap()[0].is_nan());
        }
    }

    #[test]
    fn other_shapes_are_errors() {
        let tensor = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let images = tensor(&[2, 1, 3, 3]);
        for other in [&[2, 1, 3, 4][..], &[1, 1, 3, 3], &[2, 9]] {
            assert!(largest_patch_distance(&images, &tensor(other), 2).is_err());
        }
        let vectors = tensor(&[2, 9]);
        assert!(largest_patch_distance(&vectors, &vectors, 2).is_err());
    }
}
