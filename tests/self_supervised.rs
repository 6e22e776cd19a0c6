//! Detectors and settings beyond the paper's, under every objective, in files, and against central differences:
//! NeuTraL AD, ICL, several centers, noise of each sample's own, geometric transformations.

mod common;

use common::device;
use puad::candle_core::{DType, Tensor};
use puad::detector::{
    DeepSvddSpec, DenoisingSpec, DetectorSpec, IclSpec, Likelihood, NeutralSpec, RotationSpec,
    Transformation,
};
use puad::method::{Method, Registry};
use puad::net::{MlpShape, Network};
use puad::spec::AnySpecification;
use puad::testing::check_detector;
use puad::{
    AnomalyTerm, Estimator, FitConfig, FittedDetector, Noise, NonNegativeLoss, Params, Pass,
    SharedDetector, metrics::auroc,
};
use serde_json::{Value, json};

/// Numbers that do not repeat, in about [-2, 2].
fn samples(shape: &[usize], dtype: DType) -> Tensor {
    let n: usize = shape.iter().product();
    let value = |i: usize| ((i * i + 7 * i) as f64 * 0.37).sin() * 2.;
    let values: Vec<f64> = (0..n).map(value).collect();
    let t = Tensor::from_vec(values, shape, &device()).unwrap();
    t.to_dtype(dtype).unwrap()
}

fn values(t: &Tensor) -> Vec<f64> {
    let flat = t.flatten_all().unwrap().to_dtype(DType::F64).unwrap();
    flat.to_vec1().unwrap()
}

/// On a small network, if on one.
fn build(spec: &dyn DetectorSpec, shape: &[usize], params: &Params) -> SharedDetector {
    let network = spec.network(shape).unwrap().map(|network| match network {
        Network::Mlp(_) => Network::Mlp(MlpShape {
            inputs: shape[0],
            hidden: vec![7],
            latent: 6,
        }),
        Network::LeNet(mut config) => {
            config.blocks = vec![3];
            config.latent = 16;
            Network::LeNet(config)
        }
    });
    let built = spec.build(shape, network.as_ref(), params.var_builder());
    built.unwrap().detector().clone()
}

/// The specifications of this file for vectors, with settings off their defaults too.
fn for_vectors() -> Vec<Box<dyn DetectorSpec>> {
    let neutral = |transformations, transformation| NeutralSpec {
        transformations,
        transformation,
        temperature: 0.4,
    };
    let icl = |window| IclSpec {
        window: Some(window),
        hidden: 9,
        code: 5,
        temperature: 0.3,
    };
    vec![
        Box::new(NeutralSpec::default()),
        Box::new(neutral(3, Transformation::Multiplicative)),
        Box::new(neutral(3, Transformation::Residual)),
        Box::new(neutral(2, Transformation::Plain)),
        Box::new(IclSpec::default()),
        Box::new(icl(1)),
        Box::new(icl(4)),
        Box::new(DeepSvddSpec { centers: 3 }),
        Box::new(DenoisingSpec {
            noise: 0.6,
            least_noise: Some(0.1),
            ..DenoisingSpec::default()
        }),
    ]
}

fn for_images() -> Vec<Box<dyn DetectorSpec>> {
    let rotation = |flips, translations, likelihood| RotationSpec {
        flips,
        translations,
        likelihood,
    };
    vec![
        Box::new(NeutralSpec::default()),
        Box::new(DeepSvddSpec { centers: 3 }),
        Box::new(rotation(true, false, Likelihood::Mean)),
        Box::new(rotation(true, true, Likelihood::Sum)),
    ]
}

#[test]
fn each_keeps_the_contract_in_both_precisions() {
    for spec in for_vectors() {
        for dtype in [DType::F32, DType::F64] {
            let params = Params::new(3, dtype, &device());
            let detector = build(spec.as_ref(), &[5], &params);
            check_detector(&detector, &params, &samples(&[6, 5], dtype)).unwrap();
        }
    }
    for spec in for_images() {
        let params = Params::new(3, DType::F32, &device());
        let detector = build(spec.as_ref(), &[1, 8, 8], &params);
        let xs = samples(&[6, 1, 8, 8], DType::F32);
        check_detector(&detector, &params, &xs).unwrap();
    }
}

/// The sum of `l`, and of the losses as anomalies, with weights of their own.
fn total(detector: &SharedDetector, xs: &Tensor) -> Tensor {
    // The same noise in every pass.
    let mut noise = Noise::new(5);
    let losses = detector
        .losses(xs, &mut Pass::training(&mut noise))
        .unwrap();
    let anomalous = losses.as_anomalies(detector.anomaly_term()).unwrap();
    let normal = losses.normal.sum_all().unwrap();
    (normal + (anomalous.sum_all().unwrap() * 0.7).unwrap()).unwrap()
}

/// By central differences of each parameter.
fn gradients_are_right(detector: &SharedDetector, params: &Params, xs: &Tensor, what: &str) {
    // Convolutions of many images have kinks that a longer step would cross.
    let (step, tolerance) = match xs.rank() {
        2 => (1e-5, 1e-6),
        _ => (1e-8, 1e-4),
    };
    let grads = total(detector, xs).backward().unwrap();
    let mut checked = 0;
    for (name, var) in params.parameters() {
        let got = values(grads.get(&var).unwrap_or_else(|| panic!("{what}, {name}")));
        let before = values(&var.as_tensor().copy().unwrap());
        let set = |values: Vec<f64>| {
            let moved = Tensor::from_vec(values, var.shape(), &device()).unwrap();
            var.set(&moved).unwrap();
        };
        let at = |i: usize, step: f64| {
            let mut moved = before.clone();
            moved[i] += step;
            set(moved);
            values(&total(detector, xs))[0]
        };
        // Some of each tensor.
        for i in (0..before.len()).step_by(before.len().div_ceil(6)) {
            let want = (at(i, step) - at(i, -step)) / (2. * step);
            let error = (got[i] - want).abs();
            assert!(
                error < tolerance * (1. + want.abs()),
                "{what}, {name} {i}: {} {want}",
                got[i]
            );
            checked += 1;
        }
        set(before);
    }
    assert!(checked > 10, "{what}");
}

#[test]
fn gradients_are_those_of_central_differences() {
    for spec in for_vectors() {
        let params = Params::new(1, DType::F64, &device());
        let detector = build(spec.as_ref(), &[5], &params);
        params.register_buffers(&detector.buffers()).unwrap();
        let xs = samples(&[4, 5], DType::F64);
        gradients_are_right(&detector, &params, &xs, &format!("{spec:?}"));
    }
    for spec in for_images() {
        let params = Params::new(1, DType::F64, &device());
        let detector = build(spec.as_ref(), &[1, 4, 4], &params);
        params.register_buffers(&detector.buffers()).unwrap();
        let xs = samples(&[3, 1, 4, 4], DType::F64);
        gradients_are_right(&detector, &params, &xs, &format!("{spec:?}"));
    }
}

/// An anomaly's own loss at the end where a sample is normal beyond doubt: steep, and finite.
#[test]
fn an_anomaly_that_looks_normal_costs_a_finite_number_with_a_gradient() {
    let spec = NeutralSpec {
        transformations: 3,
        transformation: Transformation::Plain,
        temperature: 0.001,
    };
    let params = Params::new(0, DType::F32, &device());
    let network = Network::Mlp(MlpShape {
        inputs: 3,
        hidden: vec![],
        latent: 3,
    });
    let built = spec
        .build(&[3], Some(&network), params.var_builder())
        .unwrap();
    let detector = built.detector();
    // Codes are the views themselves: each leans towards the sample and away from the others.
    for (name, var) in params.parameters() {
        let zero = var.zeros_like().unwrap();
        let is = |end: &str| name.ends_with(end);
        let value = match () {
            () if name == "encoder.layers.0.weight" => {
                Tensor::eye(3, DType::F32, &device()).unwrap()
            }
            () if is("0.layers.1.bias") => Tensor::new(&[1f32, 0.2, 0.], &device()).unwrap(),
            () if is("1.layers.1.bias") => Tensor::new(&[0f32, 1., 0.2], &device()).unwrap(),
            () if is("2.layers.1.bias") => Tensor::new(&[0.2f32, 0., 1.], &device()).unwrap(),
            () => zero,
        };
        var.set(&value).unwrap();
    }
    let xs = Tensor::new(&[[1f32, 1., 1.]], &device()).unwrap();
    let losses = detector.losses(&xs, &mut Pass::evaluation()).unwrap();
    let (normal, anomalous) = (losses.normal, losses.anomalous.unwrap());
    assert_eq!(values(&normal), [0.]);
    let cost = values(&anomalous)[0];
    assert!((400. ..1000.).contains(&cost), "{cost}");
    let grads = anomalous.sum_all().unwrap().backward().unwrap();
    let bias = params.get("transformations.0.layers.1.bias").unwrap();
    let slope = values(grads.get(&bias).unwrap());
    assert!(slope.iter().all(|g| g.is_finite()) && slope.iter().any(|g| g.abs() > 1.));
    // Where the term of `l` has nothing but its floor.
    let floor = values(&AnomalyTerm::Bce.apply(&normal).unwrap())[0];
    assert!(floor < 14., "{floor}");
}

#[test]
fn without_samples_there_are_no_losses_and_nan_stays_nan() {
    for spec in for_vectors() {
        let params = Params::new(3, DType::F32, &device());
        let detector = build(spec.as_ref(), &[5], &params);
        let none = Tensor::zeros((0, 5), DType::F32, &device()).unwrap();
        assert_eq!(detector.score(&none).unwrap().dims(), [0], "{spec:?}");
        let mut rows = values(&samples(&[3, 5], DType::F32));
        rows[7] = f64::NAN;
        let xs = Tensor::from_vec(rows, (3, 5), &device()).unwrap();
        let scores = values(&detector.score(&xs.to_dtype(DType::F32).unwrap()).unwrap());
        let finite: Vec<_> = scores.iter().map(|s| s.is_finite()).collect();
        assert_eq!(finite, [true, false, true], "{spec:?}");
    }
}

const FEATURES: usize = 6;

/// Rows on a plane, `i` of a run of its own, and off it.
fn rows(n: usize, start: usize, off: bool) -> Vec<[f32; FEATURES]> {
    let wave = |i: usize, f: f32| ((start + i) as f32 * f).sin();
    let row = |i: usize| {
        let (a, b) = (wave(i, 0.71), wave(i, 1.37));
        let mut row = [a, b, a + b, a - b, 0.5 * a + 1., 2. * b];
        if off {
            row[2] -= 3. * wave(i, 2.3).signum();
            row[4] += 2.;
        }
        row
    };
    (0..n).map(row).collect()
}

fn config(method: Method, epochs: usize) -> FitConfig {
    let mut config = FitConfig {
        method: Some(method),
        ..FitConfig::default()
    };
    config.train.epochs = epochs;
    config
}

fn fit(method: Method, epochs: usize) -> FittedDetector {
    let unlabeled = [rows(190, 0, false), rows(10, 500, true)].concat();
    let estimator = Estimator::new(config(method, epochs)).with_device(&device());
    estimator.fit(&unlabeled, rows(20, 900, true)).unwrap()
}

fn bits(scores: &[f64]) -> Vec<u64> {
    scores.iter().map(|s| s.to_bits()).collect()
}

/// This file's detectors of vectors, as settings have them.
fn detectors() -> [Value; 4] {
    [
        json!("neutral"),
        json!("icl"),
        json!({"deep-svdd": {"centers": 3}}),
        json!({"denoising": {"noise": 0.6, "least_noise": 0.1}}),
    ]
}

fn method(detector: &Value, objective: &str) -> Method {
    let json = json!({"detector": detector, "objective": objective});
    serde_json::from_value(json).unwrap()
}

#[test]
fn each_fits_under_every_objective_and_its_file_gives_the_same_bits() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::default();
    let new = [rows(30, 2000, false), rows(30, 2100, true)].concat();
    for (i, name) in detectors().iter().enumerate() {
        for objective in registry.objectives() {
            let method = method(name, objective);
            let detector = fit(method.clone(), 2);
            let scores = detector.score(&new).unwrap();
            assert!(scores.iter().all(|s| s.is_finite() && *s >= 0.), "{method}");
            assert!(scores.windows(2).any(|w| w[0] != w[1]), "{method}");
            let path = dir.path().join(format!("{i}-{objective}"));
            detector.save(&path).unwrap();
            let loaded = FittedDetector::load(&path, &device()).unwrap();
            assert_eq!(loaded.method(), detector.method());
            assert_eq!(
                bits(&loaded.score(&new).unwrap()),
                bits(&scores),
                "{method}"
            );
        }
    }
}

#[test]
fn a_row_has_one_score_in_every_company() {
    let all = rows(3000, 0, false);
    for name in &detectors() {
        let detector = fit(method(name, "pu"), 2);
        let want = bits(&detector.score(&all).unwrap());
        for (i, row) in all.iter().enumerate().take(40) {
            let alone = detector.score([*row]).unwrap();
            assert_eq!(bits(&alone), want[i..=i], "{name}, row {i}");
        }
        let some = detector.score(&all[..130]).unwrap();
        assert_eq!(bits(&some), want[..130], "{name}");
    }
}

/// What leaves the plane of the unlabeled rows is told, with labels and without.
#[test]
fn each_tells_rows_that_break_the_pattern() {
    let new = [rows(200, 2000, false), rows(200, 3000, true)].concat();
    let truth: Vec<bool> = (0..400).map(|i| i >= 200).collect();
    // Distances from centers know no pattern but for what labels teach.
    for (name, least) in detectors().iter().zip([0.9, 0.9, 0.6, 0.6]) {
        let auroc_of = |objective: &str| {
            let detector = fit(method(name, objective), 60);
            auroc(&detector.score(&new).unwrap(), &truth).unwrap()
        };
        let (alone, pu) = (auroc_of("unsupervised"), auroc_of("pu"));
        println!("{name}: unsupervised {alone:.3}, pu {pu:.3}");
        assert!(alone > least && pu > 0.95, "{name}: {alone} {pu}");
    }
}

fn images(n: usize, turned: bool) -> Tensor {
    let pixel = |i: usize| {
        let (image, row, column) = (i / 144, i / 12 % 12, i % 12);
        let at = if turned { row } else { column } as f32;
        0.5 + 0.5 * (at * 0.8 + image as f32 * 0.1).sin()
    };
    let pixels = (0..n * 144).map(pixel).collect();
    Tensor::from_vec(pixels, (n, 1, 12, 12), &device()).unwrap()
}

#[test]
fn each_fits_images_under_every_objective_and_its_file_gives_the_same_bits() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::default();
    let path = dir.path().join("images");
    let new = images(9, true);
    let all = json!({"flips": true, "translations": true, "likelihood": "sum"});
    for (detector, pretrained) in [
        (json!("neutral"), true),
        (json!({"deep-svdd": {"centers": 2}}), true),
        (json!({"rotation": all}), false),
        (json!({"autoencoder": {"pretraining_epochs": 1}}), true),
        (json!({"denoising": {"pretraining_epochs": 1}}), true),
    ] {
        for objective in registry.objectives() {
            let method = method(&detector, objective);
            let estimator = Estimator::new(config(method.clone(), 1)).with_device(&device());
            let fitted = estimator.fit(images(40, false), images(12, true)).unwrap();
            let ran = fitted.history().pretraining.is_some();
            assert_eq!(ran, pretrained, "{method}");
            let scores = fitted.score(new.clone()).unwrap();
            let good = |s: &f64| s.is_finite() && *s >= 0.;
            assert!(scores.iter().all(good), "{method}");
            let explained = fitted.explain(new.clone()).unwrap().attribution;
            assert_eq!(explained.dims(), [9, 1, 12, 12]);
            fitted.save(&path).unwrap();
            let loaded = FittedDetector::load(&path, &device()).unwrap();
            assert_eq!(loaded.method(), fitted.method());
            let again = loaded.score(new.clone()).unwrap();
            assert_eq!(bits(&again), bits(&scores), "{method}");
        }
    }
}

#[test]
fn settings_read_back_and_those_outside_their_range_are_named() {
    for spec in for_vectors() {
        spec.check_settings().unwrap();
    }
    let settings = NeutralSpec::default().settings().unwrap();
    let expected = json!({"transformations": 11, "transformation": "residual", "temperature": 0.1});
    assert_eq!(settings, expected);
    for (wrong, told) in [
        (
            json!({"neutral": {"transformations": 1}}),
            "transformations",
        ),
        (json!({"neutral": {"temperature": 0.}}), "temperature"),
        (json!({"deep-svdd": {"centers": 0}}), "centers"),
        (json!({"denoising": {"least_noise": 0.2}}), "0.2 for 0.1"),
        (json!({"denoising": {"least_noise": -1.}}), "least_noise"),
        (
            json!({"rotation": {"likelihood": "product"}}),
            "unknown variant",
        ),
        (json!({"icl": {"window": 0}}), "window"),
        (json!({"icl": {"code": 1}}), "code"),
        (json!({"icl": {"hidden": 5000}}), "hidden"),
        (json!({"icl": {"temperature": -1.}}), "temperature"),
        (
            json!({"neutral": {"transformation": "rotation"}}),
            "unknown variant",
        ),
    ] {
        let method = json!({"detector": wrong, "objective": "pu"});
        let err = serde_json::from_value::<Method>(method).unwrap_err();
        assert!(err.to_string().contains(told), "{wrong}: {err}");
    }
}

#[test]
fn parameters_have_names() {
    let params = Params::new(3, DType::F32, &device());
    build(&NeutralSpec::default(), &[5], &params);
    let names: Vec<String> = params
        .parameters()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let there = |name: &str| names.iter().any(|n| n == name);
    assert!(there("transformations.10.layers.1.bias") && there("encoder.layers.0.weight"));
    assert!(params.buffers().is_empty());
}

/// The seed of a fit draws the order; a detector that is loaded, or trained on, keeps its own.
#[test]
fn windows_slide_in_the_order_of_the_fit() {
    let order = |seed: u64| {
        let params = Params::new(seed, DType::F32, &device());
        build(&IclSpec::default(), &[FEATURES], &params);
        values(&params.get("order").unwrap())
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
    let detector = fit("icl/pu".parse().unwrap(), 1);
    let params = detector.network_model().unwrap().params();
    assert_eq!(values(&params.get("order").unwrap()), order(0));
    let buffers: Vec<String> = params.buffers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(buffers, ["order"]);
}

#[test]
fn what_has_no_windows_is_refused_before_any_work() {
    let refused = |unlabeled: Tensor, anomalies: Tensor, method: Method| {
        let estimator = Estimator::new(config(method, 1)).with_device(&device());
        estimator.fit(unlabeled, anomalies).unwrap_err().to_string()
    };
    let icl = || "icl/pu".parse().unwrap();
    let of = |shape: &[usize]| samples(shape, DType::F32);
    let err = refused(of(&[40, 2]), of(&[10, 2]), icl());
    assert!(
        err.contains("at least 3 features under icl") && err.contains("got 2"),
        "{err}"
    );
    let err = refused(images(40, false), images(10, true), icl());
    assert!(err.contains("vectors [features] under icl"), "{err}");
    let window = Some(6);
    let spec = IclSpec {
        window,
        ..IclSpec::default()
    };
    let wide = Method::new(spec, puad::objective::PuSpec::default());
    let err = refused(of(&[40, 6]), of(&[10, 6]), wide);
    assert!(
        err.contains("window") && err.contains("6 for 6 features"),
        "{err}"
    );
}

/// Settings that came later are not written at their defaults, so that files stay as they were.
#[test]
fn settings_of_before_are_written_as_before() {
    let whole = |spec: &dyn DetectorSpec| spec.settings().unwrap();
    assert_eq!(whole(&DeepSvddSpec::default()), json!({}));
    assert_eq!(whole(&RotationSpec::default()), json!({}));
    assert_eq!(whole(&DenoisingSpec::default()), json!({"noise": 0.1}));
    assert_eq!(whole(&DeepSvddSpec { centers: 4 }), json!({"centers": 4}));
}

/// Two clouds: the mean of both, where one center lies, is far from either.
#[test]
fn two_centers_tell_the_middle_between_two_kinds_of_normals_better() {
    let cloud = |n: usize, start: usize, at: f32| {
        let value = |i: usize, j: usize| ((start + i) as f32 * (0.7 + j as f32 * 0.3)).sin() * 0.4;
        let center = move |j: usize| if j < 2 { at } else { 1. };
        let row = move |i: usize| [0, 1, 2, 3].map(|j| value(i, j) + center(j));
        (0..n).map(row).collect::<Vec<_>>()
    };
    let unlabeled = [cloud(150, 0, 0.), cloud(150, 300, 6.)].concat();
    let new = [cloud(60, 900, 0.), cloud(60, 1200, 6.), cloud(60, 1500, 3.)].concat();
    let truth: Vec<bool> = (0..180).map(|i| i >= 120).collect();
    let auroc_of = |centers: usize| {
        let detector = method(&json!({"deep-svdd": {"centers": centers}}), "unsupervised");
        let estimator = Estimator::new(config(detector, 20)).with_device(&device());
        let data = puad::data::PuDataset::new(tensor(&unlabeled)).unwrap();
        let fitted = estimator.fit_dataset(&data).unwrap();
        auroc(&fitted.score(&new).unwrap(), &truth).unwrap()
    };
    let (one, two) = (auroc_of(1), auroc_of(2));
    println!("one center {one:.3}, two {two:.3}");
    assert!(two > 0.7 && two > one + 0.1, "{one} {two}");
}

fn tensor(rows: &[[f32; 4]]) -> Tensor {
    Tensor::from_slice(rows.as_flattened(), (rows.len(), 4), &device()).unwrap()
}

/// In f32 the levels of noise of one pass, over many samples.
#[test]
fn noise_is_drawn_for_each_sample_within_its_range() {
    use puad::detector::{Autoencoder, DenoisingAutoencoder};
    use puad::net::{Mlp, MlpConfig};

    /// Keeps what it is given as it is.
    fn identity(params: &Params, name: &str) -> Mlp {
        let mlp = Mlp::new(&MlpConfig::new([400, 400]), params.var_builder().pp(name)).unwrap();
        let eye = Tensor::eye(400, DType::F64, &device()).unwrap();
        params
            .get(&format!("{name}.layers.0.weight"))
            .unwrap()
            .set(&eye)
            .unwrap();
        let bias = params.get(&format!("{name}.layers.0.bias")).unwrap();
        bias.set(&bias.zeros_like().unwrap()).unwrap();
        mlp
    }
    let params = Params::new(0, DType::F64, &device());
    let plain = Autoencoder::new(identity(&params, "encoder"), identity(&params, "decoder"));
    let detector = DenoisingAutoencoder::new(plain, 0.5).unwrap();
    let xs = Tensor::zeros((300, 400), DType::F64, &device()).unwrap();
    // Nothing is taken away, so that the loss is the length of the noise.
    let levels = |detector: &dyn NonNegativeLoss| -> Vec<f64> {
        let mut noise = Noise::new(1);
        let lengths = detector
            .per_sample(&xs, &mut Pass::training(&mut noise))
            .unwrap();
        values(&lengths).into_iter().map(|l| l / 20.).collect()
    };
    let near = |level: &f64, low: f64, high: f64| (low * 0.85..high * 1.15).contains(level);
    let fixed = levels(&detector);
    assert!(fixed.iter().all(|l| near(l, 0.5, 0.5)));
    let drawn = levels(&detector.clone().with_least(0.1).unwrap());
    assert!(drawn.iter().all(|l| near(l, 0.1, 0.5)));
    let mean = drawn.iter().sum::<f64>() / 300.;
    assert!((mean - 0.3).abs() < 0.03, "{mean}");
    assert!(drawn.iter().any(|l| *l < 0.15) && drawn.iter().any(|l| *l > 0.45));
    // A range of one number is that number.
    let same = levels(&detector.clone().with_least(0.5).unwrap());
    assert!(same.iter().zip(&fixed).all(|(a, b)| (a - b).abs() < 1e-12));
}

/// Why tables are not standardised under them: the row of means would be an anomaly whatever is learned.
#[test]
fn the_score_of_zero_is_known_where_a_detector_says_so() {
    let zero = Tensor::zeros((1, FEATURES), DType::F64, &device()).unwrap();
    let score = |spec: &dyn DetectorSpec, seed: u64| {
        let params = Params::new(seed, DType::F64, &device());
        values(&build(spec, &[FEATURES], &params).score(&zero).unwrap())[0]
    };
    let mut said = 0;
    for spec in for_vectors() {
        let spec = spec.as_ref();
        let same = (score(spec, 1) - score(spec, 2)).abs() < 1e-9;
        assert_eq!(same, spec.is_homogeneous(), "{spec:?}");
        said += usize::from(same);
    }
    assert!(said > 3);
    let masks = NeutralSpec {
        transformation: Transformation::Multiplicative,
        ..NeutralSpec::default()
    };
    assert!((score(&masks, 1) - 11f64.ln()).abs() < 1e-9);
    assert!((score(&IclSpec::default(), 1) - 5f64.ln()).abs() < 1e-9);
}
