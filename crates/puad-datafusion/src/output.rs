use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use datafusion::arrow::datatypes::DataType;
use puad::estimator::Detections;

use crate::{Error, Result};

/// What a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Output {
    /// The anomaly score; larger = more anomalous.
    Score,
    /// The same; NULL where a value is none that can be scored.
    ScoreOrNull,
    /// Whether the score is above the threshold.
    Anomalous,
    /// The probability of an anomaly, in [0, 1].
    Probability,
}

impl Output {
    pub(crate) const ALL: [Self; 4] = [
        Self::Score,
        Self::ScoreOrNull,
        Self::Anomalous,
        Self::Probability,
    ];

    /// The function's name.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Score => "puad_score",
            Self::ScoreOrNull => "try_puad_score",
            Self::Anomalous => "puad_predict",
            Self::Probability => "puad_proba",
        }
    }

    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Anomalous => DataType::Boolean,
            _ => DataType::Float64,
        }
    }

    /// A value for each row of a batch, NULL where it was not usable.
    ///
    /// # Errors
    /// [`Error::NotCalibrated`].
    pub(crate) fn of(
        self,
        found: Detections,
        usable: Option<&BooleanArray>,
        model: &str,
    ) -> Result<ArrayRef> {
        Ok(match self {
            Self::Score | Self::ScoreOrNull => numbers(found.scores, usable),
            Self::Anomalous => {
                let flags = spread(found.anomalous, usable);
                Arc::new(BooleanArray::from_iter(flags))
            }
            Self::Probability => {
                let probabilities = found.probabilities.ok_or_else(|| Error::NotCalibrated {
                    model: model.into(),
                })?;
                numbers(probabilities, usable)
            }
        })
    }
}

fn numbers(values: Vec<f64>, usable: Option<&BooleanArray>) -> ArrayRef {
    match usable {
        None => Arc::new(Float64Array::from(values)),
        Some(_) => Arc::new(Float64Array::from_iter(spread(values, usable))),
    }
}

/// The usable rows' values where these rows are.
fn spread<T>(values: Vec<T>, usable: Option<&BooleanArray>) -> impl Iterator<Item = Option<T>> {
    let rows = usable.map_or(values.len(), Array::len);
    let mut values = values.into_iter();
    (0..rows).map(move |row| {
        let is_usable = usable.is_none_or(|usable| usable.value(row));
        is_usable.then(|| values.next()).flatten()
    })
}
