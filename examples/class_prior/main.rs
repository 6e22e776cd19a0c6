//! How well the class prior is estimated, and what a report says of a detector, where the truth is known.
//!
//! - `cargo run --release --example class_prior -- prior --data-dir DIR`: every estimator on mixtures of Gaussians in
//!   the plane and on six tables of ADBench, by the true share of anomalies and the number of labels. Without
//!   `--data-dir`, on the mixtures alone.
//! - `... -- mnist --data-dir DIR`: the same on MNIST's images.
//! - `... -- report --data-dir DIR`: estimated precision, recall and AUROC against the true ones.
//!
//! Runs are kept, a line of JSON each, in `--out`; what is there is not run again, and the tables are of all of them.

mod draw;
mod estimates;
mod expectations;
mod rows;
mod source;
mod tables;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use rows::Rows;
use source::Source;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone, Copy, ValueEnum)]
enum Part {
    Prior,
    Mnist,
    Report,
}

/// What is run, on what.
#[derive(Parser)]
struct Options {
    part: Part,
    /// A folder with ADBench's tables in `adbench`, and MNIST in `mnist`.
    #[arg(long, env = "PUAD_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// How many seeds, from 0 on.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The tables that settings were chosen on, and not those to report.
    #[arg(long)]
    chosen_on: bool,
    /// Where runs are kept. Default: `target/class-prior/` with the part's name.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Renders what is there, and runs nothing.
    #[arg(long)]
    render: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Outcome<()> {
    let name = match options.part {
        Part::Prior => "prior.jsonl",
        Part::Mnist => "mnist.jsonl",
        Part::Report => "report.jsonl",
    };
    let folder = if options.chosen_on {
        "target/class-prior/chosen-on"
    } else {
        "target/class-prior"
    };
    let usual = PathBuf::from(folder).join(name);
    let mut rows = Rows::open(options.out.as_deref().unwrap_or(&usual))?;
    let data = options.data_dir.as_deref();
    if !options.render {
        match options.part {
            Part::Prior => estimates::run(
                &Source::all(data, options.chosen_on)?,
                options.seeds,
                &mut rows,
            )?,
            Part::Mnist => estimates::run(&Source::mnist(data)?, options.seeds, &mut rows)?,
            Part::Report => expectations::run(
                &Source::tables(data, options.chosen_on)?,
                options.seeds,
                &mut rows,
            )?,
        }
    }
    match options.part {
        Part::Report => println!("{}", tables::of_expectations(&rows.read()?)),
        _ => println!("{}", tables::of_estimates(&rows.read()?)),
    }
    Ok(())
}
