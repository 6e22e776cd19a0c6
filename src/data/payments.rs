//! A table made by code: card payments with words, times, gaps and labels, and anomalies whose cause is known.

use puad_data::table::{Column, Group, Table, Value};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Normal};
use serde::{Deserialize, Serialize};

use crate::rng::{Purpose, substream};
use crate::{Error, Result};

/// What [`generate`] draws.
///
/// ```
/// use puad::data::payments::{self, PaymentsConfig};
///
/// let config = PaymentsConfig { normals: 100, unlabeled_anomalies: 5, ..Default::default() };
/// let payments = payments::generate(&config, 0)?;
/// assert_eq!(payments.table.len(), 100 + 5 + config.labeled_anomalies);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentsConfig {
    /// Number of normals, all unlabeled.
    pub normals: usize,
    /// Number of anomalies among the unlabeled rows.
    pub unlabeled_anomalies: usize,
    /// Number of labeled anomalies.
    pub labeled_anomalies: usize,
    /// The first day, counted from 1970-01-01; the rows lie in 28 days from it on.
    pub first_day: u32,
    /// Share of the rows whose account's age is missing, in [0, 1].
    pub gaps: f64,
}

impl Default for PaymentsConfig {
    fn default() -> Self {
        Self {
            normals: 3800,
            unlabeled_anomalies: 200,
            labeled_anomalies: 60,
            // 2026-01-05, a Monday.
            first_day: 20_458,
            gaps: 0.03,
        }
    }
}

/// Payments in the order of their time.
#[derive(Clone, Debug)]
pub struct Payments {
    /// Columns `amount`, `items`, `shop`, `country`, `online`, `account_age` (days; with gaps) and `at`, ids and
    /// labels: [`Group::Anomalous`] or [`Group::Unlabeled`].
    pub table: Table,
    /// For each row the column that was tampered with, `amount`, `country` or `at`; `None` of a normal.
    pub causes: Vec<Option<&'static str>>,
}

/// Columns that an anomaly differs in, each in a third of the anomalies.
const CAUSES: [&str; 3] = ["amount", "country", "at"];

/// Kinds of shops with their typical amount, and the hour that most is bought at.
const SHOPS: [(&str, f64, f64); 5] = [
    ("grocery", 25., 17.),
    ("fuel", 55., 8.),
    ("restaurant", 40., 19.),
    ("clothes", 80., 15.),
    ("electronics", 250., 14.),
];

/// Countries with their shares in hundredths.
const COUNTRIES: [(&str, u32); 6] = [
    ("DE", 60),
    ("FR", 15),
    ("AT", 12),
    ("NL", 8),
    ("PL", 4),
    ("US", 1),
];

/// One that no normal row has.
const ELSEWHERE: &str = "XX";

const DAY: f64 = 86_400.;

/// Draws payments. Normals spend by the kind of shop, at its hours, a tenth of them online. An anomaly is a normal
/// with an amount of 20 to 60 times its own, from a country that no normal has, or at night.
///
/// # Errors
/// [`Error::Config`] for a share outside [0, 1].
///
/// ```
/// use puad::data::payments::{self, PaymentsConfig};
/// use puad::data::table::Group;
///
/// let payments = payments::generate(&PaymentsConfig::default(), 0)?;
/// let anomalous = payments.table.rows_of(Group::Anomalous);
/// assert!(anomalous.iter().all(|&row| payments.causes[row].is_some()));
/// assert!(payments.to_csv().starts_with("payment,amount,items,shop,country,online,account_age,at,state\n"));
/// # Ok::<(), puad::Error>(())
/// ```
pub fn generate(config: &PaymentsConfig, seed: u64) -> Result<Payments> {
    if !(0. ..=1.).contains(&config.gaps) {
        return Err(Error::config("gaps", "in [0, 1]", config.gaps));
    }
    let mut rng = substream(seed, Purpose::Payments, 0);
    let anomalies = config.unlabeled_anomalies + config.labeled_anomalies;
    let mut rows: Vec<Row> = (0..config.normals + anomalies)
        .map(|i| {
            let mut row = Row::normal(config, &mut rng);
            if let Some(anomaly) = i.checked_sub(config.normals) {
                row.tamper(CAUSES[anomaly % CAUSES.len()], &mut rng);
                row.labeled = anomaly >= config.unlabeled_anomalies;
            }
            row
        })
        .collect();
    rows.sort_by(|a, b| a.at.total_cmp(&b.at));
    let causes = rows.iter().map(|row| row.cause).collect();
    let table = table(&rows)?;
    Ok(Payments { table, causes })
}

struct Row {
    amount: f64,
    items: f64,
    shop: &'static str,
    country: &'static str,
    online: bool,
    account_age: Option<f64>,
    at: f64,
    cause: Option<&'static str>,
    labeled: bool,
}

impl Row {
    fn normal(config: &PaymentsConfig, rng: &mut ChaCha8Rng) -> Self {
        let (shop, typical, hour) = SHOPS[rng.random_range(0..SHOPS.len())];
        // Finite parameters and positive deviations are good ones.
        let spread = |mean: f64, deviation: f64, rng: &mut ChaCha8Rng| {
            Normal::new(mean, deviation).map_or(mean, |of| of.sample(rng))
        };
        let amount = LogNormal::new(typical.ln(), 0.4).map_or(typical, |of| of.sample(rng));
        let hour = spread(hour, 1.5, rng).clamp(7., 22.);
        let day = f64::from(config.first_day) + f64::from(rng.random_range(0..28u32));
        let age: f64 = LogNormal::new(6.5, 0.8).map_or(0., |of| of.sample(rng));
        Self {
            amount: (amount * 100.).round() / 100.,
            items: (spread(1. + 6. * amount / typical, 1., rng))
                .round()
                .max(1.),
            shop,
            country: country(rng.random_range(0..100)),
            online: rng.random_bool(0.1),
            account_age: (!rng.random_bool(config.gaps)).then_some(age.round()),
            at: (day * DAY + hour * 3600.).round(),
            cause: None,
            labeled: false,
        }
    }

    fn tamper(&mut self, cause: &'static str, rng: &mut ChaCha8Rng) {
        self.cause = Some(cause);
        match cause {
            "amount" => self.amount = (self.amount * rng.random_range(20. ..60.)).round(),
            "country" => self.country = ELSEWHERE,
            _ => {
                let midnight = (self.at / DAY).floor() * DAY;
                self.at = (midnight + rng.random_range(1. ..4f64) * 3600.).round();
            }
        }
    }
}

fn country(mut hundredth: u32) -> &'static str {
    for (country, share) in COUNTRIES {
        if hundredth < share {
            return country;
        }
        hundredth -= share;
    }
    COUNTRIES[0].0
}

fn table(rows: &[Row]) -> Result<Table> {
    let numbers = |of: fn(&Row) -> f64| Column::from(rows.iter().map(of).collect::<Vec<f64>>());
    let words = |of: fn(&Row) -> &'static str| Column::words(rows.iter().map(|row| Some(of(row))));
    let columns = [
        ("amount", numbers(|row| row.amount)),
        ("items", numbers(|row| row.items)),
        ("shop", words(|row| row.shop)),
        ("country", words(|row| row.country)),
        (
            "online",
            Column::from(rows.iter().map(|row| row.online).collect::<Vec<_>>()),
        ),
        (
            "account_age",
            Column::numbers(rows.iter().map(|row| row.account_age)),
        ),
        ("at", Column::Times(rows.iter().map(|row| row.at).collect())),
    ];
    let group = |row: &Row| {
        if row.labeled {
            Group::Anomalous
        } else {
            Group::Unlabeled
        }
    };
    let ids = (0..rows.len()).map(|i| format!("P-{i:05}"));
    let table = Table::new(columns)?.with_ids(ids.collect())?;
    Ok(table.with_labels(rows.iter().map(group).collect())?)
}

impl Payments {
    /// As a file: names, and a line a row; the last column, `state`, is `fraud` for labeled anomalies and empty
    /// for all others.
    pub fn to_csv(&self) -> String {
        let names = self.table.names();
        let mut text = format!("payment,{},state\n", names.join(","));
        for row in 0..self.table.len() {
            let values = names.iter().map(|name| match self.table.value(row, name) {
                None | Some(Value::Gap) => String::new(),
                Some(value) => value.to_string(),
            });
            let values: Vec<String> = values.collect();
            let labels = self.table.labels().unwrap_or_default();
            let state = match labels.get(row) {
                Some(Group::Anomalous) => "fraud",
                _ => "",
            };
            text += &format!("{},{},{state}\n", self.table.ids()[row], values.join(","));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_one_table_and_causes_are_there() {
        let config = PaymentsConfig::default();
        let payments = generate(&config, 3).unwrap();
        assert_eq!(payments.to_csv(), generate(&config, 3).unwrap().to_csv());
        assert_ne!(payments.to_csv(), generate(&config, 4).unwrap().to_csv());
        let table = &payments.table;
        assert_eq!(table.rows_of(Group::Anomalous).len(), 60);
        for (row, cause) in payments.causes.iter().enumerate() {
            let elsewhere = table.value(row, "country") == Some(Value::Word(ELSEWHERE));
            assert_eq!(elsewhere, *cause == Some("country"));
            let Some(Value::Time(at)) = table.value(row, "at") else {
                panic!("a time");
            };
            let night = at.rem_euclid(DAY) < 5. * 3600.;
            assert_eq!(night, *cause == Some("at"));
        }
        let share = |cause| {
            payments
                .causes
                .iter()
                .filter(|of| **of == Some(cause))
                .count()
        };
        assert!(CAUSES.iter().all(|cause| (86..88).contains(&share(cause))));
        assert!(
            generate(
                &PaymentsConfig {
                    gaps: 1.5,
                    ..config
                },
                0
            )
            .is_err()
        );
    }
}
