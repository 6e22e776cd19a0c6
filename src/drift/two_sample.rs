use rand::seq::index::sample;
use rayon::prelude::*;

use crate::rng::{Purpose, substream};

/// Two samples of scores in one ascending order, with equal ones as a group.
pub(super) struct Pooled {
    /// Whether each score is of the window.
    of_window: Vec<bool>,
    window: usize,
    /// Positions behind each group of equal scores.
    ends: Vec<usize>,
    /// Positions from which on the tails begin, ascending.
    tails: Vec<usize>,
}

/// Scores of both samples that a tail must have.
const LEAST_TAIL: usize = 5;

/// The two statistics. Both see the ranks of the window's scores among all alone, and so nothing but the conformal
/// p-values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Statistics {
    /// Kolmogorov and Smirnov's: the largest distance of the two distribution functions.
    pub(super) distance: f64,
    /// The largest difference of the window's number of scores in a tail from that of a random sample, in its
    /// standard deviations, over the tails of the half, quarter, eighth, ... of all scores that is highest.
    pub(super) tail: f64,
}

impl Pooled {
    pub(super) fn new(kept: &[f64], window: &[f64]) -> Self {
        let kept = kept.iter().map(|&score| (score, false));
        let all = kept.chain(window.iter().map(|&score| (score, true)));
        let mut all: Vec<(f64, bool)> = all.collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let is_end = |&i: &usize| i == all.len() || all[i].0 != all[i - 1].0;
        let ends: Vec<usize> = (1..=all.len()).filter(is_end).collect();
        Self {
            tails: tails(&ends, all.len()),
            ends,
            window: window.len(),
            of_window: all.into_iter().map(|(_, of_window)| of_window).collect(),
        }
    }

    fn len(&self) -> usize {
        self.of_window.len()
    }

    fn statistics(&self, of_window: &[bool]) -> Statistics {
        let (all, window) = (self.len() as f64, self.window as f64);
        let kept = all - window;
        let (mut seen, mut from) = (0., 0);
        let (mut distance, mut tail) = (0f64, 0f64);
        let mut tails = self.tails.iter().peekable();
        for &end in &self.ends {
            if tails.next_if(|start| **start == from).is_some() {
                let size = all - from as f64;
                let mean = window * size / all;
                let variance = mean * (kept / all) * (all - size) / (all - 1.);
                tail = tail.max((window - seen - mean).abs() / variance.sqrt());
            }
            seen += of_window[from..end].iter().filter(|of| **of).count() as f64;
            from = end;
            let others = end as f64 - seen;
            distance = distance.max((seen / window - others / kept).abs());
        }
        Statistics { distance, tail }
    }

    /// Of each statistic the share of `draws` random windows of as many of all scores, and of the one at hand, in which
    /// it is as large: a p-value whatever the number of scores, and however many are equal.
    pub(super) fn p_values(&self, draws: usize, seed: u64, stream: u64) -> [f64; 2] {
        let found = self.statistics(&self.of_window);
        let draw = |marks: &mut Vec<bool>, draw: usize| {
            let mut rng = substream(seed, Purpose::Drift, (stream << 32) | draw as u64);
            // The smaller of the two samples is drawn.
            let of_window = 2 * self.window <= self.len();
            let few = if of_window {
                self.window
            } else {
                self.len() - self.window
            };
            marks.fill(!of_window);
            for i in sample(&mut rng, self.len(), few) {
                marks[i] = of_window;
            }
            let drawn = self.statistics(marks);
            let as_large = |drawn: f64, found: f64| usize::from(drawn >= found - ROUNDING);
            let distance = as_large(drawn.distance, found.distance);
            [distance, as_large(drawn.tail, found.tail)]
        };
        let marks = || vec![false; self.len()];
        let counts = (0..draws).into_par_iter().map_init(marks, draw);
        let counts = counts.reduce(|| [0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        counts.map(|count| (count + 1) as f64 / (draws + 1) as f64)
    }
}

/// Below this a difference of two statistics is rounding: they are made of the same few integers.
const ROUNDING: f64 = 1e-12;

fn tails(ends: &[usize], all: usize) -> Vec<usize> {
    let mut tails = Vec::new();
    let mut size = all / 2;
    while size >= LEAST_TAIL {
        // No more scores than that: equal ones are in a tail together.
        let at = ends.partition_point(|&end| end < all - size);
        let start = ends[at];
        if all - start >= LEAST_TAIL && tails.last() != Some(&start) {
            tails.push(start);
        }
        size /= 2;
    }
    tails
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats.ks_2samp([1, 2, 2, 5], [2, 3, 7]).statistic is 5/12.
    #[test]
    fn distances_are_scipy_s() {
        let pooled = Pooled::new(&[5., 2., 1., 2.], &[7., 2., 3.]);
        let found = pooled.statistics(&pooled.of_window);
        assert!((found.distance - 5. / 12.).abs() < 1e-15, "{found:?}");
        assert_eq!(found.tail, 0., "too few for a tail");
    }

    /// Against `(count - mean) / deviation` of the hypergeometric distribution, by hand.
    #[test]
    fn tails_are_standardised_counts() {
        let kept: Vec<f64> = (0..10).map(f64::from).collect();
        let window: Vec<f64> = (10..20).map(f64::from).collect();
        let pooled = Pooled::new(&kept, &window);
        assert_eq!(pooled.tails, [10, 15]);
        let found = pooled.statistics(&pooled.of_window);
        // All ten of the upper half: (10 - 5) / sqrt(10 * 10 * 10 * 10 / (20^2 * 19)).
        assert!(
            (found.tail - 5. / (10_000f64 / 7600.).sqrt()).abs() < 1e-12,
            "{found:?}"
        );
        assert_eq!(found.distance, 1.);
        // Equal scores are in a tail together: of the upper half the three highest are too few.
        assert!(Pooled::new(&[0.; 9], &[0., 1., 1., 1.]).tails.is_empty());
    }

    /// Of all 35 windows of three of seven scores, one has a distance as large: exact, but for the draws.
    #[test]
    fn p_values_are_shares_of_all_windows() {
        let pooled = Pooled::new(&[1., 2., 3., 4.], &[5., 6., 7.]);
        let [p, tail] = pooled.p_values(20_000, 0, 0);
        // The three highest, or the three lowest.
        assert!((p - 2. / 35.).abs() < 0.005, "{p}");
        assert_eq!(tail, 1.);
        assert_eq!(pooled.p_values(500, 3, 0), pooled.p_values(500, 3, 0));
    }
}
