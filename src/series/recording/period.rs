use super::Series;

/// Lags that are looked at at most, and points of a series.
const LAGS: usize = 1000;
const POINTS: usize = 50_000;

/// Autocorrelation below which nothing recurs.
const STRONG: f64 = 0.2;

/// Of the highest peak, what the first one reaches at least: a later one is a multiple of the period.
const OF_THE_HIGHEST: f64 = 0.8;

impl Series {
    /// The number of points after which the series is most like itself: the first strong peak of the autocorrelation, summed
    /// over channels, up to a lag of 1,000 points and a quarter of the first 50,000 points. `None` where none is above 0.2.
    ///
    /// ```
    /// use puad::series::Series;
    ///
    /// let wave = |t: usize| (t as f32 * std::f32::consts::TAU / 24.).sin();
    /// assert_eq!(Series::new((0..500).map(wave).collect(), 1)?.period(), Some(24));
    /// assert_eq!(Series::new((0..500).map(|t| t as f32).collect(), 1)?.period(), None);
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn period(&self) -> Option<usize> {
        let points = self.len().min(POINTS);
        let lags = (points / 4).min(LAGS);
        let mut sums = vec![0.; lags + 1];
        for channel in 0..self.channels() {
            let values = self.standardized(channel, points);
            for (lag, sum) in sums.iter_mut().enumerate() {
                let later = &values[lag..];
                *sum += later.iter().zip(&values).map(|(a, b)| a * b).sum::<f64>();
            }
        }
        let all = sums[0];
        if all == 0. {
            return None;
        }
        let correlations: Vec<f64> = sums.iter().map(|sum| sum / all).collect();
        first_strong_peak(&correlations)
    }

    /// Of mean 0; gaps are 0. All are 0 in a constant channel.
    fn standardized(&self, channel: usize, points: usize) -> Vec<f64> {
        let values = (0..points).map(|point| f64::from(self.at(point)[channel]));
        let known: Vec<f64> = values.clone().filter(|value| !value.is_nan()).collect();
        let n = known.len().max(1) as f64;
        let mean = known.iter().sum::<f64>() / n;
        let deviation = (known.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        // By rounding alone a constant has one.
        let varies = deviation > 1e-12 * mean.abs();
        let scaled = |value: f64| {
            if varies && !value.is_nan() {
                (value - mean) / deviation
            } else {
                0.
            }
        };
        values.map(scaled).collect()
    }
}

/// Of correlations by lag.
fn first_strong_peak(correlations: &[f64]) -> Option<usize> {
    let dip = correlations.iter().position(|&c| c < 0.)?;
    let highest = correlations[dip..].iter().copied().fold(0., f64::max);
    if highest < STRONG {
        return None;
    }
    let is_peak = |lag: usize| {
        let near = lag - lag / 4..=lag + lag / 4;
        // At the border of what was looked at it may rise on.
        near.end() < &correlations.len()
            && correlations[lag] >= OF_THE_HIGHEST * highest
            && correlations[near].iter().all(|&c| c <= correlations[lag])
    };
    (dip..correlations.len()).find(|&lag| is_peak(lag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: usize, of: impl Fn(usize) -> f32) -> Series {
        Series::new((0..points).map(of).collect(), 1).unwrap()
    }

    #[test]
    fn a_beat_between_beats_is_no_period() {
        // A high peak every 50 points, a low one halfway.
        let beat = |t: usize| match t % 50 {
            0..5 => 1.,
            25..30 => 0.3,
            _ => 0.,
        };
        assert_eq!(series(2000, beat).period(), Some(50));
    }

    #[test]
    fn what_does_not_recur_has_no_period() {
        let hash = |t: usize| ((t * 7919 + t * t * 31) % 10_007) as f32;
        for none in [series(2000, hash), series(2000, |_| 0.1), series(3, |_| 1.)] {
            assert_eq!(none.period(), None);
        }
    }

    #[test]
    fn channels_that_are_constant_or_missing_do_not_count() {
        let wave = |t: usize| [(t as f32 * 0.1).sin(), 3.5, f32::NAN];
        let both = Series::with_gaps((0..1000).flat_map(wave).collect(), 3).unwrap();
        assert_eq!(both.period(), Some(63));
    }
}
