use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, Type, ZstdLevel};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::Type as SchemaType;

use super::file::{Unfinished, failed};
use super::{Cells, Form, Kind};
use crate::{DataError, Result};

/// Rows of a group: what a reader decodes in one go.
const GROUP: usize = 100_000;

/// Parquet with required columns, packed by zstd.
pub(super) struct ParquetForm {
    path: PathBuf,
    unfinished: Unfinished,
    file: SerializedFileWriter<File>,
    /// Rows of the group to come.
    held: Vec<Held>,
}

enum Held {
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    Singles(Vec<f32>),
    Booleans(Vec<bool>),
    Texts(Vec<ByteArray>),
}

impl ParquetForm {
    pub(super) fn create(path: &Path, columns: &[(String, Kind)]) -> Result<Self> {
        let (unfinished, file) = Unfinished::create(path)?;
        let fields = columns
            .iter()
            .map(|(name, kind)| Ok(Arc::new(field(name, *kind)?)));
        let fields = fields.collect::<Result<_, ParquetError>>();
        let schema = fields.and_then(|fields| {
            SchemaType::group_type_builder("table")
                .with_fields(fields)
                .build()
        });
        let packed = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(packed).build();
        let file = schema
            .and_then(|schema| SerializedFileWriter::new(file, schema.into(), properties.into()));
        Ok(Self {
            file: file.map_err(|e| wrong(path, e))?,
            path: path.into(),
            unfinished,
            held: columns.iter().map(|(_, kind)| Held::new(*kind)).collect(),
        })
    }

    fn rows(&self) -> usize {
        self.held.first().map_or(0, Held::len)
    }

    fn write_group(&mut self) -> Result<()> {
        let path = &self.path;
        let wrong = |e| wrong(path, e);
        let mut group = self.file.next_row_group().map_err(wrong)?;
        for held in &mut self.held {
            // As many as there are columns.
            let Some(mut column) = group.next_column().map_err(wrong)? else {
                break;
            };
            held.write(column.untyped()).map_err(wrong)?;
            column.close().map_err(wrong)?;
        }
        group.close().map_err(wrong)?;
        Ok(())
    }
}

impl Form for ParquetForm {
    fn write(&mut self, columns: &[Cells<'_>]) -> Result<()> {
        let rows = columns.first().map_or(0, Cells::len);
        let mut from = 0;
        while from < rows {
            let to = rows.min(from + GROUP - self.rows());
            for (held, cells) in self.held.iter_mut().zip(columns) {
                held.extend(cells, from, to);
            }
            if self.rows() == GROUP {
                self.write_group()?;
            }
            from = to;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Unfinished> {
        if self.rows() > 0 {
            self.write_group()?;
        }
        let Self {
            path,
            unfinished,
            file,
            ..
        } = *self;
        let file = file.into_inner().map_err(|e| wrong(&path, e))?;
        file.sync_all().map_err(|e| failed(&path, e))?;
        Ok(unfinished)
    }
}

impl Held {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integers(vec![]),
            Kind::Number => Self::Numbers(vec![]),
            Kind::Single => Self::Singles(vec![]),
            Kind::Boolean => Self::Booleans(vec![]),
            Kind::Text => Self::Texts(vec![]),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Singles(values) => values.len(),
            Self::Booleans(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }

    /// Of its own kind.
    fn extend(&mut self, cells: &Cells<'_>, from: usize, to: usize) {
        match (self, cells) {
            (Self::Integers(all), Cells::Integers(cells)) => all.extend(&cells[from..to]),
            (Self::Numbers(all), Cells::Numbers(cells)) => all.extend(&cells[from..to]),
            (Self::Singles(all), Cells::Singles(cells)) => all.extend(&cells[from..to]),
            (Self::Booleans(all), Cells::Booleans(cells)) => all.extend(&cells[from..to]),
            (Self::Texts(all), Cells::Texts(cells)) => {
                let texts = cells[from..to].iter();
                all.extend(texts.map(|text| ByteArray::from(text.as_bytes().to_vec())));
            }
            _ => {}
        }
    }

    /// Writes the rows and lets go of them.
    fn write(&mut self, writer: &mut ColumnWriter) -> Result<(), ParquetError> {
        let written = match (&mut *self, writer) {
            (Self::Integers(values), ColumnWriter::Int64ColumnWriter(writer)) => {
                writer.write_batch(values, None, None)
            }
            (Self::Numbers(values), ColumnWriter::DoubleColumnWriter(writer)) => {
                writer.write_batch(values, None, None)
            }
            (Self::Singles(values), ColumnWriter::FloatColumnWriter(writer)) => {
                writer.write_batch(values, None, None)
            }
            (Self::Booleans(values), ColumnWriter::BoolColumnWriter(writer)) => {
                writer.write_batch(values, None, None)
            }
            (Self::Texts(values), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                writer.write_batch(values, None, None)
            }
            _ => Err(ParquetError::General("a column of another type".into())),
        };
        match self {
            Self::Integers(values) => values.clear(),
            Self::Numbers(values) => values.clear(),
            Self::Singles(values) => values.clear(),
            Self::Booleans(values) => values.clear(),
            Self::Texts(values) => values.clear(),
        }
        written.map(|_| ())
    }
}

fn field(name: &str, kind: Kind) -> Result<SchemaType, ParquetError> {
    let (physical, logical) = match kind {
        Kind::Integer => (Type::INT64, None),
        Kind::Number => (Type::DOUBLE, None),
        Kind::Single => (Type::FLOAT, None),
        Kind::Boolean => (Type::BOOLEAN, None),
        Kind::Text => (Type::BYTE_ARRAY, Some(LogicalType::String)),
    };
    SchemaType::primitive_type_builder(name, physical)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(logical)
        .build()
}

fn wrong(path: &Path, error: ParquetError) -> DataError {
    failed(path, std::io::Error::other(error))
}
