//! The tables, by set: means over series and seeds by number of labels, all measures at the most labels, and each series.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::mean_ranks::{mean_ranks, ranks};
use crate::recording::Set;
use crate::row::{Measured, Row};

/// In the order of the tables.
const METHODS: [&str; 12] = [
    "Auto", "PUForest", "PUAE", "PUSVDD", "PU", "ABC", "DeepSAD", "pca", "MovVar", "IF", "AE",
    "DeepSVDD",
];

pub fn markdown(rows: &[Row]) -> anyhow::Result<String> {
    let mut text = String::new();
    for set in [Set::Ecg, Set::Nab] {
        let table = Table::of(rows.iter().filter(|row| row.set == set));
        if table.methods.is_empty() {
            continue;
        }
        let title = match set {
            Set::Ecg => "Electrocardiograms",
            Set::Nab => "Numenta Anomaly Benchmark",
        };
        writeln!(text, "### {title}\n")?;
        if table.labels.len() > 1 {
            table.by_labels(&mut text)?;
        }
        table.by_measure(&mut text)?;
        table.by_series(&mut text)?;
        table.failures(&mut text)?;
    }
    Ok(text)
}

/// The rows of a set.
struct Table<'a> {
    methods: Vec<&'a str>,
    series: Vec<&'a str>,
    /// Numbers of labeled events, without that of methods without a use for them.
    labels: Vec<usize>,
    /// By method, series and labels; one a seed.
    measured: BTreeMap<(&'a str, &'a str, usize), Vec<Measured>>,
    failed: Vec<&'a Row>,
}

impl<'a> Table<'a> {
    fn of(rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut table = Self {
            methods: vec![],
            series: vec![],
            labels: vec![],
            measured: BTreeMap::new(),
            failed: vec![],
        };
        let mut rows: Vec<&Row> = rows.collect();
        rows.sort_by_key(|row| row.seed);
        for row in rows {
            table.methods.push(&row.method);
            table.series.push(&row.series);
            table.labels.extend((row.labels > 0).then_some(row.labels));
            let key = (row.method.as_str(), row.series.as_str(), row.labels);
            match row.measured {
                Some(measured) => table.measured.entry(key).or_default().push(measured),
                None => table.failed.push(row),
            }
        }
        let place = |method: &str| {
            METHODS
                .iter()
                .position(|name| *name == method)
                .unwrap_or(METHODS.len())
        };
        table.methods.sort_by_key(|method| (place(method), *method));
        table.methods.dedup();
        table.series.sort_unstable();
        table.series.dedup();
        table.labels.sort_unstable();
        table.labels.dedup();
        table
    }

    /// The mean over seeds; a method without a use for labels has the same for any number of them. `None` if a run is not
    /// there.
    fn mean(&self, method: &str, series: &str, labels: usize, of: Measure) -> Option<f64> {
        let is_failed = |row: &&Row| {
            row.method == method && row.series == series && [0, labels].contains(&row.labels)
        };
        if self.failed.iter().any(is_failed) {
            return None;
        }
        let all = self.measured.get(&(method, series, labels));
        let all = all.or_else(|| self.measured.get(&(method, series, 0)))?;
        Some(all.iter().map(of.value).sum::<f64>() / all.len() as f64)
    }

    /// Over all series. `None` unless all have it.
    fn overall(&self, method: &str, labels: usize, of: Measure) -> Option<f64> {
        let values = self
            .series
            .iter()
            .map(|series| self.mean(method, series, labels, of));
        let values: Option<Vec<f64>> = values.collect();
        let values = values?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }

    fn by_labels(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "VUS-PR by the number of labeled events:\n")?;
        let heads: Vec<String> = self.labels.iter().map(ToString::to_string).collect();
        self.table(text, &heads, |method| {
            let labels = self.labels.iter();
            labels
                .map(|&labels| self.overall(method, labels, VUS_PR))
                .collect()
        })
    }

    fn by_measure(&self, text: &mut String) -> std::fmt::Result {
        let most = self.labels.last().copied().unwrap_or(0);
        writeln!(
            text,
            "With {most} labeled {}:\n",
            if most == 1 { "event" } else { "events" }
        )?;
        let heads: Vec<String> = MEASURES
            .iter()
            .map(|measure| measure.name.to_string())
            .collect();
        let heads: Vec<String> = heads.into_iter().chain(["mean rank".to_string()]).collect();
        let ranks = self.mean_ranks(most);
        self.table(text, &heads, |method| {
            let means = MEASURES
                .iter()
                .map(|&measure| self.overall(method, most, measure));
            means.chain([ranks.get(method).copied()]).collect()
        })
    }

    /// By VUS-PR over series, of methods that have all: 1 is the best, and equal ones share theirs.
    fn mean_ranks(&self, labels: usize) -> BTreeMap<&'a str, f64> {
        let whole: Vec<&'a str> = self
            .methods
            .iter()
            .copied()
            .filter(|method| self.overall(method, labels, VUS_PR).is_some())
            .collect();
        let of_series = |series: &&str| {
            let values = whole.iter();
            let values = values.map(|method| self.mean(method, series, labels, VUS_PR));
            ranks(
                &values
                    .map(|value| value.unwrap_or(f64::NAN))
                    .collect::<Vec<_>>(),
            )
        };
        let blocks: Vec<Vec<f64>> = self.series.iter().map(of_series).collect();
        whole.iter().copied().zip(mean_ranks(&blocks)).collect()
    }

    fn by_series(&self, text: &mut String) -> std::fmt::Result {
        let most = self.labels.last().copied().unwrap_or(0);
        writeln!(text, "VUS-PR of each series, with {most} labeled:\n")?;
        // Series are many and methods few.
        writeln!(text, "| series | {} |", self.methods.join(" | "))?;
        writeln!(text, "|---|{}", "---|".repeat(self.methods.len()))?;
        for series in &self.series {
            let values = self
                .methods
                .iter()
                .map(|method| self.mean(method, series, most, VUS_PR));
            let cells = cells(&values.collect::<Vec<_>>(), true);
            writeln!(text, "| {series} | {} |", cells.join(" | "))?;
        }
        writeln!(text)
    }

    fn failures(&self, text: &mut String) -> std::fmt::Result {
        for row in &self.failed {
            let why = row.failed.as_deref().unwrap_or_default();
            writeln!(
                text,
                "{} on {} with {} labels, seed {}: {why}\n",
                row.method, row.series, row.labels, row.seed
            )?;
        }
        Ok(())
    }

    /// A row a method, the best of each column bold.
    fn table(
        &self,
        text: &mut String,
        heads: &[String],
        values: impl Fn(&str) -> Vec<Option<f64>>,
    ) -> std::fmt::Result {
        writeln!(text, "| method | {} |", heads.join(" | "))?;
        writeln!(text, "|---|{}", "---|".repeat(heads.len()))?;
        let rows: Vec<Vec<Option<f64>>> =
            self.methods.iter().map(|method| values(method)).collect();
        let columns: Vec<Vec<String>> = (0..heads.len())
            .map(|column| {
                let values: Vec<Option<f64>> = rows.iter().map(|row| row[column]).collect();
                cells(&values, heads[column] != "mean rank")
            })
            .collect();
        for (at, method) in self.methods.iter().enumerate() {
            let cells: Vec<&str> = columns.iter().map(|column| column[at].as_str()).collect();
            writeln!(text, "| {method} | {} |", cells.join(" | "))?;
        }
        writeln!(text)
    }
}

#[derive(Clone, Copy)]
struct Measure {
    name: &'static str,
    value: fn(&Measured) -> f64,
}

const VUS_PR: Measure = Measure {
    name: "VUS-PR",
    value: |measured| measured.vus_pr,
};

const MEASURES: [Measure; 5] = [
    VUS_PR,
    Measure {
        name: "VUS-ROC",
        value: |measured| measured.vus_roc,
    },
    Measure {
        name: "AUC-PR",
        value: |measured| measured.auc_pr,
    },
    Measure {
        name: "AUC-ROC",
        value: |measured| measured.auc_roc,
    },
    Measure {
        name: "events found",
        value: |measured| measured.found as f64 / measured.events.max(1) as f64,
    },
];

/// The best bold; a dash for what is missing.
fn cells(values: &[Option<f64>], largest: bool) -> Vec<String> {
    let known = values.iter().flatten().copied();
    let best = if largest {
        known.fold(f64::MIN, f64::max)
    } else {
        known.fold(f64::MAX, f64::min)
    };
    let best = format!("{best:.3}");
    let cell = |value: &Option<f64>| match value.map(|value| format!("{value:.3}")) {
        Some(value) if value == best => format!("**{value}**"),
        Some(value) => value,
        None => "-".to_string(),
    };
    values.iter().map(cell).collect()
}
