//! Scores whose distribution is known, and what a number of events may be.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

pub const REPETITIONS: u64 = 2000;

/// Normals score N(0, 1), the share `alpha` are anomalies, which score N(shift, 1).
#[derive(Clone, Copy)]
pub struct World {
    pub alpha: f64,
    pub shift: f64,
}

pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// The share of N(shift, 1) above.
pub fn above(threshold: f64, shift: f64) -> f64 {
    Normal::new(shift, 1.).unwrap().sf(threshold)
}

impl World {
    /// Scores of unlabeled rows, and which are anomalies.
    pub fn unlabeled(&self, n: usize, rng: &mut ChaCha8Rng) -> (Vec<f64>, Vec<bool>) {
        (0..n)
            .map(|_| {
                let anomalous = rng.random_bool(self.alpha);
                let shift = if anomalous { self.shift } else { 0. };
                (shift + normal(rng), anomalous)
            })
            .unzip()
    }

    pub fn anomalies(&self, n: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        (0..n).map(|_| self.shift + normal(rng)).collect()
    }
}

/// In how many repetitions a new normal scores above the threshold that each draws.
pub fn false_alarms(mut threshold: impl FnMut(&mut ChaCha8Rng) -> f64) -> u64 {
    let repetition = |seed| {
        let mut rng = rng(seed);
        let threshold = threshold(&mut rng);
        u64::from(normal(&mut rng) > threshold)
    };
    (0..REPETITIONS).map(repetition).sum()
}

/// The ends of the interval that the number of events has with 99.8%, each of them happening at this rate.
pub fn interval(rate: f64) -> (u64, u64) {
    let count = Binomial::new(rate, REPETITIONS).unwrap();
    let most = (0..REPETITIONS).find(|&k| count.sf(k) <= 0.001).unwrap();
    let least = (0..=most)
        .rfind(|&k| count.cdf(k) <= 0.001)
        .map_or(0, |k| k + 1);
    (least, most)
}

/// More are due to chance in one of a thousand such tests.
#[track_caller]
pub fn at_most(rate: f64, count: u64) {
    let (_, most) = interval(rate);
    assert!(
        count <= most,
        "{count} of {REPETITIONS}, more than the {most} of a rate of {rate}"
    );
}

#[track_caller]
pub fn about(rate: f64, count: u64) {
    let (least, most) = interval(rate);
    assert!(
        (least..=most).contains(&count),
        "{count} of {REPETITIONS}, not {least} to {most} as at a rate of {rate}"
    );
}

/// The assumption fails, and what was promised with it.
#[track_caller]
pub fn exceeds(rate: f64, count: u64) {
    let (_, most) = interval(rate);
    assert!(
        count > most,
        "{count} of {REPETITIONS}, as at a rate of {rate}"
    );
}
