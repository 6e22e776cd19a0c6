//! Rows of a `.npy` file at any place.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::columns::{Bytes, Columns};
use super::sample_layout::SampleLayout;
use crate::array::Layout;
use crate::batch::Batch;
use crate::stored_rows::StoredRows;
use crate::{DataError, Result};

/// Values of rows that are read together.
const CHUNK: u64 = 1 << 16;

pub(super) struct StoredNpy {
    path: PathBuf,
    samples: SampleLayout,
    /// A place in it is one for all threads.
    form: Mutex<Form>,
}

enum Form {
    Rows {
        file: File,
        /// Position of the first value.
        start: u64,
    },
    Columns(Columns),
}

impl StoredNpy {
    pub(super) fn new(
        path: &Path,
        layout: Layout,
        channels_last: Option<bool>,
        file: File,
        start: u64,
    ) -> Result<Self> {
        let samples = SampleLayout::new(path, layout, channels_last)?;
        let form = if samples.layout().is_row_major() {
            let expected = start.saturating_add(samples.rows() * samples.row_bytes());
            let actual = file.metadata().map_err(|e| DataError::read(path, 0, e))?;
            if actual.len() != expected {
                return Err(DataError::FileSize {
                    path: path.into(),
                    expected,
                    actual: (actual.len() < expected).then_some(actual.len()),
                });
            }
            Form::Rows { file, start }
        } else {
            let file = Bytes::File(file);
            Form::Columns(Columns::open(path, file, start, samples.layout())?)
        };
        Ok(Self {
            path: path.into(),
            samples,
            form: Mutex::new(form),
        })
    }

    fn bytes(&self, first: u64, count: u64) -> Result<Vec<u8>> {
        let mut form = self.form.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, start) = match &mut *form {
            Form::Columns(columns) => return columns.read(first, count),
            Form::Rows { file, start } => (file, *start),
        };
        let row = self.samples.row_bytes();
        let (at, len) = (start + first * row, count * row);
        let mut bytes = vec![0; len as usize];
        let moved = file.seek(SeekFrom::Start(at));
        let read = moved.and_then(|_| file.read_exact(&mut bytes));
        match read {
            Ok(()) => Ok(bytes),
            // It had all its bytes when it was opened.
            Err(source) if source.kind() == ErrorKind::UnexpectedEof => Err(DataError::FileSize {
                path: self.path.clone(),
                expected: at + len,
                actual: file.metadata().ok().map(|data| data.len()),
            }),
            Err(source) => Err(DataError::read(&self.path, at, source)),
        }
    }
}

impl StoredRows for StoredNpy {
    fn sample_shape(&self) -> Vec<usize> {
        self.samples.sample_shape()
    }

    fn count(&self) -> u64 {
        self.samples.rows()
    }

    fn chunk_ends(&self) -> Vec<u64> {
        let values: usize = self.sample_shape().iter().product();
        let (rows, all) = ((CHUNK / values as u64).max(1), self.count());
        (1..=all.div_ceil(rows))
            .map(|chunk| all.min(chunk * rows))
            .collect()
    }

    fn read(&self, first: u64, count: usize) -> Result<Batch> {
        let bytes = self.bytes(first, count as u64)?;
        Ok(self.samples.batch(bytes, count))
    }
}
