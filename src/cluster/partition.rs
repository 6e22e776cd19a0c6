use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Stream;
use super::matrix::{Matrix, squared_distance};
use crate::rng::{Purpose, substream};

/// Rows cut into clusters, each with at least one row.
pub(super) struct Partition {
    pub(super) centers: Matrix,
    /// Of each row.
    pub(super) clusters: Vec<usize>,
    /// Sum of the squared distances of rows to their centers.
    pub(super) inertia: f64,
}

/// Rounds after which Lloyd's algorithm is stopped; it hardly ever takes as many.
const ROUNDS: usize = 300;

impl Partition {
    /// Into `k` clusters, or as many as there are different rows: the start of the least inertia.
    pub(super) fn best(
        rows: &Matrix,
        k: usize,
        starts: usize,
        seed: u64,
        (stream, draw): (Stream, usize),
    ) -> Self {
        let starts = (0..starts.max(1)).into_par_iter().map(|start| {
            let index = stream.index(draw, k, start);
            let mut rng = substream(seed, Purpose::Cluster, index);
            lloyd(rows, seeds(rows, k, &mut rng))
        });
        // In the order of the starts, whichever thread was first.
        let all: Vec<Self> = starts.collect();
        let best = all.into_iter().reduce(|best, next| {
            if next.inertia < best.inertia {
                next
            } else {
                best
            }
        });
        best.unwrap_or_else(|| lloyd(rows, rows.select(&[0])))
    }

    pub(super) fn k(&self) -> usize {
        self.centers.len()
    }
}

/// k-means++: each further seed is a row, with a chance that is proportional to its squared distance to those before.
/// Fewer than `k` where fewer rows differ.
fn seeds(rows: &Matrix, k: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let mut chosen = vec![rng.random_range(0..rows.len())];
    let mut distances = vec![f64::INFINITY; rows.len()];
    while chosen.len() < k {
        let last = rows.row(chosen[chosen.len() - 1]);
        for (distance, row) in distances.iter_mut().zip(rows.rows()) {
            *distance = distance.min(squared_distance(row, last));
        }
        let total: f64 = distances.iter().sum();
        if total <= 0. {
            break;
        }
        let mut left = rng.random_range(0. ..total);
        let drawn = distances.iter().position(|&distance| {
            left -= distance;
            left < 0. && distance > 0.
        });
        // Rounding may leave a rest behind the last one.
        let farthest = || argmax(&distances);
        chosen.push(drawn.unwrap_or_else(farthest));
    }
    rows.select(&chosen)
}

fn argmax(values: &[f64]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

fn lloyd(rows: &Matrix, mut centers: Matrix) -> Partition {
    let mut clusters = vec![usize::MAX; rows.len()];
    let mut distances = vec![0.; rows.len()];
    for _ in 0..ROUNDS {
        let mut moved = false;
        for (i, row) in rows.rows().enumerate() {
            let (cluster, distance) = nearest(&centers, row);
            moved |= clusters[i] != cluster;
            (clusters[i], distances[i]) = (cluster, distance);
        }
        moved |= fill_empty(centers.len(), &mut clusters, &mut distances);
        if !moved {
            break;
        }
        centers = means(rows, &clusters, centers.len());
    }
    let of = |(row, &cluster): (&[f64], &usize)| squared_distance(row, centers.row(cluster));
    let inertia = rows.rows().zip(&clusters).map(of).sum();
    Partition {
        centers,
        clusters,
        inertia,
    }
}

/// The nearest center, the first of equal ones, and its squared distance.
pub(super) fn nearest(centers: &Matrix, row: &[f64]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (i, center) in centers.rows().enumerate() {
        let distance = squared_distance(row, center);
        if distance < best.1 {
            best = (i, distance);
        }
    }
    best
}

/// A cluster without rows gets the row that lies farthest from its own center, and is not alone there.
fn fill_empty(k: usize, clusters: &mut [usize], distances: &mut [f64]) -> bool {
    let mut sizes = vec![0usize; k];
    clusters.iter().for_each(|&cluster| sizes[cluster] += 1);
    let mut filled = false;
    for empty in 0..k {
        if sizes[empty] > 0 {
            continue;
        }
        let mut farthest: Option<usize> = None;
        for (i, distance) in distances.iter().enumerate() {
            let is_farther = farthest.is_none_or(|other| *distance > distances[other]);
            if sizes[clusters[i]] > 1 && is_farther {
                farthest = Some(i);
            }
        }
        if let Some(i) = farthest {
            sizes[clusters[i]] -= 1;
            sizes[empty] = 1;
            (clusters[i], distances[i], filled) = (empty, 0., true);
        }
    }
    filled
}

fn means(rows: &Matrix, clusters: &[usize], k: usize) -> Matrix {
    let width = rows.width;
    let (mut sums, mut sizes) = (vec![0.; k * width], vec![0f64; k]);
    for (row, &cluster) in rows.rows().zip(clusters) {
        let sum = &mut sums[cluster * width..(cluster + 1) * width];
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        sizes[cluster] += 1.;
    }
    for (sum, size) in sums.chunks_exact_mut(width).zip(sizes) {
        sum.iter_mut().for_each(|x| *x /= size);
    }
    Matrix {
        width,
        values: sums,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cluster_gets_the_farthest_row_of_another() {
        let (mut clusters, mut distances) = (vec![0, 0, 1], vec![1., 4., 9.]);
        // Row 2 is farther, but alone in its cluster.
        assert!(fill_empty(3, &mut clusters, &mut distances));
        assert_eq!(clusters, [0, 2, 1]);
        assert!(!fill_empty(3, &mut clusters, &mut distances));
        // Two centers that lie far away: all rows are one's, and the other gets one.
        let rows = Matrix::new(&[[0.], [1.], [10.]]).unwrap();
        let centers = Matrix::new(&[[3.], [900.]]).unwrap();
        let partition = lloyd(&rows, centers);
        assert_eq!(partition.clusters, [0, 0, 1]);
        assert_eq!(partition.centers.values, [0.5, 10.]);
        assert_eq!(partition.inertia, 0.5);
    }

    #[test]
    fn seeds_are_different_rows() {
        let rows = Matrix::new(&[[0.], [0.], [5.], [0.], [5.]]).unwrap();
        for seed in 0..50 {
            let found = seeds(&rows, 4, &mut substream(seed, Purpose::Cluster, 0));
            let mut values = found.values;
            values.sort_by(f64::total_cmp);
            assert_eq!(values, [0., 5.]);
        }
    }
}
