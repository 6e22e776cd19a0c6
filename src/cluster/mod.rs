//! Groups of vectors that lie together: kinds of labeled anomalies, regions to look at.
//!
//! [`kmeans`] is Lloyd's algorithm from k-means++ seeds, the best of several starts. How many clusters there are is
//! said or chosen: by the mean silhouette, and against the draws of one Gaussian, so that what lies in one cloud
//! stays in one ([`Count::Chosen`]). The same seed gives the same clusters, bit for bit, on any number of threads.
//!
//! # References
//! Arthur and Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007; Rousseeuw, Silhouettes, Journal
//! of Computational and Applied Mathematics 1987; Liu et al., Statistical significance of clustering for
//! high-dimension, low-sample size data, JASA 2008 (one Gaussian as the hypothesis to beat).

mod count;
mod kmeans;
mod matrix;
mod partition;

pub use count::Count;
pub use kmeans::{Clusters, KMeansConfig, kmeans};

/// Streams of random numbers of one clustering: the final one's, those of the sample that the count is chosen by, and
/// those of the reference draws and their clusterings.
#[derive(Clone, Copy)]
enum Stream {
    Final = 0,
    Sample = 1,
    Chosen = 2,
    Reference = 3,
}

impl Stream {
    /// That of a start of a clustering of draw `draw` (0: the data) into `k`.
    fn index(self, draw: usize, k: usize, start: usize) -> u64 {
        let field = |value: usize| value as u64 & 0xffff;
        ((self as u64) << 48) | (field(draw) << 32) | (field(k) << 16) | field(start)
    }
}
