use std::ops::Range;

use candle_core::{DType, Device};

use crate::data::Samples;
use crate::statistics::runs;
use crate::{Error, Result};

/// Values of one or more channels at equal steps of time, with the events that are labeled.
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
}

impl Series {
    /// `values`: point by point, all channels of each.
    ///
    /// # Errors
    /// [`Error::Shape`] unless these are whole points, at least one; [`Error::NonFiniteFeature`] with point and channel
    /// for a gap, which NaN is, or an infinite value.
    pub fn new(values: Vec<f32>, channels: usize) -> Result<Self> {
        if channels == 0 || values.is_empty() || !values.len().is_multiple_of(channels) {
            return Err(Error::Shape {
                what: "values of a series",
                expected: format!("[points, {channels}], with one of each at least"),
                actual: vec![values.len()],
            });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NonFiniteFeature {
                what: "values of a series",
                row: at / channels,
                column: at % channels,
                value: values[at].into(),
            });
        }
        Ok(Self {
            values,
            channels,
            names: vec![],
            events: vec![],
        })
    }

    /// Rows in the order of time, each the channels of a point, as readers of tables give them, with their names.
    ///
    /// ```
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::data::Samples;
    /// use puad::series::Series;
    ///
    /// let rows = Tensor::new(&[[20f32, 1.], [21., 0.]], &Device::Cpu)?;
    /// let series = Series::of(&Samples::from(rows).with_names(&["temperature", "door"])?)?;
    /// assert_eq!((series.at(1), &series.names()[1]), (&[21., 0.][..], &"door".to_string()));
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] unless the samples are vectors; as [`new`](Self::new).
    pub fn of(rows: &Samples) -> Result<Self> {
        let shape = rows.sample_shape();
        let &[channels] = shape.as_slice() else {
            return Err(Error::Shape {
                what: "points of a series",
                expected: "[channels]".into(),
                actual: shape,
            });
        };
        let values = rows.to_tensor()?.to_dtype(DType::F32)?.flatten_all()?;
        let series = Self::new(values.to_device(&Device::Cpu)?.to_vec1()?, channels)?;
        match rows.names() {
            [] => Ok(series),
            names => series.with_names(names),
        }
    }

    /// With names of its channels, which name the columns of windows.
    ///
    /// # Errors
    /// [`Error::Length`] unless there is one a channel.
    pub fn with_names<S: AsRef<str>>(self, names: &[S]) -> Result<Self> {
        Error::check_lengths(("names", names.len()), ("channels", self.channels))?;
        let names = names.iter().map(|name| name.as_ref().into()).collect();
        Ok(Self { names, ..self })
    }

    /// With these labeled events, each the points of an anomaly, in any order; those that overlap or follow on one another
    /// are one. In place of those before.
    ///
    /// # Errors
    /// [`Error::Config`] for an event without points, or beyond the end.
    pub fn with_events(self, events: impl IntoIterator<Item = Range<usize>>) -> Result<Self> {
        let mut all: Vec<Range<usize>> = events.into_iter().collect();
        if let Some(wrong) = all
            .iter()
            .find(|event| event.is_empty() || event.end > self.len())
        {
            let rule = "points of the series, at least one";
            return Err(Error::config("event", rule, format!("{wrong:?}")));
        }
        all.sort_unstable_by_key(|event| event.start);
        let mut events: Vec<Range<usize>> = vec![];
        for event in all {
            match events.last_mut() {
                Some(last) if event.start <= last.end => last.end = last.end.max(event.end),
                _ => events.push(event),
            }
        }
        Ok(Self { events, ..self })
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

    /// The values of all channels at a point.
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
