//! What stands above a table: which protocol was run on what.

use crate::alpha::EstimatedAlpha;
use crate::dataset::Dataset;
use crate::failures;
use crate::merge::{Kept, base};
use crate::protocol::RunConfig;
use crate::summary::FEWEST_RUNS;
use crate::view::{View, contamination};

/// The data sets of the rows, in their order.
pub fn datasets(rows: &[Kept]) -> Vec<Dataset> {
    let mut all: Vec<Dataset> = rows.iter().map(|kept| kept.row.dataset).collect();
    all.sort();
    all.dedup();
    all
}

/// Paragraphs: protocols, runs, and how to read the marks.
pub fn lines(view: View, rows: &[Kept]) -> Vec<String> {
    if rows.is_empty() {
        return vec!["No runs.".into()];
    }
    let datasets = datasets(rows);
    let mut lines = vec![];
    let protocols = grouped(&datasets, |dataset| {
        base(own(rows, dataset), view).describe(view)
    });
    let swept = match view {
        View::Alpha => "; alpha as in the table",
        View::Contamination => {
            "; number of unlabeled anomalies as in the table, alpha the true one"
        }
        View::Comparison(_) => "; the rest as in the table",
        _ => "",
    };
    for (names, protocol) in &protocols {
        let names = match protocols.len() {
            1 => String::new(),
            _ => format!(" of {names}"),
        };
        lines.push(format!("Protocol{names}: {protocol}{swept}."));
    }
    let runs = grouped(&datasets, |dataset| runs(rows, dataset));
    let runs: Vec<String> = runs
        .iter()
        .map(|(names, runs)| format!("{names}: {runs}"))
        .collect();
    let mut text = format!("Runs: {}.", runs.join("; "));
    let has_paper = datasets.iter().any(|dataset| dataset.published().is_some());
    if has_paper && !matches!(view, View::Comparison(_)) {
        text += " The paper: every normal class, 5 seeds, at most 200 epochs.";
    }
    lines.push(text);
    lines.extend(estimated(rows));
    lines.extend(foreign(view, rows, &datasets));
    lines.extend(failures::lines(view, rows.iter().map(|kept| &kept.row)));
    let mut marks = String::from("AUROC, mean ± standard deviation over normal classes and seeds");
    if view.is_marked() {
        marks += &format!(
            "; bold: the best, and what a paired t-test at 5% does not tell from it (over at least \
             {FEWEST_RUNS} runs; PNAE and PNSVDD, which know the normals, and methods with failed runs aside)"
        );
    }
    if has_paper && view.is_marked() {
        marks += "; difference: ours minus the paper's, ✓ within the paper's standard deviation, ✗ outside; \
                  (2/3): so many of the column's runs, the others are missing";
    }
    lines.push(marks + ".");
    lines
}

/// The configuration of a data set's rows.
fn own(rows: &[Kept], dataset: Dataset) -> &RunConfig {
    let here = |kept: &&Kept| kept.row.dataset == dataset;
    let own = rows.iter().filter(here).find(|kept| !kept.foreign);
    &own.or(rows.first()).expect("there are rows").row.config
}

/// Data sets with the same text, together.
fn grouped(datasets: &[Dataset], text: impl Fn(Dataset) -> String) -> Vec<(String, String)> {
    let mut groups: Vec<(String, String)> = vec![];
    for &dataset in datasets {
        let text = text(dataset);
        match groups.iter_mut().find(|group| group.1 == text) {
            Some((names, _)) => *names += &format!(", {}", dataset.title()),
            None => groups.push((dataset.title().into(), text)),
        }
    }
    groups
}

/// Normal classes and seeds, of whichever method.
fn runs(rows: &[Kept], dataset: Dataset) -> String {
    let here = rows.iter().map(|kept| &kept.row);
    let here: Vec<_> = here.filter(|row| row.dataset == dataset).collect();
    let list = |name: &str, mut values: Vec<u64>| {
        values.sort_unstable();
        values.dedup();
        let texts: Vec<String> = values.iter().map(u64::to_string).collect();
        let plural = match (values.len(), name) {
            (1, _) => "",
            (_, "seed") => "s",
            _ => "es",
        };
        format!("{name}{plural} {}", texts.join(", "))
    };
    let normals = list(
        "normal class",
        here.iter().map(|row| row.normal.into()).collect(),
    );
    let seeds = list("seed", here.iter().map(|row| row.seed).collect());
    let first = here[0];
    let deviation = match (
        here.iter().all(|row| row.normal == first.normal),
        here.iter().all(|row| row.seed == first.seed),
    ) {
        (true, true) => " (one run: no deviation)",
        (true, false) => " (the deviation is over seeds alone)",
        (false, true) => " (the deviation is over classes alone)",
        (false, false) => "",
    };
    format!("{normals}, {seeds}{deviation}")
}

/// What was estimated of the class prior, and what is true.
fn estimated(rows: &[Kept]) -> Option<String> {
    let rows = rows.iter().map(|kept| &kept.row);
    let found: Vec<(EstimatedAlpha, f64)> = rows
        .filter_map(|row| {
            let truth = contamination(row.config.unlabeled_anomalies);
            row.estimated_alpha.map(|found| (found, truth))
        })
        .collect();
    let range = |of: fn(&(EstimatedAlpha, f64)) -> f64| {
        let all = found.iter().map(of);
        let ends = (all.clone().reduce(f64::min)?, all.reduce(f64::max)?);
        let [low, high] = [ends.0, ends.1].map(|end| format!("{end:.3}"));
        Some(if low == high {
            low
        } else {
            format!("{low} to {high}")
        })
    };
    Some(format!(
        "Estimated alpha: {}; true: {}.",
        range(|(found, _)| found.alpha)?,
        range(|(_, truth)| *truth)?
    ))
}

/// What the mark says.
fn foreign(view: View, rows: &[Kept], datasets: &[Dataset]) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for &dataset in datasets {
        let here = |kept: &&Kept| kept.row.dataset == dataset;
        let usual = base(own(rows, dataset), view);
        let numerics = rows.iter().filter(here).find(|kept| !kept.foreign);
        for kept in rows.iter().filter(here).filter(|kept| kept.foreign) {
            let mut changes = usual.changes(&base(&kept.row.config, view));
            if let Some(usual) = numerics
                && usual.row.numerics != kept.row.numerics
            {
                let (this, that) = (usual.row.numerics, kept.row.numerics);
                changes.push(format!("numerics version {this} -> {that}"));
            }
            let line = format!(
                "† {}: holds runs with {}.",
                dataset.title(),
                changes.join(", ")
            );
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}
