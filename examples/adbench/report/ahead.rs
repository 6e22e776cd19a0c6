//! By how much the first method's means are ahead of the best other one's, or behind it.

use super::table::{Column, Field, Table};
use crate::cell::Setting;
use crate::metric::Metric;
use crate::scores::{Entry, Scores};

/// A line a metric, a column a setting, and the mean of the settings.
pub fn table(scores: &Scores, first: &Entry) -> Table {
    let settings: Vec<Setting> = scores.settings().into_iter().collect();
    let mut columns: Vec<Option<Setting>> = settings.iter().copied().map(Some).collect();
    if settings.len() > 1 {
        columns.push(None);
    }
    let line = |metric: Metric| {
        let fields = columns
            .iter()
            .map(|&column| field(scores, first, metric, column));
        [Field::text(metric.title())]
            .into_iter()
            .chain(fields)
            .collect()
    };
    let titles = columns
        .iter()
        .map(|column| Column::one(column.map_or("mean", Setting::name)));
    Table {
        title: format!("{} and the best of the others", super::full_name(first)),
        notes: vec![format!(
            "Differences of means over the sets, among the methods with a number on every cell; in bold where it is the best, or \
             behind by no more than {} of AUROC or {} of average precision.",
            Metric::Auroc.margin(),
            Metric::AveragePrecision.margin()
        )],
        columns: [Column::one("metric")].into_iter().chain(titles).collect(),
        lines: Metric::ALL.map(line).to_vec(),
    }
}

fn field(scores: &Scores, first: &Entry, metric: Metric, column: Option<Setting>) -> Field {
    let mean = |entry: &Entry| {
        let mean = match column {
            Some(setting) => entry.mean(metric, setting),
            None => scores.overall(entry, metric),
        };
        mean.map(|mean| mean.value)
    };
    let complete = scores.complete(column);
    let is_first = |entry: &&Entry| std::ptr::eq(*entry, first);
    let own = complete.iter().copied().find(is_first).and_then(mean);
    let others = complete.into_iter().filter(|entry| !is_first(entry));
    let others = others.filter_map(|entry| Some((entry, mean(entry)?)));
    let best = others.max_by(|a, b| a.1.total_cmp(&b.1));
    let (Some(own), Some((other, best))) = (own, best) else {
        return Field::Missing;
    };
    let difference = own - best;
    let text = format!("{difference:+.3}");
    let mark = if difference >= -metric.margin() {
        "**"
    } else {
        ""
    };
    Field::Text(format!("{mark}{text}{mark} ({})", super::full_name(other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::tests::rows;
    use Setting::{L10, Novel};

    #[test]
    fn the_best_other_is_told_with_the_difference() {
        let scores = Scores::of(&rows(&[
            ("PUAE", "one", L10, 0, 0.75),
            ("PUAE", "one", Novel, 0, 0.5),
            ("AE", "one", L10, 0, 0.5),
            ("AE", "one", Novel, 0, 0.53125),
            // Not on every cell.
            ("IF", "one", Novel, 0, 0.625),
        ]));
        let text = table(&scores, &scores.entries[0]).markdown();
        for line in [
            "### PUAE and the best of the others",
            "| metric | L10 | novel | mean |",
            "| AUROC | **+0.250** (AE) | -0.125 (IF) | **+0.109** (AE) |",
            "| average precision | **+0.125** (AE) | -0.062 (IF) | **+0.055** (AE) |",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let text = table(&scores, &scores.entries[2]).markdown();
        assert!(
            text.contains("| AUROC | - | **+0.094** (AE) | - |"),
            "{text}"
        );
    }
}
