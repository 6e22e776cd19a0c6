use rayon::prelude::*;

use super::levels::Levels;
use super::windows::normal_quantile;
use crate::rng::{Purpose, substream};
use crate::{Error, Result};

/// # Errors
/// [`Error::Config`] for fewer than two.
pub(super) fn check_resamples(resamples: usize) -> Result<()> {
    if resamples < 2 {
        return Err(Error::config("resamples", "at least 2", resamples));
    }
    Ok(())
}

/// The ends of an interval around `alpha = f(levels)`: as far off, on a logarithmic scale, as the standard deviation of
/// `f` over `resamples` resamples of both groups says. Percentiles would repeat the bias of an extreme.
pub(super) fn interval(
    levels: &Levels,
    (resamples, level): (usize, f64),
    seed: u64,
    f: impl Fn(&Levels) -> f64 + Sync,
) -> (f64, f64) {
    // Half a sample, so that 0 has a logarithm.
    let half = 0.5 / levels.totals.0;
    let log = |levels: &Levels| (f(levels) + half).ln();
    // Each resample has its own stream, and they are summed in order: the same bits on any number of threads.
    let logs: Vec<f64> = (0..resamples as u64)
        .into_par_iter()
        .map(|index| log(&levels.resampled(&mut substream(seed, Purpose::Prior, index))))
        .collect();
    let count = resamples as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
    let reach = normal_quantile(level) * (squares / (count - 1.)).sqrt();
    let center = log(levels);
    ((center - reach).exp() - half, (center + reach).exp())
}

#[cfg(test)]
mod tests {
    use super::super::PriorData;
    use super::*;
    use approx::assert_relative_eq;

    /// The logarithm of a share of 200 in 1000 has the standard deviation sqrt(0.8 / 200).
    #[test]
    fn the_interval_of_a_share_is_the_binomials() {
        let scores = (0..1000).map(|i| f64::from(i % 5)).collect();
        let levels = Levels::of(&PriorData::of_scores(scores, vec![0.]).unwrap()).unwrap();
        let share = |levels: &Levels| levels.counts().next().unwrap().0 / 1000.;
        let (low, high) = interval(&levels, (4000, 0.95), 0, share);
        let reach = 1.96 * (0.8f64 / 200.).sqrt();
        assert_relative_eq!((0.2 / low).ln(), reach, max_relative = 0.05);
        assert_relative_eq!((high / 0.2).ln(), reach, max_relative = 0.05);
    }
}
