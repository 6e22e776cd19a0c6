use candle_core::DType;
use serde::{Deserialize, Serialize};

use super::InputCheck;
use super::scale::in_unit_range;
use crate::Result;
use crate::data::Samples;
use crate::estimator::{Scaler, Warning};

/// Steps of a type within which values are one but for rounding.
const ROUNDING: f64 = 4.;

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
        if samples.is_8_bit() {
            return Self::Bits8;
        }
        Self::of_floats(samples.dtype())
    }

    /// Of a type of floats.
    pub(in crate::estimator) fn of_floats(dtype: DType) -> Self {
        match dtype {
            DType::F16 => Self::F16,
            DType::BF16 => Self::Bf16,
            DType::F64 => Self::F64,
            _ => Self::F32,
        }
    }

    /// Whether values of this range are one value but for rounding: a few steps of their type.
    pub(in crate::estimator) fn is_constant(self, low: f64, high: f64) -> bool {
        // Halved, since the range of finite numbers may be infinite.
        high / 2. - low / 2. <= ROUNDING / 2. * self.step() * low.abs().max(high.abs())
    }

    /// Whether it holds all multiples of a power of two up to this size as they are.
    pub(super) fn holds(self, unit: f64, largest: f64) -> bool {
        let smallest = match self {
            Self::F64 => f64::from_bits(1),
            Self::F32 => f32::from_bits(1).into(),
            Self::Bf16 => 2f64.powi(-133),
            Self::F16 => 2f64.powi(-24),
            Self::Bits8 => return false,
        };
        unit >= smallest && largest / unit <= 2. / self.step()
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

/// What there is to say of samples for a detector whose file does not tell what the fit saw: 8-bit images
/// were taken as numbers up to 255 by some readers then, and its scaling shows it.
///
/// # Errors
/// [`Error::ElementType`](crate::Error::ElementType) for 8-bit images where larger numbers were scaled, unless
/// they are to be taken.
pub(in crate::estimator) fn unknown_inputs(
    what: &'static str,
    samples: &Samples,
    scaler: Option<&Scaler>,
    check: InputCheck,
) -> Result<Vec<Warning>> {
    let Some(scaler) = scaler.filter(|_| ElementType::of(samples) == ElementType::Bits8) else {
        return Ok(Vec::new());
    };
    let ends = scaler.shift().iter().zip(scaler.scale());
    let Some((low, high)) = ends
        .map(|(shift, scale)| (*shift, shift + scale))
        .find(|(low, high)| !in_unit_range(*low, *high))
    else {
        return Ok(Vec::new());
    };
    let reason = bits8_for_floats(low, high);
    Ok(vec![check.other_type(what, reason)?])
}

/// What is wrong with 8-bit images where the fit saw floats of another range.
pub(super) fn bits8_for_floats(low: f64, high: f64) -> String {
    format!("8-bit images are taken as [0, 1], but the fit saw floats in [{low:?}, {high:?}]")
}
