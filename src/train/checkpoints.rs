use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::TrainConfig;
use super::trainer::{Best, Run};
use crate::checkpoint::{CheckpointError, HASH_START, TrainingContent, TrainingFile, hash};
use crate::data::{PuDataset, Samples};
use crate::objective::Objective;
use crate::params::Snapshot;
use crate::{Error, Result};

/// Samples hashed at a time.
const PIECE: usize = 256;

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
    /// The file. A DeepSVDD's pre-training has its own beside it, with `.pretraining` appended.
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

    /// Those of a DeepSVDD's pre-training.
    pub(super) fn pretraining(&self) -> Self {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".pretraining");
        Self {
            path: self.path.with_file_name(name),
            ..self.clone()
        }
    }
}

impl<O: Objective + ?Sized> Run<'_, O> {
    /// Saves the run after the epochs so far.
    pub(super) fn save(&self, checkpoints: &Checkpoints) -> Result<()> {
        let moments = self.adam.export()?;
        let names = self.params.parameters().into_iter().map(|(name, _)| name);
        let (mut first, mut second, mut steps) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (name, (m, v, n)) in names.zip(moments) {
            first.insert(name.clone(), m);
            second.insert(name, v);
            steps.push(n);
        }
        let content = TrainingContent {
            label: checkpoints.label.clone(),
            config: self.config.clone(),
            data: self.data_hash()?,
            shuffle: position(&self.shuffle),
            noise: position(self.noise.rng()),
            best_epoch: self.best.epoch,
            best_cost: self.best.cost,
            steps,
            reports: self.reports.clone(),
        };
        let file = TrainingFile {
            content,
            now: self.params.snapshot()?.into_tensors(),
            best: self.best.snapshot.clone().into_tensors(),
            first,
            second,
        };
        file.write(&checkpoints.path)
    }

    /// Goes back to where the file left off, if there is one.
    pub(super) fn resume(&mut self, checkpoints: &Checkpoints) -> Result<()> {
        let path = &checkpoints.path;
        if !path.exists() {
            return Ok(());
        }
        let file = TrainingFile::read(path, self.params.dtype(), self.params.device())?;
        let other = |what| CheckpointError::OtherRun {
            path: path.clone(),
            what,
        };
        if let Some(what) = self.difference(&file.content, checkpoints)? {
            return Err(other(what).into());
        }
        self.check_tensors(&file).map_err(|_| other("network"))?;
        let TrainingContent {
            shuffle,
            noise,
            best_epoch,
            best_cost,
            steps,
            reports,
            ..
        } = file.content;
        let moments = file.first.into_values().zip(file.second.into_values());
        let moments = moments.zip(steps).map(|((m, v), n)| (m, v, n));
        self.adam.import(moments.collect())?;
        self.params.restore(&Snapshot::from_tensors(file.now))?;
        self.best = Best {
            epoch: best_epoch,
            cost: best_cost,
            snapshot: Snapshot::from_tensors(file.best),
        };
        self.shuffle.set_word_pos(word(shuffle));
        self.noise.rng_mut().set_word_pos(word(noise));
        self.reports = reports;
        Ok(())
    }

    /// The first thing in which this run differs from that of a file.
    fn difference(
        &self,
        file: &TrainingContent,
        checkpoints: &Checkpoints,
    ) -> Result<Option<&'static str>> {
        // How long to go on may change, as long as it is not undone.
        let same = TrainConfig {
            epochs: self.config.epochs,
            patience: self.config.patience,
            ..file.config.clone()
        };
        Ok(match () {
            () if file.label != checkpoints.label => Some("label"),
            () if same != *self.config => Some("training configuration"),
            () if file.reports.len() > self.config.epochs => Some("and larger number of epochs"),
            () if file.data != self.data_hash()? => Some("data set"),
            () => None,
        })
    }

    /// Every tensor must be there, in its shape.
    fn check_tensors(&self, file: &TrainingFile) -> Result<(), ()> {
        let parameters = self.params.parameters();
        let all = parameters.iter().chain(&self.params.buffers()).count();
        let alike = |names: &BTreeMap<String, Tensor>, count: usize| {
            let fits = |(name, tensor): (&String, &Tensor)| {
                let var = self.params.get(name);
                var.is_ok_and(|var| var.dims() == tensor.dims())
            };
            names.len() == count && names.iter().all(fits)
        };
        let fit = alike(&file.now, all)
            && alike(&file.best, all)
            && alike(&file.first, parameters.len())
            && alike(&file.second, parameters.len())
            && parameters
                .iter()
                .all(|(name, _)| file.first.contains_key(name) && file.second.contains_key(name))
            && file.content.steps.len() == parameters.len();
        if fit { Ok(()) } else { Err(()) }
    }

    /// A hash of all values of both sets, computed once a run.
    fn data_hash(&self) -> Result<u64> {
        if let Some(known) = self.data.get() {
            return Ok(*known);
        }
        let hash = hash_set(hash_set(HASH_START, self.train)?, self.validation)?;
        Ok(*self.data.get_or_init(|| hash))
    }
}

fn hash_set(start: u64, data: &PuDataset) -> Result<u64> {
    let groups = [Some(data.unlabeled()), data.anomalies(), data.normals()];
    groups.into_iter().try_fold(start, |h, group| match group {
        Some(samples) => hash_samples(h, samples),
        None => Ok(hash(h, b"none")),
    })
}

fn hash_samples(start: u64, samples: &Samples) -> Result<u64> {
    let n = samples.len();
    let shape = format!("{n} {:?}", samples.sample_shape());
    let mut state = hash(start, shape.as_bytes());
    for piece in samples.batches(PIECE, &Device::Cpu)? {
        let piece = piece?.to_dtype(candle_core::DType::F32)?;
        for value in piece.flatten_all()?.to_vec1::<f32>()? {
            state = hash(state, &value.to_le_bytes());
        }
    }
    Ok(state)
}

fn position(rng: &ChaCha8Rng) -> [u64; 2] {
    let words = rng.get_word_pos();
    [(words >> 64) as u64, words as u64]
}

fn word([high, low]: [u64; 2]) -> u128 {
    (u128::from(high) << 64) | u128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::fail_next_write_at;
    use crate::data::glyphs::{self, GlyphConfig};
    use crate::data::toy::{self, ToyConfig};
    use crate::data::{ImageShape, PuDataset};
    use crate::method::Method;
    use crate::train::{EpochReport, Observer, Phase, StopReason};
    use crate::{Estimator, FitConfig, FittedDetector};
    use std::ops::ControlFlow;
    use std::path::Path;

    fn points(seed: u64) -> PuDataset {
        let config = ToyConfig {
            normals: 60,
            unlabeled_anomalies: 8,
            labeled_anomalies: 8,
            ..Default::default()
        };
        toy::generate(&config, seed)
            .unwrap()
            .dataset(&Device::Cpu)
            .unwrap()
    }

    /// Images, for batch norm's statistics.
    fn images() -> PuDataset {
        let config = GlyphConfig {
            size: 12,
            train_per_class: 4,
            test_per_class: 1,
        };
        let set = glyphs::generate(&config, 0).unwrap();
        let shape = ImageShape {
            channels: 1,
            height: 12,
            width: 12,
        };
        let train = Samples::images(&set.train, shape).unwrap();
        let test = Samples::images(&set.test, shape).unwrap();
        PuDataset::new(train).unwrap().with_anomalies(test).unwrap()
    }

    fn config(method: Method, epochs: usize) -> FitConfig {
        let train = TrainConfig {
            epochs,
            batch_size: 16,
            ..FitConfig::default().train
        };
        FitConfig {
            method: Some(method),
            train,
            ..Default::default()
        }
    }

    /// Stops at an epoch of a phase, and counts what it sees.
    #[derive(Default)]
    struct Stop {
        phase: Option<Phase>,
        at: Option<(Phase, usize)>,
        seen: usize,
    }

    impl Observer for Stop {
        fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
            self.seen += 1;
            match self.at {
                Some((phase, epoch)) if self.phase == Some(phase) && report.epoch == epoch => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
        fn on_phase(&mut self, phase: Phase) {
            self.phase = Some(phase);
        }
    }

    fn run(
        config: &FitConfig,
        data: &PuDataset,
        path: &Path,
        stop: &mut Stop,
    ) -> Result<FittedDetector> {
        Estimator::new(config.clone())
            .with_checkpoints(path, 2)
            .with_observer(stop)
            .fit_dataset(data)
    }

    fn whole(config: &FitConfig, data: &PuDataset) -> FittedDetector {
        Estimator::new(config.clone()).fit_dataset(data).unwrap()
    }

    /// Parameters, statistics, scores and history, but for its times, bit for bit.
    fn assert_same(a: &FittedDetector, b: &FittedDetector, data: &PuDataset) {
        let values = |d: &FittedDetector| -> Vec<(String, Vec<u32>)> {
            let vars = d
                .params()
                .parameters()
                .into_iter()
                .chain(d.params().buffers());
            let bits = |v: candle_core::Var| -> Vec<u32> {
                let flat = v.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                flat.iter().map(|x| x.to_bits()).collect()
            };
            vars.map(|(name, var)| (name, bits(var))).collect()
        };
        assert!(values(a) == values(b), "parameters differ");
        assert_eq!(
            a.score(data.unlabeled()).unwrap(),
            b.score(data.unlabeled()).unwrap()
        );
        let timeless = |d: &FittedDetector| {
            let mut history = d.history().clone();
            let pretraining = history.pretraining.iter_mut().flat_map(|h| &mut h.epochs);
            let epochs = pretraining.chain(&mut history.training.epochs);
            epochs.for_each(|report| report.seconds = 0.);
            history
        };
        assert_eq!(timeless(a), timeless(b));
    }

    #[test]
    fn stopped_runs_end_as_if_they_had_not_been() {
        for (method, data) in [
            (Method::PUDAE, points(0)),
            (Method::PUSVDD, points(0)),
            (Method::PUSVDD, images()),
            (Method::PU, images()),
        ] {
            let config = config(method, 7);
            let expected = whole(&config, &data);
            for epoch in [1, 4, 7] {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("run");
                let mut stop = Stop {
                    at: Some((Phase::Training, epoch)),
                    ..Default::default()
                };
                let early = run(&config, &data, &path, &mut stop).unwrap();
                assert_eq!(early.history().training.stopped, StopReason::Observer);
                let mut rest = Stop::default();
                let resumed = run(&config, &data, &path, &mut rest).unwrap();
                assert_eq!(rest.seen, 7 - epoch);
                assert_same(&resumed, &expected, &data);
            }
        }
    }

    #[test]
    fn pretraining_is_resumed_too() {
        let (config, data) = (config(Method::DEEP_SAD, 5), images());
        let expected = whole(&config, &data);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        let mut stop = Stop {
            at: Some((Phase::Pretraining, 3)),
            ..Default::default()
        };
        let err = run(&config, &data, &path, &mut stop).unwrap_err();
        assert!(
            matches!(err, Error::PretrainingStopped { epoch: 3 }),
            "{err}"
        );
        let mut rest = Stop::default();
        let resumed = run(&config, &data, &path, &mut rest).unwrap();
        assert_eq!(rest.seen, 2 + 5);
        assert_same(&resumed, &expected, &data);
    }

    /// Killed between any two steps of any write, a run loses no more than the epochs since the
    /// write before, and ends as if it had not been killed.
    #[test]
    fn killed_runs_end_as_if_they_had_not_been() {
        let (config, data) = (config(Method::PUSVDD, 5), points(1));
        let expected = whole(&config, &data);
        for writes in 0..6 {
            for step in 0..5 {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("run");
                fail_next_write_at(writes, step);
                let err = run(&config, &data, &path, &mut Stop::default()).unwrap_err();
                assert!(
                    matches!(err, Error::Checkpoint(CheckpointError::Write { .. })),
                    "{err}"
                );
                let mut rest = Stop::default();
                let resumed = run(&config, &data, &path, &mut rest).unwrap();
                // Writes come after epochs 2, 4 and 5 of each phase.
                let before = [0, 2, 4, 5, 7, 9];
                let saved = before[writes]
                    + if step < 4 {
                        0
                    } else {
                        [2, 2, 1, 2, 2, 1][writes]
                    };
                assert_eq!(rest.seen, 10 - saved, "{writes} {step}");
                assert_same(&resumed, &expected, &data);
            }
        }
    }

    #[test]
    fn a_finished_run_is_not_run_again_but_may_be_prolonged() {
        let data = points(2);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        let short = config(Method::PUAE, 3);
        let first = run(&short, &data, &path, &mut Stop::default()).unwrap();
        let mut again = Stop::default();
        assert_same(
            &run(&short, &data, &path, &mut again).unwrap(),
            &first,
            &data,
        );
        assert_eq!(again.seen, 0);

        let long = config(Method::PUAE, 8);
        let prolonged = run(&long, &data, &path, &mut again).unwrap();
        assert_eq!(again.seen, 5);
        assert_same(&prolonged, &whole(&long, &data), &data);
    }

    #[test]
    fn a_run_that_lost_patience_stays_ended() {
        let data = points(3);
        let mut config = config(Method::PUAE, 60);
        config.train.patience = Some(1);
        config.train.adam.learning_rate = 0.05;
        let expected = whole(&config, &data);
        assert_eq!(expected.history().training.stopped, StopReason::Patience);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        for _ in 0..2 {
            let detector = run(&config, &data, &path, &mut Stop::default()).unwrap();
            assert_same(&detector, &expected, &data);
        }
    }

    #[test]
    fn files_of_other_runs_are_refused() {
        let (base, data) = (config(Method::PUAE, 3), points(4));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        run(&base, &data, &path, &mut Stop::default()).unwrap();
        let changed = |change: fn(&mut FitConfig)| {
            let mut config = base.clone();
            change(&mut config);
            config
        };
        for (expected, config, data) in [
            (
                "label",
                changed(|c| c.prior = crate::ClassPrior::new(0.3).unwrap()),
                &data,
            ),
            ("label", changed(|c| c.method = Some(Method::ABC)), &data),
            (
                "training configuration",
                changed(|c| c.train.batch_size = 8),
                &data,
            ),
            (
                "training configuration",
                changed(|c| c.train.seed = 1),
                &data,
            ),
            (
                "and larger number of epochs",
                changed(|c| c.train.epochs = 2),
                &data,
            ),
            ("data set", base.clone(), &points(5)),
        ] {
            let err = run(&config, data, &path, &mut Stop::default()).unwrap_err();
            assert!(
                matches!(&err, Error::Checkpoint(CheckpointError::OtherRun { what, .. })
                    if *what == expected),
                "{expected}: {err}"
            );
        }
        let err = Estimator::new(base)
            .with_checkpoints(&path, 0)
            .fit_dataset(&data)
            .unwrap_err();
        assert!(matches!(err, Error::Config { name: "every", .. }));
    }

    #[test]
    fn damaged_files_are_errors_not_fresh_starts() {
        let (config, data) = (config(Method::AE, 2), points(6));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        run(&config, &data, &path, &mut Stop::default()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let err = run(&config, &data, &path, &mut Stop::default()).unwrap_err();
        assert!(
            matches!(err, Error::Checkpoint(CheckpointError::Malformed { .. })),
            "{err}"
        );
    }
}
