//! From a file of words, times, gaps and labels to explained alarms, without a line of encoding.
#![cfg(feature = "tables")]

use std::ops::ControlFlow;
use std::path::PathBuf;

use puad::candle_core::Device;
use puad::data::payments::{self, Payments, PaymentsConfig};
use puad::data::table::{Column, Group, Kind, Labels, Schema, Table, TableFile};
use puad::encoding::{Gaps, Usual};
use puad::estimator::{Input, IntoSamples, Observed, Warning};
use puad::method::Method;
use puad::metrics::auroc;
use puad::{Error, Estimator, FitConfig, FittedDetector};

fn drawn(seed: u64, normals: usize) -> Payments {
    let config = PaymentsConfig {
        normals,
        unlabeled_anomalies: normals / 20,
        ..PaymentsConfig::default()
    };
    payments::generate(&config, seed).unwrap()
}

/// Gaps are filled, and times are hours.
fn config(epochs: usize) -> FitConfig {
    let mut config = FitConfig::default();
    config.train.epochs = epochs;
    config.encoding.all.gaps = Gaps::Fill;
    let at = config.encoding.column("at");
    (at.instant, at.hour) = (false, true);
    config
}

fn schema(file: &TableFile) -> Schema {
    let schema = file.schema().unwrap();
    schema
        .with_label("state", Labels::anomalous(["fraud"]))
        .unwrap()
}

struct Dir(tempfile::TempDir);

impl Dir {
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn dir() -> Dir {
    Dir(tempfile::tempdir().unwrap())
}

/// A file with its columns the other way round, and one more.
fn turned(csv: &str) -> String {
    let lines = csv.lines().enumerate().map(|(i, line)| {
        let cells: Vec<&str> = line.split(',').rev().skip(1).collect();
        let note = if i == 0 { "note" } else { "whatever 1" };
        format!("{note},{}\n", cells.join(","))
    });
    lines.collect()
}

#[test]
fn from_a_file_to_explained_alarms() {
    let dir = dir();
    let path = dir.file("payments.csv", &drawn(0, 1500).to_csv());
    let file = TableFile::open(&path).unwrap();
    let schema = schema(&file);
    let kinds: Vec<Kind> = schema.columns.iter().map(|field| field.kind).collect();
    let expected = [
        Kind::Id,
        Kind::Number,
        Kind::Number,
        Kind::Category,
        Kind::Category,
        Kind::Boolean,
        Kind::Number,
        Kind::Time,
        Kind::Label,
    ];
    assert_eq!(kinds, expected);
    let detector = Estimator::new(config(60))
        .fit_table(&file.read(&schema).unwrap())
        .unwrap();

    // The file of the detector alone scores tomorrow's.
    let saved = dir.file("detector.safetensors", "");
    detector.save(&saved).unwrap();
    let detector = FittedDetector::load(&saved, &Device::Cpu).unwrap();
    let tomorrow = drawn(1, 1500);
    let csv = tomorrow.to_csv();
    let today = TableFile::open(dir.file("today.csv", &turned(&csv))).unwrap();
    let found = detector.alarms(&today, 50, 2).unwrap();
    assert_eq!(found.scored.rows, tomorrow.table.len() as u64);
    assert_eq!(found.alarms.len(), 50);
    assert!(found.alarms.is_sorted_by(|a, b| a.score >= b.score));
    let mut flagged = vec![];
    detector
        .score_table(&today, |rows| {
            flagged.extend(rows.flagged().map(|i| rows.found.scores[i]));
            ControlFlow::Continue(())
        })
        .unwrap();
    flagged.sort_by(|a, b| b.total_cmp(a));
    for most in [0, 1, 2, 3, 7, 49, usize::MAX] {
        let alarms = detector.alarms(&today, most, 0).unwrap().alarms;
        let scores: Vec<f64> = alarms.iter().map(|alarm| alarm.score).collect();
        assert_eq!(scores, flagged[..flagged.len().min(most)], "{most}");
    }
    let right = found.alarms.iter().filter(|alarm| {
        let cause = tomorrow.causes[alarm.row as usize];
        alarm.id == tomorrow.table.ids()[alarm.row as usize] && cause.is_some()
    });
    assert!(right.count() >= 48);
    let told = found.alarms.iter().filter(|alarm| {
        let first = alarm
            .reasons
            .first()
            .and_then(|reason| reason.column.name.as_deref());
        first == tomorrow.causes[alarm.row as usize]
    });
    assert!(told.count() >= 45);
    let elsewhere = found
        .scored
        .warnings
        .iter()
        .find_map(|warning| match warning {
            Warning::NewLevels {
                column,
                level,
                count,
                ..
            } => Some((column.name.clone(), level.as_str(), *count)),
            _ => None,
        });
    // The fit's training part may have held the country among its anomalies.
    assert!(
        elsewhere
            .is_none_or(|(name, level, _)| name.as_deref() == Some("country") && level == "XX")
    );
    let markdown = found.to_markdown();
    assert_eq!(markdown.lines().count(), 52);
    assert_eq!(found.to_csv().lines().count(), 51);
}

#[test]
fn streamed_and_whole_scores_are_the_same_bits() {
    let dir = dir();
    let payments = drawn(0, 5000);
    let path = dir.file("payments.csv", &payments.to_csv());
    let file = TableFile::open(&path).unwrap();
    let table = file.read(&schema(&file)).unwrap();
    assert!(table.columns().eq(payments.table.columns()));
    let few: Vec<usize> = (0..600).collect();
    for method in [Method::PUAE, Method::ISOLATION_FOREST] {
        let settings = FitConfig {
            method: Some(method),
            ..config(2)
        };
        let detector = Estimator::new(settings)
            .fit_table(&table.select(&few))
            .unwrap();
        let whole = detector.score(&table).unwrap();
        let mut streamed = vec![];
        let scored = detector.score_table(&file, |rows| {
            streamed.extend_from_slice(&rows.found.scores);
            assert!(matches!(&rows.input, Input::Table(table) if table.len() == rows.len()));
            ControlFlow::Continue(())
        });
        assert_eq!(scored.unwrap().rows, 5310);
        assert_eq!(streamed, whole);
        let mut held = vec![];
        let _ = detector.score_table(&table, |rows| {
            held.extend_from_slice(&rows.found.scores);
            ControlFlow::Continue(())
        });
        assert_eq!(held, whole);
        let alone = |row: usize| detector.score(table.select(&[row])).unwrap()[0];
        assert!([0, 4096, 5309].iter().all(|&row| alone(row) == whole[row]));
    }
}

#[test]
fn a_table_is_found_out_as_well_as_numbers_made_by_hand() {
    let payments = drawn(2, 2000);
    let detector = Estimator::new(config(60))
        .fit_table(&payments.table)
        .unwrap();
    let new = drawn(3, 2000);
    let truth: Vec<bool> = new.causes.iter().map(Option::is_some).collect();
    let area = auroc(&detector.score(&new.table).unwrap(), &truth).unwrap();
    assert!(area > 0.98, "{area}");
}

/// A word that no row has, beside `others`, leaves nothing labeled: said by the fit, since it can be what is meant.
#[test]
fn a_label_that_no_row_has_is_told() {
    let dir = dir();
    let path = dir.file("payments.csv", &drawn(0, 300).to_csv());
    let file = TableFile::open(&path).unwrap();
    let said = |anomalous: &str| {
        let labels = Labels::anomalous([anomalous]).others(Group::Unlabeled);
        let schema = file.schema().unwrap().with_label("state", labels).unwrap();
        let settings = FitConfig {
            method: Some(Method::ISOLATION_FOREST),
            ..config(1)
        };
        let detector = Estimator::new(settings)
            .fit_table(&file.read(&schema).unwrap())
            .unwrap();
        let warnings = detector.warnings().iter().map(ToString::to_string);
        warnings.collect::<Vec<_>>().join("\n")
    };
    let told = r#"no row of the table has a "state" of ["Fraud"]"#;
    assert!(said("Fraud").contains(told), "{}", said("Fraud"));
    assert!(!said("fraud").contains("no row of the table"));
}

#[test]
fn gaps_are_refused_in_the_row_that_has_them() {
    let payments = drawn(0, 300);
    let mut strict = config(1);
    strict.encoding.all.gaps = Gaps::Refuse;
    let error = Estimator::new(strict.clone())
        .fit_table(&payments.table)
        .unwrap_err();
    let gap = (0..300).find(|&row| {
        payments
            .table
            .value(row, "account_age")
            .unwrap()
            .to_string()
            == "missing"
    });
    let Error::Gap { row, column, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((Some(row), column.as_str()), (gap, "account_age"));

    // A single gap in scoring follows the rule of the fit.
    let whole = payments::generate(
        &PaymentsConfig {
            normals: 300,
            gaps: 0.,
            ..PaymentsConfig::default()
        },
        0,
    );
    strict.encoding.columns.clear();
    let detector = Estimator::new(strict)
        .fit_table(&whole.unwrap().table)
        .unwrap();
    let error = detector.score(&payments.table).unwrap_err();
    assert!(
        matches!(error, Error::Gap { row, .. } if Some(row) == gap),
        "{error}"
    );
    let dir = dir();
    let path = dir.file("gaps.csv", &payments.to_csv());
    let file = TableFile::open(&path).unwrap().with_ids("payment");
    let error = detector.score_table(file, |_| ControlFlow::Continue(()));
    let said = error.unwrap_err().to_string();
    let row = gap.unwrap();
    let place = format!("row {row} ({:?})", payments.table.ids()[row]);
    assert!(said.contains("gaps.csv") && said.contains(&place), "{said}");
}

#[test]
fn unseen_levels_are_told_and_score_by_their_rarity() {
    let payments = drawn(0, 600);
    let plain: Vec<usize> = (0..payments.table.len())
        .filter(|&row| payments.causes[row] != Some("country"))
        .collect();
    // A classifier (PU) has no reason to take what it never saw for an anomaly.
    for method in [
        Method::PUAE,
        Method::PUSVDD,
        Method::AE,
        Method::ISOLATION_FOREST,
    ] {
        let settings = FitConfig {
            method: Some(method.clone()),
            ..config(40)
        };
        let detector = Estimator::new(settings)
            .fit_table(&payments.table.select(&plain))
            .unwrap();
        let rows = |row: &str| {
            let mut columns: Vec<(String, Column)> = payments
                .table
                .select(&plain[..100])
                .columns()
                .map(|(name, column)| (name.to_string(), column.clone()))
                .collect();
            let at = columns
                .iter()
                .position(|(name, _)| name == "country")
                .unwrap();
            columns[at].1 = Column::words(vec![Some(row); 100]);
            Table::new(columns).unwrap()
        };
        let mean = |row: &str| {
            let scores = detector.score(rows(row)).unwrap();
            scores.iter().sum::<f64>() / scores.len() as f64
        };
        assert!(mean("ZZ") > mean("DE"), "{method}");
        let found = detector.detect(rows("ZZ")).unwrap();
        let told = found.warnings.iter().any(|warning| {
            matches!(warning, Warning::NewLevels { level, count: 100, .. } if level == "ZZ")
        });
        assert!(told, "{:?}", found.warnings);
    }
}

#[test]
fn reasons_speak_of_the_table_s_own_values() {
    let payments = drawn(0, 1500);
    let detector = Estimator::new(config(60))
        .fit_table(&payments.table)
        .unwrap();
    let new = drawn(5, 300);
    let row = |cause| new.causes.iter().position(|of| *of == Some(cause)).unwrap();
    let rows = [row("amount"), row("country"), row("at")];
    let picked = new.table.select(&rows);
    let explained = detector.explain(&picked).unwrap().attribution;
    assert_eq!(explained.dims(), [3, 7]);
    let reasons = detector.reasons(&picked, 1).unwrap();
    let [amount, country, at] = [0, 1, 2].map(|i| reasons[i][0].clone());
    assert_eq!(amount.column.name.as_deref(), Some("amount"));
    assert!(matches!(amount.usual, Some(Usual::Range(low, high)) if low > 5. && high < 1000.));
    assert_eq!(country.value, Observed::Word("XX".into()));
    assert!(
        country.to_string().starts_with("country is XX, "),
        "{country}"
    );
    assert!(at.to_string().starts_with("at is 2026-01-"), "{at}");
}

#[test]
fn numbers_alone_need_no_table() {
    let columns = |shift: f64| {
        let row = |i: usize| shift + (i % 13) as f64;
        let heat = (0..200).map(row).collect::<Vec<f64>>();
        let load = (0..200)
            .map(|i| row(i) * 2. + (i % 3) as f64)
            .collect::<Vec<f64>>();
        [("heat", Column::from(heat)), ("load", Column::from(load))]
    };
    let labels = (0..200).map(|i| [Group::Unlabeled, Group::Anomalous][usize::from(i % 20 == 0)]);
    let table = Table::new(columns(0.))
        .unwrap()
        .with_labels(labels.collect())
        .unwrap();
    let mut settings = FitConfig::default();
    settings.train.epochs = 1;
    let detector = Estimator::new(settings.clone()).fit_table(&table).unwrap();
    let scores = detector.score(&table).unwrap();
    let rows: Vec<[f64; 2]> = (0..200)
        .map(|i| [(i % 13) as f64, (i % 13) as f64 * 2. + (i % 3) as f64])
        .collect();
    assert_eq!(detector.score(&rows).unwrap(), scores);
    let ragged = detector.score([[1f64, 2., 3.]]).unwrap_err();
    assert!(matches!(ragged, Error::Shape { .. }), "{ragged}");
    let gap = detector.score([[1f64, 2.], [f64::NAN, 1.]]).unwrap_err();
    assert!(matches!(gap, Error::Gap { row: 1, .. }), "{gap}");

    // And a detector of samples takes a table of its names.
    let named = IntoSamples::into_samples(&rows).unwrap();
    let named = named.with_names(&["heat", "load"]).unwrap();
    let detector = Estimator::new(settings)
        .fit(&named, named.select(&[0, 20, 40]).unwrap())
        .unwrap();
    let turned = Table::new(
        columns(0.)
            .into_iter()
            .rev()
            .chain([("note", Column::from(vec!["x"; 200]))]),
    );
    assert_eq!(
        detector.score(turned.unwrap()).unwrap(),
        detector.score(&named).unwrap()
    );
    let other = Table::new([
        ("heat", Column::from(vec!["hot"])),
        ("load", Column::from(vec![1.])),
    ]);
    let error = detector.score(other.unwrap()).unwrap_err();
    assert!(matches!(error, Error::ColumnKind { .. }), "{error}");
}

#[test]
fn samples_for_a_table_with_words_are_refused_by_name() {
    let detector = Estimator::new(config(1))
        .fit_table(&drawn(0, 200).table)
        .unwrap();
    let error = detector.score([[1f64; 7]]).unwrap_err().to_string();
    assert!(
        error.contains("column \"shop\" is of kind category"),
        "{error}"
    );
}

#[test]
fn a_validation_table_of_one_s_own_is_encoded_as_the_fit_s() {
    let (train, later) = (drawn(0, 600), drawn(1, 300));
    let detector = Estimator::new(config(3))
        .fit_table_split(&train.table, &later.table)
        .unwrap();
    let unlabeled = later.table.rows_of(Group::Unlabeled);
    let mut scores = detector.score(later.table.select(&unlabeled)).unwrap();
    scores.sort_by(f64::total_cmp);
    assert_eq!(detector.validation_scores().unlabeled, scores);
}

#[test]
fn what_a_fit_notices_of_columns() {
    let payments = drawn(0, 300);
    let mut settings = config(1);
    settings.encoding.columns.clear();
    let detector = Estimator::new(settings).fit_table(&payments.table).unwrap();
    let instant = detector
        .warnings()
        .iter()
        .find_map(|warning| match warning {
            Warning::Instant { column } => column.name.clone(),
            _ => None,
        });
    assert_eq!(instant.as_deref(), Some("at"));
    // Levels, rarities and indicators have no marks of missing values and no unit.
    let made = |warning: &&Warning| {
        matches!(
            warning,
            Warning::Sentinel { .. } | Warning::OtherScale { .. }
        )
    };
    assert_eq!(
        detector.warnings().iter().filter(made).count(),
        0,
        "{:?}",
        detector.warnings()
    );

    let orders: Vec<f64> = (0..payments.table.len())
        .map(|i| 10f64.powf(i as f64 / 50.))
        .collect();
    let columns = payments
        .table
        .columns()
        .map(|(name, column)| (name.to_string(), column.clone()));
    let columns = columns.chain([("volume".to_string(), Column::from(orders))]);
    let table = Table::new(columns)
        .unwrap()
        .with_labels(payments.table.labels().unwrap().to_vec())
        .unwrap();
    let proposed = |settings: FitConfig| {
        let detector = Estimator::new(settings).fit_table(&table).unwrap();
        let wide = detector
            .warnings()
            .iter()
            .filter_map(|warning| match warning {
                Warning::WideRange { column, .. } => column.name.clone(),
                _ => None,
            });
        wide.collect::<Vec<String>>()
    };
    assert_eq!(proposed(config(1)), ["volume"]);
    let mut taken = config(1);
    taken.encoding.column("volume").logarithm = true;
    assert!(proposed(taken).is_empty());
}

#[test]
fn a_table_without_labels_is_for_methods_without_labels() {
    let payments = drawn(0, 300);
    let columns = payments
        .table
        .columns()
        .map(|(name, column)| (name.to_string(), column.clone()));
    let table = Table::new(columns).unwrap();
    let labels = FitConfig {
        method: Some(Method::PUAE),
        ..config(1)
    };
    let error = Estimator::new(labels).fit_table(&table).unwrap_err();
    assert!(matches!(error, Error::EmptyGroup { .. }), "{error}");
    // Where no method is named one that needs none is taken.
    let detector = Estimator::new(config(1)).fit_table(&table).unwrap();
    assert_eq!(*detector.method(), Method::for_samples(&[2], false));
    let settings = FitConfig {
        method: Some(Method::AE),
        ..config(1)
    };
    assert!(Estimator::new(settings).fit_table(&table).is_ok());
}
