use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::container::{self, Contents, Format, Stored};

use crate::train::{EpochReport, TrainConfig};
use crate::{Error, Result};

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

impl TrainingContent {
    /// What holds of every run, whatever its data and network.
    fn check(&self) -> Result<()> {
        let epochs = self.reports.len();
        if self.best_epoch > epochs {
            let rule = "at most the number of epochs";
            return Err(Error::config("best_epoch", rule, self.best_epoch));
        }
        let numbered = |(i, report): (usize, &EpochReport)| report.epoch != i + 1;
        if let Some((_, report)) = self.reports.iter().enumerate().find(|&r| numbered(r)) {
            return Err(Error::config("epoch", "counted from 1", report.epoch));
        }
        match self.steps.iter().find(|&&steps| steps < 0) {
            Some(steps) => Err(Error::config("steps", "at least 0", steps)),
            None => Ok(()),
        }
    }
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
        file.content.check().map_err(|e| file.wrong(e))?;
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

#[cfg(test)]
mod tests {
    use super::super::CheckpointError;
    use super::super::container::tests::rewrite;
    use super::*;
    use crate::data::toy::{self, ToyConfig};
    use crate::method::Method;
    use crate::{Estimator, FitConfig};
    use serde_json::{Value, json};

    /// Changes the file of a finished run of three epochs, and what the run then says of it.
    fn resumed(change: impl FnOnce(&mut Value, &mut BTreeMap<String, Stored>)) -> CheckpointError {
        let config = ToyConfig {
            normals: 20,
            unlabeled_anomalies: 4,
            labeled_anomalies: 4,
            ..Default::default()
        };
        let toy = toy::generate(&config, 0).unwrap();
        let mut config = FitConfig {
            method: Some(Method::PUSVDD),
            ..Default::default()
        };
        config.train.epochs = 3;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        let run = || {
            Estimator::new(config.clone())
                .with_checkpoints(&path, 1)
                .fit(&toy.normals, &toy.labeled_anomalies)
        };
        run().unwrap();
        rewrite(&path, change);
        match run().unwrap_err() {
            Error::Checkpoint(problem) => problem,
            other => panic!("{other}"),
        }
    }

    /// Found by fuzzing: the epochs since the best one were fewer than none.
    #[test]
    fn runs_that_cannot_have_been_are_errors() {
        for (place, value) in [
            ("/content/best_epoch", json!(4)),
            ("/content/best_epoch", json!(u64::MAX)),
            ("/content/reports/1/epoch", json!(1)),
            ("/content/reports", json!([])),
            ("/content/steps/0", json!(-1)),
            ("/content/steps/0", json!(i32::MIN)),
        ] {
            let problem = resumed(|text, _| *text.pointer_mut(place).unwrap() = value.clone());
            assert!(
                matches!(problem, CheckpointError::Content { .. }),
                "{place} {value}: {problem}"
            );
        }
    }

    /// Moments of something that is not trained, in the place of a parameter's.
    #[test]
    fn moments_must_be_of_the_parameters() {
        for group in ["first.", "second."] {
            let problem = resumed(|_, tensors| {
                let center = tensors["now.center"].shape().to_vec();
                let name = tensors.keys().find(|name| name.starts_with(group));
                let name = name.unwrap().clone();
                tensors.remove(&name);
                tensors.insert(format!("{group}center"), Stored::f32s(&center, 0.));
            });
            assert!(
                matches!(
                    problem,
                    CheckpointError::OtherRun {
                        what: "network",
                        ..
                    }
                ),
                "{group}: {problem}"
            );
        }
    }
}
