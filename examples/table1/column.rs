//! A column of a table, and how its cells print.

use std::collections::BTreeSet;

use crate::dataset::Dataset;
use crate::failures;
use crate::merge::Kept;
use crate::method::Contender;
use crate::paper;
use crate::summary::{Runs, Summary, best, runs};
use crate::view::Kind;

/// The numbers of all methods on a data set, against one kind of anomalies.
pub struct Column {
    pub title: String,
    dataset: Dataset,
    kind: Kind,
    /// Runs of the data set, of whichever method.
    runs: usize,
    /// Positions among the contenders.
    best: Vec<usize>,
    all: Vec<Runs>,
}

/// A method's number in a column.
pub struct Cell {
    pub ours: Option<Summary>,
    /// Those that failed.
    pub failed: usize,
    /// Runs of the column.
    of: usize,
    pub is_best: bool,
    pub is_foreign: bool,
    pub paper: Option<(f64, f64)>,
}

impl Column {
    pub fn new(
        title: String,
        dataset: Dataset,
        kind: Kind,
        rows: &[Kept],
        contenders: &[Contender],
    ) -> Self {
        let all: Vec<Runs> = contenders
            .iter()
            .map(|contender| runs(rows, dataset, contender, kind))
            .collect();
        let here = rows.iter().filter(|kept| kept.row.dataset == dataset);
        let every: BTreeSet<_> = here.map(|kept| (kept.row.seed, kept.row.normal)).collect();
        // Who knows the normals does not compete, nor who lacks the runs that failed.
        let competing: Vec<usize> = (0..all.len())
            .filter(|&i| !contenders[i].is_oracle())
            .filter(|&i| failures::count(rows, dataset, &contenders[i]) == 0)
            .collect();
        let runs_of: Vec<Runs> = competing.iter().map(|&i| all[i].clone()).collect();
        Self {
            title,
            dataset,
            kind,
            runs: every.len(),
            best: best(&runs_of).into_iter().map(|i| competing[i]).collect(),
            all,
        }
    }

    pub fn has_paper(&self) -> bool {
        self.dataset.published().is_some()
    }

    pub fn cell(&self, i: usize, contender: &Contender, rows: &[Kept]) -> Cell {
        let paper = paper::published(self.dataset, contender);
        let is_here =
            |kept: &&Kept| kept.row.dataset == self.dataset && kept.row.method == *contender;
        Cell {
            ours: Summary::of(self.all[i].values().copied()),
            failed: failures::count(rows, self.dataset, contender),
            of: self.runs,
            is_best: self.best.contains(&i),
            is_foreign: rows.iter().filter(is_here).any(|kept| kept.foreign),
            paper: paper.map(|numbers| numbers[self.kind as usize]),
        }
    }
}

impl Cell {
    fn is_partial(&self) -> bool {
        self.ours.is_some_and(|ours| ours.runs < self.of)
    }

    pub fn ours(&self) -> String {
        let mut text = match self.ours {
            Some(ours) if self.is_best => format!("**{ours}**"),
            Some(ours) => ours.to_string(),
            None => "-".into(),
        };
        match self.ours {
            Some(ours) if self.is_partial() => text += &format!(" ({}/{})", ours.runs, self.of),
            Some(ours) if ours.runs == 1 => text += " (1 run)",
            _ => {}
        }
        if self.ours.is_some() && self.is_foreign {
            text += " †";
        }
        if self.failed > 0 {
            text += failures::MARK;
        }
        text
    }

    pub fn paper(&self) -> String {
        match self.paper {
            Some((mean, deviation)) => format!("{mean:.3} ± {deviation:.3}"),
            None => "-".into(),
        }
    }

    /// Ours minus the paper's, as printed, and whether it lies within the paper's standard deviation.
    pub fn difference(&self) -> Option<(f64, bool)> {
        let (ours, (mean, deviation)) = (self.ours?, self.paper?);
        let difference = (1e3 * ours.mean).round() / 1e3 - mean;
        Some((difference, difference.abs() <= deviation + 1e-9))
    }

    pub fn difference_text(&self) -> String {
        match self.difference() {
            // Other normal classes than the column's make another mean: no judgement.
            Some((difference, _)) if self.is_partial() => format!("{difference:+.3}"),
            Some((difference, is_within)) => {
                let mark = if is_within { '✓' } else { '✗' };
                format!("{difference:+.3} {mark}")
            }
            None => "-".into(),
        }
    }
}
