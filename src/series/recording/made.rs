//! Series of rows and tables.

use candle_core::{DType, Device};

use super::Series;
use crate::data::Samples;
use crate::data::table::{Column, Group, Kind, Table, Value};
use crate::{Error, Result};

impl Series {
    /// Rows in the order of time, each the channels of a point, as readers of tables give them, with their names.
    ///
    /// ```
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::data::Samples;
    /// use puad::series::Series;
    ///
    /// let rows = Tensor::new(&[[20f32, 1.], [21., 0.]], &Device::Cpu)?;
    /// let series = Series::of(&Samples::from(rows).with_names(&["temperature", "door"])?)?;
    /// assert_eq!((series.at(1), &series.names()[1]), (&[21., 0.][..], &"door".to_string()));
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] unless the samples are vectors; as [`new`](Self::new).
    pub fn of(rows: &Samples) -> Result<Self> {
        let shape = rows.sample_shape();
        let &[channels] = shape.as_slice() else {
            return Err(Error::Shape {
                what: "points of a series",
                expected: "[channels]".into(),
                actual: shape,
            });
        };
        let values = rows.to_tensor()?.to_dtype(DType::F32)?.flatten_all()?;
        let series = Self::new(values.to_device(&Device::Cpu)?.to_vec1()?, channels)?;
        series.with_names(rows.names())
    }

    /// The rows of a table in the order of time: its numbers and truth values are channels, its gaps are gaps, its time, if
    /// there is one, is that of the points, and runs of rows that are labeled anomalous are events; rows labeled
    /// normal are points like others. See [`TableFile`](crate::data::table) for how a file becomes a table.
    ///
    /// ```
    /// use puad::data::table::{Column, Group, Table};
    /// use puad::series::Series;
    ///
    /// let heat = Column::numbers([Some(20.), None, Some(35.)]);
    /// let table = Table::new([("heat", heat), ("open", Column::from(vec![true, true, false]))])?;
    /// let table = table.with_labels(vec![Group::Unlabeled, Group::Unlabeled, Group::Anomalous])?;
    /// let series = Series::of_table(&table)?;
    /// assert_eq!((series.names(), series.at(2)), (&["heat".into(), "open".into()][..], &[35., 0.][..]));
    /// assert_eq!(series.events(), [2..3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a column of words, and for more than one of times; as [`new`](Self::new), but for gaps, and
    /// [`with_times`](Self::with_times).
    pub fn of_table(table: &Table) -> Result<Self> {
        let (mut names, mut channels, mut times) = (vec![], vec![], None);
        for (name, column) in table.columns() {
            match column {
                Column::Times(seconds) if times.is_none() => times = Some(seconds.clone()),
                column if matches!(column.kind(), Kind::Number | Kind::Boolean) => {
                    names.push(name);
                    channels.push(column);
                }
                column => {
                    let rule = "numbers, truth values and one time; the rest is ignored by \
                                `schema.with_kind(name, Kind::Ignored)`";
                    let value = format!("{name:?} of kind {}", column.kind());
                    return Err(Error::config("columns of a series", rule, value));
                }
            }
        }
        let rows = 0..table.len();
        let points = rows.flat_map(|row| channels.iter().map(move |column| number(column, row)));
        let mut series = Self::with_gaps(points.collect(), channels.len())?.with_names(&names)?;
        if let Some(times) = times {
            series = series.with_times(times)?;
        }
        match table.labels() {
            Some(labels) => {
                let anomalous = |group: &Group| *group == Group::Anomalous;
                series.with_labels(&labels.iter().map(anomalous).collect::<Vec<_>>())
            }
            None => Ok(series),
        }
    }
}

/// Of a column of numbers or truth values; NaN for a gap.
fn number(column: &Column, row: usize) -> f32 {
    match column.value(row) {
        Value::Number(number) => number as f32,
        Value::Boolean(value) => f32::from(u8::from(value)),
        _ => f32::NAN,
    }
}
