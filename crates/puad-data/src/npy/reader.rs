//! The values of a `.npy` file: all of them, or the rows of a table some at a time.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use super::columns::{Bytes, Columns};
use super::header;
use crate::array::{Array, ElementType, Layout};
use crate::batch::{Batch, Values};
use crate::file::{LIMIT, Source};
use crate::table_rows::TableRows;
use crate::{DataError, Place, Result};

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
        let row_bytes = row_bytes(&layout).ok_or_else(|| DataError::Shape {
            path: path.clone(),
            name: "a table".into(),
            expected: "[n, ...] with values in each sample, within memory's addresses".into(),
            actual: layout.shape.clone(),
        })?;
        let channels_last = last_channels(&path, &layout, channels_last)?;
        let rows = layout.shape[0] as u64;
        let form = if layout.is_row_major() {
            Form::Rows(source)
        } else if let Some(file) = plain()? {
            let file = Bytes::File(file);
            Form::Columns(Columns::open(&path, file, source.offset(), &layout)?)
        } else {
            let bytes = layout.byte_len().filter(|&bytes| bytes <= LIMIT);
            let bytes = bytes.ok_or_else(|| source.too_large(&layout))?;
            let held = Bytes::Held(Cursor::new(source.read_bytes(bytes)?));
            source.finish()?;
            Form::Columns(Columns::open(&path, held, 0, &layout)?)
        };
        Ok(NpyRows {
            layout,
            channels_last,
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
    /// Whether samples are `[height, width, channels]` in the file.
    channels_last: bool,
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
        match self.layout.shape[1..] {
            [height, width, channels] if self.channels_last => vec![channels, height, width],
            ref shape => shape.to_vec(),
        }
    }

    fn count(&self) -> Option<u64> {
        Some(self.rows)
    }

    fn next(&mut self, size: usize) -> Result<Option<Batch>> {
        let Some(rows) = self.read_rows(size)? else {
            return Ok(None);
        };
        let shape = [vec![rows.shape()[0]], self.sample_shape()].concat();
        let channels = self.channels_last.then(|| shape[1]);
        let volume = shape[1..].iter().product();
        let values = match rows.layout().element {
            ElementType::U8 => Values::U8(channels_first(
                rows.into_u8().unwrap_or_default(),
                volume,
                channels,
            )),
            element => {
                let values = channels_first(rows.to_f64(), volume, channels);
                Values::new(values, element.fits_f32())
            }
        };
        Ok(Some(Batch {
            shape,
            values,
            ids: vec![],
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

/// Numbers of channels that images have: grey, RGB, with transparency.
const CHANNELS: [usize; 3] = [1, 3, 4];

/// Whether samples are `[height, width, channels]`, which is asked where only that is usual.
fn last_channels(path: &Path, layout: &Layout, said: Option<bool>) -> Result<bool> {
    let [_, first, middle, last] = layout.shape[..] else {
        return match said {
            Some(true) => Err(DataError::Shape {
                path: path.into(),
                name: "an array with its channels last".into(),
                expected: "[n, height, width, channels]".into(),
                actual: layout.shape.clone(),
            }),
            _ => Ok(false),
        };
    };
    let looks_like = CHANNELS.contains(&last) && !CHANNELS.contains(&first) && middle > 1;
    match said {
        Some(said) => Ok(said),
        None if looks_like => Err(DataError::Ambiguous {
            path: path.into(),
            place: Box::new(Place::Whole),
            found: format!("the shape {:?}", layout.shape),
            meanings: "[n, height, width, channels] or [n, channels, height, width]",
            remedy: "set `channels_last` to true or false",
        }),
        None => Ok(false),
    }
}

/// Samples of `volume` values, `[.., channels]` if there are such, as `[channels, ..]`.
fn channels_first<T: Copy>(values: Vec<T>, volume: usize, channels: Option<usize>) -> Vec<T> {
    let Some(channels) = channels else {
        return values;
    };
    let plane = |sample: &'_ [T], c: usize| -> Vec<T> {
        sample[c..].iter().step_by(channels).copied().collect()
    };
    let samples = values.chunks_exact(volume);
    samples
        .flat_map(|sample| (0..channels).flat_map(move |c| plane(sample, c)))
        .collect()
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
