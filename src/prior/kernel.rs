use super::points::Points;

/// Squared distances of all rows to those at `centers`: one row of `centers.len()` values after the other.
pub(super) fn squared_distances(points: &Points, centers: &[usize]) -> Vec<f64> {
    let mut distances = Vec::with_capacity(points.len() * centers.len());
    for row in 0..points.len() {
        let row = points.row(row);
        distances.extend(centers.iter().map(|&center| {
            let pairs = row.iter().zip(points.row(center));
            pairs.map(|(x, y)| (x - y).powi(2)).sum::<f64>()
        }));
    }
    distances
}

/// The unit of kernel widths: the median distance. Where that is 0, most rows are alike: the mean one; 1 where all
/// are.
pub(super) fn unit(squared_distances: &[f64]) -> f64 {
    let mut sorted = squared_distances.to_vec();
    let middle = sorted.len() / 2;
    let (_, median, _) = sorted.select_nth_unstable_by(middle, f64::total_cmp);
    if *median > 0. {
        return median.sqrt();
    }
    let roots = squared_distances.iter().map(|squared| squared.sqrt());
    let mean = roots.sum::<f64>() / squared_distances.len() as f64;
    if mean > 0. { mean } else { 1. }
}

/// `exp(-d^2 / (2 width^2))` of each squared distance, in [0, 1].
pub(super) fn gaussian(squared_distances: &[f64], width: f64) -> Vec<f64> {
    // Not over width^2, which may be 0 where distances are small.
    let scaled = |squared: &f64| (-0.5 * (squared / width / width)).exp();
    squared_distances.iter().map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prior::PriorData;

    #[test]
    fn distances_units_and_kernels_of_three_rows() {
        let data = PriorData::of_vectors(&[[-1., 0.], [1., 0.]], &[[1., 0.]]).unwrap();
        let points = Points::of(&data);
        let distances = squared_distances(&points, &[0, 2]);
        assert_eq!(distances, [0., 4., 4., 0., 4., 0.]);
        assert_eq!(unit(&distances), 2.);
        assert_eq!(unit(&[0., 0., 9.]), 1.);
        assert_eq!(unit(&[0.]), 1.);
        assert_eq!(gaussian(&[0., 8.], 2.), [1., (-1f64).exp()]);
    }
}
