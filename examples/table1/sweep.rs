//! The numbers of Figures 2 and 4.

use std::collections::BTreeSet;

use crate::choices::Format;
use crate::dataset::Dataset;
use crate::failures;
use crate::header;
use crate::merge::Kept;
use crate::method::Contender;
use crate::row::Row;
use crate::summary::Summary;
use crate::view::View;

/// A point on the axis: a class prior or a number of unlabeled anomalies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point(pub f64);

impl Point {
    pub fn of(view: View, row: &Row) -> Self {
        let config = &row.config;
        match view {
            View::Contamination => Self(config.unlabeled_anomalies as f64),
            // An estimated one is no point of the figure's: `View::takes`.
            _ => Self(config.alpha.number().unwrap_or(f64::NAN)),
        }
    }
}

/// The points of a data set, ascending.
pub fn points(view: View, rows: &[Kept], dataset: Dataset) -> Vec<Point> {
    let here = rows.iter().filter(|kept| kept.row.dataset == dataset);
    let mut points: Vec<f64> = here.map(|kept| Point::of(view, &kept.row).0).collect();
    points.sort_by(f64::total_cmp);
    points.dedup();
    points.into_iter().map(Point).collect()
}

/// A method's rows at a point.
fn here(
    view: View,
    rows: &[Kept],
    dataset: Dataset,
    contender: &Contender,
    point: Point,
) -> Vec<Row> {
    let rows = rows.iter().map(|kept| &kept.row);
    let is_here = |row: &&Row| {
        row.dataset == dataset && row.method == *contender && Point::of(view, row) == point
    };
    rows.filter(is_here).cloned().collect()
}

/// A method's AUROC over all anomalies at a point.
pub fn at(
    view: View,
    rows: &[Kept],
    dataset: Dataset,
    contender: &Contender,
    point: Point,
) -> Option<Summary> {
    let rows = here(view, rows, dataset, contender, point);
    let values = rows.iter().filter_map(|row| row.auroc);
    Summary::of(values.collect::<Vec<_>>().into_iter())
}

pub fn contenders(rows: &[Kept]) -> Vec<Contender> {
    let all: BTreeSet<_> = rows.iter().map(|kept| kept.row.method.order()).collect();
    let parsed = all.into_iter().filter_map(|(_, name)| name.parse().ok());
    parsed.collect()
}

pub fn render(view: View, rows: &[Kept], head: &[String], format: Format) -> String {
    match format {
        Format::Markdown => format!("{}\n\n{}", head.join("\n\n"), markdown(view, rows)),
        Format::Csv => {
            let head: String = head.iter().map(|line| format!("# {line}\n")).collect();
            head + &csv(view, rows)
        }
    }
}

/// A table a data set, a line a point.
pub fn markdown(view: View, rows: &[Kept]) -> String {
    let contenders = contenders(rows);
    let names: Vec<String> = contenders.iter().map(Contender::to_string).collect();
    let mut tables = vec![];
    for dataset in header::datasets(rows) {
        let mut out = format!(
            "| {}: {} | {} |\n",
            dataset.title(),
            view.axis(),
            names.join(" | ")
        );
        out += &format!("|{}\n", "---|".repeat(1 + names.len()));
        for point in points(view, rows, dataset) {
            let cell = |contender: &Contender| {
                let mut text = match at(view, rows, dataset, contender, point) {
                    Some(summary) => summary.to_string(),
                    None => "-".into(),
                };
                let here = here(view, rows, dataset, contender, point);
                if here.iter().any(|row| row.failed.is_some()) {
                    text += failures::MARK;
                }
                text
            };
            let cells: Vec<String> = contenders.iter().map(cell).collect();
            out += &format!("| {} | {} |\n", point.0, cells.join(" | "));
        }
        tables.push(out);
    }
    tables.join("\n")
}

fn csv(view: View, rows: &[Kept]) -> String {
    let mut out = format!(
        "dataset,{},method,mean,deviation,runs\n",
        view.axis().replace(' ', "_")
    );
    for dataset in header::datasets(rows) {
        for point in points(view, rows, dataset) {
            for contender in contenders(rows) {
                if let Some(s) = at(view, rows, dataset, &contender, point) {
                    let name = dataset.title();
                    out += &format!(
                        "{name},{},{contender},{:.6},{:.6},{}\n",
                        point.0, s.mean, s.deviation, s.runs
                    );
                }
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
    use crate::row::tests::{diverged, rows};
    use crate::study::Study;

    #[test]
    fn a_line_a_point() {
        let study = Study::of(&["--figure", "4", "--dataset", "mnist"]);
        let mut all = vec![];
        for (i, plan) in study.plans.iter().enumerate().rev() {
            let value = 0.5 + 0.1 * i as f64;
            all.extend(rows(plan, "PUSVDD", &[(1, 0, value), (1, 1, value)]));
        }
        all.extend(rows(&study.plans[0], "SOEL", &[(1, 0, 0.25)]));
        all.push(diverged(
            rows(&study.plans[4], "SOEL", &[(1, 0, 0.5)]).remove(0),
        ));
        let view = View::Contamination;
        let chosen = choose(placed(all), view, false).unwrap();
        let head = header::lines(view, &chosen);
        let text = render(view, &chosen, &head, Format::Markdown);
        assert!(
            text.contains("| MNIST: unlabeled anomalies | SOEL | PUSVDD |"),
            "{text}"
        );
        assert!(text.contains("| 50 | 0.250 | 0.500 ± 0.000 |"), "{text}");
        assert!(text.contains("| 1000 | - ‡ | 0.900 ± 0.000 |"), "{text}");
        let told =
            "‡ MNIST, SOEL: 1 run failed and is in no mean (unlabeled anomalies 1000, class 1";
        assert!(text.contains(told), "{text}");
        let text = render(view, &chosen, &head, Format::Csv);
        assert!(
            text.contains("MNIST,125,PUSVDD,0.600000,0.000000,2\n"),
            "{text}"
        );
    }
}
