use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::filter;
use puad::candle_core::WithDType;

use super::Reader;
use crate::Result;

/// The rows of a batch that can be scored.
pub(super) struct Usable {
    rows: usize,
    /// `None`: all.
    mask: Option<Vec<bool>>,
}

impl Usable {
    /// All of so many.
    pub(super) fn all(rows: usize) -> Self {
        Self { rows, mask: None }
    }

    pub(super) fn remove(&mut self, row: usize) {
        self.mask.get_or_insert_with(|| vec![true; self.rows])[row] = false;
    }

    /// Rows where there is no value.
    pub(super) fn remove_nulls(&mut self, nulls: Option<&NullBuffer>) {
        let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
            return;
        };
        let missing = (0..nulls.len()).filter(|&row| nulls.is_null(row));
        missing.for_each(|row| self.remove(row));
    }

    /// Rows with a value that is not finite, which is an error unless the reader is lenient.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite).
    pub(super) fn remove_infinite<T>(
        &mut self,
        reader: Reader,
        at: usize,
        column: &PrimitiveArray<T>,
    ) -> Result<()>
    where
        T: ArrowPrimitiveType<Native: WithDType>,
    {
        let finite = |value: &T::Native| value.to_f64().is_finite();
        // Without a branch a value; a row that has none may hold anything.
        if column
            .values()
            .iter()
            .fold(true, |all, value| all & finite(value))
        {
            return Ok(());
        }
        for (row, value) in column.values().iter().enumerate() {
            if finite(value) || column.is_null(row) {
                continue;
            }
            if !reader.lenient {
                return Err(reader.not_finite(at, row, value.to_f64()));
            }
            self.remove(row);
        }
        Ok(())
    }

    /// `None` where all rows are.
    pub(super) fn finish(self) -> Option<BooleanArray> {
        self.mask.map(BooleanArray::from)
    }
}

/// A column's usable rows.
pub(super) fn select(column: ArrayRef, usable: Option<&BooleanArray>) -> Result<ArrayRef> {
    Ok(match usable {
        Some(usable) => filter(&column, usable)?,
        None => column,
    })
}
