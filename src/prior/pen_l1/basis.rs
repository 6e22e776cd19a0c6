use rand::seq::{SliceRandom, index};
use rand_chacha::ChaCha8Rng;

use super::PenL1Config;
use crate::prior::kernel::{gaussian, squared_distances, unit};
use crate::prior::points::Points;

/// Basis functions of one width at all rows.
pub(super) struct Basis {
    /// `[rows, centers]`.
    values: Vec<f64>,
    centers: usize,
    unlabeled: usize,
    /// The fold of each row.
    folds: Vec<usize>,
}

impl Basis {
    /// One a width.
    pub(super) fn all(points: &Points, config: &PenL1Config, rng: &mut ChaCha8Rng) -> Vec<Self> {
        let (n, m) = (points.unlabeled(), points.anomalies());
        let anomalous = m.min(config.centers / 2);
        let unlabeled = n.min(config.centers - anomalous);
        let mut centers = index::sample(rng, n, unlabeled).into_vec();
        centers.extend(
            index::sample(rng, m, anomalous)
                .into_iter()
                .map(|row| n + row),
        );
        let mut folds = |len: usize| {
            let mut folds: Vec<_> = (0..len).map(|row| row % config.folds).collect();
            folds.shuffle(rng);
            folds
        };
        let folds = [folds(n), folds(m)].concat();
        let distances = squared_distances(points, &centers);
        let unit = unit(&distances);
        let of_width = |width: &f64| Self {
            values: gaussian(&distances, width * unit),
            centers: centers.len(),
            unlabeled: n,
            folds: folds.clone(),
        };
        config.widths.iter().map(of_width).collect()
    }

    /// The means of rows that come `times` times.
    pub(super) fn means(&self, times: &[u32]) -> Means {
        let folds = 1 + self.folds.iter().max().copied().unwrap_or(0);
        let none = || vec![Sum::none(self.centers); folds];
        let mut sums = [none(), none()];
        let rows = self.values.chunks_exact(self.centers);
        for (row, (values, &times)) in rows.zip(times).enumerate() {
            let group = usize::from(row >= self.unlabeled);
            sums[group][self.folds[row]].add(values, f64::from(times), f64::from(times));
        }
        let [unlabeled, anomalous] = sums;
        let [all_unlabeled, all_anomalous] = [Sum::of(&unlabeled), Sum::of(&anomalous)];
        let mut splits = Vec::new();
        for (u, a) in unlabeled.iter().zip(&anomalous) {
            let rest = (all_unlabeled.less(u), all_anomalous.less(a));
            if [u, a, &rest.0, &rest.1].iter().all(|sum| sum.times > 0.) {
                splits.push([(rest.0.mean(), rest.1.mean()), (u.mean(), a.mean())]);
            }
        }
        let all = (all_unlabeled.mean(), all_anomalous.mean());
        if splits.is_empty() {
            // A single row of a group cannot be held out.
            splits.push([all.clone(), all.clone()]);
        }
        Means { all, splits }
    }
}

/// Of basis functions over rows.
#[derive(Clone)]
struct Sum {
    times: f64,
    values: Vec<f64>,
}

impl Sum {
    /// `factor` times the values, which stand for `times` rows.
    fn add(&mut self, values: &[f64], factor: f64, times: f64) {
        self.times += times;
        for (sum, value) in self.values.iter_mut().zip(values) {
            *sum += factor * value;
        }
    }

    fn of(sums: &[Self]) -> Self {
        let mut all = Self::none(sums[0].values.len());
        for sum in sums {
            all.add(&sum.values, 1., sum.times);
        }
        all
    }

    fn none(centers: usize) -> Self {
        Self {
            times: 0.,
            values: vec![0.; centers],
        }
    }

    fn less(&self, part: &Self) -> Self {
        let pairs = self.values.iter().zip(&part.values);
        Self {
            times: self.times - part.times,
            values: pairs.map(|(all, part)| all - part).collect(),
        }
    }

    fn mean(&self) -> Vec<f64> {
        self.values.iter().map(|sum| sum / self.times).collect()
    }
}

/// Mean basis functions over unlabeled rows and over anomalies.
type Pair = (Vec<f64>, Vec<f64>);

pub(super) struct Means {
    all: Pair,
    /// Of each fold the rest's and its own.
    splits: Vec<[Pair; 2]>,
}

/// Sums over the basis functions, for a regularisation of 1 times their number.
#[derive(Clone, Copy)]
pub(super) struct Fit {
    pub(super) held_out: f64,
    pub(super) fitted: f64,
}

impl Means {
    pub(super) fn fit(&self, share: f64) -> Fit {
        let held_out = self
            .splits
            .iter()
            .map(|[rest, fold]| product(share, rest, fold));
        Fit {
            held_out: held_out.sum::<f64>() / self.splits.len() as f64,
            fitted: product(share, &self.all, &self.all),
        }
    }
}

/// The mean of `max(0, beta_l) beta'_l` over the basis functions, `beta` of one pair and `beta'` of another.
fn product(share: f64, pair: &Pair, other: &Pair) -> f64 {
    let beta = |(u, a): (&f64, &f64)| share * a - u;
    let betas = pair.0.iter().zip(&pair.1).map(beta);
    let others = other.0.iter().zip(&other.1).map(beta);
    let products = betas.zip(others).map(|(beta, other)| beta.max(0.) * other);
    products.sum::<f64>() / pair.0.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Two basis functions at four unlabeled rows and two anomalies, folds by turns.
    fn basis() -> Basis {
        Basis {
            values: vec![1., 0., 0., 1., 1., 0., 0.5, 0.5, 0., 1., 0., 0.5],
            centers: 2,
            unlabeled: 4,
            folds: vec![0, 1, 0, 1, 0, 1],
        }
    }

    // Over U 5/8 and 3/8, over A 0 and 3/4.
    #[test]
    fn the_fit_is_the_closed_form() {
        let means = basis().means(&[1; 6]);
        assert_eq!(means.all, (vec![0.625, 0.375], vec![0., 0.75]));
        for share in [0f64, 0.3, 0.5, 0.8, 1.] {
            let beta = (0.75 * share - 0.375).max(0.);
            assert_abs_diff_eq!(means.fit(share).fitted, beta * beta / 2., epsilon = 1e-15);
        }
    }

    // Fold 0: U 1 and 0, A 0 and 1; fold 1: U 1/4 and 3/4, A 0 and 1/2.
    #[test]
    fn what_is_held_out_has_no_part_in_its_coefficients() {
        let means = basis().means(&[1; 6]);
        assert_eq!(means.splits.len(), 2);
        // At 1: from fold 1 none, as 1/2 < 3/4; from fold 0 a coefficient of 1, which fold 1 gives -1/4.
        assert_abs_diff_eq!(means.fit(1.).held_out, -0.25 / 2. / 2., epsilon = 1e-15);
    }

    #[test]
    fn a_row_that_comes_twice_is_two_rows() {
        let means = basis().means(&[0, 0, 0, 2, 1, 1]);
        assert_eq!(means.all.0, [0.5, 0.5]);
        // Fold 0 has no unlabeled row: neither can be held out.
        assert_eq!(means.splits.len(), 1);
        assert_eq!(means.fit(1.).held_out, means.fit(1.).fitted);
    }
}
