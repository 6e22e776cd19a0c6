//! A file's columns and groups of rows.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::{ConvertedType, LogicalType, Type};
use ::parquet::column::reader::{ColumnReader, get_column_reader};
use ::parquet::file::metadata::ParquetMetaData;
use ::parquet::schema::types::ColumnDescriptor;

use super::pages::{self, Headers};
use super::{Column, caught, footer, malformed};
use crate::file::check_pointer;
use crate::{DataError, Place, Result};

/// A file whose footer has been read.
pub(super) struct ParquetFile {
    path: PathBuf,
    pages: Arc<Headers>,
    metadata: ParquetMetaData,
    rows: u64,
}

impl ParquetFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let read = |source| DataError::read(path, 0, source);
        let file = File::open(path).map_err(read)?;
        check_pointer(path)?;
        let metadata = caught(path, || footer::read(&file, path))?;
        let groups = metadata.row_groups().iter().map(|group| group.num_rows());
        let rows = groups.map(|rows| u64::try_from(rows).ok());
        let rows = rows.sum::<Option<u64>>();
        let all = metadata.file_metadata().num_rows();
        let Some(rows) = rows.filter(|&rows| i64::try_from(rows) == Ok(all)) else {
            let rule = "Parquet files must have the rows of their groups";
            return Err(malformed(path, Place::Whole, rule, format!("{all} rows")));
        };
        Ok(Self {
            path: path.into(),
            pages: Arc::new(Headers::new(file, path).map_err(read)?),
            metadata,
            rows,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn columns(&self) -> Vec<Column> {
        let all = self.metadata.file_metadata().schema_descr().columns();
        let column = |column: &Arc<ColumnDescriptor>| Column {
            name: column.path().string(),
            kind: kind(column),
            numeric: number(column).is_some(),
        };
        all.iter().map(column).collect()
    }

    pub(super) fn descriptor(&self, column: usize) -> Arc<ColumnDescriptor> {
        self.metadata.file_metadata().schema_descr().column(column)
    }

    /// The position of the only column of this name.
    pub(super) fn find(&self, name: &str) -> Result<usize> {
        let present = self.columns().into_iter().map(|column| column.name);
        let present: Vec<String> = present.collect();
        let mut of = present.iter().enumerate().filter(|(_, n)| *n == name);
        match (of.next(), of.next()) {
            (Some((index, _)), None) => Ok(index),
            (None, _) => Err(DataError::Missing {
                path: self.path.clone(),
                name: name.into(),
                present,
            }),
            (Some(_), Some(_)) => {
                let rule = "Parquet columns that are read must have different names";
                let found = format!("{name:?} twice");
                Err(malformed(&self.path, Place::Whole, rule, found))
            }
        }
    }

    pub(super) fn name(&self, column: usize) -> String {
        self.descriptor(column).path().string()
    }

    /// An error unless the column holds numbers.
    pub(super) fn number(&self, column: usize) -> Result<Number> {
        let descriptor = self.descriptor(column);
        number(&descriptor).ok_or_else(|| {
            self.unsupported(
                column,
                "features must be numbers, one a row: `columns` chooses them, and `ids` the rows' names",
            )
        })
    }

    /// What a column holds, in the format's words.
    pub(super) fn kind(&self, column: usize) -> String {
        kind(&self.descriptor(column))
    }

    pub(super) fn unsupported(&self, column: usize, rule: &'static str) -> DataError {
        let name = self.name(column);
        DataError::Unsupported {
            path: self.path.clone(),
            rule,
            found: format!("{} in column {name:?}", self.kind(column)),
        }
    }

    pub(super) fn groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    pub(super) fn group_rows(&self, group: usize) -> u64 {
        // None is negative, or their sum would not be there.
        self.metadata.row_group(group).num_rows().cast_unsigned()
    }

    pub(super) fn reader(&self, group: usize, column: usize) -> Result<ColumnReader> {
        let rows = self.group_rows(group) as usize;
        let chunk = self.metadata.row_group(group).column(column);
        let pages = pages::pages(&self.pages, chunk, rows)?;
        Ok(get_column_reader(self.descriptor(column), pages))
    }
}

/// How a number is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Bool,
    /// Bits of the integers.
    Signed(i8),
    Unsigned(i8),
    F32,
    F64,
}

impl Number {
    pub(super) fn fits_f32(self) -> bool {
        match self {
            Number::Signed(bits) | Number::Unsigned(bits) => bits <= 16,
            Number::Bool | Number::F32 => true,
            Number::F64 => false,
        }
    }

    pub(super) fn is_unsigned(self) -> bool {
        matches!(self, Number::Unsigned(_))
    }
}

/// `None` for lists, texts, and numbers that stand for something else, such as dates.
fn number(column: &ColumnDescriptor) -> Option<Number> {
    let plain = column.logical_type_ref().is_none();
    match column.physical_type() {
        _ if column.max_rep_level() > 0 => None,
        Type::INT32 => integer(column, 32),
        Type::INT64 => integer(column, 64),
        Type::BOOLEAN if plain => Some(Number::Bool),
        Type::FLOAT if plain => Some(Number::F32),
        Type::DOUBLE if plain => Some(Number::F64),
        _ => None,
    }
}

/// `bits`: of the physical type.
fn integer(column: &ColumnDescriptor, bits: i8) -> Option<Number> {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Integer(int)), _) if int.is_signed => {
            Some(Number::Signed(int.bit_width))
        }
        (Some(LogicalType::Integer(int)), _) => Some(Number::Unsigned(int.bit_width)),
        (Some(_), _) => None,
        (None, ConvertedType::NONE | ConvertedType::INT_32 | ConvertedType::INT_64) => {
            Some(Number::Signed(bits))
        }
        (None, ConvertedType::INT_8) => Some(Number::Signed(8)),
        (None, ConvertedType::INT_16) => Some(Number::Signed(16)),
        (None, ConvertedType::UINT_8) => Some(Number::Unsigned(8)),
        (None, ConvertedType::UINT_16) => Some(Number::Unsigned(16)),
        (None, ConvertedType::UINT_32 | ConvertedType::UINT_64) => Some(Number::Unsigned(bits)),
        _ => None,
    }
}

fn kind(column: &ColumnDescriptor) -> String {
    let physical = column.physical_type();
    let list = match column.max_rep_level() {
        0 => "",
        _ => "lists of ",
    };
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(logical), _) => format!("{list}{physical} {logical:?}"),
        (None, ConvertedType::NONE) => format!("{list}{physical}"),
        (None, converted) => format!("{list}{physical} {converted}"),
    }
}
