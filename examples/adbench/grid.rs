//! The runs that are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::cell::{Cell, Setting};
use crate::contender::Contender;
use crate::part::Part;
use crate::row::Row;
use crate::shard::Shard;
use crate::split;

/// Methods by cells.
pub struct Grid {
    pub folder: PathBuf,
    pub cells: Vec<Cell>,
    /// Cells that their set has too few anomalies for.
    skipped: Vec<Cell>,
    pub contenders: Vec<Contender>,
}

impl Grid {
    /// # Errors
    /// For methods that nobody knows, and files that are missing.
    pub fn new(args: &Args, folder: &Path) -> anyhow::Result<Self> {
        let (mut cells, mut skipped) = (vec![], vec![]);
        let shard = args.shard.unwrap_or(Shard::WHOLE);
        // A shard has the same cells whatever splits a machine has.
        for (i, cell) in all(args).into_iter().enumerate() {
            match (split::exists(folder, &cell)?, shard.has(i)) {
                (true, true) => cells.push(cell),
                (false, true) => skipped.push(cell),
                (_, false) => {}
            }
        }
        Ok(Self {
            folder: folder.into(),
            cells,
            skipped,
            contenders: Contender::all(&args.methods, args.configs.as_deref())?,
        })
    }

    /// Whether the row is of a run that is asked for.
    pub fn has_run(&self, row: &Row) -> bool {
        let is_asked = |contender: &Contender| {
            contender.name == row.method && contender.settings() == row.config
        };
        self.cells.contains(&row.cell()) && self.contenders.iter().any(is_asked)
    }

    /// Says which cells there are none of.
    pub fn tell_skipped(&self) {
        for line in skipped(&self.skipped) {
            eprintln!("{line}");
        }
    }
}

/// All cells that are asked for, those of a seed together, so that a part of the runs is of all sets.
fn all(args: &Args) -> Vec<Cell> {
    let part = args.part.unwrap_or(Part::Choosing);
    let of_part = || part.sets().into_iter().map(String::from).collect();
    let sets: Vec<String> = distinct(&args.sets, of_part);
    let settings = distinct(&args.settings, || Setting::USUAL.to_vec());
    let mut cells = vec![];
    for seed in distinct(&args.seeds, || vec![0]) {
        for set in &sets {
            cells.extend(settings.iter().map(|&setting| Cell {
                set: set.clone(),
                setting,
                seed,
            }));
        }
    }
    cells
}

/// Those given, each once, or the default.
fn distinct<T: Clone + Ord>(given: &[T], default: impl FnOnce() -> Vec<T>) -> Vec<T> {
    if given.is_empty() {
        return default();
    }
    let mut seen = BTreeSet::new();
    let given = given.iter().cloned();
    given.filter(|value| seen.insert(value.clone())).collect()
}

/// A line a set and setting.
fn skipped(cells: &[Cell]) -> Vec<String> {
    let mut seeds: BTreeMap<(&str, Setting), Vec<String>> = BTreeMap::new();
    for cell in cells {
        let of = seeds.entry((&cell.set, cell.setting)).or_default();
        of.push(cell.seed.to_string());
    }
    let line = |((set, setting), seeds): ((&str, Setting), Vec<String>)| {
        let plural = if seeds.len() == 1 { "" } else { "s" };
        format!(
            "{set}, {}, seed{plural} {}: too few anomalies for a split, left out",
            setting.name(),
            seeds.join(", ")
        )
    };
    seeds.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiny;
    use clap::Parser;

    fn args(text: &str) -> Args {
        Args::parse_from(["adbench"].into_iter().chain(text.split_whitespace()))
    }

    #[test]
    fn cells_are_sets_by_settings_by_seeds() {
        let usual = all(&args(""));
        assert_eq!(usual.len(), 6 * 4);
        assert!(usual.iter().all(|cell| cell.seed == 0));
        let reporting = all(&args("--part reporting --settings L5 --seeds 1,0,1"));
        assert_eq!(reporting.len(), 12);
        let first = Cell {
            set: "cardio".into(),
            setting: Setting::L5,
            seed: 1,
        };
        assert_eq!(reporting[0], first);
        let both: BTreeSet<Cell> = all(&args("--part all")).into_iter().collect();
        assert_eq!(both.len(), 12 * 4);
        assert!(usual.iter().all(|cell| both.contains(cell)));
    }

    #[test]
    fn shards_share_out_the_cells_and_what_has_no_file_is_told() {
        let dir = tempfile::tempdir().unwrap();
        for stem in [
            "one__L10__0",
            "one__novel__0",
            "two__L10__0",
            "two__L10__1",
            "one__L10__1",
        ] {
            tiny::write(dir.path(), stem);
        }
        let asked = "--sets one,two --settings L10,novel --seeds 0,1";
        let whole = Grid::new(&args(asked), dir.path()).unwrap();
        assert_eq!(whole.cells.len(), 5);
        assert_eq!(
            skipped(&whole.skipped),
            [
                "one, novel, seed 1: too few anomalies for a split, left out",
                "two, novel, seeds 0, 1: too few anomalies for a split, left out"
            ]
        );
        let shard = |i: usize| {
            let args = args(&format!("{asked} --shard {i}/3"));
            Grid::new(&args, dir.path()).unwrap().cells
        };
        let mut parts: Vec<Cell> = (1..=3).flat_map(shard).collect();
        parts.sort();
        let mut cells = whole.cells;
        cells.sort();
        assert_eq!(parts, cells);
        let error = Grid::new(&args("--sets three"), dir.path()).err().unwrap();
        assert!(error.to_string().contains("three__L10__0.npz"), "{error}");
    }
}
