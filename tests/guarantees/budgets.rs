use puad::conformal::{Budget, BudgetThreshold};
use rand_chacha::ChaCha8Rng;

use super::world::{REPETITIONS, World, about, at_most, exceeds, rng};

const BUDGET: Budget = Budget {
    alarms: 20,
    volume: 1000,
};

const WORLD: World = World {
    alpha: 0.05,
    shift: 3.,
};

fn day(rng: &mut ChaCha8Rng) -> Vec<f64> {
    WORLD.unlabeled(BUDGET.volume as usize, rng).0
}

/// On how many days there are more alarms than the budget has, and the mean number of alarms.
pub fn days(
    rows: usize,
    chance: Option<f64>,
    day: impl Fn(&mut ChaCha8Rng) -> Vec<f64>,
) -> (u64, f64, BudgetThreshold) {
    let (mut more, mut alarms, mut last) = (0, 0, None);
    for seed in 0..REPETITIONS {
        let mut rng = rng(seed);
        let (scores, _) = WORLD.unlabeled(rows, &mut rng);
        let found = BUDGET.threshold(&scores, chance).unwrap();
        let today = day(&mut rng)
            .iter()
            .filter(|s| **s > found.threshold)
            .count() as u64;
        more += u64::from(today > BUDGET.alarms);
        alarms += today;
        last = Some(found);
    }
    (more, alarms as f64 / REPETITIONS as f64, last.unwrap())
}

/// Rate and chance are the same whatever rows are drawn.
#[test]
fn days_have_as_many_alarms_and_as_often_more_as_was_said() {
    for (rows, chance) in [
        (300, None),
        (1000, None),
        (10_000, None),
        (1000, Some(0.05)),
        (10_000, Some(0.2)),
    ] {
        let (more, mean, found) = days(rows, chance, day);
        about(found.chance, more);
        if let Some(chance) = chance {
            at_most(chance, more);
        }
        let expected = found.rate * BUDGET.volume as f64;
        assert!(expected <= BUDGET.alarms as f64 + 1e-9, "{expected}");
        // The number of a day varies by its own draw, and by that of the threshold.
        let (ranks, volume) = ((rows + 2) as f64, BUDGET.volume as f64);
        let deviation = (expected * (1. - found.rate) * (1. + volume / ranks)).sqrt();
        let noise = 3.3 * deviation / (REPETITIONS as f64).sqrt();
        assert!((mean - expected).abs() < noise, "{mean} {expected} {noise}");
    }
}

/// Every row of a day is there ten times over: as many alarms on average, but more of them at once.
#[test]
fn bursts_break_the_chance() {
    let bursts = |rng: &mut ChaCha8Rng| {
        let rows = WORLD.unlabeled(BUDGET.volume as usize / 10, rng).0;
        rows.into_iter().flat_map(|row| [row; 10]).collect()
    };
    let (more, mean, found) = days(10_000, Some(0.05), bursts);
    exceeds(0.05, more);
    assert!(
        (mean - found.rate * BUDGET.volume as f64).abs() < 2.,
        "{mean}"
    );
}
