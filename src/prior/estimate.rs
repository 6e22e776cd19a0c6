use std::fmt;

use rand::Rng;
use rand_distr::{Distribution, Open01};
use serde::{Deserialize, Serialize};

use super::ClassPrior;
use crate::Result;

/// What a [`PriorEstimator`](super::PriorEstimator) found.
///
/// ```
/// use puad::ClassPrior;
/// use puad::prior::{PriorDoubt, PriorEstimate};
///
/// let estimate = PriorEstimate {
///     alpha: ClassPrior::new(0.013)?,
///     low: ClassPrior::new(0.008)?,
///     high: ClassPrior::new(0.021)?,
///     level: 0.95,
///     doubts: vec![PriorDoubt::FewAnomalies { anomalies: 8 }],
/// };
/// assert_eq!(estimate.to_string(), "0.0130 (95% interval 0.0080 to 0.0210)");
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorEstimate {
    /// The estimate: the share of anomalies among the unlabeled samples, of the kinds that are labeled.
    pub alpha: ClassPrior,
    /// The interval's lower end. With [`PriorDoubt::Overlap`] among the doubts nothing holds it up: a smaller share with
    /// more normals at the top fits the scores as well.
    pub low: ClassPrior,
    /// The interval's upper end.
    pub high: ClassPrior,
    /// The share of intervals that are meant to hold the truth, in (0, 1).
    pub level: f64,
    /// What speaks against believing it; empty where nothing does.
    pub doubts: Vec<PriorDoubt>,
}

impl PriorEstimate {
    /// One that is known, or taken for it.
    pub(crate) fn exact(prior: ClassPrior, level: f64) -> Self {
        Self {
            alpha: prior,
            low: prior,
            high: prior,
            level,
            doubts: vec![],
        }
    }

    /// With at least half a sample of so many: an estimate of none is one of few.
    pub(crate) fn at_least_half_of(self, samples: usize) -> Result<Self> {
        let least = ClassPrior::new(0.5 / samples.max(1) as f64)?;
        let raised = |prior: ClassPrior| if prior < least { least } else { prior };
        Ok(Self {
            alpha: raised(self.alpha),
            high: raised(self.high),
            ..self
        })
    }

    /// What else it could have been: two halves of logistic distributions that meet in the estimate, their median. The
    /// interval's ends are their quantiles `(1 - level) / 2` and `(1 + level) / 2`; what falls outside of [0, 1] is put
    /// on its border.
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> f64 {
        let [alpha, low, high] = [self.alpha, self.low, self.high].map(f64::from);
        let u: f64 = Open01.sample(rng);
        let logit = |u: f64| (u / (1. - u)).ln();
        let position = logit(u) / logit(0.5 * (1. + self.level));
        // An estimate beyond its own interval has no width on that side.
        let width = if position > 0. {
            high - alpha
        } else {
            alpha - low
        };
        (alpha + position * width.max(0.)).clamp(0., ALMOST_ALL)
    }
}

/// The largest class prior that leaves normals to speak of.
const ALMOST_ALL: f64 = 1. - 1e-9;

impl fmt::Display for PriorEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (alpha, low, high) = (self.alpha.get(), self.low.get(), self.high.get());
        let percent = 100. * self.level;
        if low == alpha && alpha == high {
            return write!(f, "{alpha:.4} (taken as exact)");
        }
        write!(f, "{alpha:.4} ({percent}% interval {low:.4} to {high:.4})")
    }
}

/// What speaks against an estimate.
///
/// ```
/// use puad::prior::PriorDoubt;
///
/// let doubt = PriorDoubt::FewAnomalies { anomalies: 8 };
/// assert!(doubt.to_string().starts_with("the estimate rests on 8 labeled anomalies"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PriorDoubt {
    /// It rests on few labeled anomalies.
    FewAnomalies {
        /// How many.
        anomalies: usize,
    },
    /// Many normals score as high as the labeled anomalies, so that nothing says that there are none among those that
    /// score highest: the share of anomalies is then not identifiable, and the estimate an upper bound.
    ///
    /// It is also a doubt where only some of the labeled anomalies hide among the normals and the others do not, where
    /// the estimate may be right. Normals that look exactly as all anomalies do cannot be told from more anomalies, by
    /// this or any other diagnostic.
    Overlap {
        /// The share of the normals that score higher than the lowest tenth of the labeled anomalies, if the estimate
        /// were right (or a smaller one, from the half of the anomalies that score highest); 1 where there are no
        /// normals by the estimate. Above 0.2 it is a doubt.
        false_positives: f64,
    },
}

impl fmt::Display for PriorDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewAnomalies { anomalies } => write!(
                f,
                "the estimate rests on {anomalies} labeled anomalies alone"
            ),
            Self::Overlap { false_positives } => write!(
                f,
                "{:.0}% of the normals score as high as 90% of the labeled anomalies, so that the share of anomalies \
                 cannot be told from the scores: take the estimate as an upper bound",
                100. * false_positives
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, substream};

    fn prior(alpha: f64, low: f64, high: f64, level: f64) -> PriorEstimate {
        let prior = |alpha| ClassPrior::new(alpha).unwrap();
        PriorEstimate {
            alpha: prior(alpha),
            low: prior(low),
            high: prior(high),
            level,
            doubts: vec![],
        }
    }

    #[test]
    fn draws_have_the_interval_as_quantiles() {
        for (alpha, low, high, level) in [(0.1, 0.05, 0.3, 0.95), (0.02, 0.02, 0.03, 0.8)] {
            let prior = prior(alpha, low, high, level);
            let mut rng = substream(1, Purpose::Report, 0);
            let n = 20_000;
            let draws: Vec<f64> = (0..n).map(|_| prior.draw(&mut rng)).collect();
            let share =
                |below: f64| draws.iter().filter(|d| **d < below).count() as f64 / f64::from(n);
            let tail = 0.5 * (1. - level);
            assert!((share(alpha + 1e-9) - 0.5).abs() < 0.51 * f64::from(low == alpha) + 0.015);
            assert!((share(high) - (1. - tail)).abs() < 0.01);
            let below = if low < alpha { tail } else { 0. };
            assert!((share(low) - below).abs() < 0.01);
        }
        let mut rng = substream(1, Purpose::Report, 0);
        let exact = prior(0.1, 0.1, 0.1, 0.9);
        assert!((0..100).all(|_| exact.draw(&mut rng) == 0.1));
        let all = prior(1., 1., 1., 0.9);
        assert!((0..100).all(|_| all.draw(&mut rng) < 1.));
    }
}
