//! Trains and compares the paper's ten methods on contaminated image data: Tables 1 to 6.
//!
//! ```text
//! cargo run --release --example table1
//! cargo run --release --example table1 -- --dataset mnist --data-dir DIR --normal 8 --seeds 0 --epochs 10
//! ```
//!
//! The first takes about two minutes on two cores: built-in digits drawn by code (16x16), a small
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
//! `--resume` goes on where a run was stopped.

mod args;
mod cell;
mod dataset;
mod fetch;
mod method;
mod paired_t_test;
mod paper;
mod plan;
mod progress;
mod record;
mod report;

use clap::Parser;

use crate::args::Args;
use crate::cell::Cell;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::record::Record;
use puad::method::Method;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let plan = Plan::new(&args)?;
    let mut record = Record::open(args.out.as_deref(), args.resume, &plan)?;
    let missing = |record: &Record, normal, seed| -> Vec<Method> {
        let methods = plan.methods.iter().cloned();
        methods.filter(|m| !record.has(normal, seed, m)).collect()
    };
    if let Some(reduction) = plan.reduction() {
        println!("{}: {reduction}", plan.dataset.name());
    }

    let images = plan.dataset.load(&args)?;
    let phases = plan.cells().map(|(normal, seed)| {
        let todo = missing(&record, normal, seed);
        todo.len() as u64 + u64::from(todo.iter().any(method::is_svdd))
    });
    let mut progress = Progress::new(phases.sum(), plan.config.epochs.into());
    for (normal, seed) in plan.cells() {
        let todo = missing(&record, normal, seed);
        if todo.is_empty() {
            continue;
        }
        let mut cell = Cell::new(&plan, &images, normal, seed)?;
        for method in todo {
            match cell.run(&method, &mut progress) {
                Ok(row) => record.push(row)?,
                // The others can still be compared; the table shows one run less.
                Err(err @ puad::Error::Diverged { .. }) => {
                    progress.line(&format!("normal {normal} seed {seed}: {method}: {err}"));
                }
                Err(err) => return Err(err.into()),
            }
        }
    }
    progress.finish();
    println!("\n{}", report::markdown(&plan, &record.rows));
    Ok(())
}
