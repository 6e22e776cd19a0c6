use std::fmt;

use candle_core::{DType, Device};

use super::{FittedDetector, INPUT};
use crate::estimator::{Column, IntoSamples};
use crate::{Error, Result};

/// Why a row scores as it does: a column with its value, from [`FittedDetector::reasons`].
///
/// ```
/// use puad::estimator::{Column, Reason};
///
/// let column = Column { index: 3, name: Some("amount".into()), channel: false };
/// let reason = Reason { column, value: 9812., usual: Some((12.049, 310.)), contribution: 4.5 };
/// assert_eq!(reason.to_string(), "amount is 9812, usually 12.05 to 310");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// Which.
    pub column: Column,
    /// What the row has there, in the caller's unit.
    pub value: f64,
    /// Between which values nine tenths of the fit's unlabeled rows lie; `None` of a detector from a file that
    /// does not say.
    pub usual: Option<(f64, f64)>,
    /// By how much the score falls with a usual value in its place, > 0; see
    /// [`Attribution`](crate::estimator::Attribution).
    pub contribution: f64,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column.name {
            Some(name) => write!(f, "{name}")?,
            None => write!(f, "{}", self.column)?,
        }
        write!(f, " is {}", short(self.value))?;
        match self.usual {
            Some((low, high)) if low == high => write!(f, ", usually {}", short(low)),
            Some((low, high)) => write!(f, ", usually {} to {}", short(low), short(high)),
            None => Ok(()),
        }
    }
}

/// To four digits.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

impl FittedDetector {
    /// The reasons for each row's score, at most `most` a row, the weightiest first: `n` lists for
    /// `[n, features]`. Columns that speak for a row are no reasons, so that a list may be empty.
    ///
    /// How far to trust them, and what they cost: [`explain`](Self::explain).
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::estimator::IntoSamples;
    /// use puad::{Estimator, FitConfig};
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let named = |rows: &[[f32; 2]]| rows.into_samples()?.with_names(&["width", "height"]);
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 20;
    /// let detector =
    ///     Estimator::new(config).fit(named(&toy.normals)?, named(&toy.labeled_anomalies)?)?;
    /// let reasons = detector.reasons(&[[0.3f32, 8.]], 1)?;
    /// assert!(reasons[0][0].to_string().starts_with("height is 8, usually -"));
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`explain`](Self::explain); [`Error::Shape`] for images, which have no columns.
    pub fn reasons(&self, samples: impl IntoSamples, most: usize) -> Result<Vec<Vec<Reason>>> {
        let (samples, _) = self.accepted(samples.into_samples()?, self.check)?;
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let shape = samples.sample_shape();
        if shape.len() != 1 {
            return Err(Error::Shape {
                what: INPUT,
                expected: "vectors [features], whose columns are reasons".into(),
                actual: shape,
            });
        }
        let contributions = self.explain_accepted(&samples)?.attribution;
        let contributions = contributions.to_vec2::<f32>()?;
        let rows = samples.to_tensor()?.to_device(&Device::Cpu)?;
        let rows = rows.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let reasons = |(row, contributions): (Vec<f64>, Vec<f32>)| {
            let columns = row.into_iter().zip(contributions).enumerate();
            let mut reasons: Vec<Reason> = columns
                .filter(|(_, (_, contribution))| *contribution > 0.)
                .map(|(j, (value, contribution))| self.reason(j, value, contribution.into()))
                .collect();
            reasons.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
            reasons.truncate(most);
            reasons
        };
        Ok(rows.into_iter().zip(contributions).map(reasons).collect())
    }

    fn reason(&self, index: usize, value: f64, contribution: f64) -> Reason {
        let inputs = self.inputs.as_ref();
        let unnamed = Column {
            index,
            name: None,
            channel: false,
        };
        Reason {
            column: inputs.map_or(unnamed, |inputs| inputs.column(index)),
            value,
            usual: inputs.map(|inputs| inputs.usual()[index]),
            contribution,
        }
    }
}
