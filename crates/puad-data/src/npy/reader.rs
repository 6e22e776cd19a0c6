//! The values of a `.npy` file: all of them, or the rows of a table some at a time.

use std::fs::File;

use super::columns::Columns;
use super::header;
use crate::array::{Array, Layout};
use crate::batch::{Batch, Values};
use crate::file::{LIMIT, Source};
use crate::table_rows::TableRows;
use crate::{DataError, Result};

/// An array whose header has been read, before its values.
pub(crate) struct NpyReader {
    layout: Layout,
    source: Source<'static>,
}

impl NpyReader {
    pub(crate) fn open(mut source: Source<'static>) -> Result<Self> {
        let layout = header::read(&mut source)?;
        Ok(Self { layout, source })
    }

    /// All values, in the file's order.
    pub(crate) fn whole(mut self) -> Result<Array> {
        let bytes = self.layout.byte_len().filter(|&bytes| bytes <= LIMIT);
        let bytes = bytes.ok_or_else(|| self.source.too_large(&self.layout))?;
        let bytes = self.source.read_bytes(bytes)?;
        self.source.finish()?;
        Ok(Array::new(self.layout, bytes))
    }

    /// The rows of an array that is a list of samples. Only in a plain file, which `plain` opens once
    /// more, can the columns of an array in Fortran order be visited.
    pub(crate) fn rows(self, plain: impl FnOnce() -> Result<Option<File>>) -> Result<NpyRows> {
        let Self { layout, source } = self;
        let path = source.path();
        let row_bytes = row_bytes(&layout).ok_or_else(|| DataError::Shape {
            path: path.into(),
            name: "a table".into(),
            expected: "[n, ...] with values in each sample, within memory's addresses".into(),
            actual: layout.shape.clone(),
        })?;
        let rows = layout.shape[0] as u64;
        let form = if layout.is_row_major() {
            Form::Rows(source)
        } else if let Some(file) = plain()? {
            Form::Columns(Columns::open(path, file, source.offset(), &layout)?)
        } else {
            let rule = "packed arrays must be in C order to be read by samples \
                        (unpack it, or save numpy.ascontiguousarray(a))";
            return Err(source.unsupported(rule, "Fortran order"));
        };
        Ok(NpyRows {
            layout,
            rows,
            left: rows,
            row_bytes,
            form,
        })
    }
}

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

impl TableRows for NpyRows {
    fn sample_shape(&self) -> Vec<usize> {
        self.layout.shape[1..].to_vec()
    }

    fn count(&self) -> Option<u64> {
        Some(self.rows)
    }

    fn next(&mut self, size: usize) -> Result<Option<Batch>> {
        let rows = self.read_rows(size)?;
        Ok(rows.map(|rows| Batch {
            shape: rows.shape().to_vec(),
            values: Values::new(rows.to_f64(), rows.layout().element.fits_f32()),
        }))
    }
}

impl NpyRows {
    fn read_rows(&mut self, size: usize) -> Result<Option<Array>> {
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
