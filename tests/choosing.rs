//! What data decide: chosen on six sets of ADBench, reported on six others.
//!
//! `PUAD_DATA_DIR=... cargo test --release --test choosing -- --ignored --nocapture`

use std::path::PathBuf;

use puad::data::{LabeledRows, RowSamples, Samples, adbench};
use puad::detector::{NeutralSpec, Transformation};
use puad::estimator::Scaling;
use puad::method::Method;
use puad::metrics::auroc;
use puad::objective::{PuSpec, UnsupervisedSpec};
use puad::{ClassPrior, Estimator, FitConfig};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

const CHOOSING: [&str; 6] = [
    "18_Ionosphere",
    "2_annthyroid",
    "20_letter",
    "24_mnist",
    "28_pendigits",
    "40_vowels",
];
const REPORTING: [&str; 6] = [
    "6_cardio",
    "23_mammography",
    "26_optdigits",
    "30_satellite",
    "32_shuttle",
    "38_thyroid",
];
const SEEDS: u64 = 2;

/// Rows of a set at most, of each class.
const ROWS: usize = 1500;

struct Task {
    unlabeled: Samples,
    anomalies: Samples,
    test: Samples,
    truth: Vec<bool>,
}

fn table(name: &str) -> LabeledRows {
    let dir = std::env::var_os("PUAD_DATA_DIR").expect("PUAD_DATA_DIR must name a folder");
    let path = PathBuf::from(dir)
        .join("adbench")
        .join(format!("{name}.npz"));
    adbench::load(path).unwrap()
}

/// Four fifths of the normals and half of the anomalies are unlabeled, of the others at most 50 anomalies
/// and half are labeled, and the rest is for testing.
fn task(table: &LabeledRows, seed: u64) -> Task {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = |class| {
        let mut rows = table.rows_of(class);
        rows.shuffle(&mut rng);
        rows.truncate(ROWS);
        rows
    };
    let (normals, anomalies) = (rows(0), rows(1));
    let (trained, normal) = normals.split_at(normals.len() * 4 / 5);
    let (hidden, rest) = anomalies.split_at(anomalies.len() / 2);
    let (labeled, abnormal) = rest.split_at((rest.len() / 2).min(50));
    let samples = table.samples().unwrap();
    let select = |a: &[u32], b: &[u32]| samples.select(&[a, b].concat()).unwrap();
    Task {
        unlabeled: select(trained, hidden),
        anomalies: select(labeled, &[]),
        test: select(normal, abnormal),
        truth: (0..normal.len() + abnormal.len())
            .map(|i| i >= normal.len())
            .collect(),
    }
}

fn area(task: &Task, config: FitConfig) -> f64 {
    let detector = Estimator::new(config)
        .fit(&task.unlabeled, &task.anomalies)
        .unwrap();
    auroc(&detector.score(&task.test).unwrap(), &task.truth).unwrap()
}

/// A line a setting: AUROC of each set, means over seeds, and the mean of the sets.
fn compare(sets: &[&str], settings: &[(&str, FitConfig)]) {
    let tables: Vec<LabeledRows> = sets.iter().map(|name| table(name)).collect();
    println!("{:<24} {}  mean", "", sets.join("  "));
    for (name, config) in settings {
        let areas: Vec<f64> = tables
            .iter()
            .map(|table| {
                let seed = |seed| {
                    let mut config = config.clone();
                    config.train.seed = seed;
                    area(&task(table, seed), config)
                };
                (0..SEEDS).map(seed).sum::<f64>() / SEEDS as f64
            })
            .collect();
        let mean = areas.iter().sum::<f64>() / areas.len() as f64;
        let row: Vec<String> = areas.iter().map(|a| format!("{a:.3}")).collect();
        println!("{name:<24} {}  {mean:.3}", row.join("  "));
    }
}

fn with(method: Method, scaling: Scaling) -> FitConfig {
    let method = Some(method);
    FitConfig {
        method,
        scaling,
        ..FitConfig::default()
    }
}

/// The default for vectors, of detectors with biases and without.
fn scalings() -> Vec<(&'static str, FitConfig)> {
    let mut settings = Vec::new();
    let usual = [Scaling::Auto, Scaling::Standard, Scaling::Robust];
    let homogeneous = [Scaling::Auto, Scaling::Standard];
    for (name, method, scalings) in [
        ("DeepSVDD", Method::DEEP_SVDD, &homogeneous[..]),
        ("PUSVDD", Method::PUSVDD, &homogeneous),
        ("PUAE", Method::PUAE, &usual),
    ] {
        for &scaling in scalings {
            let label: &str = format!("{name} {scaling:?}").leak();
            settings.push((label, with(method.clone(), scaling)));
        }
    }
    settings
}

#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn scalings_to_choose() {
    compare(&CHOOSING, &scalings());
}

#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn scalings_to_report() {
    compare(&REPORTING, &scalings());
}

/// The least class prior to train with.
#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn priors_to_choose() {
    let mut settings = Vec::new();
    for (name, method) in [("PU", Method::PU), ("PUAE", Method::PUAE)] {
        for prior in [0.05, 0.1, 0.2] {
            let mut config = with(method.clone(), Scaling::Auto);
            config.prior = ClassPrior::new(prior).unwrap().into();
            let label: &str = format!("{name} {prior}").leak();
            settings.push((label, config));
        }
    }
    compare(&CHOOSING, &settings);
}

/// What NeuTraL AD makes of a vector, and ICL.
#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn views_to_choose() {
    let mut settings = Vec::new();
    for (name, transformation, scaling) in [
        ("masks", Transformation::Multiplicative, Scaling::Auto),
        (
            "masks, standard",
            Transformation::Multiplicative,
            Scaling::Standard,
        ),
        ("residual", Transformation::Residual, Scaling::Auto),
        ("plain", Transformation::Plain, Scaling::Auto),
    ] {
        let spec = NeutralSpec {
            transformation,
            ..NeutralSpec::default()
        };
        let alone = Method::new(spec, UnsupervisedSpec {});
        let label: &str = format!("{name}, unsupervised").leak();
        settings.push((label, with(alone, scaling)));
        let pu = Method::new(spec, PuSpec::default());
        let label: &str = format!("{name}, PU").leak();
        settings.push((label, with(pu, scaling)));
    }
    for (name, scaling) in [("auto", Scaling::Auto), ("standard", Scaling::Standard)] {
        for objective in ["unsupervised", "pu"] {
            let method = format!("icl/{objective}").parse().unwrap();
            let label: &str = format!("ICL, {objective}, {name}").leak();
            settings.push((label, with(method, scaling)));
        }
    }
    compare(&CHOOSING, &settings);
}
