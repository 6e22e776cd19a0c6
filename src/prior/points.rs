use super::PriorData;

/// Values beyond so many deviations are taken for as many: what is farther is far for every kernel.
const FARTHEST: f64 = 1e6;

/// Rows on axes on which distances mean something: the unlabeled ones first, then the anomalies.
///
/// Vectors are standardised by the unlabeled rows' mean and deviation. Scores have an order and no unit, so theirs is
/// the mean of the two groups' distribution functions (equal scores in the middle of their step), on which both
/// groups together, at equal weight, are uniform in [0, 1].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Points {
    width: usize,
    values: Vec<f64>,
    unlabeled: usize,
}

impl Points {
    pub(super) fn of(data: &PriorData) -> Self {
        let values = match data.scores() {
            Ok((unlabeled, anomalies)) => on_common_axis(unlabeled, anomalies),
            Err(_) => standardised(data),
        };
        Self {
            width: data.width(),
            values,
            unlabeled: data.unlabeled().len(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// How many rows are unlabeled: the first ones.
    pub(super) fn unlabeled(&self) -> usize {
        self.unlabeled
    }

    pub(super) fn anomalies(&self) -> usize {
        self.len() - self.unlabeled
    }

    pub(super) fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.width..][..self.width]
    }

    /// All values in order; of scores one a row.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    /// The rows at these indices, of which the first `unlabeled` are unlabeled.
    pub(super) fn at(&self, indices: &[usize], unlabeled: usize) -> Self {
        Self {
            width: self.width,
            values: indices.iter().flat_map(|&i| self.row(i)).copied().collect(),
            unlabeled,
        }
    }
}

fn on_common_axis(unlabeled: &[f64], anomalies: &[f64]) -> Vec<f64> {
    // -0 + 0 is 0: the two zeros are one score.
    let sorted = |scores: &[f64]| {
        let mut sorted: Vec<_> = scores.iter().map(|score| score + 0.).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    };
    let groups = [sorted(unlabeled), sorted(anomalies)];
    let below = |score: f64| {
        let share = |group: &Vec<f64>| {
            let lower = group.partition_point(|&other| other < score);
            let upper = group.partition_point(|&other| other <= score);
            (lower + upper) as f64 / (2 * group.len()) as f64
        };
        groups.iter().map(share).sum::<f64>() / 2.
    };
    let scores = unlabeled.iter().chain(anomalies);
    scores.map(|&score| below(score + 0.)).collect()
}

fn standardised(data: &PriorData) -> Vec<f64> {
    let width = data.width();
    let rows: Vec<_> = data.unlabeled().chain(data.anomalies()).collect();
    let mut values = vec![0.; rows.len() * width];
    for column in 0..width {
        let of = rows.iter().map(|row| row[column]).collect();
        let scaled = standardised_column(of, data.unlabeled().len());
        for (row, value) in scaled.into_iter().enumerate() {
            values[row * width + column] = value;
        }
    }
    values
}

/// By mean and deviation of the first `unlabeled` values; where these are all equal, by the deviation of the rest
/// from them.
fn standardised_column(mut column: Vec<f64>, unlabeled: usize) -> Vec<f64> {
    // By the largest size first, so that no square or sum over- or underflows.
    let largest = |values: &[f64]| values.iter().fold(0f64, |max, value| max.max(value.abs()));
    let scale = match (largest(&column[..unlabeled]), largest(&column)) {
        (0., 0.) => 1.,
        (0., anomalous) => anomalous,
        (unlabeled, _) => unlabeled,
    };
    for value in &mut column {
        *value = (*value / scale).clamp(-FARTHEST * FARTHEST, FARTHEST * FARTHEST);
    }
    let mean = column[..unlabeled].iter().sum::<f64>() / unlabeled as f64;
    let deviation = |values: &[f64]| {
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (squares / values.len().max(1) as f64).sqrt()
    };
    // Equal values sum to another mean than theirs by a rounding error.
    let constant = column[..unlabeled].iter().all(|&value| value == column[0]);
    let unit = match (deviation(&column[..unlabeled]), deviation(&column)) {
        (unit, _) if unit > 0. && !constant => unit,
        (_, unit) if unit > 1e-12 => unit,
        _ => 1.,
    };
    let scaled = column.into_iter().map(|value| (value - mean) / unit);
    scaled
        .map(|value| value.clamp(-FARTHEST, FARTHEST))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn scores_lie_at_the_mean_of_both_distribution_functions() {
        let data = PriorData::of_scores(vec![1., 3., 3., 9.], vec![3., 8.]).unwrap();
        let points = Points::of(&data);
        // 1: (1/8 + 0) / 2; 3: (1/2 + 1/4) / 2; 9: (7/8 + 1) / 2; 8: (3/4 + 3/4) / 2.
        assert_eq!(points.values(), [0.0625, 0.375, 0.375, 0.9375, 0.375, 0.75]);
        assert_eq!((points.unlabeled(), points.anomalies()), (4, 2));
        let exponential = |scores: &[f64]| scores.iter().map(|s: &f64| s.exp()).collect();
        let (unlabeled, anomalies) = data.scores().unwrap();
        let same = PriorData::of_scores(exponential(unlabeled), exponential(anomalies)).unwrap();
        assert_eq!(Points::of(&same), points);
    }

    #[test]
    fn vectors_are_standardised_by_the_unlabeled_rows() {
        let data = PriorData::of_vectors(&[[1., 5.], [3., 5.]], &[[4., 7.]]).unwrap();
        let points = Points::of(&data);
        assert_abs_diff_eq!(points.row(0)[0], -1., epsilon = 1e-12);
        assert_abs_diff_eq!(points.row(2)[0], 2., epsilon = 1e-12);
        // A constant column: the anomaly differs by 2 there, of the three a root mean square of 2 / sqrt(3).
        assert_eq!(points.row(0)[1], points.row(1)[1]);
        assert_abs_diff_eq!(points.row(2)[1], 3f64.sqrt(), epsilon = 1e-12);
    }

    #[test]
    fn extreme_scales_stay_finite_and_keep_what_differs() {
        for scale in [5e-324, 1e-300, 1e300, f64::MAX] {
            let rows = [[scale, 0.], [-scale, 0.], [scale, 0.]];
            let data = PriorData::of_vectors(&rows, &[[-scale, scale]]).unwrap();
            let points = Points::of(&data);
            assert!(points.values().iter().all(|value| value.is_finite()));
            assert!(points.row(0)[0] > points.row(1)[0]);
            assert!(points.row(3)[1] > points.row(0)[1]);
        }
        let data = PriorData::of_vectors(&[[5e-324, 1.], [0., 1.]], &[[f64::MAX, 1.]]).unwrap();
        assert_eq!(Points::of(&data).row(2), [FARTHEST, 0.]);
    }
}
