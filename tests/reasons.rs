//! Does an explanation point at the column that was tampered with? Printed in full by
//! `cargo test --release --test reasons -- --nocapture`.

use puad::candle_core::Device;
use puad::data::payments::{self, PaymentsConfig};
use puad::encoding::Gaps;
use puad::encoding::Usual;
use puad::estimator::{IntoSamples, Observed};
use puad::method::Method;
use puad::{Error, Estimator, FitConfig, FittedDetector};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const COLUMNS: usize = 10;
const SEEDS: std::ops::Range<u64> = 0..3;
const PLANTED: usize = 60;

type Rows = Vec<Vec<f64>>;

/// Ten columns of three hidden causes; the last two are skew, as amounts are.
fn usual(rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut normal = || -> f64 { StandardNormal.sample(rng) };
    let causes = [normal(), normal(), normal()];
    let mut row: Vec<f64> = (0..COLUMNS)
        .map(|j| causes[j % 3] + 0.5 * causes[(j + 1) % 3] + 0.3 * normal())
        .collect();
    row[8..].iter_mut().for_each(|v| *v = (0.5 * *v).exp());
    row
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Six deviations off.
    Far,
    /// A usual value of the column, but not with the others of its row.
    Unlike,
    /// In another unit, as Fahrenheit for Celsius.
    Unit,
}

const KINDS: [Kind; 3] = [Kind::Far, Kind::Unlike, Kind::Unit];

/// A row of which one column was tampered with, and that column.
fn planted(kind: Kind, rng: &mut ChaCha8Rng, rows: &Rows) -> (Vec<f64>, usize) {
    let mut row = usual(rng);
    let j = rng.random_range(0..COLUMNS);
    row[j] = match kind {
        Kind::Far => row[j] + if rng.random() { 6. } else { -6. },
        Kind::Unit => 1.8 * row[j] + 32.,
        Kind::Unlike => {
            let mut column: Vec<f64> = rows.iter().map(|row| row[j]).collect();
            column.sort_by(f64::total_cmp);
            let below = column.partition_point(|v| *v < row[j]);
            let (low, high) = (column.len() / 100, column.len() * 99 / 100);
            column[if below < column.len() / 2 { high } else { low }]
        }
    };
    (row, j)
}

/// Fitted on 1,500 usual rows with 75 planted ones, 60 of them labeled.
fn fit(method: &Method, rows: &Rows, rng: &mut ChaCha8Rng, seed: u64) -> FittedDetector {
    let mut some = |n: usize| -> Rows {
        let one = |i: usize| planted(KINDS[i % 3], rng, rows).0;
        (0..n).map(one).collect()
    };
    let unlabeled = [rows.clone(), some(75)].concat();
    let mut config = FitConfig {
        method: Some(method.clone()),
        ..FitConfig::default()
    };
    config.train.seed = seed;
    Estimator::new(config).fit(&unlabeled, some(60)).unwrap()
}

/// The shares of planted rows, by kind, whose first reason is the column that was tampered with.
fn shares(method: &Method) -> [f64; 3] {
    let mut right = [0usize; 3];
    for seed in SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rows: Rows = (0..1500).map(|_| usual(&mut rng)).collect();
        let detector = fit(method, &rows, &mut rng, seed);
        for (kind, right) in KINDS.into_iter().zip(&mut right) {
            let (new, columns): (Rows, Vec<usize>) =
                (0..PLANTED).map(|_| planted(kind, &mut rng, &rows)).unzip();
            let falls = detector.explain(&new).unwrap().attribution;
            let falls = falls.to_vec2::<f32>().unwrap();
            let first = |falls: &Vec<f32>| {
                let best = |a: &usize, b: &usize| falls[*a].total_cmp(&falls[*b]);
                (0..COLUMNS).max_by(best).unwrap()
            };
            *right += falls
                .iter()
                .zip(columns)
                .filter(|(f, j)| first(f) == *j)
                .count();
        }
    }
    let total = PLANTED * SEEDS.count();
    right.map(|right| right as f64 / total as f64)
}

/// PU and PUSVDD fall short of nine in ten, as the documentation of `explain` says.
#[test]
fn the_first_reason_is_the_column_that_was_tampered_with() {
    println!("{:?} and all", KINDS);
    for (method, least) in [
        (Method::PUAE, 0.9),
        (Method::AE, 0.9),
        (Method::ISOLATION_FOREST, 0.9),
        (Method::PU, 0.8),
        (Method::PUSVDD, 0.5),
    ] {
        let shares = shares(&method);
        let all = shares.iter().sum::<f64>() / 3.;
        println!("{method}: {shares:.2?} {all:.2}");
        assert!(all >= least, "{method}: {shares:?}");
    }
}

/// The shares of tampered payments, by cause, whose first reason is the column that was tampered with.
fn shares_of_tables(method: &Method) -> [f64; 3] {
    const CAUSES: [&str; 3] = ["amount", "country", "at"];
    let (mut right, mut of) = ([0usize; 3], [0usize; 3]);
    for seed in SEEDS {
        let drawn = |seed, normals| {
            let config = PaymentsConfig {
                normals,
                unlabeled_anomalies: 75,
                ..PaymentsConfig::default()
            };
            payments::generate(&config, seed).unwrap()
        };
        let mut config = FitConfig {
            method: Some(method.clone()),
            ..FitConfig::default()
        };
        config.train.seed = seed;
        config.encoding.all.gaps = Gaps::Fill;
        (config.encoding.all.instant, config.encoding.all.hour) = (false, true);
        let detector = Estimator::new(config).fit_table(&drawn(seed, 1500).table);
        let new = drawn(100 + seed, 0);
        let reasons = detector.unwrap().reasons(&new.table, 1).unwrap();
        for (reasons, cause) in reasons.iter().zip(new.causes) {
            let kind = CAUSES.iter().position(|of| Some(*of) == cause).unwrap();
            let first = reasons
                .first()
                .and_then(|reason| reason.column.name.as_deref());
            of[kind] += 1;
            right[kind] += usize::from(first == cause);
        }
    }
    [0, 1, 2].map(|kind| right[kind] as f64 / of[kind] as f64)
}

/// AE and the isolation forest fall short of nine in ten, as the documentation of `explain` says: a payment at night
/// is little more unusual to them than others.
#[test]
fn the_first_reason_of_a_table_is_the_column_that_was_tampered_with() {
    println!("amount, country, at and all");
    for (method, least) in [
        (Method::PUAE, 0.9),
        (Method::AE, 0.7),
        (Method::ISOLATION_FOREST, 0.8),
        (Method::PU, 0.9),
        (Method::PUSVDD, 0.9),
    ] {
        let shares = shares_of_tables(&method);
        let all = shares.iter().sum::<f64>() / 3.;
        println!("{method}: {shares:.2?} {all:.2}");
        assert!(all >= least, "{method}: {shares:?}");
    }
}

/// In the caller's names, order of columns and unit; the same from a file.
#[test]
fn reasons_are_told_in_the_callers_terms() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let row = |rng: &mut ChaCha8Rng| {
        let t: f64 = StandardNormal.sample(rng);
        vec![200. + 50. * t, t + 0.1, 7.]
    };
    let rows: Rows = (0..600).map(|_| row(&mut rng)).collect();
    let labeled: Rows = (0..20)
        .map(|i| vec![9000. + f64::from(i), 0., 7.])
        .collect();
    let named = |rows: &Rows, names: &[&str]| rows.into_samples()?.with_names(names);
    let names = ["amount", "speed", "fixed"];
    let mut config = FitConfig::default();
    config.train.epochs = 30;
    let detector = Estimator::new(config)
        .fit(
            named(&rows, &names).unwrap(),
            named(&labeled, &names).unwrap(),
        )
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("detector");
    detector.save(&path).unwrap();
    let loaded = FittedDetector::load(&path, &Device::Cpu).unwrap();

    let swapped = named(
        &vec![vec![0.3, 7., 9812.], vec![0.1, 7., 200.]],
        &["speed", "fixed", "amount"],
    );
    let reasons = detector.reasons(swapped.as_ref().unwrap(), 2).unwrap();
    assert_eq!(loaded.reasons(swapped.unwrap(), 2).unwrap(), reasons);
    let first = &reasons[0][0];
    assert_eq!(
        (first.column.index, &first.value),
        (0, &Observed::Number(9812.))
    );
    let Some(Usual::Range(low, high)) = first.usual else {
        panic!("{first:?}");
    };
    // 200 and 1.645 deviations of 50 on both sides.
    assert!(
        (low - 118.).abs() < 15. && (high - 282.).abs() < 15.,
        "{low} {high}"
    );
    let text = first.to_string();
    assert!(text.starts_with("amount is 9812, usually 1"), "{text}");
    for reasons in &reasons {
        assert!(reasons.len() <= 2 && reasons.iter().all(|r| r.contribution > 0.));
        assert!(reasons.is_sorted_by(|a, b| a.contribution >= b.contribution));
        // What is the same in all rows is no reason.
        assert!(reasons.iter().all(|r| r.column.index != 2), "{reasons:?}");
    }
    assert_eq!(
        detector.reasons(Rows::new(), 2).unwrap(),
        Vec::<Vec<_>>::new()
    );
    let err = detector.reasons([[1f64, 2.]], 2).unwrap_err();
    assert!(matches!(err, Error::Shape { .. }), "{err}");
}
