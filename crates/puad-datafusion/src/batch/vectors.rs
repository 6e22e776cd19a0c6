use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use puad::candle_core::{Device, Tensor, WithDType};
use puad::data::Samples;

use super::usable::{Usable, select};
use super::{Reader, Rows};
use crate::Result;

/// Rows that are put in order at a time: what is written of them stays near.
const BLOCK: usize = 64;

impl Reader<'_> {
    /// Columns of numbers as vectors, `[n, columns]`: in f32 where all are, else in f64.
    pub(super) fn vectors(self, columns: &[ArrayRef]) -> Result<Rows> {
        let single = |column: &ArrayRef| *column.data_type() == DataType::Float32;
        if columns.iter().all(single) {
            return self.vectors_of::<Float32Type>(columns);
        }
        self.vectors_of::<Float64Type>(columns)
    }

    fn vectors_of<T>(self, columns: &[ArrayRef]) -> Result<Rows>
    where
        T: ArrowPrimitiveType<Native: WithDType>,
    {
        let cast = |column: &ArrayRef| cast(column, &T::DATA_TYPE);
        let columns: Vec<ArrayRef> = columns.iter().map(cast).collect::<Result<_, _>>()?;
        let mut usable = Usable::all(columns.first().map_or(0, |column| column.len()));
        for (at, column) in columns.iter().enumerate() {
            usable.remove_nulls(column.nulls());
            usable.remove_infinite(self, at, column.as_primitive::<T>())?;
        }
        let usable = usable.finish();
        let columns = columns.into_iter();
        let columns: Vec<ArrayRef> = columns
            .map(|column| select(column, usable.as_ref()))
            .collect::<Result<_>>()?;
        let slices: Vec<&[T::Native]> = columns
            .iter()
            .map(|column| column.as_primitive::<T>().values().as_ref())
            .collect();
        let values = row_by_row(&slices);
        let shape = (
            slices.first().map_or(0, |column| column.len()),
            slices.len(),
        );
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu);
        let tensor = tensor.map_err(|error| self.refused(error.into()))?;
        let input = Samples::from(tensor).into();
        Ok(Rows { usable, input })
    }
}

/// Columns of equal length, `[columns, n]`, as `[n, columns]`.
fn row_by_row<T: WithDType>(columns: &[&[T]]) -> Vec<T> {
    let (width, rows) = (
        columns.len(),
        columns.first().map_or(0, |column| column.len()),
    );
    let mut values = vec![T::zero(); rows * width];
    let blocks = values.chunks_mut((BLOCK * width).max(1));
    for (block, start) in blocks.zip((0..rows).step_by(BLOCK)) {
        for (at, column) in columns.iter().enumerate() {
            let rows = block.chunks_exact_mut(width).zip(&column[start..]);
            rows.for_each(|(row, value)| row[at] = *value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        let n = 2 * BLOCK + 3;
        let columns: Vec<Vec<f32>> = (0..3)
            .map(|at| (0..n).map(|row| (row * 3 + at) as f32).collect())
            .collect();
        let slices: Vec<&[f32]> = columns.iter().map(Vec::as_slice).collect();
        let counted: Vec<f32> = (0..3 * n).map(|i| i as f32).collect();
        assert_eq!(row_by_row(&slices), counted);
        assert_eq!(row_by_row::<f64>(&[&[], &[]]), [0f64; 0]);
    }
}
