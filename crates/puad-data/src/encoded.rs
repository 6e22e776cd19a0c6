//! PNG and JPEG to pixels.

use std::io::{self, Cursor};
use std::path::Path;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::{DataError, ImageShape, Place, Resize, jpeg, magic};

/// The longest side that is decoded.
pub(super) const LONGEST_SIDE: u32 = 1 << 14;

/// The most memory a decoder may take: 256 MiB, a 9,000 x 9,000 RGB image.
const MOST_MEMORY: u64 = 1 << 28;

/// What encoded images become, and what was seen of those of 16 bits.
pub(super) struct Decoder {
    shape: ImageShape,
    /// Whether an image of another size is scaled by [`Resize`], its values rounded to 8 bits.
    resize: bool,
    /// Bits that count of values of 16.
    bits: Option<u8>,
    /// The largest value of 16 bits.
    largest: u16,
}

impl Decoder {
    /// # Errors
    /// [`DataError::Config`] for what is neither grey nor RGB, for sides that no decoded image has, and for
    /// bits other than 8 to 16.
    pub(super) fn new(
        shape: ImageShape,
        resize: bool,
        bits: Option<u8>,
    ) -> Result<Self, DataError> {
        let side = 1..=LONGEST_SIDE as usize;
        match shape.channels {
            1 | 3 if !side.contains(&shape.width) || !side.contains(&shape.height) => {
                let rule = "of 1 to 16384 rows and columns";
                Err(DataError::config("shape", rule, shape))
            }
            1 | 3 => match bits {
                Some(bits) if !(8..=16).contains(&bits) => {
                    Err(DataError::config("bits", "8 to 16", bits))
                }
                _ => Ok(Self {
                    shape,
                    resize,
                    bits,
                    largest: 0,
                }),
            },
            channels => Err(DataError::config("channels", "1 or 3", channels)),
        }
    }

    /// The pixels of an encoded image, `[channels, height, width]`, turned as its camera was held. `name`
    /// says where it is from.
    pub(super) fn decode(&mut self, bytes: &[u8], name: &Path) -> Result<Vec<u8>, DataError> {
        let decoded = decoded(bytes, name)?;
        let own = ImageShape {
            channels: self.shape.channels,
            height: decoded.height() as usize,
            width: decoded.width() as usize,
        };
        if own != self.shape && !self.resize {
            return Err(DataError::Shape {
                path: name.into(),
                name: "an image".into(),
                expected: format!("[{}, {}]", self.shape.height, self.shape.width),
                actual: vec![own.height, own.width],
            });
        }
        let pixels = match decoded.color() {
            ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
                self.narrow(decoded, name)?
            }
            _ if own.channels == 1 => decoded.into_luma8().into_raw(),
            _ => planes(&decoded.into_rgb8().into_raw()),
        };
        if own == self.shape {
            return Ok(pixels);
        }
        let mut scaled = vec![0.; self.shape.volume()?];
        Resize::new(own, self.shape)?.apply(&pixels, &mut scaled)?;
        let rounded = scaled.into_iter().map(|value| (value * 255.).round() as u8);
        Ok(rounded.collect())
    }

    /// 8 of the bits that count.
    fn narrow(&mut self, decoded: DynamicImage, name: &Path) -> Result<Vec<u8>, DataError> {
        let values = match self.shape.channels {
            1 => decoded.into_luma16().into_raw(),
            _ => planes(&decoded.into_rgb16().into_raw()),
        };
        let white = u16::MAX >> (16 - self.bits.unwrap_or(16));
        let largest = values.iter().copied().max().unwrap_or(0);
        if largest > white {
            return Err(DataError::Value {
                path: Some(name.into()),
                place: Place::Whole,
                rule: format!("values must be at most {white}, of as many bits as `bits` says"),
                found: largest.to_string(),
            });
        }
        self.largest = self.largest.max(largest);
        let scale = 255. / f64::from(white);
        let narrow = values
            .into_iter()
            .map(|value| (f64::from(value) * scale).round() as u8);
        Ok(narrow.collect())
    }

    /// After all images of `path`.
    ///
    /// # Errors
    /// [`DataError::Ambiguous`] if those of 16 bits are all so dark that they may have fewer.
    pub(super) fn finish(self, path: &Path) -> Result<(), DataError> {
        if self.bits.is_some() || self.largest == 0 || self.largest > u16::MAX / 2 {
            return Ok(());
        }
        Err(DataError::Ambiguous {
            path: path.into(),
            place: Box::new(Place::Whole),
            found: format!("images of 16 bits whose largest value is {}", self.largest),
            meanings: "dark or of fewer bits",
            remedy: "set `bits`, to 12 where white is 4095, to 16 where it is 65535",
        })
    }
}

fn decoded(bytes: &[u8], name: &Path) -> Result<DynamicImage, DataError> {
    let broken = |source: io::Error| DataError::read(name, 0, source);
    let guessed = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = guessed.map_err(broken)?;
    let format = reader.format();
    if !matches!(format, Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(other_kind(bytes, name));
    }
    if format == Some(ImageFormat::Jpeg) && !jpeg::is_whole(bytes) {
        // Decoders fill with grey what is missing.
        return Err(DataError::Malformed {
            path: name.into(),
            place: Place::Byte(bytes.len() as u64),
            rule: "a JPEG image must go on to its end mark",
            found: "the end of the file".into(),
        });
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let decode = || {
        let mut decoder = reader.into_decoder()?;
        if decoder.total_bytes() > MOST_MEMORY {
            let limit = image::error::LimitErrorKind::InsufficientMemory;
            return Err(image::ImageError::Limits(limit.into()));
        }
        let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut decoded = DynamicImage::from_decoder(decoder)?;
        decoded.apply_orientation(turned);
        Ok(decoded)
    };
    decode().map_err(|e: image::ImageError| broken(io::Error::other(e)))
}

fn other_kind(bytes: &[u8], name: &Path) -> DataError {
    let found = match magic::kind(bytes) {
        _ if bytes.is_empty() => "an empty file".into(),
        Some(kind) => kind.into(),
        None => format!("{:?} at their start", &bytes[..bytes.len().min(4)]),
    };
    DataError::Unsupported {
        path: name.into(),
        rule: "images must be PNG or JPEG",
        found,
    }
}

/// `[height, width, 3]` as `[3, height, width]`.
fn planes<T: Copy>(pixels: &[T]) -> Vec<T> {
    let planes = (0..3).flat_map(|c| pixels[c.min(pixels.len())..].iter().step_by(3));
    planes.copied().collect()
}
