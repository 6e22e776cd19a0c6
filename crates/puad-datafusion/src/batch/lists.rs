use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Float64Array, OffsetSizeTrait, new_empty_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use puad::candle_core::{Device, Tensor, WithDType};
use puad::data::Samples;

use super::usable::Usable;
use super::{Reader, Rows};
use crate::takes::Field;
use crate::{Error, Result};

/// Lists of numbers that lie one behind the other.
struct Lists {
    values: ArrayRef,
    /// Where each begins, and how long it is; `None` without a list.
    parts: Vec<Option<(usize, usize)>>,
}

impl Lists {
    fn of(list: &ArrayRef) -> Self {
        if *list.data_type() == DataType::Null {
            let values = new_empty_array(&DataType::Float64);
            let parts = vec![None; list.len()];
            return Self { values, parts };
        }
        let (values, part): (_, Part) = match list.data_type() {
            DataType::FixedSizeList(_, length) => {
                let length = *length as usize;
                let values = list.as_fixed_size_list().values();
                (values, Box::new(move |row| (row * length, length)))
            }
            DataType::LargeList(_) => {
                let list = list.as_list::<i64>();
                let offsets = list.value_offsets();
                (list.values(), Box::new(|row| between(offsets, row)))
            }
            _ => {
                let list = list.as_list::<i32>();
                let offsets = list.value_offsets();
                (list.values(), Box::new(|row| between(offsets, row)))
            }
        };
        let parts = (0..list.len()).map(|row| list.is_valid(row).then(|| part(row)));
        let parts = parts.collect();
        let values = values.clone();
        Self { values, parts }
    }
}

/// Where a row's list begins, and how long it is.
type Part<'a> = Box<dyn Fn(usize) -> (usize, usize) + 'a>;

fn between<O: OffsetSizeTrait>(offsets: &[O], row: usize) -> (usize, usize) {
    let (start, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
    (start, end - start)
}

impl Reader<'_> {
    /// Lists as samples of a shape, in the lists' own type.
    pub(super) fn list(self, list: &ArrayRef, shape: &[usize]) -> Result<Rows> {
        let lists = Lists::of(list);
        match lists.values.data_type() {
            DataType::Float32 => self.samples_of::<Float32Type>(&lists, shape),
            _ => self.samples_of::<Float64Type>(&lists, shape),
        }
    }

    fn samples_of<T>(self, lists: &Lists, shape: &[usize]) -> Result<Rows>
    where
        T: ArrowPrimitiveType<Native: WithDType>,
    {
        let length = shape.iter().product();
        let column = lists.values.as_primitive::<T>();
        let mut usable = Usable::all(lists.parts.len());
        let mut starts = Vec::with_capacity(lists.parts.len());
        for (row, part) in lists.parts.iter().enumerate() {
            let start = self.start(row, *part, length)?;
            let whole = |start: &usize| (*start..start + length).all(|at| column.is_valid(at));
            let start = start.filter(|start| column.null_count() == 0 || whole(start));
            let Some(start) = start else {
                usable.remove(row);
                continue;
            };
            let values = &column.values()[start..][..length];
            match values.iter().position(|value| !value.to_f64().is_finite()) {
                None => starts.push(start),
                Some(_) if self.lenient => usable.remove(row),
                Some(at) => return Err(self.not_finite(at, row, values[at].to_f64())),
            }
        }
        let mut values = Vec::with_capacity(starts.len() * length);
        for start in &starts {
            values.extend_from_slice(&column.values()[*start..][..length]);
        }
        let shape: Vec<usize> = [starts.len()].into_iter().chain(shape.to_vec()).collect();
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu);
        let tensor = tensor.map_err(|error| self.refused(error.into()))?;
        Ok(Rows {
            usable: usable.finish(),
            input: Samples::from(tensor).into(),
        })
    }

    /// Lists as the columns of a table, all of numbers.
    pub(super) fn listed_table(self, fields: &[Field], list: &ArrayRef) -> Result<Rows> {
        let lists = Lists::of(list);
        let values = cast(&lists.values, &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        let length = fields.len();
        let parts = lists.parts.iter().enumerate();
        let starts = parts.map(|(row, part)| self.start(row, *part, length));
        let starts: Vec<Option<usize>> = starts.collect::<Result<_>>()?;
        let column = |at: usize| -> ArrayRef {
            let value = |start: usize| {
                values
                    .is_valid(start + at)
                    .then(|| values.value(start + at))
            };
            let column: Float64Array = starts.iter().map(|start| value((*start)?)).collect();
            std::sync::Arc::new(column)
        };
        let columns: Vec<ArrayRef> = (0..length).map(column).collect();
        let listed = |row: &usize| starts[*row].is_none();
        let without = (0..starts.len()).filter(listed);
        self.table_without(fields, &columns, without)
    }

    /// Where a row's list begins; `None` where it has none that can be used.
    fn start(
        self,
        row: usize,
        part: Option<(usize, usize)>,
        length: usize,
    ) -> Result<Option<usize>> {
        match part {
            Some((start, found)) if found == length => Ok(Some(start)),
            Some((_, actual)) if !self.lenient => Err(Error::Length {
                model: self.model.name().into(),
                expected: length,
                row,
                actual,
            }),
            _ => Ok(None),
        }
    }
}
