use std::collections::BTreeMap;

use puad::method::Method;

use crate::paired_t_test::p_value;
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
    let titles = COLUMNS.map(|c| {
        if has_paper(plan) {
            format!("{} | paper", c.title)
        } else {
            c.title.to_string()
        }
    });
    let mut out = format!(
        "| {} | {} | runs |\n",
        plan.dataset.name(),
        titles.join(" | ")
    );
    let columns = 2 + if has_paper(plan) { 6 } else { 3 };
    out += &format!("|{}\n", "---|".repeat(columns));
    let rows = &in_plan(plan, rows);
    let best = COLUMNS.map(|column| best(&plan.methods, rows, column.value));
    for method in &plan.methods {
        let cells: Vec<String> = COLUMNS
            .iter()
            .zip(&best)
            .map(|(column, best)| cell(plan, rows, method, column, best))
            .collect();
        let runs = values(rows, method, |row| row.auroc).len();
        out += &format!("| {method} | {} | {runs} |\n", cells.join(" | "));
    }
    out
}

/// A resumed file may hold classes and seeds that this run was not asked for. In one order, whichever run was
/// finished first: sums of floats depend on it.
fn in_plan(plan: &Plan, rows: &[Row]) -> Vec<Row> {
    let asked = |row: &&Row| plan.normals.contains(&row.normal) && plan.seeds.contains(&row.seed);
    let mut rows: Vec<Row> = rows.iter().filter(asked).cloned().collect();
    rows.sort_by_key(|row| (row.seed, row.normal));
    rows
}

fn has_paper(plan: &Plan) -> bool {
    let methods = plan.methods.iter();
    methods
        .filter_map(|m| paper::published(plan.dataset, m))
        .next()
        .is_some()
}

fn cell(plan: &Plan, rows: &[Row], method: &Method, column: &Column, best: &[Method]) -> String {
    let measured = values(rows, method, column.value);
    let text = match summary(&measured) {
        None => "-".to_string(),
        Some((mean, deviation)) if best.contains(method) => {
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

/// A method's values.
fn values(rows: &[Row], method: &Method, value: fn(&Row) -> f64) -> Vec<f64> {
    let rows = rows.iter().filter(|row| row.method == *method);
    rows.map(value).collect()
}

/// The values of two methods over the classes and seeds that both have finished.
fn pairs(rows: &[Row], methods: [&Method; 2], value: fn(&Row) -> f64) -> (Vec<f64>, Vec<f64>) {
    let by_run = |method: &Method| -> BTreeMap<(u8, u64), f64> {
        let rows = rows.iter().filter(|row| row.method == *method);
        rows.map(|row| ((row.normal, row.seed), value(row)))
            .collect()
    };
    let [left, right] = methods.map(by_run);
    let both = left
        .iter()
        .filter_map(|(run, &l)| Some((l, *right.get(run)?)));
    both.unzip()
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
    let means = methods.iter().filter_map(|method| {
        let (mean, _) = summary(&values(rows, method, value))?;
        Some((method, mean))
    });
    let Some((top, _)) = means.max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return vec![];
    };
    let as_good = |method: &Method| {
        let (left, right) = pairs(rows, [top, method], value);
        let enough = left.len() >= FEWEST_RUNS;
        let p = p_value(&left, &right);
        enough && (method == top || p.is_ok_and(|p| p >= LEVEL))
    };
    methods.iter().filter(|m| as_good(m)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use clap::Parser;

    const AE: Method = Method::AE;
    const PUAE: Method = Method::PUAE;

    fn plan() -> Plan {
        Plan::new(&Args::parse_from([
            "table1",
            "--normal",
            "1,8",
            "--methods",
            "AE,PUAE",
        ]))
        .unwrap()
    }

    fn rows(plan: &Plan, method: Method, runs: &[(u8, u64, f64)]) -> Vec<Row> {
        let row = |&(normal, seed, auroc): &(u8, u64, f64)| Row {
            dataset: plan.dataset,
            method: method.clone(),
            normal,
            seed,
            auroc,
            auroc_seen: auroc,
            auroc_unseen: auroc,
            epochs: 1,
            best_epoch: 1,
            seconds: 0.,
            pretraining_seconds: 0.,
            config: plan.config.clone(),
        };
        runs.iter().map(row).collect()
    }

    #[test]
    fn pairs_are_runs_of_the_same_class_and_seed() {
        let plan = plan();
        let ae = rows(&plan, AE, &[(1, 0, 0.1), (2, 0, 0.2), (3, 0, 0.3)]);
        let puae = rows(&plan, PUAE, &[(3, 0, 0.9), (1, 0, 0.7), (4, 0, 0.6)]);
        let all = [ae, puae].concat();
        let (left, right) = pairs(&all, [&AE, &PUAE], |row| row.auroc);
        assert_eq!((left, right), (vec![0.1, 0.3], vec![0.7, 0.9]));
    }

    #[test]
    fn bold_marks_the_best_and_what_does_not_differ_from_it() {
        let plan = plan();
        let runs = |values: [f64; 6]| -> Vec<(u8, u64, f64)> {
            (0..).zip(values).map(|(seed, v)| (1, seed, v)).collect()
        };
        let ae = rows(&plan, AE, &runs([0.5, 0.6, 0.7, 0.5, 0.6, 0.7]));
        let better = rows(&plan, PUAE, &runs([0.71, 0.8, 0.9, 0.7, 0.8, 0.91]));
        let alike = rows(&plan, PUAE, &runs([0.6, 0.5, 0.71, 0.5, 0.7, 0.6]));
        let best = |other: Vec<Row>| best(&[AE, PUAE], &[ae.clone(), other].concat(), |r| r.auroc);
        assert_eq!(best(better.clone()), [PUAE]);
        assert_eq!(best(alike), [AE, PUAE]);
        assert_eq!(best(better[..2].to_vec()), []);
    }

    #[test]
    fn the_table_holds_the_runs_asked_for_only() {
        let plan = plan();
        let rows = rows(
            &plan,
            AE,
            &[(1, 0, 0.25), (8, 0, 0.75), (9, 0, 1.), (1, 7, 1.)],
        );
        let table = markdown(&plan, &rows);
        assert!(table.contains("| AE | 0.500 ± 0.250 |"), "{table}");
        assert!(table.contains("| PUAE | - | - | - | 0 |"), "{table}");
    }
}
