//! The runs that are asked for.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use puad::method::Method;
use puad::series::Series;

use crate::args::Args;
use crate::common::record::Asked;
use crate::common::shard::Shard;
use crate::recording::Recording;
use crate::row::Row;

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Contender {
    /// The variance of the points around each.
    MovingVariance,
    Fitted(Method),
}

impl Contender {
    fn parse(name: &str) -> anyhow::Result<Self> {
        if name.eq_ignore_ascii_case("MovVar") {
            return Ok(Self::MovingVariance);
        }
        let method = name.parse::<Method>();
        Ok(Self::Fitted(
            method.with_context(|| format!("no method {name:?}"))?,
        ))
    }

    pub fn name(&self) -> String {
        match self {
            Self::MovingVariance => "MovVar".into(),
            Self::Fitted(method) => method.to_string(),
        }
    }

    /// Whether labels make a difference.
    fn uses_labels(&self) -> anyhow::Result<bool> {
        match self {
            Self::MovingVariance => Ok(false),
            Self::Fitted(method) => Ok(method.uses_anomalies()?),
        }
    }

    /// Whether a seed does.
    fn is_random(&self) -> bool {
        matches!(self, Self::Fitted(_))
    }
}

/// A run: a method on a series with so many labeled events, 0 for one without a use for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Which of the recordings.
    pub recording: usize,
    pub contender: Contender,
    pub labels: usize,
    pub seed: u64,
}

/// All of them.
pub struct Cells {
    pub recordings: Vec<Recording>,
    pub cells: Vec<Cell>,
}

impl Cells {
    pub fn new(args: &Args, folder: &Path) -> anyhow::Result<Self> {
        let contenders: Vec<Contender> = args
            .methods
            .iter()
            .map(|name| Contender::parse(name))
            .collect::<Result<_, _>>()?;
        let mut recordings = vec![];
        for &set in &args.sets {
            recordings.extend(Recording::all(set, folder)?);
        }
        if args.choosing {
            recordings = recordings
                .iter()
                .filter_map(|recording| recording.choosing().transpose())
                .collect::<Result<_, _>>()?;
        }
        let named = |part: &String, recording: &Recording| recording.name.contains(part.as_str());
        if let Some(part) = args
            .series
            .iter()
            .find(|part| !recordings.iter().any(|r| named(part, r)))
        {
            bail!("no series of the sets has {part:?} in its name");
        }
        recordings
            .retain(|r| args.series.is_empty() || args.series.iter().any(|part| named(part, r)));
        let mut cells = vec![];
        for (at, recording) in recordings.iter().enumerate() {
            for contender in &contenders {
                let labels = if contender.uses_labels()? {
                    recording.set.labels()
                } else {
                    &[0]
                };
                let seeds = if contender.is_random() {
                    recording.set.seeds()
                } else {
                    1
                };
                for &labels in labels {
                    cells.extend(args.seeds.iter().take(seeds).map(|&seed| Cell {
                        recording: at,
                        contender: contender.clone(),
                        labels,
                        seed,
                    }));
                }
            }
        }
        let shard = args.shard.unwrap_or(Shard::WHOLE);
        let mut number = 0..;
        cells.retain(|_| number.next().is_some_and(|i| shard.has(i)));
        Ok(Self { recordings, cells })
    }

    pub fn recording(&self, cell: &Cell) -> &Recording {
        &self.recordings[cell.recording]
    }
}

/// The training part with so many of its events labeled, drawn by the seed; the same ones first for any number.
pub fn labeled(training: &Series, labels: usize, seed: u64) -> anyhow::Result<Series> {
    use rand::SeedableRng;
    use rand::seq::SliceRandom;

    let mut events = training.events().to_vec();
    ensure!(
        labels <= events.len(),
        "{labels} events are to be labeled, and the training part has {}",
        events.len()
    );
    events.shuffle(&mut rand::rngs::StdRng::seed_from_u64(seed));
    events.truncate(labels);
    Ok(training.clone().with_events(events)?)
}

impl Asked<Row> for Cells {
    fn has(&self, row: &Row) -> bool {
        self.cells.iter().any(|cell| {
            let recording = self.recording(cell);
            (row.set, &row.series, &row.method)
                == (recording.set, &recording.name, &cell.contender.name())
                && (row.labels, row.seed) == (cell.labels, cell.seed)
        })
    }

    /// Rows of other runs may stand in the file.
    fn check(&self, _: &Row, _: &Path) -> anyhow::Result<()> {
        Ok(())
    }
}
