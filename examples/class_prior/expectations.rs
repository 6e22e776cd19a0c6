//! What a report says, against what is.

use puad::metrics::auroc;
use puad::report::{Estimate, ReportConfig};
use puad::{Estimator, FitConfig, FittedDetector};
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::draw::{Draw, ONE_KIND, draw, unlabeled};
use crate::rows::{Cell, Rows};
use crate::source::Source;

/// In thousandths.
const ALPHA: u32 = 50;
const LABELS: usize = 40;
/// Anomalies kept to test on, at least.
const TEST: usize = 25;
/// Shares of rows that are alarms.
const RATES: [f64; 3] = [0.01, 0.02, 0.05];

/// An estimate and the truth.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compared {
    pub measure: String,
    pub value: f64,
    pub low: f64,
    pub high: f64,
    pub truth: f64,
}

pub fn run(sources: &[Source], seeds: u64, rows: &mut Rows) -> Outcome<()> {
    for source in sources {
        let Some(n) = unlabeled(source, f64::from(ALPHA) / 1000., LABELS, TEST) else {
            eprintln!("{}: too few anomalies", source.name);
            continue;
        };
        for (seed, bias) in (0..seeds).flat_map(|seed| ["", ONE_KIND].map(|bias| (seed, bias))) {
            let cell = Cell {
                source: source.name.clone(),
                alpha: ALPHA,
                labels: LABELS,
                seed,
                bias: bias.into(),
            };
            if !rows.has(&cell) {
                let found = of(&draw(source, &cell, n, TEST)?, seed)?;
                rows.add(cell, found)?;
            }
        }
        eprintln!("{}: done", source.name);
    }
    Ok(())
}

fn of(drawn: &Draw, seed: u64) -> Outcome<Vec<Compared>> {
    let mut config = FitConfig {
        folds: Some(5),
        ..FitConfig::default()
    };
    config.train.seed = seed;
    let detector = Estimator::new(config).fit_dataset(&drawn.data)?;
    let report = detector.report(&ReportConfig {
        rates: RATES.into(),
        ..ReportConfig::default()
    })?;
    let truth = Truth::of(&detector, drawn)?;
    let mut compared = vec![];
    let mut add = |measure: String, estimate: Option<&Estimate>, truth: f64| {
        if let Some(Estimate { value, low, high }) = estimate {
            let (value, low, high) = (*value, *low, *high);
            compared.push(Compared {
                measure,
                value,
                low,
                high,
                truth,
            });
        }
    };
    add("AUROC".into(), report.auroc.as_ref(), truth.auroc);
    for at in &report.budgets {
        let (Some(rate), Some(threshold)) = (at.budget.rate(), at.threshold) else {
            continue;
        };
        let (recall, false_positives) = truth.above(threshold);
        let alarms = drawn.alpha * recall + (1. - drawn.alpha) * false_positives;
        let named = |name: &str| format!("{name} at {}% alarms", 100. * rate);
        add(named("recall"), at.recall.as_ref(), recall);
        add(
            named("false-positive rate"),
            at.false_positive_rate.as_ref(),
            false_positives,
        );
        if alarms > 0. {
            add(
                named("precision"),
                at.precision.as_ref(),
                drawn.alpha * recall / alarms,
            );
        }
    }
    Ok(compared)
}

/// Scores of rows that were neither unlabeled nor labeled.
struct Truth {
    normals: Vec<f64>,
    anomalies: Vec<f64>,
    auroc: f64,
}

impl Truth {
    fn of(detector: &FittedDetector, drawn: &Draw) -> Outcome<Self> {
        let normals = detector.score(&drawn.test.normals)?;
        let anomalies = detector.score(&drawn.test.anomalies)?;
        let scores = [normals.as_slice(), &anomalies].concat();
        let labels: Vec<bool> = (0..scores.len()).map(|i| i >= normals.len()).collect();
        let auroc = auroc(&scores, &labels)?;
        Ok(Self {
            normals,
            anomalies,
            auroc,
        })
    }

    /// Recall and false-positive rate.
    fn above(&self, threshold: f64) -> (f64, f64) {
        let share = |scores: &[f64]| {
            let above = scores.iter().filter(|score| **score > threshold).count();
            above as f64 / scores.len() as f64
        };
        (share(&self.anomalies), share(&self.normals))
    }
}
