//! Runs as Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::estimates::Estimates;
use crate::expectations::Compared;
use crate::rows::Cell;

/// Errors of one estimator over the runs of a line.
#[derive(Default)]
struct Errors {
    /// Estimate minus truth.
    errors: Vec<f64>,
    widths: Vec<f64>,
    covered: usize,
    doubted: usize,
}

impl Errors {
    fn add(&mut self, value: f64, (low, high): (f64, f64), truth: f64) {
        self.errors.push(value - truth);
        self.widths.push(high - low);
        self.covered += usize::from((low..=high).contains(&truth));
    }

    fn cells(&self) -> String {
        let n = self.errors.len();
        let sizes: Vec<f64> = self.errors.iter().map(|error| error.abs()).collect();
        let share = |count: usize| 100. * count as f64 / n as f64;
        format!(
            "{n} | {:.4} | {:.4} | {:+.4} | {:.0}% | {:.4}",
            mean(&sizes),
            median(&sizes),
            mean(&self.errors),
            share(self.covered),
            median(&self.widths),
        )
    }
}

const COLUMNS: &str = "runs | mean absolute error | median | bias | the 95% interval holds the truth | its median width";

/// The share above which a mixture of Gaussians is no longer told as identifiable.
const IDENTIFIABLE: f64 = 0.002;

pub fn of_estimates(rows: &[(Cell, Estimates)]) -> String {
    let mut text = String::new();
    let identifiable = |found: &Estimates| {
        found
            .identifiable
            .is_none_or(|share| share - found.truth < IDENTIFIABLE)
    };
    let (yes, no): (Vec<_>, Vec<_>) = rows.iter().partition(|(_, found)| identifiable(found));
    for (title, rows) in [
        ("All sources but the overlapping Gaussians", yes),
        (
            "Overlapping Gaussians, against the largest share consistent with the data",
            no,
        ),
    ] {
        let mut by_line = BTreeMap::<(u32, usize, String), Errors>::new();
        let mut by_source = BTreeMap::<(String, u32, usize), Errors>::new();
        for (cell, found) in &rows {
            let truth = found.identifiable.unwrap_or(found.truth);
            for (name, estimate) in &found.found {
                let line = by_line
                    .entry((cell.alpha, cell.labels, name.clone()))
                    .or_default();
                line.add(estimate.alpha, (estimate.low, estimate.high), truth);
                line.doubted += usize::from(estimate.doubted);
                if name == "DEDPUL" {
                    let key = (cell.source.clone(), cell.alpha, cell.labels);
                    let line = by_source.entry(key).or_default();
                    line.add(estimate.alpha, (estimate.low, estimate.high), truth);
                    line.doubted += usize::from(estimate.doubted);
                }
            }
        }
        let sources: BTreeSet<&str> = rows.iter().map(|(cell, _)| cell.source.as_str()).collect();
        let sources = sources.into_iter().collect::<Vec<_>>().join("; ");
        let _ = writeln!(
            text,
            "{title} ({sources}):\n\n| alpha | labels | estimator | {COLUMNS} |\n|---|---|---|---|---|---|---|---|---|"
        );
        for ((alpha, labels, name), errors) in &by_line {
            let alpha = f64::from(*alpha) / 1000.;
            let _ = writeln!(text, "| {alpha} | {labels} | {name} | {} |", errors.cells());
        }
        let _ = writeln!(
            text,
            "\nDEDPUL by source:\n\n| source | alpha | labels | {COLUMNS} | doubted as not identifiable |\n|---|---|---|---|---|---|---|---|---|---|"
        );
        for ((source, alpha, labels), errors) in &by_source {
            let alpha = f64::from(*alpha) / 1000.;
            let doubted = 100. * errors.doubted as f64 / errors.errors.len() as f64;
            let _ = writeln!(
                text,
                "| {source} | {alpha} | {labels} | {} | {doubted:.0}% |",
                errors.cells()
            );
        }
        text.push('\n');
    }
    text
}

pub fn of_expectations(rows: &[(Cell, Vec<Compared>)]) -> String {
    let mut by_line = BTreeMap::<(String, String), (Errors, Vec<f64>)>::new();
    for (cell, compared) in rows {
        for Compared {
            measure,
            value,
            low,
            high,
            truth,
        } in compared
        {
            let key = (cell.bias.clone(), measure.clone());
            let (errors, truths) = by_line.entry(key).or_default();
            errors.add(*value, (*low, *high), *truth);
            truths.push(*truth);
        }
    }
    let mut text = format!(
        "| labels | measure | median truth | {COLUMNS} |\n|---|---|---|---|---|---|---|---|---|\n"
    );
    for ((bias, measure), (errors, truths)) in &by_line {
        let labels = if bias.is_empty() {
            "a random sample"
        } else {
            bias
        };
        let _ = writeln!(
            text,
            "| {labels} | {measure} | {:.3} | {} |",
            median(truths),
            errors.cells()
        );
    }
    text
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 if middle > 0 => (sorted[middle - 1] + sorted[middle]) / 2.,
        _ => sorted.get(middle).copied().unwrap_or(f64::NAN),
    }
}
