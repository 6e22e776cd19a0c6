//! Payments drawn by code, of which it is known what is wrong with them.

use std::fs;
use std::path::Path;

use puad::data::payments::{self, PaymentsConfig};
use puad::data::table::{Labels, TableFile};

use crate::{Outcome, detect, report};

pub fn run(prior: Option<f64>, out: &Path) -> Outcome<()> {
    let config = PaymentsConfig::default();
    let tomorrow = PaymentsConfig {
        first_day: config.first_day + 28,
        labeled_anomalies: 0,
        ..config.clone()
    };
    let tomorrow = payments::generate(&tomorrow, 1)?;
    let (train, new) = (out.join("payments.csv"), out.join("tomorrow.csv"));
    fs::write(&train, payments::generate(&config, 0)?.to_csv())?;
    fs::write(&new, tomorrow.to_csv())?;

    let file = TableFile::open(&train)?;
    let schema = file
        .schema()?
        .with_label("state", Labels::anomalous(["fraud"]))?;
    println!("{schema}\n");
    let found = detect(&file, &schema, &TableFile::open(&new)?, prior, out)?;
    report(&found);

    let cause = |row: u64| tomorrow.causes[row as usize];
    let anomalies = found
        .alarms
        .iter()
        .filter(|alarm| cause(alarm.row).is_some());
    let told = found.alarms.iter().filter(|alarm| {
        let first = alarm
            .reasons
            .first()
            .and_then(|reason| reason.column.name.as_deref());
        first.is_some() && first == cause(alarm.row)
    });
    let (right, told) = (anomalies.count(), told.count());
    println!(
        "of these {} alarms {right} are anomalies; {told} name the planted cause first",
        found.alarms.len()
    );
    Ok(())
}
