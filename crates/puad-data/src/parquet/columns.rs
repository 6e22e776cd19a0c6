//! The columns of a Parquet file in the types that they have, some rows at a time.

use std::path::Path;

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use ::parquet::column::reader::ColumnReader;
use ::parquet::schema::types::ColumnDescriptor;

use super::caught;
use super::file::ParquetFile;
use super::rows::Rows;
use crate::Result;
use crate::raw::{ColumnRows, RawBatch, RawColumn, Texts};

/// What a column holds.
#[derive(Clone, Copy)]
enum Held {
    Numbers {
        unsigned: bool,
    },
    Booleans,
    Texts,
    /// So many steps are so many seconds. By a division: a millisecond is no number of f64.
    Times {
        steps: f64,
        seconds: f64,
    },
}

const DAY: f64 = 86_400.;

/// `None` for lists, and for what is no value of a table, such as bytes or decimals.
fn held(file: &ParquetFile, column: usize) -> Option<Held> {
    let descriptor = file.descriptor(column);
    if descriptor.max_rep_level() > 0 {
        return None;
    }
    if let Some((steps, seconds)) = unit(&descriptor) {
        return Some(Held::Times { steps, seconds });
    }
    match (file.number(column), descriptor.physical_type()) {
        (Ok(_), Type::BOOLEAN) => Some(Held::Booleans),
        (Ok(number), _) => Some(Held::Numbers {
            unsigned: number.is_unsigned(),
        }),
        (Err(_), Type::BYTE_ARRAY) => is_text(&descriptor).then_some(Held::Texts),
        (Err(_), _) => None,
    }
}

fn is_text(column: &ColumnDescriptor) -> bool {
    let logical = column.logical_type_ref();
    matches!(logical, Some(LogicalType::String | LogicalType::Enum))
        || matches!(
            column.converted_type(),
            ConvertedType::UTF8 | ConvertedType::ENUM
        )
}

/// How many steps of a time are how many seconds.
fn unit(column: &ColumnDescriptor) -> Option<(f64, f64)> {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Some((1., DAY)),
        (Some(LogicalType::Timestamp(time)), _) => Some(match time.unit {
            TimeUnit::MILLIS => (1e3, 1.),
            TimeUnit::MICROS => (1e6, 1.),
            TimeUnit::NANOS => (1e9, 1.),
        }),
        (None, ConvertedType::TIMESTAMP_MILLIS) => Some((1e3, 1.)),
        (None, ConvertedType::TIMESTAMP_MICROS) => Some((1e6, 1.)),
        _ => None,
    }
}

/// The rows that are still to come.
pub(super) struct ParquetColumns {
    /// `None` behind the end or an error.
    rows: Option<Rows>,
    names: Vec<String>,
    held: Vec<Held>,
    /// What else there is.
    unread: Vec<(String, String)>,
    len: u64,
}

impl ParquetColumns {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = ParquetFile::open(path)?;
        let all = 0..file.columns().len();
        let (columns, held): (Vec<usize>, Vec<Held>) =
            all.filter_map(|at| Some((at, held(&file, at)?))).unzip();
        let others = (0..file.columns().len()).filter(|at| !columns.contains(at));
        let unread = others.map(|at| (file.name(at), file.kind(at))).collect();
        let names: Vec<String> = columns.iter().map(|&column| file.name(column)).collect();
        for name in &names {
            // Once each.
            file.find(name)?;
        }
        Ok(Self {
            len: file.rows(),
            rows: Some(Rows::new(file, columns)),
            names,
            held,
            unread,
        })
    }
}

impl ColumnRows for ParquetColumns {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn unread(&self) -> &[(String, String)] {
        &self.unread
    }

    fn count(&self) -> Option<u64> {
        Some(self.len)
    }

    fn next(&mut self, size: usize) -> Result<Option<RawBatch>> {
        let Some(mut rows) = self.rows.take() else {
            return Ok(None);
        };
        let path = rows.file().path().to_path_buf();
        let batch = caught(&path, || read(&mut rows, &self.held, size))?;
        if batch.rows == 0 {
            return Ok(None);
        }
        self.rows = Some(rows);
        Ok(Some(batch))
    }
}

fn read(rows: &mut Rows, held: &[Held], size: usize) -> Result<RawBatch> {
    let mut columns: Vec<RawColumn> = held.iter().map(empty).collect();
    let mut count = 0;
    while count < size {
        let n = rows.step(size - count)?;
        if n == 0 {
            break;
        }
        for (i, (held, column)) in held.iter().zip(&mut columns).enumerate() {
            extend(column, rows, i, n, *held)?;
        }
        rows.advance(n);
        count += n;
    }
    Ok(RawBatch {
        rows: count,
        columns,
        lines: vec![],
    })
}

fn empty(held: &Held) -> RawColumn {
    match held {
        Held::Numbers { .. } => RawColumn::Numbers(vec![]),
        Held::Booleans => RawColumn::Booleans(vec![]),
        Held::Texts => RawColumn::Texts(Texts::default()),
        Held::Times { .. } => RawColumn::Times(vec![]),
    }
}

/// The next `n` values of the `i`-th of the columns.
fn extend(column: &mut RawColumn, rows: &mut Rows, i: usize, n: usize, held: Held) -> Result<()> {
    match (column, held) {
        (RawColumn::Numbers(values), Held::Numbers { unsigned }) => {
            values.extend(numbers(rows, i, n, unsigned)?);
        }
        (RawColumn::Times(values), Held::Times { steps, seconds }) => {
            let read = numbers(rows, i, n, false)?;
            values.extend(read.into_iter().map(|time| time / steps * seconds));
        }
        (RawColumn::Booleans(values), _) => {
            let (at, reader) = rows.at(i);
            if let ColumnReader::BoolColumnReader(reader) = reader {
                values.extend(at.optional(reader, n, |v| v)?);
            }
        }
        (RawColumn::Texts(texts), _) => {
            let (at, reader) = rows.at(i);
            if let ColumnReader::ByteArrayColumnReader(reader) = reader {
                let read = at.optional(reader, n, |bytes| {
                    String::from_utf8_lossy(bytes.data()).into_owned()
                })?;
                read.iter()
                    .for_each(|text| texts.push(text.as_deref().unwrap_or_default()));
            }
        }
        // Made of each other.
        (RawColumn::Numbers(_) | RawColumn::Times(_), _) => {}
    }
    Ok(())
}

/// NaN where there is none.
fn numbers(rows: &mut Rows, i: usize, n: usize, unsigned: bool) -> Result<Vec<f64>> {
    let found = rows.optional_numbers(i, n, unsigned)?;
    Ok(found.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
}
