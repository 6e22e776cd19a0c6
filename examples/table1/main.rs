//! Trains and compares the paper's ten methods on contaminated image data: Tables 1 to 6.
//!
//! ```text
//! cargo run --release --example table1
//! cargo run --release --example table1 -- --dataset mnist --data-dir DIR --normal 8 --seeds 0 --epochs 10
//! ```
//!
//! The first takes about a minute on two cores: built-in digits drawn by code (16x16), a small
//! LeNet, a reduced protocol that the output names. The second needs the files of MNIST in
//! `DIR/mnist`; the eight sets of the paper are known, each by its publisher's files in a folder of
//! its name. Without `--normal`, `--seeds` and `--epochs` a published data set is run in full: all
//! its tasks (nine normal classes; CIFAR-100 and OCTMNIST have one task), five seeds, 200 epochs. A build with
//! `--features download` fetches missing files with `--download`; one with `--features images,parquet`
//! takes CIFAR from Parquet files that are there.
//!
//! Prints a Markdown table of the AUROC (mean and standard deviation over classes and seeds) against
//! all, seen and unseen anomalies, beside the paper's numbers; in bold the best method and those that
//! do not differ from it by a paired t-test at 5%. `--out FILE.jsonl` keeps one row per run, and
//! `--resume` goes on where a run was stopped. There is a run a core at a time (`--jobs`); where stderr is no
//! terminal, each finished one is a line there.

mod args;
mod cell;
mod dataset;
mod fetch;
mod jobs;
mod method;
mod paired_t_test;
mod paper;
mod plan;
mod progress;
mod record;
mod report;

use clap::Parser;

use crate::args::Args;
use crate::plan::Plan;
use crate::record::Record;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let plan = Plan::new(&args)?;
    let mut record = Record::open(args.out.as_deref(), args.resume, &plan)?;
    if let Some(reduction) = plan.reduction() {
        println!("{}: {reduction}", plan.dataset.name());
    }

    let images = plan.dataset.load(&args)?;
    jobs::run(&plan, &images, &mut record)?;
    println!("\n{}", report::markdown(&plan, &record.rows));
    Ok(())
}
