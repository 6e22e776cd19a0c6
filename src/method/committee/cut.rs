use rand::seq::SliceRandom;

use crate::Result;
use crate::data::{PuDataset, Samples};
use crate::model::Task;
use crate::rng::{Purpose, substream};

/// What each of a committee's rounds is fitted on.
pub(super) struct Round {
    pub(super) train: PuDataset,
    pub(super) validation: PuDataset,
    /// Labeled anomalies that no fit of this round trains on, if it is not the validation part that has them.
    pub(super) held: Option<Held>,
}

pub(super) struct Held {
    pub(super) samples: Samples,
    /// Their rows among all labeled anomalies.
    pub(super) rows: Vec<usize>,
}

/// So many rounds. Where the validation part has no labeled anomalies, though there are some, each round validates on
/// another fold of them, and trains on the others.
pub(super) fn rounds(task: &Task<'_>, folds: usize) -> Result<Vec<Round>> {
    let same = || Round {
        train: task.train.clone(),
        validation: task.validation.clone(),
        held: None,
    };
    let anomalies = match (task.train.anomalies(), task.validation.anomalies()) {
        (Some(anomalies), None) if anomalies.len() > 1 => anomalies,
        _ => return Ok((0..folds).map(|_| same()).collect()),
    };
    let units = anomalies.units_to_part();
    let folds = folds.min(units.len());
    let mut order: Vec<u32> = (0..units.len() as u32).collect();
    let seed = task.trainer.config().seed;
    order.shuffle(&mut substream(seed, Purpose::Committee, u64::MAX));
    let round = |fold: usize| {
        let rows = |held: bool| -> Vec<u32> {
            let mut own: Vec<u32> = Vec::new();
            for (at, &unit) in order.iter().enumerate() {
                if (at % folds == fold) == held {
                    own.extend_from_slice(units.get(unit));
                }
            }
            own.sort_unstable();
            own
        };
        let held = rows(true);
        let samples = anomalies.select(&held)?;
        Ok(Round {
            train: with(task.train, anomalies.select(&rows(false))?)?,
            validation: with(task.validation, samples.clone())?,
            held: Some(Held {
                samples,
                rows: held.into_iter().map(|row| row as usize).collect(),
            }),
        })
    };
    (0..folds).map(round).collect()
}

/// The same with these labeled anomalies.
fn with(data: &PuDataset, anomalies: Samples) -> Result<PuDataset> {
    let other = PuDataset::new(data.unlabeled().clone())?.with_anomalies(anomalies)?;
    match data.normals() {
        Some(normals) => other.with_normals(normals.clone()),
        None => Ok(other),
    }
}
