//! Friendly data that once gave a wrong answer in silence, each on the smallest input that shows it.

use puad::candle_core::{DType, Device, Tensor};
use puad::data::PuDataset;
use puad::estimator::{IntoSamples, Scaling};
use puad::method::Method;
use puad::{Error, Estimator, FitConfig, FittedDetector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

type Rows = Vec<Vec<f64>>;

/// Rows of independent standard normal numbers.
fn gauss(rows: usize, columns: usize, seed: u64) -> Rows {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut row = || {
        (0..columns)
            .map(|_| StandardNormal.sample(&mut rng))
            .collect()
    };
    (0..rows).map(|_| row()).collect()
}

fn shifted(rows: Rows, by: f64) -> Rows {
    let row = |row: Vec<f64>| row.into_iter().map(|v| v + by).collect();
    rows.into_iter().map(row).collect()
}

fn config(method: Method, epochs: usize) -> FitConfig {
    let mut config = FitConfig {
        method: Some(method),
        ..FitConfig::default()
    };
    config.train.epochs = epochs;
    config
}

fn fit(method: Method, epochs: usize, unlabeled: &Rows, anomalies: &Rows) -> FittedDetector {
    let estimator = Estimator::new(config(method, epochs));
    estimator.fit(unlabeled, anomalies).unwrap()
}

fn tensor(rows: &Rows) -> Tensor {
    rows.into_samples().unwrap().to_tensor().unwrap()
}

fn highest(scores: &[f64]) -> usize {
    let best = |i: &usize, j: &usize| scores[*i].total_cmp(&scores[*j]);
    (0..scores.len()).max_by(best).unwrap()
}

/// A tenth of the rows is one row: some of it lies in the validation part, all of it is flagged.
#[test]
fn a_block_of_equal_scores_is_flagged_as_a_whole() {
    let block = vec![vec![5., 5.]; 100];
    let unlabeled = [gauss(900, 2, 0), block.clone()].concat();
    let anomalies = shifted(gauss(20, 2, 1), 5.);
    for seed in 0..8 {
        let mut config = config(Method::PUAE, 20);
        config.train.seed = seed;
        let detector = Estimator::new(config).fit(&unlabeled, &anomalies).unwrap();
        let flagged = detector.predict(&block).unwrap();
        assert_eq!(flagged, [true; 100], "{seed}");
        let normals = detector.predict(&gauss(900, 2, 2)).unwrap();
        let alarms = normals.iter().filter(|flag| **flag).count();
        assert!(alarms < 90, "{seed}: {alarms}");
    }
}

#[test]
fn a_column_that_is_constant_up_to_rounding_scores_no_step_high() {
    let mut rows: Rows = gauss(1000, 1, 0);
    for row in &mut rows {
        row.push(14.62);
    }
    rows[500][1] = 14.62f64.next_up();
    let detector = fit(Method::PUAE, 5, &rows, &shifted(gauss(10, 2, 1), 4.));
    assert_eq!(detector.scaler().unwrap().scale()[1], 1.);
    let scores = detector.score(&[[0., 14.62], [0., 14.63]]).unwrap();
    assert!((scores[1] - scores[0]).abs() < 0.1, "{scores:?}");
}

/// The most anomalous row of the day, in data of either type and in any batch.
#[test]
fn every_finite_row_is_scored_and_the_farthest_highest() {
    let (unlabeled, anomalies) = (gauss(200, 3, 0), shifted(gauss(10, 3, 1), 3.));
    for method in [Method::PUAE, Method::PUSVDD, Method::AE] {
        let detector = fit(method.clone(), 5, &unlabeled, &anomalies);
        for (value, dtype) in [
            (1e20, DType::F32),
            (f64::from(f32::MAX), DType::F32),
            (1e20, DType::F64),
            (f64::MAX, DType::F64),
        ] {
            let mut day = gauss(300, 3, 2);
            day[200] = vec![0., value, 0.];
            day[10] = vec![0., -1e6, 0.];
            let day = tensor(&day).to_dtype(dtype).unwrap();
            let scores = detector.score(&day).unwrap();
            assert!(scores.iter().all(|s| s.is_finite()), "{method}");
            assert_eq!(highest(&scores), 200, "{method} {value}");
            assert!(detector.explain(&day).is_ok());
            let batches = (0..3).map(|i| day.narrow(0, 100 * i, 100));
            let streamed = detector
                .score_batches(batches)
                .collect::<Result<Vec<_>, _>>();
            assert_eq!(streamed.unwrap().concat(), scores);
        }
    }
    let forest = fit(Method::ISOLATION_FOREST, 1, &unlabeled, &anomalies);
    assert!(forest.score(&[[0., f64::MAX, 0.]]).is_ok());
}

#[test]
fn huge_values_are_trained_on_or_the_row_is_named() {
    let mut unlabeled = gauss(100, 2, 0);
    let mut anomalies = shifted(gauss(10, 2, 1), 3.);
    unlabeled[40][1] = 1e200;
    anomalies[7][0] = -1e300;
    for method in [Method::PUAE, Method::PUSVDD, Method::PU, Method::DEEP_SAD] {
        let detector = fit(method, 3, &unlabeled, &anomalies);
        assert!(detector.score(&unlabeled).is_ok());
    }
    let unscaled = FitConfig {
        scaling: Scaling::None,
        ..config(Method::PUAE, 3)
    };
    let refused = |u: &Rows, a: &Rows| Estimator::new(unscaled.clone()).fit(u, a).unwrap_err();
    let err = refused(&gauss(100, 2, 0), &anomalies);
    let message = "anomalous samples must lie within 1e15 of 0 to be trained on unscaled, but row 7, \
                   column 0 is -1e300: choose a `scaling`, or scale them";
    assert_eq!(err.to_string(), message);
    let err = refused(&unlabeled, &anomalies);
    assert!(
        matches!(
            err,
            Error::HugeFeature {
                row: 40,
                column: 1,
                ..
            }
        ),
        "{err}"
    );
    // Images that would stay as they are, too.
    let mut image = vec![0.5f32; 4 * 8 * 8];
    let unlabeled = Tensor::from_slice(&image, (4, 1, 8, 8), &Device::Cpu).unwrap();
    image[3 * 64 + 5] = 1e20;
    let anomalies = Tensor::from_slice(&image, (4, 1, 8, 8), &Device::Cpu).unwrap();
    let data = PuDataset::new(unlabeled)
        .unwrap()
        .with_anomalies(anomalies)
        .unwrap();
    let err = Estimator::new(config(Method::PUAE, 1))
        .fit_dataset(&data)
        .unwrap_err();
    assert!(
        matches!(
            err,
            Error::HugeFeature {
                row: 3,
                column: 5,
                ..
            }
        ),
        "{err}"
    );
}
