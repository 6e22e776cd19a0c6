//! The same through a detector, whose calibration rows are a table or rows of numbers.

use puad::data::payments::{self, PaymentsConfig};
use puad::data::table::{Group, Table};
use puad::data::toy::{self, ToyConfig};
use puad::drift::DriftTest;
use puad::encoding::Gaps;
use puad::estimator::{Input, IntoInput, Threshold, ThresholdRule};
use puad::{Error, Estimator, FitConfig, FittedDetector, candle_core::Device};

fn saved(detector: &FittedDetector) -> FittedDetector {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("detector");
    detector.save(&path).unwrap();
    FittedDetector::load(&path, &Device::Cpu).unwrap()
}

/// A detector of payments, and others' payments.
fn of_payments() -> (FittedDetector, Table) {
    let mut config = FitConfig::default();
    config.train.epochs = 5;
    config.encoding.all.gaps = Gaps::Fill;
    (config.encoding.all.instant, config.encoding.all.hour) = (false, true);
    let payments = |labeled_anomalies, seed| {
        let drawn = PaymentsConfig {
            labeled_anomalies,
            ..PaymentsConfig::default()
        };
        payments::generate(&drawn, seed).unwrap().table
    };
    let detector = Estimator::new(config).fit_table(&payments(60, 0)).unwrap();
    (detector, payments(0, 1))
}

#[test]
fn a_table_of_unlabeled_rows_sets_every_threshold_and_a_file_keeps_it() {
    let (mut detector, table) = of_payments();
    let (rows, rate) = (table.len(), 0.05);
    let scores = detector.score(&table).unwrap();
    let above = |t: f64| scores.iter().filter(|s| **s > t).count() as f64;
    let unlabeled = || (&table).into_input().unwrap();

    detector
        .set_threshold(Threshold::UnlabeledRate {
            rate,
            unlabeled: unlabeled(),
        })
        .unwrap();
    let expected = ThresholdRule::UnlabeledRate { rate, rows };
    assert_eq!(detector.threshold_rule(), expected);
    assert!(above(detector.threshold()) + 1. <= rate * (rows + 1) as f64);
    let again = saved(&detector);
    assert_eq!(
        (again.threshold(), again.threshold_rule()),
        (detector.threshold(), expected)
    );

    let review = detector.review(&table, 10).unwrap();
    let highest = review.rows()[0];
    assert!(scores.iter().all(|s| *s <= scores[highest]));
    let reviewed = review.confirm(&[highest]).unwrap();
    let mut rules = vec![
        Threshold::ReviewedRate { rate, reviewed },
        Threshold::Budget {
            alarms: 50,
            volume: 1000,
            chance: Some(0.1),
            unlabeled: unlabeled(),
        },
        Threshold::Cost {
            false_alarm: 1.,
            missed: 20.,
            unlabeled: None,
            anomalies: None,
        },
        Threshold::Cost {
            false_alarm: 1.,
            missed: 20.,
            unlabeled: Some(unlabeled()),
            anomalies: None,
        },
    ];
    for confidence in [None, Some(0.9)] {
        let (anomalies, prior, unlabeled) = (None, None, unlabeled());
        rules.push(Threshold::CorrectedRate {
            rate,
            unlabeled,
            anomalies,
            prior,
            confidence,
        });
    }
    for rule in rules {
        detector.set_threshold(rule).unwrap();
        let again = saved(&detector);
        let kept = (again.threshold(), again.threshold_rule());
        assert_eq!(kept, (detector.threshold(), detector.threshold_rule()));
        assert!(
            above(detector.threshold()) > 0.,
            "{}",
            detector.threshold_rule()
        );
    }

    // Ten rows in a batch of as many: no p-value of a few calibration rows is below a tenth of 1%.
    let tail = detector.normal_tail(table.select(&[0, 1, 2])).unwrap();
    assert!(matches!(
        detector.discoveries(&table, &tail, 2.),
        Err(Error::Config { name: "q", .. })
    ));
    let none = detector.discoveries(table.select(&[]), &tail, 0.1).unwrap();
    assert!(none.scores.is_empty() && none.rows().is_empty() && none.warnings.is_empty());
}

/// Five draws of rows that were not trained on: on average no more false alarms than were asked for.
#[test]
fn new_normals_are_flagged_as_seldom_as_was_asked_for() {
    let draw = |seed| toy::generate(&ToyConfig::default(), seed).unwrap();
    let toy = draw(0);
    let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
    let mut config = FitConfig {
        prior: puad::ClassPrior::new(80. / 980.).unwrap().into(),
        ..FitConfig::default()
    };
    config.train.epochs = 60;
    let mut detector = Estimator::new(config)
        .fit(&unlabeled, &toy.labeled_anomalies)
        .unwrap();
    let fresh = draw(99).normals;
    let rate = 0.05;
    let mut sums = [0.; 3];
    for seed in 1..6 {
        let new = draw(seed);
        let (normals, anomalies) = (
            new.normals.len(),
            (&new.labeled_anomalies).into_input().unwrap(),
        );
        let rows = [new.normals, new.unlabeled_anomalies].concat();
        let unlabeled = || (&rows).into_input().unwrap();
        let review = detector.review(&rows, 180).unwrap();
        let found: Vec<usize> = review
            .rows()
            .iter()
            .copied()
            .filter(|&row| row >= normals)
            .collect();
        let rules = [
            Threshold::UnlabeledRate {
                rate,
                unlabeled: unlabeled(),
            },
            Threshold::CorrectedRate {
                rate,
                unlabeled: unlabeled(),
                anomalies: Some(anomalies),
                prior: None,
                confidence: None,
            },
            Threshold::ReviewedRate {
                rate,
                reviewed: review.confirm(&found).unwrap(),
            },
        ];
        for (sum, rule) in sums.iter_mut().zip(rules) {
            detector.set_threshold(rule).unwrap();
            let flags = detector.predict(&fresh).unwrap();
            *sum += flags.iter().filter(|flag| **flag).count() as f64 / fresh.len() as f64 / 5.;
        }
    }
    let [plain, corrected, reviewed] = sums;
    // Four standard errors of a share of 900, and of the five thresholds'.
    assert!(plain < 0.02, "{plain}");
    assert!(
        (corrected - rate).abs() < 0.035 && (reviewed - rate).abs() < 0.035,
        "{corrected} {reviewed}"
    );
}

/// Known frauds and normals are no part of a random sample.
#[test]
fn labeled_rows_of_a_table_are_no_calibration_rows() {
    let (mut detector, table) = of_payments();
    let mixed = payments::generate(&PaymentsConfig::default(), 1)
        .unwrap()
        .table;
    assert_eq!((mixed.len(), table.len()), (4060, 4000));
    detector
        .set_threshold(Threshold::UnlabeledRate {
            rate: 0.05,
            unlabeled: mixed.into_input().unwrap(),
        })
        .unwrap();
    let expected = ThresholdRule::UnlabeledRate {
        rate: 0.05,
        rows: 4000,
    };
    assert_eq!(detector.threshold_rule(), expected);
}

#[test]
fn labels_of_a_table_say_which_rows_play_which_part() -> puad::Result<()> {
    let (mut detector, table) = of_payments();
    let mixed = payments::generate(&PaymentsConfig::default(), 1)?.table;
    let only = |group| mixed.select(&mixed.rows_of(group)).into_input();
    let rate = 0.02;
    let mut set = |unlabeled: Input, anomalies: Input| {
        let rule = Threshold::CorrectedRate {
            rate,
            unlabeled,
            anomalies: Some(anomalies),
            prior: None,
            confidence: None,
        };
        detector.set_threshold(rule)?;
        Ok::<_, Error>((detector.threshold(), detector.threshold_rule()))
    };
    let all = || (&mixed).into_input();
    let by_labels = set(all()?, all()?)?;
    assert_eq!(
        by_labels,
        set(only(Group::Unlabeled)?, only(Group::Anomalous)?)?
    );
    let counts = matches!(
        by_labels.1,
        ThresholdRule::CorrectedRate {
            rows: 4000,
            anomalies: 60,
            ..
        }
    );
    assert!(counts, "{:?}", by_labels.1);
    let tail = |anomalies| detector.corrected_tail(&mixed, Some(anomalies), None);
    assert_eq!(tail(all()?)?, tail(only(Group::Anomalous)?)?);
    // Where no row has a label, all are what they are given as.
    let unknown = mixed
        .select(&mixed.rows_of(Group::Unlabeled))
        .into_input()?;
    let mut other = detector.clone();
    let normals = unknown;
    other.set_threshold(Threshold::FalsePositiveRate { rate, normals })?;
    let expected = ThresholdRule::FalsePositiveRate {
        rate,
        normals: 4000,
    };
    assert_eq!(other.threshold_rule(), expected);
    // No row is known to be normal.
    let normals = all()?;
    let error = other.set_threshold(Threshold::FalsePositiveRate { rate, normals });
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("a table with labels") && error.contains("normal"),
        "{error}"
    );

    let watched = detector.watch(&mixed, &DriftTest::default())?;
    assert_eq!(watched.rows, table.len());
    // The review gives out rows of the table, none of which has a label.
    let unlabeled = mixed.rows_of(Group::Unlabeled);
    let review = detector.review(&mixed, 200)?;
    assert!(review.rows().iter().all(|row| unlabeled.contains(row)));
    let scores = detector.score(&mixed)?;
    let highest = |rows: &[usize]| rows.iter().map(|&row| scores[row]).fold(f64::MIN, f64::max);
    assert_eq!(scores[review.rows()[0]], highest(&unlabeled));
    let reviewed = review.confirm(&review.rows()[..50])?;
    assert_eq!((reviewed.rows(), reviewed.confirmed()), (3950, 50));
    let left: Vec<usize> = unlabeled
        .iter()
        .copied()
        .filter(|row| !review.rows()[..50].contains(row))
        .collect();
    assert!(reviewed.threshold(1e-3)? <= highest(&left));
    Ok(())
}
