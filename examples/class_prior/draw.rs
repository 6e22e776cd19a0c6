//! Unlabeled rows with a known share of anomalies, labeled anomalies, and rows to test on.

use puad::cluster::{Count, KMeansConfig, kmeans};
use puad::data::PuDataset;
use puad::estimator::IntoSamples;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::Outcome;
use crate::rows::Cell;
use crate::source::{Classes, Source};

/// Unlabeled rows at most, and at least.
const MOST: usize = 2000;
const LEAST: usize = 500;

/// What a cell is run on.
pub struct Draw {
    pub data: PuDataset,
    /// As rows, for estimators of vectors.
    pub unlabeled: Vec<Vec<f64>>,
    pub anomalies: Vec<Vec<f64>>,
    /// The share of anomalies among the unlabeled rows.
    pub alpha: f64,
    /// Neither unlabeled nor labeled.
    pub test: Classes,
}

/// Whose labels they are: those of one kind, the largest of three clusters of anomalies.
pub const ONE_KIND: &str = "one kind";

/// How many unlabeled rows a cell has, as many as the source allows when it keeps `test` anomalies and, with these, a fifth
/// of the normals; `None` where those are too few.
pub fn unlabeled(source: &Source, alpha: f64, labels: usize, test: usize) -> Option<usize> {
    let hidden = source.anomalies().checked_sub(labels + test)?;
    let by_anomalies = (hidden as f64 / alpha) as usize;
    let kept = if test > 0 { 0.2 } else { 0. };
    let by_normals = ((1. - kept) * source.normals() as f64 / (1. - alpha)) as usize;
    let n = MOST.min(by_anomalies).min(by_normals);
    (n >= LEAST).then_some(n)
}

/// The rows of a cell with so many unlabeled ones.
pub fn draw(source: &Source, cell: &Cell, n: usize, test: usize) -> Outcome<Draw> {
    let mut rng = ChaCha8Rng::seed_from_u64(1_000_003 * cell.seed + u64::from(cell.alpha));
    let hidden = (n as f64 * f64::from(cell.alpha) / 1000.).round() as usize;
    // All that a table has where rows to test on are asked for.
    let (normals, anomalies) = match test {
        0 => (n - hidden, hidden + cell.labels),
        _ => (usize::MAX, usize::MAX),
    };
    let mut drawn = source.draw(normals, anomalies, &mut rng);
    if cell.bias == ONE_KIND {
        drawn.anomalies = one_kind_first(drawn.anomalies, cell.labels, cell.seed)?;
    }
    let test_anomalies = drawn.anomalies.split_off(cell.labels + hidden);
    let unlabeled_anomalies = drawn.anomalies.split_off(cell.labels);
    let test_normals = drawn.normals.split_off(n - hidden);
    let unlabeled = [drawn.normals, unlabeled_anomalies].concat();
    let data = PuDataset::new((&unlabeled).into_samples()?)?
        .with_anomalies((&drawn.anomalies).into_samples()?)?;
    Ok(Draw {
        data,
        alpha: hidden as f64 / n as f64,
        unlabeled,
        anomalies: drawn.anomalies,
        test: Classes {
            normals: test_normals,
            anomalies: test_anomalies,
        },
    })
}

/// The anomalies with those of the largest cluster in front, as many as are labeled.
fn one_kind_first(anomalies: Vec<Vec<f64>>, labels: usize, seed: u64) -> Outcome<Vec<Vec<f64>>> {
    let config = KMeansConfig {
        count: Count::Given(3),
        ..KMeansConfig::default()
    };
    let clusters = kmeans(&anomalies, &config, seed)?;
    let largest = (0..clusters.len()).max_by_key(|&cluster| clusters.sizes[cluster]);
    let own = clusters.rows(largest.unwrap_or(0));
    let labeled = &own[..own.len().min(labels)];
    let others = (0..anomalies.len()).filter(|row| !labeled.contains(row));
    Ok(labeled
        .iter()
        .copied()
        .chain(others)
        .map(|row| anomalies[row].clone())
        .collect())
}
