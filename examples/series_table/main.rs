//! Compares detectors on time series with a few labeled events: electrocardiograms of MIT-BIH (TSB-UAD's copies), and the
//! series of the Numenta Anomaly Benchmark that have two labeled events or more.
//!
//! ```text
//! cargo run --release --example series_table -- --data-dir DIR --out rows.jsonl --resume
//! cargo run --release --example series_table -- --merge rows.jsonl
//! ```
//!
//! `DIR` holds `series/ecg` and `series/nab`. A detector is trained on the first half of a series and tested on the second;
//! one of NAB is cut where its events are halved, midway between two. Of the events in the first half `k` are labeled: 1, 2,
//! 5 and 10 of an electrocardiogram, drawn anew for each of three seeds, one of a series of NAB. The others are hidden among
//! the unlabeled points. A method that has no use for labels is fitted once a seed.
//!
//! All methods have the same windows ([`Windows::suited`](puad::series::Windows::suited) to the training part) and the
//! defaults of [`FitConfig`](puad::FitConfig) but for the epochs, which are as many as make 2,000 batches, 10 to 200.
//! `MovVar` is the variance of the window's length of points around each one, without training; `pca` is Sub-PCA.
//!
//! Measured on the test part, whose first windows have their past in the training part: range AUC-PR averaged over buffers up to a window's length
//! (VUS-PR), average precision and AUROC of points, and events found, which are those that a flagged point touches when as
//! many points are flagged as are anomalous, fewer where scores are equal.

mod args;
mod baseline;
mod cell;
#[path = "../common/mod.rs"]
mod common;
mod job;
#[path = "../common/made.rs"]
mod made;
#[path = "../common/mean_ranks.rs"]
mod mean_ranks;
#[cfg(test)]
mod processes;
mod recording;
mod report;
mod row;

use std::io::Write;

use anyhow::Context;
use clap::Parser;

use crate::args::Args;
use crate::cell::Cells;
use crate::common::progress;
use crate::common::record::{Record, Resume};
use crate::row::Row;

fn main() -> anyhow::Result<()> {
    let printed = run(&Args::parse(), &mut std::io::stdout().lock());
    common::output::read_far_enough(printed)
}

fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    let rows = if args.merge.is_empty() {
        train(args)?
    } else {
        let rows = common::merge::unique(common::merge::read::<Row>(&args.merge)?, false)?;
        rows.into_iter().map(|placed| placed.row).collect()
    };
    writeln!(out, "{}", report::markdown(&rows)?.trim_end())?;
    Ok(())
}

/// What is missing is run.
fn train(args: &Args) -> anyhow::Result<Vec<Row>> {
    let folder = args.data_dir.as_deref();
    let folder = folder.context("--data-dir DIR, or --merge FILES, is wanted")?;
    let cells = Cells::new(args, folder)?;
    let resume = if args.resume { Resume::Yes } else { Resume::No };
    let mut record = Record::open(args.out.as_deref(), resume, &cells)?;
    record.know(&args.known, &cells)?;
    job::run(&cells, args.jobs, &mut record)?;
    Ok(record.rows)
}
