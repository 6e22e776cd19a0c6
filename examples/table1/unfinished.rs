//! Runs under way, kept beside the file of rows, so that a killed process goes on within them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use puad::train::{Checkpoints, TrainConfig, Trainer};

use crate::dataset::Dataset;
use crate::protocol::RunConfig;
use crate::row::NUMERICS;

/// Epochs that a kill may cost a run; every one of them written would be much for a shared folder.
const EVERY: usize = 5;

/// The folder of their files, or none where no file of rows is kept.
#[derive(Clone, Debug, Default)]
pub struct Unfinished(Option<PathBuf>);

impl Unfinished {
    /// That of the file `out`: empty, unless its runs go on.
    pub fn of(out: &Path, goes_on: bool) -> anyhow::Result<Self> {
        let mut name = out.file_name().unwrap_or_default().to_os_string();
        name.push(".unfinished");
        let kept = Self(Some(out.with_file_name(name)));
        if !goes_on {
            kept.clear()?;
        }
        Ok(kept)
    }

    /// A trainer that saves a phase of training in a file of its own. What the phase is of the cell's, `what`
    /// tells.
    pub fn trainer(
        &self,
        config: TrainConfig,
        (dataset, settings): (Dataset, &RunConfig),
        (normal, seed): (u8, u64),
        what: &str,
    ) -> puad::Result<Trainer> {
        let trainer = Trainer::new(config)?;
        let Some(folder) = &self.0 else {
            return Ok(trainer);
        };
        let run = format!(
            "{}-{normal}-{seed}-{}-{}-{}{}",
            dataset.name(),
            settings.alpha,
            settings.unlabeled_anomalies,
            what.replace('/', "-"),
            settings.tag()
        );
        let config = serde_json::to_string(settings).unwrap_or_default();
        trainer.with_checkpoints(Checkpoints {
            every: EVERY,
            label: format!("{run}, numerics version {NUMERICS}, {config}"),
            ..Checkpoints::new(folder.join(run))
        })
    }

    /// Makes room for runs.
    pub fn prepare(&self) -> anyhow::Result<()> {
        self.each(|folder| fs::create_dir_all(folder))
    }

    /// Once the runs are rows.
    pub fn clear(&self) -> anyhow::Result<()> {
        self.each(|folder| match fs::remove_dir_all(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        })
    }

    fn each(&self, act: impl Fn(&Path) -> std::io::Result<()>) -> anyhow::Result<()> {
        let Some(folder) = &self.0 else {
            return Ok(());
        };
        act(folder).with_context(|| format!("cannot keep unfinished runs in {}", folder.display()))
    }
}
