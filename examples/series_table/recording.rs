//! The series, and where each is cut.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use puad::series::{Series, read_nab, read_value_label};
use serde::{Deserialize, Serialize};

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Set {
    /// Three records of MIT-BIH's supraventricular arrhythmia database.
    Ecg,
    /// The Numenta Anomaly Benchmark.
    Nab,
}

impl Set {
    /// Numbers of labeled events.
    pub fn labels(self) -> &'static [usize] {
        match self {
            Self::Ecg => &[1, 2, 5, 10],
            Self::Nab => &[1],
        }
    }

    /// How many of the seeds.
    pub fn seeds(self) -> usize {
        match self {
            Self::Ecg => usize::MAX,
            Self::Nab => 1,
        }
    }
}

/// A series with all its events.
pub struct Recording {
    pub set: Set,
    pub name: String,
    series: Series,
    /// The first point of the test part.
    cut: usize,
}

impl Recording {
    /// Those of a set, in the order of their names.
    pub fn all(set: Set, folder: &Path) -> anyhow::Result<Vec<Self>> {
        match set {
            Set::Ecg => ["805", "806", "820"]
                .map(|name| ecg(folder, name))
                .into_iter()
                .collect(),
            Set::Nab => nab(folder),
        }
    }

    /// Its training part as a recording of its own; `None` if it has fewer than two events.
    pub fn choosing(&self) -> anyhow::Result<Option<Self>> {
        let series = self.training()?;
        let cut = match self.set {
            Set::Ecg => middle(&series),
            Set::Nab => match halved(series.events()) {
                Some(cut) => cut,
                None => return Ok(None),
            },
        };
        let (set, name) = (self.set, self.name.clone());
        Ok(Some(Self {
            set,
            name,
            series,
            cut,
        }))
    }

    /// The part to train on, with all its events.
    pub fn training(&self) -> anyhow::Result<Series> {
        Ok(self.series.part(0..self.cut)?)
    }

    /// The part to test on, with so many points before it that its first windows have a past.
    pub fn test(&self, past: usize) -> anyhow::Result<Series> {
        Ok(self.series.part(self.cut - past..self.series.len())?)
    }
}

fn ecg(folder: &Path, name: &str) -> anyhow::Result<Recording> {
    let path = folder.join(format!("series/ecg/MBA_ECG{name}_data.out.gz"));
    let series = read_value_label(path)?;
    let cut = middle(&series);
    Ok(Recording {
        set: Set::Ecg,
        name: name.into(),
        series,
        cut,
    })
}

/// Half of the points; an event across is the first part's.
fn middle(series: &Series) -> usize {
    let middle = series.len() / 2;
    let across = series.events().iter().find(|event| event.contains(&middle));
    across.map_or(middle, |event| event.end)
}

/// Series with two events or more.
fn nab(folder: &Path) -> anyhow::Result<Vec<Recording>> {
    let folder = folder.join("series/nab");
    let windows = folder.join("combined_windows.json");
    let text = std::fs::read_to_string(&windows);
    let text = text.with_context(|| format!("cannot read {}", windows.display()))?;
    let all: BTreeMap<String, Vec<[String; 2]>> = serde_json::from_str(&text)?;
    let mut recordings = vec![];
    for (key, spans) in &all {
        let path = folder.join(key.replace('/', "__"));
        if spans.len() < 2 || !path.exists() {
            continue;
        }
        let series = read_nab(path, &windows, key)?;
        // Two that touch are one.
        if let Some(cut) = halved(series.events()) {
            recordings.push(Recording {
                set: Set::Nab,
                name: key
                    .split('/')
                    .next_back()
                    .unwrap_or(key)
                    .replace(".csv", ""),
                series,
                cut,
            });
        }
    }
    ensure!(
        !recordings.is_empty(),
        "{} has no series with two events",
        folder.display()
    );
    Ok(recordings)
}

/// Midway between the two events in the middle; of an odd number one more is before it.
fn halved(events: &[Range<usize>]) -> Option<usize> {
    let after = events.len().div_ceil(2);
    let (last, next) = (events.get(after.checked_sub(1)?)?, events.get(after)?);
    Some((last.end + next.start) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_halved() {
        assert_eq!(halved(&[0..10, 20..30]), Some(15));
        assert_eq!(halved(&[0..10, 20..30, 50..60]), Some(40));
        assert_eq!(halved(std::slice::from_ref(&(0..10))), None);
        assert_eq!(halved(&[]), None);
    }
}
