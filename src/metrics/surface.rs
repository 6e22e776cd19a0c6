use super::ranked::check;
use super::{RangeAuc, Thresholds};
use crate::statistics::runs;
use crate::{Error, Result};

/// First and last point.
type Event = (usize, usize);

/// What the curves of all buffers share.
pub(super) struct Surface {
    events: Vec<Event>,
    /// Of each point the first threshold, from the highest, that it is an alarm at.
    first: Vec<usize>,
    /// By threshold: alarms, and those within events.
    alarms: Vec<f64>,
    hits: Vec<f64>,
    /// How far events reach out at present, and of each the first threshold at which an alarm lies within.
    reach: usize,
    touched: Vec<usize>,
    /// Of each point how anomalous it is by its distance to events; 0 between two calls.
    part: Vec<f64>,
}

impl Surface {
    pub(super) fn new(
        metric: &'static str,
        scores: &[f64],
        anomalous: &[bool],
        buffer: usize,
        thresholds: Thresholds,
    ) -> Result<Self> {
        check(metric, scores, anomalous)?;
        if buffer > scores.len() {
            return Err(Error::config(
                "buffer",
                "at most the number of points",
                buffer,
            ));
        }
        let levels = levels(scores, thresholds)?;
        // Equal scores are alarms together, at the first of equal thresholds.
        let first = scores
            .iter()
            .map(|score| levels.partition_point(|level| level > score));
        let first: Vec<usize> = first.collect();
        let counted = |of: &dyn Fn(usize) -> bool| {
            let mut counts = vec![0.; levels.len()];
            for (point, &first) in first.iter().enumerate() {
                if of(point) {
                    counts[first] += 1.;
                }
            }
            summed(counts)
        };
        let (alarms, hits) = (counted(&|_| true), counted(&|point| anomalous[point]));
        let events: Vec<Event> = runs(anomalous)
            .into_iter()
            .map(|run| (run.start, run.end - 1))
            .collect();
        let earliest = |&(start, end): &Event| first[start..=end].iter().copied().min();
        let touched = events.iter().filter_map(earliest).collect();
        Ok(Self {
            part: vec![0.; first.len()],
            reach: 0,
            events,
            first,
            alarms,
            hits,
            touched,
        })
    }

    /// Lets events reach out this far, no less than before.
    pub(super) fn extend(&mut self, reach: usize) {
        for (&(start, end), touched) in self.events.iter().zip(&mut self.touched) {
            for further in self.reach + 1..=reach {
                let around = [start.checked_sub(further), end.checked_add(further)];
                for point in around.into_iter().flatten() {
                    if let Some(&first) = self.first.get(point) {
                        *touched = first.min(*touched);
                    }
                }
            }
        }
        self.reach = reach;
    }

    /// The areas with this buffer, half of which events reach out.
    pub(super) fn under(&mut self, buffer: usize) -> RangeAuc {
        let (near, found) = (self.near(buffer), self.found());
        let n = self.first.len() as f64;
        let points = self.hits[self.hits.len() - 1];
        let mut area = RangeAuc::default();
        let (mut tpr, mut fpr) = (0., 0.);
        for (level, &alarms) in self.alarms.iter().enumerate() {
            let true_alarms = self.hits[level] + near[level];
            let positives = points + near[level] / 2.;
            let rate = (true_alarms / positives).min(1.) * found[level];
            let false_rate = (alarms - true_alarms) / (n - positives);
            area.roc += (false_rate - fpr) * (rate + tpr) / 2.;
            area.pr += (rate - tpr) * true_alarms / alarms;
            (tpr, fpr) = (rate, false_rate);
        }
        area.roc += (1. - fpr) * (1. + tpr) / 2.;
        area
    }

    /// By threshold: how anomalous the alarms outside events are together.
    fn near(&mut self, buffer: usize) -> Vec<f64> {
        let n = self.first.len();
        let mut around = vec![];
        for &(start, end) in &self.events {
            for distance in 1..=self.reach {
                let part = (1. - distance as f64 / buffer as f64).sqrt();
                let behind = (end + distance < n).then_some(end + distance);
                for point in start.checked_sub(distance).into_iter().chain(behind) {
                    self.part[point] += part;
                    around.push(point);
                }
            }
        }
        for &(start, end) in &self.events {
            self.part[start..=end].fill(0.);
        }
        let mut near = vec![0.; self.alarms.len()];
        for point in around {
            // Once, though it may lie near two events.
            near[self.first[point]] += std::mem::take(&mut self.part[point]).min(1.);
        }
        summed(near)
    }

    /// By threshold: the share of events, merged where they reach each other, that hold an alarm.
    fn found(&self) -> Vec<f64> {
        let mut first: Vec<usize> = vec![];
        let mut last_end = None;
        for (&(start, end), &touched) in self.events.iter().zip(&self.touched) {
            let merged =
                last_end.is_some_and(|last| last + self.reach >= start.saturating_sub(self.reach));
            match first.last_mut() {
                Some(earliest) if merged => *earliest = touched.min(*earliest),
                _ => first.push(touched),
            }
            last_end = Some(end);
        }
        let mut found = vec![0.; self.alarms.len()];
        for &level in &first {
            found[level] += 1.;
        }
        let all = first.len() as f64;
        summed(found).into_iter().map(|found| found / all).collect()
    }
}

/// Thresholds from the highest down.
fn levels(scores: &[f64], thresholds: Thresholds) -> Result<Vec<f64>> {
    // Adding 0 makes one of the two zeros.
    let mut sorted: Vec<f64> = scores.iter().map(|score| score + 0.).collect();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    match thresholds {
        Thresholds::All => sorted.dedup(),
        Thresholds::Ranks(ranks) if ranks < 2 => {
            return Err(Error::config("thresholds", "at least 2 ranks", ranks));
        }
        Thresholds::Ranks(ranks) => {
            let last = sorted.len() - 1;
            let step = last as f64 / (ranks - 1) as f64;
            let at = |rank: usize| {
                if rank + 1 == ranks {
                    last
                } else {
                    (rank as f64 * step) as usize
                }
            };
            sorted = (0..ranks).map(|rank| sorted[at(rank)]).collect();
        }
    }
    Ok(sorted)
}

/// Of each the sum up to it.
fn summed(mut values: Vec<f64>) -> Vec<f64> {
    let mut sum = 0.;
    for value in &mut values {
        sum += *value;
        *value = sum;
    }
    values
}
