use std::cell::OnceCell;
use std::time::Instant;

use candle_core::{DType, Tensor, Var};
use rand_chacha::ChaCha8Rng;

use super::batches::{self, Batch};
use super::{
    Checkpoints, EpochReport, History, Observer, Phase, Selection, StopReason, TrainConfig,
};
use crate::data::{PuDataset, Samples};
use crate::metrics::auroc;
use crate::objective::{GroupCounts, GroupLosses, Objective};
use crate::optim::Adam;
use crate::params::{Snapshot, check_fixed};
use crate::rng::{Purpose, substream};
use crate::{Error, Noise, NonNegativeLoss, Params, Pass, Result, SampleLosses, score_samples};

/// Minimises an [`Objective`] with Adam over shuffled mini-batches (Algorithm 1 of the paper), and
/// keeps the best epoch on a validation set.
///
/// The same seed on the same data gives the same run, bit for bit, on the CPU.
///
/// ```
/// use std::ops::ControlFlow;
/// use puad::candle_core::{DType, Device};
/// use puad::data::toy::{self, ToyConfig};
/// use puad::detector::Autoencoder;
/// use puad::net::{Mlp, MlpConfig};
/// use puad::train::{EpochReport, TrainConfig, Trainer};
/// use puad::{ClassPrior, NonNegativeLoss, Params, PuObjective};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let (train, validation) = toy.dataset(&Device::Cpu)?.split(0.1, 0)?;
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let vb = params.var_builder();
/// let encoder = Mlp::new(&MlpConfig::new([2, 32, 32]), vb.pp("encoder"))?;
/// let decoder = Mlp::new(&MlpConfig::new([32, 2]), vb.pp("decoder"))?;
/// let objective = PuObjective::new(Autoencoder::new(encoder, decoder), ClassPrior::new(0.1)?);
///
/// let trainer = Trainer::new(TrainConfig { epochs: 2, ..Default::default() })?;
/// let mut watch = |report: &EpochReport| {
///     println!("epoch {}: risk {:.3}", report.epoch, report.risk);
///     ControlFlow::Continue(())
/// };
/// let history = trainer.fit(&objective, &params, &train, &validation, &mut watch)?;
/// assert_eq!(history.epochs.len(), 2);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trainer {
    config: TrainConfig,
    phase: Phase,
    checkpoints: Option<Checkpoints>,
}

impl Trainer {
    /// A trainer with these hyperparameters.
    ///
    /// # Errors
    /// [`Error::Config`] for a hyperparameter outside its range.
    pub fn new(config: TrainConfig) -> Result<Self> {
        config.check()?;
        Ok(Self {
            config,
            phase: Phase::Training,
            checkpoints: None,
        })
    }

    /// With the random numbers of another phase, so that the second phase does not meet the
    /// mini-batches of the first again.
    pub(super) fn in_phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    /// Saves the run as it goes, and goes on from a file that is there already.
    ///
    /// # Errors
    /// [`Error::Config`] for an interval of 0.
    ///
    /// ```
    /// use puad::train::{Checkpoints, TrainConfig, Trainer};
    ///
    /// let checkpoints = Checkpoints { every: 5, ..Checkpoints::new("run.safetensors") };
    /// let trainer = Trainer::new(TrainConfig::default())?.with_checkpoints(checkpoints)?;
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn with_checkpoints(self, checkpoints: Checkpoints) -> Result<Self> {
        checkpoints.check()?;
        let checkpoints = Some(checkpoints);
        Ok(Self {
            checkpoints,
            ..self
        })
    }

    /// Where the run is saved, if it is.
    pub fn checkpoints(&self) -> Option<&Checkpoints> {
        self.checkpoints.as_ref()
    }

    /// Whether both sets hold what `objective` and the selection need: what [`fit`](Self::fit) asks
    /// first, for runs with a phase before it.
    pub(crate) fn check_data<O: Objective + ?Sized>(
        &self,
        objective: &O,
        train: &PuDataset,
        validation: &PuDataset,
    ) -> Result<()> {
        let counts = batches::counts(train, objective.sees());
        check_groups(&self.config, objective, counts, validation)
    }

    /// The hyperparameters.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// Trains `params` on `objective`. Afterwards, with or without an error, the parameters and
    /// batch-norm statistics of the best epoch are in place (the initial ones if there was none).
    ///
    /// Data may live on another device than `params`; batches are moved.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] if a set lacks labeled anomalies and the objective or the selection
    /// needs them; [`Error::Diverged`] and [`Error::DivergedValidation`] for a risk that is NaN or
    /// infinite; [`Error::LearnedBuffer`] for a learned tensor named `center`;
    /// [`Error::Checkpoint`] if the run's file cannot be written or read, or holds another
    /// run; whatever the detector gives.
    pub fn fit<O: Objective + ?Sized>(
        &self,
        objective: &O,
        params: &Params,
        train: &PuDataset,
        validation: &PuDataset,
        observer: &mut dyn Observer,
    ) -> Result<History> {
        let mut run = Run::new(self, objective, params, train, validation)?;
        let outcome = match &self.checkpoints {
            Some(checkpoints) => run
                .resume(checkpoints)
                .and_then(|()| run.epochs(observer, Some(checkpoints))),
            None => run.epochs(observer, None),
        };
        params.restore(&run.best.snapshot)?;
        let stopped = outcome?;
        Ok(History {
            epochs: run.reports,
            best_epoch: run.best.epoch,
            stopped,
        })
    }
}

/// The best epoch so far; `epoch` 0 is the start.
pub(super) struct Best {
    pub(super) epoch: usize,
    /// Lower is better.
    pub(super) cost: f64,
    pub(super) snapshot: Snapshot,
}

pub(super) struct Run<'a, O: ?Sized> {
    pub(super) config: &'a TrainConfig,
    objective: &'a O,
    pub(super) params: &'a Params,
    pub(super) train: &'a PuDataset,
    pub(super) validation: &'a PuDataset,
    counts: GroupCounts,
    pub(super) adam: Adam,
    pub(super) shuffle: ChaCha8Rng,
    pub(super) noise: Noise,
    pub(super) best: Best,
    pub(super) reports: Vec<EpochReport>,
    /// See [`Params::fixed`].
    fixed: Vec<(String, Var)>,
    /// Hash of both sets, once it is known.
    pub(super) data: OnceCell<u64>,
}

impl<'a, O: Objective + ?Sized> Run<'a, O> {
    fn new(
        trainer: &'a Trainer,
        objective: &'a O,
        params: &'a Params,
        train: &'a PuDataset,
        validation: &'a PuDataset,
    ) -> Result<Self> {
        let (config, phase) = (&trainer.config, trainer.phase as u64);
        trainer.check_data(objective, train, validation)?;
        let counts = batches::counts(train, objective.sees());
        let vars = params.parameters().into_iter().map(|(_, var)| var);
        Ok(Self {
            adam: Adam::new(vars.collect(), config.adam)?,
            shuffle: substream(config.seed, Purpose::Shuffle, phase),
            noise: Noise::of_phase(config.seed, phase),
            best: Best {
                epoch: 0,
                cost: f64::INFINITY,
                snapshot: params.snapshot()?,
            },
            reports: Vec::new(),
            fixed: params.fixed(),
            data: OnceCell::new(),
            config,
            objective,
            params,
            train,
            validation,
            counts,
        })
    }

    fn epochs(
        &mut self,
        observer: &mut dyn Observer,
        checkpoints: Option<&Checkpoints>,
    ) -> Result<StopReason> {
        loop {
            let done = self.reports.len();
            // Asked before an epoch, so that a run that had ended ends again when it is resumed.
            if let Some(reason) = self.finished(done) {
                return Ok(reason);
            }
            let epoch = done + 1;
            let report = self.epoch(epoch)?;
            self.reports.push(report);
            let stopped = observer.on_epoch(&report).is_break();
            let ends = stopped || self.finished(epoch).is_some();
            if let Some(checkpoints) = checkpoints
                && (ends || epoch.is_multiple_of(checkpoints.every))
            {
                self.save(checkpoints)?;
            }
            if stopped {
                return Ok(StopReason::Observer);
            }
        }
    }

    /// Why training ends after `done` epochs, if it does.
    fn finished(&self, done: usize) -> Option<StopReason> {
        let waited = done - self.best.epoch;
        match self.config.patience {
            Some(patience) if waited >= patience => Some(StopReason::Patience),
            _ if done >= self.config.epochs => Some(StopReason::Epochs),
            _ => None,
        }
    }

    fn epoch(&mut self, epoch: usize) -> Result<EpochReport> {
        let start = Instant::now();
        let config = self.config;
        let batches = batches::epoch(
            self.counts,
            config.batch_size,
            config.batching,
            &mut self.shuffle,
        );
        let mut sum = 0.;
        for (i, batch) in batches.iter().enumerate() {
            let risk = self.step(batch, epoch, i + 1)?;
            sum += risk;
        }
        let validation_risk = self.validation_risk(epoch)?;
        let pu_auroc = match config.selection {
            Selection::Risk => None,
            Selection::PuAuroc => Some(self.pu_auroc()?),
        };
        let cost = pu_auroc.map_or(validation_risk, |auroc| -auroc);
        let best = cost < self.best.cost;
        if best {
            self.best = Best {
                epoch,
                cost,
                snapshot: self.params.snapshot()?,
            };
        }
        Ok(EpochReport {
            epoch,
            risk: sum / batches.len() as f64,
            validation_risk,
            pu_auroc,
            seconds: start.elapsed().as_secs_f64(),
            best,
        })
    }

    /// One descent of the risk of a mini-batch; returns that risk.
    fn step(&mut self, batch: &Batch, epoch: usize, number: usize) -> Result<f64> {
        let xs = batch.gather(self.train, self.params.device())?;
        let mut pass = Pass::training(&mut self.noise);
        let losses = checked_losses(self.objective.detector(), &xs, &mut pass)?;
        let losses = GroupLosses::split(&losses, batch.counts())?;
        let risk = self.objective.risk(&losses)?;
        let value = risk.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        if !value.is_finite() {
            return Err(Error::Diverged {
                epoch,
                batch: number,
                risk: value,
            });
        }
        let grads = risk.backward()?;
        check_fixed(&self.fixed, &grads)?;
        self.adam.step(&grads)?;
        Ok(value)
    }

    /// The risk of the whole validation set at once.
    fn validation_risk(&self, epoch: usize) -> Result<f64> {
        let sees = self.objective.sees();
        let evaluate = |group: Option<&Samples>, seen: bool| match group {
            Some(samples) if seen => self.evaluate(samples).map(Some),
            _ => Ok(None),
        };
        let losses = GroupLosses {
            unlabeled: evaluate(Some(self.validation.unlabeled()), true)?,
            anomalies: evaluate(self.validation.anomalies(), sees.anomalies)?,
            normals: evaluate(self.validation.normals(), sees.normals)?,
        };
        let risk = self.objective.validation_risk(&losses)?;
        if risk.is_finite() {
            Ok(risk)
        } else {
            Err(Error::DivergedValidation { epoch, risk })
        }
    }

    fn evaluate(&self, samples: &Samples) -> Result<SampleLosses> {
        let detector = self.objective.detector();
        let batches = samples.batches(self.config.batch_size, self.params.device())?;
        let chunk = |xs: Result<Tensor>| {
            let losses = checked_losses(detector, &xs?, &mut Pass::evaluation())?;
            // Without its graph: activations of one chunk at a time are enough.
            SampleLosses::concat_detached(&[losses])
        };
        let losses = batches.map(chunk).collect::<Result<Vec<_>>>()?;
        SampleLosses::concat_detached(&losses)
    }

    fn pu_auroc(&self) -> Result<f64> {
        let detector = self.objective.detector();
        let (size, device) = (self.config.batch_size, self.params.device());
        let scores = |samples: &Samples| score_samples(detector, samples, size, device);
        let mut all = scores(self.validation.unlabeled())?;
        let unlabeled = all.len();
        if let Some(anomalies) = self.validation.anomalies() {
            all.extend(scores(anomalies)?);
        }
        let positives: Vec<bool> = (0..all.len()).map(|i| i >= unlabeled).collect();
        auroc(&all, &positives)
    }
}

/// Both sets must hold the groups that the objective and the selection need.
fn check_groups<O: Objective + ?Sized>(
    config: &TrainConfig,
    objective: &O,
    train: GroupCounts,
    validation: &PuDataset,
) -> Result<()> {
    if train.total() < 2 {
        let rule = "at least 2 (batch norm needs two)";
        return Err(Error::config("training samples", rule, train.total()));
    }
    let sees = objective.sees();
    objective.check_groups(train)?;
    objective.check_groups(batches::counts(validation, sees))?;
    let (what, lacks_anomalies) = ("selection by AUROC", validation.anomalies().is_none());
    if config.selection == Selection::PuAuroc && lacks_anomalies {
        let group = "anomalous";
        return Err(Error::EmptyGroup { what, group });
    }
    Ok(())
}

/// The detector's losses, one a sample.
fn checked_losses<L: NonNegativeLoss + ?Sized>(
    detector: &L,
    xs: &Tensor,
    pass: &mut Pass<'_>,
) -> Result<SampleLosses> {
    let losses = detector.losses(xs, pass)?;
    for tensor in [Some(&losses.normal), losses.anomalous.as_ref()]
        .into_iter()
        .flatten()
    {
        if tensor.dims() != [xs.dim(0)?] {
            let expected = format!("[{}], the batch", xs.dim(0)?);
            return Err(Error::shape("per-sample losses", expected, tensor));
        }
    }
    Ok(losses)
}
