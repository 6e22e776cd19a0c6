use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

/// What happened in one epoch.
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
pub trait Observer {
    /// Called after each epoch; [`ControlFlow::Break`] ends training with the best epoch's
    /// parameters.
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()>;

    /// Called before the first epoch of each phase of a run that may have two
    /// ([`fit_svdd`](super::fit_svdd), [`Assembly`](crate::method::Assembly)). Default: nothing.
    fn on_phase(&mut self, _phase: Phase) {}
}

/// A part of a training run, whose epochs are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A DeepSVDD's encoder inside an autoencoder.
    Pretraining,
    /// The method itself.
    Training,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs were run.
    Epochs,
    /// No better epoch within the patience.
    Patience,
    /// The observer asked for it.
    Observer,
}

/// A finished training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// One report an epoch.
    pub epochs: Vec<EpochReport>,
    /// The epoch whose parameters are in place, counted from 1.
    pub best_epoch: usize,
    /// Why training ended.
    pub stopped: StopReason,
}
