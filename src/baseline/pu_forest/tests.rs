use super::*;
use crate::baseline::two_groups::testing::{column, on_threads, unordered};
use candle_core::{DType, Device};
use proptest::prelude::*;

fn config(trees: usize, bag: usize, smoothing: f64) -> PuForestConfig {
    PuForestConfig {
        trees,
        bag,
        smoothing,
        ..PuForestConfig::default()
    }
}

fn fit(others: &Tensor, anomalies: &Tensor, config: &PuForestConfig) -> PuForest {
    PuForest::fit(others, anomalies, config, 0).unwrap()
}

/// Without smoothing a leaf between groups that lie apart is pure; with it, it says what it rests on.
#[test]
fn groups_apart_score_by_what_their_leaves_hold() {
    let (others, anomalies) = (column(&[0.; 8]), column(&[100.; 2]));
    let forest = fit(&others, &anomalies, &config(9, 8, 0.));
    assert_eq!(forest.score(&others).unwrap(), [0.; 8]);
    assert_eq!(forest.score(&anomalies).unwrap(), [1.; 2]);
    // A bag of 8 weighs 8, and so do both anomalies together: (0 + 1) / (8 + 2) and (8 + 1) / (8 + 2).
    let forest = fit(&others, &anomalies, &config(9, 8, 2.));
    for (xs, expected) in [(&others, 0.1), (&anomalies, 0.9)] {
        for score in forest.score(xs).unwrap() {
            assert!((score - expected).abs() < 1e-12, "{score}");
        }
    }
}

/// Whatever the groups' sizes.
#[test]
fn rows_that_cannot_be_told_apart_score_one_half() {
    for (others, anomalies, bag) in [(30, 2, 256), (30, 2, 5), (4, 50, 3), (1, 1, 1)] {
        let (others, anomalies) = (column(&vec![4.; others]), column(&vec![4.; anomalies]));
        for smoothing in [0., 1., 7.] {
            let forest = fit(&others, &anomalies, &config(3, bag, smoothing));
            for score in forest.score(&others).unwrap() {
                assert!((score - 0.5).abs() < 1e-12, "{score}");
            }
        }
    }
}

/// The bag is as large as the setting, the labeled anomalies or the unlabeled samples say.
#[test]
fn bags_follow_the_groups() {
    let config = PuForestConfig::default();
    assert_eq!(config.drawn(10_000, 10), 256);
    assert_eq!(config.drawn(10_000, 700), 700);
    assert_eq!(config.drawn(100, 700), 100);
    assert_eq!(config.drawn(100, 10), 100);
}

/// A row that is like no other: the trees that drew it have a leaf of its own for it, and the others take it for one of
/// the anomalies, next to which it lies.
#[test]
fn out_of_bag_scores_are_of_trees_that_did_not_draw_the_row() {
    let mut values: Vec<f32> = (0..40).map(|i| i as f32 / 40.).collect();
    values.push(9.9);
    let (others, anomalies) = (column(&values), column(&[10., 10.1, 10.2, 10.3]));
    let forest = fit(&others, &anomalies, &config(400, 41, 0.));
    let scores = forest.score(&others).unwrap();
    let [own, held] = [scores[40], forest.out_of_bag()[40].unwrap()];
    assert!(held > 0.95 && own < 0.7, "{own} {held}");
    assert_eq!(forest.out_of_bag().len(), 41);
    // By hand, from the same bags.
    let bag = |index| {
        let mut rng = substream(0, Purpose::PuForest, index);
        (0..41).map(move |_| rand::Rng::random_range(&mut rng, 0..41u32))
    };
    for row in [0u32, 17, 40] {
        let mut held = vec![];
        for (index, tree) in forest.trees.iter().enumerate() {
            if bag(index as u64).all(|drawn| drawn != row) {
                let mut sum = [0.];
                tree.add_values(&values[row as usize..][..1], 1, &mut sum);
                held.push(sum[0]);
            }
        }
        let expected = held.iter().sum::<f64>() / held.len() as f64;
        let found = forest.out_of_bag()[row as usize].unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn a_row_in_every_bag_has_no_score_out_of_bag() {
    let forest = fit(&column(&[1.]), &column(&[2.]), &config(5, 1, 1.));
    assert_eq!(forest.out_of_bag(), [None]);
}

/// An anomaly that hides among many unlabeled samples counts as normal in few trees.
#[test]
fn hidden_anomalies_score_as_anomalies() {
    let mut values: Vec<f32> = (0..1000).map(|i| (i % 97) as f32 / 97.).collect();
    values.extend((0..20).map(|i| 5. + i as f32 / 40.));
    let labeled: Vec<f32> = (0..10).map(|i| 5. + i as f32 / 20.).collect();
    let forest = fit(
        &column(&values),
        &column(&labeled),
        &PuForestConfig::default(),
    );
    let out = forest.out_of_bag();
    let highest = out[..1000].iter().flatten().copied().fold(0., f64::max);
    let lowest = out[1000..].iter().flatten().copied().fold(1., f64::min);
    assert!(highest < lowest, "{highest} {lowest}");
    assert!(lowest > 0.8, "{lowest}");
}

/// Ages from minutes to years, of which the anomalies' are hours: a uniform threshold falls among these once in a
/// thousand times, one between neighbours as often as rows lie there.
#[test]
fn small_values_of_a_skewed_feature_are_told_apart() {
    let noise = |i: usize| (i * 37 % 101) as f32;
    let row = |i: usize, age: f32| [age, noise(i), noise(i + 50), noise(3 * i + 7)];
    let unlabeled: Vec<_> = (0..600)
        .map(|i| row(i, (i as f32 / 600. * 14.).exp()))
        .collect();
    let anomalies: Vec<_> = (0..12).map(|i| row(i * 5, 60. + 20. * i as f32)).collect();
    let tensor = |rows: &[[f32; 4]]| {
        Tensor::from_slice(rows.as_flattened(), (rows.len(), 4), &Device::Cpu).unwrap()
    };
    let (unlabeled, anomalies) = (tensor(&unlabeled), tensor(&anomalies));
    // New rows of either kind, all but the age alike.
    let new = [5f32, 30., 100., 200., 1e3, 1e4, 1e5, 1e6].map(|age| [age, 50., 50., 50.]);
    let scores = |thresholds| {
        let config = PuForestConfig {
            thresholds,
            ..PuForestConfig::default()
        };
        let forest = fit(&unlabeled, &anomalies, &config);
        forest.score(&tensor(&new)).unwrap()
    };
    let gap = |scores: &[f64]| {
        let others = [0, 4, 5, 6, 7].map(|at| scores[at]);
        scores[2].min(scores[3]) - others.into_iter().fold(0., f64::max)
    };
    let (one, turns) = (scores(Some(1)), scores(None));
    assert!(gap(&turns) > 0.2, "{turns:?}");
    assert!(gap(&turns) > gap(&one) + 0.1, "{one:?} {turns:?}");
}

#[test]
fn the_number_of_threads_does_not_matter_and_seeds_do() {
    let (others, anomalies) = unordered();
    let run = |threads, seed| {
        on_threads(threads, || {
            PuForest::fit(&others, &anomalies, &PuForestConfig::default(), seed).unwrap()
        })
    };
    assert_eq!(run(1, 0), run(5, 0));
    assert_ne!(run(1, 0).trees, run(1, 1).trees);
}

#[test]
fn bad_input_is_named() {
    let good = column(&[0., 1.]);
    let err = |others: &Tensor, anomalies: &Tensor, config: &PuForestConfig| {
        PuForest::fit(others, anomalies, config, 0).unwrap_err()
    };
    let empty = Tensor::zeros((0, 1), DType::F32, &Device::Cpu).unwrap();
    for (others, anomalies, expected) in
        [(&empty, &good, "unlabeled"), (&good, &empty, "anomalous")]
    {
        let error = err(others, anomalies, &PuForestConfig::default());
        let named = matches!(error, Error::EmptyGroup { group, .. } if group == expected);
        assert!(named, "{error}");
    }
    let nan = column(&[0., f32::NAN]);
    let error = err(&good, &nan, &PuForestConfig::default());
    assert!(
        matches!(error, Error::NonFiniteFeature { row: 3, .. }),
        "{error}"
    );
    let default = PuForestConfig::default;
    #[rustfmt::skip]
    let wrong = [
        ("trees", PuForestConfig { trees: 0, ..default() }),
        ("bag", PuForestConfig { bag: 0, ..default() }),
        ("min_leaf", PuForestConfig { min_leaf: 0, ..default() }),
        ("features", PuForestConfig { features: Some(0), ..default() }),
        ("thresholds", PuForestConfig { thresholds: Some(0), ..default() }),
        ("thresholds", PuForestConfig { thresholds: Some((1 << 16) + 1), ..default() }),
        ("smoothing", PuForestConfig { smoothing: -1., ..default() }),
        ("smoothing", PuForestConfig { smoothing: f64::NAN, ..default() }),
        ("smoothing", PuForestConfig { smoothing: f64::INFINITY, ..default() }),
    ];
    for (name, config) in wrong {
        let error = err(&good, &good, &config);
        assert!(
            matches!(error, Error::Config { name: n, .. } if n == name),
            "{error}"
        );
    }
    let forest = fit(&good, &good, &config(1, 1, 1.));
    let wide = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
    assert!(matches!(forest.score(&wide), Err(Error::Shape { .. })));
    assert_eq!(forest.score(&empty).unwrap(), [0f64; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn scores_are_shares_whatever_the_rows(
        others in proptest::collection::vec(-3i32..3, 1..40),
        anomalies in proptest::collection::vec(-3i32..3, 1..20),
        bag in 1usize..50, smoothing in 0u8..4, spread in -30i32..38, seed in 0u64..5,
    ) {
        let scale = |v: &[i32]| column(&v.iter().map(|&x| x as f32 * 10f32.powi(spread)).collect::<Vec<_>>());
        let (others, anomalies) = (scale(&others), scale(&anomalies));
        let config = config(5, bag, f64::from(smoothing));
        let forest = PuForest::fit(&others, &anomalies, &config, seed).unwrap();
        for xs in [&others, &anomalies] {
            for score in forest.score(xs).unwrap() {
                prop_assert!((0. ..=1. + 1e-12).contains(&score));
            }
        }
        for score in forest.out_of_bag().iter().flatten() {
            prop_assert!((0. ..=1. + 1e-12).contains(score));
        }
    }
}
