//! Rows of several files as one set, in which no two settings of a method are mixed unknown.

use std::collections::BTreeMap;

use anyhow::bail;

use crate::args::Args;
use crate::changes::changes;
use crate::common::merge::{self, unique};
use crate::row::Row;

type Placed = merge::Placed<Row>;

/// Settings of a method's rows and numerics version, for comparisons.
type Variant = (u32, String);

/// The rows of the files that were asked for, one a run.
pub fn read(args: &Args) -> anyhow::Result<Vec<Row>> {
    let mut rows = merge::read::<Row>(&args.merge)?;
    rows.retain(|placed| is_asked(args, &placed.row));
    choose(rows, args.mixed)
}

/// What the arguments do not tell is asked for.
fn is_asked(args: &Args, row: &Row) -> bool {
    let of_part = args
        .part
        .is_none_or(|part| part.sets().contains(&row.set.as_str()));
    let named = |name: &String| name.eq_ignore_ascii_case(&row.method);
    of_part
        && (args.sets.is_empty() || args.sets.contains(&row.set))
        && (args.settings.is_empty() || args.settings.contains(&row.setting))
        && (args.seeds.is_empty() || args.seeds.contains(&row.seed))
        && (args.methods.is_empty() || args.methods.iter().any(named))
}

/// One row a cell and method, all rows of a method with the same settings and numerics version. With `mixed` others are
/// kept where the more frequent ones have no row of the cell. The methods are in the order in which they come.
///
/// # Errors
/// Different results of one run; unless `mixed`, different settings of a method: the places and what differs.
fn choose(rows: Vec<Placed>, mixed: bool) -> anyhow::Result<Vec<Row>> {
    let mut methods: Vec<(String, Vec<Placed>)> = vec![];
    for placed in unique(rows, mixed)? {
        match methods
            .iter_mut()
            .find(|(name, _)| *name == placed.row.method)
        {
            Some((_, rows)) => rows.push(placed),
            None => methods.push((placed.row.method.clone(), vec![placed])),
        }
    }
    let mut kept = vec![];
    for (_, rows) in methods {
        let usual = most_frequent(&rows);
        let other = rows.iter().find(|placed| variant(&placed.row) != usual);
        let same = rows.iter().find(|placed| variant(&placed.row) == usual);
        if let (Some(other), Some(same), false) = (other, same, mixed) {
            bail!("{}", refusal(same, other));
        }
        let (own, foreign): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|placed| variant(&placed.row) == usual);
        let mut cells = BTreeMap::new();
        for placed in own.into_iter().chain(foreign) {
            cells.entry(placed.row.cell()).or_insert(placed.row);
        }
        kept.extend(cells.into_values());
    }
    Ok(kept)
}

fn variant(row: &Row) -> Variant {
    (row.numerics, row.config.to_string())
}

/// The newer of two that are as frequent.
fn most_frequent(rows: &[Placed]) -> Variant {
    let mut counts: BTreeMap<Variant, usize> = BTreeMap::new();
    for placed in rows {
        *counts.entry(variant(&placed.row)).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(variant, n)| (*n, variant.clone()));
    most.map(|(variant, _)| variant).unwrap_or_default()
}

fn refusal(same: &Placed, other: &Placed) -> String {
    let mut changes = changes(&same.row.config, &other.row.config);
    let numerics = [same, other].map(|placed| placed.row.numerics);
    if numerics[0] != numerics[1] {
        changes.push(format!(
            "numerics version {} -> {}",
            numerics[0], numerics[1]
        ));
    }
    format!(
        "{} and {} are of {} with different settings: {}; --mixed renders them together",
        same.place,
        other.place,
        same.row.method,
        changes.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Setting;
    use crate::row::tests::{failed, row};
    use clap::Parser;
    use serde_json::json;

    fn placed(rows: Vec<Row>) -> Vec<Placed> {
        let place = |(i, row)| Placed {
            row,
            place: format!("{i}.jsonl"),
        };
        rows.into_iter().enumerate().map(place).collect()
    }

    #[test]
    fn a_run_in_two_files_is_one_unless_they_disagree() {
        let one = row("PUAE", Setting::L10, 0, 0.5);
        let mut again = one.clone();
        again.made.seconds = 9.;
        let other = row("IF", Setting::L10, 0, 0.5);
        let all = vec![one.clone(), other.clone(), again, failed(one.clone())];
        assert_eq!(choose(placed(all), false).unwrap(), [one.clone(), other]);
        let unlike = row("PUAE", Setting::L10, 0, 0.6);
        let both = placed(vec![one.clone(), unlike]);
        let error = choose(both.clone(), false).unwrap_err().to_string();
        assert!(
            error.starts_with("0.jsonl and 1.jsonl differ on one run"),
            "{error}"
        );
        assert_eq!(choose(both, true).unwrap(), [one]);
    }

    #[test]
    fn settings_of_a_method_are_mixed_only_when_asked() {
        let of = |seed, epochs| {
            let mut row = row("PUAE", Setting::L10, seed, epochs as f64 / 1000.);
            row.config["train"]["epochs"] = json!(epochs);
            row
        };
        let all = placed(vec![
            of(0, 200),
            of(1, 30),
            of(2, 30),
            of(1, 200),
            of(0, 200),
        ]);
        let error = choose(all.clone(), false).unwrap_err().to_string();
        assert!(error.contains("train.epochs"), "{error}");
        let mixed = choose(all, true).unwrap();
        let shown: Vec<_> = mixed
            .iter()
            .map(|row| (row.seed, row.auroc.unwrap()))
            .collect();
        // Two of each: the settings whose text is later, and of seed 0 the others.
        assert_eq!(shown, [(0, 0.2), (1, 0.03), (2, 0.03)]);
        let mut old = of(3, 200);
        old.numerics = 0;
        let error = choose(placed(vec![of(0, 200), old]), false).unwrap_err();
        assert!(error.to_string().contains("numerics version "), "{error}");
    }

    #[test]
    fn what_is_asked_for_is_rendered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let all = [
            ("PUAE", Setting::L10, 0),
            ("PUAE", Setting::Novel, 1),
            ("IF", Setting::L10, 0),
        ];
        let line = |&(method, setting, seed): &(&str, _, _)| {
            serde_json::to_string(&row(method, setting, seed, 0.5)).unwrap() + "\n"
        };
        std::fs::write(&path, all.iter().map(line).collect::<String>()).unwrap();
        let count = |more: &str| {
            let text = format!("adbench --merge {} {more}", path.display());
            read(&Args::parse_from(text.split_whitespace()))
                .unwrap()
                .len()
        };
        for (more, expected) in [
            ("", 3),
            ("--part all", 0),
            ("--sets tiny", 3),
            ("--settings novel", 1),
            ("--seeds 0", 2),
            ("--methods puae", 2),
        ] {
            assert_eq!(count(more), expected, "{more}");
        }
    }
}
