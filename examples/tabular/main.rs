//! From a file of words, times and gaps to a saved detector and a ranked list of alarms with their reasons.
//!
//! - `cargo run --release --example tabular`: card payments drawn by code, with planted causes.
//! - `... -- payments.csv --label state --anomalous fraud --score today.csv`: a CSV or npz of your own (Parquet with
//!   `--features parquet`); gaps in the label column are unlabeled. What the columns were taken for is written as JSON
//!   beside the alarms; edited, it is read by `--schema`.
//! - `... -- --data-dir DIR`: NSL-KDD in `DIR/intrusion`, network connections with words in three columns.
//!
//! Writes the detector and the alarms, as Markdown and CSV, to `target/tabular` or `--out`.

mod intrusion;
mod planted;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use puad::data::stream::CsvOptions;
use puad::data::table::{Labels, Schema, TableFile};
use puad::encoding::Gaps;
use puad::estimator::{Alarms, Prior};
use puad::{ClassPrior, Estimator, FitConfig, FittedDetector, candle_core::Device};

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
    /// What the columns are, as JSON. Default: a guess, which is written to the output's folder.
    #[arg(long, requires = "table", conflicts_with = "label")]
    schema: Option<PathBuf>,
    /// Between a number's whole part and its fraction, in CSV.
    #[arg(long, requires = "table", default_value = ".")]
    decimal: char,
    /// Which share of the rows without a label are anomalies, about as many of which are flagged. Default: estimated.
    #[arg(long)]
    prior: Option<f64>,
    /// A folder with NSL-KDD's records in `intrusion`.
    #[arg(long, env = "PUAD_DATA_DIR", conflicts_with = "table")]
    data_dir: Option<PathBuf>,
    /// Where the detector and the alarms are written.
    #[arg(long, default_value = "target/tabular")]
    out: PathBuf,
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
    fs::create_dir_all(&options.out)?;
    match (&options.table, &options.data_dir) {
        (Some(table), _) => of_a_file(options, table)?,
        (None, Some(data)) => intrusion::run(data, &options.out)?,
        (None, None) => planted::run(options.prior, &options.out)?,
    }
    println!(
        "the detector and the alarms are in {}",
        options.out.display()
    );
    Ok(())
}

fn of_a_file(options: &Options, table: &Path) -> Outcome<()> {
    let file = open(options, table)?;
    let schema = schema(options, &file)?;
    println!("{schema}\n");
    fs::write(
        options.out.join("schema.json"),
        serde_json::to_string_pretty(&schema)?,
    )?;
    let new = open(options, options.score.as_deref().unwrap_or(table))?;
    report(&detect(&file, &schema, &new, options.prior, &options.out)?);
    Ok(())
}

fn open(options: &Options, path: &Path) -> Outcome<TableFile> {
    let decimal = u8::try_from(options.decimal)?;
    Ok(match decimal {
        b'.' => TableFile::open(path)?,
        decimal => TableFile::open_with(
            path,
            CsvOptions {
                decimal,
                ..CsvOptions::default()
            },
        ),
    })
}

fn schema(options: &Options, file: &TableFile) -> Outcome<Schema> {
    Ok(match (&options.schema, &options.label) {
        (Some(path), _) => serde_json::from_str(&fs::read_to_string(path)?)?,
        (None, None) => file.schema()?,
        (None, Some(column)) => {
            let labels = Labels::anomalous(&options.anomalous).unlabeled(&options.unlabeled);
            file.schema()?.with_label(column, labels)?
        }
    })
}

/// All that it takes.
fn detect(
    file: &TableFile,
    schema: &Schema,
    new: &TableFile,
    prior: Option<f64>,
    out: &Path,
) -> Outcome<Alarms> {
    let mut config = FitConfig {
        prior: match prior {
            Some(prior) => ClassPrior::new(prior)?.into(),
            None => Prior::default(),
        },
        ..FitConfig::default()
    };
    config.encoding.all.gaps = Gaps::Fill;
    // The hour says more than the day, which never comes again.
    (config.encoding.all.instant, config.encoding.all.hour) = (false, true);
    let detector = Estimator::new(config).fit_table(&file.read(schema)?)?;
    detector
        .warnings()
        .iter()
        .for_each(|warning| println!("{warning}"));
    if let Some(estimate) = detector.prior_estimate() {
        println!("anomalies among the rows without a label: {estimate}");
    }
    detector.save(out.join("detector.safetensors"))?;

    // Tomorrow, elsewhere: the detector's file is all that is needed.
    let detector = FittedDetector::load(out.join("detector.safetensors"), &Device::Cpu)?;
    let alarms = detector.alarms(new, 20, 2)?;
    fs::write(out.join("alarms.md"), alarms.to_markdown())?;
    fs::write(out.join("alarms.csv"), alarms.to_csv())?;
    Ok(alarms)
}

fn report(found: &Alarms) {
    println!("\n{}", found.to_markdown());
    let flagged = found.scored.flagged;
    println!(
        "{flagged} of {} rows are flagged: about the share of anomalies before",
        found.scored.rows
    );
    for warning in &found.scored.warnings {
        println!("{warning}");
    }
}
