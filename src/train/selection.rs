use std::cell::OnceCell;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::{PuDataset, Samples};
use crate::metrics::auroc;

/// Which epoch's parameters are kept: the one of the lowest cost, the first of equals.
///
/// [`Selection`] has the shipped rules; a [`Trainer`](super::Trainer) takes any other.
///
/// ```
/// use puad::Result;
/// use puad::train::{Select, TrainConfig, Trainer, Validation};
///
/// /// The widest gap between the mean scores of labeled anomalies and of unlabeled samples.
/// struct Gap;
///
/// impl Select for Gap {
///     fn name(&self) -> String {
///         "gap".into()
///     }
///     fn needs_anomalies(&self) -> bool {
///         true
///     }
///     fn cost(&self, validation: &Validation<'_>) -> Result<f64> {
///         let mean = |scores: Vec<f64>| scores.iter().sum::<f64>() / scores.len() as f64;
///         Ok(mean(validation.unlabeled_scores()?) - mean(validation.anomaly_scores()?))
///     }
/// }
///
/// let trainer = Trainer::new(TrainConfig::default())?.with_selection(Gap);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Select: Send + Sync {
    /// What tells it from other rules: a run is resumed under a rule of the same name only.
    fn name(&self) -> String;

    /// What an epoch costs, finite.
    ///
    /// # Errors
    /// As the detector's scores.
    fn cost(&self, validation: &Validation<'_>) -> Result<f64>;

    /// Whether the validation set must hold labeled anomalies. Default: no.
    fn needs_anomalies(&self) -> bool {
        false
    }
}

/// Which epoch's parameters are kept.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::train::Selection;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.selection = Selection::PuAuroc;
/// config.train.epochs = 2;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let reports = &detector.history().training.epochs;
/// assert!(reports.iter().all(|report| report.pu_auroc.is_some()));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// The lowest validation risk (section 5.3 of the paper).
    #[default]
    Risk,
    /// The highest AUROC of the validation set's labeled anomalies against its unlabeled samples.
    /// It needs no normal labels, and is linear in the true AUROC of anomalies against normals:
    /// with `U = alpha A + (1 - alpha) N`, `AUROC(A, U) = alpha / 2 + (1 - alpha) AUROC(A, N)`.
    PuAuroc,
}

impl Select for Selection {
    fn name(&self) -> String {
        match self {
            Self::Risk => "risk".into(),
            Self::PuAuroc => "pu_auroc".into(),
        }
    }

    fn cost(&self, validation: &Validation<'_>) -> Result<f64> {
        match self {
            Self::Risk => Ok(validation.risk()),
            Self::PuAuroc => Ok(-validation.pu_auroc()?),
        }
    }

    fn needs_anomalies(&self) -> bool {
        *self == Self::PuAuroc
    }
}

type Score<'a> = &'a dyn Fn(&Samples) -> Result<Vec<f64>>;

/// The validation set after an epoch; see [`Select`] for an example. Scores are computed when asked for.
pub struct Validation<'a> {
    risk: f64,
    data: &'a PuDataset,
    score: Score<'a>,
    pu_auroc: OnceCell<f64>,
}

impl<'a> Validation<'a> {
    pub(super) fn new(risk: f64, data: &'a PuDataset, score: Score<'a>) -> Self {
        Self {
            risk,
            data,
            score,
            pu_auroc: OnceCell::new(),
        }
    }

    /// The objective's risk on the whole set.
    pub fn risk(&self) -> f64 {
        self.risk
    }

    /// The scores of the unlabeled samples.
    ///
    /// # Errors
    /// As the detector's.
    pub fn unlabeled_scores(&self) -> Result<Vec<f64>> {
        (self.score)(self.data.unlabeled())
    }

    /// The scores of the labeled anomalies; empty without any.
    ///
    /// # Errors
    /// As the detector's.
    pub fn anomaly_scores(&self) -> Result<Vec<f64>> {
        let scores = self.data.anomalies().map(self.score).transpose()?;
        Ok(scores.unwrap_or_default())
    }

    /// The AUROC of the labeled anomalies against the unlabeled samples.
    ///
    /// # Errors
    /// [`Error::OneClass`](crate::Error::OneClass) without anomalies; as the detector's scores.
    pub fn pu_auroc(&self) -> Result<f64> {
        if let Some(known) = self.pu_auroc.get() {
            return Ok(*known);
        }
        let mut all = self.unlabeled_scores()?;
        let unlabeled = all.len();
        all.extend(self.anomaly_scores()?);
        let positives: Vec<bool> = (0..all.len()).map(|i| i >= unlabeled).collect();
        let value = auroc(&all, &positives)?;
        Ok(*self.pu_auroc.get_or_init(|| value))
    }

    /// The AUROC, if the selection asked for it.
    pub(super) fn known_pu_auroc(&self) -> Option<f64> {
        self.pu_auroc.get().copied()
    }
}
