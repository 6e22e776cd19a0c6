//! The short path from end to end, on points in the plane: train, decide, save, load.
//!
//! `cargo run --release --example quickstart`, a few seconds. Prints the AUROC on new points, what
//! each kind of threshold finds, and whether the loaded detector scores as the saved one; writes the
//! detector to `target/quickstart/detector.safetensors`, of which the example `curves` of `puad-figures`
//! draws the training curves.

use std::ops::ControlFlow;
use std::path::Path;

use puad::candle_core::Device;
use puad::data::toy::{self, ToyConfig};
use puad::estimator::{IntoInput, Threshold};
use puad::metrics::auroc;
use puad::train::EpochReport;
use puad::{ClassPrior, Estimator, FitConfig, FittedDetector};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 900 normals and 80 anomalies without labels, 20 labeled anomalies.
    let toy = toy::generate(&ToyConfig::default(), 0)?;
    let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();

    let config = FitConfig {
        prior: ClassPrior::new(0.08)?,
        ..FitConfig::default()
    };
    let mut show = |report: &EpochReport| {
        if report.epoch.is_multiple_of(25) {
            let EpochReport {
                epoch,
                risk,
                validation_risk,
                ..
            } = report;
            println!("epoch {epoch:3}: risk {risk:.3}, validation {validation_risk:.3}");
        }
        ControlFlow::Continue(())
    };
    let estimator = Estimator::new(config).with_observer(&mut show);
    let mut detector = estimator.fit(&unlabeled, &toy.labeled_anomalies)?;
    println!(
        "{}, best epoch {}",
        detector.method(),
        detector.history().training.best_epoch
    );

    // New points of the same kinds, and two of a kind that was not there.
    let new = toy::generate(&ToyConfig::default(), 1)?;
    let points = [
        new.normals.clone(),
        new.unlabeled_anomalies,
        new.unseen.clone(),
    ]
    .concat();
    let truth: Vec<bool> = (0..points.len()).map(|i| i >= new.normals.len()).collect();
    println!(
        "AUROC on new points: {:.3}",
        auroc(&detector.score(&points)?, &truth)?
    );

    let report = |detector: &FittedDetector, name: &str| -> puad::Result<()> {
        let flags = detector.predict(&points)?;
        let count = |kind: bool| {
            flags
                .iter()
                .zip(&truth)
                .filter(|(f, t)| **f && **t == kind)
                .count()
        };
        println!(
            "{name}: above {:.3}, finds {} of 82 anomalies, {} false alarms of 900",
            detector.threshold(),
            count(true),
            count(false)
        );
        Ok(())
    };
    report(&detector, "class prior")?;
    let normals = toy::generate(&ToyConfig::default(), 2)?.normals;
    let normals = (&normals).into_input()?;
    detector.set_threshold(Threshold::FalsePositiveRate {
        rate: 0.01,
        normals,
    })?;
    report(&detector, "1% false alarms")?;
    let p = detector.predict_proba(&points)?;
    let mean = p.iter().sum::<f64>() / p.len() as f64;
    println!(
        "mean probability {mean:.3}, true share of anomalies {:.3}",
        82. / 982.
    );

    let folder = Path::new("target/quickstart");
    std::fs::create_dir_all(folder)?;
    let path = folder.join("detector.safetensors");
    detector.save(&path)?;
    let loaded = FittedDetector::load(&path, &Device::Cpu)?;
    let same = loaded.score(&points)? == detector.score(&points)?;
    println!("loaded from {}: same scores: {same}", path.display());
    Ok(())
}
