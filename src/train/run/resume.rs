use std::collections::BTreeMap;

use candle_core::Tensor;

use super::file::{SETTINGS_VERSION, TrainingContent, TrainingFile};
use super::{Best, Run, fingerprint};
use crate::Result;
use crate::objective::Objective;
use crate::optim::OptimizerState;
use crate::params::Snapshot;
use crate::rng;
use crate::spec::without_defaults;
use crate::train::{Checkpoints, OtherRun, TrainConfig};

impl<O: Objective + ?Sized> Run<'_, O> {
    /// Saves the run after the epochs so far.
    pub(super) fn save(&self, checkpoints: &Checkpoints) -> Result<()> {
        let OptimizerState {
            tensors,
            steps,
            numbers,
        } = self.optimizer.state()?;
        let content = TrainingContent {
            label: checkpoints.label.clone(),
            settings_version: SETTINGS_VERSION,
            train: self.train_settings()?,
            selection: self.selection.name(),
            optimizer: self.optimizer.name().into(),
            optimizer_settings: self.settings.clone(),
            data: self.data_hash()?,
            shuffle: rng::position(&self.shuffle),
            noise: self.noise.position(),
            best_epoch: self.best.epoch,
            best_cost: self.best.cost,
            steps,
            reports: self.reports.clone(),
        };
        let file = TrainingFile {
            content,
            now: self.params.snapshot()?.into_tensors(),
            best: self.best.snapshot.clone().into_tensors(),
            optimizer: tensors,
            numbers,
        };
        file.write(&checkpoints.path)
    }

    /// Goes back to where the file left off, if there is one.
    pub(super) fn resume(&mut self, checkpoints: &Checkpoints) -> Result<()> {
        let path = &checkpoints.path;
        // Before any work is done: an optimiser that cannot be saved says so here.
        self.optimizer.state()?;
        if !path.exists() {
            return Ok(());
        }
        let file = TrainingFile::read(path, self.params.dtype(), self.params.device())?;
        let other = |what, cause| OtherRun {
            path: path.clone(),
            what,
            cause,
        };
        if let Some(what) = self.difference(&file.content, checkpoints)? {
            return Err(other(what, None).into());
        }
        if !(self.holds(&file.now) && self.holds(&file.best)) {
            return Err(other("network", None).into());
        }
        let content = file.content;
        let loaded = self.optimizer.load_state(OptimizerState {
            tensors: file.optimizer,
            steps: content.steps,
            numbers: file.numbers,
        });
        loaded.map_err(|cause| other("state of the optimiser", Some(cause.into())))?;
        self.params.restore(&Snapshot::from_tensors(file.now))?;
        self.best = Best {
            epoch: content.best_epoch,
            cost: content.best_cost,
            snapshot: Snapshot::from_tensors(file.best),
        };
        rng::set_position(&mut self.shuffle, content.shuffle);
        self.noise.set_position(content.noise);
        self.reports = content.reports;
        Ok(())
    }

    /// The first thing in which this run differs from that of a file.
    fn difference(
        &self,
        file: &TrainingContent,
        checkpoints: &Checkpoints,
    ) -> Result<Option<&'static str>> {
        Ok(match () {
            () if file.settings_version != SETTINGS_VERSION => Some("version of the defaults"),
            () if file.label != checkpoints.label => Some("label"),
            () if file.train != self.train_settings()? => Some("training configuration"),
            () if file.selection != self.selection.name() => Some("selection"),
            () if file.optimizer != self.optimizer.name() => Some("optimiser"),
            () if file.optimizer_settings != self.settings => Some("setting of the optimiser"),
            () if file.reports.len() > self.config.epochs => Some("and larger number of epochs"),
            () if file.data != self.data_hash()? => Some("data set"),
            () => None,
        })
    }

    /// What of the training settings makes another run. How long to go on may change, as long as it
    /// is not undone.
    fn train_settings(&self) -> Result<serde_json::Value> {
        let default = TrainConfig::default();
        let config = TrainConfig {
            epochs: default.epochs,
            patience: default.patience,
            ..self.config.clone()
        };
        without_defaults(&config, "train")
    }

    /// Whether these are the run's tensors by name and shape.
    fn holds(&self, tensors: &BTreeMap<String, Tensor>) -> bool {
        let all = self.params.parameters().len() + self.params.buffers().len();
        let fits = |(name, tensor): (&String, &Tensor)| {
            let var = self.params.get(name);
            var.is_ok_and(|var| var.dims() == tensor.dims())
        };
        tensors.len() == all && tensors.iter().all(fits)
    }

    /// A hash of all values of both sets, computed once a run.
    fn data_hash(&self) -> Result<u64> {
        if let Some(known) = self.data.get() {
            return Ok(*known);
        }
        let hash = fingerprint::of(self.train, self.validation)?;
        Ok(*self.data.get_or_init(|| hash))
    }
}
