use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{ClassPrior, PriorDoubt, PriorEstimate};
use crate::rng::{Purpose, substream};
use crate::statistics::{check_share, quantile};
use crate::{Error, Result};

/// # Errors
/// [`Error::Config`] for no resamples or a level outside (0, 1).
pub(super) fn check(resamples: usize, level: f64) -> Result<()> {
    if resamples == 0 {
        return Err(Error::config("resamples", "at least 1", resamples));
    }
    check_share("level", level)
}

/// The generator of what an estimate on the data themselves draws; [`resampled`] has streams of its own.
pub(super) fn first_stream(seed: u64) -> ChaCha8Rng {
    substream(seed, Purpose::Prior, 0)
}

/// `estimate` of each resample, in order whatever the number of threads.
pub(super) fn resampled(
    seed: u64,
    resamples: usize,
    estimate: impl Fn(&mut ChaCha8Rng) -> f64 + Sync,
) -> Vec<f64> {
    let one = |index| estimate(&mut substream(seed, Purpose::Prior, index));
    (1..=resamples as u64).into_par_iter().map(one).collect()
}

/// How often each of `n` rows comes up in `n` draws with replacement.
pub(super) fn counts(rng: &mut ChaCha8Rng, n: usize) -> Vec<u32> {
    let mut counts = vec![0; n];
    for _ in 0..n {
        counts[rng.random_range(0..n)] += 1;
    }
    counts
}

/// The estimate with the interval that the resamples give.
///
/// Its lower end is their percentile. All estimators that use it take the share at which a bound is broken
/// somewhere, and noise breaks it early: resamples, which have the noise twice, lie lower than the estimate by about
/// as much as the estimate below the truth. So the upper end is the lower end's mirror image, if that lies above
/// their percentile.
pub(super) fn estimate(
    alpha: f64,
    mut resampled: Vec<f64>,
    level: f64,
    doubts: Vec<PriorDoubt>,
) -> Result<PriorEstimate> {
    resampled.sort_unstable_by(f64::total_cmp);
    let alpha = alpha.clamp(0., 1.);
    let tail = (1. - level) / 2.;
    let low = quantile(&resampled, tail).min(alpha);
    let high = quantile(&resampled, 1. - tail).max(2. * alpha - low);
    Ok(PriorEstimate {
        alpha: ClassPrior::new(alpha)?,
        low: ClassPrior::new(low.max(0.))?,
        high: ClassPrior::new(high.clamp(alpha, 1.))?,
        level,
        doubts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn the_interval_is_a_percentile_and_its_mirror_image_or_the_other_percentile() {
        let values = || (0..=100).map(|i| f64::from(i) / 1000.).collect();
        let of = |alpha| estimate(alpha, values(), 0.9, vec![]).unwrap();
        for (alpha, low, high) in [
            (0.05, 0.005, 0.095),
            (0.08, 0.005, 0.155),
            (0.01, 0.005, 0.095),
            (0.001, 0.001, 0.095),
            (0.9, 0.005, 1.),
        ] {
            let found = of(alpha);
            assert_abs_diff_eq!(found.low.get(), low, epsilon = 1e-12);
            assert_abs_diff_eq!(found.high.get(), high, epsilon = 1e-12);
        }
    }

    #[test]
    fn counts_are_those_of_as_many_draws() {
        let counts = counts(&mut first_stream(3), 1000);
        assert_eq!(counts.iter().sum::<u32>(), 1000);
        // 1000 (1 - 1 / 1000)^1000 = 368 rows are expected to be left out, give or take 10.
        let left_out = counts.iter().filter(|&&count| count == 0).count();
        assert!((320..416).contains(&left_out), "{left_out}");
    }

    #[test]
    fn wrong_settings_are_named() {
        for (resamples, level, wrong) in [
            (0, 0.9, "resamples"),
            (9, 1., "level"),
            (9, f64::NAN, "level"),
        ] {
            let error = check(resamples, level).unwrap_err();
            assert!(matches!(error, Error::Config { name, .. } if name == wrong));
        }
        check(1, 0.5).unwrap();
    }
}
