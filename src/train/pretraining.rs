use super::{History, Observer, Phase, StopReason, Trainer};
use crate::data::PuDataset;
use crate::objective::Objective;
use crate::{Error, Params, Result};

/// The phase before a detector is trained itself: settings, data and tensors for it.
///
/// It has mini-batches and noise of its own, keeps the epoch of the lowest risk, and saves its run beside
/// the main one's, with `.pretraining` appended. So does each further [`fit`](Self::fit), with
/// `.pretraining-2` and so on.
///
/// ```
/// use puad::candle_core::{DType, Device};
/// use puad::data::toy::{self, ToyConfig};
/// use puad::detector::DeepSvdd;
/// use puad::net::{Mlp, MlpConfig};
/// use puad::train::{Pretraining, TrainConfig, Trainer};
/// use puad::{ClassPrior, Params, PuObjective};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let (train, validation) = toy.dataset(&Device::Cpu)?.split(0.1, 0)?;
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let without_bias = MlpConfig { bias: false, ..MlpConfig::new([2, 32, 8]) };
/// let encoder = Mlp::new(&without_bias, params.var_builder().pp("encoder"))?;
/// let svdd = DeepSvdd::new(encoder, 8, params.var_builder())?;
///
/// let trainer = Trainer::new(TrainConfig { epochs: 2, ..Default::default() })?;
/// let mut observer = ();
/// let mut pretraining = Pretraining::new(&trainer, &params, &train, &validation, &mut observer);
/// let decoder = Mlp::new(&MlpConfig::new([8, 32, 2]), pretraining.scratch().var_builder().pp("decoder"))?;
/// svdd.pretrain(decoder, &mut pretraining)?;
/// // Several objectives can go on from here.
/// let objective = PuObjective::new(&svdd, ClassPrior::new(0.1)?);
/// let history = trainer.fit(&objective, &params, &train, &validation, &mut ())?;
/// assert_eq!(history.epochs.len(), 2);
/// # Ok::<(), puad::Error>(())
/// ```
pub struct Pretraining<'a> {
    trainer: &'a Trainer,
    /// Calls of `fit` so far.
    fits: u64,
    params: &'a Params,
    scratch: Params,
    train: &'a PuDataset,
    validation: &'a PuDataset,
    observer: &'a mut dyn Observer,
}

impl<'a> Pretraining<'a> {
    /// That of a training of `params` by `trainer`.
    pub fn new(
        trainer: &'a Trainer,
        params: &'a Params,
        train: &'a PuDataset,
        validation: &'a PuDataset,
        observer: &'a mut dyn Observer,
    ) -> Self {
        Self {
            trainer,
            fits: 0,
            scratch: params.scratch(),
            params,
            train,
            validation,
            observer,
        }
    }

    /// Tensors that serve this phase alone, such as a decoder's: they are trained beside the detector's,
    /// and dropped.
    pub fn scratch(&self) -> &Params {
        &self.scratch
    }

    /// The training data.
    pub fn train(&self) -> &'a PuDataset {
        self.train
    }

    /// Samples at a time.
    pub fn batch_size(&self) -> usize {
        self.trainer.config().batch_size
    }

    /// Trains on `objective`: the detector's tensors and those of [`scratch`](Self::scratch). It may be
    /// called again, for what goes on from there: each call is a run of its own.
    ///
    /// # Errors
    /// As [`Trainer::fit`]; [`Error::Config`] for a name that both sets of tensors have;
    /// [`Error::PretrainingStopped`] if the observer stops the run: what follows must not go on then.
    pub fn fit<O: Objective + ?Sized>(&mut self, objective: &O) -> Result<History> {
        self.fit_at_most(usize::MAX, objective)
    }

    /// As [`fit`](Self::fit), in so many epochs at most, where the training has more.
    ///
    /// # Errors
    /// As there, and [`Error::Config`] for 0.
    pub fn fit_at_most<O: Objective + ?Sized>(
        &mut self,
        epochs: usize,
        objective: &O,
    ) -> Result<History> {
        if epochs == 0 {
            return Err(Error::config("epochs", "at least 1", epochs));
        }
        self.observer.on_phase(Phase::Pretraining);
        let params = self.params.joined(&self.scratch)?;
        let (train, validation) = (self.train, self.validation);
        self.fits += 1;
        let trainer = self.trainer.pretraining(self.fits, epochs);
        let history = trainer.fit(objective, &params, train, validation, &mut *self.observer)?;
        if history.stopped == StopReason::Observer {
            let epoch = history.epochs.len();
            return Err(Error::PretrainingStopped { epoch });
        }
        Ok(history)
    }
}
