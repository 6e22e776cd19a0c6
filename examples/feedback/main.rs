//! The loop with a person: five rounds of ten labels, picked by the detector or at random.
//!
//! - `cargo run --release --example feedback`: card payments drawn by code; one kind of fraud of three is labeled.
//! - `... -- --data-dir DIR`: thyroid and cardio of ADBench in `DIR/adbench`, ten labeled anomalies each.
//!
//! Prints, by round and as medians over the seeds, how many of the anomalies among the unlabeled rows were found, and the
//! precision on rows that no fit saw: of the top (as many rows as there are anomalies) and of the rows above the
//! threshold.

mod adbench;
mod payments;
mod rounds;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use puad::estimator::{RefitConfig, SuggestConfig};

use rounds::{Picking, Problem, Round};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is simulated.
#[derive(Parser)]
struct Options {
    /// A folder with ADBench's tables in `adbench`.
    #[arg(long, env = "PUAD_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Seeds of splits, fits and random picks.
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Rounds of labels.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Labels a round.
    #[arg(long, default_value_t = 10)]
    labels: usize,
    /// How many unlabeled rows a dismissed alarm weighs as much as.
    #[arg(long, default_value_t = RefitConfig::default().dismissed)]
    dismissed: f64,
    /// The most epochs of a refit.
    #[arg(long, default_value_t = RefitConfig::default().epochs)]
    epochs: usize,
    /// Pick the highest alone.
    #[arg(long)]
    highest: bool,
}

impl Options {
    fn refit(&self) -> RefitConfig {
        RefitConfig {
            dismissed: self.dismissed,
            epochs: self.epochs,
            ..RefitConfig::default()
        }
    }

    fn suggest(&self) -> SuggestConfig {
        let suggest = SuggestConfig::default();
        if !self.highest {
            return suggest;
        }
        SuggestConfig {
            highest: 1.,
            spread: 0.,
            near_threshold: 0.,
            ..suggest
        }
    }
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
    if options.seeds == 0 {
        return Err("--seeds must be at least 1, got 0".into());
    }
    match &options.data_dir {
        None => simulate(options, "payments", &payments::problem)?,
        Some(folder) => {
            for name in ["38_thyroid", "6_cardio"] {
                let table = adbench::Rows::load(folder, name)?;
                simulate(options, name, &|seed| table.problem(seed))?;
            }
        }
    }
    Ok(())
}

fn simulate(
    options: &Options,
    name: &str,
    problem: &dyn Fn(u64) -> Outcome<Problem>,
) -> Outcome<()> {
    let (mut suggested, mut random) = (vec![], vec![]);
    let mut hidden = vec![];
    for seed in 0..options.seeds {
        let problem = problem(seed)?;
        hidden.push(problem.hidden() as f64);
        let run = |picking| problem.rounds(picking, options, seed);
        suggested.push(run(Picking::Suggested)?);
        random.push(run(Picking::Random)?);
    }
    let (seeds, hidden) = (options.seeds, median(hidden));
    println!("\n{name}: medians over {seeds} seeds; {hidden} anomalies among the unlabeled rows\n");
    println!(
        "| labels | found | precision of the top | above the threshold | recall there | found at random | top | above | recall |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for round in 0..=options.rounds {
        let cells = |runs: &[Vec<Round>]| {
            let of = |value: fn(&Round) -> f64| {
                median(runs.iter().map(|run| value(&run[round])).collect())
            };
            format!(
                "{} | {:.3} | {:.3} | {:.3}",
                of(|r| r.found as f64),
                of(|r| r.top),
                of(|r| r.precision),
                of(|r| r.recall)
            )
        };
        let labels = round * options.labels;
        println!("| {labels} | {} | {} |", cells(&suggested), cells(&random));
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    0.5 * (values[(n - 1) / 2] + values[n / 2])
}
