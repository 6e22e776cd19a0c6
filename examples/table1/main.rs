//! Trains and compares the paper's ten methods on contaminated image data: Tables 1 to 6, and the runs of
//! Figures 2 and 4.
//!
//! ```text
//! cargo run --release --example table1
//! cargo run --release --example table1 -- --table 1 --data-dir DIR --out runs.jsonl --resume
//! cargo run --release --example table1 -- --dataset mnist --data-dir DIR --normal 8 --seeds 0 --epochs 10
//! ```
//!
//! The first takes about a minute on two cores: built-in digits drawn by code (16x16), a small
//! LeNet, two reduced protocols that the output names. The others need the files of the data sets in folders
//! of their names in DIR; the eight sets of the paper are known, each by its publisher's files. Without
//! `--normal`, `--seeds`, `--epochs` and `--protocol` a published data set is run in full: all
//! its tasks (nine normal classes; CIFAR-100 and OCTMNIST have one task), five seeds, 200 epochs. A build with
//! `--features download` fetches missing files with `--download`; one with `--features images,parquet`
//! takes CIFAR from Parquet files that are there.
//!
//! `--table 1` to `6` print the paper's tables beside its numbers, `--figure 2` and `4` the numbers of those
//! figures, and `--dataset` a table a data set: AUROC (mean and standard deviation over classes and seeds)
//! against all, seen and unseen anomalies; in bold the best method and those that do not differ from it by a
//! paired t-test at 5%; as Markdown or CSV (`--format`). `--methods paper,extra` adds rows that the paper has
//! not: DAE, PUDAE, the rotation head with and without PU, and two oracles trained by eq. 8.
//!
//! `--table corrections`, `loe` and `pnu` are tables that the paper has not, of MNIST's classes 1, 4 and 8: PU's four
//! corrections at 20 epochs, latent outlier exposure inside PU, and labeled normals.
//!
//! `--out FILE.jsonl` keeps one row a run; the file has one writer. Runs under way are saved every five
//! epochs beside it (`FILE.jsonl.unfinished`), and `--resume` goes on where the process was stopped or killed; runs in the files of
//! `--known` are not done again; a run
//! that diverged is a row too, and done again with `--retry-failed`. `--shard 2/8` does the second of eight parts, on
//! whichever machine, and `--merge A.jsonl B.jsonl` renders the files of all. There is a run a core at a time
//! (`--jobs`); where stderr is no terminal, each finished one is a line there. docs/cluster.md has scripts.
//! `--results results` prints docs/results.md.

mod alpha;
mod args;
mod cell;
mod choices;
mod claims;
mod column;
#[path = "../common/mod.rs"]
mod common;
mod compared;
mod comparison;
mod dataset;
mod evidence;
mod failures;
mod fetch;
mod finding;
mod header;
mod jobs;
mod merge;
mod method;
mod oracle;
mod paired_t_test;
mod paper;
mod plan;
#[cfg(test)]
mod processes;
mod protocol;
mod record;
mod report;
mod results;
mod row;
mod study;
mod summary;
mod sweep;
mod unfinished;
mod view;

use std::io::Write;

use clap::Parser;

use crate::args::Args;
use crate::common::{progress, shard};
use crate::merge::Placed;
use crate::record::{Record, Resume};
use crate::study::Study;
use crate::view::View;

fn main() -> anyhow::Result<()> {
    let printed = run(&Args::parse(), &mut std::io::stdout().lock());
    common::output::read_far_enough(printed)
}

fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    if let Some(folder) = &args.results {
        let text = results::render(folder, View::of(args), &args.dataset, args.format)?;
        out.write_all(text.as_bytes())?;
        return Ok(());
    }
    let rows = if args.merge.is_empty() {
        train(args)?
    } else {
        merged(args)?
    };
    let view = View::of(args);
    let rows = merge::choose(rows, view, args.mixed)?;
    writeln!(
        out,
        "{}",
        report::render(view, &args.dataset, &rows, args.format).trim_end()
    )?;
    Ok(())
}

/// What is missing is run.
fn train(args: &Args) -> anyhow::Result<Vec<Placed>> {
    let study = Study::new(args)?;
    let resume = match (args.resume, args.retry_failed) {
        (false, _) => Resume::No,
        (true, false) => Resume::Yes,
        (true, true) => Resume::RetryFailed,
    };
    let mut record = Record::open(args.out.as_deref(), resume, &study)?;
    record.know(&args.known, &study)?;
    jobs::run(&study, args, &mut record)?;
    let mine = record.rows.into_iter().filter(|row| study.has(row));
    let place = String::new;
    Ok(mine
        .map(|row| Placed {
            row,
            place: place(),
        })
        .collect())
}

/// The rows of the files that were asked for.
fn merged(args: &Args) -> anyhow::Result<Vec<Placed>> {
    let methods = plan::methods(&args.methods, vec![])?;
    let view = View::of(args);
    view.check(&args.dataset)?;
    let mut rows = merge::read(&args.merge)?;
    rows.retain(|Placed { row, .. }| {
        let asked = |given: bool, is_empty: bool| is_empty || given;
        view.takes(row)
            && asked(args.dataset.contains(&row.dataset), args.dataset.is_empty())
            && asked(args.normal.contains(&row.normal), args.normal.is_empty())
            && asked(args.seeds.contains(&row.seed), args.seeds.is_empty())
            && asked(methods.contains(&row.method), methods.is_empty())
    });
    Ok(rows)
}
