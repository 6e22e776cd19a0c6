//! SVHN's cropped digits (format 2); needs the feature `benchmarks`.
//!
//! MATLAB files with `X`, `[32, 32, 3, n]` unsigned bytes, and `y`, `[n, 1]`, where the label 10 means
//! the digit 0.
//!
//! # References
//! Netzer et al., Reading digits in natural images with unsupervised feature learning, NIPS workshop
//! 2011.

use std::path::Path;

use super::published::find;
use super::{labels, mat};
use crate::Result;
use crate::array::ElementType;
use crate::{DataError, ImageSet, ImageShape, TrainTest};

const SIDE: usize = 32;

/// What [`load`] reads.
pub(super) const FILES: [&str; 2] = ["train_32x32.mat", "test_32x32.mat"];

/// Reads `train_32x32.mat` and `test_32x32.mat` from `dir`: 73,257 and 26,032 images, labeled by
/// their digits 0 to 9.
///
/// # Errors
/// As [`mat::read`]; [`DataError::Shape`], [`DataError::Length`] and [`DataError::Value`].
///
/// ```no_run
/// let images = puad_data::benchmarks::svhn::load("data/svhn")?;
/// assert_eq!((images.train.len(), images.test.len()), (73_257, 26_032));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load(dir: impl AsRef<Path>) -> Result<TrainTest> {
    let dir = dir.as_ref();
    let part = |name| read(find(dir, name)?);
    Ok(TrainTest {
        train: part(FILES[0])?,
        test: part(FILES[1])?,
    })
}

/// Reads one file, such as `extra_32x32.mat`.
///
/// # Errors
/// As [`load`].
///
/// ```no_run
/// let images = puad_data::benchmarks::svhn::read("data/svhn/test_32x32.mat")?;
/// assert_eq!(images.len(), 26_032);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<ImageSet> {
    let path = path.as_ref();
    let [x, y] = mat::read(path, ["X", "y"])?;
    let mut digits = labels::from_array(path, "y", &y, [1, 10])?;
    digits.iter_mut().for_each(|digit| *digit %= 10);
    let n = match *x.shape() {
        [SIDE, SIDE, 3, n] => n,
        // MATLAB drops trailing dimensions of 1.
        [SIDE, SIDE, 3] => 1,
        _ => {
            return Err(DataError::Shape {
                path: path.into(),
                name: "X".into(),
                expected: "[32, 32, 3, n]".into(),
                actual: x.shape().to_vec(),
            });
        }
    };
    labels::same_rows(path, ("X", n), ("y", digits.len()))?;
    if x.layout().element != ElementType::U8 {
        return Err(DataError::Unsupported {
            path: path.into(),
            rule: "images must be unsigned bytes",
            found: format!("{:?} in X", x.layout().element),
        });
    }
    let shape = ImageShape {
        channels: 3,
        height: SIDE,
        width: SIDE,
    };
    ImageSet::new(row_major(x.as_bytes()), shape, digits)
}

/// Transposes each plane: the file's row index varies fastest, an image's column index.
fn row_major(planes: &[u8]) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(planes.len());
    for plane in planes.chunks_exact(SIDE * SIDE) {
        for row in 0..SIDE {
            pixels.extend(plane[row..].iter().step_by(SIDE));
        }
    }
    pixels
}
