use rand::seq::index::sample;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Stream;
use super::matrix::{Matrix, squared_distance};
use super::partition::Partition;
use crate::rng::{Purpose, substream};

/// How many clusters there are.
///
/// ```
/// use puad::cluster::Count;
///
/// assert_eq!(Count::default(), Count::Chosen { most: 8 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Count {
    /// So many, >= 1; fewer where fewer rows differ.
    Given(usize),
    /// The fewest, up to `most` (>= 1), whose mean silhouette lies within a standard error of the largest. One where
    /// that largest one is not larger than in each of 19 draws of as many rows of a single Gaussian with the rows' covariance, clustered alike: a single Gaussian
    /// cloud is cut with a chance of 1 in 20. Looked at on 400 random rows where there are more.
    Chosen {
        /// The largest number that is tried.
        most: usize,
    },
}

impl Default for Count {
    fn default() -> Self {
        Self::Chosen { most: 8 }
    }
}

/// Rows that the number is chosen by: silhouettes take the square of their number.
const LOOKED_AT: usize = 400;

/// Draws of one Gaussian: the error rate is one over their number plus one.
const DRAWS: usize = 19;

/// The number of clusters, at most `most`.
pub(super) fn chosen(rows: &Matrix, most: usize, starts: usize, seed: u64) -> usize {
    let rows = looked_at(rows, seed);
    let (best, k) = highest(&rows, most, starts, seed, (Stream::Chosen, 0));
    // Fewer than three rows have no silhouette.
    let Some(best) = best else { return 1 };
    let draws = (1..=DRAWS).into_par_iter();
    let is_beaten = draws.any(|draw| {
        let drawn = one_gaussian(&rows, seed, draw);
        let (other, _) = highest(&drawn, most, starts, seed, (Stream::Reference, draw));
        other.is_some_and(|other| other >= best)
    });
    if is_beaten { 1 } else { k }
}

fn looked_at(rows: &Matrix, seed: u64) -> Matrix {
    if rows.len() <= LOOKED_AT {
        return rows.clone();
    }
    let index = Stream::Sample.index(0, 0, 0);
    let mut rng = substream(seed, Purpose::Cluster, index);
    let mut taken = sample(&mut rng, rows.len(), LOOKED_AT).into_vec();
    taken.sort_unstable();
    rows.select(&taken)
}

/// The largest mean silhouette of 2 to `most` clusters, and the first number that comes within its standard error: a
/// row cut off by itself may gain a little.
fn highest(
    rows: &Matrix,
    most: usize,
    starts: usize,
    seed: u64,
    stream: (Stream, usize),
) -> (Option<f64>, usize) {
    let distances = distances(rows);
    let mut means = Vec::new();
    let mut best: Option<(f64, f64)> = None;
    for k in 2..=most.min(rows.len().saturating_sub(1)) {
        let partition = Partition::best(rows, k, starts, seed, stream);
        if partition.k() < k {
            break;
        }
        let (mean, error) = mean_and_error(&silhouettes(&distances, &partition.clusters, k));
        means.push(mean);
        if best.is_none_or(|(other, _)| mean > other) {
            best = Some((mean, error));
        }
    }
    let Some((mean, error)) = best else {
        return (None, 1);
    };
    let first = means.iter().position(|&other| other >= mean - error);
    (Some(mean), 2 + first.unwrap_or(0))
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.).max(1.);
    (mean, (variance / n).sqrt())
}

/// As many rows of a Gaussian with the covariance of `rows`: random combinations of their deviations from the mean.
fn one_gaussian(rows: &Matrix, seed: u64, draw: usize) -> Matrix {
    let (n, width) = (rows.len(), rows.width);
    let index = Stream::Reference.index(draw, 0, 0);
    let mut rng = substream(seed, Purpose::Cluster, index);
    let mut mean = vec![0.; width];
    for row in rows.rows() {
        mean.iter_mut()
            .zip(row)
            .for_each(|(m, x)| *m += x / n as f64);
    }
    let mut values = vec![0.; n * width];
    for drawn in values.chunks_exact_mut(width) {
        for row in rows.rows() {
            let weight: f64 = StandardNormal.sample(&mut rng);
            let deviations = row.iter().zip(&mean).map(|(x, m)| x - m);
            let weight = weight / (n as f64).sqrt();
            drawn
                .iter_mut()
                .zip(deviations)
                .for_each(|(to, x)| *to += weight * x);
        }
    }
    Matrix { width, values }
}

/// Between each two rows, `[n, n]`.
fn distances(rows: &Matrix) -> Vec<Vec<f64>> {
    let of = |a: &[f64]| rows.rows().map(|b| squared_distance(a, b).sqrt()).collect();
    rows.rows().map(of).collect()
}

/// Rousseeuw's: `(b - a) / max(a, b)`, with a row's mean distance to the others of its cluster and to those of the
/// nearest other one; 0 for a row alone.
fn silhouettes(distances: &[Vec<f64>], clusters: &[usize], k: usize) -> Vec<f64> {
    let mut sizes = vec![0f64; k];
    clusters.iter().for_each(|&cluster| sizes[cluster] += 1.);
    let of = |(distances, &own): (&Vec<f64>, &usize)| {
        let mut sums = vec![0.; k];
        distances
            .iter()
            .zip(clusters)
            .for_each(|(d, &c)| sums[c] += d);
        if sizes[own] < 2. {
            return 0.;
        }
        let within = sums[own] / (sizes[own] - 1.);
        let others = (0..k).filter(|&c| c != own).map(|c| sums[c] / sizes[c]);
        let between = others.fold(f64::INFINITY, f64::min);
        match within.max(between) {
            0. => 0.,
            larger => (between - within) / larger,
        }
    };
    distances.iter().zip(clusters).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.x: silhouette_score([[0],[1],[4],[6],[20]], [0,0,1,1,2]).
    #[test]
    fn silhouettes_are_scikit_learn_s() {
        let rows = Matrix::new(&[[0.], [1.], [4.], [6.], [20.]]).unwrap();
        let (mean, _) = mean_and_error(&silhouettes(&distances(&rows), &[0, 0, 1, 1, 2], 3));
        assert!((mean - 0.522_987_012_987_013).abs() < 1e-12, "{mean}");
    }

    #[test]
    fn a_draw_has_the_covariance_of_the_rows() {
        let at = |i: usize| (i as f64 * 0.618_034).fract() - 0.5;
        let rows: Vec<[f64; 2]> = (0..300).map(|i| [at(i), 2. * at(i)]).collect();
        let rows = Matrix::new(&rows).unwrap();
        let (mut xx, mut xy, mut n) = (0., 0., 0.);
        for draw in 1..=40 {
            for row in one_gaussian(&rows, 0, draw).rows() {
                (xx, xy, n) = (xx + row[0] * row[0], xy + row[0] * row[1], n + 1.);
            }
        }
        // 1/12 of a uniform number; the second column is twice the first.
        assert!((xx / n - 1. / 12.).abs() < 0.003, "{}", xx / n);
        assert!((xy / xx - 2.).abs() < 1e-9, "{}", xy / xx);
    }
}
