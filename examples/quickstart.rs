//! From dirty data to alarms that one knows what to expect of, without a number from the user.
//!
//! `cargo run --release --example quickstart`, well under a minute. A month of card payments is drawn by code: of 10,000
//! without a label about 1.4% are frauds, 40 more are labeled. Printed are the share of frauds as it is estimated, what to
//! expect at so many alarms a day, and a threshold with its guarantee, set by the next month's payments, unlabeled
//! too; at the end what is true, which only such data know. The detector, the report and its picture are written to
//! `target/quickstart`; the example `curves` of `puad-figures` draws the training.

use std::error::Error;
use std::fs;
use std::path::Path;

use puad::candle_core::Device;
use puad::data::payments::{self, Payments, PaymentsConfig};
use puad::data::table::Group;
use puad::encoding::Gaps;
use puad::estimator::{IntoInput, Threshold};
use puad::report::ReportConfig;
use puad::{Estimator, FitConfig, FittedDetector};

/// The days that a table of payments spans.
const DAYS: f64 = 28.;

fn main() -> Result<(), Box<dyn Error>> {
    let out = Path::new("target/quickstart");
    fs::create_dir_all(out)?;
    let this_month = month(0, 40)?;
    let unlabeled = this_month.table.rows_of(Group::Unlabeled).len();

    let mut config = FitConfig::default();
    config.encoding.all.gaps = Gaps::Fill;
    (config.encoding.all.instant, config.encoding.all.hour) = (false, true);
    let mut detector = Estimator::new(config).fit_table(&this_month.table)?;
    for warning in detector.warnings() {
        println!("note: {warning}");
    }
    if let Some(estimate) = detector.prior_estimate() {
        println!("share of frauds among the {unlabeled} unlabeled payments: {estimate}\n");
    }

    // Rows that the detector saw neither for training nor for choosing its epoch.
    let next_month = month(1, 0)?;
    detector.set_threshold(Threshold::UnlabeledRate {
        rate: 0.02,
        unlabeled: next_month.table.clone().into_input()?,
    })?;
    println!(
        "flagged is what scores above {:.3}: {}\n",
        detector.threshold(),
        detector.threshold_rule()
    );

    let report = detector.report(&ReportConfig {
        daily_rows: Some(unlabeled as f64 / DAYS),
        ..ReportConfig::default()
    })?;
    println!("{}", report.to_markdown());
    fs::write(out.join("report.md"), report.to_markdown())?;
    fs::write(out.join("report.json"), report.to_json())?;
    fs::write(out.join("report.svg"), report.to_svg())?;

    detector.save(out.join("detector.safetensors"))?;
    let detector = FittedDetector::load(out.join("detector.safetensors"), &Device::Cpu)?;
    truth(&detector, &month(2, 0)?)?;
    println!(
        "the detector and the report, with a picture, are in {}",
        out.display()
    );
    Ok(())
}

/// 10,000 payments of a month, of which 140 are frauds, and so many labeled frauds.
fn month(number: u32, labeled: usize) -> puad::Result<Payments> {
    let config = PaymentsConfig {
        normals: 9860,
        unlabeled_anomalies: 140,
        labeled_anomalies: labeled,
        first_day: PaymentsConfig::default().first_day + 28 * number,
        ..PaymentsConfig::default()
    };
    payments::generate(&config, number.into())
}

/// What a user never sees: how the threshold does on a month whose frauds are known.
fn truth(detector: &FittedDetector, month: &Payments) -> puad::Result<()> {
    let flagged = detector.predict(&month.table)?;
    let count = |fraud: bool| {
        let of_kind = flagged.iter().zip(&month.causes);
        of_kind
            .filter(|(flag, cause)| **flag && cause.is_some() == fraud)
            .count()
    };
    println!(
        "in truth, in a month after: {} of 140 frauds found, with {} false alarms among 9,860 payments",
        count(true),
        count(false)
    );
    Ok(())
}
