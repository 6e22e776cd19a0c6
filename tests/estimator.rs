//! The short path as its users meet it: good data in every form, bad data of every kind, decisions
//! and explanations.

use std::ops::ControlFlow;

use puad::candle_core::{DType, Device, Tensor};
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::toy::{self, ToyConfig};
use puad::data::{ImageShape, PuDataset, Samples};
use puad::detector::{
    AutoencoderSpec, ClassifierLoss, ClassifierSpec, DeepSvddSpec, DenoisingSpec,
};
use puad::estimator::{Attribution, IntoSamples, Scaling, Threshold};
use puad::method::Method;
use puad::metrics::auroc;
use puad::net::Network;
use puad::objective::{Correction, PuSpec};
use puad::train::{EpochReport, StopReason};
use puad::{ClassPrior, Error, Estimator, FitConfig, FittedDetector};

type Rows = Vec<Vec<f32>>;

fn toy(seed: u64) -> (Rows, Rows, Rows) {
    let toy = toy::generate(&ToyConfig::default(), seed).unwrap();
    let rows = |points: &[[f32; 2]]| points.iter().map(|p| p.to_vec()).collect::<Rows>();
    let unlabeled = [rows(&toy.normals), rows(&toy.unlabeled_anomalies)].concat();
    (unlabeled, rows(&toy.labeled_anomalies), rows(&toy.normals))
}

fn quick(epochs: usize) -> FitConfig {
    let mut config = FitConfig::default();
    config.train.epochs = epochs;
    config
}

fn with(method: Method, epochs: usize) -> FitConfig {
    FitConfig {
        method: Some(method),
        ..quick(epochs)
    }
}

fn tensor(rows: &Rows) -> Tensor {
    rows.into_samples().unwrap().to_tensor().unwrap()
}

fn images(n: usize) -> (Samples, Samples) {
    let config = GlyphConfig {
        size: 12,
        train_per_class: n,
        test_per_class: 2,
    };
    let set = glyphs::generate(&config, 0).unwrap();
    let shape = ImageShape {
        channels: 1,
        height: 12,
        width: 12,
    };
    (
        Samples::images(&set.train, shape).unwrap(),
        Samples::images(&set.test, shape).unwrap(),
    )
}

#[test]
fn defaults_find_anomalies_of_figure_1() {
    let (unlabeled, anomalies, _) = toy(0);
    let detector = Estimator::new(FitConfig::default())
        .fit(&unlabeled, &anomalies)
        .unwrap();
    assert_eq!(*detector.method(), Method::for_samples(&[2], true));
    let (new, _, normals) = toy(1);
    let scores = detector.score(&new).unwrap();
    let truth: Vec<bool> = (0..new.len()).map(|i| i >= normals.len()).collect();
    let area = auroc(&scores, &truth).unwrap();
    assert!(area > 0.97, "{area}");

    let flagged = detector.predict(&new).unwrap();
    let p = detector.predict_proba(&new).unwrap();
    let (mut found, mut wrong) = (0, 0);
    for i in 0..new.len() {
        assert_eq!(flagged[i], scores[i] > detector.threshold());
        assert!((0. ..=1.).contains(&p[i]));
        found += usize::from(flagged[i] && truth[i]);
        wrong += usize::from(flagged[i] && !truth[i]);
    }
    // 80 anomalies among 980; the class prior of 0.1 asks for 98 alarms.
    assert!(found > 60 && wrong < 90, "{found} {wrong}");
    let mean = p.iter().sum::<f64>() / p.len() as f64;
    assert!((0.03..0.2).contains(&mean), "{mean}");
}

#[test]
fn every_form_of_the_same_rows_gives_the_same_detector() {
    let (unlabeled, anomalies, _) = toy(0);
    let fit = |d: puad::Result<FittedDetector>| d.unwrap().score(&unlabeled).unwrap();
    let estimator = || Estimator::new(quick(2));
    let expected = fit(estimator().fit(&unlabeled, &anomalies));

    let arrays = |rows: &Rows| -> Vec<[f32; 2]> { rows.iter().map(|r| [r[0], r[1]]).collect() };
    let (u, a) = (arrays(&unlabeled), arrays(&anomalies));
    assert_eq!(fit(estimator().fit(&u, a.as_slice())), expected);
    let slices = |rows: &'static Rows| rows.iter().map(Vec::as_slice).collect::<Vec<&[f32]>>();
    let leaked: (&'static Rows, &'static Rows) = (
        Box::leak(Box::new(unlabeled.clone())),
        Box::leak(Box::new(anomalies.clone())),
    );
    assert_eq!(
        fit(estimator().fit(slices(leaked.0), slices(leaked.1))),
        expected
    );
    let (u, a) = (tensor(&unlabeled), tensor(&anomalies));
    assert_eq!(fit(estimator().fit(&u, &a)), expected);
    assert_eq!(fit(estimator().fit(Samples::from(&u), a.clone())), expected);
    let data = PuDataset::new(u).unwrap().with_anomalies(a).unwrap();
    assert_eq!(fit(estimator().fit_dataset(&data)), expected);

    let mut other = quick(2);
    other.train.seed = 1;
    assert_ne!(fit(Estimator::new(other).fit_dataset(&data)), expected);
}

#[test]
fn f64_rows_keep_digits_that_f32_has_not() {
    // Seconds since 1970: f32 steps by 128 there.
    let row = |i: usize| [1.7e9 + (i % 50) as f64, (i as f64).sin()];
    let unlabeled: Vec<[f64; 2]> = (0..200).map(row).collect();
    let anomalies = [[1.7e9 + 200., 0.], [1.7e9 + 210., 0.5]];
    let detector = Estimator::new(quick(60))
        .fit(&unlabeled, anomalies)
        .unwrap();
    let scores = detector
        .score([[1.7e9 + 25., 0.], [1.7e9 + 205., 0.]])
        .unwrap();
    assert!(scores[1] > 2. * scores[0], "{scores:?}");
}

/// Runs a fit that must fail, and fails if an epoch was trained before.
fn refused(config: FitConfig, u: impl IntoSamples, a: impl IntoSamples) -> Error {
    let mut watch = |_: &EpochReport| -> ControlFlow<()> { panic!("an epoch was trained") };
    let estimator = Estimator::new(config).with_observer(&mut watch);
    estimator.fit(u, a).unwrap_err()
}

#[test]
fn bad_data_is_named_before_anything_is_trained() {
    let (u, a, _) = toy(0);
    let none: Rows = vec![];
    let bad = |u: &Rows, a: &Rows| refused(quick(1), u, a);

    let err = bad(&none, &a);
    assert!(
        matches!(
            err,
            Error::EmptyGroup {
                group: "unlabeled",
                ..
            }
        ),
        "{err}"
    );
    let err = bad(&u, &none);
    assert!(
        matches!(
            err,
            Error::EmptyGroup {
                group: "anomalous",
                ..
            }
        ),
        "{err}"
    );
    let err = bad(&u[..1].to_vec(), &a);
    assert!(
        matches!(
            err,
            Error::TooFewSamples {
                group: "unlabeled",
                needed: 2,
                available: 1,
                ..
            }
        ),
        "{err}"
    );
    let err = bad(&u, &a[..1].to_vec());
    assert!(
        matches!(
            err,
            Error::TooFewSamples {
                group: "anomalous",
                needed: 2,
                available: 1,
                ..
            }
        ),
        "{err}"
    );
    let err = bad(&u, &vec![vec![1., 2., 3.]; 4]);
    assert!(
        matches!(&err, Error::Shape { what: "anomalous samples", expected, actual }
            if expected.starts_with("[2]") && *actual == [3]),
        "{err}"
    );
}

#[test]
fn bad_rows_and_values_are_named_before_anything_is_trained() {
    let (u, a, _) = toy(0);
    let bad = |u: &Rows, a: &Rows| refused(quick(1), u, a);
    let mut ragged = u.clone();
    ragged[7].push(0.);
    let err = bad(&ragged, &a);
    assert!(
        matches!(
            err,
            Error::Ragged {
                row: 7,
                expected: 2,
                actual: 3
            }
        ),
        "{err}"
    );
    for value in [f32::NAN, f32::INFINITY] {
        let mut broken = u.clone();
        broken[123][1] = value;
        let err = bad(&broken, &a);
        assert!(
            matches!(
                err,
                Error::NonFiniteFeature {
                    what: "unlabeled samples",
                    row: 123,
                    column: 1,
                    ..
                }
            ),
            "{err}"
        );
    }
    let err = bad(&vec![vec![]; 10], &vec![vec![]; 4]);
    assert!(
        matches!(&err, Error::Shape { what: "samples", actual, .. } if *actual == [0]),
        "{err}"
    );
}

#[test]
fn bad_tensors_are_named_before_anything_is_trained() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    for shape in [&[8][..], &[8, 3, 3], &[8, 1, 2, 3, 4]] {
        let err = refused(quick(1), zeros(shape), zeros(shape));
        assert!(
            matches!(&err, Error::SampleRank(s) if *s == shape[1..]),
            "{err}"
        );
    }
    let long = zeros(&[8, 1, 1, 40_000]);
    let err = refused(quick(1), &long, &long);
    assert!(
        matches!(
            err,
            Error::ImageSize {
                height: 1,
                width: 40_000,
                works: (1, 625)
            }
        ),
        "{err}"
    );
    let large = zeros(&[8, 1, 1100, 1100]);
    let err = refused(quick(1), &large, &large);
    assert!(
        matches!(&err, Error::Config { name: "batch_size", value, .. } if value.contains("batches of 5")),
        "{err}"
    );
    let whole = zeros(&[8, 2]).to_dtype(DType::U32).unwrap();
    let err = refused(quick(1), &whole, &whole);
    assert!(matches!(err, Error::DType { .. }), "{err}");
    let double = zeros(&[8, 2]).to_dtype(DType::F64).unwrap();
    let err = refused(quick(1), zeros(&[8, 2]), &double);
    assert!(matches!(err, Error::DType { .. }), "{err}");
}

/// Sides that nothing halves: padded within the network, and whole outside of it.
#[test]
fn images_with_odd_sides() {
    let images = |n: usize, bright: f32| {
        let value = |i: usize| (i as f32 * 0.37).sin().abs() * bright;
        let values: Vec<f32> = (0..n * 2 * 13 * 11).map(value).collect();
        Tensor::from_vec(values, (n, 2, 13, 11), &Device::Cpu).unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    for method in [Method::PUAE, Method::PUSVDD, Method::PU] {
        let estimator = Estimator::new(with(method.clone(), 2));
        let detector = estimator.fit(images(30, 0.5), images(8, 1.)).unwrap();
        let new = images(5, 0.7);
        let explanation = detector.explain(&new).unwrap();
        assert_eq!(explanation.attribution.dims(), new.dims(), "{method}");
        let path = dir.path().join(method.to_string());
        detector.save(&path).unwrap();
        let loaded = FittedDetector::load(&path, &Device::Cpu).unwrap();
        assert_eq!(loaded.score(&new).unwrap(), detector.score(&new).unwrap());
        assert_eq!(loaded.sample_shape(), [2, 13, 11]);
    }
}

#[test]
fn bad_settings_are_named_before_anything_is_trained() {
    let (u, a, _) = toy(0);
    assert!(matches!(
        ClassPrior::new(1.3),
        Err(Error::ClassPrior { .. })
    ));
    type Change = fn(&mut FitConfig);
    let cases: [(&str, Change); 8] = [
        ("validation_fraction", |c| c.validation_fraction = 0.),
        ("validation_fraction", |c| c.validation_fraction = f64::NAN),
        ("noise", |c| {
            let detector = DenoisingSpec {
                noise: -1.,
                ..DenoisingSpec::default()
            };
            c.method = Some(Method::new(detector, pnu(1.)));
        }),
        ("pnu_weight", |c| {
            c.method = Some(Method::new(AutoencoderSpec::default(), pnu(2.)));
        }),
        ("epochs", |c| c.train.epochs = 0),
        ("learning_rate", |c| {
            c.train.adam.learning_rate = f64::INFINITY
        }),
        ("network", |c| {
            let network = Network::for_samples(&[3]).unwrap();
            c.network = puad::estimator::Architecture::Explicit(network);
        }),
        ("network", |c| {
            c.method = Some("rotation/pu".parse().unwrap())
        }),
    ];
    for (expected, change) in cases {
        let mut config = quick(1);
        change(&mut config);
        let err = refused(config, &u, &a);
        assert!(
            matches!(err, Error::Config { name, .. } if name == expected),
            "{expected}: {err}"
        );
    }
    // A method that needs labeled anomalies, without any.
    let data = PuDataset::new(tensor(&u)).unwrap();
    let err = Estimator::new(with(Method::ABC, 1))
        .fit_dataset(&data)
        .unwrap_err();
    assert!(
        matches!(
            err,
            Error::EmptyGroup {
                group: "anomalous",
                ..
            }
        ),
        "{err}"
    );
}

#[test]
fn samples_to_score_are_checked() {
    let (u, a, _) = toy(0);
    let detector = Estimator::new(quick(1)).fit(&u, &a).unwrap();
    assert!(
        detector.score(&Rows::new()[..]).is_err() || detector.score(&u[..0]).unwrap().is_empty()
    );
    let err = detector.score([[1f32, 2., 3.]]).unwrap_err();
    assert!(matches!(err, Error::Shape { .. }), "{err}");
    // In the third batch.
    let mut broken = u.clone();
    broken[300][0] = f32::NAN;
    let err = detector.score(&broken).unwrap_err();
    assert!(
        matches!(
            err,
            Error::NonFiniteFeature {
                row: 300,
                column: 0,
                ..
            }
        ),
        "{err}"
    );
}

#[test]
fn constant_columns_are_centred_and_still_tell_new_values() {
    let (u, a, _) = toy(0);
    let wider = |rows: &Rows| rows.iter().map(|r| vec![r[0], 7., r[1]]).collect::<Rows>();
    let detector = Estimator::new(quick(5)).fit(wider(&u), wider(&a)).unwrap();
    let scaler = detector.scaler().unwrap();
    assert_eq!((scaler.shift()[1], scaler.scale()[1]), (7., 1.));
    let scores = detector.score([[0f32, 7., 0.], [0., 27., 0.]]).unwrap();
    assert!(scores[1] > scores[0] + 1., "{scores:?}");
    // All columns constant: nothing to learn, nothing breaks.
    let flat = vec![vec![1f32, 2.]; 20];
    let detector = Estimator::new(quick(2)).fit(&flat, &flat[..4]).unwrap();
    assert!(detector.score(&flat).unwrap().iter().all(|s| s.is_finite()));
}

/// The validation part was scored as `score` scores it, and a sample's score does not depend on who
/// is scored with it.
#[test]
fn scores_of_the_fit_are_those_of_score() {
    let (u, a, _) = toy(0);
    let data = PuDataset::new(tensor(&u))
        .unwrap()
        .with_anomalies(tensor(&a))
        .unwrap();
    let config = with(Method::PUSVDD, 3);
    let detector = Estimator::new(config.clone()).fit_dataset(&data).unwrap();
    let (train, validation) = data
        .split(config.validation_fraction, config.train.seed)
        .unwrap();
    let sorted = |samples: &Samples| {
        let mut scores = detector.score(samples).unwrap();
        scores.sort_unstable_by(f64::total_cmp);
        scores
    };
    let kept = detector.validation_scores();
    assert_eq!(sorted(validation.unlabeled()), kept.unlabeled);
    assert_eq!(sorted(validation.anomalies().unwrap()), kept.anomalies);

    let all = detector.score(train.unlabeled()).unwrap();
    for i in [0, 1, 130, 500] {
        let alone = detector
            .score(train.unlabeled().range(i, 1).unwrap())
            .unwrap()[0];
        assert!(
            (alone - all[i]).abs() <= 1e-5 * (1. + all[i]),
            "{alone} {}",
            all[i]
        );
    }
    let batches = (0..7).map(|i| train.unlabeled().range(i * 100, 100));
    let mut streamed = Vec::new();
    for scores in detector.score_batches(batches) {
        streamed.extend(scores.unwrap());
    }
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5 * (1. + b);
    assert!(streamed.len() == 700 && streamed.iter().zip(&all).all(close));
    let failing = [Err(Error::NotCalibrated), Ok(tensor(&a))];
    let results: Vec<_> = detector.score_batches(failing).collect();
    assert!(matches!(results[0], Err(Error::NotCalibrated)) && results[1].is_ok());
}

#[test]
fn thresholds_change_without_a_fit() {
    let (u, a, normals) = toy(0);
    let config = FitConfig {
        prior: ClassPrior::new(0.1).unwrap().into(),
        ..with(Method::PUSVDD, 10)
    };
    let mut detector = Estimator::new(config).fit(&u, &a).unwrap();
    let scores = detector.score(&u).unwrap();
    let kept = detector.validation_scores().unlabeled.clone();
    let above = kept.iter().filter(|s| **s > detector.threshold()).count();
    assert_eq!(above, kept.len() / 10 + usize::from(kept.len() % 10 > 1));

    detector.set_threshold(Threshold::Value(0.)).unwrap();
    assert!(detector.predict(&u).unwrap().iter().all(|&flag| flag));
    let (_, _, fresh) = toy(5);
    let normals = (&normals).into_samples().unwrap();
    for rate in [0.01, 0.1] {
        detector
            .set_threshold(Threshold::FalsePositiveRate {
                rate,
                normals: normals.clone().into(),
            })
            .unwrap();
        let alarms = detector
            .predict(&fresh)
            .unwrap()
            .into_iter()
            .filter(|&f| f)
            .count();
        let share = alarms as f64 / fresh.len() as f64;
        assert!(share < rate + 0.04, "{rate}: {share}");
    }
    let few = Threshold::FalsePositiveRate {
        rate: 0.01,
        normals: normals.select(&[0, 1]).unwrap().into(),
    };
    assert!(matches!(
        detector.set_threshold(few),
        Err(Error::Config {
            name: "normals",
            ..
        })
    ));
    assert_eq!(detector.score(&u).unwrap(), scores);
}

#[test]
fn images_of_8_bits_and_of_floats_are_one() {
    let (u, a) = images(6);
    let floats = |s: &Samples| s.to_tensor().unwrap();
    let fit = |u: Samples, a: Samples| Estimator::new(quick(2)).fit(u, a).unwrap();
    let detector = fit(u.clone(), a.clone());
    assert_eq!(
        (detector.method(), detector.scaler()),
        (&Method::PUSVDD, None)
    );
    let scores = detector.score(&u).unwrap();
    let same = fit(floats(&u).into(), floats(&a).into());
    assert_eq!(same.score(&u).unwrap(), scores);
    // In 0 ... 255 they are brought to 0 ... 1.
    let wide = |s: &Samples| Samples::from((floats(s) * 255.).unwrap());
    let detector = fit(wide(&u), wide(&a));
    assert!(detector.scaler().is_some());
    let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-2 * (1e-3 + b);
    let again = detector.score(wide(&u)).unwrap();
    assert!(again.iter().zip(&scores).all(close), "{again:?} {scores:?}");
}

#[test]
fn reconstruction_errors_add_up_to_the_squared_score() {
    for method in [Method::PUAE, Method::DAE] {
        let config = FitConfig {
            scaling: Scaling::Auto,
            ..with(method, 2)
        };
        let (u, xs) = images(4);
        let detector = Estimator::new(config).fit(&u, &xs).unwrap();
        let explanation = detector.explain(&xs).unwrap();
        assert_eq!(explanation.kind, Attribution::ReconstructionError);
        let dims = xs.to_tensor().unwrap().dims().to_vec();
        assert_eq!(explanation.attribution.dims(), dims);
        assert_eq!(explanation.reconstruction.unwrap().dims(), dims);
        let sums = explanation
            .attribution
            .flatten_from(1)
            .unwrap()
            .sum(1)
            .unwrap();
        let sums = sums.to_vec1::<f32>().unwrap();
        for (sum, score) in sums.iter().zip(detector.score(&xs).unwrap()) {
            assert!((f64::from(*sum) - score * score).abs() < 1e-3 * (1. + score * score));
        }
    }
}

/// Against central differences of the score itself.
#[test]
fn gradient_attributions_are_gradients() {
    let (u, a, _) = toy(0);
    for method in [Method::PUSVDD, Method::PU] {
        let config = FitConfig {
            scaling: Scaling::None,
            ..with(method.clone(), 5)
        };
        let detector = Estimator::new(config).fit(&u, &a).unwrap();
        let xs = (&a).into_samples().unwrap().to_tensor().unwrap();
        let explanation = detector.model().explain(&xs).unwrap().unwrap();
        assert_eq!(explanation.kind, Attribution::GradientTimesInput);
        assert!(explanation.reconstruction.is_none());
        let got = explanation.attribution.to_vec2::<f32>().unwrap();
        let h = 1e-2f32;
        let mut close = 0;
        for (row, got) in a.iter().zip(&got) {
            for j in 0..2 {
                let at = |d: f32| {
                    let mut moved = row.clone();
                    moved[j] += d;
                    detector.score([moved.as_slice()]).unwrap()[0]
                };
                let expected = ((at(h) - at(-h)) / f64::from(2. * h) * f64::from(row[j])).abs();
                close +=
                    usize::from((f64::from(got[j]) - expected).abs() < 0.05 * (0.05 + expected));
            }
        }
        // A ReLU may switch between the two points.
        assert!(close >= 36, "{method}: {close} of 40");
    }
}

#[test]
fn the_broken_feature_is_pointed_at() {
    let row = |i: usize| {
        let t = i as f32 * 0.37;
        vec![
            t.sin(),
            t.cos(),
            t.sin() + t.cos(),
            t.sin() - t.cos(),
            0.5 * t.sin(),
        ]
    };
    let unlabeled: Rows = (0..600).map(row).collect();
    let mut anomalies: Rows = (0..20).map(|i| row(7 * i)).collect();
    anomalies.iter_mut().for_each(|r| r[0] += 2.5);
    let detector = Estimator::new(with(Method::PUAE, 60))
        .fit(&unlabeled, &anomalies)
        .unwrap();
    let mut broken: Rows = (100..140).map(row).collect();
    broken.iter_mut().for_each(|r| r[2] += 4.);
    let shares = detector
        .explain(&broken)
        .unwrap()
        .attribution
        .to_vec2::<f32>()
        .unwrap();
    let right = shares
        .iter()
        .filter(|s| (0..5).all(|j| s[j] <= s[2]))
        .count();
    assert!(right >= 30, "{right} of 40");
}

#[test]
fn observers_see_and_stop_the_run() {
    let (u, a, _) = toy(0);
    let mut seen = 0;
    let mut watch = |report: &EpochReport| {
        seen = report.epoch;
        if report.epoch == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let estimator = Estimator::new(with(Method::PUAE, 50)).with_observer(&mut watch);
    let detector = estimator.fit(&u, &a).unwrap();
    assert_eq!((seen, detector.history().training.epochs.len()), (3, 3));
    assert_eq!(detector.history().training.stopped, StopReason::Observer);
}

#[test]
fn every_method_fits_vectors_and_images() {
    let (u, a, _) = toy(0);
    let (u, a) = (u[..60].to_vec(), a);
    let (iu, ia) = images(3);
    let rotations = ["rotation/unsupervised", "rotation/pu"].map(|m| m.parse::<Method>().unwrap());
    for (_, method) in Method::NAMED {
        let detector = Estimator::new(with(method.clone(), 1)).fit(&u, &a).unwrap();
        assert_eq!(detector.score(&u).unwrap().len(), 60, "{method}");
    }
    for method in [Method::LOE, Method::SOEL, Method::PU, Method::PUDAE]
        .into_iter()
        .chain(rotations)
    {
        let detector = Estimator::new(with(method.clone(), 1))
            .fit(&iu, &ia)
            .unwrap();
        assert_eq!(detector.score(&ia).unwrap().len(), 20, "{method}");
        assert_eq!(
            detector.explain(&ia).unwrap().attribution.dims(),
            [20, 1, 12, 12]
        );
    }
}

fn seen_auroc(detector: &FittedDetector, seed: u64) -> f64 {
    let (new, _, normals) = toy(seed);
    let truth: Vec<bool> = (0..new.len()).map(|i| i >= normals.len()).collect();
    auroc(&detector.score(&new).unwrap(), &truth).unwrap()
}

/// With the published loss the classifier calls everything normal here: the numbers of docs/design.md,
/// printed with `-- --nocapture`.
#[test]
fn the_classifier_separates_seen_anomalies_at_default_settings() {
    let fit = |seed, loss| {
        let (u, a, _) = toy(seed);
        let objective = Method::PU.pair().unwrap().objective.clone();
        let mut config = FitConfig {
            method: Some(Method::new(ClassifierSpec { loss }, objective)),
            ..FitConfig::default()
        };
        config.train.seed = seed;
        seen_auroc(&Estimator::new(config).fit(&u, &a).unwrap(), 1000 + seed)
    };
    for seed in 0..4 {
        let default = fit(seed, ClassifierSpec::default().loss);
        let published = fit(seed, ClassifierLoss::Sigmoid);
        println!("seed {seed}: AUROC {default:.3}, with the sigmoid loss {published:.3}");
        assert!(
            default > 0.98 && default > published,
            "seed {seed}: {default} {published}"
        );
    }
}

#[test]
fn the_automatic_network_of_a_classifier_has_no_narrow_last_layer() {
    let config = with(Method::PU, 1);
    let (u, a, _) = toy(0);
    let detector = Estimator::new(config).fit(&u, &a).unwrap();
    let network = detector.network_model().unwrap().network();
    let Some(Network::Mlp(shape)) = network else {
        panic!("{network:?}");
    };
    assert_eq!((shape.latent, shape.hidden.last()), (32, Some(&32)));
}

fn pnu(pnu_weight: f64) -> PuSpec {
    PuSpec {
        pnu_weight,
        ..PuSpec::default()
    }
}

/// `U` and `A` of the toy data, and `n` normals of a kind that `U` has none of.
fn with_new_normals(n: usize) -> (PuDataset, Rows) {
    let (u, a, _) = toy(0);
    let spot = |i: usize| vec![0.02 * (i % 7) as f32, 5. + 0.02 * (i % 11) as f32];
    let normals: Rows = (0..n).map(spot).collect();
    let data = PuDataset::new(tensor(&u)).unwrap();
    (data.with_anomalies(tensor(&a)).unwrap(), normals)
}

#[test]
fn labeled_normals_are_learned_from() {
    let (data, kind) = with_new_normals(100);
    let pu = Estimator::new(quick(60)).fit_dataset(&data).unwrap();
    let data = data.with_normals(tensor(&kind)).unwrap();
    let mut config = quick(60);
    config.method = Some(Method::new(AutoencoderSpec::default(), pnu(0.5)));
    let mut pnu = Estimator::new(config).fit_dataset(&data).unwrap();

    // Among normals of the usual kind, how many score below the new kind's mean?
    let (_, _, usual) = toy(1);
    let rank = |detector: &FittedDetector| {
        let scores = detector.score(&kind).unwrap();
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let below = |s: &&f64| **s < mean;
        let scores = detector.score(&usual).unwrap();
        scores.iter().filter(below).count() as f64 / scores.len() as f64
    };
    let (without, with) = (rank(&pu), rank(&pnu));
    println!("ranks {without} {with}");
    assert!(without > 0.99 && with < 0.9, "{without} {with}");
    let area = seen_auroc(&pnu, 1);
    assert!(area > 0.95, "{area}");

    // Set by normals that took no part; others are flagged as often as was allowed.
    let (_, _, fresh) = toy(2);
    let normals = (&fresh).into_samples().unwrap();
    let rule = Threshold::FalsePositiveRate {
        rate: 0.05,
        normals: normals.into(),
    };
    pnu.set_threshold(rule).unwrap();
    let flags = pnu.predict(&usual).unwrap();
    let rate = flags.iter().filter(|f| **f).count() as f64 / flags.len() as f64;
    // Four standard errors of a share of 900, twice: threshold and count are both drawn.
    assert!((rate - 0.05).abs() < 0.042, "{rate}");
    assert!(pnu.calibration().is_some());
}

#[test]
fn a_weight_that_does_not_suit_the_normals_is_an_error_before_the_first_epoch() {
    let (plain, kind) = with_new_normals(20);
    let normals = plain.clone().with_normals(tensor(&kind)).unwrap();
    let fit = |method: fn(f64) -> Method, eta, data: &PuDataset| {
        let mut epochs = 0;
        let mut watch = |_: &EpochReport| {
            epochs += 1;
            ControlFlow::Continue(())
        };
        let config = with(method(eta), 1);
        let outcome = Estimator::new(config)
            .with_observer(&mut watch)
            .fit_dataset(data);
        (outcome.map(|_| ()), epochs)
    };
    let classifier: fn(f64) -> Method = |eta| {
        let correction = Correction::NON_NEGATIVE;
        let objective = PuSpec {
            correction,
            ..pnu(eta)
        };
        Method::new(ClassifierSpec::default(), objective)
    };
    let puae: fn(f64) -> Method = |eta| Method::new(AutoencoderSpec::default(), pnu(eta));
    let pusvdd: fn(f64) -> Method = |eta| Method::new(DeepSvddSpec::default(), pnu(eta));
    for method in [puae, pusvdd, classifier] {
        let (outcome, epochs) = fit(method, 1., &normals);
        assert!(matches!(outcome, Err(Error::UnusedNormals { eta: 1. })));
        assert_eq!(epochs, 0);
        let (outcome, epochs) = fit(method, 0.5, &plain);
        let group = "normal";
        assert!(matches!(outcome, Err(Error::EmptyGroup { group: g, .. }) if g == group));
        assert_eq!(epochs, 0);
        assert!(fit(method, 0.5, &normals).0.is_ok());
    }
    let (outcome, _) = fit(puae, 1.5, &plain);
    assert!(matches!(
        outcome,
        Err(Error::Config {
            name: "pnu_weight",
            ..
        })
    ));
    // Other risks have no use for them.
    assert!(fit(|_| Method::AE, 1., &normals).0.is_ok());
}

#[test]
fn detectors_can_be_sent_and_shared() {
    fn check<T: Send + Sync + Clone>(_: &T) {}
    let (u, a, _) = toy(0);
    let mut detector = Estimator::new(quick(1)).fit(&u, &a).unwrap();
    check(&detector);
    let clone = detector.clone();
    detector.set_threshold(Threshold::Value(3.)).unwrap();
    assert_ne!(clone.threshold(), detector.threshold());
    let expected = clone.score(&u).unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| clone.score(&u).unwrap()))
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected);
        }
    });
}
