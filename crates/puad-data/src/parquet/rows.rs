//! The rows of some columns, group by group.

use std::ops::Range;
use std::sync::Arc;

use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;

use super::broken;
use super::file::ParquetFile;
use crate::{DataError, Place, Result};

/// Rows that are read at a time: what a group promises is not taken at its word.
const CHUNK: usize = 1024;

/// What a method of [`At`] makes of the next numbers of a reader, whatever their type.
macro_rules! numbers_by {
    ($at:ident.$method:ident($reader:ident, $n:ident), $unsigned:ident) => {
        match $reader {
            ColumnReader::BoolColumnReader(reader) => {
                $at.$method(reader, $n, |v| f64::from(u8::from(v)))
            }
            ColumnReader::Int32ColumnReader(reader) if $unsigned => {
                $at.$method(reader, $n, |v| v.cast_unsigned().into())
            }
            ColumnReader::Int32ColumnReader(reader) => $at.$method(reader, $n, f64::from),
            ColumnReader::Int64ColumnReader(reader) if $unsigned => {
                $at.$method(reader, $n, |v| v.cast_unsigned() as f64)
            }
            ColumnReader::Int64ColumnReader(reader) => $at.$method(reader, $n, |v| v as f64),
            ColumnReader::FloatColumnReader(reader) => $at.$method(reader, $n, f64::from),
            ColumnReader::DoubleColumnReader(reader) => $at.$method(reader, $n, |v| v),
            _ => Err($at.file.unsupported($at.column, "features must be numbers")),
        }
    };
}

/// A place between two rows. Of each column a page is held, and its dictionary.
pub(super) struct Rows {
    file: Arc<ParquetFile>,
    columns: Vec<usize>,
    /// The next one, and the one behind the last.
    groups: Range<usize>,
    /// Rows still to come of the open group.
    left: u64,
    readers: Vec<ColumnReader>,
    /// Rows before.
    row: usize,
}

impl Rows {
    /// Of the columns at these positions.
    pub(super) fn new(file: ParquetFile, columns: Vec<usize>) -> Self {
        let groups = 0..file.groups();
        Self::of_groups(Arc::new(file), columns, groups)
    }

    /// As [`new`](Self::new), of some groups.
    pub(super) fn of_groups(
        file: Arc<ParquetFile>,
        columns: Vec<usize>,
        groups: Range<usize>,
    ) -> Self {
        let before = (0..groups.start).map(|group| file.group_rows(group) as usize);
        Self {
            row: before.sum(),
            file,
            columns,
            groups,
            left: 0,
            readers: Vec::new(),
        }
    }

    pub(super) fn file(&self) -> &ParquetFile {
        &self.file
    }

    /// How many rows are to be read next of each column, `most` at most; 0 at the end.
    pub(super) fn step(&mut self, most: usize) -> Result<usize> {
        while self.left == 0
            && let Some(group) = self.groups.next()
        {
            self.left = self.file.group_rows(group);
            let readers = self.columns.iter();
            let readers = readers.map(|&column| self.file.reader(group, column));
            self.readers = readers.collect::<Result<_>>()?;
        }
        Ok(self.left.min(most.min(CHUNK) as u64) as usize)
    }

    /// Goes on where `n` rows have been read of each column.
    pub(super) fn advance(&mut self, n: usize) {
        self.left -= n as u64;
        self.row += n;
    }

    /// The next `n` numbers of the `i`-th of the columns, all finite.
    pub(super) fn numbers(&mut self, i: usize, n: usize) -> Result<Vec<f64>> {
        let column = self.columns[i];
        let unsigned = self.file.number(column)?.is_unsigned();
        let (at, reader) = self.at(i);
        let numbers = numbers_by!(at.values(reader, n), unsigned)?;
        match numbers.iter().position(|number| !number.is_finite()) {
            Some(row) => Err(at.value(row, "numbers must be finite", numbers[row].to_string())),
            None => Ok(numbers),
        }
    }

    /// The next `n` numbers of the `i`-th of the columns, or gaps.
    pub(super) fn optional_numbers(
        &mut self,
        i: usize,
        n: usize,
        unsigned: bool,
    ) -> Result<Vec<Option<f64>>> {
        let (at, reader) = self.at(i);
        numbers_by!(at.optional(reader, n), unsigned)
    }

    /// The next `n` values of the `i`-th of the columns, written out.
    pub(super) fn texts(&mut self, i: usize, n: usize) -> Result<Vec<String>> {
        let (at, reader) = self.at(i);
        match reader {
            ColumnReader::ByteArrayColumnReader(reader) => at.values(reader, n, |bytes| {
                String::from_utf8_lossy(bytes.data()).into_owned()
            }),
            ColumnReader::Int32ColumnReader(reader) => at.values(reader, n, |v| v.to_string()),
            ColumnReader::Int64ColumnReader(reader) => at.values(reader, n, |v| v.to_string()),
            ColumnReader::FloatColumnReader(reader) => at.values(reader, n, |v| v.to_string()),
            ColumnReader::DoubleColumnReader(reader) => at.values(reader, n, |v| v.to_string()),
            _ => {
                let rule = "names of rows must be texts or numbers";
                Err(at.file.unsupported(at.column, rule))
            }
        }
    }

    pub(super) fn at(&mut self, i: usize) -> (At<'_>, &mut ColumnReader) {
        let at = At {
            file: &self.file,
            column: self.columns[i],
            row: self.row,
        };
        (at, &mut self.readers[i])
    }
}

/// Where a column is read.
pub(super) struct At<'a> {
    pub(super) file: &'a ParquetFile,
    pub(super) column: usize,
    row: usize,
}

impl At<'_> {
    /// The next `n` values, none of which may be missing.
    pub(super) fn values<T: DataType, V>(
        &self,
        reader: &mut ColumnReaderImpl<T>,
        n: usize,
        value: impl Fn(T::T) -> V,
    ) -> Result<Vec<V>> {
        let (values, levels) = self.records(reader, n)?;
        let present = self.present();
        match levels.iter().position(|&level| level != present) {
            Some(row) => Err(self.value(row, "every row must have a value", "none".into())),
            None => Ok(values.into_iter().map(value).collect()),
        }
    }

    /// The next `n` values, or gaps.
    pub(super) fn optional<T: DataType, V>(
        &self,
        reader: &mut ColumnReaderImpl<T>,
        n: usize,
        value: impl Fn(T::T) -> V,
    ) -> Result<Vec<Option<V>>> {
        let (values, levels) = self.records(reader, n)?;
        let present = self.present();
        let mut values = values.into_iter().map(value);
        let optional = |level: i16| (level == present).then(|| values.next()).flatten();
        Ok(levels.into_iter().map(optional).collect())
    }

    /// The level of a value that is there.
    fn present(&self) -> i16 {
        self.file.descriptor(self.column).max_def_level()
    }

    /// The values that there are among the next `n`, and a level for each of the `n`.
    fn records<T: DataType>(
        &self,
        reader: &mut ColumnReaderImpl<T>,
        n: usize,
    ) -> Result<(Vec<T::T>, Vec<i16>)> {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let read = reader.read_records(n, Some(&mut levels), None, &mut values);
        let (found, _, _) = read.map_err(|error| broken(self.file.path(), error))?;
        let present = self.present();
        // A column that cannot have gaps has no levels.
        if present == 0 {
            levels = vec![0; values.len()];
        }
        let there = levels.iter().filter(|&&level| level == present).count();
        if found == n && levels.len() == n && there == values.len() {
            return Ok((values, levels));
        }
        let rule = "every row must have a value or a gap";
        Err(self.value(levels.len(), rule, "the end of the column".into()))
    }

    /// An error about the value `row` rows from here.
    fn value(&self, row: usize, rule: &str, found: String) -> DataError {
        DataError::Value {
            path: Some(self.file.path().into()),
            place: Place::Entry {
                row: self.row + row,
                column: self.file.name(self.column),
            },
            rule: rule.into(),
            found,
        }
    }
}
