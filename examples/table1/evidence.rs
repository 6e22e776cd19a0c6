//! The rows of a folder, sorted by what they are evidence of.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;

use crate::args::Args;
use crate::comparison::Comparison;
use crate::merge::{self, Kept, Placed, base, choose};
use crate::protocol::RunConfig;
use crate::row::Row;
use crate::view::View;

/// Rows of the newest numerics version on published data sets.
pub struct Evidence {
    /// The reduced protocol itself.
    pub main: Vec<Kept>,
    /// The same with any alpha, of the normal class of Figure 2.
    pub alpha: Vec<Kept>,
    /// The same with any number of unlabeled anomalies and its true alpha: Figure 4.
    pub contamination: Vec<Kept>,
    /// Other settings, of which no figure is drawn.
    pub variants: Vec<Row>,
    /// Tables that the paper has not.
    pub comparisons: Vec<(Comparison, Vec<Kept>)>,
    pub config: RunConfig,
    /// Rows of older numerics versions.
    pub outdated: usize,
}

impl Evidence {
    /// # Errors
    /// Files that cannot be read, and results of one run that differ.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        Self::of(merge::read(&files(folder)?)?)
    }

    pub fn of(rows: Vec<Placed>) -> anyhow::Result<Self> {
        let args = Args::parse_from(["table1", "--protocol", "reduced"]);
        let config = RunConfig::new(&args, 0);
        let all = rows.len();
        let newest = rows.iter().map(|placed| placed.row.numerics).max();
        let mut rows = rows;
        rows.retain(|placed| Some(placed.row.numerics) == newest);
        let outdated = all - rows.len();
        rows.retain(|placed| placed.row.dataset.published().is_some());
        let pick = |view: View, wanted: &dyn Fn(&Row) -> bool| {
            let rows = rows.iter().filter(|placed| wanted(&placed.row));
            choose(rows.cloned().collect(), view, false)
        };
        let is_figure = |row: &Row| {
            let first = row.dataset.normals().first() == Some(&row.normal);
            first && ["PUSVDD", "SOEL"].contains(&row.method.to_string().as_str())
        };
        let is_alpha = |row: &Row| {
            let view = View::Alpha;
            base(&row.config, view) == base(&config, view) && view.takes(row)
        };
        let is_true = |row: &Row| {
            let view = View::Contamination;
            base(&row.config, view) == base(&config, view) && view.takes(row)
        };
        let is_drawn = |row: &Row| is_figure(row) && (is_alpha(row) || is_true(row));
        let is_compared = |row: &Row| Comparison::ALL.iter().any(|table| table.is_fixed(row));
        let is_other = |row: &Row| row.config != config && !is_drawn(row) && !is_compared(row);
        let others = rows.iter().filter(|placed| is_other(&placed.row));
        let others: Vec<Row> = others.map(|placed| placed.row.clone()).collect();
        let compared = |table: Comparison| {
            let rows = pick(View::Comparison(table), &|row| table.is_fixed(row))?;
            anyhow::Ok((table, rows))
        };
        let comparisons = Comparison::ALL.into_iter().map(compared);
        Ok(Self {
            comparisons: comparisons.collect::<anyhow::Result<_>>()?,
            main: pick(View::Datasets, &|row| row.config == config)?,
            alpha: pick(View::Alpha, &|row| is_figure(row) && is_alpha(row))?,
            contamination: pick(View::Contamination, &|row| is_figure(row) && is_true(row))?,
            variants: others,
            config,
            outdated,
        })
    }
}

/// The files of rows in a folder, by name.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths = paths.collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    paths.sort();
    Ok(paths)
}
