use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::checkpoint::{self, Contents, Format, Stored};
use crate::error::Source;
use crate::train::EpochReport;
use crate::{Error, Result};

const FORMAT: Format = Format {
    name: "puad training",
    version: 2,
    upgrade,
};

/// In front of the optimiser's numbers.
const NUMBER: &str = "number.";

/// Raised when a default of the settings that name a run changes its value: they are stored without
/// their defaults.
pub(super) const SETTINGS_VERSION: u64 = 3;

fn upgrade(_: u64, _: Value) -> Result<Value, Source> {
    Err("a run of format 1 cannot be resumed: delete the file to start again".into())
}

/// A training run between two epochs, but for its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainingContent {
    pub(super) label: String,
    pub(super) settings_version: u64,
    /// The training settings, without defaults.
    pub(super) train: Value,
    pub(super) selection: String,
    pub(super) optimizer: String,
    pub(super) optimizer_settings: Value,
    /// Hash of both data sets.
    pub(super) data: u64,
    /// Positions of the random streams.
    pub(super) shuffle: [u64; 2],
    pub(super) noise: [u64; 2],
    pub(super) best_epoch: usize,
    pub(super) best_cost: f64,
    /// Steps of the optimiser.
    pub(super) steps: BTreeMap<String, u64>,
    pub(super) reports: Vec<EpochReport>,
}

/// A training run between two epochs.
pub(super) struct TrainingFile {
    pub(super) content: TrainingContent,
    /// Parameters and buffers now, and at the best epoch.
    pub(super) now: BTreeMap<String, Tensor>,
    pub(super) best: BTreeMap<String, Tensor>,
    /// What the optimiser remembers.
    pub(super) optimizer: BTreeMap<String, Tensor>,
    pub(super) numbers: BTreeMap<String, f64>,
}

impl TrainingContent {
    /// What holds of every run, whatever its data and network.
    fn check(&self) -> Result<()> {
        let epochs = self.reports.len();
        if self.best_epoch > epochs {
            let rule = "at most the number of epochs";
            return Err(Error::config("best_epoch", rule, self.best_epoch));
        }
        let numbered = |(i, report): (usize, &EpochReport)| report.epoch != i + 1;
        match self.reports.iter().enumerate().find(|&r| numbered(r)) {
            Some((_, report)) => Err(Error::config("epoch", "counted from 1", report.epoch)),
            None => Ok(()),
        }
    }
}

impl TrainingFile {
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut tensors = BTreeMap::new();
        for (prefix, group) in [
            ("now.", &self.now),
            ("best.", &self.best),
            ("optimizer.", &self.optimizer),
        ] {
            for (name, tensor) in group {
                tensors.insert(format!("{prefix}{name}"), Stored::tensor(tensor)?);
            }
        }
        // As tensors, because JSON has no infinity.
        for (name, &number) in &self.numbers {
            tensors.insert(format!("{NUMBER}{name}"), Stored::f64s(&[number]));
        }
        checkpoint::write(path, &FORMAT, &self.content, tensors)
    }

    pub(super) fn read(path: &Path, dtype: DType, device: &Device) -> Result<Self> {
        let mut file: Contents<TrainingContent> = checkpoint::read(path, &FORMAT)?;
        file.content.check().map_err(|e| file.wrong(e))?;
        let mut take = |prefix| file.take_tensors(prefix, dtype, device);
        let (now, best) = (take("now.")?, take("best.")?);
        let numbers = numbers(&mut file)?;
        // An optimiser may be more exact than the parameters.
        let optimizer = file.take_floats("optimizer.")?.into_iter();
        let optimizer = optimizer.map(|(name, tensor)| Ok((name, tensor.to_device(device)?)));
        let optimizer = optimizer.collect::<Result<_>>()?;
        file.finish()?;
        Ok(Self {
            content: file.content,
            now,
            best,
            optimizer,
            numbers,
        })
    }
}

fn numbers(file: &mut Contents<TrainingContent>) -> Result<BTreeMap<String, f64>> {
    let taken = file.take_tensors(NUMBER, DType::F64, &Device::Cpu)?;
    let number = |(name, tensor): (String, Tensor)| match tensor.flatten_all()?.to_vec1()?[..] {
        [number] => Ok((name, number)),
        ref other => {
            let rule = "one each";
            let error = Error::config("numbers of the optimiser", rule, other.len());
            Err(file.wrong(error).into())
        }
    };
    taken.into_iter().map(number).collect()
}
