use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::DataError;

/// Channels, height and width of an image. Default: `3 x 32 x 32`, the input of every experiment in
/// the paper (section 5.1).
///
/// ```
/// use puad_data::ImageShape;
///
/// let shape = ImageShape { channels: 1, ..Default::default() };
/// assert_eq!(shape.to_string(), "1x32x32");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageShape {
    /// 1 for grey, 3 for RGB.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageShape {
    /// Number of values of one image.
    ///
    /// # Errors
    /// [`DataError::Config`] if it is 0 or overflows.
    pub fn volume(self) -> Result<usize, DataError> {
        let area = self.height.checked_mul(self.width);
        let volume = area.and_then(|area| area.checked_mul(self.channels));
        match volume {
            Some(n) if n > 0 && n <= isize::MAX as usize => Ok(n),
            _ => {
                let rule = "of positive sides that fit in memory";
                Err(DataError::config("image shape", rule, self))
            }
        }
    }
}

impl Default for ImageShape {
    fn default() -> Self {
        Self {
            channels: 3,
            height: 32,
            width: 32,
        }
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

/// 8-bit images of one size with their class labels.
///
/// ```
/// use puad_data::{ImageSet, ImageShape};
///
/// let shape = ImageShape { channels: 1, height: 2, width: 2 };
/// let set = ImageSet::new(vec![0, 51, 102, 255], shape, vec![7])?;
/// assert_eq!((set.len(), set.labels()), (1, &[7][..]));
/// assert_eq!(set.image(0), Some(&[0, 51, 102, 255][..]));
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ImageSet {
    pixels: Arc<[u8]>,
    shape: ImageShape,
    labels: Vec<u8>,
}

impl ImageSet {
    /// `pixels`: `[n, channels, height, width]` in row-major order; `labels`: `[n]`.
    ///
    /// # Errors
    /// [`DataError::Config`] for a shape without pixels, [`DataError::Length`] if there is not
    /// one image a label.
    pub fn new(
        pixels: impl Into<Arc<[u8]>>,
        shape: ImageShape,
        labels: Vec<u8>,
    ) -> Result<Self, DataError> {
        let pixels = pixels.into();
        let expected = shape.volume()?.saturating_mul(labels.len());
        if pixels.len() != expected {
            return Err(DataError::Length {
                path: None,
                first_name: "bytes of pixels".into(),
                first: pixels.len(),
                second_name: format!("values of {} labeled images of {shape}", labels.len()),
                second: expected,
            });
        }
        Ok(Self {
            pixels,
            shape,
            labels,
        })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Shape of one image.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// The class of each image, `[n]`.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// All pixels, `[n, channels, height, width]` in row-major order.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels of image `index`, `[channels, height, width]`, or `None` beyond the end.
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        let size = self.shape.channels * self.shape.height * self.shape.width;
        self.pixels.chunks_exact(size).nth(index)
    }

    /// The pixels, shared: a copy of the handle, not of them.
    pub fn storage(&self) -> Arc<[u8]> {
        self.pixels.clone()
    }
}

impl fmt::Debug for ImageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageSet({} x {})", self.len(), self.shape)
    }
}

/// A set's published division into training and test images.
///
/// ```
/// use puad_data::TrainTest;
/// use puad_data::benchmarks::glyphs::{self, GlyphConfig};
///
/// let config = GlyphConfig { train_per_class: 3, test_per_class: 1, ..Default::default() };
/// let TrainTest { train, test } = glyphs::generate(&config, 0)?;
/// assert_eq!((train.len(), test.len()), (30, 10));
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainTest {
    /// Training images.
    pub train: ImageSet,
    /// Test images.
    pub test: ImageSet,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(channels: usize, height: usize, width: usize) -> ImageShape {
        ImageShape {
            channels,
            height,
            width,
        }
    }

    #[test]
    fn pixels_must_fill_one_image_a_label() {
        let set = ImageSet::new((0..12).collect::<Vec<u8>>(), shape(1, 2, 3), vec![4, 5]).unwrap();
        assert_eq!(set.image(1), Some(&[6, 7, 8, 9, 10, 11][..]));
        assert_eq!(set.image(2), None);
        assert_eq!(set.len(), 2);
        for bytes in [0, 11, 13] {
            let err = ImageSet::new(vec![0; bytes], shape(1, 2, 3), vec![4, 5]).unwrap_err();
            assert!(matches!(err, DataError::Length { first, second: 12, .. } if first == bytes));
        }
        assert!(
            ImageSet::new(vec![], shape(1, 2, 3), vec![])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn shapes_without_pixels_or_beyond_memory_are_errors() {
        let huge = usize::MAX / 2;
        for s in [
            shape(0, 2, 2),
            shape(1, 0, 2),
            shape(1, 2, 0),
            shape(3, huge, 3),
        ] {
            let err = ImageSet::new(vec![], s, vec![]).unwrap_err();
            assert!(
                matches!(&err, DataError::Config { value, .. } if *value == s.to_string()),
                "{err}"
            );
        }
    }
}
