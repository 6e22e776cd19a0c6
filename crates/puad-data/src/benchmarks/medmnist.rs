//! The two-dimensional sets of MedMNIST; needs the feature `benchmarks`.
//!
//! An `.npz` archive with `train_images`, `train_labels`, `val_images`, `val_labels`, `test_images`
//! and `test_labels`: images `[n, height, width]` (grey) or `[n, height, width, 3]` (RGB) and labels
//! `[n, 1]`, all unsigned bytes.
//!
//! # References
//! Yang et al., MedMNIST v2: A large-scale lightweight benchmark for 2D and 3D biomedical image
//! classification, Scientific Data 10, 2023.

use std::path::Path;

use super::labels;
use super::published::parts_alike;
use crate::Result;
use crate::npz::Npz;
use crate::{DataError, ImageSet, ImageShape, TrainTest};

/// A part of a set as its publishers divide it.
///
/// ```no_run
/// use puad_data::benchmarks::medmnist::{self, Part};
///
/// for part in [Part::Train, Part::Validation, Part::Test] {
///     println!("{}", medmnist::load_part("pathmnist.npz", part, 9)?.len());
/// }
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// `train_images` and `train_labels`.
    Train,
    /// `val_images` and `val_labels`.
    Validation,
    /// `test_images` and `test_labels`.
    Test,
}

impl Part {
    fn keys(self) -> [&'static str; 2] {
        match self {
            Self::Train => ["train_images", "train_labels"],
            Self::Validation => ["val_images", "val_labels"],
            Self::Test => ["test_images", "test_labels"],
        }
    }
}

/// Reads the training and the test part. Labels must lie below `classes`: 9 in PathMNIST, 4 in
/// OCTMNIST, 8 in TissueMNIST.
///
/// # Errors
/// As [`Npz::open`] and [`Npz::read`]; [`DataError::Shape`], also if the parts' images differ in size,
/// [`DataError::Unsupported`], [`DataError::Length`] or [`DataError::Value`].
///
/// ```no_run
/// let images = puad_data::benchmarks::medmnist::load("octmnist.npz", 4)?;
/// assert_eq!((images.train.len(), images.test.len()), (97_477, 1000));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load(path: impl AsRef<Path>, classes: u8) -> Result<TrainTest> {
    let path = path.as_ref();
    let mut archive = Npz::open(path)?;
    let train = part(&mut archive, path, Part::Train, classes)?;
    let test = part(&mut archive, path, Part::Test, classes)?;
    parts_alike(path, train, test)
}

/// Reads one part, such as the validation images, which [`load`] leaves out.
///
/// # Errors
/// As [`load`].
///
/// ```no_run
/// use puad_data::benchmarks::medmnist::{self, Part};
///
/// let images = medmnist::load_part("octmnist.npz", Part::Validation, 4)?;
/// assert_eq!(images.len(), 10_832);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load_part(path: impl AsRef<Path>, which: Part, classes: u8) -> Result<ImageSet> {
    let path = path.as_ref();
    part(&mut Npz::open(path)?, path, which, classes)
}

fn part(archive: &mut Npz, path: &Path, part: Part, classes: u8) -> Result<ImageSet> {
    let [images_key, labels_key] = part.keys();
    let y = archive.read(labels_key)?;
    let highest = classes.saturating_sub(1);
    let labels = labels::from_array(path, labels_key, &y, [0, highest])?;
    let images = archive.read(images_key)?;
    let (n, shape) = image_shape(path, images_key, images.shape())?;
    labels::same_rows(path, (images_key, n), (labels_key, labels.len()))?;
    let found = images.layout().element;
    let Some(pixels) = images.into_u8() else {
        return Err(DataError::Unsupported {
            path: path.into(),
            rule: "images must be unsigned bytes",
            found: format!("{found:?} in {images_key}"),
        });
    };
    ImageSet::new(planar(pixels, shape), shape, labels)
}

/// Number and shape of the images `[n, height, width]` or `[n, height, width, 3]`.
fn image_shape(path: &Path, key: &str, dims: &[usize]) -> Result<(usize, ImageShape)> {
    let (n, channels, height, width) = match *dims {
        [n, height, width] => (n, 1, height, width),
        [n, height, width, 3] => (n, 3, height, width),
        _ => {
            return Err(DataError::Shape {
                path: path.into(),
                name: key.into(),
                expected: "[n, height, width] or [n, height, width, 3]".into(),
                actual: dims.to_vec(),
            });
        }
    };
    let shape = ImageShape {
        channels,
        height,
        width,
    };
    Ok((n, shape))
}

/// From `[n, height, width, channels]` to `[n, channels, height, width]`.
fn planar(pixels: Vec<u8>, shape: ImageShape) -> Vec<u8> {
    let (channels, area) = (shape.channels, shape.height * shape.width);
    if channels == 1 || area == 0 {
        return pixels;
    }
    let mut out = Vec::with_capacity(pixels.len());
    for image in pixels.chunks_exact(channels * area) {
        for c in 0..channels {
            out.extend(image[c..].iter().step_by(channels));
        }
    }
    out
}
