//! PNG and JPEG to pixels.

use std::io::{self, Cursor};
use std::path::Path;

use image::{ImageFormat, ImageReader, Limits};

use super::{DataError, ImageShape, Resize};

/// The longest side that is decoded.
const LONGEST_SIDE: u32 = 1 << 14;

/// The most memory a decoder may take: 256 MiB, a 9,000 x 9,000 RGB image.
const MOST_MEMORY: u64 = 1 << 28;

/// The pixels of an encoded image, `[channels, height, width]`. `name` says where it is from.
/// `resize` lets an image of another size be scaled by [`Resize`], its values rounded to 8 bits.
pub(super) fn decode(
    bytes: &[u8],
    name: &Path,
    shape: ImageShape,
    resize: bool,
) -> Result<Vec<u8>, DataError> {
    let broken = |source: io::Error| DataError::read(name, 0, source);
    let guessed = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = guessed.map_err(broken)?;
    let known = reader.format();
    if !matches!(known, Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(DataError::Unsupported {
            path: name.into(),
            rule: "images must be PNG or JPEG",
            found: format!("{:?} at their start", &bytes[..bytes.len().min(4)]),
        });
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let decoded = reader.decode().map_err(|e| broken(io::Error::other(e)))?;
    let (width, height) = (decoded.width(), decoded.height());
    let same = (width as usize, height as usize) == (shape.width, shape.height);
    if !same && !resize {
        return Err(DataError::Shape {
            path: name.into(),
            name: "an image".into(),
            expected: format!("[{}, {}]", shape.height, shape.width),
            actual: vec![height as usize, width as usize],
        });
    }
    let pixels = match shape.channels {
        1 => decoded.into_luma8().into_raw(),
        _ => {
            let pixels = decoded.into_rgb8().into_raw();
            let planes = (0..3).flat_map(|c| pixels[c..].iter().step_by(3));
            planes.copied().collect()
        }
    };
    if same {
        return Ok(pixels);
    }
    let own = ImageShape {
        height: height as usize,
        width: width as usize,
        ..shape
    };
    let mut scaled = vec![0.; shape.volume()?];
    Resize::new(own, shape)?.apply(&pixels, &mut scaled)?;
    let rounded = scaled.into_iter().map(|value| (value * 255.).round() as u8);
    Ok(rounded.collect())
}

/// Grey or RGB, of sides that a decoder's result can have.
pub(super) fn check_shape(shape: ImageShape) -> Result<(), DataError> {
    let side = 1..=LONGEST_SIDE as usize;
    match shape.channels {
        1 | 3 if side.contains(&shape.width) && side.contains(&shape.height) => Ok(()),
        1 | 3 => {
            let rule = "of 1 to 16384 rows and columns";
            Err(DataError::config("shape", rule, shape))
        }
        channels => Err(DataError::config("channels", "1 or 3", channels)),
    }
}
