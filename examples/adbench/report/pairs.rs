//! The first method against each other one, and where it loses.

use super::table::{Column, Field, Table};
use crate::metric::Metric;
use crate::scores::{Entry, Scores, mean, rounded};
use crate::signed_rank::{holm, p_value};

/// A line a method: on how many of the blocks that both have the first one is ahead.
pub fn table(scores: &Scores, first: &Entry, metric: Metric) -> Table {
    let others: Vec<(&Entry, Vec<f64>)> = others(scores, first)
        .map(|other| (other, differences(scores, first, other, metric)))
        .filter(|(_, differences)| !differences.is_empty())
        .collect();
    let p_values: Vec<f64> = others
        .iter()
        .map(|(_, differences)| p_value(differences))
        .collect();
    let adjusted = holm(&p_values);
    let lines = others.iter().zip(p_values.iter().zip(&adjusted)).map(
        |((other, differences), (p, adjusted))| {
            let count = |holds: fn(&f64) -> bool| {
                Field::count(differences.iter().filter(|d| holds(d)).count())
            };
            let difference = mean(differences.iter().copied());
            vec![
                super::name(other),
                count(|d| *d > 0.),
                count(|d| *d == 0.),
                count(|d| *d < 0.),
                difference.map_or(Field::Missing, |d| Field::text(format!("{d:+.3}"))),
                Field::text(super::probability(*p)),
                Field::text(super::probability(*adjusted)),
            ]
        },
    );
    let titles = [
        "against",
        "wins",
        "ties",
        "losses",
        "mean difference",
        "p",
        "p, Holm",
    ];
    Table {
        title: format!("{} against each other method, {}", super::full_name(first), metric.title()),
        notes: vec![
            "Over the blocks and seeds that both have; equal to four digits is a tie. Wilcoxon's signed-rank test, two-sided, \
             exact; then with Holm's correction for the number of methods. Blocks of one set are not independent: the p \
             are too small rather than too large."
                .into(),
        ],
        columns: titles.map(Column::one).to_vec(),
        lines: lines.collect(),
    }
}

fn others<'a>(scores: &'a Scores, first: &'a Entry) -> impl Iterator<Item = &'a Entry> {
    scores
        .entries
        .iter()
        .filter(move |entry| !std::ptr::eq(*entry, first))
}

/// By how much the first one is ahead, by the blocks that both have.
fn differences(scores: &Scores, first: &Entry, other: &Entry, metric: Metric) -> Vec<f64> {
    let blocks = scores.blocks(None);
    let difference = |block| {
        let own = first.block_beside(other, metric, block)?;
        let theirs = other.block_beside(first, metric, block)?;
        Some(rounded(own - theirs))
    };
    blocks.iter().filter_map(difference).collect()
}

/// A line a block on which another method is ahead by more than the metric's margin: the best of them.
pub fn losses(scores: &Scores, first: &Entry, metric: Metric) -> Table {
    let mut lost = vec![];
    for block in &scores.blocks(None) {
        let behind = others(scores, first).filter_map(|other| {
            let own = first.block_beside(other, metric, block)?;
            let theirs = other.block_beside(first, metric, block)?;
            Some((other, own, theirs))
        });
        let worst = behind.max_by(|a, b| (a.2 - a.1).total_cmp(&(b.2 - b.1)));
        if let Some((other, own, theirs)) =
            worst.filter(|(_, own, theirs)| theirs - own > metric.margin())
        {
            lost.push((block.clone(), other, own, theirs));
        }
    }
    let count = scores.blocks(None).len();
    lost.sort_by(|a, b| (b.3 - b.2).total_cmp(&(a.3 - a.2)));
    let line = |((setting, set), other, own, theirs): &(_, &Entry, f64, f64)| {
        let (setting, set): (&crate::cell::Setting, &String) = (setting, set);
        vec![
            Field::text(set),
            Field::text(setting.name()),
            Field::number(Some(*own), false),
            super::name(other),
            Field::number(Some(*theirs), false),
            Field::number(Some(own - theirs), false),
        ]
    };
    let name = super::full_name(first);
    let titles = ["set", "setting", &name, "best", "its", "difference"];
    Table {
        title: format!("Losses of {name}, {}", metric.title()),
        notes: vec![format!(
            "Blocks on which it is more than {} behind the best method, on the seeds that both have: {} of {count}.",
            metric.margin(),
            lost.len()
        )],
        columns: titles.map(Column::one).to_vec(),
        lines: lost.iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Setting;
    use crate::scores::tests::rows;

    fn scores() -> Scores {
        let mut all = vec![];
        for (i, set) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
            let i = i as f64;
            all.push(("PUAE", set, Setting::L10, 0, 0.5));
            all.push(("AE", set, Setting::L10, 0, 0.4 - i / 100.));
            // Once ahead by much, once by little, once as good.
            let forest = [0.6, 0.505, 0.50001, 0.4, 0.3, 0.2][i as usize];
            all.push(("IF", set, Setting::L10, 0, forest));
        }
        all.push(("PUAE", "g", Setting::L10, 0, 0.5));
        Scores::of(&rows(&all))
    }

    #[test]
    fn wins_ties_and_losses_are_over_shared_blocks() {
        let scores = scores();
        let text = table(&scores, &scores.entries[0], Metric::Auroc).markdown();
        for line in [
            "### PUAE against each other method, AUROC",
            "| AE | 6 | 0 | 0 | +0.125 | 0.031 | 0.062 |",
            // Ranks 1 and 2.5 against 2.5, 4 and 5.
            "| IF | 3 | 1 | 2 | +0.083 | 0.375 | 0.375 |",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn losses_are_told_with_the_best() {
        let scores = scores();
        let text = losses(&scores, &scores.entries[0], Metric::Auroc).markdown();
        for line in [
            "more than 0.01 behind the best method, on the seeds that both have: 1 of 7.",
            "| a | L10 | 0.500 | IF | 0.600 | -0.100 |",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let none = losses(&scores, &scores.entries[2], Metric::AveragePrecision);
        assert_eq!(none.lines.len(), 3);
    }
}
