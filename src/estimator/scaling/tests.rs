use super::*;
use crate::estimator::InputCheck;
use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;

fn tensor(rows: &[[f64; 3]]) -> Tensor {
    Tensor::from_slice(rows.as_flattened(), (rows.len(), 3), &Device::Cpu).unwrap()
}

/// What a fit on these samples alone scales by.
fn scaler(scaling: Scaling, samples: impl Into<Samples>) -> Option<Scaler> {
    let data = PuDataset::new(samples).unwrap();
    let (inputs, _) = Inputs::of(&data, vec![], InputCheck::Refuse).unwrap();
    scaling.scaler(data.unlabeled(), &inputs, false).unwrap()
}

fn fit(scaling: Scaling, rows: &[[f64; 3]]) -> Option<Scaler> {
    scaler(scaling, tensor(rows))
}

#[test]
fn constant_features_are_centred_with_scale_one() {
    let rows = [[0.1, 1., -4.], [0.1, 3., -4.], [0.1, 5., -4.]];
    let scaler = fit(Scaling::Auto, &rows).unwrap();
    assert_eq!(scaler.shift(), [0.1, 3., -4.]);
    assert_eq!(scaler.scale(), [1., (8f64 / 3.).sqrt(), 1.]);
    let new = Tensor::new(&[[0.1f64, 3., 6.]], &Device::Cpu).unwrap();
    let scaled = scaler.apply(&new).unwrap().to_vec2::<f32>().unwrap();
    assert_eq!(scaled, [[0., 0., 10.]]);
}

#[test]
fn constant_is_what_lies_within_rounding() {
    let column = |values: &[f64], dtype| {
        let t = Tensor::from_slice(values, (values.len(), 1), &Device::Cpu).unwrap();
        let t = t.to_dtype(dtype).unwrap();
        let scaler = scaler(Scaling::Standard, t).unwrap();
        (scaler.shift()[0], scaler.scale()[0])
    };
    let nearly = |value: f64, next: f64| [vec![value; 999], vec![next]].concat();
    for dtype in [DType::F64, DType::F32] {
        let next = match dtype {
            DType::F64 => 14.62f64.next_up(),
            _ => 14.62f32.next_up().into(),
        };
        let (shift, scale) = column(&nearly(14.62, next), dtype);
        assert!(
            (shift - 14.62).abs() < 1e-6 && scale == 1.,
            "{shift} {scale}"
        );
    }
    // One thousandth of its size is no rounding, nor a small unit.
    let (_, scale) = column(&nearly(14.62, 14.63), DType::F64);
    assert!(
        (scale - 0.01 * (999f64).sqrt() / 1000.).abs() < 1e-6,
        "{scale}"
    );
    for (size, dtype) in [
        (1e-12, DType::F32),
        (1e-12, DType::F64),
        (1e-200, DType::F64),
        (1e-310, DType::F64),
        (1e200, DType::F64),
        (1e30, DType::F32),
    ] {
        let (shift, scale) = column(&[size, 3. * size], dtype);
        let near = |a: f64, b: f64| (a / b - 1.).abs() < 1e-6;
        assert!(
            near(shift, 2. * size) && near(scale, size),
            "{shift} {scale}"
        );
    }
    let (_, scale) = column(&[-f64::MAX, f64::MAX], DType::F64);
    assert_eq!(scale, f64::MAX);
}

#[test]
fn large_offsets_in_f64_keep_their_digits() {
    let rows: Vec<[f64; 3]> = (0..100).map(|i| [1.7e9 + f64::from(i), 0., 1.]).collect();
    let scaler = fit(Scaling::Standard, &rows).unwrap();
    let xs = tensor(&rows);
    let scaled = scaler.apply(&xs).unwrap().to_vec2::<f32>().unwrap();
    let step = 1. / scaler.scale()[0];
    let steps: Vec<f64> = scaled
        .windows(2)
        .map(|w| f64::from(w[1][0] - w[0][0]))
        .collect();
    assert!(steps.iter().all(|s| (s - step).abs() < 1e-6), "{steps:?}");
}

#[test]
fn images_are_left_alone_inside_the_unit_range_only() {
    let image = |values: [f32; 4]| {
        let t = Tensor::from_slice(&values, (1, 1, 2, 2), &Device::Cpu).unwrap();
        scaler(Scaling::Auto, t)
    };
    assert_eq!(image([0., 0.5, 1., 0.]), None);
    let scaler = image([0., 255., 3., 4.]).unwrap();
    assert_eq!((scaler.shift(), scaler.scale()), (&[0.][..], &[255.][..]));
    assert_eq!(image([-7.; 4]).unwrap().scale(), [1.]);
}

proptest! {
    #[test]
    fn standard_scores_have_mean_0_and_deviation_1(
        rows in proptest::collection::vec([-1e3..1e3f64, 0f64..1e-3, -1e9..1e9f64], 2..60),
    ) {
        let scaler = fit(Scaling::Standard, &rows).unwrap();
        let xs = tensor(&rows);
        let scaled = scaler.apply(&xs).unwrap();
        let n = rows.len() as f64;
        for j in 0..3 {
            let column = scaled.narrow(1, j, 1).unwrap().flatten_all().unwrap();
            let column = column.to_vec1::<f32>().unwrap();
            let mean = column.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let variance = column.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
            prop_assert!(mean.abs() < 1e-4 && (variance - 1.).abs() < 1e-3, "{} {}", mean, variance);
        }
        let back = scaler.undo(&scaled.to_dtype(DType::F64).unwrap()).unwrap();
        let back = back.to_vec2::<f64>().unwrap();
        for (row, again) in rows.iter().zip(back) {
            for j in 0..3 {
                prop_assert!((row[j] - again[j]).abs() < 1e-5 * scaler.scale()[j]);
            }
        }
    }
}

/// A hundred numbers from 0 to 1 in the first column, two values in the second, marks in the third.
fn table() -> Vec<[f64; 3]> {
    let row = |i: u8| {
        let mark = if i % 40 == 7 { -9999. } else { f64::from(i) };
        [f64::from(i) / 99., f64::from(i.is_multiple_of(10)), mark]
    };
    (0..100).map(row).collect()
}

#[test]
fn columns_are_scaled_by_what_they_are() {
    let scaler = fit(Scaling::Auto, &table()).unwrap();
    // As scikit-learn standardises the first.
    assert!(
        (scaler.scale()[0] - 0.291_576_465_128_506).abs() < 1e-12,
        "{scaler:?}"
    );
    // Two values stay one apart, or a category of one sample in a thousand would be 30 deviations off.
    assert!((scaler.shift()[1] - 0.1).abs() < 1e-12);
    assert_eq!(scaler.scale()[1], 1.);
    // The marks of missing values take no part.
    assert!((25. ..32.).contains(&scaler.scale()[2]), "{scaler:?}");
    assert!(scaler.shift()[2] > 40.);
    let literal = fit(Scaling::Standard, &table()).unwrap();
    assert!((literal.scale()[1] - 0.3).abs() < 1e-12);
    assert!(literal.scale()[2] > 1000.);
}

#[test]
fn quantiles_are_robust() {
    let scaler = fit(Scaling::Robust, &table()).unwrap();
    assert!((scaler.shift()[0] - 0.5).abs() < 0.01);
    // The interquartile range of a normal of deviation 1 is 1.349.
    assert!((scaler.scale()[0] - 0.5 / 1.349).abs() < 0.01, "{scaler:?}");
    assert_eq!(scaler.scale()[1], 1.);
    let tail: Vec<[f64; 3]> = table()
        .into_iter()
        .enumerate()
        .map(|(i, row)| {
            [
                row[0] + if i > 90 { 30. * i as f64 } else { 0. },
                row[1],
                row[2],
            ]
        })
        .collect();
    let far = fit(Scaling::Robust, &tail).unwrap();
    assert!(
        (far.scale()[0] / scaler.scale()[0] - 1.).abs() < 0.1,
        "{far:?}"
    );
}

#[test]
fn every_column_to_the_unit_range() {
    let scaler = fit(Scaling::MinMax, &table()).unwrap();
    assert_eq!(
        (scaler.shift(), scaler.scale()),
        (&[0.; 3][..], &[1., 1., 99.][..])
    );
}

/// Constants stay at 0: they are no bias.
#[test]
fn no_usual_row_is_zero_to_what_is_homogeneous() {
    let mut rows = table();
    rows.iter_mut().for_each(|row| row[2] = 7.);
    let homogeneous = |scaling: Scaling, rows: &[[f64; 3]]| {
        let data = PuDataset::new(tensor(rows)).unwrap();
        let (inputs, _) = Inputs::of(&data, vec![], InputCheck::Refuse).unwrap();
        let scaler = scaling.scaler(data.unlabeled(), &inputs, true);
        scaler.unwrap().unwrap()
    };
    // One row in a hundred and fifty is next to the smallest in all columns.
    let mut dense = [rows.clone(), rows[30..80].to_vec()].concat();
    for (i, row) in dense.iter_mut().enumerate() {
        row[2] = (i % 7) as f64;
    }
    assert_eq!(
        homogeneous(Scaling::Auto, &dense),
        fit(Scaling::MinMax, &dense).unwrap()
    );
    for row in &mut rows[..60] {
        (row[0], row[1]) = (0., 0.);
    }
    let auto = homogeneous(Scaling::Auto, &rows);
    assert_eq!(
        (auto.shift(), auto.scale()),
        (&[-0.5, -0.5, 7.][..], &[1.; 3][..])
    );
    let (robust, usual) = (
        homogeneous(Scaling::Robust, &rows),
        fit(Scaling::Robust, &rows).unwrap(),
    );
    assert_eq!(robust.scale(), usual.scale());
    assert_eq!(robust.shift()[2], 7.);
    for j in 0..2 {
        let up = usual.shift()[j] - robust.shift()[j];
        assert!((up - 0.5 * usual.scale()[j]).abs() < 1e-12, "{robust:?}");
    }
}

#[test]
fn marks_of_missing_pixels_do_not_squeeze_the_others() {
    let mut values = vec![0.5f32; 200 * 16];
    for (i, v) in values.iter_mut().enumerate() {
        *v = (i % 97) as f32 / 96.;
    }
    values[100] = -9999.;
    values[700] = -9999.;
    let images = |values: &[f32]| Tensor::from_slice(values, (200, 1, 4, 4), &Device::Cpu).unwrap();
    assert_eq!(scaler(Scaling::Auto, images(&values)), None);
    let wide: Vec<f32> = values.iter().map(|v| v * 255.).collect();
    let scaler = scaler(Scaling::Auto, images(&wide)).unwrap();
    assert_eq!((scaler.shift(), scaler.scale()), (&[0.][..], &[255.][..]));
}
