use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which per-sample loss.
///
/// ```
/// use puad::method::{DetectorKind, Method, RiskKind};
///
/// let method = Method { detector: DetectorKind::Denoising, risk: RiskKind::Pu };
/// assert_eq!(method, Method::PUDAE);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DetectorKind {
    /// [`Autoencoder`](crate::detector::Autoencoder), eq. 1.
    Autoencoder,
    /// [`DenoisingAutoencoder`](crate::detector::DenoisingAutoencoder), eq. 16.
    Denoising,
    /// [`DeepSvdd`](crate::detector::DeepSvdd), eq. 14, pre-trained as an autoencoder.
    DeepSvdd,
    /// [`Classifier`](crate::detector::Classifier), the PU baseline.
    Classifier,
    /// [`RotationHead`](crate::detector::RotationHead), for square images.
    Rotation,
}

/// Which risk of the losses.
///
/// ```
/// use puad::method::{DetectorKind, Method, RiskKind};
///
/// // Not one of the paper's: latent outlier exposure on an autoencoder.
/// let method = Method { detector: DetectorKind::Autoencoder, risk: RiskKind::Loe };
/// assert_eq!(method.to_string(), "autoencoder/loe");
/// assert!(!method.uses_anomalies());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RiskKind {
    /// [`UnsupervisedObjective`](crate::objective::UnsupervisedObjective), eq. 2.
    Unsupervised,
    /// The same with [`Loe`](crate::objective::Loe) on the unlabeled samples.
    Loe,
    /// [`SemiSupervisedObjective`](crate::objective::SemiSupervisedObjective), eq. 5.
    SemiSupervised,
    /// The same with [`Loe`](crate::objective::Loe), each group its own mean.
    Soel,
    /// [`PuObjective`](crate::PuObjective), eq. 13.
    Pu,
}

/// A detector and the risk it is trained under.
///
/// Reads and prints as the paper's name where there is one, else as `detector/risk`.
///
/// ```
/// use puad::method::{DetectorKind, Method, RiskKind};
///
/// let method: Method = "pusvdd".parse()?;
/// assert_eq!(method, Method::PUSVDD);
/// assert_eq!(method.to_string(), "PUSVDD");
///
/// let method: Method = "rotation/pu".parse()?;
/// assert_eq!((method.detector, method.risk), (DetectorKind::Rotation, RiskKind::Pu));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Method {
    /// The per-sample loss.
    pub detector: DetectorKind,
    /// How it is trained.
    pub risk: RiskKind,
}

/// Methods of the paper, in the order of its tables.
macro_rules! methods {
    ($($constant:ident $name:literal = $detector:ident $risk:ident, $doc:literal;)*) => {
        impl Method {
            $(
                #[doc = $doc]
                pub const $constant: Self = Self {
                    detector: DetectorKind::$detector,
                    risk: RiskKind::$risk,
                };
            )*
            /// The methods that have a name of their own.
            pub const NAMED: &'static [(&'static str, Self)] = &[$(($name, Self::$constant)),*];
        }
    };
}

methods! {
    AE "AE" = Autoencoder Unsupervised, "Autoencoder.";
    DAE "DAE" = Denoising Unsupervised, "Denoising autoencoder.";
    DEEP_SVDD "DeepSVDD" = DeepSvdd Unsupervised, "Deep support vector data description.";
    LOE "LOE" = DeepSvdd Loe, "Latent outlier exposure on the DeepSVDD.";
    ABC "ABC" = Autoencoder SemiSupervised, "Autoencoding binary classifier.";
    ABC_DAE "ABC-DAE" = Denoising SemiSupervised, "The same on a denoising autoencoder (Figure 1).";
    DEEP_SAD "DeepSAD" = DeepSvdd SemiSupervised, "Deep semi-supervised anomaly detection.";
    SOEL "SOEL" = DeepSvdd Soel, "Semi-supervised outlier exposure on the DeepSVDD.";
    PU "PU" = Classifier Pu, "Positive-unlabeled binary classifier.";
    PUAE "PUAE" = Autoencoder Pu, "Positive-unlabeled autoencoder, the paper's.";
    PUDAE "PUDAE" = Denoising Pu, "Positive-unlabeled denoising autoencoder (Figure 1).";
    PUSVDD "PUSVDD" = DeepSvdd Pu, "Positive-unlabeled DeepSVDD, the paper's.";
}

const DETECTORS: [(&str, DetectorKind); 5] = [
    ("autoencoder", DetectorKind::Autoencoder),
    ("denoising", DetectorKind::Denoising),
    ("deep-svdd", DetectorKind::DeepSvdd),
    ("classifier", DetectorKind::Classifier),
    ("rotation", DetectorKind::Rotation),
];

const RISKS: [(&str, RiskKind); 5] = [
    ("unsupervised", RiskKind::Unsupervised),
    ("loe", RiskKind::Loe),
    ("semi-supervised", RiskKind::SemiSupervised),
    ("soel", RiskKind::Soel),
    ("pu", RiskKind::Pu),
];

impl Method {
    /// Whether training needs labeled anomalies.
    pub fn uses_anomalies(self) -> bool {
        !matches!(self.risk, RiskKind::Unsupervised | RiskKind::Loe)
    }

    /// # Errors
    /// [`Error::Config`] for a classifier without labels, which would call everything normal.
    pub fn check(self) -> Result<()> {
        if self.detector == DetectorKind::Classifier && !self.uses_anomalies() {
            let rule = "trained with labeled anomalies if it is a classifier";
            return Err(Error::config("method", rule, self));
        }
        Ok(())
    }
}

fn find<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<T> {
    let entry = table.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    entry.map(|&(_, value)| value)
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    let entry = table.iter().find(|(_, v)| v == value);
    entry.map_or("", |&(name, _)| name)
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name_of(Self::NAMED, self) {
            "" => {
                let detector = name_of(&DETECTORS, &self.detector);
                f.pad(&format!("{detector}/{}", name_of(&RISKS, &self.risk)))
            }
            name => f.pad(name),
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    /// # Errors
    /// [`Error::Config`] for a name that is none; case does not matter.
    fn from_str(name: &str) -> Result<Self> {
        let pair = || {
            let (detector, risk) = name.split_once('/')?;
            Some(Self {
                detector: find(&DETECTORS, detector)?,
                risk: find(&RISKS, risk)?,
            })
        };
        let method = find(Self::NAMED, name).or_else(pair);
        let rule = "a name in puad::method or detector/risk";
        let method = method.ok_or_else(|| Error::config("method", rule, name))?;
        method.check()?;
        Ok(method)
    }
}

impl TryFrom<String> for Method {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        name.parse()
    }
}

impl From<Method> for String {
    fn from(method: Method) -> Self {
        method.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_reads_as_it_prints() {
        let mut named = 0;
        for (_, detector) in DETECTORS {
            for (_, risk) in RISKS {
                let method = Method { detector, risk };
                let text = method.to_string();
                if method.check().is_err() {
                    assert!(!method.uses_anomalies() && text.starts_with("classifier/"));
                    assert!(text.parse::<Method>().is_err());
                    continue;
                }
                named += usize::from(!text.contains('/'));
                assert_eq!(text.parse::<Method>().unwrap(), method);
                assert_eq!(text.to_lowercase().parse::<Method>().unwrap(), method);
                let json = serde_json::to_string(&method).unwrap();
                assert_eq!(serde_json::from_str::<Method>(&json).unwrap(), method);
            }
        }
        assert_eq!(named, Method::NAMED.len());
    }

    #[test]
    fn other_names_are_errors() {
        for name in ["", "PUSVD", "pu/pu", "autoencoder/", "classifier/loe"] {
            let err = name.parse::<Method>().unwrap_err();
            assert!(matches!(err, Error::Config { name: "method", value, .. } if value == name));
        }
    }
}
