//! A series as a building's load is, with events. It was settled before any detector had seen it.

use std::f64::consts::TAU;
use std::ops::Range;

use puad::series::Series;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;

/// Points of a day, a quarter of an hour apart.
pub const DAY: usize = 96;

/// Points from one event's start to that of the next, on average.
const BETWEEN: usize = 2 * DAY;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One to three points far off.
    Spike,
    /// Five to ten hours at another level.
    LevelShift,
    /// Half a day to a day that leads away slowly.
    Drift,
    /// Half a day to a day at four times the speed.
    Frequency,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Spike, Self::LevelShift, Self::Drift, Self::Frequency];

    pub fn name(self) -> &'static str {
        match self {
            Self::Spike => "spikes",
            Self::LevelShift => "level shifts",
            Self::Drift => "drifts",
            Self::Frequency => "changed frequencies",
        }
    }

    fn points(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Self::Spike => 1..=3,
            Self::LevelShift => 20..=40,
            Self::Drift | Self::Frequency => DAY / 2..=DAY,
        }
    }
}

/// An event of a kind, at these points.
#[derive(Clone, Debug)]
pub struct Event {
    pub kind: Kind,
    pub points: Range<usize>,
}

impl Event {
    /// Of a series that begins at the point `first`.
    pub fn moved(&self, first: usize) -> Self {
        let points = self.points.start - first..self.points.end - first;
        Self { points, ..*self }
    }
}

/// So many points, a multiple of two halves that no event crosses, and all events in order.
pub fn generate(points: usize, seed: u64) -> anyhow::Result<(Series, Vec<Event>)> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut noise = 0.;
    let mut values: Vec<f64> = (0..points)
        .map(|t| {
            // Noise that dies away within an hour or two.
            noise = 0.8 * noise + 0.06 * rng.sample::<f64, _>(StandardNormal);
            usual(t) + noise
        })
        .collect();
    let mut events = vec![];
    let mut start = BETWEEN;
    while start + DAY < points {
        let kind = Kind::ALL[rng.random_range(0..Kind::ALL.len())];
        let event = start..start + rng.random_range(kind.points());
        let half = points / 2;
        if event.end <= half || event.start >= half {
            disturb(&mut values, kind, event.clone(), &mut rng);
            events.push(Event {
                kind,
                points: event,
            });
        }
        start += rng.random_range(BETWEEN * 2 / 3..BETWEEN * 4 / 3);
    }
    let values = values.into_iter().map(|value| value as f32).collect();
    Ok((Series::new(values, 1)?.with_names(&["load"])?, events))
}

/// Two humps a day, low at weekends.
fn usual(t: usize) -> f64 {
    let day = (t % DAY) as f64 / DAY as f64;
    let weekend = (t / DAY) % 7 >= 5;
    let hump = |at: f64, width: f64| (-((day - at) / width).powi(2)).exp();
    let load = 1.6 * hump(0.4, 0.12) + 1.1 * hump(0.75, 0.08);
    if weekend { 0.6 * load } else { load }
}

fn disturb(values: &mut [f64], kind: Kind, event: Range<usize>, rng: &mut StdRng) {
    let up = if rng.random() { 1. } else { -1. };
    let n = event.len() as f64;
    for (at, t) in event.enumerate() {
        let share = at as f64 / n;
        values[t] += match kind {
            Kind::Spike => up * 1.5,
            Kind::LevelShift => up * 0.7,
            Kind::Drift => up * share,
            Kind::Frequency => 0.5 * (TAU * 4. * t as f64 / DAY as f64).sin(),
        };
    }
}
