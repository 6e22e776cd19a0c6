//! From a file of words, times and gaps to a saved detector and a ranked list of alarms with their reasons.
//!
//! - `cargo run --release --example tabular`: card payments drawn by code, with planted causes.
//! - `... -- payments.csv --label state --anomalous fraud --score today.csv`: any CSV, Parquet or npz of your own;
//!   gaps in the label column are unlabeled.
//! - `... -- --data-dir DIR`: NSL-KDD in `DIR/intrusion`, network connections with words in three columns.
//!
//! Writes the detector and the alarms, as Markdown and CSV, to `target/tabular` or `--out`.

mod intrusion;
mod planted;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use puad::data::table::{Labels, Schema, TableFile};
use puad::encoding::Gaps;
use puad::estimator::Alarms;
use puad::{Estimator, FitConfig, FittedDetector, candle_core::Device};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is detected, and where.
#[derive(Parser)]
struct Options {
    /// The table to train on: CSV, Parquet, npz.
    table: Option<PathBuf>,
    /// The column that says what is known of a row.
    #[arg(long, requires = "table")]
    label: Option<String>,
    /// Its values that are anomalies.
    #[arg(long, requires = "label", num_args = 1..)]
    anomalous: Vec<String>,
    /// Its values, beside gaps, of rows that nobody knows of.
    #[arg(long, requires = "label", num_args = 1..)]
    unlabeled: Vec<String>,
    /// The table to find anomalies in. Default: the one that is trained on.
    #[arg(long, requires = "table")]
    score: Option<PathBuf>,
    /// A folder with NSL-KDD's records in `intrusion`.
    #[arg(long, env = "PUAD_DATA_DIR", conflicts_with = "table")]
    data_dir: Option<PathBuf>,
    /// Where the detector and the alarms are written.
    #[arg(long, default_value = "target/tabular")]
    out: PathBuf,
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    fs::create_dir_all(&options.out)?;
    match (&options.table, &options.data_dir) {
        (Some(table), _) => of_a_file(&options, table),
        (None, Some(data)) => intrusion::run(data, &options.out),
        (None, None) => planted::run(&options.out),
    }
}

fn of_a_file(options: &Options, table: &Path) -> Outcome<()> {
    let file = TableFile::open(table)?;
    let guessed = file.schema()?;
    let schema = match &options.label {
        None => guessed,
        Some(column) => {
            let labels = Labels::anomalous(&options.anomalous).unlabeled(&options.unlabeled);
            guessed.with_label(column, labels)?
        }
    };
    println!("{schema}\n");
    let new = TableFile::open(options.score.as_deref().unwrap_or(table))?;
    let found = detect(&file, &schema, &new, &options.out)?;
    report(&found);
    Ok(())
}

/// All that it takes.
fn detect(file: &TableFile, schema: &Schema, new: &TableFile, out: &Path) -> Outcome<Alarms> {
    let mut config = FitConfig::default();
    config.encoding.all.gaps = Gaps::Fill;
    // The hour says more than the day, which never comes again.
    (config.encoding.all.instant, config.encoding.all.hour) = (false, true);
    let detector = Estimator::new(config).fit_table(&file.read(schema)?)?;
    detector.save(out.join("detector.safetensors"))?;

    // Tomorrow, elsewhere: the detector's file is all that is needed.
    let detector = FittedDetector::load(out.join("detector.safetensors"), &Device::Cpu)?;
    let alarms = detector.alarms(new, 20, 2)?;
    fs::write(out.join("alarms.md"), alarms.to_markdown())?;
    fs::write(out.join("alarms.csv"), alarms.to_csv())?;
    Ok(alarms)
}

fn report(found: &Alarms) {
    println!("{}", found.to_markdown());
    println!(
        "{} of {} rows are flagged",
        found.scored.flagged, found.scored.rows
    );
    for warning in &found.scored.warnings {
        println!("{warning}");
    }
}
