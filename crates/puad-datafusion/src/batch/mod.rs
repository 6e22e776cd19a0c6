//! Arrow's columns as what a detector scores.

mod lists;
mod tables;
mod usable;
mod vectors;

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use puad::estimator::Input;

use crate::model::Model;
use crate::takes::{Takes, list_of};
use crate::{Error, Result};

/// What of a batch can be scored.
pub(crate) struct Rows {
    /// Those that are not, which have no value; `None`: all can.
    pub(crate) usable: Option<BooleanArray>,
    pub(crate) input: Input,
}

/// How rows are read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) model: &'a Model,
    /// Whether a row with a value that is none, as NaN, has no score and is no error.
    pub(crate) lenient: bool,
}

impl Reader<'_> {
    /// Of columns that were checked, of equal length.
    ///
    /// # Errors
    /// [`Error::NotFinite`] and [`Error::Length`] unless lenient; [`Error::Detector`].
    pub(crate) fn read(self, columns: &[ArrayRef]) -> Result<Rows> {
        let listed = match columns {
            [list] if list_of(list.data_type()).is_some() => Some(list),
            _ => None,
        };
        match (self.model.takes(), listed) {
            (Takes::Table { columns: fields }, None) => self.table(fields, columns),
            (Takes::Table { columns: fields }, Some(list)) => self.listed_table(fields, list),
            (Takes::Vectors { width, .. }, Some(list)) => self.list(list, &[*width]),
            (Takes::Vectors { .. }, None) => self.vectors(columns),
            (Takes::Shaped { shape }, _) => self.list(&columns[0], shape),
        }
    }

    /// What is wrong with a value.
    fn not_finite(self, column: usize, row: usize, value: f64) -> Error {
        Error::NotFinite {
            model: self.model.name().into(),
            column: self.model.takes().column(column),
            row,
            value,
        }
    }

    fn refused(self, source: puad::Error) -> Error {
        Error::Detector {
            model: self.model.name().into(),
            source: Box::new(source),
        }
    }
}
