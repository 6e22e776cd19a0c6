use super::IntoSamples;
use crate::Result;
use crate::data::Samples;
use crate::data::table::Table;

/// What a detector is given to score.
///
/// ```
/// use puad::data::table::{Column, Table};
/// use puad::estimator::{Input, IntoInput};
///
/// let table = Table::new([("amount", Column::from(vec![12.5]))])?;
/// assert!(matches!((&table).into_input()?, Input::Table(_)));
/// assert_eq!((&[[1f32, 2.]]).into_input()?.len(), 1);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// Numbers of one shape.
    Samples(Samples),
    /// Rows of named columns.
    Table(Table),
}

impl Input {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Samples(samples) => samples.len(),
            Self::Table(table) => table.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sample at a position, by itself.
    #[cfg(feature = "tables")]
    pub(super) fn one(&self, at: usize) -> Result<Self> {
        Ok(match self {
            Self::Samples(samples) => Self::Samples(samples.select(&[at as u32])?),
            Self::Table(table) => Self::Table(table.select(&[at])),
        })
    }
}

impl From<Samples> for Input {
    fn from(samples: Samples) -> Self {
        Self::Samples(samples)
    }
}

impl From<Table> for Input {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

/// What a detector scores: a [`Table`], whose columns are matched by name, or whatever
/// [`IntoSamples`] takes.
pub trait IntoInput {
    /// # Errors
    /// As [`IntoSamples::into_samples`].
    fn into_input(self) -> Result<Input>;
}

impl<S: IntoSamples> IntoInput for S {
    fn into_input(self) -> Result<Input> {
        self.into_samples().map(Input::Samples)
    }
}

macro_rules! already {
    ($($form:ty),*) => {$(
        impl IntoInput for $form {
            fn into_input(self) -> Result<Input> {
                Ok(self.to_owned().into())
            }
        }
    )*};
}

already!(Table, &Table, Input);

impl IntoInput for &Input {
    fn into_input(self) -> Result<Input> {
        Ok(self.clone())
    }
}
