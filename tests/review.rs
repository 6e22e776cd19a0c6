//! A person's labels: suggestions, feedback, and a fit that goes on from where it was.

use puad::candle_core::Device;
use puad::data::PuDataset;
use puad::data::payments::{self, PaymentsConfig};
use puad::data::table::Group;
use puad::data::toy::{self, ToyConfig};
use puad::encoding::Gaps;
use puad::estimator::{
    Feedback, IntoSamples, Label, RefitConfig, SuggestConfig, Threshold, ThresholdRule, Warning,
    Why,
};
use puad::method::Method;
use puad::metrics::auroc;
use puad::{ClassPrior, Error, Estimator, FitConfig, FittedDetector};

/// Rows from here on are anomalies.
const NORMALS: usize = 600;

fn points(seed: u64) -> Vec<[f32; 2]> {
    let config = ToyConfig {
        normals: NORMALS,
        unlabeled_anomalies: 60,
        ..ToyConfig::default()
    };
    let toy = toy::generate(&config, seed).unwrap();
    [toy.normals, toy.unlabeled_anomalies].concat()
}

/// With four labeled anomalies.
fn data() -> PuDataset {
    let labeled = toy::generate(&ToyConfig::default(), 9)
        .unwrap()
        .labeled_anomalies;
    let data = PuDataset::new(points(0).into_samples().unwrap()).unwrap();
    data.with_anomalies(labeled[..4].to_vec().into_samples().unwrap())
        .unwrap()
}

fn fit(method: Method, epochs: usize) -> FittedDetector {
    let mut config = FitConfig {
        method: Some(method),
        prior: ClassPrior::new(0.09).unwrap().into(),
        ..FitConfig::default()
    };
    config.train.epochs = epochs;
    Estimator::new(config).fit_dataset(&data()).unwrap()
}

fn truth(row: usize) -> Label {
    if row < NORMALS {
        Label::Normal
    } else {
        Label::Anomaly
    }
}

fn reviewed(detector: &FittedDetector, rows: usize) -> Feedback {
    let mut feedback = detector.feedback(&data(), []).unwrap();
    let found = feedback
        .suggest(detector, rows, &SuggestConfig::default())
        .unwrap();
    feedback
        .add(found.iter().map(|s| (s.row, truth(s.row))))
        .unwrap();
    feedback
}

fn ranks(detector: &FittedDetector) -> f64 {
    let new = points(1);
    let anomalous: Vec<bool> = (0..new.len()).map(|row| row >= NORMALS).collect();
    auroc(&detector.score(&new).unwrap(), &anomalous).unwrap()
}

#[test]
fn suggestions_are_rows_of_three_kinds_each_once_and_the_same_by_seed() {
    let detector = fit(Method::PUAE, 15);
    let (points, config) = (points(0), SuggestConfig::default());
    let found = detector.suggest(&points, 20, &config).unwrap();
    assert_eq!(found, detector.suggest(&points, 20, &config).unwrap());
    let count = |of: fn(&Why) -> bool| found.iter().filter(|s| of(&s.why)).count();
    assert_eq!(count(|why| *why == Why::Highest), 10);
    assert_eq!(count(|why| matches!(why, Why::Cluster { .. })), 6);
    assert_eq!(count(|why| *why == Why::NearThreshold), 4);
    let mut rows: Vec<usize> = found.iter().map(|s| s.row).collect();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), 20);
    let scores = detector.score(&points).unwrap();
    let above = |score: f64| scores.iter().filter(|other| **other > score).count();
    for suggestion in &found {
        assert_eq!(suggestion.score, scores[suggestion.row]);
        assert!(suggestion.probability.is_some());
        match suggestion.why {
            Why::Highest => assert!(above(suggestion.score) < 10),
            Why::Cluster { .. } => assert!((10..200).contains(&above(suggestion.score))),
            _ => {
                let border = above(detector.threshold());
                assert!(above(suggestion.score).abs_diff(border) < 12);
            }
        }
    }
    for k in [0, points.len() + 1] {
        let error = detector.suggest(&points, k, &config).unwrap_err();
        assert!(matches!(error, Error::Config { name: "k", .. }), "{error}");
    }
    assert_eq!(detector.suggest(&points[..7], 7, &config).unwrap().len(), 7);
}

#[test]
fn a_review_says_what_is_wrong_with_its_labels() {
    let detector = fit(Method::AE, 1);
    let mut feedback = detector
        .feedback(&data(), [(3, Label::Normal), (3, Label::Normal)])
        .unwrap();
    assert_eq!((feedback.confirmed(), feedback.dismissed()), (0, 1));
    let error = feedback
        .add([(5, Label::Anomaly), (3, Label::Anomaly)])
        .unwrap_err();
    let rule = "labels must be one of a row, got row 3 as Normal and as Anomaly";
    assert_eq!(error.to_string(), rule);
    // All or none.
    assert_eq!(feedback.labels().collect::<Vec<_>>(), [(3, Label::Normal)]);
    let error = feedback
        .add([(660, Label::Anomaly)])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "labels must be of rows that were unlabeled in the fit, got one of row 660"
    );
    // Other data than the fit's.
    let other = PuDataset::new(points(0)[..600].to_vec().into_samples().unwrap()).unwrap();
    let error = detector.feedback(&other, []).unwrap_err().to_string();
    assert!(
        error.contains("600 rows, of which 120 are held out, not 132"),
        "{error}"
    );
    assert!(detector.feedback_split(&other, &other, []).is_ok());
    let wide = PuDataset::new(vec![[0f32; 3]; 660].into_samples().unwrap()).unwrap();
    assert!(matches!(
        detector.feedback(&wide, []),
        Err(Error::Shape { .. })
    ));
}

/// Nothing is drawn anew: a step that is as good as none leaves the network where it was.
#[test]
fn a_refit_begins_with_the_detector_s_parameters() {
    for method in [Method::PUAE, Method::PUSVDD, Method::DEEP_SAD] {
        let detector = fit(method.clone(), 15);
        let feedback = reviewed(&detector, 20);
        let still = RefitConfig {
            epochs: 1,
            learning_rate: 1e-12,
            ..RefitConfig::default()
        };
        let mut phases = 0;
        let mut observer = |_: &puad::train::EpochReport| {
            phases += 1;
            std::ops::ControlFlow::Continue(())
        };
        let same = detector
            .refit_observed(&feedback, &still, &mut observer)
            .unwrap();
        assert_eq!(phases, 1, "{method}: no pre-training");
        let (before, after) = (
            detector.score(points(1)).unwrap(),
            same.score(points(1)).unwrap(),
        );
        let moved = before
            .iter()
            .zip(&after)
            .map(|(a, b)| (a - b).abs() / (1. + a.abs()));
        let moved = moved.fold(0., f64::max);
        assert!(moved < 1e-4, "{method}: {moved}");
        // The held-out rows are those of the first fit: their scores are what they were.
        let kept = |of: &FittedDetector| of.validation_scores().unlabeled.clone();
        assert_eq!(kept(&detector).len(), kept(&same).len());
        assert_eq!(
            same.validation_scores().anomalies.len(),
            detector.validation_scores().anomalies.len()
        );
        assert_eq!(same.scaler(), detector.scaler());
    }
}

#[test]
fn labels_teach_and_are_learned_alike_again() {
    let detector = fit(Method::PUAE, 6);
    let feedback = reviewed(&detector, 40);
    let better = detector.refit(&feedback, &RefitConfig::default()).unwrap();
    let (before, after) = (ranks(&detector), ranks(&better));
    assert!(after > before, "{before} {after}");
    let again = detector.refit(&feedback, &RefitConfig::default()).unwrap();
    assert_eq!(
        again.score(points(1)).unwrap(),
        better.score(points(1)).unwrap()
    );
    assert!(better.history().training.epochs.len() <= 6 && better.history().pretraining.is_none());
    // What is decided by is of data that come unreviewed, and the configuration the fit's.
    assert_eq!(better.config(), detector.config());
    let (flagged, kept) = (better.threshold(), better.validation_scores());
    let share = kept.unlabeled.iter().filter(|s| **s > flagged).count() as f64
        / kept.unlabeled.len() as f64;
    assert!((share - 0.09).abs() < 0.02, "{share}");
}

#[test]
fn dismissed_alarms_join_the_normals_under_a_weight() {
    let detector = fit(Method::PUAE, 3);
    let dismissed: Vec<(usize, Label)> = (0..30).map(|row| (7 * row, Label::Normal)).collect();
    let weight = |detector: &FittedDetector| {
        let text = serde_json::to_value(detector.method()).unwrap().to_string();
        text.contains("pnu_weight")
    };
    let config = RefitConfig {
        epochs: 2,
        ..RefitConfig::default()
    };
    let feedback = detector.feedback(&data(), dismissed.clone()).unwrap();
    let refitted = detector.refit(&feedback, &config).unwrap();
    assert!(
        weight(&refitted) && !weight(&detector),
        "{}",
        refitted.method()
    );
    // In its file, too.
    let path = std::env::temp_dir().join(format!("puad-review-{}.safetensors", std::process::id()));
    refitted.save(&path).unwrap();
    let read = FittedDetector::load(&path, &Device::Cpu).unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(read.method(), refitted.method());
    assert_eq!(
        read.score(points(1)).unwrap(),
        refitted.score(points(1)).unwrap()
    );
    // A further round goes on, from a file as well.
    let mut feedback = feedback;
    feedback
        .add([(650, Label::Anomaly), (1, Label::Normal)])
        .unwrap();
    assert!(weight(&read.refit(&feedback, &config).unwrap()));
    // Two are enough, wherever they were; one is not, and says so.
    let few = |n: usize| {
        let feedback = detector.feedback(&data(), dismissed[..n].to_vec()).unwrap();
        detector.refit(&feedback, &config).unwrap()
    };
    assert!(weight(&few(2)));
    let one = few(1);
    assert!(!weight(&one));
    let said = |detector: &FittedDetector, of: &str, n: usize| {
        detector.warnings().iter().any(|warning| {
            matches!(warning, Warning::UnusedLabels { group, count, .. } if group == of && *count == n)
        })
    };
    assert!(said(&one, "normal", 1), "{:?}", one.warnings());
    // Methods without a use for them.
    let detector = fit(Method::AE, 2);
    let mut feedback = detector.feedback(&data(), dismissed).unwrap();
    feedback.add([(640, Label::Anomaly)]).unwrap();
    let refitted = detector.refit(&feedback, &config).unwrap();
    assert!(said(&refitted, "normal", 30) && said(&refitted, "anomalous", 1));
}

#[test]
fn a_model_without_epochs_is_fitted_anew_without_the_confirmed_anomalies() {
    let detector = fit(Method::ISOLATION_FOREST, 1);
    let all = (NORMALS..NORMALS + 60).map(|row| (row, Label::Anomaly));
    let feedback = detector.feedback(&data(), all).unwrap();
    let refitted = detector.refit(&feedback, &RefitConfig::default()).unwrap();
    assert_eq!(refitted.model().sample_shape(), [2]);
    assert!(
        ranks(&refitted) > ranks(&detector),
        "{} {}",
        ranks(&refitted),
        ranks(&detector)
    );
    // 60 of 660 are more than 9% of them.
    let spent = refitted
        .warnings()
        .iter()
        .any(|w| matches!(w, Warning::PriorSpent { confirmed: 60, .. }));
    assert!(spent, "{:?}", refitted.warnings());
    assert_eq!(feedback.left(None).unwrap().alpha.get(), 0.);
}

#[test]
fn a_quantile_of_one_s_own_is_kept_and_other_settings_are_checked() {
    let mut detector = fit(Method::PUAE, 2);
    let feedback = reviewed(&detector, 10);
    let config = RefitConfig {
        epochs: 1,
        ..RefitConfig::default()
    };
    detector.set_threshold(Threshold::Quantile(0.8)).unwrap();
    let rule = detector.refit(&feedback, &config).unwrap().threshold_rule();
    assert_eq!(rule, ThresholdRule::Quantile { quantile: 0.8 });
    detector.set_threshold(Threshold::Value(3.)).unwrap();
    let rule = detector.refit(&feedback, &config).unwrap().threshold_rule();
    assert_eq!(
        rule,
        ThresholdRule::Quantile {
            quantile: 1. - 0.09
        }
    );
    for wrong in [
        RefitConfig {
            epochs: 0,
            ..config.clone()
        },
        RefitConfig {
            learning_rate: 1.5,
            ..config.clone()
        },
        RefitConfig {
            dismissed: 0.,
            ..config.clone()
        },
    ] {
        assert!(matches!(
            detector.refit(&feedback, &wrong),
            Err(Error::Config { .. })
        ));
    }
    // All rows of a part.
    let all = (0..660).map(|row| (row, truth(row)));
    let feedback = detector.feedback(&data(), all).unwrap();
    assert!(detector.refit(&feedback, &config).is_err());
}

#[test]
fn rows_of_a_table_keep_their_numbers() {
    let config = PaymentsConfig {
        normals: 300,
        unlabeled_anomalies: 30,
        labeled_anomalies: 10,
        ..PaymentsConfig::default()
    };
    let payments = payments::generate(&config, 0).unwrap();
    let table = &payments.table;
    let mut fit = FitConfig::default();
    fit.train.epochs = 5;
    fit.encoding.all.gaps = Gaps::Fill;
    (fit.encoding.all.instant, fit.encoding.all.hour) = (false, true);
    let detector = Estimator::new(fit).fit_table(table).unwrap();
    let unlabeled = table.rows_of(Group::Unlabeled);
    for suggestion in detector
        .suggest(table, 30, &SuggestConfig::default())
        .unwrap()
    {
        assert!(unlabeled.contains(&suggestion.row));
        let alone = detector.score(table.select(&[suggestion.row])).unwrap();
        assert_eq!(alone, [suggestion.score]);
    }
    let mut feedback = detector.feedback_table(table, []).unwrap();
    let labeled = table.rows_of(Group::Anomalous)[0];
    assert!(feedback.add([(labeled, Label::Anomaly)]).is_err());
    let label = |row: usize| match payments.causes[row] {
        Some(_) => Label::Anomaly,
        None => Label::Normal,
    };
    let found = feedback
        .suggest(&detector, 30, &SuggestConfig::default())
        .unwrap();
    feedback
        .add(found.iter().map(|s| (s.row, label(s.row))))
        .unwrap();
    let again = feedback
        .suggest(&detector, 30, &SuggestConfig::default())
        .unwrap();
    assert!(
        again
            .iter()
            .all(|s| found.iter().all(|before| before.row != s.row))
    );
    let refitted = detector.refit(&feedback, &RefitConfig::default()).unwrap();
    assert_eq!(refitted.encoding(), detector.encoding());
    assert_eq!(refitted.score(table).unwrap().len(), table.len());
}
