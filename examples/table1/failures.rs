//! Runs whose training diverged: marked where their number would be, and told above the table.

use crate::comparison::Entry;
use crate::dataset::Dataset;
use crate::merge::Kept;
use crate::method::Contender;
use crate::row::Row;
use crate::sweep::Point;
use crate::view::View;

/// Behind a number that lacks a run, or behind the dash of one that has none.
pub const MARK: &str = " ‡";

/// How many runs of a method failed on a data set.
pub fn count(rows: &[Kept], dataset: Dataset, contender: &Contender) -> usize {
    let rows = rows.iter().map(|kept| &kept.row);
    let here = rows.filter(|row| row.dataset == dataset && row.method == *contender);
    here.filter(|row| row.failed.is_some()).count()
}

/// A line a data set and method, of rows in their order.
pub fn lines<'a>(view: View, rows: impl IntoIterator<Item = &'a Row>) -> Vec<String> {
    let failed = rows.into_iter().filter(|row| row.failed.is_some());
    let failed: Vec<&Row> = failed.collect();
    let same = |a: &&Row, b: &&Row| a.dataset == b.dataset && a.method == b.method;
    failed.chunk_by(same).map(|rows| line(view, rows)).collect()
}

fn line(view: View, rows: &[&Row]) -> String {
    let places: Vec<String> = rows.iter().map(|row| place(view, row)).collect();
    let (runs, are) = match rows.len() {
        1 => ("run", "is"),
        _ => ("runs", "are"),
    };
    format!(
        "‡ {}, {}: {} {runs} failed and {are} in no mean ({}); {}.",
        rows[0].dataset.title(),
        rows[0].method,
        rows.len(),
        places.join("; "),
        rows[0].failed.as_deref().unwrap_or_default(),
    )
}

fn place(view: View, row: &Row) -> String {
    let run = format!("class {}, seed {}", row.normal, row.seed);
    if view.is_sweep() {
        return format!("{} {}, {run}", view.axis(), Point::of(view, row).0);
    }
    let View::Comparison(comparison) = view else {
        return run;
    };
    match comparison.entry(row).as_ref().and_then(Entry::setting) {
        Some(setting) => format!("{setting}, {run}"),
        None => run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::row::tests::{diverged, row, rows};
    use crate::study::Study;

    #[test]
    fn a_line_a_method_tells_which_runs() {
        let plan = Plan::of(&["--dataset", "mnist"]);
        let mut all = rows(&plan, "PUAE", &[(1, 0, 0.5), (4, 0, 0.5), (8, 1, 0.5)]);
        all[1] = diverged(all[1].clone());
        all[2] = diverged(all[2].clone());
        all.push(diverged(row(&plan, "PUSVDD")));
        assert_eq!(
            lines(View::Datasets, &all),
            [
                "‡ MNIST, PUAE: 2 runs failed and are in no mean (class 4, seed 0; class 8, seed 1); \
                 training diverged.",
                "‡ MNIST, PUSVDD: 1 run failed and is in no mean (class 1, seed 0); training diverged.",
            ]
        );
        let study = Study::of(&["--figure", "2", "--dataset", "mnist"]);
        let told = lines(View::Alpha, &[diverged(row(&study.plans[6], "SOEL"))]);
        assert!(told[0].contains("(alpha 0.4, class 1, seed 0)"), "{told:?}");
    }
}
