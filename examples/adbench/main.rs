//! Compares methods on the tables of ADBench (Han et al. 2022): which method is best with how many labeled anomalies, and
//! on kinds that no label shows.
//!
//! ```text
//! python tests/fixtures/splits.py DIR/adbench SPLITS
//! cargo run --release --example adbench -- --splits SPLITS --out rows.jsonl --resume
//! cargo run --release --example adbench -- --merge rows.jsonl --peers tests/fixtures/peers.csv
//! ```
//!
//! A run is a method on a cell: a set, a setting and a seed (`--sets`, `--settings`, `--seeds`). The settings `L5`, `L10`,
//! `L20` and `L50` have that many labeled anomalies; the rest of them are hidden among the unlabeled rows. In `novel` the
//! labels are of one cluster of the anomalies, and the test is on normals and the other clusters, which are among the
//! unlabeled rows; in `unseen` they are not. In `noise` a tenth of 50 labels are on normals. A cell that a set has too few
//! anomalies for is left out. Sets are in two parts: defaults and rules are chosen on the *choosing* sets and reported on
//! the *reporting* ones; `--part` is `choosing` unless another is asked for.
//!
//! Every method is an [`Estimator`](puad::Estimator) with the defaults of [`FitConfig`](puad::FitConfig); `--methods`
//! takes the names of [`puad::method`], and `default` for the one that is taken where none is named. `--configs FILE`
//! adds methods with other settings: a JSON object of a name and a `FitConfig` each. Measured are AUROC, average precision
//! and the seconds of the fit, the estimate of the class prior included.
//!
//! `--out FILE.jsonl` keeps one row a run, and `--resume` goes on where the process was stopped or killed, which loses the
//! runs under way. `--shard 2/8` does the second of eight parts, and `--merge A.jsonl B.jsonl` renders the files of all:
//! means by setting, mean ranks, the first method against each other one with its losses, all sets, what fits took.
//! `--peers` puts other libraries' numbers beside them.

mod args;
mod cell;
mod changes;
#[path = "../common/mod.rs"]
mod common;
mod contender;
mod grid;
mod jobs;
#[path = "../common/made.rs"]
mod made;
#[path = "../common/mean_ranks.rs"]
mod mean_ranks;
mod merge;
mod metric;
mod part;
mod peers;
#[cfg(test)]
mod processes;
mod ranks;
mod record;
mod report;
mod row;
mod scores;
mod signed_rank;
mod split;
#[cfg(test)]
mod tiny;

use std::io::Write;

use anyhow::Context;
use clap::Parser;

use crate::args::Args;
use crate::common::record::{Record, Resume};
use crate::common::{progress, shard};
use crate::grid::Grid;
use crate::report::{Format, Report};
use crate::row::Row;
use crate::scores::Scores;

fn main() -> anyhow::Result<()> {
    let printed = run(&Args::parse(), &mut std::io::stdout().lock());
    common::output::read_far_enough(printed)
}

fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    let mut rows = if args.merge.is_empty() {
        train(args)?
    } else {
        merge::read(args)?
    };
    // Whatever order they were run in.
    rows.sort_by_cached_key(|row| {
        let place = contender::place(&args.methods, &row.method);
        (place, row.method.clone(), row.cell())
    });
    let mut scores = Scores::of(&rows);
    if let Some(path) = &args.peers {
        peers::add(path, &mut scores)?;
    }
    let report = Report::new(&rows, scores, args.first.as_deref())?;
    let text = match args.format {
        Format::Markdown => report.markdown(args.table),
        Format::Csv => report.csv(args.table),
    };
    writeln!(out, "{}", text.trim_end())?;
    Ok(())
}

/// What is missing is run.
fn train(args: &Args) -> anyhow::Result<Vec<Row>> {
    let folder = args.splits.as_deref();
    let folder = folder.context("--splits DIR, or --merge FILES, is wanted")?;
    let grid = Grid::new(args, folder)?;
    let resume = match (args.resume, args.retry_failed) {
        (false, _) => Resume::No,
        (true, false) => Resume::Yes,
        (true, true) => Resume::RetryFailed,
    };
    let mut record = Record::open(args.out.as_deref(), resume, &grid)?;
    record.know(&args.known, &grid)?;
    grid.tell_skipped();
    jobs::run(&grid, args.jobs, &mut record)?;
    let mut rows = record.rows;
    rows.retain(|row| grid.has_run(row));
    Ok(rows)
}
