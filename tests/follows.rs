//! What follows another class prior, new data or a review, what stays, and what is said of it.

use puad::candle_core::Device;
use puad::data::PuDataset;
use puad::data::toy::{self, ToyConfig};
use puad::detector::AutoencoderSpec;
use puad::estimator::{
    CalibrationMethod, Feedback, IntoInput, IntoSamples, Label, NewPrior, RefitConfig, Threshold,
    ThresholdRule, ValidationScores, Warning,
};
use puad::method::Method;
use puad::objective::PuSpec;
use puad::{ClassPrior, Error, Estimator, FitConfig, FittedDetector, Result};

const NORMALS: usize = 600;

fn points(anomalies: usize, seed: u64) -> Vec<[f32; 2]> {
    let config = ToyConfig {
        normals: NORMALS,
        unlabeled_anomalies: anomalies,
        ..ToyConfig::default()
    };
    let toy = toy::generate(&config, seed).unwrap();
    [toy.normals, toy.unlabeled_anomalies].concat()
}

fn of(unlabeled: Vec<[f32; 2]>) -> PuDataset {
    let labeled = toy::generate(&ToyConfig::default(), 9).unwrap();
    let data = PuDataset::new(unlabeled.into_samples().unwrap()).unwrap();
    let labeled = labeled.labeled_anomalies.into_samples().unwrap();
    data.with_anomalies(labeled).unwrap()
}

/// 60 of 660 are anomalies.
fn data() -> PuDataset {
    of(points(60, 0))
}

fn prior(alpha: f64) -> ClassPrior {
    ClassPrior::new(alpha).unwrap()
}

fn config(method: Method) -> FitConfig {
    let mut config = FitConfig {
        method: Some(method),
        prior: prior(0.1).into(),
        ..FitConfig::default()
    };
    config.train.epochs = 5;
    config
}

fn fit(method: Method) -> FittedDetector {
    Estimator::new(config(method)).fit_dataset(&data()).unwrap()
}

fn saved(detector: &FittedDetector) -> FittedDetector {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("detector");
    detector.save(&path).unwrap();
    FittedDetector::load(&path, &Device::Cpu).unwrap()
}

fn short() -> RefitConfig {
    RefitConfig {
        epochs: 1,
        ..RefitConfig::default()
    }
}

/// With these rows dismissed.
fn dismissed(detector: &FittedDetector, rows: std::ops::Range<usize>) -> Feedback {
    let labels = rows.map(|row| (row, Label::Normal));
    detector.feedback(&data(), labels).unwrap()
}

fn weight(detector: &FittedDetector) -> f64 {
    let pair = detector.method().pair().unwrap();
    let settings = pair.objective().unwrap().settings().unwrap();
    settings["pnu_weight"].as_f64().unwrap()
}

#[test]
fn the_weight_of_dismissed_alarms_grows_with_their_number() {
    let detector = fit(Method::PUAE);
    let review = |detector: &FittedDetector, rows| {
        let feedback = dismissed(detector, 0..rows);
        detector.refit(&feedback, &short()).unwrap()
    };
    let once = review(&detector, 10);
    let direct = weight(&review(&detector, 60));
    assert!(direct < weight(&once) && weight(&once) < 1.);
    // As far as a first review with all of them, from a file as well.
    for first in [once.clone(), saved(&once)] {
        assert_eq!(weight(&review(&first, 60)), direct);
        // Without any there is none again.
        assert_eq!(weight(&review(&first, 0)), 1.);
    }
}

#[test]
fn a_weight_of_one_s_own_stays() {
    let own = PuSpec {
        pnu_weight: 0.7,
        ..PuSpec::default()
    };
    let own = config(Method::new(AutoencoderSpec::default(), own));
    let normals = points(0, 8)[..20].to_vec().into_samples().unwrap();
    let data = data().with_normals(normals).unwrap();
    let detector = Estimator::new(own).fit_dataset(&data).unwrap();
    let review = |detector: &FittedDetector, rows: usize| {
        let labels = (0..rows).map(|row| (row, Label::Normal));
        let feedback = detector.feedback(&data, labels).unwrap();
        detector.refit(&feedback, &short()).unwrap()
    };
    let refitted = review(&detector, 60);
    assert_eq!(weight(&refitted), 0.7);
    assert_eq!(weight(&review(&saved(&refitted), 10)), 0.7);
}

#[test]
fn a_window_without_anomalies_leaves_half_a_row_of_them() -> Result<()> {
    let mut config = config(Method::PUAE);
    config.train.epochs = 60;
    let mut detector = Estimator::new(config).fit_dataset(&data())?;
    let mut least = f64::INFINITY;
    for seed in 1..6 {
        let window = points(0, seed);
        let mut detector = detector.clone();
        let found = detector.recalibrate(&window, NewPrior::Shifted)?;
        least = least.min(found.alpha.get());
        assert_eq!(detector.decision_prior(), found.alpha);
    }
    assert_eq!(least, 0.5 / NORMALS as f64);
    // Anomalies that come back are seen.
    detector.recalibrate(points(0, 1), NewPrior::Shifted)?;
    let back = detector.recalibrate(points(200, 7), NewPrior::Shifted)?;
    assert!(back.alpha.get() > 0.05, "{back}");
    Ok(())
}

#[test]
fn probabilities_that_cannot_follow_are_gone() -> Result<()> {
    let data = PuDataset::new(points(60, 0).into_samples()?)?;
    let mut detector = Estimator::new(config(Method::AE)).fit_dataset(&data)?;
    let scores = |rows: &[[f32; 2]]| detector.score(rows);
    let all = points(60, 3);
    let own = ValidationScores {
        unlabeled: scores(&all)?,
        anomalies: scores(&all[NORMALS..])?,
    };
    detector.calibrate(CalibrationMethod::Auto, Some(&own))?;
    assert!(detector.predict_proba(&all).is_ok());
    detector.set_decision_prior(prior(0.3))?;
    let error = detector.predict_proba(&all).unwrap_err();
    assert!(matches!(error, Error::NotCalibrated), "{error}");
    let error = detector.recalibrate(&all, NewPrior::Shifted).unwrap_err();
    assert!(matches!(error, Error::NotCalibrated), "{error}");
    Ok(())
}

#[test]
fn a_refit_decides_by_the_prior_that_its_feedback_was_begun_with() -> Result<()> {
    let mut detector = fit(Method::PUAE);
    let feedback = dismissed(&detector, 0..10);
    detector.recalibrate(points(300, 2), NewPrior::Given(prior(0.33)))?;
    let refitted = detector.refit(&feedback, &short())?;
    assert_eq!(refitted.decision_prior(), prior(0.1));
    let expected = ThresholdRule::Quantile { quantile: 0.9 };
    assert_eq!(refitted.threshold_rule(), expected);
    Ok(())
}

fn told(detector: &FittedDetector, of: fn(&Warning) -> bool) -> bool {
    detector.warnings().iter().any(of)
}

#[test]
fn an_old_threshold_is_told_of_until_it_is_set_anew() -> Result<()> {
    let mut detector = fit(Method::PUAE);
    let unlabeled = (&points(60, 1)).into_input()?;
    let rule = Threshold::UnlabeledRate {
        rate: 0.05,
        unlabeled,
    };
    detector.set_threshold(rule.clone())?;
    detector.recalibrate(points(60, 2), NewPrior::Kept)?;
    let old: fn(&Warning) -> bool = |w| matches!(w, Warning::OldThreshold { .. });
    assert!(told(&detector, old));
    detector.set_decision_prior(prior(0.2))?;
    assert!(told(&detector, old));
    let count = detector.warnings().iter().filter(|w| old(w)).count();
    detector.recalibrate(points(60, 4), NewPrior::Kept)?;
    assert_eq!((count, told(&detector, old)), (1, true));
    detector.set_threshold(rule)?;
    assert!(!told(&detector, old));
    Ok(())
}

#[test]
fn an_assumed_prior_is_told_of_as_long_as_it_is_decided_by() -> Result<()> {
    let config = FitConfig {
        method: Some(Method::AE),
        ..FitConfig::default()
    };
    let data = PuDataset::new(points(60, 0).into_samples()?)?;
    let mut detector = Estimator::new(config).fit_dataset(&data)?;
    let assumed: fn(&Warning) -> bool = |w| matches!(w, Warning::PriorAssumed { .. });
    assert!(told(&detector, assumed));
    detector.recalibrate(points(60, 1), NewPrior::Kept)?;
    assert!(told(&detector, assumed));
    detector.recalibrate(points(60, 1), NewPrior::Given(prior(0.1)))?;
    assert!(!told(&detector, assumed));
    Ok(())
}

#[test]
fn a_quantile_of_one_s_own_does_not_follow_the_class_prior() -> Result<()> {
    // The same number as the default's.
    let mut detector = fit(Method::PUAE);
    detector.set_threshold(Threshold::Quantile(0.9))?;
    for mut detector in [detector.clone(), saved(&detector)] {
        detector.set_decision_prior(prior(0.02))?;
        let kept = ThresholdRule::Quantile { quantile: 0.9 };
        assert_eq!(detector.threshold_rule(), kept);
        detector.set_threshold(Threshold::Contamination)?;
        for mut detector in [detector.clone(), saved(&detector)] {
            detector.set_decision_prior(prior(0.2))?;
            let followed = ThresholdRule::Quantile { quantile: 0.8 };
            assert_eq!(detector.threshold_rule(), followed);
        }
    }
    Ok(())
}

#[test]
fn feedback_is_on_the_rows_of_the_fit() {
    let detector = fit(Method::PUAE);
    let mut fewer = points(60, 0);
    // A fifth of 659 is as many as of 660.
    fewer.remove(0);
    let mut swapped = points(60, 0);
    swapped.rotate_left(1);
    for others in [fewer, swapped, points(60, 1)] {
        let error = detector.feedback(&of(others), []).unwrap_err().to_string();
        assert!(error.starts_with("data must be the fit's"), "{error}");
    }
    let refitted = detector.refit(&dismissed(&detector, 0..10), &short());
    assert!(refitted.unwrap().feedback(&data(), []).is_ok());
    assert!(saved(&detector).feedback(&data(), []).is_ok());
}

#[test]
fn a_refit_without_folds_says_so() {
    let config = FitConfig {
        folds: Some(3),
        ..config(Method::PUAE)
    };
    let detector = Estimator::new(config).fit_dataset(&data()).unwrap();
    assert!(detector.out_of_fold().is_some());
    let refitted = detector.refit(&dismissed(&detector, 0..10), &short());
    let refitted = refitted.unwrap();
    assert!(refitted.out_of_fold().is_none());
    assert!(told(&refitted, |w| matches!(w, Warning::NoFolds { .. })));
}

#[test]
fn a_threshold_of_one_s_own_that_a_refit_loses_is_told_of() -> Result<()> {
    let mut detector = fit(Method::PUAE);
    let feedback = dismissed(&detector, 0..10);
    let lost: fn(&Warning) -> bool = |w| matches!(w, Warning::DefaultThreshold { .. });
    assert!(!told(&detector.refit(&feedback, &short())?, lost));
    detector.set_threshold(Threshold::Value(3.))?;
    let refitted = detector.refit(&feedback, &short())?;
    assert!(told(&refitted, lost));
    // Once.
    assert!(!told(&refitted.refit(&feedback, &short())?, lost));
    Ok(())
}

/// The third column is 1 in all labeled rows, and in these alone.
#[test]
fn a_column_that_tells_who_was_labeled_is_told_of() {
    let with = |rows: &[[f32; 2]], done: f32| -> Vec<[f32; 3]> {
        rows.iter().map(|[x, y]| [*x, *y, done]).collect()
    };
    let labeled = toy::generate(&ToyConfig::default(), 9).unwrap();
    let labeled = labeled.labeled_anomalies;
    let fit = |done| {
        let mut config = FitConfig::default();
        config.train.epochs = 2;
        let fitted = Estimator::new(config).fit(with(&points(60, 0), 0.), with(&labeled, done));
        fitted.unwrap()
    };
    let leaks: fn(&Warning) -> bool = |w| matches!(w, Warning::NoneLikeLabeled { .. });
    assert!(told(&fit(1.), leaks), "{:?}", fit(1.).prior_estimate());
    assert!(!told(&fit(0.), leaks));
}
