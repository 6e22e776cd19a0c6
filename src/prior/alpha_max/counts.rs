/// Of each bin the anomalies `n_i` and the unlabeled samples `m_i`.
pub(super) struct Counts(pub(super) Vec<(f64, f64)>);

impl Counts {
    /// How much the log-likelihood at `alpha` in (0, 1] lies below that of unbounded histograms, >= 0.
    ///
    /// With multipliers `a` and `b` of the two sums a bin without the bound has `q = n / a`, `p = m / b`, one at the
    /// bound `q = (n + m) / (a + alpha b)`, `p = alpha q`. Where both sums are 1, `a + b` is the number of samples, so
    /// that one root remains, of a sum that falls with `a`.
    pub(super) fn loss(&self, alpha: f64) -> f64 {
        let sum = |of: fn(&(f64, f64)) -> f64| self.0.iter().map(of).sum::<f64>();
        let (anomalies, unlabeled) = (sum(|bin| bin.0), sum(|bin| bin.1));
        let all = anomalies + unlabeled;
        let density = |&(n, m): &(f64, f64), a: f64| {
            let b = all - a;
            if m * a < alpha * n * b {
                let q = (n + m) / (a + alpha * b);
                (q, alpha * q)
            } else {
                (n / a, m / b)
            }
        };
        // Without a root `a` is 0: anomalies fill bins whose unlabeled samples do not bound them.
        let (mut low, mut high) = (0., all);
        for _ in 0..100 {
            let a = (low + high) / 2.;
            let whole: f64 = self.0.iter().map(|bin| density(bin, a).0).sum();
            *(if whole > 1. { &mut low } else { &mut high }) = a;
        }
        let of_bin = |bin: &(f64, f64)| {
            let (q, p) = density(bin, high);
            surprise(bin.0, bin.0 / anomalies, q) + surprise(bin.1, bin.1 / unlabeled, p)
        };
        self.0.iter().map(of_bin).sum::<f64>().max(0.)
    }

    /// The largest share whose loss is at most `drop`.
    pub(super) fn bend(&self, drop: f64) -> f64 {
        if self.loss(1.) <= drop {
            return 1.;
        }
        // Logarithms, so that small shares are as exact as large ones.
        let (mut low, mut high) = (1e-6f64.ln(), 0.);
        if self.loss(low.exp()) > drop {
            return 0.;
        }
        for _ in 0..40 {
            let middle: f64 = (low + high) / 2.;
            *(if self.loss(middle.exp()) > drop {
                &mut high
            } else {
                &mut low
            }) = middle;
        }
        low.exp()
    }
}

/// `count` samples' log-likelihood at `best` less that at `density`.
fn surprise(count: f64, best: f64, density: f64) -> f64 {
    if count > 0. {
        count * (best / density).ln()
    } else {
        0.
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::{assert_abs_diff_eq, assert_relative_eq};
    use proptest::prelude::*;

    // All anomalies in the second bin: its p is alpha while q is 1 there, up to 20 of 110 samples.
    #[test]
    fn the_loss_of_two_bins_has_closed_forms() {
        let counts = Counts(vec![(0., 90.), (10., 10.)]);
        assert_eq!(counts.loss(0.05), 0.);
        for alpha in [0.1f64, 0.12, 0.18] {
            let expected = 10. * (0.1 / alpha).ln() + 90. * (0.9 / (1. - alpha)).ln();
            assert_abs_diff_eq!(counts.loss(alpha), expected, epsilon = 1e-9);
        }
        // Then p stays at 20 / 110, and q falls.
        for alpha in [0.2f64, 0.3, 0.9] {
            let q = 20. / 110. / alpha;
            let unlabeled = 10. * (0.1f64 * 110. / 20.).ln() + 90. * (0.9f64 * 110. / 90.).ln();
            assert_abs_diff_eq!(counts.loss(alpha), unlabeled - 10. * q.ln(), epsilon = 1e-9);
        }
    }

    // Unlabeled samples where no anomaly is, and none where all are: p = alpha there, though nothing is unlabeled.
    #[test]
    fn groups_apart_cost_the_unlabeled_samples_alone() {
        let counts = Counts(vec![(0., 90.), (10., 0.)]);
        for alpha in [0.01f64, 0.05] {
            assert_relative_eq!(
                counts.loss(alpha),
                -90. * (1. - alpha).ln(),
                max_relative = 1e-9
            );
        }
        // 90 log(1 / (1 - alpha)) = 1/2.
        assert_relative_eq!(
            counts.bend(0.5),
            1. - (-0.5f64 / 90.).exp(),
            max_relative = 1e-6
        );
    }

    #[test]
    fn equal_histograms_allow_every_share() {
        assert_eq!(Counts(vec![(10., 100.), (20., 200.)]).bend(0.5), 1.);
    }

    /// Of two bins: the best of a grid of `q`, each with the best `p` that it allows.
    fn by_grid(counts: [(f64, f64); 2], alpha: f64) -> f64 {
        let [(n, m), (n_other, m_other)] = counts;
        let term = |n: f64, share: f64| if n > 0. { n * share.ln() } else { 0. };
        let anomalous = |q| term(n, q) + term(n_other, 1. - q);
        let unlabeled = |p| term(m, p) + term(m_other, 1. - p);
        let (best_q, best_p) = (n / (n + n_other), m / (m + m_other));
        let bounded = (0..=100_000).map(|i| {
            let q = f64::from(i) / 1e5;
            anomalous(q) + unlabeled(best_p.clamp(alpha * q, 1. - alpha * (1. - q)))
        });
        anomalous(best_q) + unlabeled(best_p) - bounded.fold(f64::NEG_INFINITY, f64::max)
    }

    #[test]
    fn the_loss_is_the_best_of_a_grid() {
        for bins in [
            [(5., 30.), (15., 10.)],
            [(1., 3.), (9., 4.)],
            [(7., 2.), (3., 40.)],
        ] {
            for alpha in [0.1, 0.3, 0.6, 0.95] {
                let found = Counts(bins.to_vec()).loss(alpha);
                assert!(
                    (found - by_grid(bins, alpha)).abs() < 1e-6,
                    "{bins:?} {alpha} {found}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn the_loss_never_falls(bins in prop::collection::vec((0u32..9, 0u32..30), 2..12)) {
            let mut bins: Vec<_> = bins.iter().map(|&(n, m)| (f64::from(n), f64::from(m))).collect();
            bins.push((1., 0.));
            bins.push((0., 1.));
            let counts = Counts(bins);
            let losses: Vec<_> = (1..=50).map(|i| counts.loss(f64::from(i) / 50.)).collect();
            prop_assert!(losses.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6), "{losses:?}");
            prop_assert!(losses.iter().all(|loss| !loss.is_nan()));
        }
    }
}
