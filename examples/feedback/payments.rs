//! Payments drawn by code, with three kinds of fraud, of which one is labeled.

use puad::data::payments::{self, PaymentsConfig};
use puad::data::table::{Group, Table};
use puad::encoding::Gaps;
use puad::{ClassPrior, Estimator, FitConfig};

use crate::Outcome;
use crate::rounds::Problem;

pub fn problem(seed: u64) -> Outcome<Problem> {
    let config = PaymentsConfig {
        normals: 1900,
        unlabeled_anomalies: 90,
        labeled_anomalies: 30,
        ..PaymentsConfig::default()
    };
    let payments = payments::generate(&config, seed)?;
    // Ten of 30 labels are left: those of amounts. The others hide.
    let amounts = |row: usize| payments.causes[row] == Some("amount");
    let group = |(row, group): (usize, &Group)| match group {
        Group::Anomalous if !amounts(row) => Group::Unlabeled,
        group => *group,
    };
    let labels = payments.table.labels().unwrap_or_default();
    let labels = labels.iter().enumerate().map(group).collect();
    let table: Table = payments.table.with_labels(labels)?;
    let rows = table.rows_of(Group::Unlabeled);
    let unlabeled: Vec<(usize, bool)> = rows
        .iter()
        .map(|&row| (row, payments.causes[row].is_some()))
        .collect();
    let hidden = unlabeled.iter().filter(|(_, anomalous)| *anomalous).count();

    let mut fit = FitConfig {
        prior: ClassPrior::new(hidden as f64 / rows.len() as f64)?.into(),
        ..FitConfig::default()
    };
    fit.train.seed = seed;
    fit.encoding.all.gaps = Gaps::Fill;
    (fit.encoding.all.instant, fit.encoding.all.hour) = (false, true);
    let detector = Estimator::new(fit).fit_table(&table)?;

    let later = PaymentsConfig {
        labeled_anomalies: 0,
        ..config
    };
    let later = payments::generate(&later, seed + 1000)?;
    Ok(Problem {
        feedback: detector.feedback_table(&table, [])?,
        detector,
        unlabeled,
        anomalous: later.causes.iter().map(Option::is_some).collect(),
        test: later.table.into(),
    })
}
