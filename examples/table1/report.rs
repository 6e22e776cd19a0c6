use puad::metrics::paired_t_test;

use crate::method::Method;
use crate::paper;
use crate::plan::Plan;
use crate::record::Row;

/// Significance level of the bold marks (section 5.4).
const LEVEL: f64 = 0.05;

/// With fewer runs the test could tell nothing apart, and nothing is marked.
const FEWEST_RUNS: usize = 5;

/// One of the three columns.
struct Column {
    title: &'static str,
    value: fn(&Row) -> f64,
    published: usize,
}

const COLUMNS: [Column; 3] = [
    Column {
        title: "all anomalies",
        value: |row| row.auroc,
        published: 0,
    },
    Column {
        title: "seen",
        value: |row| row.auroc_seen,
        published: 1,
    },
    Column {
        title: "unseen",
        value: |row| row.auroc_unseen,
        published: 2,
    },
];

/// The results as a Markdown table: AUROC, mean +- standard deviation over classes and seeds.
pub fn markdown(plan: &Plan, rows: &[Row]) -> String {
    let titles = COLUMNS.map(|c| match has_paper(plan) {
        true => format!("{} | paper", c.title),
        false => c.title.to_string(),
    });
    let mut out = format!(
        "| {} | {} | runs |\n",
        plan.dataset.name(),
        titles.join(" | ")
    );
    let columns = 2 + if has_paper(plan) { 6 } else { 3 };
    out += &format!("|{}\n", "---|".repeat(columns));
    let best = COLUMNS.map(|column| best(&plan.methods, rows, column.value));
    for &method in &plan.methods {
        let cells: Vec<String> = COLUMNS
            .iter()
            .zip(&best)
            .map(|(column, best)| cell(plan, rows, method, column, best))
            .collect();
        let runs = values(rows, method, |row| row.auroc).len();
        out += &format!("| {} | {} | {runs} |\n", method.name(), cells.join(" | "));
    }
    out
}

fn has_paper(plan: &Plan) -> bool {
    let methods = plan.methods.iter();
    methods
        .filter_map(|&m| paper::published(plan.dataset, m))
        .next()
        .is_some()
}

fn cell(plan: &Plan, rows: &[Row], method: Method, column: &Column, best: &[Method]) -> String {
    let measured = values(rows, method, column.value);
    let text = match summary(&measured) {
        None => "-".to_string(),
        Some((mean, deviation)) if best.contains(&method) => {
            format!("**{mean:.3} ± {deviation:.3}**")
        }
        Some((mean, deviation)) => format!("{mean:.3} ± {deviation:.3}"),
    };
    if !has_paper(plan) {
        return text;
    }
    match paper::published(plan.dataset, method) {
        Some(published) => {
            let (mean, deviation) = published[column.published];
            format!("{text} | {mean:.3} ± {deviation:.3}")
        }
        None => format!("{text} | -"),
    }
}

/// A method's values, in the order of the runs' classes and seeds.
fn values(rows: &[Row], method: Method, value: fn(&Row) -> f64) -> Vec<f64> {
    let mut rows: Vec<&Row> = rows.iter().filter(|row| row.method == method).collect();
    rows.sort_by_key(|row| (row.normal, row.seed));
    rows.into_iter().map(value).collect()
}

/// Mean and population standard deviation.
fn summary(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (!values.is_empty()).then_some((mean, variance.sqrt()))
}

/// The method with the highest mean, and those that do not differ from it at 5% over the same runs.
fn best(methods: &[Method], rows: &[Row], value: fn(&Row) -> f64) -> Vec<Method> {
    let means = methods.iter().filter_map(|&method| {
        let (mean, _) = summary(&values(rows, method, value))?;
        Some((method, mean))
    });
    let Some((top, _)) = means.max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return vec![];
    };
    let reference = values(rows, top, value);
    if reference.len() < FEWEST_RUNS {
        return vec![];
    }
    let as_good = |method: Method| {
        let test = paired_t_test(&reference, &values(rows, method, value));
        // Lists of unequal length (a diverged run) have no pairs to compare.
        method == top || test.is_ok_and(|test| test.p_value >= LEVEL)
    };
    methods.iter().copied().filter(|&m| as_good(m)).collect()
}
