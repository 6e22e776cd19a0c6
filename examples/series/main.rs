//! A detector of time series from a series with a few labeled events to scored points, alarms and a picture.
//!
//! ```text
//! cargo run --release --example series
//! ```
//!
//! The series is drawn by code ([`generate`]): a day's pattern that differs at weekends, with noise, and four kinds of events,
//! spikes, level shifts, drifts and a changed frequency. In the first half four events are labeled, two spikes and two level
//! shifts; the other events are hidden among the unlabeled points, and of two kinds no event is labeled. The second half is
//! new. The picture, `series.svg` under `--out`, shows series, score, labeled events and alarms.

mod generate;
mod picture;

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use puad::metrics::{Thresholds, vus};
use puad::series::{Series, SeriesConfig, SeriesDetections, SeriesDetector, SeriesEstimator};

use crate::generate::{Event, Kind, generate};
use crate::picture::{Row, picture};

/// Points of each half: six weeks, a quarter of an hour a point.
const HALF: usize = 6 * 7 * generate::DAY;

#[derive(Parser)]
struct Args {
    /// Folder for the picture and the detector.
    #[arg(long, default_value = "target/series")]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let out = Args::parse().out;
    std::fs::create_dir_all(&out)?;
    let (whole, events) = generate(2 * HALF, 0)?;
    let (before, after): (Vec<&Event>, Vec<&Event>) =
        events.iter().partition(|event| event.points.end <= HALF);
    let labeled: Vec<&Event> = [Kind::Spike, Kind::LevelShift]
        .into_iter()
        .flat_map(|kind| {
            before
                .iter()
                .filter(move |event| event.kind == kind)
                .take(2)
        })
        .copied()
        .collect();
    let training = whole
        .part(0..HALF)?
        .with_events(labeled.iter().map(|event| event.points.clone()))?;

    let start = Instant::now();
    let detector =
        SeriesEstimator::new(SeriesConfig::default()).fit(std::slice::from_ref(&training))?;
    println!(
        "{} on {} points with {} of {} events labeled: {:.1} s",
        detector.detector().method(),
        training.len(),
        labeled.len(),
        before.len(),
        start.elapsed().as_secs_f64()
    );
    let windows = detector.windows();
    println!(
        "windows of {} points, of which the last {} are scored; class prior {:.3}",
        windows.length,
        windows.suspect,
        detector.detector().decision_prior()
    );

    let test = whole.part(HALF..2 * HALF)?;
    let found = detector.detect(&test)?;
    tell(&detector, &test, &after, &found)?;
    detector.save(out.join("detector.safetensors"))?;

    let before_found = detector.detect(&training)?;
    let row = |title: &str, series, found: SeriesDetections, events| Row {
        title: title.into(),
        series,
        scores: found.scores,
        alarms: found.alarms,
        threshold: detector.threshold(),
        events,
        labeled: vec![],
    };
    let moved = |events: &[&Event], first| events.iter().map(|event| event.moved(first)).collect();
    let labeled = labeled.into_iter().map(|event| event.points.clone());
    let trained = row(
        "trained on, four events labeled",
        training,
        before_found,
        moved(&before, 0),
    );
    let rows = [
        Row {
            labeled: labeled.collect(),
            ..trained
        },
        row("new", test, found, moved(&after, HALF)),
    ];
    let path = out.join("series.svg");
    std::fs::write(&path, picture(&rows))?;
    println!("picture: {}", path.display());
    Ok(())
}

/// Which of the events were found, and how good the scores are.
fn tell(
    detector: &SeriesDetector,
    test: &Series,
    events: &[&Event],
    found: &SeriesDetections,
) -> anyhow::Result<()> {
    let mut anomalous = vec![false; test.len()];
    let alarms = &found.alarms;
    let mut hits = vec![false; alarms.len()];
    let mut kinds = std::collections::BTreeMap::<&str, (usize, usize)>::new();
    for event in events {
        let points = event.moved(HALF).points;
        anomalous[points.clone()].fill(true);
        let (count, all) = kinds.entry(event.kind.name()).or_default();
        *all += 1;
        let mut is_found = false;
        for (hit, alarm) in hits.iter_mut().zip(alarms) {
            let touches = alarm.points.start < points.end && points.start < alarm.points.end;
            *hit |= touches;
            is_found |= touches;
        }
        *count += usize::from(is_found);
    }
    for (kind, (count, all)) in kinds {
        println!("{kind}: {count} of {all} found");
    }
    let false_alarms = hits.iter().filter(|hit| !**hit).count();
    println!(
        "{} alarms, {false_alarms} of them at no event",
        alarms.len()
    );
    let scores = &found.scores;
    let labels = &anomalous[scores.first()..];
    let volumes = vus(
        scores.known(),
        labels,
        detector.windows().length,
        Thresholds::default(),
    )?;
    println!("VUS-ROC {:.3}, VUS-PR {:.3}", volumes.roc, volumes.pr);
    Ok(())
}
