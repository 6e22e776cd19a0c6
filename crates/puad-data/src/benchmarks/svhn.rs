//! SVHN's cropped digits (format 2); needs the feature `benchmarks`.
//!
//! MATLAB files with `X`, `[32, 32, 3, n]` unsigned bytes, and `y`, `[n, 1]`, where the label 10 means
//! the digit 0.
//!
//! # References
//! Netzer et al., Reading digits in natural images with unsupervised feature learning, NIPS workshop
//! 2011.

use std::path::Path;

use super::layout::find;
use super::{labels, mat};
use crate::Result;
use crate::array::ElementType;
use crate::{DataError, FormatError, ImageSet, ImageShape, TrainTest};

const SIDE: usize = 32;

/// What [`load`] reads.
pub(super) const FILES: [&str; 2] = ["train_32x32.mat", "test_32x32.mat"];

/// Reads `train_32x32.mat` and `test_32x32.mat` from `dir`: 73,257 and 26,032 images, labeled by
/// their digits 0 to 9.
///
/// # Errors
/// As [`mat::read`]; in [`DataError::Format`], [`FormatError::Shape`], [`FormatError::Rows`] and
/// [`FormatError::Label`].
///
/// ```no_run
/// let images = puad_data::benchmarks::svhn::load("data/svhn")?;
/// assert_eq!((images.train.len(), images.test.len()), (73_257, 26_032));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load(dir: impl AsRef<Path>) -> Result<TrainTest> {
    let dir = dir.as_ref();
    let part = |name| read_file(&find(dir, name)?);
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
    Ok(read_file(path.as_ref())?)
}

fn read_file(path: &Path) -> Result<ImageSet, DataError> {
    let [x, y] = mat::read_file(path, ["X", "y"])?;
    let mut digits = labels::from_array("y", &y, [1, 10]).map_err(|e| e.at(path))?;
    digits.iter_mut().for_each(|digit| *digit %= 10);
    let n = match *x.shape() {
        [SIDE, SIDE, 3, n] => n,
        // MATLAB drops trailing dimensions of 1.
        [SIDE, SIDE, 3] => 1,
        _ => {
            let error = FormatError::Shape {
                key: "X".into(),
                expected: "[32, 32, 3, n]",
                actual: x.shape().to_vec(),
            };
            return Err(error.at(path));
        }
    };
    labels::same_rows(("X", n), ("y", digits.len())).map_err(|e| e.at(path))?;
    if x.layout().element != ElementType::U8 {
        let error = FormatError::ElementType {
            expected: "unsigned bytes",
            found: format!("{:?} in X", x.layout().element),
        };
        return Err(error.at(path));
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
