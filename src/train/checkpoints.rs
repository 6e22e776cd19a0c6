use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Where and how often a training run is saved, so that it can go on after it was killed.
///
/// A run that finds the file goes on from it, and ends with the same parameters, bit for bit, as
/// one that was never interrupted; killed at any moment it loses at most `every` epochs. The file
/// also holds the end of a run, which is then not run again.
///
/// ```
/// use puad::train::{Checkpoints, TrainConfig, Trainer};
///
/// let every_tenth = Checkpoints {
///     every: 10,
///     label: "PUAE, alpha = 0.1".into(),
///     ..Checkpoints::new("run.safetensors")
/// };
/// let trainer = Trainer::new(TrainConfig::default())?.with_checkpoints(every_tenth)?;
///
/// let never = Checkpoints { every: 0, ..Checkpoints::new("run.safetensors") };
/// assert!(trainer.with_checkpoints(never).is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoints {
    /// The file. A pre-training has its own beside it, with `.pretraining` appended, and its second and
    /// further runs `.pretraining-2` and so on. So has each network of a
    /// [`Committee`](crate::method::Committee), with `.member-0` appended and so on.
    pub path: PathBuf,
    /// Epochs between two writes, >= 1.
    pub every: usize,
    /// Anything that tells this run from others which the training settings and the data do not,
    /// such as the objective: a file with another label is refused.
    pub label: String,
}

impl Checkpoints {
    /// Every epoch, without a label.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            every: 1,
            label: String::new(),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        match self.every {
            0 => Err(Error::config("every", "at least 1", 0)),
            _ => Ok(()),
        }
    }

    /// Those of a pre-training's run number `run`, counted from 1.
    pub(super) fn pretraining(&self, run: u64) -> Self {
        self.beside(&match run {
            1 => ".pretraining".into(),
            later => format!(".pretraining-{later}"),
        })
    }

    /// Those of member number `index` of a committee.
    pub(super) fn of_member(&self, index: u64) -> Self {
        self.beside(&format!(".member-{index}"))
    }

    /// In the file of this one's name with `suffix` appended.
    fn beside(&self, suffix: &str) -> Self {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(suffix);
        Self {
            path: self.path.with_file_name(name),
            ..self.clone()
        }
    }
}
