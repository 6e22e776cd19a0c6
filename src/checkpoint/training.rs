use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::container::{self, Contents, Format, Stored};
use crate::Result;
use crate::train::{EpochReport, TrainConfig};

const FORMAT: Format = Format {
    name: "puad training",
    version: 1,
};

/// A training run between two epochs, but for its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainingContent {
    pub(crate) label: String,
    pub(crate) config: TrainConfig,
    /// Hash of both data sets.
    pub(crate) data: u64,
    /// Positions of the random streams, in words; JSON numbers hold 64 bits.
    pub(crate) shuffle: [u64; 2],
    pub(crate) noise: [u64; 2],
    pub(crate) best_epoch: usize,
    pub(crate) best_cost: f64,
    /// Steps of the optimiser, one a parameter.
    pub(crate) steps: Vec<i32>,
    pub(crate) reports: Vec<EpochReport>,
}

/// A training run between two epochs.
pub(crate) struct TrainingFile {
    pub(crate) content: TrainingContent,
    /// Parameters and buffers now, and at the best epoch.
    pub(crate) now: BTreeMap<String, Tensor>,
    pub(crate) best: BTreeMap<String, Tensor>,
    /// First and second moments by parameter.
    pub(crate) first: BTreeMap<String, Tensor>,
    pub(crate) second: BTreeMap<String, Tensor>,
}

impl TrainingFile {
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut tensors = BTreeMap::new();
        for (prefix, group) in [
            ("now.", &self.now),
            ("best.", &self.best),
            ("first.", &self.first),
            ("second.", &self.second),
        ] {
            for (name, tensor) in group {
                tensors.insert(format!("{prefix}{name}"), Stored::tensor(tensor)?);
            }
        }
        container::write(path, &FORMAT, &self.content, tensors)
    }

    pub(crate) fn read(path: &Path, dtype: DType, device: &Device) -> Result<Self> {
        let mut file: Contents<TrainingContent> = container::read(path, &FORMAT)?;
        let mut take = |prefix| file.take_tensors(prefix, dtype, device);
        let (now, best) = (take("now.")?, take("best.")?);
        let (first, second) = (take("first.")?, take("second.")?);
        file.finish()?;
        Ok(Self {
            content: file.content,
            now,
            best,
            first,
            second,
        })
    }
}
