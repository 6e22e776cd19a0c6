//! CIFAR-10 and CIFAR-100 as Parquet with encoded images, as the Hugging Face hub has them; needs the
//! features `images` and `parquet`.
//!
//! A file has the column `img`, a structure of `bytes` (PNG or JPEG) and `path`, and integer columns
//! of labels: `label` in CIFAR-10, `fine_label` and `coarse_label` (the superclass) in CIFAR-100.

use std::path::{Path, PathBuf};

use crate::parquet::read_images;
use crate::{ImageSet, ImageShape, Result, TrainTest};

const SHAPE: ImageShape = ImageShape {
    channels: 3,
    height: 32,
    width: 32,
};

/// Reads CIFAR-10 from the folder that holds `train.parquet` and `test.parquet`, or the hub's
/// `train-00000-of-00001.parquet` and `test-00000-of-00001.parquet`.
///
/// # Errors
/// [`DataError`](crate::DataError)`::MissingFile`, `Read` for what cannot be decoded, `Missing` for a
/// column, `Unsupported` for one of another type or what is no image, `Malformed`, `Value` for a label or a
/// missing value, `Shape`. An image's path is `file.parquet/#row`.
///
/// ```no_run
/// let images = puad_data::benchmarks::cifar_parquet::load_10("data/cifar10")?;
/// assert_eq!((images.train.len(), images.test.len()), (50_000, 10_000));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load_10(dir: impl AsRef<Path>) -> Result<TrainTest> {
    load(dir.as_ref(), "label", 10)
}

/// Reads CIFAR-100, labeled by its 20 superclasses, from files of the same names.
///
/// # Errors
/// As [`load_10`].
///
/// ```no_run
/// let images = puad_data::benchmarks::cifar_parquet::load_100("data/cifar100")?;
/// assert!(images.test.labels().iter().all(|&superclass| superclass < 20));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load_100(dir: impl AsRef<Path>) -> Result<TrainTest> {
    load(dir.as_ref(), "coarse_label", 20)
}

fn load(dir: &Path, label: &str, classes: u8) -> Result<TrainTest> {
    let [train, test] = files(dir);
    Ok(TrainTest {
        train: read(train, label, classes)?,
        test: read(test, label, classes)?,
    })
}

/// The files of the two parts: those of the hub's names where they are, or else plain ones.
pub(crate) fn files(dir: &Path) -> [PathBuf; 2] {
    ["train", "test"].map(|part| {
        let hub = dir.join(format!("{part}-00000-of-00001.parquet"));
        if hub.exists() {
            hub
        } else {
            dir.join(format!("{part}.parquet"))
        }
    })
}

/// Reads one file, whose labels are the column `label` and lie below `classes`.
///
/// # Errors
/// As [`load_10`].
///
/// ```no_run
/// let fine = puad_data::benchmarks::cifar_parquet::read("data/cifar100/test.parquet", "fine_label", 100)?;
/// assert_eq!(fine.len(), 10_000);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn read(path: impl AsRef<Path>, label: &str, classes: u8) -> Result<ImageSet> {
    read_images(path.as_ref(), "img.bytes", SHAPE, label, classes)
}
