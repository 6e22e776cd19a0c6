use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

/// What happened in one epoch.
///
/// ```
/// use std::ops::ControlFlow;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::train::EpochReport;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 3;
/// let mut lines = Vec::new();
/// let mut log = |report: &EpochReport| {
///     lines.push(format!("{}: {:.3} {:.3}", report.epoch, report.risk, report.validation_risk));
///     ControlFlow::Continue(())
/// };
/// Estimator::new(config).with_observer(&mut log).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert!(lines[0].starts_with("1: "));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean over the epoch's mini-batches of the risk that was descended.
    pub risk: f64,
    /// The objective's risk on the whole validation set.
    pub validation_risk: f64,
    /// AUROC of the validation set's labeled anomalies against its unlabeled samples, where
    /// [`Selection::PuAuroc`](super::Selection::PuAuroc) asked for it.
    pub pu_auroc: Option<f64>,
    /// Wall-clock time of training and validation.
    pub seconds: f64,
    /// Whether this is the best epoch so far.
    pub best: bool,
}

/// Sees every epoch, and may stop the run.
///
/// Closures `FnMut(&EpochReport) -> ControlFlow<()>` are observers, and so is `()`, which lets
/// everything pass.
///
/// ```
/// use std::ops::ControlFlow;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::Method;
/// use puad::train::{EpochReport, Observer, Phase};
/// use puad::{Estimator, FitConfig};
///
/// /// Stops at the first epoch of the training proper whose risk is low enough.
/// struct Until(f64, Option<Phase>);
///
/// impl Observer for Until {
///     fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
///         match self.1 {
///             Some(Phase::Training) if report.validation_risk < self.0 => ControlFlow::Break(()),
///             _ => ControlFlow::Continue(()),
///         }
///     }
///     fn on_phase(&mut self, phase: Phase) {
///         self.1 = Some(phase);
///     }
/// }
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig { method: Some(Method::PUAE), ..FitConfig::default() };
/// config.train.epochs = 3;
/// let mut until = Until(f64::INFINITY, None);
/// let detector = Estimator::new(config).with_observer(&mut until).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert_eq!(detector.history().training.epochs.len(), 1);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Observer {
    /// Called after each epoch; [`ControlFlow::Break`] ends training with the best epoch's
    /// parameters.
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()>;

    /// Called before the first epoch of each phase of a fit that may have two
    /// ([`Pretraining`](super::Pretraining)). Default: nothing.
    fn on_phase(&mut self, _phase: Phase) {}
}

/// A part of a training run, whose epochs are counted from 1. The numbers reach the seeds of shuffling and
/// noise: they never change.
///
/// ```
/// use std::ops::ControlFlow;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::Method;
/// use puad::train::{EpochReport, Observer, Phase};
/// use puad::{Estimator, FitConfig};
///
/// #[derive(Default)]
/// struct Phases(Vec<Phase>);
///
/// impl Observer for Phases {
///     fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
///         ControlFlow::Continue(())
///     }
///     fn on_phase(&mut self, phase: Phase) {
///         self.0.push(phase);
///     }
/// }
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig { method: Some(Method::PUSVDD), ..Default::default() };
/// config.train.epochs = 1;
/// let mut phases = Phases::default();
/// Estimator::new(config).with_observer(&mut phases).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert_eq!(phases.0, [Phase::Pretraining, Phase::Training]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// What a detector does before it is trained itself, as a DeepSVDD's encoder inside an autoencoder.
    Pretraining = 0,
    /// The method itself.
    Training = 1,
}

impl<F: FnMut(&EpochReport) -> ControlFlow<()>> Observer for F {
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        self(report)
    }
}

impl Observer for () {
    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Why training ended.
///
/// ```
/// use std::ops::ControlFlow;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::train::{EpochReport, StopReason};
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let config = FitConfig::default();
/// let mut two = |report: &EpochReport| match report.epoch {
///     2 => ControlFlow::Break(()),
///     _ => ControlFlow::Continue(()),
/// };
/// let detector = Estimator::new(config).with_observer(&mut two).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert_eq!(detector.history().training.stopped, StopReason::Observer);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs were run.
    Epochs,
    /// No better epoch within the patience, or what another [`Stop`](super::Stop) rule says.
    Patience,
    /// The observer asked for it.
    Observer,
}

/// A finished training run.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 3;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let history = &detector.history().training;
/// let best = &history.epochs[history.best_epoch - 1];
/// assert!(history.epochs.iter().all(|e| e.validation_risk >= best.validation_risk));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// One report an epoch.
    pub epochs: Vec<EpochReport>,
    /// The epoch whose parameters are in place, counted from 1; 0 without epochs.
    pub best_epoch: usize,
    /// Why training ended.
    pub stopped: StopReason,
}

/// The epochs of a fit.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::Method;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig { method: Some(Method::PUSVDD), ..FitConfig::default() };
/// config.train.epochs = 2;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let history = detector.history();
/// assert_eq!(history.training.epochs.len(), 2);
/// assert_eq!(history.pretraining.as_ref().map(|phase| phase.epochs.len()), Some(2));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitHistory {
    /// Of a detector that has one.
    pub pretraining: Option<History>,
    /// Of the method itself; without epochs for a model that is not trained by epochs.
    pub training: History,
}

impl FitHistory {
    /// Of a model that is not trained by epochs.
    pub fn without_epochs() -> Self {
        Self {
            pretraining: None,
            training: History {
                epochs: Vec::new(),
                best_epoch: 0,
                stopped: StopReason::Epochs,
            },
        }
    }
}
