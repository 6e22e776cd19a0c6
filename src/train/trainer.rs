use std::fmt;
use std::sync::Arc;

use candle_core::Var;
use rand::RngCore;

use super::run::Run;
use super::{
    Checkpoints, History, Observer, Patience, Phase, Select, Selection, Stop, TrainConfig, batches,
};
use crate::data::{PuDataset, of_validation};
use crate::objective::{GroupCounts, Objective};
use crate::optim::{Adam, Optimizer};
use crate::rng::{Purpose, substream};
use crate::{Error, NonNegativeLoss, Params, Result};

/// Minimises an [`Objective`] with Adam, or another optimiser, over shuffled mini-batches (Algorithm 1
/// of the paper), and keeps the best epoch on a validation set.
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
#[derive(Clone)]
pub struct Trainer {
    config: TrainConfig,
    /// Which of the random streams of the seed are this run's.
    stream: u64,
    checkpoints: Option<Checkpoints>,
    optimizer: Option<Arc<MakeOptimizer>>,
    selection: Option<Arc<dyn Select>>,
    stopping: Option<Arc<dyn Stop>>,
}

/// An optimiser of the named parameters.
type MakeOptimizer = dyn Fn(&[(String, Var)]) -> Result<Box<dyn Optimizer>> + Send + Sync;

impl fmt::Debug for Trainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("config", &self.config)
            .field("stream", &self.stream)
            .field("checkpoints", &self.checkpoints)
            .finish_non_exhaustive()
    }
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
            stream: Phase::Training as u64,
            checkpoints: None,
            optimizer: None,
            selection: None,
            stopping: None,
        })
    }

    /// This trainer for run number `run` of a pre-training, counted from 1, with so many epochs at most: with random
    /// numbers of its own, so that no run meets the mini-batches of another again, and a file of its own.
    pub(super) fn pretraining(&self, run: u64, epochs: usize) -> Self {
        let stream = match run {
            1 => Phase::Pretraining as u64,
            // 1 is the stream of the training proper.
            later => later,
        };
        let checkpoints = self.checkpoints.as_ref();
        Self {
            config: TrainConfig {
                epochs: self.config.epochs.min(epochs),
                selection: Selection::Risk,
                ..self.config.clone()
            },
            stream,
            checkpoints: checkpoints.map(|checkpoints| checkpoints.pretraining(run)),
            selection: None,
            ..self.clone()
        }
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

    /// Another optimiser than [`Adam`] with the configuration's settings: `make` gets the parameters
    /// of each phase, sorted by name. See [`CandleOptimizer`](crate::optim::CandleOptimizer) for an
    /// example.
    pub fn with_optimizer(
        self,
        make: impl Fn(&[(String, Var)]) -> Result<Box<dyn Optimizer>> + Send + Sync + 'static,
    ) -> Self {
        let optimizer: Option<Arc<MakeOptimizer>> = Some(Arc::new(make));
        Self { optimizer, ..self }
    }

    /// Another choice of the epoch that is kept than the configuration's; a pre-training keeps the
    /// lowest risk.
    pub fn with_selection(self, selection: impl Select + 'static) -> Self {
        let selection: Option<Arc<dyn Select>> = Some(Arc::new(selection));
        Self { selection, ..self }
    }

    /// Another rule to end early than the configuration's patience.
    pub fn with_stopping(self, stopping: impl Stop + 'static) -> Self {
        let stopping: Option<Arc<dyn Stop>> = Some(Arc::new(stopping));
        Self { stopping, ..self }
    }

    /// The same for member number `index` of a committee: with random numbers of its own, and a file of its own.
    pub(crate) fn of_member(&self, index: u64) -> Self {
        let seed = substream(self.config.seed, Purpose::Committee, index).next_u64();
        let checkpoints = self.checkpoints.as_ref();
        Self {
            config: TrainConfig {
                seed,
                ..self.config.clone()
            },
            checkpoints: checkpoints.map(|checkpoints| checkpoints.of_member(index)),
            ..self.clone()
        }
    }

    /// The same for a run that is not saved, beside one that is.
    pub(crate) fn without_checkpoints(&self) -> Self {
        Self {
            checkpoints: None,
            ..self.clone()
        }
    }

    /// Where the run is saved, if it is.
    pub fn checkpoints(&self) -> Option<&Checkpoints> {
        self.checkpoints.as_ref()
    }

    /// The hyperparameters.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    pub(super) fn stream(&self) -> u64 {
        self.stream
    }

    pub(super) fn optimizer(&self, params: &[(String, Var)]) -> Result<Box<dyn Optimizer>> {
        match &self.optimizer {
            Some(make) => make(params),
            None => Ok(Box::new(Adam::new(params.to_vec(), self.config.adam)?)),
        }
    }

    pub(super) fn selection(&self) -> &dyn Select {
        match &self.selection {
            Some(selection) => selection.as_ref(),
            None => &self.config.selection,
        }
    }

    pub(super) fn stops(&self, epochs: &[super::EpochReport], best: usize) -> bool {
        match (&self.stopping, self.config.patience) {
            (Some(rule), _) => rule.stops(epochs, best),
            (None, Some(patience)) => Patience(patience).stops(epochs, best),
            (None, None) => false,
        }
    }

    /// Whether both sets hold what `objective` and the selection need: what [`fit`](Self::fit) asks
    /// first, for runs with a phase before it.
    pub(crate) fn check_data<O: Objective + ?Sized>(
        &self,
        objective: &O,
        train: &PuDataset,
        validation: &PuDataset,
    ) -> Result<GroupCounts> {
        let sees = objective.sees();
        let counts = batches::counts(train, sees);
        if counts.total() < 2 {
            let rule = "at least 2 (batch norm needs two)";
            return Err(Error::config("training samples", rule, counts.total()));
        }
        objective.check_groups(counts)?;
        let validated = objective.check_groups(batches::counts(validation, sees));
        validated.map_err(of_validation)?;
        if self.selection().needs_anomalies() && validation.anomalies().is_none() {
            let (what, group) = ("the selection of an epoch", "anomalous");
            let error = Error::EmptyGroup { what, group };
            // Where there are none at all the two sets are one to the caller.
            return Err(match train.anomalies() {
                Some(_) => of_validation(error),
                None => error,
            });
        }
        Ok(counts)
    }

    /// Trains `params` on `objective`. Afterwards, with or without an error, the parameters and
    /// batch-norm statistics of the best epoch are in place (the initial ones if there was none).
    ///
    /// Data may live on another device than `params`; batches are moved. The detector's buffers are
    /// registered with `params`.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] if a set lacks labeled anomalies and the objective or the selection
    /// needs them; [`Error::NothingLearned`] if the first step's risk reaches none of the parameters;
    /// [`Error::Diverged`] for a risk or a parameter that is NaN or infinite; [`Error::LossOutOfRange`]
    /// for a validation loss that is negative or NaN; [`Error::LearnedBuffer`] for a buffer that the loss learns from; [`Error::Checkpoint`] if the
    /// run's file cannot be written or read, or holds another run ([`OtherRun`](super::OtherRun)); [`Error::NotResumable`] if the
    /// optimiser has no state to save; whatever the detector gives.
    pub fn fit<O: Objective + ?Sized>(
        &self,
        objective: &O,
        params: &Params,
        train: &PuDataset,
        validation: &PuDataset,
        observer: &mut dyn Observer,
    ) -> Result<History> {
        let counts = self.check_data(objective, train, validation)?;
        params.register_buffers(&objective.detector().buffers())?;
        Run::new(self, objective, params, counts, train, validation)?.finish(observer)
    }
}
