//! The runs that are missing.

use std::num::NonZeroUsize;
use std::time::Instant;

use puad::FitConfig;
use puad::method::Method;
use puad::metrics::{Thresholds, auroc, average_precision, vus};
use puad::series::{PointScores, Series, SeriesConfig, SeriesEstimator, Windows};

use crate::baseline::moving_variance;
use crate::cell::{Cell, Cells, Contender, labeled};
use crate::common::record::{Record, Run};
use crate::common::work::{self, work};
use crate::made::Made;
use crate::progress::{Phase, Progress};
use crate::row::{Measured, NUMERICS, Row};

/// Batches that a network is trained on, if it does not stop before, and epochs at least and at most.
const BATCHES: usize = 2_000;
const EPOCHS: (usize, usize) = (10, 200);

/// Does the runs that the record lacks, and records them.
pub fn run(
    cells: &Cells,
    jobs: Option<NonZeroUsize>,
    record: &mut Record<Row>,
) -> anyhow::Result<()> {
    let mut missing = vec![];
    for cell in &cells.cells {
        let recording = cells.recording(cell);
        let name = cell.contender.name();
        let key = (
            recording.set,
            recording.name.clone(),
            name,
            cell.labels,
            cell.seed,
        );
        if !record.has(&key) {
            missing.push(Job { cells, cell });
        }
    }
    // Epochs are known once a series is read; a run counts as one.
    let progress = Progress::new(missing.len() as u64);
    let most = jobs.map_or(rayon::current_num_threads(), NonZeroUsize::get);
    let workers = most.clamp(1, missing.len().max(1));
    let outcome = work(missing, workers, &progress, |row| record.push(row));
    progress.finish();
    outcome
}

/// A run that is yet to be done.
struct Job<'a> {
    cells: &'a Cells,
    cell: &'a Cell,
}

impl work::Job for Job<'_> {
    type Row = Row;

    /// The row: of a fit that failed one that says so, since the others can still be compared.
    fn run(&self, progress: &Progress) -> anyhow::Result<Row> {
        let Cell {
            contender,
            labels,
            seed,
            ..
        } = self.cell;
        let recording = self.cells.recording(self.cell);
        let whole = recording.training()?;
        let windows = Windows::suited(std::slice::from_ref(&whole), whole.channels());
        let windows = windows.expect("one series");
        let mut row = Row {
            set: recording.set,
            series: recording.name.clone(),
            method: contender.name(),
            labels: *labels,
            seed: *seed,
            measured: None,
            failed: None,
            windows,
            events: whole.events().len(),
            epochs: 0,
            warnings: vec![],
            numerics: NUMERICS,
            made: made(0., 0.),
        };
        let test = recording.test(windows.length - windows.suspect)?;
        let training = labeled(&whole, *labels, *seed)?;
        let label = format!(
            "{}: {}, {labels} labels, seed {seed}",
            row.series, row.method
        );
        match contender {
            Contender::MovingVariance => {
                let start = Instant::now();
                let scores = moving_variance(&test, windows.length);
                row.made = made(0., start.elapsed().as_secs_f64());
                let first = windows.length - windows.suspect;
                row.measured = Some(measure(&test, first, &scores[first..], windows)?);
            }
            Contender::Fitted(method) => {
                fit(
                    &mut row,
                    method,
                    &training,
                    &test,
                    progress.phase(label.clone(), 1),
                )?;
            }
        }
        let outcome = match (&row.measured, &row.failed) {
            (Some(measured), _) => format!(
                "VUS-PR {:.3}, {} of {} events",
                measured.vus_pr, measured.found, measured.events
            ),
            (None, failed) => failed.clone().unwrap_or_default(),
        };
        progress.finish_run(&format!("{label}: {outcome}"), row.failed().is_some());
        Ok(row)
    }
}

/// Seconds of a fit and of scoring, here.
fn made(seconds: f64, scoring_seconds: f64) -> Made {
    Made::now(rayon::current_num_threads(), seconds, scoring_seconds)
}

fn fit(
    row: &mut Row,
    method: &Method,
    training: &Series,
    test: &Series,
    mut phase: Phase<'_>,
) -> anyhow::Result<()> {
    let config = config(method, row, training);
    let start = Instant::now();
    let estimator = SeriesEstimator::new(config);
    let estimator = estimator.with_estimator(|estimator| estimator.with_observer(&mut phase));
    let fitted = estimator.fit(std::slice::from_ref(training));
    let seconds = start.elapsed().as_secs_f64();
    let detector = match fitted {
        Ok(detector) => detector,
        Err(error) => {
            row.failed = Some(error.to_string());
            return Ok(());
        }
    };
    let start = Instant::now();
    let scores: PointScores = detector.score(test)?;
    row.made = made(seconds, start.elapsed().as_secs_f64());
    row.epochs = detector.detector().history().training.epochs.len();
    row.warnings = detector
        .warnings()
        .iter()
        .map(ToString::to_string)
        .collect();
    row.measured = Some(measure(test, scores.first(), scores.known(), row.windows)?);
    Ok(())
}

fn config(method: &Method, row: &Row, training: &Series) -> SeriesConfig {
    let mut fit = FitConfig {
        method: Some(method.clone()),
        ..FitConfig::default()
    };
    let samples = training.len() / row.windows.stride;
    let epochs = BATCHES * fit.train.batch_size / samples.max(1);
    fit.train.epochs = epochs.clamp(EPOCHS.0, EPOCHS.1);
    fit.train.seed = row.seed;
    SeriesConfig {
        windows: Some(row.windows),
        fit,
        ..SeriesConfig::default()
    }
}

/// Of the points from `first` on.
fn measure(
    test: &Series,
    first: usize,
    scores: &[f64],
    windows: Windows,
) -> anyhow::Result<Measured> {
    let mut anomalous = vec![false; test.len()];
    for event in test.events() {
        anomalous[event.clone()].fill(true);
    }
    let labels = &anomalous[first..];
    let volumes = vus(scores, labels, windows.length, Thresholds::default())?;
    let budget = labels.iter().filter(|&&anomalous| anomalous).count();
    let mut highest = scores.to_vec();
    highest.sort_unstable_by(|a, b| b.total_cmp(a));
    // Of equal scores across the budget's end none is flagged.
    let cut = highest.get(budget).copied().unwrap_or(f64::NEG_INFINITY);
    let touched = |event: &&std::ops::Range<usize>| {
        let points = event.start.max(first) - first..event.end - first;
        scores[points].iter().any(|&score| score > cut)
    };
    let events = test.events().iter().filter(|event| event.end > first);
    Ok(Measured {
        vus_pr: volumes.pr,
        vus_roc: volumes.roc,
        auc_pr: average_precision(scores, labels)?,
        auc_roc: auroc(scores, labels)?,
        found: events.clone().filter(touched).count(),
        events: events.count(),
    })
}
