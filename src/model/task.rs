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
    /// Of a model that learned from all labeled anomalies, because the validation part had none: the scores of each by
    /// a part of it that was not trained on it, a list a part. Empty of a model that held nothing out itself.
    pub held_out: Vec<HeldOut>,
}

impl Learned {
    /// A model that held nothing out itself.
    pub fn new(model: Arc<dyn Fitted>, history: FitHistory) -> Self {
        Self {
            model,
            history,
            held_out: Vec::new(),
        }
    }
}

/// Scores of samples by a model that was fitted without them, on a scale of its own.
///
/// ```
/// use puad::model::HeldOut;
///
/// let held_out = HeldOut { unlabeled: vec![0.1, 0.4, 0.2], anomalies: vec![0.7], rows: vec![3] };
/// assert!(held_out.unlabeled.iter().all(|score| *score < held_out.anomalies[0]));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeldOut {
    /// Of unlabeled samples.
    pub unlabeled: Vec<f64>,
    /// Of labeled anomalies.
    pub anomalies: Vec<f64>,
    /// Which of the training part's labeled anomalies these are. Without it a refit cannot tell confirmed alarms, which
    /// take no part in calibration, from others, and leaves all of them out.
    pub rows: Vec<usize>,
}

impl HeldOut {
    /// With the anomalies of these rows alone.
    pub(crate) fn keep(&mut self, keep: impl Fn(usize) -> bool) {
        let told = self.rows.iter().zip(&self.anomalies);
        let kept = told.filter(|(row, _)| keep(**row));
        (self.rows, self.anomalies) = kept.map(|(row, score)| (*row, *score)).unzip();
    }
}
