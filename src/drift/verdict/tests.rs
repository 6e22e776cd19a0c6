//! Simulations: normals N(0, 1), anomalies N(4, 1), a twentieth of them in the fit.

use super::*;
use crate::rng::{Purpose, substream};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const ALPHA: f64 = 0.05;
const REPETITIONS: u64 = 2000;

/// Of a binomial number of 2,000 with 0.05, beyond with a chance of 1 in 1,000.
const MOST: usize = 131;

#[derive(Clone, Copy)]
struct Draw {
    alpha: f64,
    shift: f64,
    /// Scores are rounded to multiples of it, unless it is 0.
    step: f64,
}

const FIT: Draw = Draw {
    alpha: ALPHA,
    shift: 0.,
    step: 0.,
};

impl Draw {
    fn scores(self, n: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let score = |_| {
            let mean = if rng.random_bool(self.alpha) {
                4.
            } else {
                self.shift
            };
            let noise: f64 = StandardNormal.sample(rng);
            match self.step {
                0. => mean + noise,
                step => ((mean + noise) / step).round() * step,
            }
        };
        (0..n).map(score).collect()
    }
}

/// The number of each verdict in `repetitions` windows of `n` scores as `window` draws them, against `kept` ones and
/// `labeled` anomalies as in the fit.
fn verdicts(
    repetitions: u64,
    (kept, labeled, n): (usize, usize, usize),
    fit: Draw,
    window: Draw,
) -> impl Fn(Verdict) -> usize {
    let verdict = |seed| {
        let mut rng = substream(seed, Purpose::Toy, 0);
        let kept = fit.scores(kept, &mut rng);
        let anomalies = Draw { alpha: 1., ..fit }.scores(labeled, &mut rng);
        let window = window.scores(n, &mut rng);
        let test = DriftTest {
            seed,
            ..DriftTest::default()
        };
        test.compare(&kept, &anomalies, &window).unwrap().verdict
    };
    let all: Vec<Verdict> = (0..repetitions).map(verdict).collect();
    move |of| all.iter().filter(|verdict| **verdict == of).count()
}

#[test]
fn without_drift_false_verdicts_come_at_the_stated_rate() {
    for (kept, n) in [(100, 100), (60, 15), (150, 3)] {
        for step in [0., 1.] {
            let draw = Draw { step, ..FIT };
            let count = verdicts(REPETITIONS, (kept, 10, n), draw, draw);
            let false_ones = REPETITIONS as usize - count(Verdict::Unchanged);
            assert!(false_ones <= MOST, "{kept} {n} {step}: {false_ones}");
            // Not so timid either, where scores and draws are many.
            assert!(
                n < 200 || false_ones > 20,
                "{kept} {n} {step}: {false_ones}"
            );
        }
    }
}

#[test]
fn more_and_fewer_anomalies_are_told_and_hardly_ever_called_shifted_normals() {
    for (alpha, expected) in [
        (0.15, Verdict::MoreAnomalies),
        (0., Verdict::FewerAnomalies),
    ] {
        let window = Draw { alpha, ..FIT };
        let count = verdicts(1000, (500, 25, 500), FIT, window);
        let shifted = count(Verdict::ShiftedNormals);
        // Of a binomial number of 1,000 with 0.05, beyond with a chance of 1 in 1,000.
        assert!(shifted <= 73, "{alpha}: {shifted}");
        let told = count(expected);
        assert!(told >= 800, "{alpha}: {told}");
    }
}

#[test]
fn shifted_normals_are_told() {
    for shift in [-0.5, 0.5] {
        let window = Draw { shift, ..FIT };
        let count = verdicts(400, (500, 25, 500), FIT, window);
        let told = count(Verdict::ShiftedNormals);
        assert!(told >= 380, "{shift}: {told}");
    }
    // Beside more anomalies, too.
    let window = Draw {
        alpha: 0.15,
        shift: 0.5,
        ..FIT
    };
    let count = verdicts(400, (500, 25, 500), FIT, window);
    assert!(count(Verdict::ShiftedNormals) >= 380);
}

/// Where it fails: three in ten anomalies score as normals do, and no labeled one does, so that more anomalies move the
/// scores below the border.
#[test]
fn anomalies_that_score_below_all_labeled_ones_look_like_shifted_normals() {
    let shifted = |seed: u64| {
        let mut rng = substream(seed, Purpose::Toy, 0);
        let mut high = Draw { alpha: 1., ..FIT }.scores(25, &mut rng);
        high.iter_mut().for_each(|score| *score = score.max(3.));
        let kept = FIT.scores(500, &mut rng);
        let mut window = FIT.scores(300, &mut rng);
        window.extend(Draw { alpha: 1., ..FIT }.scores(70, &mut rng));
        window.extend(
            Draw {
                shift: 1.5,
                alpha: 0.,
                ..FIT
            }
            .scores(60, &mut rng),
        );
        let found = DriftTest::default().compare(&kept, &high, &window);
        usize::from(found.unwrap().verdict == Verdict::ShiftedNormals)
    };
    let shifted: usize = (0..200).map(shifted).sum();
    assert!(shifted > 60, "{shifted}");
}

/// As few labels as a validation part has of forty, and many anomalies, which a border between them and normals would
/// leave many of on the wrong side.
#[test]
fn many_more_anomalies_are_not_called_shifted_normals_with_few_labels() {
    let fit = Draw { alpha: 0.2, ..FIT };
    for (alpha, expected) in [
        (0.1, Verdict::FewerAnomalies),
        (0.4, Verdict::MoreAnomalies),
    ] {
        let window = Draw { alpha, ..FIT };
        let count = verdicts(400, (1000, 8, 2000), fit, window);
        let shifted = count(Verdict::ShiftedNormals);
        // Of a binomial number of 400 with 0.05, beyond with a chance of 1 in 1,000.
        assert!(shifted <= 35, "{alpha}: {shifted}");
        let told = count(expected);
        assert!(told >= 340, "{alpha}: {told}");
    }
}

/// Only the upper half of the normals moves, as where the amounts of some payments grow.
#[test]
fn eight_labels_tell_normals_whose_upper_half_moved() {
    let shifted = |seed: u64| {
        let mut rng = substream(seed, Purpose::Toy, 0);
        let kept = FIT.scores(1000, &mut rng);
        let anomalies = Draw { alpha: 1., ..FIT }.scores(8, &mut rng);
        let window = FIT.scores(2000, &mut rng).into_iter();
        let window: Vec<f64> = window.map(|score| score.max(1.5 * score)).collect();
        let found = DriftTest::default().compare(&kept, &anomalies, &window);
        usize::from(found.unwrap().verdict == Verdict::ShiftedNormals)
    };
    let shifted: usize = (0..200).map(shifted).sum();
    assert!(shifted > 120, "{shifted}");
}

#[test]
fn what_cannot_be_told_is_said() {
    let kept: Vec<f64> = (0..100).map(f64::from).collect();
    let high: Vec<f64> = (0..50).map(|i| 90. + f64::from(i)).collect();
    let test = DriftTest::default();
    let verdict = |anomalies: &[f64]| test.compare(&kept, anomalies, &high).unwrap();
    let found = verdict(&[]);
    assert_eq!(
        (found.verdict, found.normals_p_value),
        (Verdict::Changed, None)
    );
    assert!(found.p_value <= 0.05);
    // All of the window would be anomalies.
    assert_eq!(verdict(&[80.]).verdict, Verdict::ShiftedNormals);
    for (wrong, rule) in [
        (0., "error must be"),
        (0.6, "error must be"),
        (f64::NAN, "error must be"),
    ] {
        let test = DriftTest {
            error: wrong,
            ..test
        };
        let error = test.compare(&kept, &[], &high).unwrap_err().to_string();
        assert!(error.starts_with(rule), "{error}");
    }
    assert!(test.compare(&[], &[], &[1.]).is_err());
    assert!(test.compare(&[1.], &[], &[]).is_err());
    assert!(test.compare(&[1.], &[f64::NAN], &[1.]).is_err());
    // A single score never says much.
    let one = test.compare(&kept[..10], &[], &[1e9]).unwrap();
    assert_eq!(one.verdict, Verdict::Unchanged);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let mut rng = substream(0, Purpose::Toy, 0);
    let (kept, window) = (FIT.scores(90, &mut rng), FIT.scores(40, &mut rng));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let compare = || DriftTest::default().compare(&kept, &[3.], &window).unwrap();
        pool.build().unwrap().install(compare)
    };
    assert_eq!(run(1), run(3));
}

/// Nothing of the window is where the normals were.
#[test]
fn normals_that_left_have_shifted() {
    let mut rng = substream(0, Purpose::Toy, 0);
    let kept = FIT.scores(200, &mut rng);
    let anomalies = Draw { alpha: 1., ..FIT }.scores(25, &mut rng);
    let mut verdict = |n: usize| {
        let window = Draw { shift: 8., ..FIT }.scores(n, &mut rng);
        let found = DriftTest::default().compare(&kept, &anomalies, &window);
        found.unwrap().verdict
    };
    assert_eq!(verdict(200), Verdict::ShiftedNormals);
    // Of so few nothing is said.
    assert_eq!(verdict(19), Verdict::Changed);
}
