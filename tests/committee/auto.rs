//! What is taken where no method is named.

use super::*;

#[test]
fn what_is_taken_where_no_method_is_named() {
    let method = |shape: &[usize], labeled| Method::for_samples(shape, labeled).to_string();
    assert_eq!(method(&[30], true), "PUForest + PUAE + PUAE");
    assert_eq!(method(&[30], false), "AE + IF");
    assert_eq!(method(&[1, 28, 28], true), "PUSVDD");
    assert_eq!(method(&[1, 28, 28], false), "DeepSVDD");

    for (labels, kept) in [(2, 2), (3, 3), (4, 4), (20, 20)] {
        let detector = fit(Method::Auto, 2, labels);
        assert_eq!(detector.method().to_string(), "PUForest + PUAE + PUAE");
        assert_eq!(detector.validation_scores().anomalies.len(), kept);
        assert!(detector.calibration().is_some());
    }
    let plain = FitConfig {
        method: None,
        ..config(Method::Auto, 2)
    };
    let (unlabeled, anomalies) = (points(0), labeled(10));
    let default = Estimator::new(plain.clone())
        .fit(&unlabeled, &anomalies)
        .unwrap();
    let new = points(3);
    let named = fit(Method::Auto, 2, 10);
    assert_eq!(default.score(&new).unwrap(), named.score(&new).unwrap());
    // Without labels.
    let data = PuDataset::new((&unlabeled).into_samples().unwrap()).unwrap();
    let detector = Estimator::new(plain.clone()).fit_dataset(&data).unwrap();
    assert_eq!(detector.method().to_string(), "AE + IF");
    assert!(detector.calibration().is_none());
    // One label is too few to hold any out.
    let error = Estimator::new(plain)
        .fit(&unlabeled, labeled(1))
        .unwrap_err();
    assert!(matches!(error, Error::TooFewSamples { .. }), "{error}");
}

/// What the fit is given all members train with, also where that is less than the one that Auto was chosen with.
#[test]
fn a_class_prior_that_is_given_is_trained_with() {
    let of = |prior: f64| FitConfig {
        prior: ClassPrior::new(prior).unwrap().into(),
        ..config(Method::Auto, 3)
    };
    let fit = |prior| {
        let estimator = Estimator::new(of(prior));
        estimator.fit(points(0), labeled(10)).unwrap()
    };
    let (usual, large, small) = (fit(0.1), fit(0.4), fit(0.01));
    let new = points(3);
    assert!(usual.score(&new).unwrap() != large.score(&new).unwrap());
    let Method::Committee(committee) = large.method() else {
        panic!("{}", large.method());
    };
    assert!(
        committee
            .members
            .iter()
            .all(|member| member.prior.is_none())
    );
    assert!(
        large
            .warnings()
            .iter()
            .all(|told| !matches!(told, Warning::LowPrior { .. }))
    );
    let told = small
        .warnings()
        .iter()
        .find(|told| matches!(told, Warning::LowPrior { .. }));
    let (prior, trained) = (0.01, 0.05);
    assert_eq!(told, Some(&Warning::LowPrior { prior, trained }));
    // An estimate is what decisions follow, and not what it trains with.
    let estimated = FitConfig {
        prior: FitConfig::default().prior,
        ..of(0.1)
    };
    let method = estimated.method_for(&[2], true);
    assert_eq!(method, Method::for_samples(&[2], true));
    assert!(method != of(0.1).method_for(&[2], true));
}

/// A member with a class prior of its own is not asked.
#[test]
fn a_low_class_prior_is_told_of_members_that_train_with_it() {
    let warns = |prior: Option<f64>| {
        let member = Member {
            prior: prior.map(|prior| ClassPrior::new(prior).unwrap()),
            ..Method::PUAE.into()
        };
        let members = vec![forest().into(), member];
        let config = FitConfig {
            prior: ClassPrior::new(0.01).unwrap().into(),
            ..config(Committee { members, folds: 2 }, 1)
        };
        let detector = Estimator::new(config).fit(points(0), labeled(10)).unwrap();
        let mut told = detector.warnings().iter();
        told.any(|told| matches!(told, Warning::LowPrior { .. }))
    };
    assert!(warns(None));
    assert!(!warns(Some(0.1)));
}
