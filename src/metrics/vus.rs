use super::surface::Surface;
use crate::Result;

/// Areas under two curves of a time series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RangeAuc {
    /// Under true-positive rate against false-positive rate.
    pub roc: f64,
    /// Under precision against true-positive rate, in steps as average precision is.
    pub pr: f64,
}

/// The thresholds of [`range_auc`] and [`vus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Thresholds {
    /// The scores at so many ranks, >= 2, evenly from the highest to the lowest: what the reference implementation has,
    /// 250 of them.
    Ranks(usize),
    /// Every score.
    All,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::Ranks(250)
    }
}

/// Range-AUC: as AUROC and average precision of the points of a series, but an alarm next to an event counts in part, and
/// an event that no alarm touches costs all of them.
///
/// `anomalous` marks the points of events, which are its runs. Points up to `buffer / 2` before or behind an event are
/// anomalous in part, at distance `d` by `sqrt(1 - d / buffer)`, in the sum over events 1 at most. At a threshold, with
/// the alarms `score >= threshold`, `TP` is the sum of the parts `y` of all alarms, `N` the number of alarms, and
///
/// ```text
/// P' = (2 P + sum of y over the alarms outside events) / 2,    P = points of events
/// true-positive rate  = min(1, TP / P') x share of events, with their buffers and merged where these overlap, that hold an alarm
/// false-positive rate = (N - TP) / (points - P')
/// precision           = TP / N
/// ```
///
/// With a buffer of 0, one event and [`Thresholds::All`] these are AUROC and average precision. Takes
/// `O(n log n + thresholds + points in buffers)`.
///
/// ```
/// use puad::metrics::{Thresholds, range_auc};
///
/// let anomalous = [false, false, false, false, true, true, false, false, false, false];
/// // The alarm comes a point late.
/// let scores = [0.1, 0.3, 0.2, 0.1, 0.2, 0.8, 0.9, 0.1, 0.3, 0.2];
/// let exact = range_auc(&scores, &anomalous, 0, Thresholds::All)?;
/// let tolerant = range_auc(&scores, &anomalous, 4, Thresholds::All)?;
/// assert!(tolerant.pr > exact.pr && tolerant.roc > exact.roc);
/// # Ok::<(), puad::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`](crate::Error::Length) for lists of different lengths, [`Error::NanScore`](crate::Error::NanScore) for NaN, [`Error::OneClass`](crate::Error::OneClass) without an event or
/// without a normal point, [`Error::Config`](crate::Error::Config) for fewer than two thresholds or a buffer of more points than there are.
///
/// # References
/// Paparrizos et al., Volume under the surface: a new accuracy evaluation measure for time-series anomaly detection,
/// PVLDB 15, 2022.
pub fn range_auc(
    scores: &[f64],
    anomalous: &[bool],
    buffer: usize,
    thresholds: Thresholds,
) -> Result<RangeAuc> {
    let mut surface = Surface::new("range-AUC", scores, anomalous, buffer, thresholds)?;
    surface.extend(buffer / 2);
    Ok(surface.under(buffer))
}

/// Volume under the surface: the mean of [`range_auc`] over all buffers from 0 to `buffer`, a usual length of an event or
/// the series' period. It needs no choice of one buffer, and is hardly changed by events that are labeled a little early
/// or late.
///
/// Takes `O(n log n + buffer x (thresholds + events + points in buffers))`; the reference implementation takes
/// `buffer x thresholds x n`.
///
/// ```
/// use puad::metrics::{Thresholds, vus};
///
/// let anomalous: Vec<bool> = (0..500).map(|t| (200..220).contains(&t)).collect();
/// let scores: Vec<f64> = (0..500).map(|t| f64::from((205..230).contains(&t)) + f64::from(t % 7) / 10.).collect();
/// let volume = vus(&scores, &anomalous, 20, Thresholds::default())?;
/// assert!((volume.roc - 0.953).abs() < 1e-3 && (volume.pr - 0.678).abs() < 1e-3);
/// # Ok::<(), puad::Error>(())
/// ```
///
/// # Errors
/// As [`range_auc`].
///
/// # References
/// As there.
pub fn vus(
    scores: &[f64],
    anomalous: &[bool],
    buffer: usize,
    thresholds: Thresholds,
) -> Result<RangeAuc> {
    let mut surface = Surface::new("VUS", scores, anomalous, buffer, thresholds)?;
    let mut sum = RangeAuc::default();
    for buffer in 0..=buffer {
        surface.extend(buffer / 2);
        let RangeAuc { roc, pr } = surface.under(buffer);
        sum.roc += roc;
        sum.pr += pr;
    }
    let buffers = buffer as f64 + 1.;
    Ok(RangeAuc {
        roc: sum.roc / buffers,
        pr: sum.pr / buffers,
    })
}
