//! Rows of several files as one set, in which no two protocols are mixed unknown.

use std::collections::BTreeMap;

use anyhow::bail;

use crate::alpha::Alpha;
use crate::common;
use crate::common::merge::unique;
use crate::dataset::Dataset;
use crate::protocol::RunConfig;
use crate::row::Row;
use crate::view::View;

pub use crate::common::merge::read;

pub type Placed = common::merge::Placed<Row>;

/// A row to render.
#[derive(Clone, Debug)]
pub struct Kept {
    pub row: Row,
    /// Whether it is of another protocol or numerics version than most of its data set.
    pub foreign: bool,
}

/// Protocol, as far as it is one for a whole view, and numerics version, for comparisons.
type Variant = (u32, String);

/// One row a run, all of one protocol and numerics version within each data set, in one order. With `mixed`
/// others are kept where the more frequent protocol has no row of the run, as foreign.
///
/// # Errors
/// Different results of one run; unless `mixed`, different protocols: the places and what differs.
pub fn choose(rows: Vec<Placed>, view: View, mixed: bool) -> anyhow::Result<Vec<Kept>> {
    let mut sets: BTreeMap<Dataset, Vec<Placed>> = BTreeMap::new();
    for placed in unique(rows, mixed)? {
        sets.entry(placed.row.dataset).or_default().push(placed);
    }
    let mut kept = vec![];
    for rows in sets.into_values() {
        let usual = most_frequent(&rows, view);
        let other = rows.iter().find(|p| variant(&p.row, view) != usual);
        if let (Some(other), false) = (other, mixed) {
            let same = rows.iter().find(|p| variant(&p.row, view) == usual);
            bail!("{}", refusal(same.unwrap_or(other), other, view));
        }
        kept.extend(one_a_run(rows, view, &usual));
    }
    kept.sort_by_cached_key(|kept| {
        let row = &kept.row;
        let order = (row.dataset, row.method.order(), row.seed, row.normal);
        let point = (
            row.config.unlabeled_anomalies,
            row.config.alpha.number().map(f64::to_bits),
            view.point(&row.config),
        );
        (order, point)
    });
    Ok(kept)
}

/// The configuration without what the points of a sweep differ in.
pub fn base(config: &RunConfig, view: View) -> RunConfig {
    let mut config = config.clone();
    if view.is_sweep() {
        config.alpha = Alpha::default();
    }
    if view == View::Contamination {
        config.unlabeled_anomalies = 0;
    }
    if let View::Comparison(comparison) = view {
        config = comparison.base(&config);
    }
    config
}

fn variant(row: &Row, view: View) -> Variant {
    let config = serde_json::to_string(&base(&row.config, view));
    (row.numerics, config.unwrap_or_default())
}

/// The newer of two that are as frequent.
fn most_frequent(rows: &[Placed], view: View) -> Variant {
    let mut counts: BTreeMap<Variant, usize> = BTreeMap::new();
    for placed in rows {
        *counts.entry(variant(&placed.row, view)).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(variant, n)| (*n, variant.clone()));
    most.map(|(variant, _)| variant).unwrap_or_default()
}

fn refusal(same: &Placed, other: &Placed, view: View) -> String {
    let configs = [same, other].map(|placed| base(&placed.row.config, view));
    let mut changes = configs[0].changes(&configs[1]);
    let numerics = [same, other].map(|placed| placed.row.numerics);
    if numerics[0] != numerics[1] {
        changes.push(format!(
            "numerics version {} -> {}",
            numerics[0], numerics[1]
        ));
    }
    format!(
        "{} and {} were made with different protocols: {}; --mixed renders them together and marks the cells",
        same.place,
        other.place,
        changes.join(", ")
    )
}

fn one_a_run(rows: Vec<Placed>, view: View, usual: &Variant) -> Vec<Kept> {
    let mut runs = BTreeMap::new();
    let (own, foreign): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|placed| variant(&placed.row, view) == *usual);
    for (rows, foreign) in [(own, false), (foreign, true)] {
        for Placed { row, .. } in rows {
            let point = view.point(&row.config);
            let run = (row.method.order(), row.seed, row.normal, point);
            runs.entry(run).or_insert(Kept { row, foreign });
        }
    }
    runs.into_values().collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::row::tests::{diverged, rows};

    pub fn placed(rows: Vec<Row>) -> Vec<Placed> {
        let place = |row: Row| {
            let place = format!("{}.jsonl", row.config.epochs);
            Placed { row, place }
        };
        rows.into_iter().map(place).collect()
    }

    pub fn kept(rows: Vec<Row>) -> Vec<Kept> {
        choose(placed(rows), View::Datasets, false).unwrap()
    }

    fn plan(epochs: &str) -> Plan {
        Plan::of(&["--dataset", "mnist", "--epochs", epochs])
    }

    #[test]
    fn protocols_are_mixed_only_when_asked_and_marked() {
        let many = rows(&plan("60"), "AE", &[(1, 0, 0.1), (2, 0, 0.2)]);
        let few = rows(&plan("200"), "AE", &[(2, 0, 0.7)]);
        let third = rows(&plan("200"), "AE", &[(3, 0, 0.8)]);
        let all = [few, many, third.clone()].concat();
        let error = choose(placed(all[..3].to_vec()), View::Datasets, false).unwrap_err();
        let told =
            "60.jsonl and 200.jsonl were made with different protocols: epochs 60 -> 200; --mixed";
        assert!(error.to_string().starts_with(told), "{error}");
        let mixed = choose(placed(all), View::Datasets, true).unwrap();
        let shown: Vec<_> = mixed
            .iter()
            .map(|kept| (kept.row.normal, kept.row.auroc.unwrap(), kept.foreign))
            .collect();
        // Two of each: the protocol whose text is later. Of class 2 its row counts.
        assert_eq!(shown, [(1, 0.1, false), (2, 0.2, false), (3, 0.8, true)]);

        let mut other = rows(&plan("200"), "AE", &[(4, 0, 0.1)]);
        other[0].numerics += 1;
        let error = choose(placed([third, other].concat()), View::Datasets, false).unwrap_err();
        assert!(error.to_string().contains("numerics version "), "{error}");
    }

    #[test]
    fn a_run_in_two_files_is_one_unless_they_disagree() {
        let row = rows(&plan("3"), "AE", &[(1, 0, 0.5)]);
        let mut elsewhere = row.clone();
        elsewhere[0].made.host = "another".into();
        elsewhere[0].made.seconds = 9.;
        let both = [row.clone(), elsewhere.clone()].concat();
        assert_eq!(kept(both).len(), 1);
        elsewhere[0].auroc = Some(0.51);
        let both = placed([row, elsewhere].concat());
        let error = choose(both.clone(), View::Datasets, false).unwrap_err();
        assert!(
            error.to_string().contains("and another: keep one"),
            "{error}"
        );
        assert_eq!(
            choose(both, View::Datasets, true).unwrap()[0].row.auroc,
            Some(0.5)
        );
    }

    #[test]
    fn a_run_that_failed_once_counts_where_it_was_measured() {
        let row = rows(&plan("3"), "AE", &[(1, 0, 0.5)]);
        let failed = vec![diverged(row[0].clone())];
        for both in [[row.clone(), failed.clone()], [failed.clone(), row.clone()]] {
            let kept = kept(both.concat());
            assert_eq!((kept.len(), kept[0].row.auroc), (1, Some(0.5)));
        }
        let kept = kept([failed.clone(), failed].concat());
        assert_eq!((kept.len(), kept[0].row.auroc), (1, None));
    }

    #[test]
    fn a_sweep_is_one_protocol() {
        let study = crate::study::Study::of(&["--figure", "2", "--dataset", "mnist"]);
        let points = |plan| rows(plan, "SOEL", &[(1, 0, 0.5)]);
        let all: Vec<Row> = study.plans.iter().flat_map(points).collect();
        let chosen = choose(placed(all.clone()), View::Alpha, false).unwrap();
        assert_eq!(chosen.len(), 8);
        let error = choose(placed(all), View::Datasets, false).unwrap_err();
        assert!(error.to_string().contains("alpha 0."), "{error}");
    }
}
