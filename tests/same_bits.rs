//! A row's score is one number: alone, in any batch, in a stream, on any number of threads.
#![cfg(feature = "tables")]

mod common;

use std::ops::ControlFlow;

use common::device;
use puad::candle_core::{DType, Tensor};
use puad::data::stream::TableReader;
use puad::estimator::{InputCheck, Scaling};
use puad::method::Method;
use puad::net::{Architecture, MlpShape, Network};
use puad::{Estimator, FitConfig, FittedDetector, Pass};

/// Widths that fill no vector.
const FEATURES: usize = 5;

/// Smooth numbers that do not repeat.
fn rows(n: usize) -> Vec<[f32; FEATURES]> {
    let value = |i: usize, j: usize| ((i * (j + 3)) as f32 * 0.37 + j as f32).sin() * 2.;
    (0..n)
        .map(|i| std::array::from_fn(|j| value(i, j)))
        .collect()
}

fn tensor(rows: &[[f32; FEATURES]]) -> Tensor {
    Tensor::from_slice(rows.as_flattened(), (rows.len(), FEATURES), &device()).unwrap()
}

fn fit(method: Method) -> FittedDetector {
    fit_with(method, vec![37, 18])
}

fn fit_with(method: Method, hidden: Vec<usize>) -> FittedDetector {
    let mut config = FitConfig {
        method: Some(method),
        network: Architecture::Explicit(Network::Mlp(MlpShape {
            inputs: FEATURES,
            hidden,
            latent: 3,
        })),
        scaling: Scaling::None,
        ..FitConfig::default()
    };
    config.train.epochs = 2;
    let (unlabeled, anomalies) = (tensor(&rows(300)), tensor(&rows(340)[300..]));
    let anomalies = (anomalies * 1.5).unwrap();
    let estimator = Estimator::new(config).with_device(&device());
    estimator.fit(&unlabeled, &anomalies).unwrap()
}

/// Every shipped method on a perceptron.
fn fitted() -> Vec<(&'static str, FittedDetector)> {
    let networks = Method::NAMED.iter().filter(|(_, m)| m.pair().is_some());
    let fitted: Vec<_> = networks.map(|(name, m)| (*name, fit(m.clone()))).collect();
    assert!(fitted.len() >= 12);
    fitted
}

fn bits(scores: &[f64]) -> Vec<u64> {
    scores.iter().map(|s| s.to_bits()).collect()
}

#[test]
fn a_row_has_one_score_in_every_company() {
    // Enough for several threads.
    let all = rows(7_000);
    for (name, detector) in fitted() {
        let want = detector.score(tensor(&all)).unwrap();
        let apart = |i: usize| (want[i] - want[i + 1]).abs() > 1e-6;
        assert!((0..20).any(apart), "{name}: all alike");
        let want = bits(&want);
        for (i, row) in all.iter().enumerate().take(150) {
            let alone = detector.score([*row]).unwrap();
            assert_eq!(bits(&alone), want[i..=i], "{name}, row {i} alone");
        }
        for size in [1, 7, 128, 1_000] {
            let rows = &all[..all.len().min(100 * size)];
            let batches = rows
                .chunks(size)
                .map(|rows| Ok::<_, puad::Error>(tensor(rows)));
            let scores = detector
                .score_batches(batches)
                .collect::<puad::Result<Vec<_>>>();
            let scores = bits(&scores.unwrap().concat());
            assert_eq!(scores, want[..rows.len()], "{name}, batches of {size}");
        }
    }
}

#[test]
fn a_row_has_one_score_on_any_number_of_threads() {
    // CUDA knows no such pool, and a stream belongs to a thread.
    if !device().is_cpu() {
        return;
    }
    let all = tensor(&rows(7_000));
    // Whose batches are work for several threads each, beside the batches themselves.
    let wide = ("wide", fit_with(Method::PUAE, vec![512, 256]));
    for (name, detector) in fitted().into_iter().chain([wide]) {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            bits(&pool.install(|| detector.score(&all)).unwrap())
        };
        let want = on(1);
        for threads in [2, 4] {
            assert_eq!(on(threads), want, "{name}, {threads} threads");
        }
    }
}

/// Images go through convolutions, whose kernels take them one by one or a few together, and grey ones, of which
/// every third is one, by a way of their own.
#[test]
fn an_image_has_one_score_in_every_company() {
    let pixel = |i: usize| ((i * 7919 % 10_007) as f32 / 10_007.).powi(2);
    let image = |n: usize, scale: f32| {
        let value = |i: usize| {
            let (image, at) = (i / 768, i % 768);
            let grey = image.is_multiple_of(3);
            scale * pixel(image * 768 + if grey { at % 256 } else { at })
        };
        let values = (0..n * 768).map(value).collect();
        Tensor::from_vec(values, (n, 3, 16, 16), &device()).unwrap()
    };
    let (all, anomalies) = (image(70, 1.), image(10, 0.3));
    for method in [Method::PUAE, Method::PUSVDD, Method::PU] {
        let mut config = FitConfig {
            method: Some(method.clone()),
            ..FitConfig::default()
        };
        config.train.epochs = 1;
        let estimator = Estimator::new(config).with_device(&device());
        let detector = estimator.fit(&all, &anomalies).unwrap();
        let want = bits(&detector.score(&all).unwrap());
        for size in [1, 7, 33] {
            let batches = (0..70).step_by(size).map(|first| {
                let batch = all.narrow(0, first, size.min(70 - first));
                Ok::<_, puad::Error>(batch.unwrap())
            });
            let scores: puad::Result<Vec<_>> = detector.score_batches(batches).collect();
            assert_eq!(bits(&scores.unwrap().concat()), want, "{method}, {size}");
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let scores = pool.build().unwrap().install(|| detector.score(&all));
            assert_eq!(bits(&scores.unwrap()), want, "{method}, {threads} threads");
        }
    }
}

#[test]
fn a_row_has_one_score_in_a_stream() {
    let all = rows(500);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.csv");
    let line = |row: &[f32; FEATURES]| row.map(|v| v.to_string()).join(",");
    let text: Vec<_> = all.iter().map(line).collect();
    std::fs::write(&path, format!("a,b,c,d,e\n{}\n", text.join("\n"))).unwrap();
    for (name, detector) in fitted() {
        let mut scores = Vec::new();
        let want = detector.score(tensor(&all)).unwrap();
        for size in [7, 500] {
            let table = TableReader::open(&path).unwrap();
            let counted = detector.score_table(table.batches(size).unwrap(), |rows| {
                scores.extend_from_slice(&rows.found.scores);
                ControlFlow::Continue(())
            });
            assert_eq!(counted.unwrap().rows, 500);
            assert_eq!(bits(&scores), bits(&want), "{name}");
            scores.clear();
        }
    }
}

/// Scores are computed without a graph, on weights packed once: they are the losses of an evaluation
/// pass, and follow a change of the parameters in place.
#[test]
fn scores_are_the_losses_of_the_parameters_as_they_are() {
    let xs = tensor(&rows(60));
    for method in [Method::PUAE, Method::PUDAE, Method::PUSVDD] {
        let detector = fit(method.clone());
        let model = detector.network_model().unwrap();
        let losses = || {
            let losses = model.detector().per_sample(&xs, &mut Pass::evaluation());
            let losses = losses.unwrap().to_dtype(DType::F64).unwrap();
            bits(&losses.to_vec1().unwrap())
        };
        let scores = || bits(&detector.score(&xs).unwrap());
        let before = scores();
        assert_eq!(before, losses(), "{method}");
        for (name, var) in model.params().parameters() {
            let kept = var.copy().unwrap();
            var.set(&(&kept * 1.25).unwrap()).unwrap();
            assert_eq!(scores(), losses(), "{method}, {name}");
            if name.contains("encoder.layers.0") {
                assert_ne!(scores(), before, "{method}, {name}");
            }
            var.set(&kept).unwrap();
            assert_eq!(scores(), before, "{method}, {name} set back");
        }
    }
}

/// Rows are scored as they are, tensors in batches, and once a model's parameters were asked for by the network itself:
/// scaled, in both types, with numbers that f32 does not hold and such that no score can be computed of.
#[test]
fn rows_and_tensors_have_one_score_whoever_may_change_parameters() {
    // Some devices have no f64.
    if !device().is_cpu() {
        return;
    }
    let wide: Vec<[f64; 3]> = rows(200)
        .iter()
        .map(|row| {
            [
                1e-60 * f64::from(row[0]),
                1e9 + f64::from(row[1]),
                f64::from(row[2]),
            ]
        })
        .collect();
    let narrow: Vec<[f32; 3]> = rows(200)
        .iter()
        .map(|row| [row[0], row[1], row[2]])
        .collect();
    let mut config = FitConfig {
        method: Some(Method::PUAE),
        ..FitConfig::default()
    };
    config.train.epochs = 2;
    let estimator = || Estimator::new(config.clone()).with_device(&device());
    let wide_detector = estimator().fit(&wide[..180], &wide[180..]).unwrap();
    let narrow_detector = estimator().fit(&narrow[..180], &narrow[180..]).unwrap();
    let mut unchecked = wide_detector.clone();
    unchecked.set_input_check(InputCheck::Warn);
    let mut far = wide[..20].to_vec();
    (far[3][1], far[7][0]) = (f64::MAX, -1.);
    let wide_tensor = Tensor::from_slice(far.as_flattened(), (20, 3), &device()).unwrap();
    let narrow_tensor = Tensor::from_slice(narrow.as_flattened(), (200, 3), &device()).unwrap();
    let scores = || {
        let some: Vec<[f32; 3]> = far
            .iter()
            .map(|row| row.map(|x| x as f32))
            .skip(8)
            .collect();
        let some_tensor = Tensor::from_slice(some.as_flattened(), (12, 3), &device()).unwrap();
        let pairs = [
            [wide_detector.score(&far), wide_detector.score(&wide_tensor)],
            // A narrower type than the fit's.
            [unchecked.score(&some), unchecked.score(&some_tensor)],
            [
                narrow_detector.score(&narrow),
                narrow_detector.score(&narrow_tensor),
            ],
        ];
        pairs.map(|pair| pair.map(|scores| bits(&scores.unwrap())))
    };
    let before = scores();
    assert!(before.iter().all(|[rows, tensor]| rows == tensor));
    let spoiled = [[0f32, 1., 2.], [3., f32::NAN, 4.]];
    let error = || narrow_detector.score(spoiled).unwrap_err().to_string();
    let (told, largest) = (error(), f64::from(f32::MAX).to_bits());
    assert!(told.contains("row 1") && told.contains("NaN"), "{told}");
    assert_eq!(before[0][0][3], largest);
    for detector in [&wide_detector, &narrow_detector] {
        detector.network_model().unwrap().params();
    }
    assert_eq!(scores(), before);
    assert_eq!(error(), told);
}
