mod carry;
mod survey;

use serde::{Deserialize, Serialize};

use super::Series;
use super::recording::{WHAT, twice};
use crate::estimator::Column;
use crate::{Error, Result};
pub(in crate::series) use carry::Carry;
pub(in crate::series) use survey::uneven;

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
    /// What the fit saw of each.
    seen: Vec<Seen>,
    hour: bool,
    weekday: bool,
}

/// A channel of the fit's series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// What stands before its first value.
    mean: f32,
    low: f32,
    high: f32,
    /// Whether any value was missing.
    gaps: bool,
}

impl Seen {
    const NOTHING: Self = Self {
        mean: 0.,
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
        gaps: false,
    };
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
            seen: vec![Seen::NOTHING; first.channels()],
            hour,
            weekday,
        };
        let mut known = vec![(0., 0u64); first.channels()];
        for one in series {
            let order = channels.order(one)?;
            for point in 0..one.len() {
                let values = one.at(point);
                for (at, &channel) in order.iter().enumerate() {
                    let (value, seen) = (values[channel], &mut channels.seen[at]);
                    if value.is_nan() {
                        seen.gaps = true;
                        continue;
                    }
                    (seen.low, seen.high) = (seen.low.min(value), seen.high.max(value));
                    known[at] = (known[at].0 + f64::from(value), known[at].1 + 1);
                }
            }
        }
        for (at, (sum, count)) in known.into_iter().enumerate() {
            if count == 0 {
                let rule = "known at one point at least; leave the channel out";
                let value = format!("none of {}", channels.column(at));
                return Err(Error::config(WHAT, rule, value));
            }
            channels.seen[at].mean = (sum / count as f64) as f32;
        }
        Ok(channels)
    }

    /// What a file may hold.
    ///
    /// # Errors
    /// [`Error::Config`] for no channel, names that are not one a channel or not apart, and numbers that are none.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |rule, value| Err(Error::config("channels", rule, value));
        if self.seen.is_empty() {
            return wrong("at least one", "none".into());
        }
        if !self.names.is_empty() && self.names.len() != self.raw() {
            let value = format!("{} of {}", self.names.len(), self.raw());
            return wrong("named all or not at all", value);
        }
        if let Some(name) = twice(&self.names) {
            return wrong("names that differ", format!("{name:?} twice"));
        }
        let numbers = |seen: &Seen| [seen.mean, seen.low, seen.high];
        match self.seen.iter().flat_map(numbers).find(|v| !v.is_finite()) {
            Some(wrong_one) => wrong("of finite numbers", wrong_one.to_string()),
            None => Ok(()),
        }
    }

    /// Of the series; empty where they are not known.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// How many a point has, with those that are made.
    pub(super) fn width(&self) -> usize {
        self.raw() + self.masked().count() + 2 * self.clocks().count()
    }

    /// Of the series.
    pub(super) fn raw(&self) -> usize {
        self.seen.len()
    }

    /// Those that have a channel beside them for their gaps.
    fn masked(&self) -> impl Iterator<Item = usize> {
        (0..self.raw()).filter(|&at| self.seen[at].gaps)
    }

    /// For each channel, those that are made among them, the one of the series that it tells of, or a clock behind them.
    pub(super) fn sources(&self) -> Vec<usize> {
        let clocks = (self.raw()..).zip(self.clocks());
        let clocks = clocks.flat_map(|(at, _)| [at, at]);
        (0..self.raw()).chain(self.masked()).chain(clocks).collect()
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
        let gaps = self
            .masked()
            .map(|at| format!("{} missing", self.names[at]));
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
    fn order<'a>(&'a self, series: &'a Series) -> Result<Vec<usize>> {
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
        let names = |names: &'a [String]| names.iter().map(String::as_str);
        order.ok_or_else(|| Error::columns("series", names(&self.names), names(series.names())))
    }

    fn needs_times(&self) -> bool {
        self.hour || self.weekday
    }

    /// The series' own channels in the order of the fit's.
    ///
    /// # Errors
    /// As [`order`](Self::order).
    pub(super) fn arranged(&self, series: &Series) -> Result<Series> {
        let order = self.order(series)?;
        let points = (0..series.len()).map(|point| series.at(point));
        let values = points.flat_map(|values| order.iter().map(|&channel| values[channel]));
        let names = match series.names() {
            [] => vec![],
            _ => self.names.clone(),
        };
        Ok(series.with_other_channels(values.collect(), self.raw(), names))
    }

    /// A series that is [arranged](Self::arranged), with all channels, and without gaps.
    ///
    /// # Errors
    /// As [`Carry::push`].
    pub(super) fn whole(&self, arranged: &Series) -> Result<Series> {
        let mut carry = Carry::new(self);
        let mut values = Vec::with_capacity(arranged.len() * self.width());
        for point in 0..arranged.len() {
            let time = arranged.times().get(point).copied();
            values.extend(carry.push(self, arranged.at(point), time)?);
        }
        Ok(arranged.with_other_channels(values, self.width(), self.all_names()))
    }

    /// As [`whole`](Self::whole), of a series as it comes.
    ///
    /// # Errors
    /// As there and [`arranged`](Self::arranged).
    pub(super) fn of(&self, series: &Series) -> Result<Series> {
        self.whole(&self.arranged(series)?)
    }
}
