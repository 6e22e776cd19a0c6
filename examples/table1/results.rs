//! docs/results.md, of the rows that are kept.

use std::collections::BTreeMap;
use std::path::Path;

use crate::choices::Format;
use crate::claims;
use crate::compared;
use crate::dataset::Dataset;
use crate::evidence::Evidence;
use crate::failures;
use crate::header;
use crate::merge::Kept;
use crate::method::Contender;
use crate::report;
use crate::row::Row;
use crate::summary::{Runs, Summary, pairs, runs};
use crate::sweep;
use crate::view::{Kind, View};

const HEAD: &str = "\
# Results

Rendered by `.ci/render` from the rows in `results/`, one a finished run: all tables, and the verdicts on the paper's
claims. What introduces the tables behind them is written by hand. The paper's protocol was reduced before any result
was seen; `table1 --protocol reduced` has it.
";

/// The whole page, a table of the paper with the columns of `datasets`, or the numbers of a figure.
///
/// # Errors
/// As [`Evidence::read`], and for a data set that the table has not.
pub fn render(
    folder: &Path,
    view: View,
    datasets: &[Dataset],
    format: Format,
) -> anyhow::Result<String> {
    view.check(datasets)?;
    let evidence = Evidence::read(folder)?;
    let compared = |table| {
        let mut all = evidence.comparisons.iter();
        all.find(|(other, _)| *other == table).map(|(_, rows)| rows)
    };
    let rows = match view {
        View::Datasets => return Ok(page(&evidence)),
        View::Comparison(table) => compared(table).cloned().unwrap_or_default(),
        View::Alpha => swept(view, &evidence.alpha),
        View::Contamination => swept(view, &evidence.contamination),
        View::Table(_) => evidence.main,
    };
    let is_asked = |dataset| datasets.is_empty() || datasets.contains(&dataset);
    let mut rows = rows;
    rows.retain(|kept| view.has(kept.row.dataset) && is_asked(kept.row.dataset));
    Ok(report::render(view, datasets, &rows, format))
}

fn page(evidence: &Evidence) -> String {
    let mut out = HEAD.to_string();
    if evidence.outdated > 0 {
        out += &format!(
            "\n{} rows of older numerics versions are left out.\n",
            evidence.outdated
        );
    }
    out += &tables(evidence);
    out += &variants(evidence);
    out += &comparisons(evidence);
    out += &figures(evidence);
    out += "\n## The paper's claims\n\n";
    out += "Over the data sets with the runs that a claim's rule needs: at least three that both methods have, and none \
            that failed. \"Mean\" is the mean AUROC over normal classes and seeds.\n\n";
    out += &claims::render(evidence);
    out
}

fn tables(evidence: &Evidence) -> String {
    let rows = &evidence.main;
    let mut out = String::from("\n## Tables\n\n");
    out += &header::lines(View::Table(1), rows).join("\n\n");
    out += "\n";
    for number in [1, 3, 4, 2, 5, 6] {
        let view = View::Table(number);
        let datasets = view.datasets();
        if rows.iter().any(|kept| datasets.contains(&kept.row.dataset)) {
            let here = rows.iter().filter(|kept| view.has(kept.row.dataset));
            let here: Vec<Kept> = here.cloned().collect();
            out += &format!("\n{}", report::tables(view, &here));
        }
    }
    out
}

/// What other settings change, over the runs that both have.
fn variants(evidence: &Evidence) -> String {
    let mut groups: BTreeMap<Vec<String>, Vec<&Row>> = BTreeMap::new();
    for row in &evidence.variants {
        let changes = evidence.config.changes(&row.config);
        groups.entry(changes).or_default().push(row);
    }
    let mut out = String::from("\n## Other settings\n\n");
    if groups.is_empty() {
        return out + "No runs yet.\n";
    }
    out += "Means over all anomalies, of the runs that are there with both settings.\n";
    for (changes, rows) in groups {
        out += &format!("\n{}:\n\n", changes.join(", "));
        out += "| data set | method | as published | so | difference | runs |\n|---|---|---|---|---|---|\n";
        let mut lines: Vec<(Dataset, Contender)> = rows
            .iter()
            .map(|row| (row.dataset, row.method.clone()))
            .collect();
        lines.sort_by_cached_key(|(dataset, method)| (*dataset, method.order()));
        lines.dedup();
        for (dataset, method) in lines {
            let here = rows
                .iter()
                .filter(|row| row.dataset == dataset && row.method == method);
            let so: Runs = here
                .filter_map(|row| Some(((row.seed, row.normal), row.auroc?)))
                .collect();
            out += &line(dataset, &method, &evidence.main, &so);
        }
        for text in failures::lines(View::Datasets, rows) {
            out += &format!("\n{text}\n");
        }
    }
    out
}

fn line(dataset: Dataset, method: &Contender, main: &[Kept], so: &Runs) -> String {
    let published = runs(main, dataset, method, Kind::All);
    let (left, right) = pairs(&published, so);
    let name = dataset.title();
    match (
        Summary::of(left.into_iter()),
        Summary::of(right.into_iter()),
    ) {
        (Some(a), Some(b)) => format!(
            "| {name} | {method} | {:.3} | {:.3} | {:+.3} | {} |\n",
            a.mean,
            b.mean,
            b.mean - a.mean,
            a.runs
        ),
        _ => {
            let mean = Summary::of(so.values().copied());
            let mean = mean.map_or("-".into(), |s| format!("{:.3}", s.mean));
            format!("| {name} | {method} | - | {mean} | - | {} |\n", so.len())
        }
    }
}

/// Tables of settings that the paper has not compared.
fn comparisons(evidence: &Evidence) -> String {
    let mut out = String::from("\n## Beyond the paper\n\n");
    out += "Data set, classes, seed and settings were fixed before any of these runs; lines that Table 1 has are its runs. \
            There are three a line, and two builds of one protocol differ by up to 0.014: smaller differences say \
            nothing.\n";
    for (table, rows) in &evidence.comparisons {
        out += &format!("\n### {}\n\n{}\n\n", table.title(), table.text());
        out += &format!("`table1 --table {}` makes the runs.", table.name());
        if rows.is_empty() {
            out += " No runs yet.\n";
            continue;
        }
        if rows.len() < table.runs() {
            out += &format!(" {} of {} are there.", rows.len(), table.runs());
        }
        let head = header::lines(View::Comparison(*table), rows);
        out += &format!("\n\n{}\n\n", head.join("\n\n"));
        out += &compared::markdown(*table, rows);
    }
    out
}

fn figures(evidence: &Evidence) -> String {
    let mut out = String::new();
    for (view, rows) in [
        (View::Alpha, &evidence.alpha),
        (View::Contamination, &evidence.contamination),
    ] {
        out += &format!("\n## {}\n\n", view.title());
        let rows = swept(view, rows);
        if rows.is_empty() {
            out += "No runs yet.\n";
            continue;
        }
        let number = if view == View::Alpha { 2 } else { 4 };
        out += &format!(
            "`cargo run --release -p puad-figures --example figure{number}` draws it from the same rows.\n\n"
        );
        out += &header::lines(view, &rows).join("\n\n");
        out += &format!("\n\n{}", sweep::markdown(view, &rows));
    }
    out
}

/// The rows of data sets with more than one point: one is the tables' own protocol.
fn swept(view: View, rows: &[Kept]) -> Vec<Kept> {
    let is_swept = |kept: &&Kept| sweep::points(view, rows, kept.row.dataset).len() > 1;
    rows.iter().filter(is_swept).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::tests::placed;
    use crate::plan::Plan;
    use crate::row::tests::{diverged, rows};
    use crate::study::Study;

    const REDUCED: [&str; 4] = ["--protocol", "reduced", "--dataset", "mnist"];

    fn plan(extra: &[&str]) -> Plan {
        Plan::of(&[&REDUCED[..], extra].concat())
    }

    fn page_of(all: Vec<Row>) -> String {
        page(&Evidence::of(placed(all)).unwrap())
    }

    fn verdict(page: &str, start: &str) -> String {
        let line = page.lines().find(|line| line.starts_with(start)).unwrap();
        line.rsplit("**").nth(1).unwrap().to_string()
    }

    #[test]
    fn without_rows_there_is_no_verdict() {
        let page = page_of(vec![]);
        let verdicts = page.matches("**no evidence yet**").count();
        assert_eq!(verdicts, claims::CLAIMS.len());
    }

    #[test]
    fn verdicts_follow_from_rows() {
        let value = |name: &str| match name {
            "PUSVDD" => 0.9,
            "PU" => 0.895,
            "SOEL" => 0.7,
            "DeepSAD" => 0.8,
            "PUAE" => 0.85,
            _ => 0.5,
        };
        let mut all: Vec<Row> = vec![];
        for contender in Contender::paper() {
            let name = contender.to_string();
            let v = value(&name);
            all.extend(rows(&plan(&[]), &name, &[(1, 0, v), (4, 0, v), (8, 0, v)]));
        }
        let page = page_of(all.clone());
        // One data set is not every data set.
        assert_eq!(verdict(&page, "- PUSVDD is the best"), "agrees so far");
        assert_eq!(verdict(&page, "- SOEL is above"), "disagrees");
        assert_eq!(verdict(&page, "- ABC is about"), "agrees so far");
        assert_eq!(verdict(&page, "- DeepSAD is about"), "disagrees");
        assert_eq!(verdict(&page, "- PUAE is above"), "agrees so far");
        // Within 0.01 of PUSVDD's.
        assert_eq!(verdict(&page, "- PU is weak"), "disagrees");
        assert!(
            page.contains("MNIST: yes (PUSVDD 0.900, best other PU 0.895, 3 runs)"),
            "{page}"
        );

        // Another data set where it is otherwise.
        let cifar = Plan::of(&["--protocol", "reduced", "--dataset", "cifar10"]);
        for (name, v) in [("SOEL", 0.8), ("DeepSAD", 0.7)] {
            all.extend(rows(&cifar, name, &[(1, 0, v), (4, 0, v), (8, 0, v)]));
        }
        let page = page_of(all);
        assert_eq!(verdict(&page, "- SOEL is above"), "agrees in part");
        assert!(
            page.contains("agrees in part** (2 of the paper's 8 data sets)"),
            "{page}"
        );
    }

    #[test]
    fn too_few_runs_and_failed_ones_decide_nothing() {
        let some = |name: &str, runs: &[(u8, u64, f64)]| rows(&plan(&[]), name, runs);
        let three = [(1, 0, 0.9), (4, 0, 0.9), (8, 0, 0.9)];
        let two = [
            some("SOEL", &three),
            some("DeepSAD", &[(1, 0, 0.5), (4, 0, 0.5)]),
        ]
        .concat();
        let page = page_of(two);
        assert_eq!(verdict(&page, "- SOEL is above"), "no evidence yet");
        assert!(
            page.contains("  - MNIST: open (SOEL and DeepSAD have 2 runs in common"),
            "{page}"
        );

        let mut failed = [some("SOEL", &three), some("DeepSAD", &three)].concat();
        assert_eq!(
            verdict(&page_of(failed.clone()), "- SOEL is above"),
            "disagrees"
        );
        failed[5] = diverged(failed[5].clone());
        failed.extend(some("DeepSAD", &[(2, 0, 0.5)]));
        failed.extend(some("SOEL", &[(2, 0, 0.9)]));
        let page = page_of(failed);
        assert_eq!(verdict(&page, "- SOEL is above"), "no evidence yet");
        assert!(
            page.contains("  - MNIST: open (1 run of DeepSAD failed)"),
            "{page}"
        );

        // One method's runs without the other's.
        let mut without = rows(&plan(&["--correction", "none"]), "PUAE", &three);
        without.iter_mut().for_each(|row| row.last_risk = Some(-1.));
        let claim = "- Without the absolute";
        assert_eq!(verdict(&page_of(without.clone()), claim), "no evidence yet");
        without.extend(rows(&plan(&["--correction", "none"]), "PUSVDD", &three));
        assert_eq!(verdict(&page_of(without), claim), "disagrees");
    }

    #[test]
    fn a_table_of_the_page_has_the_columns_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let table = |datasets: &[Dataset]| {
            render(dir.path(), View::Table(1), datasets, Format::Markdown).unwrap()
        };
        assert!(table(&[]).contains("| SVHN | paper |"));
        let mut lines: String = rows(&plan(&[]), "AE", &[(1, 0, 0.5)])
            .iter()
            .map(|row| serde_json::to_string(row).unwrap() + "\n")
            .collect();
        let svhn = Plan::of(&["--protocol", "reduced", "--dataset", "svhn"]);
        lines += &(serde_json::to_string(&rows(&svhn, "AE", &[(3, 0, 0.5)])[0]).unwrap() + "\n");
        std::fs::write(dir.path().join("rows.jsonl"), lines).unwrap();
        let asked = [Dataset::Mnist, Dataset::Cifar10];
        let text = table(&asked);
        assert!(
            text.contains("| AE | 0.500 (1 run) | 0.912 ± 0.042 |"),
            "{text}"
        );
        assert!(
            text.contains("| CIFAR10 | paper |") && !text.contains("SVHN"),
            "{text}"
        );
        let error = render(dir.path(), View::Table(2), &asked, Format::Csv).unwrap_err();
        assert!(error.to_string().contains("no column for mnist"), "{error}");
    }

    #[test]
    fn sweeps_and_variants_are_told_apart() {
        let sweep = |figure: &str| {
            let study = Study::of(&[&REDUCED[..], &["--figure", figure]].concat());
            let mut all = vec![];
            for (i, plan) in study.plans.iter().enumerate() {
                let slope = i as f64 / 100.;
                all.extend(rows(plan, "PUSVDD", &[(1, 0, 0.9 + slope / 2.)]));
                all.extend(rows(plan, "SOEL", &[(1, 0, 0.8 + slope)]));
            }
            all
        };
        let without = plan(&["--correction", "none"]);
        let runs = [(1, 0, 0.5), (4, 0, 0.5), (8, 0, 0.5)];
        let mut uncorrected = rows(&without, "PUAE", &runs);
        uncorrected.extend(rows(&without, "PUSVDD", &runs));
        for row in &mut uncorrected {
            row.last_risk = Some(-12.);
        }
        let linear = rows(&plan(&["--head", "linear"]), "PUSVDD", &[(1, 0, 0.95)]);
        let page = page_of([sweep("2"), sweep("4"), uncorrected, linear].concat());
        for claim in [
            "- PUSVDD is more robust",
            "- PUSVDD is equal",
            "- Without the absolute",
        ] {
            assert_eq!(verdict(&page, claim), "agrees so far", "{page}");
        }
        assert!(page.contains("\nhead norm_act -> linear:\n"), "{page}");
        // Alpha 0.1 of the sweep is the main protocol's run.
        assert!(
            page.contains("| MNIST | PUSVDD | 0.915 | 0.950 | +0.035 | 1 |"),
            "{page}"
        );
        assert!(
            page.contains("| MNIST | PUAE | - | 0.500 | - | 3 |"),
            "{page}"
        );
        assert!(
            page.contains("| MNIST: unlabeled anomalies | SOEL | PUSVDD |"),
            "{page}"
        );
    }

    #[test]
    fn comparisons_are_tables_of_their_own() {
        let mut all = rows(&plan(&[]), "PUSVDD", &[(1, 0, 0.9), (2, 0, 0.1)]);
        for (table, i) in [("corrections", 3), ("loe", 1), ("pnu", 1)] {
            let plan = Study::of(&["--table", table]).plans.swap_remove(i);
            // Class 2 was not fixed beforehand.
            all.extend(rows(&plan, "PUSVDD", &[(1, 0, 0.75), (2, 0, 0.5)]));
        }
        let page = page_of(all);
        for line in [
            "`table1 --table corrections` makes the runs. 1 of 24 are there.",
            "`table1 --table loe` makes the runs. 2 of 15 are there.",
            "| PUSVDD | 0.900 | 0.900 | 0.900 | 0.900 |",
            "| PUSVDD, LOE hard | 0.750 |",
            "| PUSVDD, 250 normals, eta 0.5 | 0.750 |",
            "| PUSVDD, uncorrected | 0.750 |",
            // What is no line of a table is another setting.
            "\nloe in pu false -> true:\n",
        ] {
            assert!(page.contains(line), "{line}: {page}");
        }
        assert!(
            page.contains("| MNIST | PUSVDD | 0.100 | 0.500 | +0.400 | 1 |"),
            "{page}"
        );
        assert!(page_of(vec![]).contains("`table1 --table pnu` makes the runs. No runs yet."));
    }

    #[test]
    fn older_numerics_are_left_out() {
        let mut old = rows(&plan(&[]), "AE", &[(1, 0, 0.5)]);
        old[0].numerics -= 1;
        let new = rows(&plan(&[]), "AE", &[(1, 0, 0.75)]);
        let page = page_of([old, new].concat());
        assert!(page.contains("\n1 rows of older numerics"), "{page}");
        assert!(page.contains("| AE | 0.750 (1 run) |"), "{page}");
    }
}
