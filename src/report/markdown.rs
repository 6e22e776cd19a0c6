//! A report as text.

use std::fmt::Write;

use super::axis::label;
use super::estimate::percent;
use super::{AtBudget, Estimate, KindRecall, Report, ReportSource};

/// Writing to a text cannot fail.
macro_rules! line {
    ($text:expr, $($what:tt)*) => {{ let _ = writeln!($text, $($what)*); }};
}

pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    head(&mut text, report);
    budgets(&mut text, &report.budgets);
    kinds(&mut text, &report.kinds, report.level);
    notes(&mut text, report);
    text
}

fn head(text: &mut String, report: &Report) {
    let Report {
        unlabeled,
        anomalies,
        source,
        prior,
        ..
    } = report;
    let level = percent(report.level);
    let anomalies = labeled(*anomalies);
    line!(
        text,
        "Estimated from the scores of {unlabeled} unlabeled samples and {anomalies}, {}, with {level}% intervals.\n",
        match source {
            ReportSource::Validation =>
                "none of which the detector was trained on (the validation part)".into(),
            ReportSource::OutOfFold { folds } => format!(
                "each scored by a detector that was not trained on it ({source}: the data were cut into {folds} parts, \
                 and each part was scored by a detector fitted to the others)"
            ),
        }
    );
    line!(text, "| | |\n|---|---|");
    line!(
        text,
        "| share of anomalies among unlabeled samples (class prior) | {prior} |"
    );
    let none =
        "no estimate: the class prior leaves no normals, or contradicts the scores".to_owned();
    let auroc = report.auroc.map_or(none, |auroc| auroc.to_string());
    line!(text, "| AUROC, anomalies against normals | {auroc} |");
    line!(
        text,
        "| AUROC, anomalies against unlabeled samples | {} |",
        report.auroc_unlabeled
    );
    line!(
        text,
        "| average precision, at that share of anomalies | {} |",
        report.average_precision
    );
}

fn budgets(text: &mut String, budgets: &[AtBudget]) {
    if budgets.is_empty() {
        return;
    }
    line!(
        text,
        "\n| alarms | threshold | alarm rate | precision | recall of known kinds | false-positive rate | |\n\
         |---|---|---|---|---|---|---|"
    );
    for at in budgets {
        let threshold = at.threshold.map_or(String::new(), |score| label(score, 6));
        let (rate, precision) = (cell(at.alarm_rate), cell(at.precision));
        let (recall, false_alarms) = (cell(at.recall), cell(at.false_positive_rate));
        let AtBudget {
            budget, support, ..
        } = at;
        line!(
            text,
            "| {budget} | {threshold} | {rate} | {precision} | {recall} | {false_alarms} | {support} |"
        );
    }
}

pub(super) fn labeled(anomalies: usize) -> String {
    match anomalies {
        1 => "1 labeled anomaly".into(),
        n => format!("{n} labeled anomalies"),
    }
}

fn cell(estimate: Option<Estimate>) -> String {
    estimate.map_or(String::new(), |estimate| estimate.in_percent())
}

fn kinds(text: &mut String, kinds: &[KindRecall], level: f64) {
    let Some(first) = kinds.first().filter(|kind| !kind.at.is_empty()) else {
        return;
    };
    let names: Vec<String> = first.at.iter().map(|at| at.budget.to_string()).collect();
    line!(
        text,
        "\nRecall of a kind by a detector that was trained without its labels, by alarm budget ({}% intervals):\n",
        percent(level)
    );
    line!(text, "| kind | anomalies | {} |", names.join(" | "));
    line!(text, "|---|---|{}", "---|".repeat(names.len()));
    for kind in kinds {
        let recalls = kind.at.iter().map(|at| match at.support {
            support if support.is_estimate() => cell(at.recall),
            support => support.to_string(),
        });
        let recalls: Vec<String> = recalls.collect();
        line!(
            text,
            "| {} | {} | {} |",
            in_cell(&kind.kind),
            kind.anomalies,
            recalls.join(" | ")
        );
    }
}

fn notes(text: &mut String, report: &Report) {
    line!(
        text,
        "\nKnown kinds are those of the labeled anomalies. Where easy ones were labeled rather than others, recall and \
         AUROC are too high for all anomalies; alarms of kinds that nobody labeled count as false, unless the class \
         prior counts these kinds too."
    );
    for doubt in &report.doubts {
        line!(text, "\n**Note:** {doubt}.");
    }
}

/// What would end a cell of Markdown is escaped.
fn in_cell(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('|', "\\|")
}
