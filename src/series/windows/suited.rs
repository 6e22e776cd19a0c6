use super::Windows;
use crate::series::Series;

/// Of a window without a period, points.
const LENGTH: usize = 64;

/// Values of a window, and windows trained on and their values, at most, where there is a choice.
const VALUES: usize = 512;
const WINDOWS: usize = 10_000;
const ALL_VALUES: usize = 1_000_000;

impl Windows {
    /// Windows of a period ([`Series::period`]) of the longest series, of 64 points where it has none; but at most of 512
    /// values, `width` a point, an eighth of that series, and the shortest one of 64 points and more. So far apart that the
    /// unlabeled ones are about 10,000 at most; up to the suspect part they are further apart where they would have more than
    /// a million values, which take a minute to learn. `None` without series.
    ///
    /// ```
    /// use puad::series::{Series, Windows};
    ///
    /// let wave = |t: usize| (t as f32 * std::f32::consts::TAU / 24.).sin();
    /// let series = Series::new((0..500).map(wave).collect(), 1)?;
    /// assert_eq!(Windows::suited(&[series], 1), Some(Windows { length: 24, suspect: 3, stride: 1 }));
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn suited(series: &[Series], width: usize) -> Option<Self> {
        let longest = series.iter().max_by_key(|one| one.len())?;
        let shortest = series.iter().map(|one| one.len().max(LENGTH)).min()?;
        let most = (VALUES / width.max(1))
            .min(longest.len() / 8)
            .min(shortest)
            .max(1);
        let windows = Self::of(longest.period().unwrap_or(LENGTH).min(most));
        let points: usize = series.iter().map(Series::len).sum();
        let values = points * windows.length * width.max(1);
        let stride = values.div_ceil(ALL_VALUES).min(windows.suspect);
        let stride = stride.max(points.div_ceil(WINDOWS));
        Some(Self { stride, ..windows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: usize, of: impl Fn(usize) -> f32) -> Series {
        Series::new((0..points).map(of).collect(), 1).unwrap()
    }

    #[test]
    fn windows_are_no_longer_than_the_series_and_their_values_allow() {
        let of = |series: Series, width| Windows::suited(&[series], width).unwrap();
        assert_eq!(of(series(80, |t| t as f32), 1).length, 10);
        assert_eq!(of(series(3, |t| t as f32), 1).length, 1);
        assert_eq!(of(series(10_000, |t| t as f32), 32).length, 16);
        let long = of(series(40_000, |t| t as f32), 1);
        assert_eq!((long.length, long.suspect, long.stride), (64, 8, 4));
        assert_eq!(Windows::suited(&[], 1), None);
    }
}
