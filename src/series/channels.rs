use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::Series;
use super::recording::{WHAT, check_time, twice};
use crate::estimator::Column;
use crate::{Error, Result};

const DAY: f64 = 86_400.;
const WEEK: f64 = 7. * DAY;

/// What becomes of the channels of series: gaps are filled by the value before, and a channel that had any has another one
/// beside it that says where; hour and weekday are channels where that is asked for. It looks back alone, so that a stream has
/// the same values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Channels {
    /// Of the series; empty where they are not known.
    names: Vec<String>,
    /// Of each of the series' channels with gaps its mean: what stands before its first value.
    means: Vec<Option<f32>>,
    hour: bool,
    weekday: bool,
}

impl Channels {
    /// Of series that are trained on.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] without series; [`Error::Shape`] and [`Error::Columns`] for a series without the channels of the
    /// first one; [`Error::Config`] for a channel without a value, and without times that are asked
    /// for.
    pub(super) fn fit(series: &[Series], hour: bool, weekday: bool) -> Result<Self> {
        let (what, group) = ("a fit to series", "unlabeled");
        let first = series.first().ok_or(Error::EmptyGroup { what, group })?;
        let mut channels = Self {
            names: first.names().to_vec(),
            means: vec![None; first.channels()],
            hour,
            weekday,
        };
        let mut known = vec![(0., 0u64); first.channels()];
        let mut gaps = vec![false; first.channels()];
        for one in series {
            let order = channels.order(one)?;
            for point in 0..one.len() {
                let values = one.at(point);
                for (at, &channel) in order.iter().enumerate() {
                    match f64::from(values[channel]) {
                        value if value.is_nan() => gaps[at] = true,
                        value => known[at] = (known[at].0 + value, known[at].1 + 1),
                    }
                }
            }
        }
        for (at, (sum, count)) in known.into_iter().enumerate() {
            if count == 0 {
                let rule = "known at one point at least; leave the channel out";
                return Err(Error::config(
                    WHAT,
                    rule,
                    format!("none of {}", channels.column(at)),
                ));
            }
            channels.means[at] = gaps[at].then_some((sum / count as f64) as f32);
        }
        Ok(channels)
    }

    /// What a file may hold.
    ///
    /// # Errors
    /// [`Error::Config`] for no channel, names that are not one a channel or not apart, and a mean that is no number.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |rule, value| Err(Error::config("channels", rule, value));
        if self.means.is_empty() {
            return wrong("at least one", "none".into());
        }
        if !self.names.is_empty() && self.names.len() != self.raw() {
            let value = format!("{} of {}", self.names.len(), self.raw());
            return wrong("named all or not at all", value);
        }
        if let Some(name) = twice(&self.names) {
            return wrong("names that differ", format!("{name:?} twice"));
        }
        match self.means.iter().flatten().find(|mean| !mean.is_finite()) {
            Some(mean) => wrong("of finite means", mean.to_string()),
            None => Ok(()),
        }
    }

    /// Of the series; empty where they are not known.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// How many a point has, with those that are made.
    pub(super) fn width(&self) -> usize {
        self.means.len() + self.means.iter().flatten().count() + 2 * self.clocks().count()
    }

    /// Of the series.
    pub(super) fn raw(&self) -> usize {
        self.means.len()
    }

    /// For each channel, those that are made among them, the one of the series that it tells of, or a clock behind them.
    pub(super) fn sources(&self) -> Vec<usize> {
        let raw = 0..self.raw();
        let with_gaps = raw.clone().filter(|&at| self.means[at].is_some());
        let clocks = (self.raw()..).zip(self.clocks());
        let clocks = clocks.flat_map(|(at, _)| [at, at]);
        raw.clone().chain(with_gaps).chain(clocks).collect()
    }

    /// What a source is called.
    pub(super) fn column(&self, source: usize) -> Column {
        let clock = || {
            let at = source.checked_sub(self.raw())?;
            self.clocks().nth(at).map(|(name, _)| name.to_string())
        };
        Column {
            index: source,
            name: self.names.get(source).cloned().or_else(clock),
            channel: true,
        }
    }

    fn clocks(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let all = [("hour", DAY, self.hour), ("weekday", WEEK, self.weekday)];
        all.into_iter()
            .filter_map(|(name, seconds, wanted)| wanted.then_some((name, seconds)))
    }

    /// Of all channels; empty where those of the series have none.
    fn all_names(&self) -> Vec<String> {
        if self.names.is_empty() {
            return vec![];
        }
        let gaps = (0..self.raw()).filter(|&at| self.means[at].is_some());
        let gaps = gaps.map(|at| format!("{} missing", self.names[at]));
        let clocks = self.clocks();
        let clocks = clocks.flat_map(|(name, _)| [format!("{name} sin"), format!("{name} cos")]);
        self.names
            .iter()
            .cloned()
            .chain(gaps)
            .chain(clocks)
            .collect()
    }

    /// Where its channels stand in a series: by name where names are known, among which may be others.
    ///
    /// # Errors
    /// [`Error::Columns`] if names are missing; where names are not known, here or there, [`Error::Shape`] for another number
    /// of channels. [`Error::Config`] without times that are needed.
    fn order(&self, series: &Series) -> Result<Vec<usize>> {
        if self.needs_times() && series.times().is_empty() {
            let rule = "known for hour and weekday (`Series::with_times`)";
            return Err(Error::config("times", rule, "none"));
        }
        if series.names().is_empty() || self.names.is_empty() {
            if series.channels() != self.raw() {
                return Err(Error::Shape {
                    what: "series",
                    expected: format!("[points, {}] as that of the fit", self.raw()),
                    actual: vec![series.len(), series.channels()],
                });
            }
            return Ok((0..self.raw()).collect());
        }
        let position = |name: &String| series.names().iter().position(|other| other == name);
        let order: Option<Vec<usize>> = self.names.iter().map(position).collect();
        order.ok_or_else(|| Error::Columns {
            missing: without(&self.names, series.names()),
            surplus: without(series.names(), &self.names),
        })
    }

    fn needs_times(&self) -> bool {
        self.hour || self.weekday
    }

    /// A series with all channels, and without gaps.
    ///
    /// # Errors
    /// As [`order`](Self::order) and [`Carry::push`].
    pub(super) fn of(&self, series: &Series) -> Result<Series> {
        let order = self.order(series)?;
        let mut carry = Carry::new(self);
        let mut values = Vec::with_capacity(series.len() * self.width());
        let mut ordered = vec![0.; self.raw()];
        for point in 0..series.len() {
            let at = series.at(point);
            for (value, &channel) in ordered.iter_mut().zip(&order) {
                *value = at[channel];
            }
            let time = series.times().get(point).copied();
            values.extend(carry.push(self, &ordered, time)?);
        }
        let events = series.events().iter().cloned();
        Series::new(values, self.width())?
            .with_names(&self.all_names())?
            .with_events(events)
    }
}

/// Where a series has come to.
#[derive(Clone, Debug)]
pub(super) struct Carry {
    points: usize,
    /// Of each channel of the series.
    last: Vec<f32>,
    time: f64,
}

impl Carry {
    pub(super) fn new(channels: &Channels) -> Self {
        let means = channels.means.iter();
        Self {
            points: 0,
            last: means.map(|mean| mean.unwrap_or_default()).collect(),
            time: f64::NEG_INFINITY,
        }
    }

    /// Points so far.
    pub(super) fn points(&self) -> usize {
        self.points
    }

    /// The next point with all channels. One that is refused leaves everything as it was.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of values; [`Error::NonFiniteFeature`] with point and channel for an infinite
    /// one, and a gap in a channel that had none in the fit; [`Error::Config`] without a time that is needed, or for one
    /// before the last.
    pub(super) fn push(
        &mut self,
        channels: &Channels,
        values: &[f32],
        time: Option<f64>,
    ) -> Result<Vec<f32>> {
        self.check(channels, values, time)?;
        for (last, &value) in self.last.iter_mut().zip(values) {
            if !value.is_nan() {
                *last = value;
            }
        }
        self.points += 1;
        self.time = time.unwrap_or(self.time);
        let mut all = self.last.clone();
        let gaps = channels.means.iter().zip(values);
        let gaps = gaps.filter_map(|(mean, value)| mean.map(|_| value.is_nan()));
        all.extend(gaps.map(|missing| f32::from(u8::from(missing))));
        for (_, seconds) in channels.clocks() {
            let angle = TAU * self.time.rem_euclid(seconds) / seconds;
            all.extend([angle.sin() as f32, angle.cos() as f32]);
        }
        Ok(all)
    }

    fn check(&self, channels: &Channels, values: &[f32], time: Option<f64>) -> Result<()> {
        if values.len() != channels.raw() {
            return Err(Error::Shape {
                what: "values of a point",
                expected: format!("[{}] as those of the fit", channels.raw()),
                actual: vec![values.len()],
            });
        }
        let is_good = |(&value, mean): (&f32, &Option<f32>)| {
            value.is_finite() || value.is_nan() && mean.is_some()
        };
        if let Some(column) = values.iter().zip(&channels.means).position(|v| !is_good(v)) {
            return Err(Error::NonFiniteFeature {
                what: WHAT,
                row: self.points,
                column,
                value: values[column].into(),
            });
        }
        match time {
            Some(time) => check_time(self.points, self.time, time),
            None if channels.needs_times() => {
                let rule = "known for hour and weekday (`push_at`)";
                Err(Error::config(
                    "times",
                    rule,
                    format!("none at point {}", self.points),
                ))
            }
            None => Ok(()),
        }
    }
}

/// Of `some` what is not among the `others`.
fn without(some: &[String], others: &[String]) -> Vec<String> {
    let lacks = |name: &&String| !others.contains(name);
    some.iter().filter(lacks).cloned().collect()
}
