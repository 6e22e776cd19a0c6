use serde::{Deserialize, Serialize};

use super::{DetectorKind, Method};
use crate::detector::ClassifierLoss;
use crate::objective::{Correction, GroupWeighting, LoeLabels};
use crate::{Error, Result};

/// What a [`Method`] leaves open. Defaults: the published experiments, but for the classifier's loss.
///
/// ```
/// use puad::method::MethodOptions;
///
/// let options = MethodOptions { noise: 0.2, ..Default::default() };
/// options.check()?;
/// assert!(MethodOptions { pnu_weight: 1.5, ..options }.check().is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MethodOptions {
    /// What the PU risk does about a negative bracket. `None`: [`Correction::Absolute`] (eq. 13),
    /// and for the classifier [`Correction::NON_NEGATIVE`].
    pub correction: Option<Correction>,
    /// How a semi-supervised risk weighs its groups (not SOEL, which is defined per group).
    pub weighting: GroupWeighting,
    /// What the classifier pays for a logit. Default: [`ClassifierLoss::Logistic`]. The published
    /// experiments have [`ClassifierLoss::Sigmoid`], with which the automatic perceptron ended by
    /// calling everything normal on the toy data.
    pub classifier_loss: ClassifierLoss,
    /// How latent outlier exposure counts the samples it takes as anomalies.
    pub loe: LoeLabels,
    /// Standard deviation of a denoising autoencoder's noise, in the unit of the network's input
    /// (of a standard deviation for standardised vectors, of the full range for images).
    pub noise: f64,
    /// Weight `eta` in [0, 1] of the unlabeled part against labeled normals under the PU risk;
    /// below 1 if and only if there are labeled normals.
    pub pnu_weight: f64,
}

impl Default for MethodOptions {
    fn default() -> Self {
        Self {
            correction: None,
            weighting: GroupWeighting::Pooled,
            classifier_loss: ClassifierLoss::Logistic,
            loe: LoeLabels::Hard,
            noise: 0.1,
            pnu_weight: 1.,
        }
    }
}

impl MethodOptions {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if !(self.noise >= 0. && self.noise.is_finite()) {
            return Err(Error::config("noise", "finite and at least 0", self.noise));
        }
        if !(0. ..=1.).contains(&self.pnu_weight) {
            return Err(Error::config("pnu_weight", "in [0, 1]", self.pnu_weight));
        }
        self.correction.map_or(Ok(()), Correction::check)
    }

    pub(super) fn correction(&self, method: Method) -> Correction {
        let usual = match method.detector {
            DetectorKind::Classifier => Correction::NON_NEGATIVE,
            _ => Correction::Absolute,
        };
        self.correction.unwrap_or(usual)
    }
}
