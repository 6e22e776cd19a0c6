//! How the rows of an array are samples.

use std::path::Path;

use crate::array::{Array, ElementType, Layout};
use crate::batch::{Batch, Values};
use crate::{DataError, Place, Result};

/// An array that is a list of samples.
pub(super) struct SampleLayout {
    layout: Layout,
    /// Whether samples are `[height, width, channels]` in the file.
    channels_last: bool,
    row_bytes: u64,
}

impl SampleLayout {
    /// `channels_last`: `None` to refuse what looks like images with channels behind rows and columns.
    pub(super) fn new(path: &Path, layout: Layout, channels_last: Option<bool>) -> Result<Self> {
        let row_bytes = row_bytes(&layout).ok_or_else(|| DataError::Shape {
            path: path.into(),
            name: "a table".into(),
            expected: "[n, ...] with values in each sample, within memory's addresses".into(),
            actual: layout.shape.clone(),
        })?;
        Ok(Self {
            channels_last: last_channels(path, &layout, channels_last)?,
            row_bytes,
            layout,
        })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> u64 {
        self.layout.shape[0] as u64
    }

    pub(super) fn row_bytes(&self) -> u64 {
        self.row_bytes
    }

    /// The dimensions of one sample.
    pub(super) fn sample_shape(&self) -> Vec<usize> {
        match self.layout.shape[1..] {
            [height, width, channels] if self.channels_last => vec![channels, height, width],
            ref shape => shape.to_vec(),
        }
    }

    /// The samples of `count` rows' bytes, in the array's order.
    pub(super) fn batch(&self, bytes: Vec<u8>, count: usize) -> Batch {
        let shape = [vec![count], self.sample_shape()].concat();
        let channels = self.channels_last.then(|| shape[1]);
        let volume = shape[1..].iter().product();
        let little = self.layout.is_row_major() && !self.layout.big_endian;
        let values = match self.layout.element {
            // The usual ones, without a detour by f64.
            ElementType::F32 if little => {
                let values = bytes.chunks_exact(4);
                let values = values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                Values::F32(channels_first(values.collect(), volume, channels))
            }
            element => {
                let mut layout = self.layout.clone();
                layout.shape[0] = count;
                let rows = Array::new(layout, bytes);
                if element == ElementType::U8 {
                    let pixels = rows.into_u8().unwrap_or_default();
                    Values::U8(channels_first(pixels, volume, channels))
                } else {
                    let values = channels_first(rows.to_f64(), volume, channels);
                    Values::new(values, element.fits_f32())
                }
            }
        };
        let ids = vec![];
        Batch { shape, values, ids }
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
