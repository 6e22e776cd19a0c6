mod made;
mod period;

use std::collections::HashSet;
use std::ops::Range;

use crate::statistics::runs;
use crate::{Error, Result};

/// Values of one or more channels at equal steps of time, with the events that are labeled. A value may be missing, which is
/// NaN, where that is said ([`with_gaps`](Self::with_gaps)).
///
/// ```
/// use puad::series::Series;
///
/// // Two channels: 20 and 1 at the first point, 21 and 0 at the second.
/// let series = Series::new(vec![20., 1., 21., 0., 35., 0.], 2)?
///     .with_names(&["temperature", "door"])?
///     .with_events([0..1, 2..3])?;
/// assert_eq!((series.len(), series.channels()), (3, 2));
/// assert_eq!(series.at(1), [21., 0.]);
/// assert_eq!(series.events(), [0..1, 2..3]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Point by point.
    values: Vec<f32>,
    channels: usize,
    names: Vec<String>,
    events: Vec<Range<usize>>,
    /// Of the points, in seconds since 1970-01-01 00:00:00 UTC; empty where they are not known.
    times: Vec<f64>,
}

/// What they are in errors.
pub(super) const WHAT: &str = "values of a series";

impl Series {
    /// `values`: point by point, all channels of each.
    ///
    /// # Errors
    /// [`Error::Shape`] unless these are whole points, at least one; [`Error::NonFiniteFeature`] with point and channel
    /// for an infinite value or a gap, which [`with_gaps`](Self::with_gaps) takes.
    pub fn new(values: Vec<f32>, channels: usize) -> Result<Self> {
        let series = Self::with_gaps(values, channels)?;
        series.check_without_gaps()?;
        Ok(series)
    }

    /// As [`new`](Self::new), with NaN for a value that is missing. A [`SeriesEstimator`](super::SeriesEstimator) takes such
    /// series, [`Windows`](super::Windows) do not.
    ///
    /// # Errors
    /// As [`new`](Self::new), but for gaps.
    pub fn with_gaps(values: Vec<f32>, channels: usize) -> Result<Self> {
        if channels == 0 || values.is_empty() || !values.len().is_multiple_of(channels) {
            return Err(Error::Shape {
                what: WHAT,
                expected: format!("[points, {channels}], with one of each at least"),
                actual: vec![values.len()],
            });
        }
        let series = Self {
            values,
            channels,
            names: vec![],
            events: vec![],
            times: vec![],
        };
        series.check_values(|value| !value.is_infinite())?;
        Ok(series)
    }

    fn check_values(&self, is_good: impl Fn(f32) -> bool) -> Result<()> {
        match self.values.iter().position(|&value| !is_good(value)) {
            Some(at) => Err(Error::NonFiniteFeature {
                what: WHAT,
                row: at / self.channels,
                column: at % self.channels,
                value: self.values[at].into(),
            }),
            None => Ok(()),
        }
    }

    /// # Errors
    /// [`Error::NonFiniteFeature`] with point and channel for the first gap.
    pub(super) fn check_without_gaps(&self) -> Result<()> {
        self.check_values(f32::is_finite)
    }

    /// With the time of each point, in seconds since 1970-01-01 00:00:00 UTC: hour and weekday are read off it. Points
    /// count as equally far apart whatever it says.
    ///
    /// # Errors
    /// [`Error::Length`] unless there is one a point; [`Error::Config`] with the point for one that is not finite or lies
    /// before that of the point before.
    pub fn with_times(self, times: Vec<f64>) -> Result<Self> {
        Error::check_lengths(("times", times.len()), ("points", self.len()))?;
        let mut last = f64::NEG_INFINITY;
        for (point, &time) in times.iter().enumerate() {
            check_time(point, last, time)?;
            last = time;
        }
        Ok(Self { times, ..self })
    }

    /// The same points and events with other channels: point by point, all of each.
    pub(super) fn with_other_channels(
        &self,
        values: Vec<f32>,
        channels: usize,
        names: Vec<String>,
    ) -> Self {
        Self {
            values,
            channels,
            names,
            events: self.events.clone(),
            times: self.times.clone(),
        }
    }

    /// With names of its channels, which name the columns of windows; none takes them away.
    ///
    /// # Errors
    /// [`Error::Length`] unless there is one a channel, [`Error::Config`] for one that is there twice.
    pub fn with_names<S: AsRef<str>>(self, names: &[S]) -> Result<Self> {
        if !names.is_empty() {
            Error::check_lengths(("names", names.len()), ("channels", self.channels))?;
        }
        let names: Vec<String> = names.iter().map(|name| name.as_ref().into()).collect();
        if let Some(name) = twice(&names) {
            let rule = "names that differ";
            return Err(Error::config(
                "names of channels",
                rule,
                format!("{name:?} twice"),
            ));
        }
        Ok(Self { names, ..self })
    }

    /// With these labeled events, each the points of an anomaly, in any order; those that overlap or follow on one another
    /// are one. In place of those before.
    ///
    /// # Errors
    /// [`Error::Config`] for an event without points, or beyond the end.
    pub fn with_events(self, events: impl IntoIterator<Item = Range<usize>>) -> Result<Self> {
        let all: Vec<Range<usize>> = events.into_iter().collect();
        if let Some(wrong) = all
            .iter()
            .find(|event| event.is_empty() || event.end > self.len())
        {
            let rule = "points of the series, at least one";
            return Err(Error::config("event", rule, format!("{wrong:?}")));
        }
        Ok(Self {
            events: merged(all),
            ..self
        })
    }

    /// With the runs of `true` as its labeled events.
    ///
    /// # Errors
    /// [`Error::Length`] unless there is a label a point.
    pub fn with_labels(self, anomalous: &[bool]) -> Result<Self> {
        Error::check_lengths(("labels", anomalous.len()), ("points", self.len()))?;
        self.with_events(runs(anomalous))
    }

    /// A stretch of it, with what of its events lies within.
    ///
    /// # Errors
    /// [`Error::Config`] for one without points, or beyond the end.
    pub fn part(&self, points: Range<usize>) -> Result<Self> {
        if points.is_empty() || points.end > self.len() {
            let rule = "points of the series, at least one";
            return Err(Error::config("part", rule, format!("{points:?}")));
        }
        let within = |event: &Range<usize>| {
            let start = event.start.max(points.start);
            let end = event.end.min(points.end);
            (start < end).then(|| start - points.start..end - points.start)
        };
        Ok(Self {
            values: self.values[points.start * self.channels..points.end * self.channels].to_vec(),
            channels: self.channels,
            names: self.names.clone(),
            events: self.events.iter().filter_map(within).collect(),
            times: self.times.get(points).unwrap_or_default().to_vec(),
        })
    }

    /// Number of points.
    #[expect(clippy::len_without_is_empty, reason = "there is one point at least")]
    pub fn len(&self) -> usize {
        self.values.len() / self.channels
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Names of the channels; empty where they are not known.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The labeled events, in order and apart.
    pub fn events(&self) -> &[Range<usize>] {
        &self.events
    }

    /// The times of the points, in seconds since 1970-01-01 00:00:00 UTC; empty where they are not known.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// The values of all channels at a point; NaN for one that is missing.
    ///
    /// # Panics
    /// If there is no such point.
    pub fn at(&self, point: usize) -> &[f32] {
        &self.values[point * self.channels..][..self.channels]
    }

    /// Those of some points, one point after the other.
    pub(super) fn values(&self, points: Range<usize>) -> &[f32] {
        &self.values[points.start * self.channels..points.end * self.channels]
    }
}

/// In order and apart: those that overlap or follow on one another are one.
pub(super) fn merged(mut events: Vec<Range<usize>>) -> Vec<Range<usize>> {
    events.sort_unstable_by_key(|event| event.start);
    let mut apart: Vec<Range<usize>> = vec![];
    for event in events {
        match apart.last_mut() {
            Some(last) if event.start <= last.end => last.end = last.end.max(event.end),
            _ => apart.push(event),
        }
    }
    apart
}

/// # Errors
/// [`Error::Config`] with the point for a time that is not finite or lies before that of the point before.
pub(super) fn check_time(point: usize, last: f64, time: f64) -> Result<()> {
    if time.is_finite() && time >= last {
        return Ok(());
    }
    let rule = "finite, and in the order of the points (sort the rows by time)";
    let value = if time.is_finite() {
        format!("{time} at point {point} after {last}")
    } else {
        format!("{time} at point {point}")
    };
    Err(Error::config("times", rule, value))
}

/// A name that stands there more than once.
pub(super) fn twice(names: &[String]) -> Option<&String> {
    let mut seen = HashSet::new();
    names.iter().find(|name| !seen.insert(*name))
}
