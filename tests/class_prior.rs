//! The class prior that a fit estimates, and the scores of samples by detectors fitted without them.

use puad::candle_core::{DType, Device, Tensor};
use puad::data::PuDataset;
use puad::data::toy::{self, Toy, ToyConfig};
use puad::estimator::{
    IntoSamples, Prior, PriorEstimation, Threshold, ThresholdRule, Warning, kinds_by_cluster,
};
use puad::method::Method;
use puad::metrics::auroc;
use puad::report::{Budget, KindRecall, ReportConfig, ReportSource};
use puad::{ClassPrior, Error, Estimator, FitConfig, FittedDetector};
use rayon::prelude::*;

/// Of 980 unlabeled points.
const SHARE: f64 = 80. / 980.;

fn toy(seed: u64) -> Toy {
    toy::generate(&ToyConfig::default(), seed).unwrap()
}

fn unlabeled(toy: &Toy) -> Vec<[f32; 2]> {
    [toy.normals.clone(), toy.unlabeled_anomalies.clone()].concat()
}

/// Of a method that holds labels out.
fn config(epochs: usize) -> FitConfig {
    let mut config = FitConfig {
        method: Some(Method::PUAE),
        ..FitConfig::default()
    };
    config.train.epochs = epochs;
    config
}

fn fit(config: FitConfig) -> FittedDetector {
    let toy = toy(0);
    let estimator = Estimator::new(config);
    estimator
        .fit(unlabeled(&toy), &toy.labeled_anomalies)
        .unwrap()
}

#[test]
fn decisions_follow_the_estimate() {
    for seed in 0..3 {
        let toy = toy(seed);
        let estimator = Estimator::new(config(20));
        let detector = estimator
            .fit(unlabeled(&toy), &toy.labeled_anomalies)
            .unwrap();
        let estimate = detector.prior_estimate().unwrap();
        let (low, high) = (estimate.low.get(), estimate.high.get());
        assert!((low..=high).contains(&SHARE), "{seed}: {estimate}");
        assert!(high - low < 0.15, "{seed}: {estimate}");
        assert_eq!(detector.decision_prior(), estimate.alpha);
        let quantile = 1. - estimate.alpha.get();
        assert_eq!(
            detector.threshold_rule(),
            ThresholdRule::Quantile { quantile }
        );
        // Calibrated so that the mean probability is the prior.
        let probabilities = detector.predict_proba(unlabeled(&toy)).unwrap();
        let mean = probabilities.iter().sum::<f64>() / probabilities.len() as f64;
        assert!(
            (mean - estimate.alpha.get()).abs() < 0.05,
            "{mean} {estimate}"
        );
    }
}

#[test]
fn what_is_trained_with_is_the_larger_of_the_estimate_and_the_paper_s() {
    // The same weights as with 0.1, since the estimate is below.
    let estimated = fit(config(3));
    let given = fit(FitConfig {
        prior: ClassPrior::default().into(),
        ..config(3)
    });
    assert!(estimated.decision_prior().get() < 0.1);
    let toy = toy(0);
    let scores = |detector: &FittedDetector| detector.score(&toy.unlabeled_anomalies).unwrap();
    assert_eq!(scores(&estimated), scores(&given));
    assert_eq!(given.prior_estimate(), None);
    assert_ne!(estimated.threshold(), given.threshold());
    // Of labels that are half of the unlabeled samples it is above.
    let many = Estimator::new(config(3));
    let config_of_half = ToyConfig {
        normals: 300,
        unlabeled_anomalies: 300,
        ..ToyConfig::default()
    };
    let half = unlabeled(&toy::generate(&config_of_half, 1).unwrap());
    let many = many.fit(&half, &toy.labeled_anomalies).unwrap();
    assert!(
        many.decision_prior().get() > 0.2,
        "{}",
        many.decision_prior().get()
    );
    let given = |alpha| {
        let config = FitConfig {
            prior: alpha,
            ..config(3)
        };
        let detector = Estimator::new(config).fit(&half, &toy.labeled_anomalies);
        scores(&detector.unwrap())
    };
    assert_eq!(scores(&many), given(many.decision_prior().into()));
    assert_ne!(scores(&many), given(ClassPrior::default().into()));
}

#[test]
fn another_class_prior_moves_threshold_and_probabilities() {
    let mut detector = fit(config(20));
    let points = unlabeled(&toy(1));
    let mean = |detector: &FittedDetector| {
        let probabilities = detector.predict_proba(&points).unwrap();
        probabilities.iter().sum::<f64>() / probabilities.len() as f64
    };
    let (before, threshold) = (mean(&detector), detector.threshold());
    detector
        .set_decision_prior(ClassPrior::new(0.3).unwrap())
        .unwrap();
    assert!(detector.threshold() < threshold);
    assert!(mean(&detector) > before + 0.1);
    assert_eq!(
        detector.threshold_rule(),
        ThresholdRule::Quantile { quantile: 0.7 }
    );
    // A threshold of one's own stays.
    detector.set_threshold(Threshold::Value(2.)).unwrap();
    detector
        .set_decision_prior(ClassPrior::new(0.1).unwrap())
        .unwrap();
    assert_eq!(detector.threshold(), 2.);
    // And back is where it was.
    detector.set_threshold(Threshold::Contamination).unwrap();
    let estimate = detector.prior_estimate().unwrap().alpha;
    detector.set_decision_prior(estimate).unwrap();
    assert_eq!((mean(&detector), detector.threshold()), (before, threshold));
}

#[test]
fn a_file_keeps_estimate_prior_and_folds() {
    let mut detector = fit(FitConfig {
        folds: Some(3),
        ..config(3)
    });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("detector");
    for prior in [detector.decision_prior(), ClassPrior::new(0.25).unwrap()] {
        detector.set_decision_prior(prior).unwrap();
        detector.save(&path).unwrap();
        let loaded = FittedDetector::load(&path, &Device::Cpu).unwrap();
        assert_eq!(loaded.decision_prior(), prior);
        assert_eq!(loaded.prior_estimate(), detector.prior_estimate());
        assert_eq!(loaded.out_of_fold(), detector.out_of_fold());
        let report = |detector: &FittedDetector| detector.report(&ReportConfig::default()).unwrap();
        assert_eq!(report(&loaded), report(&detector));
    }
}

#[test]
fn folds_score_every_anomaly_once_by_a_detector_that_never_saw_it() {
    let run = || {
        fit(FitConfig {
            folds: Some(4),
            ..config(20)
        })
    };
    let detector = run();
    let kept = detector.out_of_fold().unwrap();
    assert_eq!((kept.folds, kept.anomalies.len()), (4, 20));
    assert!(kept.anomalies.is_sorted());
    // On the detector's scale: among the unlabeled of its validation part they rank about as its own held-out ones.
    let ranked = |anomalies: &[f64]| {
        let unlabeled = &detector.validation_scores().unlabeled;
        let scores = [unlabeled.as_slice(), anomalies].concat();
        let labels: Vec<bool> = (0..scores.len()).map(|i| i >= unlabeled.len()).collect();
        auroc(&scores, &labels).unwrap()
    };
    let own = ranked(&detector.validation_scores().anomalies);
    let folds = ranked(&kept.anomalies);
    assert!((own - folds).abs() < 0.15, "{own} {folds}");
    // The main fit is as without folds, and the same seed gives the same folds.
    assert_eq!(run().out_of_fold(), detector.out_of_fold());
    let alone = fit(config(20));
    assert_eq!(alone.validation_scores(), detector.validation_scores());
    assert_eq!(alone.out_of_fold(), None);
}

/// As a user does who compares settings.
#[test]
fn fits_on_all_threads_of_a_pool_come_to_an_end() {
    let alone = fit(config(1));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build()
        .unwrap();
    let together = pool.install(|| {
        let fits = (0..4).into_par_iter().map(|_| fit(config(1)));
        fits.collect::<Vec<_>>()
    });
    for detector in together {
        assert_eq!(detector.prior_estimate(), alone.prior_estimate());
    }
}

#[test]
fn a_report_rests_on_all_labels_where_there_are_folds() {
    let detector = fit(config(20));
    let report = detector.report(&ReportConfig::default()).unwrap();
    assert_eq!(
        (report.source, report.anomalies),
        (ReportSource::Validation, 4)
    );
    let detector = fit(FitConfig {
        folds: Some(5),
        ..config(20)
    });
    let report = detector.report(&ReportConfig::default()).unwrap();
    assert_eq!(report.source, ReportSource::OutOfFold { folds: 5 });
    // The fifth of the unlabeled that the detector did not train on.
    assert_eq!((report.unlabeled, report.anomalies), (196, 20));
    assert_eq!(&report.prior, detector.prior_estimate().unwrap());
    // Against the truth, on new points.
    let new = toy(1);
    let points = [new.normals.clone(), new.unlabeled_anomalies].concat();
    let truth: Vec<bool> = (0..points.len()).map(|i| i >= new.normals.len()).collect();
    let true_auroc = auroc(&detector.score(&points).unwrap(), &truth).unwrap();
    let found = report.auroc.unwrap();
    assert!(
        (found.low..=found.high).contains(&true_auroc),
        "{found:?} {true_auroc}"
    );
    // Of a prior that was set there is no interval.
    let mut detector = detector;
    detector
        .set_decision_prior(ClassPrior::new(0.2).unwrap())
        .unwrap();
    let prior = detector.report(&ReportConfig::default()).unwrap().prior;
    assert_eq!((prior.low.get(), prior.high.get()), (0.2, 0.2));
}

#[test]
fn where_no_prior_can_be_estimated_it_is_assumed_and_said() {
    let toy = toy(0);
    let data = PuDataset::new((&unlabeled(&toy)).into_samples().unwrap()).unwrap();
    let ae = FitConfig {
        method: Some(Method::AE),
        ..config(2)
    };
    let detector = Estimator::new(ae).fit_dataset(&data).unwrap();
    assert_eq!(
        (detector.decision_prior(), detector.prior_estimate()),
        (ClassPrior::default(), None)
    );
    let [Warning::PriorAssumed { prior: 0.1, .. }] = detector.warnings() else {
        panic!("{:?}", detector.warnings());
    };
    let text = detector.warnings()[0].to_string();
    assert!(
        text.contains("needs 2 anomalous training samples, got 0"),
        "{text}"
    );
    assert!(matches!(
        detector.report(&ReportConfig::default()),
        Err(Error::EmptyGroup { .. })
    ));
    // Two labeled anomalies: one of them is trained on.
    let two = Estimator::new(config(2)).fit(unlabeled(&toy), &toy.labeled_anomalies[..2]);
    let two = two.unwrap();
    let assumed = |warning: &Warning| matches!(warning, Warning::PriorAssumed { .. });
    assert!(two.warnings().iter().any(assumed));
    let data = data.with_anomalies((&toy.labeled_anomalies[..2]).into_samples().unwrap());
    let error = Estimator::new(config(2))
        .estimate_prior(&data.unwrap())
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooFewSamples {
                needed: 2,
                available: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn any_classifier_and_samples_of_any_shape_will_do() {
    let toy = toy(0);
    let with = |settings| FitConfig {
        prior: Prior::Estimated(settings),
        ..config(30)
    };
    let perceptron = PriorEstimation {
        classifier: Method::PU,
        ..PriorEstimation::default()
    };
    let data = toy.dataset(&Device::Cpu).unwrap();
    let estimate = Estimator::new(with(perceptron))
        .estimate_prior(&data)
        .unwrap();
    assert!((0.03..0.2).contains(&estimate.alpha.get()), "{estimate}");
    // Fewer rows to train on, all scored.
    let few = PriorEstimation {
        rows: 100,
        ..PriorEstimation::default()
    };
    let scores = Estimator::new(with(few)).prior_scores(&data).unwrap();
    assert_eq!(
        (scores.unlabeled().len(), scores.anomalies().len()),
        (980, 20)
    );
    // No network of images suits 2 x 3 numbers; a perceptron of six does.
    let random = |n, mean| Tensor::randn(mean, 1f32, (n, 2, 3), &Device::Cpu).unwrap();
    for classifier in [Method::PU, PriorEstimation::default().classifier] {
        let settings = PriorEstimation {
            classifier,
            ..PriorEstimation::default()
        };
        let forest = FitConfig {
            method: Some(Method::ISOLATION_FOREST),
            ..with(settings)
        };
        let detector = Estimator::new(forest)
            .fit(random(300, 0.), random(30, 9.))
            .unwrap();
        let estimate = detector.prior_estimate().expect("an estimate");
        assert!(estimate.alpha.get() < 0.05, "{estimate}");
    }
}

#[test]
fn a_kind_left_out_is_scored_by_a_detector_without_its_labels() {
    let toy = toy(0);
    let data = toy.dataset(&Device::Cpu).unwrap();
    let side = |point: &[f32; 2]| if point[0] > 0. { "right" } else { "left" };
    let kinds: Vec<&str> = toy.labeled_anomalies.iter().map(side).collect();
    let rights = kinds.iter().filter(|kind| **kind == "right").count();
    let left_out = Estimator::new(config(20))
        .leave_one_kind_out(&data, &kinds)
        .unwrap();
    let names: Vec<&str> = left_out.iter().map(|kind| kind.kind.as_str()).collect();
    assert_eq!(names, ["left", "right"]);
    assert_eq!(left_out[1].anomalies.len(), rights);
    // As a fit without them scores it.
    let labeled = toy.labeled_anomalies.iter().copied();
    let (right, left): (Vec<[f32; 2]>, Vec<_>) = labeled.partition(|point| side(point) == "right");
    let detector = Estimator::new(config(20))
        .fit(unlabeled(&toy), &left)
        .unwrap();
    assert_eq!(detector.score(&right).unwrap(), left_out[1].anomalies);
    let recall =
        KindRecall::new(&left_out[1].scores(), &[Budget::Rate { rate: 0.1 }], 0.95).unwrap();
    assert_eq!(recall.anomalies, rights);

    let wrong = Estimator::new(config(1)).leave_one_kind_out(&data, &kinds[1..]);
    assert!(matches!(
        wrong,
        Err(Error::Length {
            left: 20,
            right: 19,
            ..
        })
    ));
    let one = Estimator::new(config(1)).leave_one_kind_out(&data, &["a"; 20]);
    assert!(matches!(one, Err(Error::Config { name: "kinds", .. })));
    let clusters = kinds_by_cluster(data.anomalies().unwrap(), 4, 0).unwrap();
    assert_eq!(clusters.len(), 20);
}

#[test]
fn settings_out_of_range_are_named_before_anything_is_computed() {
    let toy = toy(0);
    let wrong = [
        FitConfig {
            folds: Some(1),
            ..FitConfig::default()
        },
        FitConfig {
            prior: Prior::Estimated(PriorEstimation {
                folds: 1,
                ..PriorEstimation::default()
            }),
            ..FitConfig::default()
        },
    ];
    for config in wrong {
        let error = Estimator::new(config)
            .fit(&toy.normals, &toy.labeled_anomalies)
            .unwrap_err();
        assert!(
            matches!(error, Error::Config { name: "folds", .. }),
            "{error}"
        );
    }
    // More folds than anomalies: as many as there are.
    let detector = Estimator::new(FitConfig {
        folds: Some(50),
        ..config(1)
    });
    let detector = detector.fit(&toy.normals, &toy.labeled_anomalies).unwrap();
    assert_eq!(detector.out_of_fold().unwrap().folds, 16);
    let f64s = Tensor::zeros((20, 3), DType::F64, &Device::Cpu).unwrap();
    let same = Estimator::new(config(1)).fit(f64s.clone(), f64s).unwrap();
    // Anomalies that look like all others tell nothing: not a number that is silently wrong.
    assert!(
        same.prior_estimate()
            .is_none_or(|estimate| !estimate.doubts.is_empty())
    );
}
