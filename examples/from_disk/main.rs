//! Trains on more rows than memory holds, and scores them where they are.
//!
//! ```text
//! cargo run --release --example from_disk -- --rows 2000000 --file /tmp/rows.npy
//! ```
//!
//! Rows are made on the spot, in a file that is kept for the next run: 32 correlated measurements each, two in a hundred
//! unusual. PUAE learns from them and from a thousand labeled anomalies; `--in-memory` reads the file first, for
//! comparison. `--out scores.csv` scores all rows into a file. The last line is the most memory that the process had.

mod memory;
mod rows;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use puad::candle_core::Device;
use puad::data::stream::{StoredTable, TableReader};
use puad::data::{PuDataset, Samples};
use puad::estimator::IntoSamples;
use puad::method::Method;
use puad::metrics::auroc;
use puad::train::EpochReport;
use puad::{ClassPrior, Estimator, FitConfig, FittedDetector};

#[derive(Parser)]
struct Cli {
    /// Rows to train on.
    #[arg(long, default_value_t = 2_000_000)]
    rows: usize,
    /// Where they are, `.npy`, or `.parquet` with `--features parquet`; made if nothing is there.
    #[arg(long, default_value = "rows.npy")]
    file: PathBuf,
    /// Epochs at most.
    #[arg(long, default_value_t = 1)]
    epochs: usize,
    /// Share of the rows that each epoch is judged by.
    #[arg(long, default_value_t = 0.005)]
    validation: f64,
    /// Reads all rows before it trains.
    #[arg(long)]
    in_memory: bool,
    /// Where the detector is kept: one that is there is taken, and nothing trained.
    #[arg(long)]
    detector: Option<PathBuf>,
    /// Writes scores of all rows here, `.csv` or `.parquet`.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if cli.file.exists() {
        println!("{} is there", cli.file.display());
    } else {
        let start = Instant::now();
        rows::write(&cli.file, cli.rows)?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{} rows written to {} in {seconds:.1} s",
            cli.rows,
            cli.file.display()
        );
    }
    let detector = match &cli.detector {
        Some(path) if path.exists() => FittedDetector::load(path, &Device::Cpu)?,
        _ => fit(&cli)?,
    };
    if let Some(path) = &cli.detector {
        detector.save(path)?;
    }
    let tested = [rows::normals(10_000, 2), rows::anomalies(1000, 3)].concat();
    let anomalous: Vec<bool> = (0..tested.len()).map(|row| row >= 10_000).collect();
    let area = auroc(&detector.score(&tested)?, &anomalous)?;
    println!("AUROC on rows of its own: {area:.3}");
    if let Some(out) = &cli.out {
        let start = Instant::now();
        let scored = detector.score_table_to(TableReader::open(&cli.file)?, out)?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{} rows scored into {} in {seconds:.1} s, {} flagged",
            scored.rows,
            out.display(),
            scored.flagged
        );
    }
    if let Some(mib) = memory::peak()? {
        println!("at most {mib} MiB of memory");
    }
    Ok(())
}

fn fit(cli: &Cli) -> anyhow::Result<FittedDetector> {
    let mut unlabeled = Samples::stored(StoredTable::open(&cli.file)?)?;
    if cli.in_memory {
        unlabeled = unlabeled.in_memory()?;
    }
    let start = Instant::now();
    let anomalies = rows::anomalies(1000, 1).into_samples()?;
    let data = PuDataset::new(unlabeled)?.with_anomalies(anomalies)?;
    let n = data.unlabeled().len();
    let seconds = start.elapsed().as_secs_f64();
    println!("{n} rows looked through in {seconds:.1} s");

    let mut config = FitConfig {
        method: Some(Method::PUAE),
        prior: ClassPrior::new(0.05)?.into(),
        validation_fraction: cli.validation,
        ..FitConfig::default()
    };
    config.train.epochs = cli.epochs;
    let steps = (n as f64 * (1. - cli.validation) / config.train.batch_size as f64).round();
    let mut show = |report: &EpochReport| {
        let rate = steps / report.seconds;
        println!(
            "epoch {}: risk {:.4}, {:.1} s, {rate:.0} steps/s",
            report.epoch, report.risk, report.seconds
        );
        ControlFlow::Continue(())
    };
    let start = Instant::now();
    let estimator = Estimator::new(config).with_observer(&mut show);
    let detector = estimator.fit_dataset(&data)?;
    println!("fitted in {:.1} s", start.elapsed().as_secs_f64());
    Ok(detector)
}
