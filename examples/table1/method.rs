use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The methods of section 5.2, and the denoising variants of section 3.3.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize,
)]
pub enum Method {
    #[value(name = "IF")]
    #[serde(rename = "IF")]
    IsolationForest,
    #[value(name = "AE")]
    #[serde(rename = "AE")]
    Ae,
    #[value(name = "DAE")]
    #[serde(rename = "DAE")]
    Dae,
    #[value(name = "DeepSVDD")]
    #[serde(rename = "DeepSVDD")]
    DeepSvdd,
    #[value(name = "LOE")]
    #[serde(rename = "LOE")]
    Loe,
    #[value(name = "ABC")]
    #[serde(rename = "ABC")]
    Abc,
    #[value(name = "DeepSAD")]
    #[serde(rename = "DeepSAD")]
    DeepSad,
    #[value(name = "SOEL")]
    #[serde(rename = "SOEL")]
    Soel,
    #[value(name = "PU")]
    #[serde(rename = "PU")]
    Pu,
    #[value(name = "PUAE")]
    #[serde(rename = "PUAE")]
    Puae,
    #[value(name = "PUDAE")]
    #[serde(rename = "PUDAE")]
    Pudae,
    #[value(name = "PUSVDD")]
    #[serde(rename = "PUSVDD")]
    Pusvdd,
}

impl Method {
    /// The ten rows of Table 1, in its order.
    pub const PAPER: [Self; 10] = [
        Self::IsolationForest,
        Self::Ae,
        Self::DeepSvdd,
        Self::Loe,
        Self::Abc,
        Self::DeepSad,
        Self::Soel,
        Self::Pu,
        Self::Puae,
        Self::Pusvdd,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::IsolationForest => "IF",
            Self::Ae => "AE",
            Self::Dae => "DAE",
            Self::DeepSvdd => "DeepSVDD",
            Self::Loe => "LOE",
            Self::Abc => "ABC",
            Self::DeepSad => "DeepSAD",
            Self::Soel => "SOEL",
            Self::Pu => "PU",
            Self::Puae => "PUAE",
            Self::Pudae => "PUDAE",
            Self::Pusvdd => "PUSVDD",
        }
    }

    /// Whether it starts from an encoder pre-trained as an autoencoder.
    pub fn is_svdd(self) -> bool {
        matches!(
            self,
            Self::DeepSvdd | Self::Loe | Self::DeepSad | Self::Soel | Self::Pusvdd
        )
    }

    /// Whether it uses the labeled anomalies.
    pub fn is_supervised(self) -> bool {
        !matches!(
            self,
            Self::IsolationForest | Self::Ae | Self::Dae | Self::DeepSvdd | Self::Loe
        )
    }
}
