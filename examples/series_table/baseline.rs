//! A detector that learns nothing.

use puad::series::Series;

/// The variance of so many points around each point, fewer at the ends, summed over channels.
pub fn moving_variance(series: &Series, points: usize) -> Vec<f64> {
    let mut scores = vec![0.; series.len()];
    for channel in 0..series.channels() {
        // Of values less the mean: the difference of two large sums would lose all digits.
        let values = (0..series.len()).map(|point| f64::from(series.at(point)[channel]));
        let mean = values.clone().sum::<f64>() / series.len() as f64;
        let mut sums = vec![(0., 0.)];
        for value in values.map(|value| value - mean) {
            let (sum, squares) = sums[sums.len() - 1];
            sums.push((sum + value, squares + value * value));
        }
        for (point, score) in scores.iter_mut().enumerate() {
            let start = point.saturating_sub(points / 2);
            let end = (point + points.div_ceil(2)).clamp(start + 1, series.len());
            let n = (end - start) as f64;
            let sum = (sums[end].0 - sums[start].0) / n;
            let squares = (sums[end].1 - sums[start].1) / n;
            *score += (squares - sum * sum).max(0.);
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variance_is_that_of_the_points_around() {
        let values: Vec<f32> = (0..40).map(|t| 1000. + ((t * 7) % 11) as f32).collect();
        let series = Series::new(values.clone(), 1).unwrap();
        for points in [1, 4, 5] {
            for (point, score) in moving_variance(&series, points).into_iter().enumerate() {
                let start = point.saturating_sub(points / 2);
                let end = (point + points.div_ceil(2)).min(40);
                let near = &values[start..end];
                let mean = near.iter().sum::<f32>() / near.len() as f32;
                let expected = near.iter().map(|v| (v - mean).powi(2)).sum::<f32>();
                let expected = f64::from(expected / near.len() as f32);
                assert!(
                    (score - expected).abs() < 1e-5,
                    "{point}: {score} {expected}"
                );
            }
        }
    }
}
