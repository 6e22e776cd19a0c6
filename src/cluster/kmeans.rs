use serde::{Deserialize, Serialize};

use super::Stream;
use super::count::{Count, chosen};
use super::matrix::Matrix;
use super::partition::{Partition, nearest};
use crate::{Error, Result};

/// The settings of [`kmeans`].
///
/// ```
/// use puad::cluster::{Count, KMeansConfig};
///
/// let config = KMeansConfig { count: Count::Given(3), ..KMeansConfig::default() };
/// config.check()?;
/// assert!(KMeansConfig { starts: 0, ..config }.check().is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KMeansConfig {
    /// How many clusters. Default: chosen, at most 8.
    pub count: Count,
    /// Whether columns are brought to mean 0 and deviation 1 first. Default: yes; no for rows that were scaled by
    /// other data, as the unlabeled rows of a fit, in which an anomaly may lie thirty deviations off.
    pub standardize: bool,
    /// Starts, >= 1, of which the one with the least sum of squared distances is taken. Default: 8.
    pub starts: usize,
}

impl Default for KMeansConfig {
    fn default() -> Self {
        Self {
            count: Count::default(),
            standardize: true,
            starts: 8,
        }
    }
}

/// Of numbers of clusters and starts: streams of random numbers are numbered with 16 bits.
const MOST: usize = 1 << 16;

impl KMeansConfig {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        let (name, count) = match self.count {
            Count::Given(count) => ("count", count),
            Count::Chosen { most } => ("most", most),
        };
        for (name, value) in [(name, count), ("starts", self.starts)] {
            if !(1..MOST).contains(&value) {
                return Err(Error::config(name, "at least 1 and below 65536", value));
            }
        }
        Ok(())
    }
}

/// What [`kmeans`] gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clusters {
    /// The cluster of each row, counted from 0 in the order of their size, the largest first.
    pub of_rows: Vec<usize>,
    /// The mean of each cluster's rows, in their own unit: `[clusters, columns]`.
    pub centers: Vec<Vec<f64>>,
    /// The number of each cluster's rows, >= 1.
    pub sizes: Vec<usize>,
}

impl Clusters {
    /// The number of clusters, >= 1.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Never: there is at least one.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// The rows of a cluster, counted from 0; none where there is no such cluster.
    pub fn rows(&self, cluster: usize) -> Vec<usize> {
        let rows = self.of_rows.iter().enumerate();
        let own = rows.filter(|(_, of)| **of == cluster);
        own.map(|(row, _)| row).collect()
    }
}

/// Cuts `n` rows of one width into clusters by k-means.
///
/// Rows that are equal are always together, so there are never more clusters than different rows. No cluster is empty.
/// The count, where it is chosen, takes `O(20 most starts n' width)` and `O(20 n'^2 width)` with `n'` the smaller of `n`
/// and 400.
///
/// ```
/// use puad::cluster::{KMeansConfig, kmeans};
///
/// let near = |x: f64, y: f64| (0..20).map(move |i| [x + f64::from(i % 5), y + f64::from(i / 5)]);
/// let rows: Vec<[f64; 2]> = near(0., 0.).chain(near(40., 0.)).chain(near(0., 40.)).collect();
/// let clusters = kmeans(&rows, &KMeansConfig::default(), 0)?;
/// assert_eq!((clusters.len(), clusters.sizes), (3, vec![20; 3]));
/// # Ok::<(), puad::Error>(())
/// ```
///
/// # Errors
/// [`Error::Config`] for a setting outside its range, more clusters asked for than there are rows, or no rows;
/// [`Error::Ragged`] for rows of different length, [`Error::NonFiniteFeature`] for a value that is NaN or infinite.
pub fn kmeans<R: AsRef<[f64]>>(rows: &[R], config: &KMeansConfig, seed: u64) -> Result<Clusters> {
    config.check()?;
    let given = Matrix::new(rows)?;
    let points = if config.standardize {
        given.clone().standardized()
    } else {
        given.clone().bounded()
    };
    let k = match config.count {
        Count::Given(k) if k > given.len() => {
            let rule = "at most the number of rows to cluster";
            let found = format!("{k} for {}", given.len());
            return Err(Error::config("count", rule, found));
        }
        Count::Given(k) => k,
        Count::Chosen { most } => chosen(&points, most, config.starts, seed),
    };
    let partition = Partition::best(&points, k, config.starts, seed, (Stream::Final, 0));
    Ok(by_size(&given, &settled(&points, &partition)))
}

/// Each row's nearest center: the rounds may have ended before the last row moved.
fn settled(points: &Matrix, partition: &Partition) -> Vec<usize> {
    let of = points.rows().map(|row| nearest(&partition.centers, row).0);
    let of: Vec<usize> = of.collect();
    let filled = (0..partition.k()).all(|cluster| of.contains(&cluster));
    if filled {
        of
    } else {
        partition.clusters.clone()
    }
}

/// Numbered by size, and of equal ones by the first row.
fn by_size(rows: &Matrix, clusters: &[usize]) -> Clusters {
    let k = clusters.iter().max().map_or(0, |last| last + 1);
    let mut sizes = vec![0; k];
    let mut first = vec![usize::MAX; k];
    for (row, &cluster) in clusters.iter().enumerate() {
        sizes[cluster] += 1;
        first[cluster] = first[cluster].min(row);
    }
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by_key(|&cluster| (std::cmp::Reverse(sizes[cluster]), first[cluster]));
    let mut number = vec![0; k];
    for (new, &old) in order.iter().enumerate() {
        number[old] = new;
    }
    let sizes: Vec<usize> = order.iter().map(|&old| sizes[old]).collect();
    let of_rows: Vec<usize> = clusters.iter().map(|&old| number[old]).collect();
    let centers = means(rows, &of_rows, &sizes);
    Clusters {
        of_rows,
        centers,
        sizes,
    }
}

/// In the rows' own unit. Equal rows have exactly themselves for a mean, and large ones do not overflow.
fn means(rows: &Matrix, of_rows: &[usize], sizes: &[usize]) -> Vec<Vec<f64>> {
    let mut first: Vec<Option<&[f64]>> = vec![None; sizes.len()];
    let mut centers = vec![vec![0.; rows.width]; sizes.len()];
    for (row, &cluster) in rows.rows().zip(of_rows) {
        let size = sizes[cluster] as f64;
        match first[cluster] {
            None => {
                first[cluster] = Some(row);
                centers[cluster]
                    .iter_mut()
                    .zip(row)
                    .for_each(|(c, x)| *c += x);
            }
            Some(first) => {
                let apart = row.iter().zip(first).map(|(x, y)| x / size - y / size);
                let center = centers[cluster].iter_mut();
                center.zip(apart).for_each(|(c, apart)| *c += apart);
            }
        }
    }
    centers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, substream};
    use proptest::prelude::*;
    use rand_distr::{Distribution, Normal, StandardNormal};

    /// `each` rows around each of these means, with deviation 1.
    fn clouds(means: &[f64], each: usize, width: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut rng = substream(seed, Purpose::Toy, 0);
        let mut row = |(i, &mean): (usize, &f64)| {
            let mut row: Vec<f64> = (0..width)
                .map(|_| StandardNormal.sample(&mut rng))
                .collect();
            row[i % width] += mean;
            row
        };
        let rows = (0..each).flat_map(|_| means.iter().enumerate());
        rows.map(&mut row).collect()
    }

    fn of_count(count: Count) -> KMeansConfig {
        KMeansConfig {
            count,
            ..KMeansConfig::default()
        }
    }

    #[test]
    fn separate_clouds_are_told_apart_and_counted() {
        for seed in 0..10 {
            let rows = clouds(&[12., 12., 12.], 15, 4, seed);
            let clusters = kmeans(&rows, &KMeansConfig::default(), seed).unwrap();
            assert_eq!(clusters.sizes, [15; 3], "{seed}");
            assert!(
                clusters
                    .of_rows
                    .iter()
                    .enumerate()
                    .all(|(row, of)| *of == row % 3)
            );
            assert_eq!(
                clusters.rows(1),
                (0..15).map(|i| 3 * i + 1).collect::<Vec<_>>()
            );
            assert!(
                (clusters.centers[0][0] - 12.).abs() < 1.2,
                "{:?}",
                clusters.centers
            );
        }
    }

    /// One cloud, stretched along its diagonal, is cut about once in twenty times: 200 tries, and the upper end of
    /// what a binomial number of them may be with a chance of 1 in 1000.
    #[test]
    fn one_cloud_is_hardly_ever_cut() {
        let mut cut = 0;
        for seed in 0..200 {
            let mut rng = substream(seed, Purpose::Toy, 1);
            let long = Normal::new(0., 5.).unwrap();
            let rows: Vec<[f64; 2]> = (0..40)
                .map(|_| (long.sample(&mut rng), StandardNormal.sample(&mut rng)))
                .map(|(along, across): (f64, f64)| [along + across, along - across])
                .collect();
            let config = KMeansConfig {
                starts: 3,
                ..of_count(Count::Chosen { most: 4 })
            };
            cut += usize::from(kmeans(&rows, &config, seed).unwrap().len() > 1);
        }
        assert!(cut <= 21, "{cut} of 200");
    }

    #[test]
    fn equal_rows_are_one_cluster_and_more_than_rows_are_refused() {
        let rows = vec![[1., 2.]; 6];
        for count in [Count::Given(3), Count::default()] {
            let clusters = kmeans(&rows, &of_count(count), 0).unwrap();
            assert_eq!(
                (clusters.sizes, clusters.centers),
                (vec![6], vec![vec![1., 2.]])
            );
        }
        let two = [vec![[0.]; 5], vec![[1.]; 3]].concat();
        for count in [Count::Given(8), Count::Given(2), Count::default()] {
            let clusters = kmeans(&two, &of_count(count), 0).unwrap();
            assert_eq!(clusters.sizes, [5, 3], "{count:?}");
        }
        let error = kmeans(&two, &of_count(Count::Given(9)), 0).unwrap_err();
        let rule = "count must be at most the number of rows to cluster, got 9 for 8";
        assert_eq!(error.to_string(), rule);
        // One row, and two, are looked at too.
        for n in [1, 2] {
            let clusters = kmeans(&two[..n], &KMeansConfig::default(), 0).unwrap();
            assert_eq!(clusters.len(), 1);
        }
        assert!(kmeans(&two, &of_count(Count::Given(0)), 0).is_err());
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let rows = clouds(&[3., 3., 3., 0., 0.], 200, 5, 1);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            pool.install(|| kmeans(&rows, &KMeansConfig::default(), 7).unwrap())
        };
        assert_eq!(run(1), run(3));
    }

    /// Scaled by other data, a direction keeps its weight.
    #[test]
    fn rows_can_keep_their_scale() {
        let rows: Vec<[f64; 2]> = (0..40)
            .map(|i| [f64::from(i % 2) * 100., f64::from(i / 20)])
            .collect();
        let given = |standardize| KMeansConfig {
            standardize,
            ..of_count(Count::Given(2))
        };
        let clusters = kmeans(&rows, &given(false), 0).unwrap();
        assert!(
            clusters
                .of_rows
                .iter()
                .enumerate()
                .all(|(row, of)| *of == row % 2)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_row_is_in_one_cluster_that_is_not_empty(
            values in proptest::collection::vec(-3i8..3, 2..60), k in 1usize..8, spread in -200i32..200,
        ) {
            let size = 10f64.powi(spread);
            let rows: Vec<[f64; 2]> = values.chunks_exact(2).map(|v| [f64::from(v[0]) * size, f64::from(v[1]) * size]).collect();
            let k = k.min(rows.len());
            let clusters = kmeans(&rows, &of_count(Count::Given(k)), 3).unwrap();
            let mut different: Vec<[i8; 2]> = values.chunks_exact(2).map(|v| [v[0], v[1]]).collect();
            different.sort();
            different.dedup();
            prop_assert_eq!(clusters.len(), k.min(different.len()));
            prop_assert!(clusters.sizes.is_sorted_by(|a, b| a >= b) && *clusters.sizes.last().unwrap() > 0);
            prop_assert_eq!(clusters.sizes.iter().sum::<usize>(), rows.len());
            for (i, a) in rows.iter().enumerate() {
                let equal = rows.iter().position(|b| a == b).unwrap();
                prop_assert_eq!(clusters.of_rows[i], clusters.of_rows[equal]);
            }
        }
    }
}
