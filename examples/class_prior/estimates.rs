//! Every estimator of the class prior on every cell.

use std::collections::BTreeMap;

use puad::prior::{
    AlphaMax, Bbe, Dedpul, KernelMean, Menon, PenL1, PriorData, PriorDoubt, PriorEstimate,
    PriorEstimator, RocSlope, SlopeThreshold,
};
use puad::{Estimator, FitConfig};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::draw::{draw, unlabeled};
use crate::rows::{Cell, Rows};
use crate::source::Source;

/// In thousandths.
const ALPHAS: [u32; 5] = [10, 50, 100, 250, 500];
const LABELS: [usize; 3] = [20, 100, 500];

/// Cells of the estimators that take long: so many seeds of one number of labels and two shares.
const FEW: u64 = 3;
const FEW_ALPHAS: [u32; 2] = [50, 250];
const FEW_LABELS: usize = 100;

/// What an estimator found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    pub alpha: f64,
    pub low: f64,
    pub high: f64,
    /// Whether it says that the share is not identifiable.
    pub doubted: bool,
}

/// What there is of a cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Estimates {
    /// The share of anomalies among the unlabeled rows.
    pub truth: f64,
    /// The largest share that is consistent with the data, where that is known.
    pub identifiable: Option<f64>,
    pub unlabeled: usize,
    pub found: BTreeMap<String, Found>,
}

pub fn run(sources: &[Source], seeds: u64, rows: &mut Rows) -> Outcome<()> {
    for source in sources {
        for (alpha, labels) in ALPHAS.into_iter().flat_map(|a| LABELS.map(|l| (a, l))) {
            let Some(n) = unlabeled(source, f64::from(alpha) / 1000., labels, 0) else {
                eprintln!(
                    "{}: too few anomalies for {alpha}/1000 and {labels} labels",
                    source.name
                );
                continue;
            };
            let cells = (0..seeds).map(|seed| Cell {
                source: source.name.clone(),
                alpha,
                labels,
                seed,
                bias: String::new(),
            });
            let left: Vec<Cell> = cells.filter(|cell| !rows.has(cell)).collect();
            let found: Vec<Outcome<Estimates>> =
                left.par_iter().map(|cell| of(source, cell, n)).collect();
            for (cell, found) in left.into_iter().zip(found) {
                rows.add(cell, found?)?;
            }
        }
        eprintln!("{}: done", source.name);
    }
    Ok(())
}

fn of(source: &Source, cell: &Cell, n: usize) -> Outcome<Estimates> {
    let drawn = draw(source, cell, n, 0)?;
    let mut config = FitConfig::default();
    config.train.seed = cell.seed;
    let scores = Estimator::new(config).prior_scores(&drawn.data)?;
    let vectors = PriorData::of_vectors(&drawn.unlabeled, &drawn.anomalies)?;
    let quick: [&dyn PriorEstimator; 4] = [
        &Dedpul::default(),
        &Bbe::default(),
        &Menon::default(),
        &RocSlope::default(),
    ];
    let slow: [(&dyn PriorEstimator, &PriorData); 4] = [
        (&AlphaMax::default(), &scores),
        (&PenL1::default(), &vectors),
        (&KernelMean::new(SlopeThreshold::Km1), &vectors),
        (&KernelMean::new(SlopeThreshold::Km2), &vectors),
    ];
    let few = FEW_ALPHAS.contains(&cell.alpha) && cell.labels == FEW_LABELS && cell.seed < FEW;
    let quick = quick.into_iter().map(|estimator| (estimator, &scores));
    let slow = slow.into_iter().filter(|_| few);
    let mut found = BTreeMap::new();
    for (estimator, data) in quick.chain(slow) {
        let estimate = estimator.estimate(data, cell.seed)?;
        found.insert(estimator.name().into(), told(&estimate));
    }
    Ok(Estimates {
        truth: drawn.alpha,
        identifiable: source.identifiable(drawn.alpha),
        unlabeled: n,
        found,
    })
}

fn told(estimate: &PriorEstimate) -> Found {
    Found {
        alpha: estimate.alpha.get(),
        low: estimate.low.get(),
        high: estimate.high.get(),
        doubted: estimate
            .doubts
            .iter()
            .any(|doubt| matches!(doubt, PriorDoubt::Overlap { .. })),
    }
}
