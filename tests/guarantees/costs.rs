use puad::ClassPrior;
use puad::conformal::Costs;
use puad::estimator::{Calibration, CalibrationMethod};

use super::world::{World, above, rng};

const WORLD: World = World {
    alpha: 0.05,
    shift: 2.5,
};

pub const COSTS: Costs = Costs {
    false_alarm: 1.,
    missed: 20.,
};

/// The cost of a row that a threshold has in truth.
fn truth(threshold: f64) -> f64 {
    let missed = WORLD.alpha * (1. - above(threshold, WORLD.shift));
    COSTS.false_alarm * (1. - WORLD.alpha) * above(threshold, 0.) + COSTS.missed * missed
}

pub fn least() -> f64 {
    (-200..500)
        .map(|i| truth(f64::from(i) / 100.))
        .fold(f64::INFINITY, f64::min)
}

/// Mean over repetitions: the true cost, in units of the least, of the threshold of the least estimated cost and of the
/// cut of the calibrated probability, and what the first is estimated at.
pub fn costs(rows: usize, anomalies: usize, alpha: f64, repetitions: u64) -> [f64; 3] {
    let prior = ClassPrior::new(alpha).unwrap();
    let mut sums = [0.; 3];
    for seed in 0..repetitions {
        let mut rng = rng(seed);
        let (u, a) = (
            WORLD.unlabeled(rows, &mut rng).0,
            WORLD.anomalies(anomalies, &mut rng),
        );
        let (threshold, estimate) = COSTS.least(&u, &a, prior).unwrap();
        let calibration = Calibration::fit(CalibrationMethod::Auto, &u, &a, prior).unwrap();
        let cut = calibration.score_at(COSTS.probability().unwrap());
        for (sum, cost) in sums
            .iter_mut()
            .zip([truth(threshold), truth(cut), estimate])
        {
            *sum += cost / least() / repetitions as f64;
        }
    }
    sums
}

#[test]
fn the_cost_is_nearly_the_least() {
    let [by_counts, by_probability, estimate] = costs(2000, 200, WORLD.alpha, 2000);
    assert!(
        by_counts < 1.08 && by_probability < 1.08,
        "{by_counts} {by_probability}"
    );
    assert!((0.85..1.02).contains(&estimate), "{estimate}");
    // Of few anomalies the logistic curve is the better guide.
    let [by_counts, by_probability, _] = costs(2000, 10, WORLD.alpha, 300);
    assert!(
        by_probability < 1.15 && by_counts > by_probability,
        "{by_counts} {by_probability}"
    );
}

/// Alarms are raised for anomalies that are not there.
#[test]
fn too_large_a_prior_costs() {
    let [by_counts, by_probability, _] = costs(2000, 200, 5. * WORLD.alpha, 300);
    assert!(
        by_counts > 1.2 && by_probability > 1.2,
        "{by_counts} {by_probability}"
    );
}
