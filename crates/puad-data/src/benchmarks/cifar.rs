//! The binary versions of CIFAR-10 and CIFAR-100; needs the feature `benchmarks`.
//!
//! A record is one label byte (CIFAR-100: the superclass, then the class) and 3,072 pixel bytes, the
//! 32 x 32 red values row by row, then green, then blue.
//!
//! # References
//! Krizhevsky, Learning multiple layers of features from tiny images, 2009.

use std::path::Path;

use super::labels::check_labels;
use super::published::find;
use crate::Result;
use crate::file::Source;
use crate::{DataError, ImageSet, ImageShape, TrainTest};

const SHAPE: ImageShape = ImageShape {
    channels: 3,
    height: 32,
    width: 32,
};

/// What [`load_10`] reads, the test images last.
pub(crate) const FILES_10: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// What [`load_100`] reads.
pub(crate) const FILES_100: [&str; 2] = ["train.bin", "test.bin"];

const PIXELS: usize = 3 * 32 * 32;

/// How a set is laid out in files.
struct Layout {
    /// Label bytes of a record, the first of which is read.
    label_bytes: usize,
    classes: u8,
    /// Records of each file.
    records: usize,
}

/// Reads CIFAR-10 from the folder that holds `data_batch_1.bin` to `data_batch_5.bin` and
/// `test_batch.bin` (each may be gzipped, with the ending `.gz`): 50,000 and 10,000 images in ten
/// classes, in section 5.1's order.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`], [`DataError::FileSize`] or [`DataError::Value`], each with the file it is about.
///
/// ```no_run
/// let images = puad_data::benchmarks::cifar::load_10("data/cifar-10-batches-bin")?;
/// assert_eq!(images.train.len(), 50_000);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load_10(dir: impl AsRef<Path>) -> Result<TrainTest, DataError> {
    ten(dir.as_ref(), 10_000)
}

/// Reads CIFAR-100 from the folder that holds `train.bin` and `test.bin` (each may be gzipped, with
/// the ending `.gz`): 50,000 and 10,000 images, labeled by their 20 superclasses, as section 5.1
/// uses them.
///
/// # Errors
/// As [`load_10`].
///
/// ```no_run
/// let images = puad_data::benchmarks::cifar::load_100("data/cifar-100-binary")?;
/// assert!(images.test.labels().iter().all(|&superclass| superclass < 20));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load_100(dir: impl AsRef<Path>) -> Result<TrainTest> {
    hundred(dir.as_ref(), [50_000, 10_000])
}

/// CIFAR-10 and CIFAR-100 of files with one record each, for the fuzzer: the published ones have 10,000
/// and more.
#[cfg(fuzzing)]
pub fn of_one_record(dir: &Path) -> [Result<TrainTest>; 2] {
    [ten(dir, 1), hundred(dir, [1, 1])]
}

pub(super) fn ten(dir: &Path, records: usize) -> Result<TrainTest> {
    let layout = Layout {
        label_bytes: 1,
        classes: 10,
        records,
    };
    Ok(TrainTest {
        train: layout.read(dir, &FILES_10[..5])?,
        test: layout.read(dir, &FILES_10[5..])?,
    })
}

pub(super) fn hundred(dir: &Path, [train, test]: [usize; 2]) -> Result<TrainTest> {
    let layout = |records| Layout {
        label_bytes: 2,
        classes: 20,
        records,
    };
    Ok(TrainTest {
        train: layout(train).read(dir, &FILES_100[..1])?,
        test: layout(test).read(dir, &FILES_100[1..])?,
    })
}

impl Layout {
    fn read(&self, dir: &Path, names: &[&str]) -> Result<ImageSet> {
        let n = names.len() * self.records;
        let (mut pixels, mut labels) = (Vec::new(), Vec::with_capacity(n));
        let record = self.label_bytes + PIXELS;
        for name in names {
            let path = find(dir, name)?;
            let mut source = Source::open(&path)?;
            let bytes = source.read_bytes((self.records * record) as u64)?;
            source.finish()?;
            let start = labels.len();
            labels.extend(bytes.iter().step_by(record));
            let offset = |i| i * record as u64;
            check_labels(&path, &labels[start..], self.classes, offset)?;
            for record in bytes.chunks_exact(record) {
                pixels.extend_from_slice(&record[self.label_bytes..]);
            }
        }
        ImageSet::new(pixels, SHAPE, labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::gzip;
    use std::fs;

    /// A record whose pixels are `10 c + 1` in channel `c`.
    fn record(labels: &[u8]) -> Vec<u8> {
        let mut bytes = labels.to_vec();
        (0..3).for_each(|c| bytes.extend([10 * c + 1; 1024]));
        bytes
    }

    fn write(dir: &Path) {
        for i in 1..=5u8 {
            let bytes = [record(&[i]), record(&[i + 4])].concat();
            fs::write(dir.join(format!("data_batch_{i}.bin")), bytes).unwrap();
        }
        let test = [record(&[0]), record(&[9])].concat();
        fs::write(dir.join("test_batch.bin.gz"), gzip(&test)).unwrap();
    }

    #[test]
    fn reads_batches_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path());
        let images = ten(dir.path(), 2).unwrap();
        assert_eq!(images.train.labels(), [1, 5, 2, 6, 3, 7, 4, 8, 5, 9]);
        assert_eq!(images.test.labels(), [0, 9]);
        let image = images.test.image(1).unwrap();
        assert_eq!(
            (image[0], image[1023], image[1024], image[3071]),
            (1, 1, 11, 21)
        );
        assert_eq!(images.train.shape(), SHAPE);
    }

    #[test]
    fn superclasses_come_first() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("train.bin"), record(&[19, 99])).unwrap();
        fs::write(dir.path().join("test.bin"), record(&[3, 20])).unwrap();
        let images = hundred(dir.path(), [1, 1]).unwrap();
        assert_eq!(
            (images.train.labels(), images.test.labels()),
            (&[19][..], &[3][..])
        );
        assert_eq!(images.train.image(0).unwrap()[..2], [1, 1]);
    }

    #[test]
    fn malformed_batches_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data_batch_3.bin");
        let attempt = |bytes: &[u8]| {
            write(dir.path());
            fs::write(&path, bytes).unwrap();
            ten(dir.path(), 2).unwrap_err()
        };
        let good = [record(&[1]), record(&[2])].concat();
        for len in [0, 1, 3073, 2 * 3073 - 1] {
            match attempt(&good[..len]) {
                DataError::FileSize {
                    path: p,
                    expected,
                    actual,
                } => {
                    let size = Some(len as u64);
                    assert_eq!((p, expected, actual), (path.clone(), 6146, size));
                }
                err => panic!("{err}"),
            }
        }
        let err = attempt(&[good.as_slice(), &[0]].concat());
        assert!(
            matches!(
                err,
                DataError::FileSize {
                    expected: 6146,
                    actual: None,
                    ..
                }
            ),
            "{err}"
        );
        let err = attempt(&[record(&[1]), record(&[10])].concat());
        assert!(
            matches!(&err, DataError::Value { place: crate::Place::Byte(3073), found, .. } if found == "10"),
            "{err}"
        );
        fs::remove_file(&path).unwrap();
        let err = ten(dir.path(), 2).unwrap_err();
        assert!(
            matches!(&err, DataError::MissingFile { path: p } if *p == path),
            "{err}"
        );
    }

    #[test]
    fn the_published_sets_have_ten_thousand_images_a_file() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path());
        let err = load_10(dir.path()).unwrap_err();
        assert!(
            err.to_string()
                .ends_with("must hold 30730000 bytes, got 6146"),
            "{err}"
        );
        fs::write(dir.path().join("train.bin"), record(&[19, 99])).unwrap();
        let err = load_100(dir.path()).unwrap_err();
        assert!(
            err.to_string()
                .ends_with("must hold 153700000 bytes, got 3074"),
            "{err}"
        );
    }
}
