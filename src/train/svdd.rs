use std::borrow::Borrow;

use candle_core::ModuleT;

use super::{History, Observer, Phase, Selection, StopReason, TrainConfig, Trainer};
use crate::data::PuDataset;
use crate::detector::{Autoencoder, DeepSvdd};
use crate::objective::{Objective, UnsupervisedObjective};
use crate::{Error, Params, Result};

/// The two phases of a DeepSVDD, from [`Trainer::fit_svdd`].
///
/// ```
/// use puad::train::{EpochReport, SvddHistory};
///
/// fn epochs(history: &SvddHistory) -> impl Iterator<Item = &EpochReport> {
///     history.pretraining.epochs.iter().chain(&history.training.epochs)
/// }
/// fn seconds(history: &SvddHistory) -> f64 {
///     epochs(history).map(|report| report.seconds).sum()
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SvddHistory {
    /// The encoder inside an autoencoder.
    pub pretraining: History,
    /// The objective on the DeepSVDD's loss.
    pub training: History,
}

impl Trainer {
    /// Trains a DeepSVDD from start to end (section 5.3 of the paper):
    /// [`pretrain_svdd`](Self::pretrain_svdd) of the objective's detector, then
    /// [`fit`](Self::fit).
    ///
    /// `objective` is any objective over a [`DeepSvdd`] or a reference to one
    /// (`PuObjective::new(svdd, prior)` for PUSVDD). `decoder` maps the encoder's output back to the
    /// input's shape; `params` holds the tensors of all three.
    ///
    /// # Errors
    /// As [`pretrain_svdd`](Self::pretrain_svdd) and [`fit`](Self::fit); groups that `objective` lacks
    /// are found before the first phase.
    ///
    /// ```
    /// use puad::candle_core::{DType, Device};
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::detector::DeepSvdd;
    /// use puad::net::{Mlp, MlpConfig};
    /// use puad::train::{TrainConfig, Trainer};
    /// use puad::{ClassPrior, Params, PuObjective};
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let (train, validation) = toy.dataset(&Device::Cpu)?.split(0.1, 0)?;
    ///
    /// let params = Params::new(0, DType::F32, &Device::Cpu);
    /// let vb = params.var_builder();
    /// let without_bias = MlpConfig { bias: false, ..MlpConfig::new([2, 32, 8]) };
    /// let svdd = DeepSvdd::new(Mlp::new(&without_bias, vb.pp("encoder"))?, 8, vb.clone())?;
    /// let decoder = Mlp::new(&MlpConfig::new([8, 32, 2]), vb.pp("decoder"))?;
    /// let objective = PuObjective::new(svdd, ClassPrior::new(0.1)?);
    ///
    /// let trainer = Trainer::new(TrainConfig { epochs: 2, ..Default::default() })?;
    /// let history = trainer.fit_svdd(&objective, decoder, &params, &train, &validation, &mut ())?;
    /// assert_eq!((history.pretraining.epochs.len(), history.training.epochs.len()), (2, 2));
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn fit_svdd<E, D, O>(
        &self,
        objective: &O,
        decoder: D,
        params: &Params,
        train: &PuDataset,
        validation: &PuDataset,
        observer: &mut dyn Observer,
    ) -> Result<SvddHistory>
    where
        E: ModuleT + Clone,
        D: ModuleT,
        O: Objective + ?Sized,
        O::Loss: Borrow<DeepSvdd<E>>,
    {
        self.check_data(objective, train, validation)?;
        let svdd = objective.detector().borrow();
        let pretraining = self.pretrain_svdd(svdd, decoder, params, train, validation, observer)?;
        observer.on_phase(Phase::Training);
        let training = self.fit(objective, params, train, validation, observer)?;
        Ok(SvddHistory {
            pretraining,
            training,
        })
    }

    /// The first phase: trains the encoder inside an autoencoder on the unlabeled samples, then sets
    /// the center to their mean feature vector. The epoch is selected by the lowest validation risk.
    ///
    /// The encoder's clones must share its parameters, as those of candle's layers and of this crate's
    /// networks do.
    ///
    /// # Errors
    /// As [`fit`](Self::fit) and [`DeepSvdd::init_center`]; [`Error::PretrainingStopped`] if the
    /// observer stops the run: the center is not set then.
    ///
    /// ```
    /// use puad::candle_core::{DType, Device};
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::detector::DeepSvdd;
    /// use puad::net::{Mlp, MlpConfig};
    /// use puad::train::{TrainConfig, Trainer};
    /// use puad::Params;
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let (train, validation) = toy.dataset(&Device::Cpu)?.split(0.1, 0)?;
    /// let params = Params::new(0, DType::F32, &Device::Cpu);
    /// let vb = params.var_builder();
    /// let without_bias = MlpConfig { bias: false, ..MlpConfig::new([2, 32, 8]) };
    /// let svdd = DeepSvdd::new(Mlp::new(&without_bias, vb.pp("encoder"))?, 8, vb.clone())?;
    /// let decoder = Mlp::new(&MlpConfig::new([8, 32, 2]), vb.pp("decoder"))?;
    ///
    /// let trainer = Trainer::new(TrainConfig { epochs: 2, ..Default::default() })?;
    /// trainer.pretrain_svdd(&svdd, decoder, &params, &train, &validation, &mut ())?;
    /// // Several objectives can go on from here.
    /// let start = params.snapshot()?;
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn pretrain_svdd<E: ModuleT + Clone, D: ModuleT>(
        &self,
        svdd: &DeepSvdd<E>,
        decoder: D,
        params: &Params,
        train: &PuDataset,
        validation: &PuDataset,
        observer: &mut dyn Observer,
    ) -> Result<History> {
        let config = TrainConfig {
            selection: Selection::Risk,
            ..self.config().clone()
        };
        let autoencoder = Autoencoder::new(svdd.encoder().clone(), decoder);
        let objective = UnsupervisedObjective::new(autoencoder);
        observer.on_phase(Phase::Pretraining);
        let mut inner = Self::new(config)?.in_phase(Phase::Pretraining);
        if let Some(checkpoints) = self.checkpoints() {
            inner = inner.with_checkpoints(checkpoints.pretraining())?;
        }
        let history = inner.fit(&objective, params, train, validation, observer)?;
        if history.stopped == StopReason::Observer {
            let epoch = history.epochs.len();
            return Err(Error::PretrainingStopped { epoch });
        }
        svdd.init_center(train.unlabeled(), self.config().batch_size)?;
        Ok(history)
    }
}
