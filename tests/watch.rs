//! New data against the fit's: verdicts, class priors and a new calibration, end to end.

use puad::candle_core::Device;
use puad::data::toy::{self, ToyConfig};
use puad::drift::{DriftTest, Verdict};
use puad::estimator::{NewPrior, Threshold, ThresholdRule};
use puad::method::Method;
use puad::prior::{PriorData, PriorEstimate, PriorEstimator};
use puad::{ClassPrior, Error, Estimator, FitConfig, FittedDetector, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;

/// Normals and anomalies like the labeled ones, with the normals moved up.
fn points(normals: usize, anomalies: usize, moved: f32, seed: u64) -> Vec<[f32; 2]> {
    let config = ToyConfig {
        normals,
        unlabeled_anomalies: anomalies,
        ..ToyConfig::default()
    };
    let toy = toy::generate(&config, seed).unwrap();
    let moved = toy.normals.into_iter().map(|[x, y]| [x, y + moved]);
    moved.chain(toy.unlabeled_anomalies).collect()
}

/// Kept scores are of 400 rows, and of 20 labeled anomalies.
fn fit(method: Method) -> FittedDetector {
    let labeled = ToyConfig {
        labeled_anomalies: 100,
        ..ToyConfig::default()
    };
    let labeled = toy::generate(&labeled, 5).unwrap().labeled_anomalies;
    let mut config = FitConfig {
        method: Some(method),
        prior: ClassPrior::new(0.08).unwrap().into(),
        ..FitConfig::default()
    };
    config.train.epochs = 30;
    let detector = Estimator::new(config).fit(points(1840, 160, 0., 0), &labeled);
    detector.unwrap()
}

#[test]
fn windows_get_their_verdicts() {
    let detector = fit(Method::PUAE);
    let watch = |normals, anomalies, moved, seed| {
        let window = points(normals, anomalies, moved, seed);
        detector.watch(&window, &DriftTest::default()).unwrap()
    };
    let verdicts = |anomalies, moved, expected| {
        let windows = (1..=20).map(|seed| watch(460 - anomalies, anomalies, moved, seed));
        let right = windows.filter(|window| window.verdict() == expected);
        right.count()
    };
    // 40 of 500 as in the fit, 120, none.
    let same = (1..=20).map(|seed| watch(460, 40, 0., seed).verdict());
    let unchanged = same
        .filter(|verdict| *verdict == Verdict::Unchanged)
        .count();
    assert!(unchanged >= 16, "{unchanged}");
    let more = verdicts(120, 0., Verdict::MoreAnomalies);
    assert!(more >= 17, "{more}");
    let shifted = verdicts(36, 0.8, Verdict::ShiftedNormals);
    assert!(shifted >= 17, "{shifted}");

    let window = watch(340, 120, 0., 3);
    let prior = window.prior.as_ref().unwrap();
    let truth = 120. / 460.;
    assert!((prior.alpha.get() - truth).abs() < 0.08, "{prior}");
    assert!(window.alarms.share > window.kept_alarms.share);
    assert_eq!((window.rows, window.drift.error), (460, 0.05));
    assert!(
        window.to_string().starts_with("more anomalies (p = 0.00"),
        "{window}"
    );
    let same = watch(460, 40, 0., 4).prior.unwrap().alpha.get();
    assert!((same - 0.08).abs() < 0.04, "{same}");
}

/// An isolation forest chooses no epoch, so that its kept scores are as new ones: of 200 fits and windows, the share of
/// false verdicts that a binomial number exceeds with a chance of 1 in 1,000.
#[test]
fn kept_scores_of_a_forest_are_exchangeable_with_new_ones() {
    let mut config = FitConfig {
        method: Some(Method::from(puad::baseline::IsolationForestConfig {
            trees: 20,
            ..Default::default()
        })),
        ..FitConfig::default()
    };
    let mut false_ones = 0;
    for seed in 0..200 {
        config.train.seed = seed;
        let labeled = toy::generate(&ToyConfig::default(), 1000 + seed)
            .unwrap()
            .labeled_anomalies;
        let draw = |seed| {
            // Evenly spaced points are less random than a draw: a random half of them.
            let all = points(600, 40, 0., seed);
            let mut order: Vec<usize> = (0..all.len()).collect();
            order.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
            order[..320].iter().map(|&i| all[i]).collect::<Vec<_>>()
        };
        let detector = Estimator::new(config.clone())
            .fit(draw(2 * seed), &labeled)
            .unwrap();
        let test = DriftTest {
            seed,
            ..DriftTest::default()
        };
        let window = detector.watch(&draw(2 * seed + 1)[..150], &test).unwrap();
        false_ones += usize::from(window.verdict() != Verdict::Unchanged);
    }
    assert!(false_ones <= 21, "{false_ones}");
}

/// Takes all that score above every kept score of the fit's.
struct Half;

impl PriorEstimator for Half {
    fn name(&self) -> &'static str {
        "half"
    }

    fn estimate(&self, data: &PriorData, seed: u64) -> Result<PriorEstimate> {
        assert_eq!((data.anomalies().len(), seed), (20, 7));
        let alpha = ClassPrior::new(0.5)?;
        Ok(PriorEstimate {
            alpha,
            low: alpha,
            high: alpha,
            level: 0.9,
            doubts: vec![],
        })
    }
}

#[test]
fn other_estimators_are_taken_and_detectors_without_labels_say_what_they_can() {
    let detector = fit(Method::PUAE);
    let test = DriftTest {
        seed: 7,
        ..DriftTest::default()
    };
    let window = points(100, 10, 0., 1);
    let watched = detector.watch_with(&window, &test, &Half).unwrap();
    assert_eq!(watched.prior.unwrap().level, 0.9);
    let none: Vec<[f32; 2]> = vec![];
    assert!(matches!(
        detector.watch(&none, &test),
        Err(Error::EmptyGroup { .. })
    ));

    let mut config = FitConfig {
        method: Some(Method::AE),
        ..FitConfig::default()
    };
    config.train.epochs = 5;
    let data = puad::data::PuDataset::new(
        puad::estimator::IntoSamples::into_samples(points(400, 0, 0., 0)).unwrap(),
    );
    let mut alone = Estimator::new(config).fit_dataset(&data.unwrap()).unwrap();
    let watched = alone.watch(points(300, 0, 5., 1), &test).unwrap();
    assert_eq!(
        (watched.prior, watched.drift.verdict),
        (None, Verdict::Changed)
    );
    assert!(matches!(
        alone.watch_with(&window, &test, &Half),
        Err(Error::NotCalibrated)
    ));
    assert!(matches!(
        alone.recalibrate(&window, NewPrior::Shifted),
        Err(Error::NotCalibrated)
    ));
    alone.recalibrate(&window, NewPrior::Kept).unwrap();
    assert!(alone.calibration().is_none());
}

#[test]
fn a_new_calibration_follows_the_new_data() {
    let mut detector = fit(Method::PUAE);
    let new = points(1400, 600, 0., 1);
    let before = detector.clone();
    let prior = detector.recalibrate(&new, NewPrior::Shifted).unwrap();
    assert!((prior.alpha.get() - 0.3).abs() < 0.08, "{prior}");
    assert_eq!(detector.decision_prior(), prior.alpha);
    // Threshold and probabilities follow, the network does not.
    let mean = |detector: &FittedDetector| {
        let p = detector.predict_proba(&new).unwrap();
        p.iter().sum::<f64>() / p.len() as f64
    };
    assert!(
        (mean(&detector) - prior.alpha.get()).abs() < 0.02,
        "{}",
        mean(&detector)
    );
    let flagged = |detector: &FittedDetector| {
        let flags = detector.predict(&new).unwrap();
        flags.iter().filter(|flag| **flag).count() as f64 / flags.len() as f64
    };
    assert!((flagged(&detector) - prior.alpha.get()).abs() < 0.01);
    assert_eq!(detector.score(&new).unwrap(), before.score(&new).unwrap());
    // What was drift is not any more.
    let again = points(350, 150, 0., 2);
    let verdict = |detector: &FittedDetector| {
        detector
            .watch(&again, &DriftTest::default())
            .unwrap()
            .verdict()
    };
    assert_eq!(
        (verdict(&before), verdict(&detector)),
        (Verdict::MoreAnomalies, Verdict::Unchanged)
    );
    // It is in the file.
    let path = std::env::temp_dir().join(format!("puad-watch-{}.safetensors", std::process::id()));
    detector.save(&path).unwrap();
    let read = FittedDetector::load(&path, &Device::Cpu).unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(read.threshold(), detector.threshold());
    assert_eq!(
        read.predict_proba(&new).unwrap(),
        detector.predict_proba(&new).unwrap()
    );
    assert_eq!(read.validation_scores(), detector.validation_scores());
    assert_eq!(verdict(&read), Verdict::Unchanged);
}

#[test]
fn thresholds_of_one_s_own_are_kept_or_follow() {
    let detector = fit(Method::PUAE);
    let new = points(900, 100, 0., 1);
    let renewed = |threshold, prior| {
        let mut detector = detector.clone();
        detector.set_threshold(threshold).unwrap();
        detector.recalibrate(&new, prior).unwrap();
        (detector.threshold_rule(), detector.threshold())
    };
    let given = NewPrior::Given(ClassPrior::new(0.25).unwrap());
    let quantile = |quantile| ThresholdRule::Quantile { quantile };
    assert_eq!(renewed(Threshold::Contamination, given).0, quantile(0.75));
    assert_eq!(
        renewed(Threshold::Contamination, NewPrior::Kept).0,
        quantile(1. - 0.08)
    );
    assert_eq!(renewed(Threshold::Quantile(0.6), given).0, quantile(0.6));
    assert_eq!(
        renewed(Threshold::Value(2.), given),
        (ThresholdRule::Value, 2.)
    );
    assert_eq!(
        renewed(Threshold::Contamination, NewPrior::Estimated(&Half, 7)).0,
        quantile(0.5)
    );
    let mut same = detector.clone();
    let none: Vec<[f32; 2]> = vec![];
    assert!(matches!(
        same.recalibrate(&none, given),
        Err(Error::EmptyGroup { .. })
    ));
    assert_eq!(same.threshold(), detector.threshold());
}
