//! Means, deviations and the bold marks of section 5.4.

use std::collections::BTreeMap;

use crate::dataset::Dataset;
use crate::merge::Kept;
use crate::method::Contender;
use crate::paired_t_test::p_value;
use crate::view::Kind;

/// Significance level of the bold marks (section 5.4).
const LEVEL: f64 = 0.05;

/// With fewer runs the test could tell nothing apart, and nothing is marked.
pub const FEWEST_RUNS: usize = 5;

/// One number a run: normal class and seed.
pub type Runs = BTreeMap<(u64, u8), f64>;

/// Mean and population standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub mean: f64,
    pub deviation: f64,
    pub runs: usize,
}

impl std::fmt::Display for Summary {
    /// One run has no deviation.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.runs {
            1 => write!(f, "{:.3}", self.mean),
            _ => write!(f, "{:.3} ± {:.3}", self.mean, self.deviation),
        }
    }
}

impl Summary {
    /// `None` without values.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let runs = values.clone().count();
        let n = runs as f64;
        let mean = values.clone().sum::<f64>() / n;
        let variance = values.map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let deviation = variance.sqrt();
        (runs > 0).then_some(Self {
            mean,
            deviation,
            runs,
        })
    }
}

/// A method's AUROC on a data set, of the runs that did not fail, in an order that does not depend on which run ended first.
pub fn runs(rows: &[Kept], dataset: Dataset, contender: &Contender, kind: Kind) -> Runs {
    let rows = rows.iter().map(|kept| &kept.row);
    rows.filter(|row| row.dataset == dataset && row.method == *contender)
        .filter_map(|row| Some(((row.seed, row.normal), kind.of(row)?)))
        .collect()
}

/// The values of both over the runs that both have.
pub fn pairs(left: &Runs, right: &Runs) -> (Vec<f64>, Vec<f64>) {
    let both = left
        .iter()
        .filter_map(|(run, &l)| Some((l, *right.get(run)?)));
    both.unzip()
}

/// Whether a paired t-test at 5% tells nothing apart; `None` with too few runs that both have.
pub fn alike(left: &Runs, right: &Runs) -> Option<bool> {
    let (left, right) = pairs(left, right);
    if left.len() < FEWEST_RUNS {
        return None;
    }
    Some(p_value(&left, &right).is_ok_and(|p| p >= LEVEL))
}

/// The one with the highest mean, and those that do not differ from it at 5% over the same runs: by position.
pub fn best(all: &[Runs]) -> Vec<usize> {
    let means = all.iter().enumerate().filter_map(|(i, runs)| {
        let summary = Summary::of(runs.values().copied())?;
        Some((i, summary.mean))
    });
    let Some((top, _)) = means.max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return vec![];
    };
    if all[top].len() < FEWEST_RUNS {
        return vec![];
    }
    let as_good = |&i: &usize| i == top || alike(&all[top], &all[i]) == Some(true);
    (0..all.len()).filter(as_good).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[(u64, f64)]) -> Runs {
        values.iter().map(|&(seed, v)| ((seed, 1), v)).collect()
    }

    #[test]
    fn pairs_are_runs_of_the_same_class_and_seed() {
        let left = of(&[(0, 0.1), (1, 0.2), (2, 0.3)]);
        let right = of(&[(2, 0.9), (0, 0.7), (3, 0.6)]);
        assert_eq!(pairs(&left, &right), (vec![0.1, 0.3], vec![0.7, 0.9]));
    }

    #[test]
    fn bold_marks_the_best_and_what_does_not_differ_from_it() {
        let runs = |values: [f64; 6]| of(&(0..).zip(values).collect::<Vec<_>>());
        let first = runs([0.5, 0.6, 0.7, 0.5, 0.6, 0.7]);
        let better = runs([0.71, 0.8, 0.9, 0.7, 0.8, 0.91]);
        let like = runs([0.6, 0.5, 0.71, 0.5, 0.7, 0.6]);
        assert_eq!(best(&[first.clone(), better.clone()]), [1]);
        assert_eq!(best(&[first.clone(), like]), [0, 1]);
        let two = better.into_iter().take(2).collect();
        assert_eq!(best(&[first, two]), Vec::<usize>::new());
        assert_eq!(best(&[Runs::new()]), Vec::<usize>::new());
    }

    #[test]
    fn the_deviation_is_that_of_the_population() {
        let summary = Summary::of([0.25, 0.75].into_iter()).unwrap();
        assert_eq!(
            (summary.mean, summary.deviation, summary.runs),
            (0.5, 0.25, 2)
        );
        assert_eq!(summary.to_string(), "0.500 ± 0.250");
        assert_eq!(Summary::of([0.5].into_iter()).unwrap().to_string(), "0.500");
        assert_eq!(Summary::of([].into_iter()), None);
    }
}
