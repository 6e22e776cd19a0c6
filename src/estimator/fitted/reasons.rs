use std::fmt;

use candle_core::{DType, Device};

use super::{FittedDetector, INPUT};
use crate::data::Samples;
use crate::data::table::Value;
use crate::encoding::{Usual, short};
use crate::estimator::{Column, Input, InputCheck, IntoInput};
use crate::{Error, Result};

/// Why a row scores as it does: a column with its value, from [`FittedDetector::reasons`].
///
/// ```
/// use puad::encoding::Usual;
/// use puad::estimator::{Column, Observed, Reason};
///
/// let column = Column { index: 3, name: Some("amount".into()), channel: false };
/// let usual = Some(Usual::Range(12.049, 310.));
/// let reason = Reason { column, value: Observed::Number(9812.), usual, contribution: 4.5 };
/// assert_eq!(reason.to_string(), "amount is 9812, usually 12.05 to 310");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// Which.
    pub column: Column,
    /// What the row has there, in the caller's unit.
    pub value: Observed,
    /// What the fit's unlabeled rows have there; `None` of a detector from a file that does not say.
    pub usual: Option<Usual>,
    /// By how much the score falls with a usual value in its place, > 0; see
    /// [`Attribution`](crate::estimator::Attribution).
    pub contribution: f64,
}

/// What a row has in a column.
///
/// ```
/// use puad::estimator::Observed;
///
/// assert_eq!(Observed::Number(9812.34).to_string(), "9812.34");
/// assert_eq!(Observed::Number(1. / 3.).to_string(), "0.3333");
/// assert_eq!(Observed::Gap.to_string(), "missing");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Observed {
    /// Nothing.
    Gap,
    /// A number.
    Number(f64),
    /// A category.
    Word(String),
    /// A truth value.
    Boolean(bool),
    /// Seconds since 1970-01-01 00:00:00 UTC.
    Time(f64),
}

impl From<Value<'_>> for Observed {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Number(number) => Self::Number(number),
            Value::Word(word) => Self::Word(word.into()),
            Value::Boolean(value) => Self::Boolean(value),
            Value::Time(seconds) => Self::Time(seconds),
            _ => Self::Gap,
        }
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap => write!(f, "{}", Value::Gap),
            Self::Number(number) => write!(f, "{}", legible(*number)),
            Self::Word(word) => write!(f, "{word}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Time(seconds) => write!(f, "{}", Value::Time(*seconds)),
        }
    }
}

impl Reason {
    /// The column and its value.
    pub(super) fn observed(&self) -> String {
        let column = &self.column;
        // Columns of a file without names are called by their numbers.
        let name = match &column.name {
            Some(name) if name.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("column {name}")
            }
            Some(name) => name.clone(),
            None => column.to_string(),
        };
        format!("{name} is {}", self.value)
    }
}

/// A number as it is, so that it can be searched for, unless it is long.
fn legible(number: f64) -> f64 {
    let long = number.to_string().len() > LEGIBLE;
    if long { short(number) } else { number }
}

/// Characters of a number that is told as it is.
const LEGIBLE: usize = 9;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.observed())?;
        match self.usual {
            Some(usual) => write!(f, ", {usual}"),
            None => Ok(()),
        }
    }
}

impl FittedDetector {
    /// The reasons for each row's score, at most `most` a row, the weightiest first: `n` lists for a table or
    /// `[n, features]`. Columns that speak for a row are no reasons, so that a list may be empty. All numbers
    /// that a table's column became count together.
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
    pub fn reasons(&self, input: impl IntoInput, most: usize) -> Result<Vec<Vec<Reason>>> {
        self.reasons_in(input.into_input()?, most, self.check)
    }

    /// Of rows that were scored already.
    #[cfg(feature = "tables")]
    pub(super) fn told(&self, input: Input, most: usize) -> Result<Vec<Vec<Reason>>> {
        self.reasons_in(input, most, InputCheck::Warn)
    }

    fn reasons_in(&self, input: Input, most: usize, check: InputCheck) -> Result<Vec<Vec<Reason>>> {
        let samples = self.vectors(&input, check)?;
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let contributions = self.explain_accepted(&samples)?.attribution;
        let contributions = contributions.to_vec2::<f32>()?;
        let values = self.values(&input, &samples)?;
        let reasons = |(row, contributions): (usize, Vec<f32>)| {
            let columns = contributions.into_iter().enumerate();
            let mut reasons: Vec<Reason> = columns
                .filter(|(_, contribution)| *contribution > 0.)
                .map(|(j, contribution)| self.reason(j, values.at(row, j), contribution.into()))
                .collect();
            reasons.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
            reasons.truncate(most);
            reasons
        };
        Ok(contributions.into_iter().enumerate().map(reasons).collect())
    }

    /// What was given as accepted vectors.
    ///
    /// # Errors
    /// [`Error::Shape`] for others.
    pub(super) fn vectors(&self, input: &Input, check: InputCheck) -> Result<Samples> {
        let (numbers, _) = self.numbers(input)?;
        let (samples, _) = self.accepted(numbers, check)?;
        let shape = samples.sample_shape();
        if shape.len() == 1 || samples.is_empty() {
            return Ok(samples);
        }
        Err(Error::Shape {
            what: INPUT,
            expected: "vectors [features], whose columns are reasons".into(),
            actual: shape,
        })
    }

    /// What was given, by the columns that are reasons.
    pub(super) fn values<'a>(&'a self, input: &'a Input, samples: &Samples) -> Result<Values<'a>> {
        if let (Some(encoding), Input::Table(table)) = (&self.encoding, input) {
            let columns = encoding.columns().into_iter();
            return Ok(Values::Table(
                columns.filter_map(|name| table.column(name)).collect(),
            ));
        }
        let rows = samples.to_tensor()?.to_device(&Device::Cpu)?;
        Ok(Values::Rows(rows.to_dtype(DType::F64)?.to_vec2()?))
    }

    pub(super) fn reason(&self, index: usize, value: Value<'_>, contribution: f64) -> Reason {
        let (column, usual) = match (&self.encoding, &self.inputs) {
            (Some(encoding), _) => {
                let usual = encoding.usual(index, value);
                (Column::of_table(encoding, index), Some(usual))
            }
            (None, Some(inputs)) => {
                let (low, high) = inputs.usual()[index];
                (inputs.column(index), Some(Usual::Range(low, high)))
            }
            (None, None) => {
                let column = Column {
                    index,
                    name: None,
                    channel: false,
                };
                (column, None)
            }
        };
        Reason {
            column,
            value: value.into(),
            usual,
            contribution,
        }
    }
}

/// What rows have in their columns.
pub(super) enum Values<'a> {
    Table(Vec<&'a crate::data::table::Column>),
    Rows(Vec<Vec<f64>>),
}

impl Values<'_> {
    pub(super) fn at(&self, row: usize, column: usize) -> Value<'_> {
        match self {
            Self::Table(columns) => columns[column].value(row),
            Self::Rows(rows) => Value::Number(rows[row][column]),
        }
    }
}
