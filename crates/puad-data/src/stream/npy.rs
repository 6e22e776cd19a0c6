//! The rows of a `.npy` file, some at a time.

use std::path::Path;

use super::columns::Columns;
use crate::DataError;
use crate::array::{Array, Layout};
use crate::file::{Source, open_plain};
use crate::npy::read_header;

/// The rows of an array that are still to come.
pub(crate) struct NpyRows {
    layout: Layout,
    rows: u64,
    left: u64,
    row_bytes: u64,
    form: Form,
}

enum Form {
    /// One row after another.
    Rows(Source<'static>),
    /// One column after another: each batch is collected from all over the file.
    Columns(Columns),
    Ended,
}

impl NpyRows {
    /// Opens a file. Only in a plain one can the columns of an array in Fortran order be visited.
    pub(crate) fn open_file(path: &Path) -> Result<Self, DataError> {
        Self::open(Source::open(path)?, || open_plain(path))
    }

    /// Opens what can be read but once, from its start to its end.
    pub(crate) fn open_source(source: Source<'static>) -> Result<Self, DataError> {
        Self::open(source, || Ok(None))
    }

    fn open(
        mut source: Source<'static>,
        plain: impl FnOnce() -> Result<Option<std::fs::File>, DataError>,
    ) -> Result<Self, DataError> {
        let layout = read_header(&mut source)?;
        let path = source.path();
        let wrong = || DataError::NpyShape {
            path: path.into(),
            shape: layout.shape.clone(),
        };
        let row_bytes = row_bytes(&layout).ok_or_else(wrong)?;
        let rows = layout.shape[0] as u64;
        let form = if layout.is_row_major() {
            Form::Rows(source)
        } else if let Some(file) = plain()? {
            Form::Columns(Columns::open(path, file, source.offset(), &layout)?)
        } else {
            return Err(DataError::FortranOrder { path: path.into() });
        };
        Ok(Self {
            layout,
            rows,
            left: rows,
            row_bytes,
            form,
        })
    }

    pub(crate) fn sample_shape(&self) -> &[usize] {
        &self.layout.shape[1..]
    }

    pub(crate) fn len(&self) -> u64 {
        self.rows
    }

    /// The next `size` rows, or what is left of them.
    pub(crate) fn next(&mut self, size: usize) -> Result<Option<Array>, DataError> {
        let count = self.left.min(size as u64);
        if count == 0 {
            return match std::mem::replace(&mut self.form, Form::Ended) {
                Form::Rows(source) => source.finish().map(|()| None),
                Form::Columns(_) | Form::Ended => Ok(None),
            };
        }
        let first = self.rows - self.left;
        let bytes = match &mut self.form {
            Form::Rows(source) => source.read_bytes(count * self.row_bytes)?,
            Form::Columns(columns) => columns.read(first, count)?,
            Form::Ended => return Ok(None),
        };
        self.left -= count;
        let mut layout = self.layout.clone();
        layout.shape[0] = count as usize;
        Ok(Some(Array::new(layout, bytes)))
    }
}

/// Bytes of a row; `None` for an array that is no list of samples with values, or beyond what can be
/// addressed, though it is never held as a whole.
fn row_bytes(layout: &Layout) -> Option<u64> {
    let [rows, sample @ ..] = layout.shape.as_slice() else {
        return None;
    };
    let size = layout.element.size() as u64;
    let bytes = sample
        .iter()
        .try_fold(size, |n, &dim| n.checked_mul(dim as u64));
    let bytes = bytes.filter(|&n| n > 0 && !sample.is_empty())?;
    let all = bytes.checked_mul(*rows as u64)?;
    (all <= i64::MAX as u64).then_some(bytes)
}
