//! What methods measure, by cells and by blocks: a block is a set under a setting, all seeds together.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{Cell, Setting};
use crate::metric::Metric;
use crate::row::Row;

/// A set under a setting.
pub type Block = (Setting, String);

/// AUROC and average precision.
pub type Measured = [f64; 2];

/// A method's numbers.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: String,
    /// Whether its numbers are another library's.
    pub is_peer: bool,
    cells: BTreeMap<Cell, Measured>,
    /// Runs that are in no mean.
    pub failed: Vec<Cell>,
}

/// All methods on the cells of this crate's own.
#[derive(Debug, Default)]
pub struct Scores {
    pub entries: Vec<Entry>,
    pub cells: BTreeSet<Cell>,
}

/// The mean over blocks, and how many of the cells there are numbers of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    pub value: f64,
    pub cells: usize,
}

impl Entry {
    fn new(name: &str, is_peer: bool) -> Self {
        Self {
            name: name.into(),
            is_peer,
            cells: BTreeMap::new(),
            failed: vec![],
        }
    }

    pub fn at(&self, cell: &Cell) -> Option<Measured> {
        self.cells.get(cell).copied()
    }

    /// The mean over the seeds that `takes` lets through.
    fn of_block(
        &self,
        metric: Metric,
        block: &Block,
        takes: impl Fn(&Cell) -> bool,
    ) -> Option<f64> {
        let cells = self.cells.iter();
        let values = cells.filter(|(cell, _)| cell.block() == *block && takes(cell));
        mean(values.map(|(_, measured)| measured[metric as usize]))
    }

    /// The mean over the seeds of a block.
    pub fn block(&self, metric: Metric, block: &Block) -> Option<f64> {
        self.of_block(metric, block, |_| true)
    }

    /// The same over the seeds that `other` has too.
    pub fn block_beside(&self, other: &Self, metric: Metric, block: &Block) -> Option<f64> {
        self.of_block(metric, block, |cell| other.cells.contains_key(cell))
    }

    /// The mean over the sets of a setting.
    pub fn mean(&self, metric: Metric, setting: Setting) -> Option<Mean> {
        let cells: Vec<&Cell> = self
            .cells
            .keys()
            .filter(|cell| cell.setting == setting)
            .collect();
        let blocks: BTreeSet<Block> = cells.iter().map(|cell| cell.block()).collect();
        let values = blocks.iter().filter_map(|block| self.block(metric, block));
        let cells = cells.len();
        mean(values).map(|value| Mean { value, cells })
    }

    /// Whether it was measured on all these cells.
    pub fn has_all<'a>(&self, mut cells: impl Iterator<Item = &'a Cell>) -> bool {
        cells.all(|cell| self.cells.contains_key(cell))
    }
}

impl Cell {
    pub fn block(&self) -> Block {
        (self.setting, self.set.clone())
    }
}

impl Scores {
    /// Of rows, one a method and cell; methods in the order in which they come.
    pub fn of(rows: &[Row]) -> Self {
        let mut scores = Self::default();
        for row in rows {
            let cell = row.cell();
            scores.cells.insert(cell.clone());
            let entry = scores.entry(&row.method, false);
            match (row.auroc, row.average_precision) {
                (Some(auroc), Some(precision)) => {
                    entry.cells.insert(cell, [auroc, precision]);
                }
                _ => entry.failed.push(cell),
            }
        }
        scores
    }

    /// A peer's numbers on a cell; those on cells that there are no rows of have nothing to stand beside.
    pub fn add_peer(&mut self, name: &str, cell: Cell, measured: Measured) {
        if self.cells.contains(&cell) {
            self.entry(name, true).cells.insert(cell, measured);
        }
    }

    fn entry(&mut self, name: &str, is_peer: bool) -> &mut Entry {
        let is_it = |entry: &Entry| entry.name == name && entry.is_peer == is_peer;
        let place = self.entries.iter().position(is_it).unwrap_or_else(|| {
            self.entries.push(Entry::new(name, is_peer));
            self.entries.len() - 1
        });
        &mut self.entries[place]
    }

    pub fn settings(&self) -> BTreeSet<Setting> {
        self.cells.iter().map(|cell| cell.setting).collect()
    }

    pub fn sets(&self) -> BTreeSet<&str> {
        self.cells.iter().map(|cell| cell.set.as_str()).collect()
    }

    /// Those of a setting, or all.
    pub fn blocks(&self, setting: Option<Setting>) -> BTreeSet<Block> {
        self.cells_of(setting).map(Cell::block).collect()
    }

    /// Those of a setting, or all.
    pub fn cells_of(&self, setting: Option<Setting>) -> impl Iterator<Item = &Cell> {
        let of = move |cell: &&Cell| setting.is_none_or(|setting| setting == cell.setting);
        self.cells.iter().filter(of)
    }

    /// The methods that were measured on all cells of a setting, or of all.
    pub fn complete(&self, setting: Option<Setting>) -> Vec<&Entry> {
        let all = self.entries.iter();
        all.filter(|entry| entry.has_all(self.cells_of(setting)))
            .collect()
    }

    /// The mean of the settings' means; `None` where a setting has none.
    pub fn overall(&self, entry: &Entry, metric: Metric) -> Option<Mean> {
        let settings = self.settings().into_iter();
        let means: Option<Vec<Mean>> = settings.map(|s| entry.mean(metric, s)).collect();
        let means = means?;
        let cells = means.iter().map(|mean| mean.cells).sum();
        mean(means.iter().map(|mean| mean.value)).map(|value| Mean { value, cells })
    }
}

/// To the four digits that peers' numbers have.
pub fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// `None` without values.
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0., 0usize), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / n as f64)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::row::tests::{failed, row};

    /// Rows of methods, each a set, a setting, a seed and an AUROC; average precision is half of it.
    pub fn rows(all: &[(&str, &str, Setting, u64, f64)]) -> Vec<Row> {
        let row = |&(method, set, setting, seed, auroc): &(&str, &str, Setting, u64, f64)| Row {
            set: set.into(),
            ..row(method, setting, seed, auroc)
        };
        all.iter().map(row).collect()
    }

    #[test]
    fn means_are_over_seeds_first_and_then_over_sets() {
        use Setting::{L10, Novel};
        let all = [
            ("PUAE", "one", L10, 0, 0.5),
            ("PUAE", "one", L10, 1, 0.7),
            ("PUAE", "two", L10, 0, 0.8),
            ("PUAE", "one", Novel, 0, 0.4),
            ("IF", "one", L10, 0, 0.9),
            ("IF", "two", L10, 0, 0.7),
        ];
        let scores = Scores::of(&rows(&all));
        let [puae, forest] = &scores.entries[..] else {
            panic!("{scores:?}")
        };
        let mean = puae.mean(Metric::Auroc, L10).unwrap();
        assert!((mean.value - 0.7).abs() < 1e-12, "{mean:?}");
        assert_eq!(mean.cells, 3);
        let overall = scores.overall(puae, Metric::AveragePrecision).unwrap();
        assert!((overall.value - 0.275).abs() < 1e-12, "{overall:?}");
        assert_eq!(scores.overall(forest, Metric::Auroc), None);
        let names = |setting| -> Vec<&str> {
            let complete = scores.complete(setting);
            complete.iter().map(|entry| entry.name.as_str()).collect()
        };
        assert_eq!(names(None), ["PUAE"]);
        assert_eq!(names(Some(L10)), ["PUAE"]);
        let block = (L10, "one".to_string());
        assert_eq!(puae.block_beside(forest, Metric::Auroc, &block), Some(0.5));
        assert_eq!(scores.blocks(None).len(), 3);
    }

    #[test]
    fn peers_stand_beside_rows_and_failed_runs_in_no_mean() {
        let mut all = rows(&[("PUAE", "one", Setting::L10, 0, 0.5)]);
        all.push(failed(row("IF", Setting::L10, 0, 0.5)));
        let mut scores = Scores::of(&all);
        let cell = |seed| Cell {
            seed,
            ..all[0].cell()
        };
        scores.add_peer("IF", cell(0), [0.9, 0.8]);
        scores.add_peer("IF", cell(1), [0.1, 0.1]);
        scores.add_peer("other", cell(1), [0.1, 0.1]);
        let told: Vec<_> = scores
            .entries
            .iter()
            .map(|e| (e.name.as_str(), e.is_peer))
            .collect();
        assert_eq!(told, [("PUAE", false), ("IF", false), ("IF", true)]);
        assert_eq!(scores.entries[1].failed.len(), 1);
        assert_eq!(scores.entries[1].mean(Metric::Auroc, Setting::L10), None);
        let mean = scores.entries[2].mean(Metric::Auroc, Setting::L10);
        assert_eq!(
            mean,
            Some(Mean {
                value: 0.9,
                cells: 1
            })
        );
    }
}
