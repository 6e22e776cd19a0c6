//! MNIST and sets published in its files, such as FashionMNIST; needs the feature `benchmarks`.

use std::path::Path;

use super::idx;
use super::published::{find, parts_alike};
use crate::Result;
use crate::{DataError, TrainTest};

const CLASSES: u8 = 10;

/// What [`load`] reads.
pub(super) const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Reads the four files of MNIST or FashionMNIST from `dir`, each plain or with the ending `.gz`:
/// `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`. Images are grey; there are ten classes, in section 5.1's order.
///
/// # Errors
/// As [`idx::read`]; [`DataError::Shape`] if test images are not of the training images' size.
///
/// # References
/// LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 1998. Xiao,
/// Rasul, Vollgraf, Fashion-MNIST, arXiv:1708.07747.
///
/// ```no_run
/// let images = puad_data::benchmarks::mnist::load("data/mnist")?;
/// assert_eq!((images.train.len(), images.test.len()), (60_000, 10_000));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load(dir: impl AsRef<Path>) -> Result<TrainTest, DataError> {
    let dir = dir.as_ref();
    let part = |images, labels| idx::read(find(dir, images)?, find(dir, labels)?, CLASSES);
    let (train, test) = (part(FILES[0], FILES[1])?, part(FILES[2], FILES[3])?);
    parts_alike(dir, train, test)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::gzip;
    use std::fs;

    fn write(dir: &Path, prefix: &str, ending: &str, width: u8) {
        let n = if prefix == "train" { 2 } else { 1 };
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 1, 0, 0, 0, width];
        images.extend(vec![n; usize::from(n * width)]);
        let mut labels = vec![0, 0, 8, 1, 0, 0, 0, n];
        labels.extend(vec![5; usize::from(n)]);
        for (name, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
            let bytes = if ending.is_empty() {
                bytes
            } else {
                gzip(&bytes)
            };
            fs::write(dir.join(format!("{prefix}-{name}-ubyte{ending}")), bytes).unwrap();
        }
    }

    #[test]
    fn reads_four_files_plain_or_packed() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "train", ".gz", 3);
        match load(dir.path()).unwrap_err() {
            DataError::MissingFile { path } => {
                assert_eq!(path, dir.path().join("t10k-images-idx3-ubyte"));
            }
            err => panic!("{err}"),
        }
        write(dir.path(), "t10k", "", 3);
        let images = load(dir.path()).unwrap();
        assert_eq!(images.train.pixels(), [2; 6]);
        assert_eq!(images.test.pixels(), [1; 3]);
        assert_eq!(images.train.labels(), [5, 5]);
    }

    #[test]
    fn both_parts_must_be_of_one_size() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "train", "", 3);
        write(dir.path(), "t10k", "", 2);
        let err = load(dir.path()).unwrap_err();
        assert!(matches!(err, DataError::Shape { .. }), "{err}");
    }
}
