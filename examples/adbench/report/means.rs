//! Means over the sets, by setting, and means by set.

use super::table::{Column, Field, Table};
use crate::cell::Setting;
use crate::metric::Metric;
use crate::scores::{Entry, Mean, Scores};

const PAIR: [&str; 2] = [Metric::Auroc.column(), Metric::AveragePrecision.column()];

/// A line a method, a column a setting, and the mean of the settings.
pub fn over_sets(scores: &Scores) -> Table {
    let settings: Vec<Setting> = scores.settings().into_iter().collect();
    let mut columns: Vec<Option<Setting>> = settings.iter().copied().map(Some).collect();
    if settings.len() > 1 {
        columns.push(None);
    }
    let mean = |entry: &Entry, metric, column: Option<Setting>| match column {
        Some(setting) => entry.mean(metric, setting),
        None => scores.overall(entry, metric),
    };
    let best: Vec<[Option<f64>; 2]> = columns
        .iter()
        .map(|&column| {
            Metric::ALL.map(|metric| best(scores, column, |entry| mean(entry, metric, column)))
        })
        .collect();
    let line = |entry: &Entry| {
        let fields = columns.iter().zip(&best).map(|(&column, best)| {
            let all = scores.cells_of(column).count();
            let of = |metric: Metric| {
                let mean = mean(entry, metric, column);
                let is_best = mean.is_some_and(|m| {
                    m.cells == all && best[metric as usize].is_some_and(|best| m.value >= best)
                });
                (
                    Box::new(Field::number(mean.map(|m| m.value), is_best)),
                    mean,
                )
            };
            let (auroc, counted) = of(Metric::Auroc);
            let (precision, _) = of(Metric::AveragePrecision);
            Field::Pair([auroc, precision], missing(counted, all))
        });
        [super::name(entry)].into_iter().chain(fields).collect()
    };
    let title = |column: &Option<Setting>| Column::pair(column.map_or("mean", Setting::name), PAIR);
    Table {
        title: "AUROC / average precision, means over the sets".into(),
        notes: vec![
            "Means over a set's seeds first, then over the sets; the last column is the mean of the settings. Bold: the best \
             of the methods with a number on every cell; (3/4): on so many of the cells, no match for the others."
                .into(),
        ],
        columns: [Column::one("method")].into_iter().chain(columns.iter().map(title)).collect(),
        lines: scores.entries.iter().map(line).collect(),
    }
}

fn missing(mean: Option<Mean>, all: usize) -> String {
    match mean {
        Some(mean) if mean.cells < all => format!(" ({}/{all})", mean.cells),
        _ => String::new(),
    }
}

/// The highest of the complete methods' numbers.
fn best(
    scores: &Scores,
    setting: Option<Setting>,
    of: impl Fn(&Entry) -> Option<Mean>,
) -> Option<f64> {
    let complete = scores.complete(setting).into_iter();
    complete
        .filter_map(|entry| of(entry).map(|mean| mean.value))
        .reduce(f64::max)
}

/// A table a setting and metric: a line a method, a column a set.
pub fn by_set(scores: &Scores) -> Vec<Table> {
    let mut tables = vec![];
    for setting in scores.settings() {
        for metric in Metric::ALL {
            tables.push(of_setting(scores, setting, metric));
        }
    }
    tables
}

fn of_setting(scores: &Scores, setting: Setting, metric: Metric) -> Table {
    let blocks = scores.blocks(Some(setting));
    let best: Vec<Option<f64>> = blocks
        .iter()
        .map(|block| {
            let cells = || scores.cells.iter().filter(|cell| cell.block() == *block);
            let complete = scores.entries.iter().filter(|entry| entry.has_all(cells()));
            complete
                .filter_map(|entry| entry.block(metric, block))
                .reduce(f64::max)
        })
        .collect();
    let line = |entry: &Entry| {
        let fields = blocks.iter().zip(&best).map(|(block, best)| {
            let value = entry.block(metric, block);
            Field::number(value, value.is_some() && value >= *best)
        });
        [super::name(entry)].into_iter().chain(fields).collect()
    };
    let entries = scores
        .entries
        .iter()
        .filter(|entry| entry.mean(metric, setting).is_some());
    let sets = blocks.iter().map(|(_, set)| Column::one(set));
    Table {
        title: format!("{}, {} by set", setting.name(), metric.title()),
        notes: vec![],
        columns: [Column::one("method")].into_iter().chain(sets).collect(),
        lines: entries.map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::tests::rows;
    use Setting::{L10, Novel};

    fn scores() -> Scores {
        Scores::of(&rows(&[
            ("PUAE", "one", L10, 0, 0.5),
            ("PUAE", "two", L10, 0, 0.8),
            ("PUAE", "one", Novel, 0, 0.4),
            ("IF", "one", L10, 0, 0.9),
            ("AE", "one", L10, 0, 0.6),
            ("AE", "two", L10, 0, 0.6),
            ("AE", "one", Novel, 0, 0.6),
        ]))
    }

    #[test]
    fn the_best_is_the_best_of_those_that_have_all_cells() {
        let table = over_sets(&scores());
        let text = table.markdown();
        for line in [
            "| method | L10 | novel | mean |",
            "| PUAE | **0.650** / **0.325** | 0.400 / 0.200 | 0.525 / 0.263 |",
            "| IF | 0.900 / 0.450 (1/2) | - | - |",
            "| AE | 0.600 / 0.300 | **0.600** / **0.300** | **0.600** / **0.300** |",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let csv = table.csv();
        assert!(
            csv.contains("method,L10 auroc,L10 average_precision,novel auroc"),
            "{csv}"
        );
        assert!(csv.contains("\nIF,0.900000,0.450000,,,,\n"), "{csv}");
    }

    #[test]
    fn one_setting_has_no_mean_of_settings() {
        let one = Scores::of(&rows(&[("PUAE", "one", L10, 0, 0.5)]));
        assert!(over_sets(&one).markdown().contains("| method | L10 |\n"));
    }

    #[test]
    fn sets_are_columns() {
        let tables = by_set(&scores());
        assert_eq!(tables.len(), 4);
        let text = tables[0].markdown();
        for line in [
            "### L10, AUROC by set",
            "| method | one | two |",
            "| PUAE | 0.500 | **0.800** |",
            "| IF | **0.900** | - |",
        ] {
            assert!(text.contains(line), "{text}");
        }
        // Without numbers there is no line.
        assert!(!tables[2].markdown().contains("| IF |"));
    }
}
