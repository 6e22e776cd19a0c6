use candle_core::DType;
use serde::{Deserialize, Serialize};

use crate::data::Samples;

/// The type of the values that a fit saw.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::ElementType;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert_eq!(detector.inputs().map(|inputs| inputs.element_type()), Some(ElementType::F32));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ElementType {
    /// Images of 8 bits, which are taken as numbers in [0, 1].
    Bits8,
    /// Floats of 16 bits.
    F16,
    /// Floats of 16 bits with the range of 32.
    Bf16,
    /// Floats of 32 bits.
    F32,
    /// Floats of 64 bits.
    F64,
}

impl ElementType {
    pub(super) fn of(samples: &Samples) -> Self {
        match samples.tensor().map(|tensor| tensor.dtype()) {
            None => Self::Bits8,
            Some(DType::F16) => Self::F16,
            Some(DType::BF16) => Self::Bf16,
            Some(DType::F64) => Self::F64,
            Some(_) => Self::F32,
        }
    }

    /// The step between two neighbours, of numbers from 1 to 2.
    pub(super) fn step(self) -> f64 {
        match self {
            Self::Bits8 => 1. / 255.,
            Self::F16 => 2f64.powi(-10),
            Self::Bf16 => 2f64.powi(-7),
            Self::F32 => f32::EPSILON.into(),
            Self::F64 => f64::EPSILON,
        }
    }
}
