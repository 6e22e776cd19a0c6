//! One training run, from its first epoch or from where a file left off.

mod file;
mod fingerprint;
mod resume;
#[cfg(test)]
mod tests;
mod validation;

use std::cell::OnceCell;
use std::time::Instant;

use candle_core::{DType, Tensor, Var};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::epoch::Epoch;
use super::{
    Checkpoints, EpochReport, History, Observer, Select, StopReason, TrainConfig, Trainer,
};
use crate::data::PuDataset;
use crate::objective::{GroupCounts, GroupLosses, Objective};
use crate::optim::{Gradients, Optimizer};
use crate::params::{Snapshot, check_fixed};
use crate::rng::{Purpose, substream};
use crate::{Error, Noise, NonNegativeLoss, Params, Pass, Result, SampleLosses, ops};

/// The best epoch so far; `epoch` 0 is the start.
struct Best {
    epoch: usize,
    /// Lower is better.
    cost: f64,
    snapshot: Snapshot,
}

pub(super) struct Run<'a, O: ?Sized> {
    trainer: &'a Trainer,
    config: &'a TrainConfig,
    selection: &'a dyn Select,
    objective: &'a O,
    params: &'a Params,
    parameters: Vec<(String, Var)>,
    train: &'a PuDataset,
    validation: &'a PuDataset,
    counts: GroupCounts,
    optimizer: Box<dyn Optimizer>,
    /// The optimiser's, before its first step.
    settings: Value,
    /// Whether some parameter was seen to get a gradient.
    learns: bool,
    shuffle: ChaCha8Rng,
    noise: Noise,
    best: Best,
    reports: Vec<EpochReport>,
    /// See [`Params::fixed`].
    fixed: Vec<(String, Var)>,
    /// Hash of both sets, once it is known.
    data: OnceCell<u64>,
}

impl<'a, O: Objective + ?Sized> Run<'a, O> {
    pub(super) fn new(
        trainer: &'a Trainer,
        objective: &'a O,
        params: &'a Params,
        counts: GroupCounts,
        train: &'a PuDataset,
        validation: &'a PuDataset,
    ) -> Result<Self> {
        let (config, stream) = (trainer.config(), trainer.stream());
        let parameters = params.parameters();
        let optimizer = trainer.optimizer(&parameters)?;
        Ok(Self {
            settings: optimizer.settings(),
            optimizer,
            selection: trainer.selection(),
            shuffle: substream(config.seed, Purpose::Shuffle, stream),
            noise: Noise::of_phase(config.seed, stream),
            best: Best {
                epoch: 0,
                cost: f64::INFINITY,
                snapshot: params.snapshot()?,
            },
            reports: Vec::new(),
            learns: false,
            fixed: params.fixed(),
            data: OnceCell::new(),
            trainer,
            config,
            objective,
            params,
            parameters,
            train,
            validation,
            counts,
        })
    }

    /// Runs to the end, whatever that is, and puts the best epoch's parameters in place.
    pub(super) fn finish(mut self, observer: &mut dyn Observer) -> Result<History> {
        let outcome = match self.trainer.checkpoints() {
            Some(checkpoints) => self
                .resume(checkpoints)
                .and_then(|()| self.epochs(observer, Some(checkpoints))),
            None => self.epochs(observer, None),
        };
        self.params.restore(&self.best.snapshot)?;
        let stopped = outcome?;
        Ok(History {
            epochs: self.reports,
            best_epoch: self.best.epoch,
            stopped,
        })
    }

    fn epochs(
        &mut self,
        observer: &mut dyn Observer,
        checkpoints: Option<&Checkpoints>,
    ) -> Result<StopReason> {
        loop {
            // Asked before an epoch, so that a run that had ended ends again when it is resumed.
            if let Some(reason) = self.finished() {
                return Ok(reason);
            }
            let epoch = self.reports.len() + 1;
            let report = self.epoch(epoch)?;
            self.reports.push(report);
            let stopped = observer.on_epoch(&report).is_break();
            let ends = stopped || self.finished().is_some();
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

    /// Why training ends after the epochs so far, if it does.
    fn finished(&self) -> Option<StopReason> {
        if self.trainer.stops(&self.reports, self.best.epoch) {
            Some(StopReason::Patience)
        } else if self.reports.len() >= self.config.epochs {
            Some(StopReason::Epochs)
        } else {
            None
        }
    }

    fn epoch(&mut self, epoch: usize) -> Result<EpochReport> {
        let start = Instant::now();
        let config = self.config;
        let device = self.params.device();
        let mut batches = Epoch::new(self.train, self.counts, config, &mut self.shuffle);
        let count = batches.len();
        let (mut sum, mut number) = (0., 0);
        while let Some((xs, counts)) = batches.next(device)? {
            number += 1;
            sum += self.step(&xs, counts, epoch, number)?;
        }
        let validated = self.validate(epoch)?;
        let best = validated.cost < self.best.cost;
        if best {
            self.best = Best {
                epoch,
                cost: validated.cost,
                snapshot: self.params.snapshot()?,
            };
        }
        Ok(EpochReport {
            epoch,
            risk: sum / count as f64,
            validation_risk: validated.risk,
            pu_auroc: validated.pu_auroc,
            seconds: start.elapsed().as_secs_f64(),
            best,
        })
    }

    /// One descent of the risk of a mini-batch; returns that risk.
    fn step(
        &mut self,
        xs: &Tensor,
        counts: GroupCounts,
        epoch: usize,
        number: usize,
    ) -> Result<f64> {
        let mut pass = Pass::training(&mut self.noise);
        let losses = losses(self.objective.detector(), xs, &mut pass)?;
        let losses = GroupLosses::split(&losses, counts)?;
        let risk = self.objective.risk(&losses)?;
        let value = risk.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        if !value.is_finite() {
            return Err(Error::Diverged {
                epoch,
                batch: Some(number),
                risk: value,
            });
        }
        let grads = ops::backward(&risk, self.parameters.iter().map(|(_, var)| var))?;
        check_fixed(&self.fixed, &grads)?;
        let gradients = Gradients::new(&grads, &self.parameters);
        if !self.learns && gradients.iter().next().is_none() {
            let parameters = self.parameters.len();
            return Err(Error::NothingLearned { parameters });
        }
        self.learns = true;
        self.optimizer.step(&gradients)?;
        Ok(value)
    }
}

/// The detector's losses, one a sample.
fn losses<L: NonNegativeLoss + ?Sized>(
    detector: &L,
    xs: &Tensor,
    pass: &mut Pass<'_>,
) -> Result<SampleLosses> {
    let losses = detector.losses(xs, pass)?;
    for tensor in losses.tensors() {
        if tensor.dims() != [xs.dim(0)?] {
            let expected = format!("[{}], the batch", xs.dim(0)?);
            return Err(Error::shape("per-sample losses", expected, tensor));
        }
    }
    Ok(losses)
}
