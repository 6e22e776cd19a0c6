mod blocks;
mod suited;

use std::ops::Range;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::recording::merged;
use super::{PointScores, Series};

use crate::data::{PuDataset, Samples};
use crate::{Error, Result};
use blocks::Blocks;

/// Windows of labeled events, at most.
const LABELED: usize = 10_000;

/// How series are cut into windows.
///
/// A window is `length` points, a sample of `length x channels` values, point by point. It is labeled by its *suspect* part,
/// its last points: anomalous where that holds a point of a labeled event. What lies before is its past. The next window
/// begins `suspect` points later, so that the suspect parts of all cover each point but the first `length - suspect`
/// once; a last window ends with the series, and stands for the points that are left.
///
/// ```
/// use puad::series::{Series, Windows};
///
/// let windows = Windows { length: 4, suspect: 2, stride: 2 };
/// let series = Series::new((0..9).map(|t| t as f32).collect(), 1)?;
/// let samples = windows.samples(&series)?.to_tensor()?.to_vec2::<f32>()?;
/// assert_eq!(samples, [[0., 1., 2., 3.], [2., 3., 4., 5.], [4., 5., 6., 7.], [5., 6., 7., 8.]]);
/// let scores = windows.points(&series, &[0.1, 0.2, 0.3, 0.9])?;
/// assert_eq!(scores.first(), 2);
/// assert_eq!(scores.known(), [0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.9]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// Points of a window, >= 1: the series' period, say.
    pub length: usize,
    /// Points at its end that it is labeled and scored for, in `1..=length`.
    pub suspect: usize,
    /// Points from one unlabeled window that is trained on to the next, >= 1: fewer than `suspect` make more samples of a
    /// short series, more spare time on a long one. How a series is scored does not depend on it.
    pub stride: usize,
}

impl Windows {
    /// Of this length, an eighth of it suspect, one point at least, and the stride.
    pub fn of(length: usize) -> Self {
        let suspect = (length / 8).max(1);
        Self {
            length,
            suspect,
            stride: suspect,
        }
    }

    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if self.length == 0 {
            return Err(Error::config("length", "at least 1", 0));
        }
        if !(1..=self.length).contains(&self.suspect) {
            let rule = "at least 1, and at most the window's length";
            return Err(Error::config("suspect", rule, self.suspect));
        }
        if self.stride == 0 {
            return Err(Error::config("stride", "at least 1", 0));
        }
        Ok(())
    }

    /// All windows of a series, in order: `length x channels` values each, named by the channel and how many points before
    /// the window's last one it is (`door -3`) where channels have names.
    ///
    /// # Errors
    /// [`Error::Config`] as [`check`](Self::check), and for a series shorter than a window; [`Error::NonFiniteFeature`] with
    /// point and channel for a gap.
    pub fn samples(&self, series: &Series) -> Result<Samples> {
        series.check_without_gaps()?;
        let starts = self.starts(series.len(), self.suspect)?;
        let windows: Vec<_> = starts.map(|start| (0, start)).collect();
        self.cut(std::slice::from_ref(series), &windows)
    }

    /// As [`samples`](Self::samples), `size` windows at a time.
    ///
    /// # Errors
    /// As there, but for gaps, of which there are none.
    pub(super) fn batches(
        &self,
        series: &Series,
        size: usize,
    ) -> Result<impl Iterator<Item = Result<Samples>>> {
        let starts: Vec<usize> = self.starts(series.len(), self.suspect)?.collect();
        let count = starts.len().div_ceil(size);
        Ok((0..count).map(move |batch| {
            let starts = starts.iter().skip(batch * size).take(size);
            let windows: Vec<_> = starts.map(|&start| (0, start)).collect();
            self.cut(std::slice::from_ref(series), &windows)
        }))
    }

    /// The window that gives a point its score.
    ///
    /// # Errors
    /// As [`batches`](Self::batches).
    pub(super) fn around(&self, series: &Series, point: usize) -> Result<Samples> {
        let mut starts = self.starts(series.len(), self.suspect)?;
        let start = starts.find(|start| start + self.length > point);
        self.cut(std::slice::from_ref(series), &[(0, start.unwrap_or(0))])
    }

    /// The windows of several series: all whose suspect part holds a point of a labeled event as labeled anomalies, however
    /// the event lies in them, and every `stride`-th of the others as unlabeled samples; but those that hold labeled points in
    /// their past alone are left out: they are unusual, and no anomalies. Of events of more than 10,000 windows together as
    /// many are left out as make about that, but no two in a row of `suspect` are.
    ///
    /// They are parted as [blocks](Samples::with_blocks). Events are one block each, those less than a window apart together.
    /// Of unlabeled windows it is stretches of time: about 20 of all series, as far as each can be ten windows long. A
    /// window across the border of two stretches is left out, so that no point is both trained and validated on unless a
    /// labeled event is near it. Where there is one stretch of less than four windows alone, its windows are parted one by one.
    ///
    /// # Errors
    /// As [`samples`](Self::samples) for any of them; [`Error::Shape`] for another number of channels than the first one's,
    /// [`Error::EmptyGroup`] if no window is left unlabeled, or there is no series.
    pub fn dataset(&self, series: &[Series]) -> Result<PuDataset> {
        self.check_series(series)?;
        let lengths: Vec<usize> = series.iter().map(Series::len).collect();
        let step = self.labeled_step(series);
        let (mut unlabeled, mut anomalous) = (Parts::default(), Parts::default());
        let (mut stretches, mut events) = (0, 0);
        for (index, (one, blocks)) in series
            .iter()
            .zip(Blocks::of(&lengths, self.length))
            .enumerate()
        {
            let together = together(one.events(), self.length);
            for start in self.starts(one.len(), 1)? {
                let window = start..start + self.length;
                let suspect = self.suspect_part(start);
                if let Some(event) = touched(one.events(), &suspect) {
                    if start.is_multiple_of(step) {
                        anomalous.push((index, start), events + together[event]);
                    }
                } else if start.is_multiple_of(self.stride)
                    && touched(one.events(), &window).is_none()
                    && let Some(block) = blocks.around(&window)
                {
                    unlabeled.push((index, start), stretches + block);
                }
            }
            stretches += blocks.count();
            events += together.last().map_or(0, |last| last + 1);
        }
        if unlabeled.windows.is_empty() {
            let (what, group) = ("windows of series", "unlabeled");
            return Err(Error::EmptyGroup { what, group });
        }
        let group = |parts: Parts| {
            let samples = self.cut(series, &parts.windows)?;
            samples.with_blocks(&parts.blocks)
        };
        let data = PuDataset::new(group(unlabeled)?)?;
        if anomalous.windows.is_empty() {
            return Ok(data);
        }
        data.with_anomalies(group(anomalous)?)
    }

    /// # Errors
    /// As [`dataset`](Self::dataset), but for groups.
    fn check_series(&self, series: &[Series]) -> Result<()> {
        self.check()?;
        for (index, one) in series.iter().enumerate() {
            one.check_without_gaps()?;
            if one.len() < self.length {
                let rule = "at most the number of points of each series";
                let value = format!("{}, and series {index} has {}", self.length, one.len());
                return Err(Error::config("length", rule, value));
            }
            let channels = series[0].channels();
            if one.channels() != channels {
                return Err(Error::Shape {
                    what: "series",
                    expected: format!("[points, {channels}] as the first one"),
                    actual: vec![one.len(), one.channels()],
                });
            }
        }
        Ok(())
    }

    /// Points between labeled windows that are taken.
    fn labeled_step(&self, series: &[Series]) -> usize {
        let events = series.iter().flat_map(Series::events);
        let windows: usize = events.map(|event| event.len() + self.suspect - 1).sum();
        windows.div_ceil(LABELED).clamp(1, self.suspect)
    }

    /// The share of windows whose suspect part holds a point of these events, in any order, of a series of so many points:
    /// the class prior that goes with them. It is larger than their share of points, as a suspect part counts in full for one of them.
    ///
    /// ```
    /// use puad::series::Windows;
    ///
    /// // 10 of 1,000 points in one event: of the windows with 8 suspect points 2 of 125 hold some.
    /// let windows = Windows { length: 8, suspect: 8, stride: 8 };
    /// assert_eq!(windows.share(1000, &[96..106])?, 2. / 125.);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`check`](Self::check), and for fewer points than a window's.
    pub fn share(&self, points: usize, events: &[Range<usize>]) -> Result<f64> {
        let events = merged(events.to_vec());
        let (mut all, mut hit) = (0, 0);
        for start in self.starts(points, self.suspect)? {
            all += 1;
            hit += usize::from(touched(&events, &self.suspect_part(start)).is_some());
        }
        Ok(hit as f64 / all as f64)
    }

    /// The scores of all windows of a series, in order, at their points: each point has that of the first window whose
    /// suspect part holds it.
    ///
    /// # Errors
    /// As [`samples`](Self::samples); [`Error::Length`] unless there is a score a window.
    pub fn points(&self, series: &Series, scores: &[f64]) -> Result<PointScores> {
        let starts: Vec<usize> = self.starts(series.len(), self.suspect)?.collect();
        Error::check_lengths(("scores", scores.len()), ("windows", starts.len()))?;
        let first = self.length - self.suspect;
        let mut known = Vec::with_capacity(series.len() - first);
        for (start, &score) in starts.into_iter().zip(scores) {
            known.resize(start + self.length - first, score);
        }
        Ok(PointScores { first, known })
    }

    fn suspect_part(&self, start: usize) -> Range<usize> {
        let end = start + self.length;
        end - self.suspect..end
    }

    /// Where windows begin: every `step` points, and one that ends with the series.
    fn starts(&self, points: usize, step: usize) -> Result<impl Iterator<Item = usize> + use<>> {
        self.check()?;
        let Some(last) = points.checked_sub(self.length) else {
            let rule = "at most the number of points of the series";
            let value = format!("{}, and the series has {points}", self.length);
            return Err(Error::config("length", rule, value));
        };
        let rest = (!last.is_multiple_of(step)).then_some(last);
        Ok((0..=last).step_by(step).chain(rest))
    }

    /// These windows, by series and first point; at least one, of series without gaps.
    fn cut(&self, series: &[Series], windows: &[(usize, usize)]) -> Result<Samples> {
        let channels = series[windows[0].0].channels();
        let mut values = Vec::with_capacity(windows.len() * self.length * channels);
        for &(index, start) in windows {
            values.extend_from_slice(series[index].values(start..start + self.length));
        }
        let shape = (windows.len(), self.length * channels);
        let samples = Samples::from(Tensor::from_vec(values, shape, &Device::Cpu)?);
        samples.with_names(&self.columns(&series[windows[0].0]))
    }

    fn columns(&self, series: &Series) -> Vec<String> {
        let before = (0..self.length).rev();
        let of_point = |before| {
            let column = move |name: &String| match before {
                0 => name.clone(),
                before => format!("{name} -{before}"),
            };
            series.names().iter().map(column)
        };
        before.flat_map(of_point).collect()
    }
}

/// Windows, by series and first point, and the block of each.
#[derive(Default)]
struct Parts {
    windows: Vec<(usize, usize)>,
    blocks: Vec<u32>,
}

impl Parts {
    fn push(&mut self, window: (usize, usize), block: u32) {
        self.windows.push(window);
        self.blocks.push(block);
    }
}

/// Numbers of events, in order and apart, the same for those less than a window apart.
fn together(events: &[Range<usize>], length: usize) -> Vec<u32> {
    let mut number = 0;
    let mut last: Option<usize> = None;
    let number = events.iter().map(|event| {
        if last.is_some_and(|end| event.start - end >= length) {
            number += 1;
        }
        last = Some(event.end);
        number
    });
    number.collect()
}

/// The first of the events, in order and apart, that has a point in common with `points`.
fn touched(events: &[Range<usize>], points: &Range<usize>) -> Option<usize> {
    let at = events.partition_point(|event| event.end <= points.start);
    events.get(at).filter(|event| event.start < points.end)?;
    Some(at)
}
