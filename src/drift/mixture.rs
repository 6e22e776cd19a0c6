use rand::Rng;
use rand_distr::{Binomial, Distribution};
use rayon::prelude::*;

use crate::rng::{Purpose, substream};

/// Scores by cells of the line, of kept samples, labeled anomalies and a window: whether one of the samples is the other
/// with anomalies added, as the labeled ones score.
///
/// A window in which the share of anomalies alone is another one is `(1 - v) K + v A` of kept scores `K` and anomalies'
/// `A`, or, with fewer of them, `K` is that of the window. Of both the `v` is taken that leaves the least
/// Kolmogorov-Smirnov distance, which is convex in `v`. What distance chance leaves is drawn (a parametric bootstrap):
/// all three groups anew, from the mixture that was found.
pub(super) struct Mixture {
    kept: Vec<f64>,
    anomalies: Vec<f64>,
    window: Vec<f64>,
}

/// Cells at most; both samples together have as many scores in each as may be.
const CELLS: usize = 128;

/// How well the share of anomalies explains what changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Explained {
    /// That nothing else changed.
    pub(super) p_value: f64,
    /// The share of the window that are anomalies beyond those of the kept scores; below 0 that of the kept scores beyond
    /// the window's.
    pub(super) share: f64,
}

/// The mixture of the least distance.
#[derive(Clone, Copy)]
struct Fit {
    distance: f64,
    share: f64,
    /// Whether the window is the mixture.
    of_window: bool,
}

impl Mixture {
    pub(super) fn new(kept: &[f64], anomalies: &[f64], window: &[f64]) -> Self {
        let mut all = [kept, window].concat();
        all.sort_unstable_by(f64::total_cmp);
        let mut edges: Vec<f64> = (1..CELLS).map(|i| all[i * all.len() / CELLS]).collect();
        edges.dedup();
        let counted = |scores: &[f64]| {
            let mut counts = vec![0.; edges.len() + 1];
            for &score in scores {
                counts[edges.partition_point(|&edge| edge < score)] += 1.;
            }
            counts
        };
        Self {
            kept: counted(kept),
            anomalies: counted(anomalies),
            window: counted(window),
        }
    }

    pub(super) fn explained(&self, draws: usize, seed: u64) -> Explained {
        let found = self.fit();
        let (base, mixed) = if found.of_window {
            (&self.kept, &self.window)
        } else {
            (&self.window, &self.kept)
        };
        let shares = [base, &self.anomalies].map(|counts| {
            let all = total(counts);
            counts.iter().map(|count| count / all).collect::<Vec<_>>()
        });
        let [of_base, of_anomalies] = shares;
        let of_mixed: Vec<f64> = of_base
            .iter()
            .zip(&of_anomalies)
            .map(|(base, anomalies)| (1. - found.share) * base + found.share * anomalies)
            .collect();
        let one = |draw: usize| {
            let mut rng = substream(seed, Purpose::Drift, STREAM | draw as u64);
            let base = drawn(total(base), &of_base, &mut rng);
            let mixed = drawn(total(mixed), &of_mixed, &mut rng);
            let anomalies = drawn(total(&self.anomalies), &of_anomalies, &mut rng);
            let (kept, window) = if found.of_window {
                (base, mixed)
            } else {
                (mixed, base)
            };
            let again = Self {
                kept,
                anomalies,
                window,
            };
            again.fit()
        };
        let as_far = |fit: &Fit| fit.distance >= found.distance - ROUNDING;
        let as_far = (0..draws).into_par_iter().map(one).filter(as_far).count();
        let as_far = (as_far + 1) as f64 / (draws + 1) as f64;
        Explained {
            p_value: (CAUTION * as_far).min(1.),
            share: found.signed(),
        }
    }

    fn fit(&self) -> Fit {
        let [kept, anomalies, window] =
            [&self.kept, &self.anomalies, &self.window].map(|counts| cumulated(counts));
        let (distance, share) = nearest(&kept, &anomalies, &window);
        let (other, other_share) = nearest(&window, &anomalies, &kept);
        let of_window = distance <= other;
        Fit {
            distance: distance.min(other),
            share: if of_window { share } else { other_share },
            of_window,
        }
    }
}

impl Fit {
    fn signed(&self) -> f64 {
        if self.of_window {
            self.share
        } else {
            -self.share
        }
    }
}

/// In simulations draws alone reject up to one and a half times as often as they should: labels are few.
const CAUTION: f64 = 2.;

/// The streams of [`Purpose::Drift`] beside those of random windows.
const STREAM: u64 = 1 << 32;

/// Below this a difference of two distances is rounding.
const ROUNDING: f64 = 1e-12;

fn total(counts: &[f64]) -> f64 {
    counts.iter().sum()
}

/// The distribution function at the end of each cell.
fn cumulated(counts: &[f64]) -> Vec<f64> {
    let (all, mut below) = (total(counts), 0.);
    let upto = |count: &f64| {
        below += count;
        below / all
    };
    counts.iter().map(upto).collect()
}

/// The least distance of `mixed` from `(1 - v) base + v anomalies`, and its `v` in [0, 1]: by golden sections, since it is
/// convex.
fn nearest(base: &[f64], anomalies: &[f64], mixed: &[f64]) -> (f64, f64) {
    let distance = |v: f64| {
        let each = base.iter().zip(anomalies).zip(mixed);
        let differences = each.map(|((b, a), m)| (m - b - v * (a - b)).abs());
        differences.fold(0., f64::max)
    };
    let golden = 0.5 * (5f64.sqrt() - 1.);
    let (mut low, mut high) = (0., 1.);
    let inner = |low: f64, high: f64| (high - golden * (high - low), low + golden * (high - low));
    let (mut left, mut right) = inner(low, high);
    let (mut at_left, mut at_right) = (distance(left), distance(right));
    for _ in 0..SECTIONS {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = inner(low, high).0;
            at_left = distance(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = inner(low, high).1;
            at_right = distance(right);
        }
    }
    let middle = 0.5 * (low + high);
    let (none, best) = (distance(0.), distance(middle));
    if none <= best {
        (none, 0.)
    } else {
        (best, middle)
    }
}

/// Until the share is known to 1 in 30,000.
const SECTIONS: usize = 22;

/// Counts of `n` draws from cells with these shares: one binomial number after another.
fn drawn(n: f64, shares: &[f64], rng: &mut impl Rng) -> Vec<f64> {
    let (mut left, mut rest) = (n as u64, 1f64);
    let one = |&share: &f64| {
        let p = if rest > 0. {
            (share / rest).clamp(0., 1.)
        } else {
            1.
        };
        rest -= share;
        let count = Binomial::new(left, p).expect("a probability").sample(rng);
        left -= count;
        count as f64
    };
    let mut counts: Vec<f64> = shares.iter().map(one).collect();
    // What rounding left of the last share.
    if let Some(last) = counts.last_mut() {
        *last += left as f64;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn an_exact_mixture_has_no_distance() {
        let kept: Vec<f64> = (0..400).map(f64::from).collect();
        let anomalies: Vec<f64> = (0..40).map(|i| 380. + f64::from(i)).collect();
        // Three hundred more of them.
        let more = [kept.clone(), anomalies.repeat(15)[..300].to_vec()].concat();
        for (kept, window, sign) in [(&kept, &more, 1.), (&more, &kept, -1.)] {
            let fit = Mixture::new(kept, &anomalies, window).fit();
            assert!(fit.distance < 0.02, "{}", fit.distance);
            assert_relative_eq!(fit.signed(), sign * 3. / 7., epsilon = 0.03);
        }
        let same = Mixture::new(&kept, &anomalies, &kept).fit();
        assert_eq!((same.distance, same.share), (0., 0.));
    }

    #[test]
    fn draws_have_the_shares_and_the_number() {
        let mut rng = substream(0, Purpose::Drift, 0);
        let shares = [0.2, 0., 0.5, 0.3];
        let counts = drawn(1e5, &shares, &mut rng);
        assert_eq!((total(&counts), counts[1]), (1e5, 0.));
        for (count, share) in counts.iter().zip(shares) {
            assert_relative_eq!(count / 1e5, share, epsilon = 0.01);
        }
    }

    #[test]
    fn one_score_and_equal_ones_have_a_fit() {
        let all = Mixture::new(&[1.; 30], &[1.], &[1.; 30]).explained(50, 0);
        assert_eq!((all.p_value, all.share), (1., 0.));
        let above = Mixture::new(&[1.; 30], &[2.], &[2.; 30]).explained(50, 0);
        assert!(above.share > 0.99 && above.p_value > 0.9, "{above:?}");
    }
}
