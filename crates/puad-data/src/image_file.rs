//! One PNG or JPEG image, from a file or from bytes such as those of an upload, and PNG from pixels; needs the
//! feature `images`.

use std::fs;
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::encoded::{Decoder, LONGEST_SIDE};
use super::image_folder::ImageFolderConfig;
use super::{DataError, ImageSet, ImageShape, Result};

/// What errors call bytes that are from no file, in the place of a path.
const GIVEN: &str = "the given bytes";

/// The image of a file, as [`image_folder::read`](super::image_folder::read) makes one of a folder's: a set of one,
/// labeled 0. The name of the file does not matter.
///
/// # Errors
/// As there, but for those of a folder. An image of 16 bits without a bright value is [`DataError::Ambiguous`] by
/// itself, where in a folder another one may tell.
///
/// ```no_run
/// use puad_data::ImageShape;
/// use puad_data::image_file;
/// use puad_data::image_folder::ImageFolderConfig;
///
/// let shape = ImageShape { channels: 1, height: 64, width: 64 };
/// let config = ImageFolderConfig { shape, resize: true, ..ImageFolderConfig::default() };
/// let photo = image_file::read("photo.jpg", &config)?;
/// assert_eq!((photo.len(), photo.shape()), (1, shape));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn read(path: impl AsRef<Path>, config: &ImageFolderConfig) -> Result<ImageSet> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|error| DataError::read(path, 0, error))?;
    one(&bytes, path, config)
}

/// The image that `bytes` are the file of, the body of a request say, as [`read`].
///
/// # Errors
/// As [`read`], whose path is then `the given bytes`.
///
/// ```
/// use puad_data::image_folder::ImageFolderConfig;
/// use puad_data::{ImageShape, image_file};
///
/// let shape = ImageShape { channels: 1, height: 2, width: 2 };
/// let upload = image_file::encode_png(&[0, 51, 102, 255], shape)?;
/// let config = ImageFolderConfig { shape, ..ImageFolderConfig::default() };
/// assert_eq!(image_file::decode(&upload, &config)?.pixels(), [0, 51, 102, 255]);
///
/// let error = image_file::decode(b"GIF89a", &config).unwrap_err().to_string();
/// assert_eq!(error, "the given bytes: images must be PNG or JPEG, got a GIF image");
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn decode(bytes: &[u8], config: &ImageFolderConfig) -> Result<ImageSet> {
    one(bytes, Path::new(GIVEN), config)
}

fn one(bytes: &[u8], name: &Path, config: &ImageFolderConfig) -> Result<ImageSet> {
    let mut decoder = Decoder::new(config.shape, config.resize, config.bits)?;
    let pixels = decoder.decode(bytes, name)?;
    decoder.finish(name)?;
    ImageSet::new(pixels, config.shape, vec![0])
}

/// A PNG file of one image's `pixels`, `[channels, height, width]`, of which there are 1 (grey) or 3 (RGB).
///
/// # Errors
/// [`DataError::Config`] for another number of channels or sides beyond 16,384, [`DataError::Length`] for another number of
/// pixels than the shape has.
///
/// ```
/// use puad_data::{ImageShape, image_file};
///
/// let shape = ImageShape { channels: 3, height: 1, width: 2 };
/// let png = image_file::encode_png(&[255, 0, 0, 0, 0, 255], shape)?; // red, blue
/// assert!(png.starts_with(b"\x89PNG"));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn encode_png(pixels: &[u8], shape: ImageShape) -> Result<Vec<u8>> {
    let colours = match shape.channels {
        1 => ExtendedColorType::L8,
        3 => ExtendedColorType::Rgb8,
        channels => return Err(DataError::config("channels", "1 or 3", channels)),
    };
    let volume = shape.volume()?;
    let within = |side: usize| {
        u32::try_from(side)
            .ok()
            .filter(|&side| side <= LONGEST_SIDE)
    };
    let (Some(width), Some(height)) = (within(shape.width), within(shape.height)) else {
        let rule = "of 1 to 16384 rows and columns";
        return Err(DataError::config("shape", rule, shape));
    };
    if pixels.len() != volume {
        return Err(DataError::Length {
            path: None,
            first_name: "bytes of pixels".into(),
            first: pixels.len(),
            second_name: format!("values of an image of {shape}"),
            second: volume,
        });
    }
    let area = volume / shape.channels;
    let interleaved: Vec<u8> = (0..volume)
        .map(|i| pixels[i % shape.channels * area + i / shape.channels])
        .collect();
    let mut png = Vec::new();
    let encoder = PngEncoder::new(&mut png);
    let written = encoder.write_image(&interleaved, width, height, colours);
    // Into memory, of an image that PNG has room for: only the crate itself can fail.
    written.map_err(|error: ImageError| {
        let error = std::io::Error::other(error);
        DataError::read(Path::new("a PNG image"), 0, error)
    })?;
    Ok(png)
}
