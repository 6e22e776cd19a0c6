use rand::Rng;
use rayon::prelude::*;

use super::{FittedDetector, LEVEL};
use crate::drift::shifted_prior;
use crate::estimator::calibration::{Calibration, CalibrationMethod};
use crate::estimator::decision::ValidationScores;
use crate::prior::PriorEstimate;
use crate::rng::{Purpose, substream};
use crate::statistics::{quantile, value_at};
use crate::{ClassPrior, Error, Result};

/// Calibrations that could have been.
const DRAWS: u64 = 100;

/// Scores that stand for those of a larger group in each of them: a calibration's time goes with their number.
const SCORES: usize = 1000;

impl FittedDetector {
    /// The class prior of new scores, as long as the share of anomalies alone changed.
    ///
    /// # Errors
    /// [`Error::NotCalibrated`] if the fit had no labeled anomalies.
    pub(super) fn shifted(&self, scores: &[f64]) -> Result<PriorEstimate> {
        let calibration = self.calibration().ok_or(Error::NotCalibrated)?;
        let found = shifted_prior(&calibration.of_scores(scores), self.decision.prior)?;
        let kept = &self.decision.validation;
        if kept.anomalies.is_empty() {
            return Ok(found);
        }
        with_calibration_error(found, scores, kept, &self.believed(LEVEL)?)
    }
}

/// The interval of `found` with the spread of what calibrations on resampled `kept` scores, and with another class prior,
/// would have found: on the axis of log odds the two are independent, and their squared widths add up.
fn with_calibration_error(
    found: PriorEstimate,
    scores: &[f64],
    kept: &ValidationScores,
    prior: &PriorEstimate,
) -> Result<PriorEstimate> {
    let window = thinned(scores);
    let one = |index: u64| -> Result<f64> {
        let mut rng = substream(0, Purpose::Drift, DRAW + index);
        let prior = ClassPrior::new(prior.draw(&mut rng))?;
        let [unlabeled, anomalies] =
            [&kept.unlabeled, &kept.anomalies].map(|scores| thinned(&resampled(scores, &mut rng)));
        let method = CalibrationMethod::Auto;
        let calibration = Calibration::fit(method, &unlabeled, &anomalies, prior)?;
        let found = shifted_prior(&calibration.of_scores(&window), prior)?;
        Ok(log_odds(found.alpha.get()))
    };
    let draws: Vec<f64> = (0..DRAWS).into_par_iter().map(one).collect::<Result<_>>()?;
    widened(found, draws)
}

fn widened(found: PriorEstimate, mut draws: Vec<f64>) -> Result<PriorEstimate> {
    draws.sort_unstable_by(f64::total_cmp);
    let tail = 0.5 * (1. - found.level);
    let [low, middle, high] = [tail, 0.5, 1. - tail].map(|q| quantile(&draws, q));
    let [alpha, own_low, own_high] =
        [found.alpha, found.low, found.high].map(|prior| log_odds(prior.get()));
    let end = |log_odds: f64| ClassPrior::new(share(log_odds));
    Ok(PriorEstimate {
        low: end(alpha - (alpha - own_low).hypot(middle - low))?,
        high: end(alpha + (own_high - alpha).hypot(high - middle))?,
        ..found
    })
}

/// Streams of [`Purpose::Drift`] below it are those of the test.
const DRAW: u64 = 1 << 40;

/// Shares nearer to 0 and 1 than that are these.
const EDGE: f64 = 1e-6;

fn log_odds(share: f64) -> f64 {
    let share = share.clamp(EDGE, 1. - EDGE);
    (share / (1. - share)).ln()
}

fn share(log_odds: f64) -> f64 {
    match 1. / (1. + (-log_odds).exp()) {
        share if share <= EDGE * 1.000_001 => 0.,
        share if share >= 1. - EDGE * 1.000_001 => 1.,
        share => share,
    }
}

fn resampled(scores: &[f64], rng: &mut impl Rng) -> Vec<f64> {
    let draw = |_| scores[rng.random_range(0..scores.len())];
    (0..scores.len()).map(draw).collect()
}

fn thinned(scores: &[f64]) -> Vec<f64> {
    if scores.len() <= SCORES {
        return scores.to_vec();
    }
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |i: usize| value_at(&sorted, (i as f64 + 0.5) / SCORES as f64);
    (0..SCORES).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_distr::{Distribution, StandardNormal};

    /// Normals N(0, 1), anomalies N(2.5, 1).
    fn scores(n: usize, alpha: f64, rng: &mut impl Rng) -> Vec<f64> {
        let score = |_| {
            let mean = if rng.random_bool(alpha) { 2.5 } else { 0. };
            let noise: f64 = StandardNormal.sample(rng);
            mean + noise
        };
        (0..n).map(score).collect()
    }

    /// Probabilities that rest on eight labels: the likelihood's interval alone holds the share of a window in far fewer
    /// runs than it says.
    #[test]
    fn intervals_have_the_error_of_the_calibration() {
        let (mut alone, mut held) = (0, 0);
        let repetitions = 40;
        let prior = PriorEstimate::exact(ClassPrior::new(0.05).unwrap(), LEVEL);
        for seed in 0..repetitions {
            let mut rng = substream(seed, Purpose::Toy, 1);
            let kept = (scores(400, 0.05, &mut rng), scores(8, 1., &mut rng));
            let kept = ValidationScores::new(kept.0, kept.1).unwrap();
            let window = scores(1500, 0.2, &mut rng);
            let method = CalibrationMethod::Auto;
            let (u, a) = (&kept.unlabeled, &kept.anomalies);
            let calibration = Calibration::fit(method, u, a, prior.alpha).unwrap();
            let found = shifted_prior(&calibration.of_scores(&window), prior.alpha).unwrap();
            let wide = with_calibration_error(found.clone(), &window, &kept, &prior).unwrap();
            let holds = |of: &PriorEstimate| of.low.get() <= 0.2 && 0.2 <= of.high.get();
            assert!(wide.low <= found.low && wide.high >= found.high);
            alone += usize::from(holds(&found));
            held += usize::from(holds(&wide));
        }
        println!("alone {alone}, with it {held} of {repetitions}");
        assert!(alone < 34, "{alone}");
        assert!(held >= 34, "{held}");
    }

    #[test]
    fn ends_stay_where_they_were_without_a_spread() {
        let prior = |alpha| ClassPrior::new(alpha).unwrap();
        let found = PriorEstimate {
            alpha: prior(0.),
            low: prior(0.),
            high: prior(0.2),
            level: LEVEL,
            doubts: vec![],
        };
        let same = widened(found.clone(), vec![-3.; 5]).unwrap();
        assert_eq!((same.alpha, same.low), (found.alpha, found.low));
        assert!((same.high.get() - 0.2).abs() < 1e-12);
        let all = PriorEstimate {
            alpha: prior(1.),
            low: prior(0.),
            high: prior(1.),
            ..found
        };
        assert_eq!(widened(all.clone(), vec![0.; 3]).unwrap(), all);
    }

    #[test]
    fn a_large_window_is_thinned_to_its_quantiles() {
        let scores: Vec<f64> = (0..5000).rev().map(f64::from).collect();
        let thin = thinned(&scores);
        assert_eq!((thin.len(), thin[0]), (SCORES, 2.));
        assert!(thin.is_sorted());
        assert_eq!(thinned(&[3., 1.]), [3., 1.]);
    }
}
