use std::sync::Arc;

use candle_core::Device;

use super::Fitted;
use crate::ClassPrior;
use crate::data::PuDataset;
use crate::net::Architecture;
use crate::train::{FitHistory, Observer, Trainer};

/// What a model is fitted on and with; see [`ModelSpec`](super::ModelSpec) for an example.
pub struct Task<'a> {
    /// The training part, transformed.
    pub train: &'a PuDataset,
    /// The part held out for early stopping, transformed.
    pub validation: &'a PuDataset,
    /// The share of anomalies among the unlabeled samples.
    pub prior: ClassPrior,
    /// Which network, for a model that has one.
    pub network: &'a Architecture,
    /// Training settings, files and seed.
    pub trainer: &'a Trainer,
    /// Where to compute.
    pub device: &'a Device,
    /// Sees every epoch.
    pub observer: &'a mut dyn Observer,
}

/// A fitted model and the epochs it took; see [`ModelSpec`](super::ModelSpec) for an example.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The model.
    pub model: Arc<dyn Fitted>,
    /// How training went.
    pub history: FitHistory,
}
