//! The tables of `comparison`: a line a method and setting, its classes apart and together.

use std::collections::BTreeSet;

use crate::choices::Format;
use crate::comparison::{Comparison, Entry, normals};
use crate::dataset::Dataset;
use crate::failures;
use crate::header;
use crate::merge::Kept;
use crate::row::Row;
use crate::summary::Summary;
use crate::view::Kind;

/// A data set's part of a table.
struct Block<'a> {
    comparison: Comparison,
    dataset: Dataset,
    rows: Vec<&'a Row>,
    normals: Vec<u8>,
    /// Normal classes with their seeds, of whichever line.
    runs: usize,
    entries: Vec<Entry>,
}

impl<'a> Block<'a> {
    fn new(comparison: Comparison, dataset: Dataset, rows: &'a [Kept]) -> Self {
        let rows = rows.iter().map(|kept| &kept.row);
        let rows: Vec<&Row> = rows.filter(|row| row.dataset == dataset).collect();
        let cells: BTreeSet<_> = rows.iter().map(|row| (row.normal, row.seed)).collect();
        let entries = rows.first().map(|row| comparison.entries(&row.config));
        Self {
            comparison,
            dataset,
            normals: normals(rows.iter().copied()),
            runs: cells.len(),
            entries: entries.unwrap_or_default(),
            rows,
        }
    }

    fn of(&self, entry: &Entry) -> Vec<&'a Row> {
        let rows = self.rows.iter().copied();
        rows.filter(|row| row.method == entry.method && row.config == entry.config)
            .collect()
    }

    /// A mean with what is missing of it.
    fn cell(rows: &[&Row], kind: Kind, of: usize) -> String {
        let values: Vec<f64> = rows.iter().filter_map(|row| kind.of(row)).collect();
        let mut text = match Summary::of(values.iter().copied()) {
            Some(summary) if summary.runs < of => format!("{summary} ({}/{of})", summary.runs),
            Some(summary) => summary.to_string(),
            None => "-".into(),
        };
        if rows.iter().any(|row| row.failed.is_some()) {
            text += failures::MARK;
        }
        text
    }

    fn line(&self, entry: &Entry) -> Vec<String> {
        let rows = self.of(entry);
        let mut texts = vec![entry.title.clone()];
        for &normal in &self.normals {
            let here = rows.iter().copied().filter(|row| row.normal == normal);
            let here: Vec<&Row> = here.collect();
            texts.push(Self::cell(&here, Kind::All, 1));
        }
        texts.extend(Kind::ALL.map(|kind| Self::cell(&rows, kind, self.runs)));
        if self.comparison == Comparison::Corrections {
            texts.push(range(&rows));
        }
        texts
    }

    fn titles(&self) -> Vec<String> {
        let mut titles = vec![self.dataset.title().to_string()];
        titles.extend(self.normals.iter().map(|normal| format!("class {normal}")));
        titles.extend(Kind::ALL.map(|kind| kind.title().to_string()));
        if self.comparison == Comparison::Corrections {
            titles.push("last risk".into());
        }
        titles
    }
}

/// The training risk of the last epoch, from the lowest to the highest.
fn range(rows: &[&Row]) -> String {
    let mut risks: Vec<f64> = rows.iter().filter_map(|row| row.last_risk).collect();
    risks.sort_by(f64::total_cmp);
    match (risks.first(), risks.last()) {
        (Some(lowest), Some(highest)) => format!("{} to {}", number(*lowest), number(*highest)),
        _ => "-".into(),
    }
}

/// What runs away has an exponent.
fn number(value: f64) -> String {
    match value.abs() {
        size if size < 1e4 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

pub fn render(comparison: Comparison, rows: &[Kept], head: &[String], format: Format) -> String {
    match format {
        Format::Markdown => format!("{}\n\n{}", head.join("\n\n"), markdown(comparison, rows)),
        Format::Csv => {
            let head: String = head.iter().map(|line| format!("# {line}\n")).collect();
            head + &csv(comparison, rows)
        }
    }
}

/// A table a data set.
pub fn markdown(comparison: Comparison, rows: &[Kept]) -> String {
    let table = |dataset| {
        let block = Block::new(comparison, dataset, rows);
        let titles = block.titles();
        let rule = "---|".repeat(titles.len());
        let mut out = format!("| {} |\n|{rule}\n", titles.join(" | "));
        for entry in &block.entries {
            out += &format!("| {} |\n", block.line(entry).join(" | "));
        }
        out
    };
    let tables: Vec<String> = header::datasets(rows).into_iter().map(table).collect();
    tables.join("\n")
}

/// A line a run.
fn csv(comparison: Comparison, rows: &[Kept]) -> String {
    let mut out = String::from("dataset,method,setting,class,seed,all,seen,unseen,last_risk\n");
    let text = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.6}"));
    for dataset in header::datasets(rows) {
        let block = Block::new(comparison, dataset, rows);
        for entry in &block.entries {
            for row in block.of(entry) {
                let values = Kind::ALL.map(|kind| text(kind.of(row))).join(",");
                let setting = entry.setting().unwrap_or_default();
                out += &format!(
                    "{},{},{},{},{},{values},{}\n",
                    dataset.title(),
                    entry.method,
                    setting.replace(',', ";"),
                    row.normal,
                    row.seed,
                    text(row.last_risk)
                );
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::choose;
    use crate::merge::tests::placed;
    use crate::plan::Plan;
    use crate::report;
    use crate::row::tests::{diverged, rows};
    use crate::study::Study;
    use crate::view::View;

    fn plans(table: &str) -> Vec<Plan> {
        Study::of(&["--table", table]).plans
    }

    fn render(comparison: Comparison, all: Vec<Row>, format: Format) -> String {
        let view = View::Comparison(comparison);
        let rows = choose(placed(all), view, false).unwrap();
        report::render(view, &[], &rows, format)
    }

    fn line<'a>(text: &'a str, start: &str) -> &'a str {
        let start = format!("| {start} |");
        text.lines().find(|line| line.starts_with(&start)).unwrap()
    }

    #[test]
    fn a_line_a_method_and_setting_with_its_classes() {
        let plans = plans("corrections");
        assert_eq!(plans.len(), 4);
        let mut all = rows(
            &plans[0],
            "PUSVDD",
            &[(1, 0, 0.5), (4, 0, 0.6), (8, 0, 0.7)],
        );
        all.extend(rows(&plans[1], "PUSVDD", &[(1, 0, 0.5)]));
        let mut none = rows(
            &plans[3],
            "PUSVDD",
            &[(1, 0, 0.25), (4, 0, 0.35), (8, 0, 0.5)],
        );
        none[0].last_risk = Some(-123_456.);
        none[1].last_risk = Some(-2.);
        none[2] = diverged(none[2].clone());
        all.extend(none);
        let text = render(Comparison::Corrections, all.clone(), Format::Markdown);
        let titles =
            "| MNIST | class 1 | class 4 | class 8 | all anomalies | seen | unseen | last risk |";
        assert!(text.contains(titles), "{text}");
        assert_eq!(
            line(&text, "PUSVDD, absolute"),
            "| PUSVDD, absolute | 0.500 | 0.600 | 0.700 | 0.600 ± 0.082 | 0.600 ± 0.082 | 0.600 ± 0.082 \
             | 0.500 to 0.500 |"
        );
        let partial = line(&text, "PUSVDD, clamped");
        assert!(
            partial.contains("| 0.500 | - | - | 0.500 (1/3) |"),
            "{partial}"
        );
        assert_eq!(
            line(&text, "PUSVDD, uncorrected"),
            "| PUSVDD, uncorrected | 0.250 | 0.350 | - ‡ | 0.300 ± 0.050 (2/3) ‡ | 0.300 ± 0.050 (2/3) ‡ \
             | 0.300 ± 0.050 (2/3) ‡ | -1.2e5 to -2.000 |"
        );
        assert!(line(&text, "PUAE, absolute").ends_with("| - | - | - | - | - | - | - |"));
        let told = "‡ MNIST, PUSVDD: 1 run failed and is in no mean (uncorrected, class 8, seed 0)";
        assert!(text.contains(told), "{text}");
        assert!(
            text.contains("Protocol: at most 20 epochs a phase, no patience, alpha 0.1"),
            "{text}"
        );
        assert!(!text.contains("bold"), "{text}");

        let text = render(Comparison::Corrections, all, Format::Csv);
        let lines = [
            "MNIST,PUSVDD,absolute,4,0,0.600000,0.600000,0.600000,0.500000\n",
            "MNIST,PUSVDD,uncorrected,8,0,,,,\n",
        ];
        for line in lines {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn settings_tell_rows_of_one_method_apart() {
        let plans = plans("loe");
        let names =
            |plan: &Plan| -> Vec<String> { plan.methods.iter().map(ToString::to_string).collect() };
        let all: Vec<Vec<String>> = plans.iter().map(names).collect();
        assert_eq!(
            all,
            [
                vec!["PUSVDD", "LOE"],
                vec!["PUSVDD"],
                vec!["PUSVDD"],
                vec!["LOE"]
            ]
        );
        let mut all = vec![];
        for (i, plan) in plans.iter().enumerate() {
            for method in names(plan) {
                all.extend(rows(plan, &method, &[(1, 0, 0.5 + i as f64 / 10.)]));
            }
        }
        let text = render(Comparison::Loe, all, Format::Markdown);
        for (title, value) in [
            ("PUSVDD", 0.5),
            ("PUSVDD, LOE hard", 0.6),
            ("PUSVDD, LOE soft", 0.7),
            ("LOE, hard", 0.5),
            ("LOE, soft", 0.8),
        ] {
            assert!(
                line(&text, title).contains(&format!("| {value:.3} |")),
                "{text}"
            );
        }
    }

    #[test]
    fn the_weights_of_labeled_normals_are_lines() {
        let plans = plans("pnu");
        let settings = |plan: &Plan| (plan.config.labeled_normals, plan.config.pnu_weight);
        let all: Vec<_> = plans.iter().map(settings).collect();
        assert_eq!(all, [(0, 1.), (250, 0.5), (250, 0.8)]);
        assert_eq!(plans[1].normals, [1, 4, 8]);
        assert_eq!(
            (plans[1].config.epochs, plans[1].config.patience),
            (60, Some(15))
        );
        let all = plans
            .iter()
            .flat_map(|plan| rows(plan, "PUAE", &[(8, 0, 0.5)]));
        let text = render(Comparison::Pnu, all.collect(), Format::Markdown);
        assert!(
            line(&text, "PUAE, 250 normals, eta 0.8").contains("| 0.500 |"),
            "{text}"
        );
    }
}
