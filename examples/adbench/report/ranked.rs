//! Mean ranks of the methods that were measured everywhere.

use super::table::{Column, Field, Table};
use crate::cell::Setting;
use crate::metric::Metric;
use crate::ranks::Comparison;
use crate::scores::{Entry, Scores, rounded};

/// The methods with a number on every cell of a setting, or of all, compared over its blocks.
fn compared(
    scores: &Scores,
    setting: Option<Setting>,
    metric: Metric,
) -> (Vec<&Entry>, Option<Comparison>) {
    let entries = scores.complete(setting);
    let blocks: Vec<Vec<f64>> = scores
        .blocks(setting)
        .iter()
        .map(|block| {
            let values = entries
                .iter()
                .filter_map(|entry| entry.block(metric, block));
            values.map(rounded).collect()
        })
        .collect();
    let comparison = Comparison::of(&blocks);
    (entries, comparison)
}

/// The settings, and all of them together where there are several.
fn columns(scores: &Scores) -> Vec<Option<Setting>> {
    let settings = scores.settings();
    let all = (settings.len() > 1).then_some(None);
    settings.into_iter().map(Some).chain(all).collect()
}

fn title(setting: Option<Setting>) -> &'static str {
    setting.map_or("all", Setting::name)
}

/// A line a method, a column a setting, all settings together last.
pub fn table(scores: &Scores) -> Table {
    let columns = columns(scores);
    let all: Vec<_> = columns
        .iter()
        .map(|&setting| Metric::ALL.map(|metric| compared(scores, setting, metric)))
        .collect();
    let rank = |entry: &Entry, (entries, comparison): &(Vec<&Entry>, Option<Comparison>)| {
        let place = entries.iter().position(|other| std::ptr::eq(*other, entry));
        let (Some(place), Some(comparison)) = (place, comparison) else {
            return Field::Missing;
        };
        let ranks = &comparison.mean_ranks;
        let is_best = ranks.iter().all(|rank| *rank >= ranks[place]);
        Field::Number(ranks[place], 2, is_best)
    };
    let mut lines = vec![];
    for entry in &scores.entries {
        let ranks = all.iter().map(|both| {
            let both = [0, 1].map(|metric| Box::new(rank(entry, &both[metric])));
            Field::Pair(both, String::new())
        });
        let line: Vec<Field> = [super::name(entry)].into_iter().chain(ranks).collect();
        let is_empty =
            |field: &Field| matches!(field, Field::Pair([a, _], _) if **a == Field::Missing);
        if !line[1..].iter().all(is_empty) {
            lines.push(line);
        }
    }
    let told = columns
        .iter()
        .zip(&all)
        .filter_map(|(&setting, [(_, auroc), _])| {
            let Comparison {
                blocks,
                critical_difference,
                p_value,
                ..
            } = auroc.as_ref()?;
            Some(format!(
                "{} {critical_difference:.2} over {blocks} blocks, p {}",
                title(setting),
                super::compared(*p_value)
            ))
        });
    let pair = Metric::ALL.map(Metric::column);
    let titles = columns
        .iter()
        .map(|&setting| Column::pair(title(setting), pair));
    Table {
        title: "Mean ranks by AUROC / by average precision".into(),
        notes: vec![
            "Over blocks, a set under a setting with its seeds together; of the methods with a number on every cell, 1 is \
             the best."
                .into(),
            format!(
                "By AUROC, differences from which on two methods differ at 5% (Nemenyi), and whether all are alike (Friedman, \
                 by Iman and Davenport's F): {}.",
                told.collect::<Vec<_>>().join("; ")
            ),
        ],
        columns: [Column::one("method")].into_iter().chain(titles).collect(),
        lines,
    }
}

/// A line a metric, setting and method, for pictures.
pub fn csv(scores: &Scores) -> String {
    let mut out =
        String::from("metric,setting,method,mean_rank,blocks,critical_difference,p_value\n");
    for metric in Metric::ALL {
        for setting in columns(scores) {
            let (entries, comparison) = compared(scores, setting, metric);
            let Some(comparison) = comparison else {
                continue;
            };
            for (entry, rank) in entries.iter().zip(&comparison.mean_ranks) {
                let name = super::name(entry).csv();
                out += &format!(
                    "{},{},{name},{rank:.6},{},{:.6},{:e}\n",
                    metric.column(),
                    title(setting),
                    comparison.blocks,
                    comparison.critical_difference,
                    comparison.p_value
                );
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::tests::rows;
    use Setting::{L10, Novel};

    fn scores() -> Scores {
        let mut all = vec![];
        for (set, shift) in [("one", 0.), ("two", 0.1), ("three", 0.2)] {
            for setting in [L10, Novel] {
                all.push(("PUAE", set, setting, 0, 0.5 + shift));
                all.push(("AE", set, setting, 0, 0.4 + shift));
            }
            all.push(("IF", set, L10, 0, 0.6 + shift));
        }
        Scores::of(&rows(&all))
    }

    #[test]
    fn methods_that_lack_cells_have_no_rank_there() {
        let text = table(&scores()).markdown();
        for line in [
            "| method | L10 | novel | all |",
            "| PUAE | 2.00 / 2.00 | **1.00** / **1.00** | **1.00** / **1.00** |",
            "| AE | 3.00 / 3.00 | 2.00 / 2.00 | 2.00 / 2.00 |",
            "| IF | **1.00** / **1.00** | - | - |",
            "L10 1.91 over 3 blocks, p = 0.028; novel 1.13 over 3 blocks, p = 0.250; all 0.80 over 6",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn lines_for_pictures() {
        let text = csv(&scores());
        let starts = [
            "auroc,novel,PUAE,1.000000,3,1.13",
            "average_precision,all,AE,2.000000,6,0.80",
        ];
        for start in starts {
            assert!(text.lines().any(|line| line.starts_with(start)), "{text}");
        }
        assert_eq!(text.lines().count(), 1 + 2 * (3 + 2 + 2));
    }
}
