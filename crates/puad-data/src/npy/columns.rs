//! Arrays stored column by column (Fortran order).

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::array::Layout;

/// A file whose first index varies fastest: a column of all rows, then the next column.
pub(super) struct Columns {
    path: PathBuf,
    bytes: Bytes,
    /// Position of the first value.
    start: u64,
    rows: u64,
    /// Values of a row.
    columns: u64,
    /// Bytes of a value.
    size: u64,
}

/// Where the columns lie.
pub(super) enum Bytes {
    /// On disk.
    File(File),
    /// In memory, since they cannot be visited where they are.
    Held(Cursor<Vec<u8>>),
}

impl Bytes {
    fn len(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata()?.len()),
            Self::Held(bytes) => Ok(bytes.get_ref().len() as u64),
        }
    }

    fn read_at(&mut self, at: u64, values: &mut [u8]) -> io::Result<()> {
        match self {
            Self::File(file) => {
                file.seek(SeekFrom::Start(at))?;
                file.read_exact(values)
            }
            Self::Held(bytes) => {
                bytes.set_position(at);
                bytes.read_exact(values)
            }
        }
    }
}

impl Columns {
    /// `start`: where the values begin. They must be all there, and nothing after them.
    pub(super) fn open(
        path: &Path,
        bytes: Bytes,
        start: u64,
        layout: &Layout,
    ) -> Result<Self, DataError> {
        let size = layout.element.size() as u64;
        let rows = layout.shape.first().map_or(0, |&rows| rows as u64);
        let columns = layout.shape.iter().skip(1).map(|&dim| dim as u64).product();
        let columns = Self {
            path: path.into(),
            bytes,
            start,
            rows,
            columns,
            size,
        };
        let actual = columns.bytes.len();
        let actual = actual.map_err(|source| columns.fail(0, source))?;
        let expected = start.saturating_add(rows * columns.columns * size);
        match actual {
            _ if actual < expected => Err(columns.truncated(expected, actual)),
            _ if actual > expected => Err(DataError::FileSize {
                path: path.into(),
                expected,
                actual: None,
            }),
            _ => Ok(columns),
        }
    }

    /// The rows `first .. first + count`, again column by column: one visit of the file each.
    pub(super) fn read(&mut self, first: u64, count: u64) -> Result<Vec<u8>, DataError> {
        let width = (count * self.size) as usize;
        let mut bytes = vec![0; width * self.columns as usize];
        for (column, values) in (0u64..).zip(bytes.chunks_exact_mut(width.max(1))) {
            let at = self.start + (column * self.rows + first) * self.size;
            let outcome = self.bytes.read_at(at, values);
            outcome.map_err(|source| self.fail(at, source))?;
        }
        Ok(bytes)
    }

    fn truncated(&self, expected: u64, actual: u64) -> DataError {
        DataError::FileSize {
            path: self.path.clone(),
            expected,
            actual: Some(actual),
        }
    }

    fn fail(&self, offset: u64, source: std::io::Error) -> DataError {
        if source.kind() == ErrorKind::UnexpectedEof {
            // It had all its bytes when it was opened.
            let actual = self.bytes.len().unwrap_or(offset);
            let all = self.rows * self.columns * self.size;
            return self.truncated(self.start + all, actual);
        }
        DataError::read(&self.path, offset, source)
    }
}
