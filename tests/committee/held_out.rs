//! What of the labels is held out.

use super::*;

/// Every labeled anomaly is learned from, and has a score by a fit that had not seen it.
#[test]
fn labeled_anomalies_are_held_out_a_fold_at_a_time() {
    let committee = Committee {
        members: vec![Method::from(MemorySpec {}).into()],
        folds: 4,
    };
    let detector = fit(committee, 1, 10);
    let scores = &detector.validation_scores().anomalies;
    assert_eq!(scores.len(), 10);
    let highest = detector
        .validation_scores()
        .unlabeled
        .last()
        .copied()
        .unwrap();
    // None of the fits that remember one scores it; together they do.
    assert!(scores.iter().all(|score| *score < highest), "{scores:?}");
    for score in detector.score(labeled(10)).unwrap() {
        assert!(score > 0.7 * 101f64.ln(), "{score}");
    }
    // As many folds as labels.
    let detector = fit(Committee::of([Method::from(MemorySpec {})]), 1, 3);
    assert_eq!(detector.validation_scores().anomalies.len(), 3);
}

/// The caller's own validation part stays held out.
#[test]
fn a_validation_part_of_the_caller_s_is_never_trained_on() {
    let data = |rows: Vec<[f32; 2]>, labels: &[[f32; 2]]| {
        PuDataset::new(rows.into_samples().unwrap())
            .unwrap()
            .with_anomalies(labels.into_samples().unwrap())
            .unwrap()
    };
    let all = labeled(12);
    let (train, validation) = (data(points(0), &all[..8]), data(points(1), &all[8..]));
    let config = config(Committee::of([Method::from(MemorySpec {})]), 1);
    let detector = Estimator::new(config)
        .fit_split(&train, &validation)
        .unwrap();
    let (seen, held) = all.split_at(8);
    assert_eq!(detector.validation_scores().anomalies.len(), 4);
    for score in detector.score(seen).unwrap() {
        assert!(score > 0.99 * 101f64.ln(), "{score}");
    }
    for score in detector.score(held).unwrap() {
        assert!(score < 0.7 * 101f64.ln(), "{score}");
    }
}

/// A member without a use for labels needs no fold: it counts by its weight, however often it is fitted, and in what is
/// held out by any of its fits.
#[test]
fn a_member_without_labels_is_fitted_as_often_as_it_says() {
    let isolation = |fits, weight| Member {
        fits: Some(fits),
        weight,
        ..Method::ISOLATION_FOREST.into()
    };
    let memory = || Member::from(Method::from(MemorySpec {}));
    let of = |members: Vec<Member>| fit(Committee { members, folds: 3 }, 1, 7);
    let (new, labels) = (points(3), labeled(7));
    for fits in [1, 2, 5] {
        let both = of(vec![memory(), isolation(fits, 3.)]);
        let scores = both.score(&new).unwrap();
        let alone = of(vec![memory()]).score(&new).unwrap();
        let first = |row: &[f32; 2]| {
            let members = both.members([*row]).unwrap().unwrap();
            (members[1].places[0], members[1].weight)
        };
        for (at, row) in new.iter().enumerate() {
            let (place, weight) = first(row);
            assert_eq!(weight, 0.75);
            let term = (1.01 / (1.01 - place)).ln();
            let own = (4. * scores[at] - alone[at]) / 3.;
            if fits == 1 && place < 0.99 {
                assert!((own - term).abs() < 1e-9, "{own} {term}");
            } else {
                // A mean of the logarithms of several, which is no less than that of their mean place.
                assert!(own > term - 1e-9, "{own} {term}");
            }
        }
        let held = &both.validation_scores().anomalies;
        assert_eq!(held.len(), 7);
        // The memory's part, a quarter, is missing in each.
        let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
        let seen = both.score(&labels).unwrap();
        assert!(mean(held) < mean(&seen) - 0.5, "{held:?} {seen:?}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("committee");
        both.save(&path).unwrap();
        let registry = Registry::default().with_model::<MemorySpec>().unwrap();
        let read = FittedDetector::load_with(&path, &Device::Cpu, &registry).unwrap();
        assert_eq!(read.score(&new).unwrap(), scores);
        assert_eq!(read.members(&new).unwrap(), both.members(&new).unwrap());
    }
    // As often as there are folds it is as if nothing was said.
    let said = of(vec![memory(), isolation(3, 1.)]);
    let plain = of(vec![memory(), Method::ISOLATION_FOREST.into()]);
    assert_eq!(said.score(&new).unwrap(), plain.score(&new).unwrap());
    assert_eq!(said.validation_scores(), plain.validation_scores());
}

/// Anew, all labels a fold at a time held out again; confirmed alarms were picked by their scores and are not among the
/// scores that the threshold rests on.
#[test]
fn a_review_is_learned_from() {
    let data = PuDataset::new(points(0).into_samples().unwrap()).unwrap();
    let data = data
        .with_anomalies(labeled(6).into_samples().unwrap())
        .unwrap();
    let detector = Estimator::new(config(pair(), 5))
        .fit_dataset(&data)
        .unwrap();
    let hidden = points(0).len() - 10..points(0).len();
    let labels = hidden.map(|row| (row, puad::estimator::Label::Anomaly));
    let feedback = detector.feedback(&data, labels).unwrap();
    let refitted = detector.refit(&feedback, &RefitConfig::default()).unwrap();
    assert_eq!(refitted.method(), detector.method());
    assert_eq!(refitted.history().training.epochs.len(), 5);
    assert_eq!(refitted.validation_scores().anomalies.len(), 6);
    assert_eq!(refitted.out_of_fold().unwrap().anomalies.len(), 6);
    let told = refitted.warnings();
    assert!(
        !told
            .iter()
            .any(|told| matches!(told, Warning::NoFolds { .. })),
        "{told:?}"
    );
    // What was confirmed is above what it was.
    let confirmed = &points(0)[points(0).len() - 10..];
    let mean =
        |detector: &FittedDetector| detector.score(confirmed).unwrap().iter().sum::<f64>() / 10.;
    assert!(mean(&refitted) > mean(&detector));
}

/// Also where the fit had no validation labels.
#[test]
fn confirmed_alarms_take_no_part_in_the_calibration() {
    let data = |seed| PuDataset::new(points(seed).into_samples().unwrap()).unwrap();
    let train = data(0)
        .with_anomalies(labeled(7).into_samples().unwrap())
        .unwrap();
    let detector = Estimator::new(config(pair(), 3))
        .fit_split(&train, &data(1))
        .unwrap();
    assert_eq!(detector.validation_scores().anomalies.len(), 7);
    let labels = (0..4).map(|row| (row, puad::estimator::Label::Anomaly));
    let feedback = detector.feedback_split(&train, &data(1), labels).unwrap();
    let refitted = detector.refit(&feedback, &RefitConfig::default()).unwrap();
    assert_eq!(refitted.validation_scores().anomalies.len(), 7);
}

/// Scores of held-out labels lie where the detector's own can.
#[test]
fn held_out_scores_are_no_higher_than_a_score_can_be() {
    let far = (0..20)
        .map(|i| [8. + i as f32 * 0.01, -8.])
        .collect::<Vec<_>>();
    let detector = Estimator::new(FitConfig {
        folds: Some(3),
        ..config(pair(), 3)
    })
    .fit(points(0), &far)
    .unwrap();
    let most = 101f64.ln() + 1e9f64.ln_1p();
    let all = [
        &detector.validation_scores().anomalies,
        &detector.out_of_fold().unwrap().anomalies,
    ];
    for scores in all {
        assert_eq!(scores.len(), 20);
        assert!(scores.iter().all(|&score| score <= most), "{scores:?}");
    }
}
