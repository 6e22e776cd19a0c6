use super::rate::Z;
use crate::prior::PriorEstimate;
use crate::{ClassPrior, Error, Result};

/// The class prior of a window by the `probabilities` that a detector, calibrated at the class prior `prior`, gives its
/// rows: the one of the highest likelihood, as long as anomalies and normals score as they did and their shares alone
/// changed (label shift). It is where the mean of the probabilities, turned to the new prior, is the new prior itself;
/// the 95% interval is that of the likelihood ratio. It needs no anomalies of the window, and is as good as the
/// calibration, whose own error is not in the interval.
///
/// A `prior` of 0 or 1 stays what it is, with the interval from 0 to 1: its probabilities say nothing.
///
/// # References
/// Saerens, Latinne, Decaestecker, Adjusting the outputs of a classifier to new a priori probabilities, Neural
/// Computation 2002; Alexandari, Kundaje, Shrikumar, ICML 2020.
///
/// ```
/// use puad::ClassPrior;
/// use puad::drift::shifted_prior;
///
/// // Certain ones: ten in forty.
/// let probabilities = [vec![0.9999; 10], vec![0.0001; 30]].concat();
/// let estimate = shifted_prior(&probabilities, ClassPrior::new(0.05)?)?;
/// assert!((estimate.alpha.get() - 0.25).abs() < 0.01);
/// assert!(estimate.low.get() > 0.12 && estimate.high.get() < 0.42);
/// # Ok::<(), puad::Error>(())
/// ```
///
/// # Errors
/// [`Error::EmptyGroup`] without probabilities, [`Error::Config`] for one outside [0, 1].
pub fn shifted_prior(probabilities: &[f64], prior: ClassPrior) -> Result<PriorEstimate> {
    if probabilities.is_empty() {
        let (what, group) = ("an estimate of the class prior", "unlabeled");
        return Err(Error::EmptyGroup { what, group });
    }
    if let Some(p) = probabilities.iter().find(|p| !(0. ..=1.).contains(*p)) {
        return Err(Error::config("probabilities", "in [0, 1]", p));
    }
    let alpha = prior.get();
    let [alpha, low, high] = if alpha > 0. && alpha < 1. {
        Likelihood::of(probabilities, alpha).estimate()
    } else {
        [alpha, 0., 1.]
    };
    Ok(PriorEstimate {
        alpha: ClassPrior::new(alpha)?,
        low: ClassPrior::new(low)?,
        high: ClassPrior::new(high)?,
        level: 0.95,
        doubts: vec![],
    })
}

/// Away from 0 and 1, where a single certain row has a likelihood of 0.
const EDGE: f64 = 1e-9;

/// Densities of anomalies and of normals at each row, both in proportion to the density of the fit's rows.
struct Likelihood(Vec<(f64, f64)>);

impl Likelihood {
    fn of(probabilities: &[f64], alpha: f64) -> Self {
        let densities = |p: &f64| (p / alpha, (1. - p) / (1. - alpha));
        Self(probabilities.iter().map(densities).collect())
    }

    /// Its logarithm.
    fn log(&self, alpha: f64) -> f64 {
        let rows = self.0.iter();
        rows.map(|(a, n)| (alpha * a + (1. - alpha) * n).ln()).sum()
    }

    /// Of the logarithm, which is concave.
    fn slope(&self, alpha: f64) -> f64 {
        let rows = self.0.iter();
        rows.map(|(a, n)| (a - n) / (alpha * a + (1. - alpha) * n))
            .sum()
    }

    /// The maximum, and where the logarithm lies a half of the squared quantile below it.
    fn estimate(&self) -> [f64; 3] {
        let (low, high) = (EDGE, 1. - EDGE);
        let best = match (self.slope(low) <= 0., self.slope(high) >= 0.) {
            (true, _) => low,
            (_, true) => high,
            _ => bisect(low, high, |alpha| self.slope(alpha) > 0.),
        };
        let least = self.log(best) - 0.5 * Z * Z;
        let is_likely = |alpha: f64| self.log(alpha) >= least;
        let from = if is_likely(low) {
            0.
        } else {
            bisect(low, best, |a| !is_likely(a))
        };
        let to = if is_likely(high) {
            1.
        } else {
            bisect(best, high, is_likely)
        };
        let at_edge = |alpha: f64| match alpha {
            _ if alpha <= EDGE => 0.,
            _ if alpha >= 1. - EDGE => 1.,
            alpha => alpha,
        };
        [at_edge(best), from, to]
    }
}

/// Where `is_left` ends to hold.
fn bisect(mut low: f64, mut high: f64, is_left: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if is_left(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, substream};
    use rand::Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// Normals N(0, 1), anomalies N(2, 1), and true probabilities at a prior of 0.1: the interval holds the share of
    /// anomalies in a window of 300 rows about 95 times in 100.
    #[test]
    fn intervals_hold_the_share_of_the_window() {
        for truth in [0.02, 0.1, 0.4] {
            let (mut held, mut sum) = (0, 0.);
            let repetitions = 400;
            for seed in 0..repetitions {
                let mut rng = substream(seed, Purpose::Toy, 0);
                let probability = |_| {
                    let mean = if rng.random_bool(truth) { 2. } else { 0. };
                    let noise: f64 = StandardNormal.sample(&mut rng);
                    let log_odds = 2. * (mean + noise) - 2. + (0.1f64 / 0.9).ln();
                    1. / (1. + (-log_odds).exp())
                };
                let window: Vec<f64> = (0..300).map(probability).collect();
                let found = shifted_prior(&window, ClassPrior::new(0.1).unwrap()).unwrap();
                sum += found.alpha.get() / repetitions as f64;
                held += usize::from(found.low.get() <= truth && truth <= found.high.get());
            }
            assert!((sum - truth).abs() < 0.01, "{truth}: {sum}");
            // Of a binomial number of 400 with 0.95: beyond with a chance of 1 in 1,000 on each side.
            assert!((365..=393).contains(&held), "{truth}: {held}");
        }
    }

    #[test]
    fn edges_and_priors_that_say_nothing_are_kept() {
        let prior = |alpha| ClassPrior::new(alpha).unwrap();
        let of = |p: &[f64], alpha| shifted_prior(p, prior(alpha)).unwrap();
        let none = of(&[0., 0., 0.], 0.1);
        assert_eq!((none.alpha, none.low), (prior(0.), prior(0.)));
        let all = of(&[1., 1.], 0.1);
        assert_eq!((all.alpha, all.high), (prior(1.), prior(1.)));
        let constant = of(&[0.3; 5], 0.3);
        assert_eq!((constant.low, constant.high), (prior(0.), prior(1.)));
        assert_eq!(of(&[0.], 0.).alpha, prior(0.));
        assert!(shifted_prior(&[], prior(0.1)).is_err());
        assert!(shifted_prior(&[0.2, f64::NAN], prior(0.1)).is_err());
    }
}
