//! Estimators of the class prior on scores: what holds for all of them, and their errors and intervals on mixtures
//! whose prior is known.

use proptest::prelude::*;
use puad::prior::{
    Bbe, BbeConfig, Dedpul, DedpulConfig, Menon, MenonConfig, PriorData, PriorDoubt, PriorEstimate,
    PriorEstimator, RocSlope, RocSlopeConfig,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::de::DeserializeOwned;

fn all() -> [Box<dyn PriorEstimator>; 4] {
    [
        Box::new(Dedpul::default()),
        Box::new(Bbe::default()),
        Box::new(Menon::default()),
        Box::new(RocSlope::default()),
    ]
}

fn estimate(estimator: &dyn PriorEstimator, unlabeled: &[f64], anomalies: &[f64]) -> PriorEstimate {
    let data = PriorData::of_scores(unlabeled.to_vec(), anomalies.to_vec()).unwrap();
    let estimate = estimator.estimate(&data, 3).unwrap();
    let (low, alpha, high) = ends(&estimate);
    let name = estimator.name();
    assert!(
        0. <= low && low <= alpha && alpha <= high && high <= 1.,
        "{name}: {estimate}"
    );
    estimate
}

fn ends(estimate: &PriorEstimate) -> (f64, f64, f64) {
    (
        estimate.low.get(),
        estimate.alpha.get(),
        estimate.high.get(),
    )
}

fn overlaps(estimate: &PriorEstimate) -> bool {
    let overlap = |doubt: &PriorDoubt| matches!(doubt, PriorDoubt::Overlap { .. });
    estimate.doubts.iter().any(overlap)
}

/// Scores of `n` unlabeled samples, of which exactly the share `alpha` are anomalies, and of `m` labeled ones: standard
/// normal, and `shift` higher.
fn mixture(alpha: f64, (n, m): (usize, usize), shift: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |count: usize, mean: f64| -> Vec<f64> {
        (0..count)
            .map(|_| mean + rng.sample::<f64, _>(StandardNormal))
            .collect()
    };
    let hidden = (alpha * n as f64).round() as usize;
    let unlabeled = [draw(n - hidden, 0.), draw(hidden, shift)].concat();
    (unlabeled, draw(m, shift))
}

#[test]
fn of_anomalies_above_all_else_there_are_none_among_the_unlabeled() {
    let unlabeled: Vec<_> = (0..1000).map(f64::from).collect();
    let anomalies: Vec<_> = (0..100).map(|i| 1000. + f64::from(i)).collect();
    for estimator in all() {
        let estimate = estimate(&*estimator, &unlabeled, &anomalies);
        let name = estimator.name();
        assert!(
            estimate.alpha.get() < 0.005 && estimate.high.get() > 0.,
            "{name}: {estimate}"
        );
        assert!(estimate.doubts.is_empty(), "{name}: {:?}", estimate.doubts);
    }
}

#[test]
fn where_all_score_alike_all_may_be_anomalies() {
    let below: Vec<_> = (0..300).map(|i| -1000. - f64::from(i)).collect();
    let unlabeled: Vec<_> = (0..1000).map(f64::from).collect();
    for estimator in all() {
        for (unlabeled, anomalies) in [
            (vec![0.5; 500], vec![0.5; 50]),
            (vec![0.; 1], vec![-0.; 1]),
            (unlabeled.clone(), below.clone()),
        ] {
            let estimate = estimate(&*estimator, &unlabeled, &anomalies);
            let name = estimator.name();
            assert!(estimate.alpha.get() > 1. - 1e-9, "{name}: {estimate}");
            assert_eq!(estimate.high.get(), 1., "{name}");
            assert!(overlaps(&estimate), "{name}: {:?}", estimate.doubts);
        }
    }
}

#[test]
fn unlabeled_data_of_anomalies_alone_are_found_to_be() {
    let (unlabeled, anomalies) = mixture(1., (2000, 200), 0., 5);
    for estimator in all() {
        let estimate = estimate(&*estimator, &unlabeled, &anomalies);
        assert!(
            estimate.alpha.get() > 0.75,
            "{}: {estimate}",
            estimator.name()
        );
        assert!(
            estimate.high.get() > 0.9,
            "{}: {estimate}",
            estimator.name()
        );
    }
}

#[test]
fn one_or_two_anomalies_give_a_wide_interval_and_say_so() {
    let (unlabeled, anomalies) = mixture(0.05, (2000, 2), 5., 1);
    for estimator in [
        Box::new(Dedpul::default()) as Box<dyn PriorEstimator>,
        Box::new(Bbe::default()),
    ] {
        for count in [1, 2] {
            let estimate = estimate(&*estimator, &unlabeled, &anomalies[..count]);
            let few = PriorDoubt::FewAnomalies { anomalies: count };
            assert!(estimate.doubts.contains(&few), "{:?}", estimate.doubts);
            let (low, _, high) = ends(&estimate);
            assert!(high > 4. * low, "{}: {estimate}", estimator.name());
        }
    }
}

/// Mean absolute error and coverage over 200 data sets.
fn errors(estimator: &dyn PriorEstimator, alpha: f64, labels: usize, shift: f64) -> (f64, f64) {
    let runs = 200;
    let (mut error, mut held) = (0., 0.);
    for seed in 0..runs {
        let (unlabeled, anomalies) = mixture(alpha, (2000, labels), shift, seed);
        let (low, found, high) = ends(&estimate(estimator, &unlabeled, &anomalies));
        error += (found - alpha).abs();
        held += f64::from(u8::from(low <= alpha && alpha <= high));
    }
    (error / runs as f64, held / runs as f64)
}

/// Of scores with the order of the true ratio of densities.
#[test]
fn intervals_hold_the_truth_and_errors_are_small() {
    let (dedpul, bbe, slope) = (Dedpul::default(), Bbe::default(), RocSlope::default());
    for (alpha, labels, most) in [
        (0.01, 20, 0.003),
        (0.01, 100, 0.003),
        (0.05, 20, 0.012),
        (0.05, 100, 0.007),
        (0.05, 500, 0.006),
        (0.25, 20, 0.05),
        (0.25, 100, 0.025),
        (0.5, 100, 0.045),
        (0.5, 500, 0.025),
    ] {
        let (error, coverage) = errors(&dedpul, alpha, labels, 4.);
        println!("DEDPUL {alpha} {labels}: {error:.4} {coverage:.3}");
        assert!(
            error <= most && coverage >= 0.85,
            "{alpha} {labels}: {error} {coverage}"
        );
        let others: [&dyn PriorEstimator; 2] = [&bbe, &slope];
        for other in others {
            let (error, coverage) = errors(other, alpha, labels, 4.);
            let name = other.name();
            println!("{name} {alpha} {labels}: {error:.4} {coverage:.3}");
            assert!(
                coverage >= 0.85,
                "{name}, {alpha} {labels}: {error} {coverage}"
            );
        }
    }
}

#[test]
fn overlap_is_told_where_normals_reach_the_top_and_not_where_they_do_not() {
    for estimator in all() {
        let fires = |shift, labels| {
            let told = (0..20).filter(|&seed| {
                let (unlabeled, anomalies) = mixture(0.05, (2000, labels), shift, seed);
                overlaps(&estimate(&*estimator, &unlabeled, &anomalies))
            });
            told.count()
        };
        let name = estimator.name();
        assert!(fires(4., 100) <= 1, "{name}");
        assert!(fires(0.5, 100) >= 19, "{name}");
        assert!(fires(1., 500) >= 19, "{name}");
    }
}

#[test]
fn the_same_seed_is_the_same_estimate_on_any_number_of_threads() {
    let (unlabeled, anomalies) = mixture(0.1, (1000, 40), 3., 2);
    let data = PriorData::of_scores(unlabeled, anomalies).unwrap();
    for estimator in all() {
        let run = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| estimator.estimate(&data, seed).unwrap())
        };
        assert_eq!(run(1, 7), run(3, 7), "{}", estimator.name());
    }
    let draws = |seed| Menon::default().estimate(&data, seed).unwrap();
    assert_ne!(draws(7), draws(8));
}

#[test]
fn a_wider_level_is_a_wider_interval() {
    let (unlabeled, anomalies) = mixture(0.1, (1000, 40), 3., 2);
    let at = |level| {
        let config = DedpulConfig {
            level,
            ..Default::default()
        };
        ends(&estimate(
            &Dedpul::new(config).unwrap(),
            &unlabeled,
            &anomalies,
        ))
    };
    let (narrow, wide) = (at(0.5), at(0.99));
    assert!(wide.0 < narrow.0 && wide.1 == narrow.1 && wide.2 > narrow.2);
}

#[test]
fn settings_outside_their_range_are_named() {
    fn refused<C: DeserializeOwned>(text: &str, check: fn(&C) -> puad::Result<()>) -> String {
        check(&serde_json::from_str(text).unwrap())
            .unwrap_err()
            .to_string()
    }
    let open = "must be strictly between 0 and 1, got";
    let dedpul = |text| refused(text, DedpulConfig::check);
    assert_eq!(dedpul(r#"{"level": 1}"#), format!("level {open} 1"));
    let rule = "bandwidth must be positive and finite, got 0";
    assert_eq!(dedpul(r#"{"bandwidth": 0}"#), rule);
    let rule = "tolerance must be non-negative and finite, got -1";
    assert_eq!(dedpul(r#"{"tolerance": -1}"#), rule);
    let bbe = |text| refused(text, BbeConfig::check);
    assert_eq!(bbe(r#"{"delta": 0}"#), format!("delta {open} 0"));
    let rule = "gamma must be non-negative and finite, got -0.5";
    assert_eq!(bbe(r#"{"gamma": -0.5}"#), rule);
    assert_eq!(bbe(r#"{"level": 0}"#), format!("level {open} 0"));
    let menon = |text| refused(text, MenonConfig::check);
    assert_eq!(menon(r#"{"extreme": 1}"#), format!("extreme {open} 1"));
    let rule = "resamples must be at least 2, got 1";
    assert_eq!(menon(r#"{"resamples": 1}"#), rule);
    let slope = |text| refused(text, RocSlopeConfig::check);
    let rule = "deviations must be non-negative and finite, got -2";
    assert_eq!(slope(r#"{"deviations": -2}"#), rule);
    assert!(
        Dedpul::new(DedpulConfig {
            level: f64::NAN,
            ..Default::default()
        })
        .is_err()
    );
    assert!(
        Bbe::new(BbeConfig {
            delta: f64::NAN,
            ..Default::default()
        })
        .is_err()
    );
    assert!(
        Menon::new(MenonConfig {
            extreme: f64::NAN,
            ..Default::default()
        })
        .is_err()
    );
    let config = RocSlopeConfig {
        deviations: f64::INFINITY,
        ..Default::default()
    };
    assert!(RocSlope::new(config).is_err());
    assert!(serde_json::from_str::<DedpulConfig>(r#"{"band": 1}"#).is_err());
}

#[test]
fn vectors_are_refused_with_their_shape() {
    let vectors = PriorData::of_vectors(&[[0., 1.]], &[[1., 2.]]).unwrap();
    for estimator in all() {
        let error = estimator.estimate(&vectors, 0).unwrap_err();
        assert!(matches!(error, puad::Error::Shape { ref actual, .. } if *actual == [1, 2]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Of any scores, with ties and in any order; no increasing map changes an estimate.
    #[test]
    fn estimates_are_in_their_intervals_and_depend_on_ranks_alone(
        unlabeled in prop::collection::vec(-40i32..40, 1..120),
        anomalies in prop::collection::vec(-30i32..60, 1..40),
    ) {
        let mapped = |scores: &[i32], map: fn(f64) -> f64| -> Vec<f64> {
            scores.iter().map(|&score| map(f64::from(score))).collect()
        };
        let maps: [fn(f64) -> f64; 4] = [
            |score| score * 1e300,
            |score| score * 1e-300 + 0.,
            |score| 7. + score / 1024.,
            |score| (score / 8.).exp(),
        ];
        for estimator in all() {
            let plain = estimate(&*estimator, &mapped(&unlabeled, |s| s), &mapped(&anomalies, |s| s));
            for map in maps {
                let again = estimate(&*estimator, &mapped(&unlabeled, map), &mapped(&anomalies, map));
                prop_assert_eq!(&again, &plain, "{}", estimator.name());
            }
            let (mut back, mut turned) = (unlabeled.clone(), anomalies.clone());
            back.reverse();
            turned.reverse();
            let again = estimate(&*estimator, &mapped(&back, |s| s), &mapped(&turned, |s| s));
            prop_assert_eq!(&again, &plain, "{}", estimator.name());
        }
    }
}
