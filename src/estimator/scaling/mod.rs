mod columns;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::transformation::Unchanged;
use super::values::for_rows;
use super::{Inputs, Scaler, Transformation};
use crate::data::{PuDataset, Samples};
use crate::{Error, Result};
use columns::{Columns, Kinds, many_at_zero, raised, range};

/// The largest value that is trained on unscaled: its square is far from the end of f32.
const UNSCALED: f64 = 1e15;

/// How samples are scaled before the network sees them.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::Scaling;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// // Features that are in one unit already.
/// let mut config = FitConfig { scaling: Scaling::None, ..Default::default() };
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert!(detector.scaler().is_none());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// By what the samples are, without the values that a
    /// [`Warning::Sentinel`](super::Warning::Sentinel) tells of.
    ///
    /// Vectors: every column to mean 0 and standard deviation 1; one of two values, a category, to mean 0 and
    /// its values 1 apart. Under a detector that is
    /// [homogeneous](crate::detector::DetectorSpec::is_homogeneous), which maps the zero vector to 0 whatever it
    /// learned, [`MinMax`](Self::MinMax), and where usual rows lie next to zero then, as in tables of mostly zeros,
    /// every column's smallest value to 0.5 and its largest to 1.5.
    ///
    /// Images: as they are if all unlabeled training values lie in [0, 1], which is what LeNet's decoder
    /// gives; else [`UnitRange`](Self::UnitRange).
    #[default]
    Auto,
    /// Every feature to mean 0 and standard deviation 1. A feature that is constant, but for rounding, is
    /// centred only (scale 1), so a new sample that differs in it keeps the difference in the feature's own
    /// unit.
    Standard,
    /// For long tails. Vectors: as `Auto`, but every column's median to 0 and its quartiles to those of a
    /// standard normal distribution, or where half of its values are one, mean and standard deviation; half
    /// of its scale higher for the sake of a homogeneous detector, as under `Auto`. Images: as `Auto`.
    Robust,
    /// Every feature's smallest value to 0 and its largest to 1, as `Auto` without marks of missing values.
    MinMax,
    /// The smallest of all values to 0, the largest to 1, one range for all features.
    UnitRange,
    /// As they are.
    None,
}

impl Scaling {
    /// The transformation of `samples`, of which the fit saw `inputs`, for a detector that is `homogeneous`
    /// or not.
    pub(super) fn fit(
        self,
        samples: &Samples,
        inputs: &Inputs,
        homogeneous: bool,
    ) -> Result<Arc<dyn Transformation>> {
        Ok(match self.scaler(samples, inputs, homogeneous)? {
            Some(scaler) => Arc::new(scaler),
            None => Arc::new(Unchanged),
        })
    }

    /// The scaler of `samples`, or `None` where they stay as they are.
    fn scaler(
        self,
        samples: &Samples,
        inputs: &Inputs,
        homogeneous: bool,
    ) -> Result<Option<Scaler>> {
        // 8-bit images are floats in [0, 1] already.
        if samples.is_8_bit() && !matches!(self, Self::Standard | Self::MinMax) {
            return Ok(None);
        }
        let columns = |kinds| Columns::of(samples, kinds, inputs);
        let vectors = samples.sample_shape().len() == 1;
        let off_zero = |scaler: Scaler| -> Result<Scaler> {
            let raise = homogeneous && many_at_zero(&scaler, samples)?;
            Ok(if raise {
                raised(&scaler, inputs)
            } else {
                scaler
            })
        };
        Ok(match self {
            Self::None => None,
            Self::Standard => Some(columns(Kinds::Numbers)?.standard(Kinds::Numbers)),
            Self::UnitRange => Some(unit_range(range(samples, |_, _| true)?)),
            Self::MinMax => Some(columns(Kinds::Tables)?.unit_ranges()),
            Self::Auto if vectors && homogeneous => {
                Some(off_zero(columns(Kinds::Tables)?.unit_ranges())?)
            }
            Self::Auto if vectors => Some(columns(Kinds::Tables)?.standard(Kinds::Tables)),
            Self::Robust if vectors => {
                Some(off_zero(columns(Kinds::Tables)?.robust(samples, inputs)?)?)
            }
            Self::Auto | Self::Robust => image_range(samples, inputs)?,
        })
    }

    /// Whether training takes values far outside of what the fit saw for nearer ones.
    pub(super) fn clips(self) -> bool {
        matches!(self, Self::Auto | Self::Robust | Self::MinMax)
    }

    /// Whether what stays as it is can be trained on.
    ///
    /// # Errors
    /// [`Error::HugeFeature`] for the first value that cannot.
    pub(super) fn check_unscaled(self, data: &PuDataset) -> Result<()> {
        for (what, samples) in data.groups().filter(|_| self == Self::None) {
            if !samples.is_8_bit() {
                check_size(what, samples)?;
            }
        }
        Ok(())
    }
}

/// One range for all pixels, where they do not lie in [0, 1].
fn image_range(samples: &Samples, inputs: &Inputs) -> Result<Option<Scaler>> {
    let pixels: usize = samples.sample_shape().iter().skip(1).product();
    let (low, high) = range(samples, |j, x| inputs.in_range(j / pixels.max(1), x))?;
    Ok((low < 0. || high > 1.).then(|| unit_range((low, high))))
}

fn unit_range((low, high): (f64, f64)) -> Scaler {
    let width = high - low;
    let scale = if width > 0. { width.min(f64::MAX) } else { 1. };
    Scaler::from_parts(vec![low], vec![scale])
}

fn check_size(what: &'static str, samples: &Samples) -> Result<()> {
    let (mut row, mut found) = (0, None);
    for_rows(samples, |values| {
        let huge = values.iter().position(|v| v.abs() > UNSCALED);
        if let (None, Some(column)) = (found, huge) {
            found = Some((row, column, values[column]));
        }
        row += 1;
    })?;
    match found {
        None => Ok(()),
        Some((row, column, value)) => Err(Error::HugeFeature {
            what,
            row,
            column,
            value,
            limit: UNSCALED,
        }),
    }
}

#[cfg(test)]
mod tests;
