//! Friendly data that once gave a wrong answer in silence, each on the smallest input that shows it.

use puad::candle_core::{DType, Device, ModuleT, Tensor};
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::{ImageSet, PuDataset, Samples};
use puad::estimator::{
    Architecture, ElementType, InputCheck, IntoSamples, Scaling, ThresholdRule, Warning,
};
use puad::method::Method;
use puad::metrics::auroc;
use puad::net::{Layers, LeNetConfig, Network};
use puad::{ClassPrior, Error, Estimator, FitConfig, FittedDetector, Params};
use rand::{Rng, SeedableRng};
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
        config.prior = ClassPrior::new(0.1).unwrap().into();
        let detector = Estimator::new(config).fit(&unlabeled, &anomalies).unwrap();
        let flagged = detector.predict(&block).unwrap();
        assert_eq!(flagged, [true; 100], "{seed}");
        let normals = detector.predict(gauss(900, 2, 2)).unwrap();
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
    let scores = detector.score([[0., 14.62], [0., 14.63]]).unwrap();
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
    assert!(forest.score([[0., f64::MAX, 0.]]).is_ok());
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
    // Images that stay as they are, too.
    let mut image = vec![0.5f32; 4 * 8 * 8];
    let unlabeled = Tensor::from_slice(&image, (4, 1, 8, 8), &Device::Cpu).unwrap();
    image[3 * 64 + 5] = 1e20;
    let anomalies = Tensor::from_slice(&image, (4, 1, 8, 8), &Device::Cpu).unwrap();
    let data = PuDataset::new(unlabeled)
        .unwrap()
        .with_anomalies(anomalies)
        .unwrap();
    let detector = Estimator::new(config(Method::PUAE, 1))
        .fit_dataset(&data)
        .unwrap();
    let named =
        |w: &Warning| matches!(w, Warning::FarOutside { count: 1, column, .. } if column.channel);
    assert!(
        detector.warnings().iter().any(named),
        "{:?}",
        detector.warnings()
    );
}

fn glyphs() -> ImageSet {
    let config = GlyphConfig {
        size: 12,
        train_per_class: 8,
        test_per_class: 1,
    };
    glyphs::generate(&config, 0).unwrap().train
}

/// The same pixels as a set, as a tensor of 8 bits and as numbers up to 255.
#[test]
fn pixels_are_in_one_scale_on_every_path() {
    let set = glyphs();
    let shape = set.shape();
    let images = Samples::images(&set, shape).unwrap();
    let dims = (set.len(), shape.channels, shape.height, shape.width);
    let bytes = Tensor::from_slice(set.pixels(), dims, &Device::Cpu).unwrap();
    let floats = bytes.to_dtype(DType::F32).unwrap();
    let estimator = || Estimator::new(config(Method::PUSVDD, 1));
    let mut detector = estimator()
        .fit(&bytes, bytes.narrow(0, 0, 9).unwrap())
        .unwrap();
    let same = estimator()
        .fit(
            &images,
            images.select(&[0, 1, 2, 3, 4, 5, 6, 7, 8]).unwrap(),
        )
        .unwrap();
    let scores = detector.score(&images).unwrap();
    assert_eq!(same.score(&bytes).unwrap(), scores);
    assert_eq!(
        detector.inputs().unwrap().element_type(),
        ElementType::Bits8
    );
    let in_unit = (&floats / 255.).unwrap();
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3 * b.abs());
    assert!(close(&detector.score(&in_unit).unwrap(), &scores));

    for n in [1, 20] {
        let err = detector.score(floats.narrow(0, 0, n).unwrap()).unwrap_err();
        assert!(
            matches!(err, Error::OtherScale { factor, .. } if (100. ..600.).contains(&factor)),
            "{err}"
        );
    }
    detector.set_input_check(InputCheck::Warn);
    let found = detector.detect(&floats).unwrap();
    assert!(
        matches!(found.warnings[0], Warning::OtherScale { .. }),
        "{:?}",
        found.warnings
    );

    // The other way round, and one group in another scale than the other.
    let wide = estimator()
        .fit(&floats, floats.narrow(0, 0, 9).unwrap())
        .unwrap();
    let err = wide.score(&images).unwrap_err();
    assert!(matches!(err, Error::ElementType { .. }), "{err}");
    let err = wide.score(&in_unit).unwrap_err();
    assert!(
        matches!(err, Error::OtherScale { factor, .. } if factor < 0.01),
        "{err}"
    );
    let few = floats.narrow(0, 0, 9).unwrap();
    let err = estimator().fit(&in_unit, &few).unwrap_err();
    assert!(
        matches!(
            err,
            Error::OtherScale {
                what: "anomalous samples",
                ..
            }
        ),
        "{err}"
    );
    let allowed = estimator()
        .with_input_check(InputCheck::Warn)
        .fit(&in_unit, &few)
        .unwrap();
    assert!(!allowed.warnings().is_empty());
}

#[test]
fn tables_in_another_unit_are_refused_and_far_values_counted_once_a_column() {
    let (unlabeled, anomalies) = (gauss(200, 3, 0), shifted(gauss(10, 3, 1), 3.));
    let detector = fit(Method::PUAE, 3, &unlabeled, &anomalies);
    let thousandfold: Rows = unlabeled
        .iter()
        .map(|row| row.iter().map(|v| 1000. * v).collect())
        .collect();
    let err = detector.score(&thousandfold).unwrap_err();
    assert!(matches!(err, Error::OtherScale { .. }), "{err}");
    let mut new = gauss(100, 3, 2);
    (new[3][0], new[70][0], new[5][2]) = (40., -90., 1e9);
    let found = detector.detect(&new).unwrap();
    assert_eq!(found.scores, detector.score(&new).unwrap());
    let far = |w: &Warning| match w {
        Warning::FarOutside {
            column,
            count,
            value,
            ..
        } => (column.index, *count, *value),
        other => panic!("{other}"),
    };
    let far: Vec<_> = found.warnings.iter().map(far).collect();
    assert_eq!(far, [(0, 2, -90.), (2, 1, 1e9)]);
}

/// Cents for euros in one of three columns: scored, and told with its name.
#[test]
fn one_column_in_another_unit_is_told_by_its_name() {
    let euros = |rows: Rows| -> Rows {
        let row = |row: Vec<f64>| vec![(3. + row[0]).exp(), row[1], row[2]];
        rows.into_iter().map(row).collect()
    };
    let named = |rows: &Rows| {
        let samples = rows.into_samples().unwrap();
        samples.with_names(&["amount", "heat", "load"]).unwrap()
    };
    let (unlabeled, anomalies) = (euros(gauss(200, 3, 0)), euros(shifted(gauss(10, 3, 1), 3.)));
    let estimator = Estimator::new(config(Method::PUAE, 2));
    let detector = estimator.fit(named(&unlabeled), named(&anomalies)).unwrap();
    let new = euros(gauss(100, 3, 2));
    let scaled = |columns: &[f64; 3]| -> Rows {
        let row = |row: &Vec<f64>| row.iter().zip(columns).map(|(v, by)| v * by).collect();
        new.iter().map(row).collect()
    };
    let told = |rows: &Rows| {
        let found = detector.detect(named(rows)).unwrap();
        assert_eq!(found.scores.len(), rows.len());
        let unit = |warning: Warning| match warning {
            Warning::OtherUnit { column, factor, .. } => Some((column.name.unwrap(), factor)),
            _ => None,
        };
        found
            .warnings
            .into_iter()
            .filter_map(unit)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&new), []);
    let [(name, factor)] = &told(&scaled(&[100., 1., 1.]))[..] else {
        panic!("one warning");
    };
    assert_eq!(name, "amount");
    assert!((50. ..200.).contains(factor), "{factor}");
    // Anomalies are often large in one column, a few of them at least.
    let few: Rows = scaled(&[100., 1., 1.]).into_iter().take(19).collect();
    assert_eq!(told(&few), []);

    // All columns are another scale, and that alone.
    let mut warning = detector.clone();
    warning.set_input_check(InputCheck::Warn);
    let found = warning.detect(named(&scaled(&[1000.; 3]))).unwrap();
    let units = |w: &Warning| matches!(w, Warning::OtherUnit { .. });
    let scales = |w: &Warning| matches!(w, Warning::OtherScale { .. });
    assert!(found.warnings.iter().any(scales) && !found.warnings.iter().any(units));
}

#[test]
fn columns_are_matched_by_the_names_kept_with_the_detector() {
    let named =
        |rows: &Rows, names: &[&str]| rows.into_samples().unwrap().with_names(names).unwrap();
    let rows: Rows = gauss(100, 2, 0)
        .into_iter()
        .map(|r| vec![r[0], 50. + r[1]])
        .collect();
    let swap = |rows: &Rows| rows.iter().map(|r| vec![r[1], r[0]]).collect::<Rows>();
    let unlabeled = named(&rows, &["heat", "load"]);
    let anomalies = named(&swap(&rows[..10].to_vec()), &["load", "heat"]);
    let estimator = || Estimator::new(config(Method::PUAE, 2));
    let detector = estimator()
        .fit(unlabeled.clone(), anomalies.clone())
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("detector");
    detector.save(&path).unwrap();
    let loaded = FittedDetector::load(&path, &Device::Cpu).unwrap();
    let scores = detector.score(&rows).unwrap();
    for detector in [detector, loaded] {
        assert_eq!(detector.inputs().unwrap().names(), ["heat", "load"]);
        let swapped = named(&swap(&rows), &["load", "heat"]);
        assert_eq!(detector.score(&swapped).unwrap(), scores);
        assert_eq!(detector.detect(&swapped).unwrap().warnings, []);
        assert!(detector.explain(swapped).is_ok());
        let err = detector
            .score(named(&rows, &["heat", "pressure"]))
            .unwrap_err();
        let expected = r#"missing ["load"], and ["pressure"] are not among those"#;
        assert!(err.to_string().ends_with(expected), "{err}");
    }
    // A validation set of one's own, too.
    let train = PuDataset::new(unlabeled)
        .unwrap()
        .with_anomalies(anomalies)
        .unwrap();
    let other = PuDataset::new(named(&swap(&rows), &["load", "heat"])).unwrap();
    let other = other
        .with_anomalies(named(&rows[..10].to_vec(), &["heat", "load"]))
        .unwrap();
    let (swapped, straight) = (
        estimator().fit_split(&train, &other).unwrap(),
        estimator().fit_split(&train, &train).unwrap(),
    );
    assert_eq!(swapped.validation_scores(), straight.validation_scores());
}

#[test]
fn rows_are_passed_as_they_are_at_hand() {
    let detector = fit(Method::PUAE, 2, &gauss(50, 2, 0), &gauss(10, 2, 1));
    let expected = detector.score([[0.5f64, 1.]]).unwrap();
    let row = vec![0.5, 1.];
    assert_eq!(detector.score(&row).unwrap(), expected);
    assert_eq!(detector.score(&row[..]).unwrap(), expected);
    assert_eq!(detector.score(&[0.5f64, 1.]).unwrap(), expected);
    assert_eq!(detector.score([[0.5, 1.]]).unwrap(), expected);
    assert_eq!(detector.score(vec![row]).unwrap(), expected);
    assert!(detector.score(Rows::new()).unwrap().is_empty());
    assert!(detector.detect(Rows::new()).unwrap().scores.is_empty());
    assert!(detector.predict(Rows::new()).unwrap().is_empty());
}

/// Ranked by the labeled anomalies with any class prior; what is decided follows the one given.
#[test]
fn small_class_priors_learn_from_the_labels_all_the_same() {
    let unlabeled = [gauss(950, 4, 0), shifted(gauss(50, 4, 1), 4.)].concat();
    let anomalies = shifted(gauss(30, 4, 2), 4.);
    let new = [gauss(200, 4, 3), shifted(gauss(200, 4, 4), 4.)].concat();
    let truth: Vec<bool> = (0..400).map(|i| i >= 200).collect();
    for method in [Method::PU, Method::PUAE, Method::PUSVDD] {
        for prior in [0., 0.001] {
            let config = FitConfig {
                prior: ClassPrior::new(prior).unwrap().into(),
                ..config(method.clone(), 40)
            };
            let detector = Estimator::new(config).fit(&unlabeled, &anomalies).unwrap();
            let area = auroc(&detector.score(&new).unwrap(), &truth).unwrap();
            assert!(area > 0.95, "{method} {prior}: {area}");
            let low = Warning::LowPrior {
                prior,
                trained: 0.05,
            };
            assert!(
                detector.warnings().contains(&low),
                "{:?}",
                detector.warnings()
            );
            let quantile = 1. - prior;
            assert_eq!(
                detector.threshold_rule(),
                ThresholdRule::Quantile { quantile }
            );
        }
    }
    let detector = fit(Method::PU, 1, &unlabeled, &anomalies);
    assert_eq!(detector.warnings(), []);
}

#[test]
fn thresholds_from_few_scores_are_told() {
    for (rows, few) in [(5, true), (50, true), (1000, false)] {
        let mut config = config(Method::PUAE, 1);
        config.prior = ClassPrior::new(0.1).unwrap().into();
        let (unlabeled, anomalies) = (gauss(rows, 2, 0), shifted(gauss(4, 2, 1), 4.));
        let detector = Estimator::new(config).fit(&unlabeled, &anomalies).unwrap();
        let scores = detector.validation_scores().unlabeled.len();
        let flagged = 0.1 * scores as f64;
        let expected = Warning::FewScores { scores, flagged };
        assert_eq!(
            detector.warnings().contains(&expected),
            few,
            "{:?}",
            detector.warnings()
        );
    }
}

/// Three rows of a thousand hold a mark for a missing value.
#[test]
fn marks_of_missing_values_are_told_and_leave_the_rest_as_it_was() {
    let column = |row: Vec<f64>| row.into_iter().map(|v| 0.5 + 0.1 * v).collect::<Vec<f64>>();
    let unit = |rows: Rows| rows.into_iter().map(column).collect::<Rows>();
    let clean = unit(gauss(1000, 4, 0));
    let anomalies = unit(shifted(gauss(30, 4, 2), 4.));
    let new = unit([gauss(200, 4, 3), shifted(gauss(200, 4, 4), 4.)].concat());
    let truth: Vec<bool> = (0..400).map(|i| i >= 200).collect();
    let mut marked = clean.clone();
    for i in [10, 500, 900] {
        marked[i][2] = -9999.;
    }
    for method in [Method::PUAE, Method::PUSVDD, Method::AE] {
        for scaling in [Scaling::Auto, Scaling::Robust] {
            let area = |rows: &Rows| {
                let config = FitConfig {
                    scaling,
                    prior: ClassPrior::new(0.1).unwrap().into(),
                    ..config(method.clone(), 30)
                };
                let detector = Estimator::new(config).fit(rows, &anomalies).unwrap();
                let area = auroc(&detector.score(&new).unwrap(), &truth).unwrap();
                (area, detector)
            };
            let ((clean, without), (marked, with)) = (area(&clean), area(&marked));
            assert!(
                marked > clean - 0.01,
                "{method} {scaling:?}: {marked} {clean}"
            );
            assert_eq!(without.warnings(), []);
            let [
                Warning::Sentinel {
                    column,
                    value,
                    count,
                    ..
                },
            ] = with.warnings()
            else {
                panic!("{:?}", with.warnings());
            };
            assert_eq!((column.index, *value, *count), (2, -9999., 3));
            // Such a row stands out when it is scored.
            let scores = with
                .score(&[vec![0.5; 4], vec![0.5, 0.5, -9999., 0.5]])
                .unwrap();
            assert!(scores[1] > with.threshold(), "{scores:?}");
        }
    }
}

/// A bias-free network maps the zero vector to zero: no usual row may be there.
#[test]
fn rows_next_to_the_mean_are_no_anomalies_under_a_bias_free_network() {
    let unlabeled = [gauss(900, 8, 0), shifted(gauss(100, 8, 1), 3.)].concat();
    let anomalies = shifted(gauss(30, 8, 2), 3.);
    let average: Rows = gauss(200, 8, 5)
        .into_iter()
        .map(|row| row.into_iter().map(|v| 0.3 + 0.05 * v).collect())
        .collect();
    let flagged = |method: &Method, scaling, seed| {
        let mut config = FitConfig {
            scaling,
            ..config(method.clone(), 30)
        };
        config.train.seed = seed;
        let detector = Estimator::new(config).fit(&unlabeled, &anomalies).unwrap();
        let flags = detector.predict(&average).unwrap();
        flags.into_iter().filter(|flag| *flag).count()
    };
    for method in [
        Method::PUSVDD,
        Method::DEEP_SAD,
        Method::DEEP_SVDD,
        Method::SOEL,
        Method::LOE,
    ] {
        for seed in 0..3 {
            let (usual, standard) = (
                flagged(&method, Scaling::Auto, seed),
                flagged(&method, Scaling::Standard, seed),
            );
            println!("{method}, seed {seed}: {usual} of 200, standardised {standard}");
            assert!(usual < 20, "{method} {seed}: {usual}");
        }
    }
}

/// In a table of mostly zeros the zero row is the commonest.
#[test]
fn rows_of_zeros_are_no_anomalies_under_a_bias_free_network() {
    let counts = |rows: usize, seed: u64, low: f64| -> Rows {
        let count = |v: f64| (v - low).max(0.).round();
        let row = |row: Vec<f64>| row.into_iter().map(|v| count(2. * v)).collect();
        gauss(rows, 6, seed).into_iter().map(row).collect()
    };
    let unlabeled = [counts(900, 0, 3.), counts(100, 1, -4.)].concat();
    let anomalies = counts(30, 2, -4.);
    let zeros = unlabeled
        .iter()
        .filter(|row| row.iter().all(|v| *v == 0.))
        .count();
    assert!((600..800).contains(&zeros), "{zeros}");
    for (scaling, method) in [
        (Scaling::Auto, Method::PUSVDD),
        (Scaling::Auto, Method::DEEP_SAD),
        (Scaling::Auto, Method::DEEP_SVDD),
        (Scaling::Auto, Method::SOEL),
        (Scaling::Auto, Method::LOE),
        (Scaling::Robust, Method::PUSVDD),
        (Scaling::Robust, Method::DEEP_SVDD),
    ] {
        for seed in 0..3 {
            let mut config = FitConfig {
                scaling,
                ..config(method.clone(), 30)
            };
            config.train.seed = seed;
            let detector = Estimator::new(config).fit(&unlabeled, &anomalies).unwrap();
            let flagged = detector.predict([[0f64; 6]]).unwrap()[0];
            assert!(!flagged, "{method} {scaling:?} {seed}");
        }
    }
}

/// How far the feature vectors of rows lie apart, against their size: the square root of the sum of their
/// variances over that of their squared means. Of the detector's scaling, under `params`.
fn spread(detector: &FittedDetector, params: &Params, rows: &Rows) -> f64 {
    let scaler = detector.scaler().unwrap();
    let numbers = |values: &[f64]| Tensor::new(values, &Device::Cpu).unwrap();
    let xs = tensor(rows)
        .broadcast_sub(&numbers(scaler.shift()))
        .unwrap();
    let xs = xs.broadcast_div(&numbers(scaler.scale())).unwrap();
    let layers = Layers {
        bias: false,
        ..Layers::default()
    };
    let network = detector.network_model().unwrap().network().unwrap();
    let encoder = network.encoder(layers, params.var_builder().pp("encoder"));
    let features = encoder
        .unwrap()
        .forward_t(&xs.to_dtype(DType::F32).unwrap(), false)
        .unwrap()
        .to_dtype(DType::F64)
        .unwrap();
    let sum = |t: Tensor| t.sum_all().unwrap().to_scalar::<f64>().unwrap();
    let variances = sum(features.var(0).unwrap());
    let means = sum(features.mean(0).unwrap().sqr().unwrap());
    (variances / means).sqrt()
}

/// The features of new rows do not shrink to a point: nothing that a network without bias sees is constant.
#[test]
fn deep_svdd_does_not_collapse_on_a_table() {
    let rows = gauss(400, 8, 0);
    let mut config = config(Method::DEEP_SVDD, 200);
    config.train.patience = None;
    let estimator = Estimator::new(config.clone());
    let detector = estimator.fit(&rows, gauss(10, 8, 1)).unwrap();
    assert_eq!(detector.history().training.epochs.len(), 200);
    let (new, far) = (gauss(400, 8, 2), shifted(gauss(400, 8, 3), 4.));

    let untrained = Params::new(config.train.seed, DType::F32, &Device::Cpu);
    let before = spread(&detector, &untrained, &new);
    let params = detector.network_model().unwrap().params();
    let after = spread(&detector, params, &new);
    let after_far = spread(&detector, params, &[new.clone(), far.clone()].concat());
    println!("spread {before:.4} untrained, {after:.4} trained, {after_far:.4} with far rows");
    assert!(after > 0.1 * before, "{after:e} {before:e}");

    let scores = detector.score([new, far].concat()).unwrap();
    let truth: Vec<bool> = (0..800).map(|i| i >= 400).collect();
    let area = auroc(&scores, &truth).unwrap();
    assert!(area > 0.95, "{area}");
}

/// Three hundred categories, a column each, most of them rare.
#[test]
fn rare_categories_of_normals_are_not_flagged_more_than_usual_ones() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut row = |numbers: Vec<f64>| {
        // About as in a register of places: a few hold most.
        let u: f64 = rng.random();
        let category = ((300f64.powf(u) - 1.) as usize).min(299);
        let mut row = numbers;
        row.extend((0..300).map(|i| f64::from(u8::from(i == category))));
        row
    };
    let mut rows = |rows: Rows| rows.into_iter().map(&mut row).collect::<Rows>();
    let unlabeled = rows([gauss(950, 4, 1), shifted(gauss(50, 4, 2), 3.)].concat());
    let anomalies = rows(shifted(gauss(20, 4, 3), 3.));
    let (normal, abnormal) = (rows(gauss(300, 4, 4)), rows(shifted(gauss(300, 4, 5), 3.)));
    let detector = fit(Method::PUAE, 60, &unlabeled, &anomalies);
    let scaler = detector.scaler().unwrap();
    assert!(scaler.scale()[4..].iter().all(|s| *s == 1.));
    let scores = detector.score([normal.clone(), abnormal].concat()).unwrap();
    let truth: Vec<bool> = (0..600).map(|i| i >= 300).collect();
    let area = auroc(&scores, &truth).unwrap();
    assert!(area > 0.95, "{area}");
    let flags = detector.predict(&normal).unwrap();
    // Category 40 and above hold a third of the rows.
    let rare: Vec<bool> = normal.iter().map(|row| row[44..].contains(&1.)).collect();
    let share = |of: bool| {
        let of: Vec<bool> = flags
            .iter()
            .zip(&rare)
            .filter(|(_, r)| **r == of)
            .map(|(f, _)| *f)
            .collect();
        of.iter().filter(|f| **f).count() as f64 / of.len() as f64
    };
    assert!(
        share(true) < share(false) + 0.15,
        "{} {}",
        share(true),
        share(false)
    );
}

/// `[n, 8, 9, 3]`: eight rows of nine colours, or nine by three pixels of eight channels.
#[test]
fn images_with_channels_last_are_asked_about_by_every_method() {
    let images = |n: usize, shape: &[usize]| {
        let values: Vec<f32> = (0..n * 216).map(|i| (i % 17) as f32 / 17.).collect();
        Tensor::from_vec(values, [&[n], shape].concat(), &Device::Cpu).unwrap()
    };
    let last = images(20, &[8, 9, 3]);
    let fit = |method: Method, xs: &Tensor, check| {
        let estimator = Estimator::new(config(method, 1)).with_input_check(check);
        estimator.fit(xs, xs.narrow(0, 0, 4).unwrap())
    };
    let bytes = (&last * 255.).unwrap().to_dtype(DType::U8).unwrap();
    for xs in [&last, &bytes] {
        for method in [
            Method::ISOLATION_FOREST,
            Method::PUAE,
            Method::PU,
            Method::PUSVDD,
        ] {
            let err = fit(method, xs, InputCheck::Refuse).unwrap_err().to_string();
            assert!(
                err.contains("[8, 9, 3]") && err.contains("permute((0, 3, 1, 2))"),
                "{err}"
            );
        }
        let taken = fit(Method::ISOLATION_FOREST, xs, InputCheck::Warn).unwrap();
        let shape = vec![8, 9, 3];
        assert!(taken.warnings().contains(&Warning::ChannelsLast { shape }));
    }
    let first = last.permute((0, 3, 1, 2)).unwrap();
    for method in [Method::ISOLATION_FOREST, Method::PUAE] {
        assert!(fit(method, &first, InputCheck::Refuse).is_ok());
    }
    // Who gives the sizes means them.
    let network = Network::LeNet(LeNetConfig {
        channels: 8,
        height: 9,
        width: 3,
        blocks: vec![4],
        latent: 10,
        ..LeNetConfig::default()
    });
    let explicit = FitConfig {
        network: Architecture::Explicit(network),
        ..config(Method::PUAE, 1)
    };
    let detector = Estimator::new(explicit).fit(&last, last.narrow(0, 0, 4).unwrap());
    assert_eq!(detector.unwrap().sample_shape(), [8, 9, 3]);
}

/// Counts of ten millions, of which f32 holds every one.
#[test]
fn numbers_that_a_narrower_type_holds_exactly_are_scored_as_they_are() {
    let rows = |unit: f64, n: usize| -> Rows {
        (0..n)
            .map(|i| vec![1e7 + unit * (i * 7 % 100) as f64, (i as f64 * 0.7).sin()])
            .collect()
    };
    let narrow = |rows: &Rows| tensor(rows).to_dtype(DType::F32).unwrap();
    let anomalies = shifted(rows(1., 10), 300.);
    let detector = fit(Method::PUAE, 3, &rows(1., 200), &anomalies);
    let scores = detector.score(rows(1., 50)).unwrap();
    let mut new = tensor(&rows(1., 50)).narrow(1, 1, 1).unwrap();
    new = new.to_dtype(DType::F32).unwrap();
    let counts = narrow(&rows(1., 50)).narrow(1, 0, 1).unwrap();
    let exact = Tensor::cat(&[&counts, &new], 1).unwrap();
    // The other column is rounded by its type, by far less than a score shows.
    for (a, b) in scores.iter().zip(detector.score(&exact).unwrap()) {
        assert!((a - b).abs() < 1e-5 * a.abs(), "{a} {b}");
    }
    let dir = tempfile::tempdir().unwrap();
    detector.save(dir.path().join("a")).unwrap();
    let loaded = FittedDetector::load(dir.path().join("a"), &Device::Cpu).unwrap();
    assert_eq!(loaded.inputs(), detector.inputs());
    assert!(loaded.score(&exact).is_ok());
    // Halves it has not.
    let halves = fit(Method::PUAE, 3, &rows(0.5, 200), &anomalies);
    let err = halves.score(narrow(&rows(0.5, 50))).unwrap_err();
    assert!(matches!(err, Error::ElementType { .. }), "{err}");
}

/// A validation set of one's own: its parts and rows, not those of the training set.
#[test]
fn what_is_wrong_with_a_validation_set_is_said_of_it() {
    let data = |unlabeled: Rows, anomalies: Rows| {
        let data = PuDataset::new(unlabeled.into_samples().unwrap()).unwrap();
        data.with_anomalies(anomalies.into_samples().unwrap())
            .unwrap()
    };
    let train = data(gauss(100, 3, 0), shifted(gauss(30, 3, 1), 3.));
    let refused = |scaling, validation: &PuDataset| {
        let config = FitConfig {
            scaling,
            ..config(Method::PUAE, 1)
        };
        let fit = Estimator::new(config).fit_split(&train, validation);
        fit.unwrap_err().to_string()
    };
    let (mut unlabeled, mut anomalies) = (gauss(50, 3, 2), shifted(gauss(30, 3, 3), 3.));
    unlabeled[7][1] = 1e20;
    anomalies[4][0] = -1e20;
    let err = refused(Scaling::None, &data(gauss(50, 3, 2), anomalies.clone()));
    let expected = "anomalous validation samples must lie within 1e15 of 0 to be trained on unscaled, but row 4, \
                    column 0 is -1e20";
    assert!(err.starts_with(expected), "{err}");
    let err = refused(Scaling::None, &data(unlabeled, anomalies));
    assert!(
        err.starts_with("unlabeled validation samples") && err.contains("row 7, column 1"),
        "{err}"
    );
    // Labels in another unit would choose the epoch and the threshold.
    let thousandfold = |rows: Rows| -> Rows {
        let row = |row: Vec<f64>| row.into_iter().map(|v| 1000. * v).collect();
        rows.into_iter().map(row).collect()
    };
    let other = thousandfold(shifted(gauss(5, 3, 3), 3.));
    let err = refused(Scaling::Auto, &data(gauss(50, 3, 2), other));
    assert!(err.starts_with("anomalous validation samples"), "{err}");
    let bare = PuDataset::new(gauss(50, 3, 2).into_samples().unwrap()).unwrap();
    let err = refused(Scaling::Auto, &bare);
    assert!(
        err.ends_with("needs at least one anomalous validation sample, got none"),
        "{err}"
    );
}

/// A logit goes on along its ray: a huge value is as far on the side that a large one is on, or where f32 ends
/// the most anomalous; nothing is normal by an overflow.
#[test]
fn the_classifier_takes_huge_values_for_large_ones() {
    let (unlabeled, anomalies) = (
        [gauss(180, 3, 0), shifted(gauss(20, 3, 4), 3.)].concat(),
        shifted(gauss(30, 3, 1), 3.),
    );
    let rays: Rows = vec![
        vec![1., 0., 0.],
        vec![-1., 0., 0.],
        vec![0., 1., 0.],
        vec![0., 0., -1.],
        vec![1., -1., 1.],
        vec![-1., -1., -1.],
        vec![1., 1., 1.],
    ];
    let along = |by: f64| -> Rows {
        let row = |ray: &Vec<f64>| ray.iter().map(|v| by * v).collect();
        rays.iter().map(row).collect()
    };
    for seed in 0..3 {
        let mut config = config(Method::PU, 20);
        config.train.seed = seed;
        let detector = Estimator::new(config).fit(&unlabeled, &anomalies).unwrap();
        let usual = gauss(50, 3, 2);
        let expected = detector.score(&usual).unwrap();
        let large = detector.score([along(1e10), usual.clone()].concat());
        let large = large.unwrap()[..rays.len()].to_vec();
        assert!(large.iter().any(|s| *s > 0.) && large.iter().any(|s| *s < 0.));
        for by in [1e20, f64::from(f32::MAX), 1e300, f64::MAX] {
            let day = [along(by), usual.clone()].concat();
            let found = detector.detect(&day).unwrap();
            assert!(found.scores.iter().all(|s| s.is_finite()), "{by:e}");
            assert_eq!(found.scores[rays.len()..], expected, "{by:e}");
            let probabilities = found.probabilities.unwrap();
            assert!(probabilities.iter().all(|p| (0. ..=1.).contains(p)));
            for ((huge, large), ray) in found.scores.iter().zip(&large).zip(&rays) {
                let overflow = *huge == f64::from(f32::MAX);
                let same_side = huge.signum() == large.signum() && huge.abs() > large.abs();
                assert!(same_side || overflow, "{ray:?} by {by:e}: {huge} {large}");
            }
        }
    }
}
