//! What a committee finds, and what it is after a file.

use super::*;

#[test]
fn known_and_unknown_kinds_are_found() {
    let detector = fit(pair(), 60, 20);
    let toy = toy::generate(&ToyConfig::default(), 1).unwrap();
    let rows = [toy.normals.clone(), toy.unlabeled_anomalies, toy.unseen].concat();
    let truth: Vec<bool> = (0..rows.len())
        .map(|row| row >= toy.normals.len())
        .collect();
    let found = auroc(&detector.score(&rows).unwrap(), &truth).unwrap();
    assert!(found > 0.97, "{found}");
    let members = detector.members(&rows).unwrap().unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!(members[0].method, forest());
    for member in &members {
        assert_eq!(member.weight, 0.5);
        assert_eq!(member.places.len(), rows.len());
        assert!(member.places.iter().all(|place| (0. ..=1.).contains(place)));
        assert!(auroc(&member.places, &truth).unwrap() > 0.9);
    }
    assert!(fit(Method::PUAE, 1, 20).members(&rows).unwrap().is_none());
    let none = detector.members(&rows[..0]).unwrap().unwrap();
    assert!(none.iter().all(|member| member.places.is_empty()));
}

#[test]
fn the_same_seed_is_the_same_committee_also_from_a_file() {
    let (detector, again) = (fit(pair(), 4, 10), fit(pair(), 4, 10));
    let new = points(3);
    let scores = detector.score(&new).unwrap();
    assert_eq!(scores, again.score(&new).unwrap());
    assert_eq!(detector.validation_scores(), again.validation_scores());
    // Alone as in company.
    for (row, score) in new.iter().zip(&scores).take(20) {
        assert_eq!(
            detector.score([*row]).unwrap()[0].to_bits(),
            score.to_bits()
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("committee");
    detector.save(&path).unwrap();
    let read = FittedDetector::load(&path, &Device::Cpu).unwrap();
    assert_eq!(read.score(&new).unwrap(), scores);
    assert_eq!(read.method(), detector.method());
    assert_eq!(read.validation_scores(), detector.validation_scores());
    let places = |detector: &FittedDetector| detector.members(&new).unwrap();
    assert_eq!(places(&read), places(&detector));
    // A default that was resolved reads as it was, too.
    let auto = fit(Method::Auto, 2, 10);
    let members = auto.members(&new).unwrap().unwrap();
    let names: Vec<&str> = members.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["PUForest", "PUAE", "PUAE (pretraining_epochs 200)"]);
    auto.save(&path).unwrap();
    let read = FittedDetector::load(&path, &Device::Cpu).unwrap();
    assert_eq!(read.config().method, Some(Method::Auto));
    assert_eq!(read.score(&new).unwrap(), auto.score(&new).unwrap());
}

/// However many fits run side by side.
#[test]
fn threads_do_not_matter() {
    let run = || fit(pair(), 4, 10);
    let (one, several) = (in_turn(run), run());
    let new = points(3);
    assert_eq!(one.score(&new).unwrap(), several.score(&new).unwrap());
    assert_eq!(one.validation_scores(), several.validation_scores());
}

/// With a stranger's member, by the registry that knows it.
#[test]
fn a_stranger_s_member_is_read_by_its_registry() {
    let members = [Method::from(MemorySpec {}), Method::ISOLATION_FOREST];
    let detector = fit(Committee::of(members), 1, 6);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("committee");
    detector.save(&path).unwrap();
    let error = FittedDetector::load(&path, &Device::Cpu).unwrap_err();
    assert!(
        matches!(&error, Error::UnknownSpecification { name, .. } if name == "memory"),
        "{error}"
    );
    let registry = Registry::default().with_model::<MemorySpec>().unwrap();
    let read = FittedDetector::load_with(&path, &Device::Cpu, &registry).unwrap();
    let new = labeled(20);
    assert_eq!(read.score(&new).unwrap(), detector.score(&new).unwrap());
}

/// A member whose score overflows finds the row the most anomalous of all.
#[test]
fn extreme_rows_are_scored_above_all_others() {
    let network = Committee::of([Method::PUAE, Method::PUSVDD]);
    for committee in [pair(), network] {
        let mut detector = fit(committee, 5, 10);
        detector.set_input_check(InputCheck::Warn);
        let usual = detector.score(points(3)).unwrap();
        let highest = usual.iter().copied().fold(0., f64::max);
        for size in [1e30f32, 1e38, f32::MAX] {
            let row = [[size, -size]];
            let score = detector.score(row).unwrap()[0];
            assert!(
                score.is_finite() && score >= highest * (1. - 1e-12),
                "{size}: {score} {highest}"
            );
            let members = detector.members(row).unwrap().unwrap();
            // A forest has no gross values: they are in a leaf beside others.
            let far =
                |member: &MemberPlaces| member.method.pair().is_none() || member.places[0] > 0.9;
            assert!(members.iter().all(far), "{size}: {members:?}");
        }
        let numbers = [[1e100f64, -1e300]];
        assert!(detector.score(numbers).unwrap()[0] >= highest * (1. - 1e-12));
    }
}

/// An isolation forest beside an autoencoder: what a fit without labels gets.
#[test]
fn without_labels_unlike_rows_are_found() {
    let data = PuDataset::new(points(0).into_samples().unwrap()).unwrap();
    let config = FitConfig {
        method: None,
        ..config(Method::Auto, 40)
    };
    let detector = Estimator::new(config).fit_dataset(&data).unwrap();
    let toy = toy::generate(&ToyConfig::default(), 1).unwrap();
    let rows = [toy.normals.clone(), toy.unseen].concat();
    let truth: Vec<bool> = (0..rows.len())
        .map(|row| row >= toy.normals.len())
        .collect();
    let found = auroc(&detector.score(&rows).unwrap(), &truth).unwrap();
    assert!(found > 0.9, "{found}");
}

/// A value that no row comes near is an alarm, also where the members that see it have less than half the weight; farther
/// rows have higher scores.
#[test]
fn gross_rows_are_alarms() {
    let forest = Member {
        weight: 3.,
        ..forest().into()
    };
    let members = vec![forest, Method::PUAE.into(), Method::AE.into()];
    let mut detector = fit(Committee { members, folds: 3 }, 60, 10);
    detector.set_input_check(InputCheck::Warn);
    let rows: Vec<[f32; 2]> = [30., 100., 1000.].map(|size| [-size, size]).into();
    let scores = detector.score(&rows).unwrap();
    assert!(scores.is_sorted_by(|a, b| a < b), "{scores:?}");
    assert!(
        scores[0] > detector.threshold(),
        "{scores:?} {}",
        detector.threshold()
    );
}
