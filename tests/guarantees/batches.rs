use puad::ClassPrior;
use puad::conformal::{NormalTail, benjamini_hochberg};
use rand_chacha::ChaCha8Rng;

use super::world::{REPETITIONS, World, rng};

pub const Q: f64 = 0.1;

/// A day's rows.
const BATCH: usize = 200;

/// The mean share of false ones among the alarms, of anomalies that were found among them all, and of batches with an
/// alarm.
pub struct Found {
    pub false_share: f64,
    pub recall: f64,
    pub any: f64,
}

pub fn batches(world: World, mut tail: impl FnMut(&mut ChaCha8Rng) -> NormalTail) -> Found {
    let mut sums = [0.; 4];
    for seed in 0..REPETITIONS {
        let mut rng = rng(seed);
        let tail = tail(&mut rng);
        let (scores, anomalous) = world.unlabeled(BATCH, &mut rng);
        let found = benjamini_hochberg(&tail.p_values(&scores).unwrap(), Q).unwrap();
        let count = |of: bool| {
            found
                .iter()
                .zip(&anomalous)
                .filter(|(f, a)| **f && **a == of)
                .count() as f64
        };
        let (right, wrong) = (count(true), count(false));
        let all = anomalous.iter().filter(|a| **a).count() as f64;
        let found = [
            wrong / (right + wrong).max(1.),
            right,
            all,
            f64::from(right + wrong > 0.),
        ];
        for (sum, value) in sums.iter_mut().zip(found) {
            *sum += value;
        }
    }
    let n = REPETITIONS as f64;
    Found {
        false_share: sums[0] / n,
        recall: sums[1] / sums[2].max(1.),
        any: sums[3] / n,
    }
}

/// A share varies no more than what is 0 or 1.
fn noise() -> f64 {
    3.1 * (Q * (1. - Q) / REPETITIONS as f64).sqrt()
}

fn of_scores(world: World, n: usize) -> impl FnMut(&mut ChaCha8Rng) -> NormalTail {
    move |rng| NormalTail::of_scores(&world.unlabeled(n, rng).0).unwrap()
}

fn corrected(world: World) -> impl FnMut(&mut ChaCha8Rng) -> NormalTail {
    move |rng| {
        let (unlabeled, anomalies) = (world.unlabeled(4000, rng).0, world.anomalies(400, rng));
        NormalTail::corrected(
            &unlabeled,
            &anomalies,
            ClassPrior::new(world.alpha).unwrap(),
        )
        .unwrap()
    }
}

#[test]
fn at_most_the_share_asked_for_is_false() {
    let clean = World {
        alpha: 0.,
        shift: 0.,
    };
    for (alpha, shift) in [(0., 0.), (0.05, 4.), (0.2, 3.)] {
        let batch = World { alpha, shift };
        let found = batches(batch, of_scores(clean, 999));
        assert!(
            found.false_share <= Q * (1. - alpha) + noise(),
            "{alpha}: {}",
            found.false_share
        );
        assert!(
            alpha == 0. || found.recall > 0.3,
            "{alpha}: {}",
            found.recall
        );
        // Fewer anomalies among the calibration rows than in the batch.
        let found = batches(
            batch,
            of_scores(
                World {
                    alpha: alpha / 10.,
                    shift,
                },
                999,
            ),
        );
        assert!(
            found.false_share <= Q + noise(),
            "{alpha}: {}",
            found.false_share
        );
    }
}

/// A batch that is as its unlabeled calibration rows has nothing that stands out, unless these are corrected.
#[test]
fn a_batch_like_its_calibration_rows_needs_their_correction() {
    let world = World {
        alpha: 0.1,
        shift: 3.,
    };
    let found = batches(world, of_scores(world, 4000));
    assert!(
        found.any <= Q + noise() && found.recall < 0.1,
        "{} {}",
        found.any,
        found.recall
    );
    let found = batches(world, corrected(world));
    assert!(found.false_share <= Q + noise(), "{}", found.false_share);
    assert!(found.recall > 0.5, "{}", found.recall);
}

/// Rows that were trained on score lower than new ones do.
#[test]
fn calibration_rows_that_were_trained_on_break_it() {
    let batch = World {
        alpha: 0.05,
        shift: 4.,
    };
    let trained_on = |rng: &mut ChaCha8Rng| {
        let (scores, _) = World {
            alpha: 0.,
            shift: 0.,
        }
        .unlabeled(999, rng);
        let scores: Vec<f64> = scores.iter().map(|s| s - 0.5).collect();
        NormalTail::of_scores(&scores).unwrap()
    };
    let found = batches(batch, trained_on);
    assert!(found.false_share > Q + noise(), "{}", found.false_share);
}
