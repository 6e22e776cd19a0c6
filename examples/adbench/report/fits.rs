//! What fits took, and how well they estimated the class prior.

use std::collections::BTreeSet;

use super::table::{Column, Field, Table};
use crate::row::Row;
use crate::scores::mean;

/// A line a method of this crate's.
pub fn table(rows: &[Row]) -> Table {
    let mut methods: Vec<&str> = vec![];
    for row in rows {
        if !methods.contains(&row.method.as_str()) {
            methods.push(&row.method);
        }
    }
    let line = |method: &str| {
        let own = || {
            rows.iter()
                .filter(move |row| row.method == method && row.failed.is_none())
        };
        let seconds =
            |value: Option<f64>| value.map_or(Field::Missing, |s| Field::Number(s, 1, false));
        let all = || own().map(|row| row.made.seconds);
        let errors = own().filter_map(|row| {
            let estimate = row.estimate.as_ref()?;
            Some((estimate.alpha.get() - row.true_prior).abs())
        });
        vec![
            Field::text(method),
            Field::count(own().count()),
            seconds(mean(all())),
            seconds(all().reduce(f64::max)),
            Field::number(mean(errors), false),
        ]
    };
    let titles = [
        "method",
        "fits",
        "seconds a fit",
        "longest",
        "error of the class prior",
    ];
    Table {
        title: "Fits".into(),
        notes: vec![format!(
            "Seconds with the estimate of the class prior, on {}; mean absolute error of that estimate, of all anomalies, also \
             of those of kinds that no label shows.",
            places(rows)
        )],
        columns: titles.map(Column::one).to_vec(),
        lines: methods.into_iter().map(line).collect(),
    }
}

/// Processors and threads.
fn places(rows: &[Row]) -> String {
    let place = |row: &Row| {
        let plural = if row.made.threads == 1 { "" } else { "s" };
        format!(
            "{} ({} thread{plural} a fit)",
            row.made.host, row.made.threads
        )
    };
    let places: BTreeSet<String> = rows.iter().map(place).collect();
    places.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Setting;
    use crate::row::tests::{failed, row};

    #[test]
    fn failed_fits_do_not_count() {
        let mut rows = vec![
            row("PUAE", Setting::L10, 0, 0.5),
            row("PUAE", Setting::L10, 1, 0.5),
            failed(row("PUAE", Setting::L10, 2, 0.5)),
            failed(row("IF", Setting::L10, 2, 0.5)),
        ];
        rows[1].made.seconds = 0.75;
        rows[2].made.seconds = 100.;
        let text = table(&rows).markdown();
        for line in [
            "| PUAE | 2 | 0.5 | 0.8 | - |",
            "| IF | 0 | - | - | - |",
            "(1 thread a fit)",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
