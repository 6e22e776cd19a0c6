use std::f64::consts::TAU;

use super::Channels;
use crate::series::recording::{WHAT, check_time};
use crate::{Error, Result};

/// Where a series has come to.
#[derive(Clone, Debug)]
pub(in crate::series) struct Carry {
    points: usize,
    /// Of each channel of the series.
    last: Vec<f32>,
    time: f64,
}

impl Carry {
    pub(in crate::series) fn new(channels: &Channels) -> Self {
        Self {
            points: 0,
            last: channels.seen.iter().map(|seen| seen.mean).collect(),
            time: f64::NEG_INFINITY,
        }
    }

    /// Points so far.
    pub(in crate::series) fn points(&self) -> usize {
        self.points
    }

    /// The next point with all channels. One that is refused leaves everything as it was.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of values; [`Error::NonFiniteFeature`] with point and channel for an infinite
    /// one; [`Error::Config`] without a time that is needed, or for one
    /// before the last.
    pub(in crate::series) fn push(
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
        let gaps = channels.masked().map(|at| values[at].is_nan());
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
        if let Some(column) = values.iter().position(|value| value.is_infinite()) {
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
