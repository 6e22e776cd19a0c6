//! Encoded images with labels.

use std::path::Path;

use ::parquet::column::reader::ColumnReader;
use ::parquet::data_type::ByteArray;

use super::file::{Number, ParquetFile};
use super::{Rows, caught};
use crate::encoded::Decoder;
use crate::file::LIMIT;
use crate::{DataError, ImageSet, ImageShape, Place, Result};

/// Reads images of one shape (PNG or JPEG) from the column `image`, with labels below `classes`.
pub(crate) fn read_images(
    path: &Path,
    image: &str,
    shape: ImageShape,
    label: &str,
    classes: u8,
) -> Result<ImageSet> {
    let file = ParquetFile::open(path)?;
    let (label, image) = (file.find(label)?, file.find(image)?);
    if !matches!(file.number(label)?, Number::Signed(_) | Number::Unsigned(_)) {
        return Err(file.unsupported(label, "labels must be integers"));
    }
    let all = usize::try_from(file.rows()).unwrap_or(usize::MAX);
    if all.saturating_mul(shape.volume()?) as u64 > LIMIT {
        let shape = vec![all, shape.channels, shape.height, shape.width];
        return Err(DataError::too_large(path, shape, 1, LIMIT));
    }
    caught(path, || {
        read(path, Rows::new(file, vec![label, image]), shape, classes)
    })
}

fn read(path: &Path, mut rows: Rows, shape: ImageShape, classes: u8) -> Result<ImageSet> {
    let (mut pixels, mut labels) = (vec![], vec![]);
    let mut decoder = Decoder::new(shape, false, None)?;
    loop {
        let n = rows.step(usize::MAX)?;
        if n == 0 {
            decoder.finish(path)?;
            return ImageSet::new(pixels, shape, labels);
        }
        for image in bytes(&mut rows, 1, n)? {
            let row = pixels.len() / shape.volume()?;
            let name = path.join(format!("#{row}"));
            pixels.extend(decoder.decode(image.data(), &name)?);
        }
        for value in rows.numbers(0, n)? {
            if !(0. ..f64::from(classes)).contains(&value) {
                return Err(DataError::Value {
                    path: Some(path.into()),
                    place: Place::Row(labels.len()),
                    rule: format!("labels must lie below {classes}"),
                    found: value.to_string(),
                });
            }
            labels.push(value as u8);
        }
        rows.advance(n);
    }
}

/// The next `n` values of the `i`-th of the columns.
fn bytes(rows: &mut Rows, i: usize, n: usize) -> Result<Vec<ByteArray>> {
    let (at, reader) = rows.at(i);
    match reader {
        ColumnReader::ByteArrayColumnReader(reader) => at.values(reader, n, |bytes| bytes),
        _ => Err(at.file.unsupported(at.column, "images must be BYTE_ARRAY")),
    }
}
