use puad::ClassPrior;
use puad::conformal::{Review, Reviewed};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::world::{World, about, at_most, exceeds, false_alarms};

const RATE: f64 = 0.05;
const ROWS: usize = 1000;

/// What is left when a person who takes a normal for an anomaly at this rate has reviewed so many rows.
pub fn reviewed(
    (scores, anomalous): &(Vec<f64>, Vec<bool>),
    most: usize,
    wrong: f64,
    rng: &mut ChaCha8Rng,
) -> Reviewed {
    let review = Review::of(scores, most).unwrap();
    let taken = |row: &usize| anomalous[*row] || rng.random_bool(wrong);
    let taken: Vec<usize> = review.rows().iter().copied().filter(taken).collect();
    review.confirm(&taken).unwrap()
}

/// False alarms, and the means of `(n' + 1) / (n1 + 1)`, of the same with `n1 - m`, and of the rows to be reviewed still.
fn simulate(world: World, low: f64, most: usize, wrong: f64) -> (u64, [f64; 3]) {
    let mut means = [0.; 3];
    let count = false_alarms(|rng| {
        let mut rows = world.unlabeled(ROWS, rng);
        // This share of the anomalies scores below all normals.
        for (score, anomalous) in rows.0.iter_mut().zip(&rows.1) {
            if *anomalous && rng.random_bool(low) {
                *score -= 20.;
            }
        }
        let left = reviewed(&rows, most, wrong, rng);
        let normals = rows.1.iter().filter(|a| !**a).count() as f64;
        let kept = left.rows() as f64 + 1.;
        let values = [
            kept / (normals + 1.),
            kept / (normals + 1. - most as f64),
            left.more(RATE) as f64,
        ];
        for (mean, value) in means.iter_mut().zip(values) {
            *mean += value / 2000.;
        }
        left.threshold(RATE).unwrap()
    });
    (count, means)
}

fn enough(world: World) -> usize {
    Review::enough(ROWS, RATE, ClassPrior::new(world.alpha).unwrap())
}

#[test]
fn without_the_anomalies_the_rate_is_the_one_asked_for() {
    for (alpha, shift) in [(0., 0.), (0.05, 4.), (0.2, 4.)] {
        let world = World { alpha, shift };
        let (count, [inflation, _, more]) = simulate(world, 0., enough(world), 0.);
        assert!(inflation < 1.01 && more < 0.01, "{inflation} {more}");
        // The 47th of 951 ranks, for instance.
        about(0.0495, count);
    }
}

/// Four in five of them are never found, nor do they score high: the rate is inflated by as much as was said.
#[test]
fn anomalies_that_are_missed_inflate_the_rate_by_their_share() {
    let world = World {
        alpha: 0.5,
        shift: 4.,
    };
    let (count, [inflation, ..]) = simulate(world, 0.8, enough(world), 0.);
    assert!((1.75..1.85).contains(&inflation), "{inflation}");
    at_most(RATE * inflation, count);
    exceeds(RATE, count);
}

#[test]
fn a_threshold_below_the_reviewed_rows_is_told_and_keeps_its_bound() {
    for (world, low) in [
        (
            World {
                alpha: 0.1,
                shift: 3.,
            },
            0.,
        ),
        (
            World {
                alpha: 0.1,
                shift: 1.,
            },
            0.,
        ),
        (
            World {
                alpha: 0.2,
                shift: 3.,
            },
            0.7,
        ),
    ] {
        let (count, [_, inflation, more]) = simulate(world, low, 40, 0.);
        assert!(more > 10., "{more}");
        at_most(RATE * inflation, count);
    }
}

#[test]
fn normals_taken_for_anomalies_break_the_rate() {
    let world = World {
        alpha: 0.05,
        shift: 4.,
    };
    let (count, [inflation, ..]) = simulate(world, 0., 2 * enough(world), 0.5);
    exceeds(RATE * inflation, count);
}
