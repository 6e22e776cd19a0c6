use std::fmt;
use std::ops::Range;

use super::PointScores;
use crate::data::table::Value;
use crate::estimator::Column;
use crate::statistics::runs;

/// A stretch of a series that scores above the threshold.
///
/// ```
/// use puad::series::Alarm;
///
/// let alarm = Alarm { points: 480..496, times: None, peak: 488, score: 5.2, channel: None };
/// assert_eq!(alarm.to_string(), "points 480 to 495, highest at 488 (5.200)");
/// let alarm = Alarm { times: Some((1_767_449_100., 1_767_449_700.)), ..alarm };
/// assert!(alarm.to_string().starts_with("2026-01-03 14:05:00 to 2026-01-03 14:15:00, points 480"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Its points, of which those that joined two stretches are below the threshold.
    pub points: Range<usize>,
    /// Of the first and the last of them, in seconds since 1970-01-01 00:00:00 UTC; `None` where they are not known.
    pub times: Option<(f64, f64)>,
    /// The first point with the highest score.
    pub peak: usize,
    /// That score.
    pub score: f64,
    /// The channel that explains most of it: by those of unlabeled windows in its place the score would fall furthest. Its index
    /// is in the order of the fit's channels, behind which the hour and the weekday are. `None` of a series of one channel, and
    /// where the score would fall without none of them alone.
    pub channel: Option<Column>,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            points,
            times,
            peak,
            score,
            channel,
        } = self;
        if let Some((first, last)) = times {
            write!(f, "{} to {}, ", Value::Time(*first), Value::Time(*last))?;
        }
        let last = points.end.saturating_sub(1);
        write!(
            f,
            "points {} to {last}, highest at {peak} ({score:.3})",
            points.start
        )?;
        match channel {
            Some(channel) => write!(f, ", most of it by {channel}"),
            None => Ok(()),
        }
    }
}

impl Alarm {
    /// Of scores above a threshold, with at most `merge` points between stretches that are one; channels are not told yet.
    pub(super) fn of(
        scores: &PointScores,
        times: &[f64],
        threshold: f64,
        merge: usize,
    ) -> Vec<Self> {
        let above: Vec<bool> = scores.known().iter().map(|&s| s > threshold).collect();
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for run in runs(&above) {
            match stretches.last_mut() {
                Some(last) if run.start - last.end <= merge => last.end = run.end,
                _ => stretches.push(run),
            }
        }
        let alarm = |stretch: Range<usize>| {
            let (mut peak, known) = (stretch.start, scores.known());
            for at in stretch.clone() {
                if known[at] > known[peak] {
                    peak = at;
                }
            }
            let first = scores.first();
            let points = first + stretch.start..first + stretch.end;
            let of_points = times.get(points.clone()).unwrap_or_default();
            Self {
                times: of_points.first().copied().zip(of_points.last().copied()),
                points,
                peak: first + peak,
                score: known[peak],
                channel: None,
            }
        };
        stretches.into_iter().map(alarm).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_close_to_one_another_are_one_alarm() {
        let known = vec![0., 5., 6., 0., 0., 7., 0., 0., 0., 6., 6.];
        let scores = PointScores { first: 10, known };
        let stretches = |threshold, merge| {
            let alarms = Alarm::of(&scores, &[], threshold, merge).into_iter();
            let told = alarms.map(|alarm| (alarm.points, alarm.peak, alarm.score));
            told.collect::<Vec<_>>()
        };
        assert_eq!(
            stretches(4., 0),
            [(11..13, 12, 6.), (15..16, 15, 7.), (19..21, 19, 6.)]
        );
        assert_eq!(stretches(4., 2), [(11..16, 15, 7.), (19..21, 19, 6.)]);
        assert_eq!(stretches(4., 3), [(11..21, 15, 7.)]);
        // A score at the threshold is no alarm.
        assert_eq!(stretches(6., 0), [(15..16, 15, 7.)]);
        assert!(stretches(7., 9).is_empty());
    }
}
