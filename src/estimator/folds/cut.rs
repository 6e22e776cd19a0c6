use rand::seq::SliceRandom;

use super::Folds;
use crate::Result;
use crate::data::{PuDataset, Samples, Units};
use crate::rng::{Purpose, substream};

/// Numbers of the two parts' random streams: each has one for a group.
pub(super) const TRAIN: u64 = 0;
pub(super) const VALIDATION: u64 = 8;
/// Beside them, those of the unlabeled samples that are trained on.
const ROWS: u64 = 16;

/// What a fold's model does not see of one part; a list each, empty where the part has none to spare.
pub(super) struct Held {
    pub(super) unlabeled: Vec<Samples>,
    pub(super) anomalies: Vec<Samples>,
}

/// One part without the samples of fold `index`, and these. Of a group with fewer samples than folds nothing is held
/// out where that would leave none.
pub(super) fn fold(
    part: &PuDataset,
    folds: &Folds<'_>,
    stream: u64,
    index: usize,
) -> Result<(PuDataset, Held)> {
    let cut = |samples: &Samples, group: u64| -> Result<(Vec<u32>, Vec<Samples>)> {
        let (kept, held) = positions(&samples.units(), folds, stream + group, index);
        let held = if held.is_empty() {
            vec![]
        } else {
            vec![samples.select(&held)?]
        };
        Ok((kept, held))
    };
    let (kept, held_unlabeled) = cut(part.unlabeled(), 0)?;
    let kept = at_most(kept, folds, stream + index as u64);
    let mut rest = PuDataset::new(part.unlabeled().select(&kept)?)?;
    let mut held = Held {
        unlabeled: held_unlabeled,
        anomalies: vec![],
    };
    if let Some(anomalies) = part.anomalies() {
        let (kept, held_anomalies) = cut(anomalies, 1)?;
        rest = rest.with_anomalies(anomalies.select(&kept)?)?;
        held.anomalies = held_anomalies;
    }
    if let Some(normals) = part.normals() {
        rest = rest.with_normals(normals.select(&cut(normals, 2)?.0)?)?;
    }
    Ok((rest, held))
}

/// The positions outside of fold `index` and within it, each in order, of whole units.
fn positions(units: &Units, folds: &Folds<'_>, stream: u64, index: usize) -> (Vec<u32>, Vec<u32>) {
    let n = units.len();
    if n < 2 {
        return (units.all(), vec![]);
    }
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.shuffle(&mut substream(folds.seed, Purpose::Folds, stream));
    let within = |place: usize| place * folds.folds / n.max(folds.folds) == index;
    let (mut held, mut kept) = (vec![], vec![]);
    for (place, &unit) in order.iter().enumerate() {
        let part = if within(place) { &mut held } else { &mut kept };
        part.extend_from_slice(units.get(unit));
    }
    held.sort_unstable();
    kept.sort_unstable();
    (kept, held)
}

fn at_most(mut positions: Vec<u32>, folds: &Folds<'_>, stream: u64) -> Vec<u32> {
    if positions.len() > folds.rows {
        let mut rng = substream(folds.seed, Purpose::Folds, ROWS + stream);
        positions.partial_shuffle(&mut rng, folds.rows);
        let drawn = positions.len() - folds.rows;
        positions.drain(..drawn);
        positions.sort_unstable();
    }
    positions
}
