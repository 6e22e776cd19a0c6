use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::Usual;
use super::config::ColumnEncoding;
use super::number::{Number, sorted};
use super::rows::Rule;

const DAY: f64 = 86_400.;

/// Of 1970-01-01 on.
const WEEKDAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

/// A point in time as a number, as the hour of its day and as its day of the week, in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Time {
    value: Number,
    instant: bool,
    hour: bool,
    weekday: bool,
    /// Seconds of the day from which to which nine tenths of the training rows lie, over midnight where the first
    /// is the larger.
    hours: (f64, f64),
}

impl Time {
    pub(super) fn fit(seconds: &[f64], rows: &[usize], config: &ColumnEncoding) -> Self {
        let plain = ColumnEncoding {
            logarithm: false,
            ..config.clone()
        };
        let of_day: Vec<f64> = seconds.iter().map(|time| time.rem_euclid(DAY)).collect();
        Self {
            hours: arc(&sorted(&of_day, rows)),
            value: Number::fit(seconds, rows, &plain),
            instant: config.instant,
            hour: config.hour,
            weekday: config.weekday,
        }
    }

    pub(super) fn is_instant(&self) -> bool {
        self.instant
    }

    pub(super) fn width(&self) -> usize {
        let parts = 2 * usize::from(self.hour) + 7 * usize::from(self.weekday);
        self.value.width() - 1 + usize::from(self.instant) + parts
    }

    pub(super) fn push(&self, seconds: f64, out: &mut Vec<f64>) -> Result<(), Rule> {
        let start = out.len();
        self.value.push(seconds, out)?;
        let filled = out[start];
        if !self.instant {
            out.truncate(start);
        }
        if self.hour {
            let angle = TAU * filled.rem_euclid(DAY) / DAY;
            out.extend([angle.sin(), angle.cos()]);
        }
        if self.weekday {
            let day = (filled / DAY).floor().rem_euclid(7.) as usize;
            out.extend((0..7).map(|i| f64::from(u8::from(i == day))));
        }
        self.value.push_missing(seconds, out);
        Ok(())
    }

    pub(super) fn usual(&self, seconds: f64) -> Usual {
        match self.value.usual(seconds) {
            // By its hour, where it is no other time than usual.
            Usual::Range(low, high)
                if self.instant && !(self.hour && (low..=high).contains(&seconds)) =>
            {
                Usual::Times(low, high)
            }
            Usual::Range(..) => Usual::Hours(self.hours.0, self.hours.1),
            other => other,
        }
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        // The number, and behind it whether it is missing.
        let mut own = self.value.names(column);
        let missing = own.split_off(1);
        let part = |part: &str| format!("{column} ({part})");
        let instant = own.into_iter().filter(|_| self.instant);
        let hour = ["hour, sine", "hour, cosine"]
            .into_iter()
            .filter(|_| self.hour);
        let weekday = WEEKDAYS.into_iter().filter(|_| self.weekday);
        let parts = hour.chain(weekday).map(part);
        instant.chain(parts).chain(missing).collect()
    }

    /// # Errors
    /// What is wrong with numbers from a file.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let (low, high) = self.hours;
        let of_day = |seconds: f64| (0. ..=DAY).contains(&seconds);
        (of_day(low) && of_day(high))
            .then_some(())
            .ok_or("hours of a day")?;
        self.value.check()
    }
}

/// The shortest part of the day in which nine tenths of these seconds of it lie, sorted: a night's shift goes on
/// behind midnight.
fn arc(sorted: &[f64]) -> (f64, f64) {
    let n = sorted.len();
    let held = (9 * n).div_ceil(10);
    let arcs = (0..n).map(|first| {
        let last = (first + held - 1) % n;
        let midnight = if last < first { DAY } else { 0. };
        let length = sorted[last] - sorted[first] + midnight;
        (length, (sorted[first], sorted[last]))
    });
    let shortest = arcs.min_by(|(a, _), (b, _)| a.total_cmp(b));
    shortest.map_or((0., 0.), |(_, arc)| arc)
}

#[cfg(test)]
mod tests {
    use super::super::config::Gaps;
    use super::*;

    /// 2026-01-03 is a Saturday.
    const SATURDAY: f64 = 1_767_398_400.;

    fn encoded(time: &Time, seconds: f64) -> Vec<f64> {
        let mut out = vec![];
        time.push(seconds, &mut out).unwrap();
        assert_eq!(out.len(), time.width());
        assert_eq!(out.len(), time.names("at").len());
        out
    }

    #[test]
    fn hours_lie_on_a_circle_and_weekdays_have_a_column_each() {
        let config = ColumnEncoding {
            hour: true,
            weekday: true,
            instant: false,
            ..ColumnEncoding::default()
        };
        let time = Time::fit(&[SATURDAY], &[0], &config);
        let row = encoded(&time, SATURDAY + 6. * 3600.);
        assert!((row[0] - 1.).abs() < 1e-12 && row[1].abs() < 1e-12);
        assert_eq!(row[2..], [0., 0., 1., 0., 0., 0., 0.]);
        assert_eq!(time.usual(SATURDAY).to_string(), "usually 00:00 to 00:00");
        assert_eq!(time.names("at")[4], "at (Saturday)");
        // The second before 1970 was a Wednesday's.
        let row = encoded(&time, -1.);
        assert!((row[1] - 1.).abs() < 1e-6);
        assert_eq!(row[2..], [0., 0., 0., 0., 0., 0., 1.]);
        assert_eq!(time.push(f64::NAN, &mut vec![]), Err(Rule::Gap));
    }

    #[test]
    fn a_time_is_a_number_unless_other_parts_are_asked_for() {
        let time = Time::fit(&[1., 5.], &[0, 1], &ColumnEncoding::default());
        assert_eq!(encoded(&time, 7.), [7.]);
        assert_eq!(time.usual(7.), Usual::Times(1., 5.));
        let config = ColumnEncoding {
            gaps: Gaps::Fill,
            hour: true,
            ..ColumnEncoding::default()
        };
        let filled = Time::fit(&[0., 0., 5.], &[0, 1], &config);
        assert_eq!(
            filled.names("at"),
            ["at", "at (hour, sine)", "at (hour, cosine)", "at (missing)"]
        );
        assert_eq!(encoded(&filled, f64::NAN), [0., 0., 1., 1.]);
    }
    #[test]
    fn usual_hours_may_go_on_behind_midnight() {
        let hours = |hours: &[f64]| {
            let seconds: Vec<f64> = hours.iter().map(|hour| SATURDAY + 3600. * hour).collect();
            let rows: Vec<usize> = (0..seconds.len()).collect();
            let config = ColumnEncoding {
                hour: true,
                instant: false,
                ..ColumnEncoding::default()
            };
            let time = Time::fit(&seconds, &rows, &config);
            time.check().unwrap();
            time.usual(SATURDAY).to_string()
        };
        assert_eq!(hours(&[22., 23., 24., 25., 26.]), "usually 22:00 to 02:00");
        let day: Vec<f64> = (0..20).map(|i| 8. + f64::from(i) / 2.).collect();
        // Two of twenty lie elsewhere.
        assert_eq!(hours(&day), "usually 08:00 to 16:30");
        assert_eq!(hours(&[7., 7., 7.]), "usually 07:00 to 07:00");
        assert_eq!(hours(&[f64::NAN]), "usually 00:00 to 00:00");
    }
}
