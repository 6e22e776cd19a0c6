use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, TimeUnit};
use puad::data::table::{Column, Kind, Table};

use super::usable::{Usable, select};
use super::{Reader, Rows};
use crate::Result;
use crate::takes::Field;

/// Seconds of a day.
const DAY: f64 = 86_400.;

impl Reader<'_> {
    /// Columns as a table. A row with a gap that its detector refuses is not usable.
    pub(super) fn table(self, fields: &[Field], columns: &[ArrayRef]) -> Result<Rows> {
        self.table_without(fields, columns, std::iter::empty())
    }

    /// As [`table`](Self::table), without some rows.
    pub(super) fn table_without(
        self,
        fields: &[Field],
        columns: &[ArrayRef],
        without: impl Iterator<Item = usize>,
    ) -> Result<Rows> {
        let columns = fields.iter().zip(columns);
        let columns = columns.map(|(field, column)| plain(field.kind, column));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let mut usable = Usable::all(columns.first().map_or(0, |column| column.len()));
        without.for_each(|row| usable.remove(row));
        for (at, (field, column)) in fields.iter().zip(&columns).enumerate() {
            if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
                usable.remove_infinite(self, at, numbers)?;
            }
            if field.gaps {
                continue;
            }
            usable.remove_nulls(column.nulls());
            if let Some(words) = column.as_string_view_opt() {
                // To a detector that is a gap.
                let empty = (0..words.len()).filter(|&row| words.value(row).is_empty());
                empty.for_each(|row| usable.remove(row));
            }
        }
        let usable = usable.finish();
        let columns = fields.iter().zip(columns).map(|(field, column)| {
            let column = select(column, usable.as_ref())?;
            Ok((field.name.as_str(), values(field.kind, &column)))
        });
        let columns: Vec<(&str, Column)> = columns.collect::<Result<_>>()?;
        let table = Table::new(columns).map_err(|error| self.refused(error.into()))?;
        let input = table.into();
        Ok(Rows { usable, input })
    }
}

/// A column in the one type of its kind: f64, texts or truth values; times in seconds.
fn plain(kind: Kind, column: &ArrayRef) -> Result<ArrayRef> {
    let to = match kind {
        Kind::Category => DataType::Utf8View,
        Kind::Boolean => DataType::Boolean,
        _ => DataType::Float64,
    };
    if kind != Kind::Time || *column.data_type() == DataType::Null {
        return Ok(cast(column, &to)?);
    }
    let column = match column.data_type() {
        DataType::Dictionary(_, values) => cast(column, values)?,
        _ => column.clone(),
    };
    let (a_second, seconds) = match column.data_type() {
        DataType::Date32 => (1., DAY),
        DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => (1e3, 1.),
        DataType::Timestamp(TimeUnit::Microsecond, _) => (1e6, 1.),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => (1e9, 1.),
        _ => (1., 1.),
    };
    let steps = cast(&cast(&column, &DataType::Int64)?, &DataType::Float64)?;
    let steps = steps.as_primitive::<Float64Type>();
    let times: Float64Array = steps.unary(|step| step / a_second * seconds);
    Ok(std::sync::Arc::new(times))
}

/// The values of a plain column.
fn values(kind: Kind, column: &ArrayRef) -> Column {
    let numbers = || -> Vec<f64> {
        let column = column.as_primitive::<Float64Type>();
        match column.null_count() {
            0 => column.values().to_vec(),
            _ => column
                .iter()
                .map(|value| value.unwrap_or(f64::NAN))
                .collect(),
        }
    };
    match kind {
        Kind::Category => Column::words(column.as_string_view()),
        Kind::Boolean => {
            let flags: &BooleanArray = column.as_boolean();
            Column::Booleans(flags.iter().collect())
        }
        Kind::Time => Column::Times(numbers()),
        _ => Column::Numbers(numbers()),
    }
}
