//! The values of a `.npy` file: all of them, or the rows of a table some at a time.

use std::fs::File;
use std::io::Cursor;

use super::columns::{Bytes, Columns};
use super::header;
use super::sample_layout::SampleLayout;
use super::stored::StoredNpy;
use crate::Result;
use crate::array::{Array, Layout};
use crate::batch::Batch;
use crate::file::{LIMIT, Source};
use crate::table_rows::TableRows;

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
    /// more, can the columns of an array in Fortran order be visited; others are held in memory.
    /// `channels_last`: `None` to refuse what looks like images with channels behind rows and columns.
    pub(crate) fn rows(
        self,
        channels_last: Option<bool>,
        plain: impl FnOnce() -> Result<Option<File>>,
    ) -> Result<NpyRows> {
        let Self { layout, mut source } = self;
        let path = source.path().to_path_buf();
        let samples = SampleLayout::new(&path, layout, channels_last)?;
        let layout = samples.layout();
        let form = if layout.is_row_major() {
            Form::Rows(source)
        } else if let Some(file) = plain()? {
            let file = Bytes::File(file);
            Form::Columns(Columns::open(&path, file, source.offset(), layout)?)
        } else {
            let bytes = layout.byte_len().filter(|&bytes| bytes <= LIMIT);
            let bytes = bytes.ok_or_else(|| source.too_large(layout))?;
            let held = Bytes::Held(Cursor::new(source.read_bytes(bytes)?));
            source.finish()?;
            Form::Columns(Columns::open(&path, held, 0, layout)?)
        };
        Ok(NpyRows {
            left: samples.rows(),
            samples,
            form,
        })
    }

    /// The rows of an array in the plain file `file`, at any place.
    pub(super) fn stored(self, channels_last: Option<bool>, file: File) -> Result<StoredNpy> {
        let start = self.source.offset();
        StoredNpy::new(self.source.path(), self.layout, channels_last, file, start)
    }
}

/// The rows of an array that are still to come.
pub(crate) struct NpyRows {
    samples: SampleLayout,
    left: u64,
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
        self.samples.sample_shape()
    }

    fn count(&self) -> Option<u64> {
        Some(self.samples.rows())
    }

    fn next(&mut self, size: usize) -> Result<Option<Batch>> {
        let count = self.left.min(size as u64);
        if count == 0 {
            return match std::mem::replace(&mut self.form, Form::Ended) {
                Form::Rows(source) => source.finish().map(|()| None),
                Form::Columns(_) | Form::Ended => Ok(None),
            };
        }
        let first = self.samples.rows() - self.left;
        let bytes = match &mut self.form {
            Form::Rows(source) => source.read_bytes(count * self.samples.row_bytes())?,
            Form::Columns(columns) => columns.read(first, count)?,
            Form::Ended => return Ok(None),
        };
        self.left -= count;
        Ok(Some(self.samples.batch(bytes, count as usize)))
    }
}
