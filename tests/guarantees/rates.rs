use puad::ClassPrior;
use puad::conformal::{NormalTail, corrected_threshold};
use rand_chacha::ChaCha8Rng;

use super::world::{REPETITIONS, World, about, above, at_most, exceeds, false_alarms, rng};

const RATE: f64 = 0.05;

fn plain(world: World, rng: &mut ChaCha8Rng) -> f64 {
    let (scores, _) = world.unlabeled(499, rng);
    NormalTail::of_scores(&scores)
        .unwrap()
        .threshold(RATE)
        .unwrap()
}

/// 25 of 500 ranks: exact of normals, less of unlabeled rows.
#[test]
fn unlabeled_rows_keep_the_rate() {
    about(
        RATE,
        false_alarms(|rng| {
            plain(
                World {
                    alpha: 0.,
                    shift: 0.,
                },
                rng,
            )
        }),
    );
    for (alpha, shift) in [(0.02, 3.), (0.1, 1.), (0.1, 3.), (0.3, 0.)] {
        at_most(RATE, false_alarms(|rng| plain(World { alpha, shift }, rng)));
    }
}

/// Equal scores do not raise it.
#[test]
fn coarse_scores_keep_the_rate() {
    let world = World {
        alpha: 0.05,
        shift: 2.,
    };
    let coarse = |rng: &mut ChaCha8Rng| {
        let (scores, _) = world.unlabeled(499, rng);
        let scores: Vec<f64> = scores.iter().map(|s| (2. * s).round()).collect();
        let tail = NormalTail::of_scores(&scores).unwrap();
        // A normal is above where twice its score, rounded, is.
        tail.threshold(RATE).unwrap() / 2. + 0.25
    };
    at_most(RATE, false_alarms(coarse));
}

/// Anomalies that score below all normals leave half of the calibration scores to these: the rate is doubled, which is
/// the worst that can happen.
#[test]
fn anomalies_that_score_low_break_the_rate_of_unlabeled_rows() {
    let world = World {
        alpha: 0.5,
        shift: -9.,
    };
    let count = false_alarms(|rng| plain(world, rng));
    exceeds(RATE, count);
    at_most(RATE / (1. - world.alpha), count);
}

/// Unlabeled and anomalous calibration scores.
fn calibration(world: World, rng: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
    (world.unlabeled(2000, rng).0, world.anomalies(200, rng))
}

fn prior(alpha: f64) -> ClassPrior {
    ClassPrior::new(alpha).unwrap()
}

fn corrected(world: World, alpha: f64, rng: &mut ChaCha8Rng) -> f64 {
    let (unlabeled, anomalies) = calibration(world, rng);
    let tail = NormalTail::corrected(&unlabeled, &anomalies, prior(alpha)).unwrap();
    tail.threshold(RATE).unwrap()
}

#[test]
fn what_is_corrected_has_about_the_rate_and_finds_more() {
    for (alpha, shift) in [(0.02, 3.), (0.1, 1.), (0.1, 3.), (0.3, 2.)] {
        let world = World { alpha, shift };
        about(RATE, false_alarms(|rng| corrected(world, alpha, rng)));
    }
    let world = World {
        alpha: 0.1,
        shift: 2.,
    };
    let found = |threshold: fn(World, &mut ChaCha8Rng) -> f64| {
        let found =
            (0..REPETITIONS).map(|seed| above(threshold(world, &mut rng(seed)), world.shift));
        found.sum::<f64>() / REPETITIONS as f64
    };
    let (more, fewer) = (
        found(|world, rng| corrected(world, world.alpha, rng)),
        found(plain),
    );
    assert!(more > fewer + 0.2, "{more} {fewer}");
}

#[test]
fn too_large_a_prior_and_easier_labels_break_the_corrected_rate() {
    let world = World {
        alpha: 0.1,
        shift: 2.,
    };
    exceeds(RATE, false_alarms(|rng| corrected(world, 0.2, rng)));
    let easier = |rng: &mut ChaCha8Rng| {
        let (unlabeled, _) = calibration(world, rng);
        let anomalies = World { shift: 4., ..world }.anomalies(200, rng);
        let tail = NormalTail::corrected(&unlabeled, &anomalies, prior(0.1)).unwrap();
        tail.threshold(RATE).unwrap()
    };
    exceeds(RATE, false_alarms(easier));
    // Too small a prior costs alarms alone.
    at_most(RATE, false_alarms(|rng| corrected(world, 0.05, rng)));
}

/// In how many repetitions the rate of the threshold drawn is above the one asked for.
fn broken(world: World, alpha: f64, confidence: f64) -> u64 {
    let repetition = |seed| {
        let (unlabeled, anomalies) = calibration(world, &mut rng(seed));
        let threshold = corrected_threshold(&unlabeled, &anomalies, prior(alpha), RATE, confidence);
        u64::from(above(threshold.unwrap(), 0.) > RATE)
    };
    (0..REPETITIONS).map(repetition).sum()
}

#[test]
fn a_margin_keeps_the_rate_with_its_probability() {
    for (alpha, shift) in [(0., 0.), (0.02, 3.), (0.1, 1.), (0.1, 3.), (0.3, 2.)] {
        for confidence in [0.8, 0.95] {
            at_most(
                1. - confidence,
                broken(World { alpha, shift }, alpha, confidence),
            );
        }
    }
    // Of one group alone it is not wasteful: 20% but for whole numbers.
    let count = broken(
        World {
            alpha: 0.,
            shift: 0.,
        },
        0.,
        0.8,
    );
    assert!(count > REPETITIONS * 15 / 100, "{count}");
}

#[test]
fn too_large_a_prior_breaks_the_margin() {
    exceeds(
        0.05,
        broken(
            World {
                alpha: 0.1,
                shift: 3.,
            },
            0.2,
            0.95,
        ),
    );
}
