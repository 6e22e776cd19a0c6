//! IDX, the format of MNIST, FashionMNIST and their kin; needs the feature `benchmarks`.
//!
//! A file starts with two zero bytes, the type of its values (8: unsigned bytes, the only one read
//! here), the number of dimensions, and each dimension as a big-endian u32; then come the values.
//!
//! # References
//! LeCun, Cortes, Burges, The MNIST database of handwritten digits, section "File formats".

use std::path::Path;

use super::labels::check_labels;
use crate::Result;
use crate::file::Source;
use crate::{DataError, ImageSet, ImageShape};

/// The most values a file may promise: MNIST has 47 million.
const LIMIT: u64 = 1 << 30;

const UNSIGNED_BYTE: u8 = 8;

/// Reads grey images `[n, height, width]` and their labels `[n]` from two IDX files, plain or
/// gzipped (told by their content). Labels must lie below `classes`.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`], [`DataError::Malformed`] for what is no IDX of
/// bytes or has another rank, [`DataError::Shape`] for images without pixels or more than 1 GiB of them,
/// [`DataError::FileSize`], [`DataError::Value`] for a label and [`DataError::Length`], each with the file it is about.
///
/// ```
/// use puad_data::benchmarks::idx;
///
/// let dir = std::env::temp_dir().join(format!("idx-{}", std::process::id()));
/// std::fs::create_dir_all(&dir)?;
/// let (images, labels) = (dir.join("images"), dir.join("labels"));
/// std::fs::write(&images, [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20])?;
/// std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 1, 7])?;
/// let set = idx::read(&images, &labels, 10)?;
/// assert_eq!((set.image(0), set.labels()), (Some(&[10, 20][..]), &[7][..]));
///
/// std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 9, 7])?;
/// let error = idx::read(&images, &labels, 10).unwrap_err();
/// assert!(error.to_string().ends_with("must hold 17 bytes, got 9"));
/// std::fs::remove_dir_all(dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(images: impl AsRef<Path>, labels: impl AsRef<Path>, classes: u8) -> Result<ImageSet> {
    let (image_path, label_path) = (images.as_ref(), labels.as_ref());
    let labels = Array::<1>::read(label_path)?;
    check_labels(label_path, &labels.values, classes, |i| 8 + i)?;
    let images = Array::<3>::read(image_path)?;
    let [image_count, height, width] = images.dims;
    if image_count != labels.dims[0] {
        return Err(DataError::Length {
            path: Some(image_path.into()),
            first_name: "images".into(),
            first: image_count as usize,
            second_name: format!("labels of {}", label_path.display()),
            second: labels.dims[0] as usize,
        });
    }
    let shape = ImageShape {
        channels: 1,
        height: height as usize,
        width: width as usize,
    };
    ImageSet::new(images.values, shape, labels.values)
}

/// Unsigned bytes with their dimensions.
#[derive(Debug)]
struct Array<const RANK: usize> {
    dims: [u32; RANK],
    values: Vec<u8>,
}

impl<const RANK: usize> Array<RANK> {
    fn read(path: &Path) -> Result<Self> {
        let mut source = Source::open(path)?;
        let magic = source.read_bytes(4)?;
        if magic[..3] != [0, 0, UNSIGNED_BYTE] {
            let rule = "IDX of bytes must start with [0, 0, 8, rank]";
            return Err(source.malformed(0, rule, format!("{magic:?}")));
        }
        if usize::from(magic[3]) != RANK {
            let rule = match RANK {
                1 => "labels must have 1 dimension",
                _ => "grey images must have 3 dimensions",
            };
            return Err(source.malformed(3, rule, magic[3].to_string()));
        }
        let header = source.read_bytes(4 * RANK as u64)?;
        let (dims, _) = header.as_chunks::<4>();
        let dims: [u32; RANK] = std::array::from_fn(|i| u32::from_be_bytes(dims[i]));
        let values = source.read_bytes(size(path, &dims)?)?;
        source.finish()?;
        Ok(Self { dims, values })
    }
}

/// Number of values; only the number of samples may be 0.
fn size(path: &Path, dims: &[u32]) -> Result<u64> {
    let shape = || dims.iter().map(|&dim| dim as usize).collect();
    if dims[1..].contains(&0) {
        return Err(DataError::Shape {
            path: path.into(),
            name: "images".into(),
            expected: "[n, height, width] with positive sides".into(),
            actual: shape(),
        });
    }
    let product = dims
        .iter()
        .try_fold(1u64, |size, &dim| size.checked_mul(dim.into()));
    let size = product.filter(|&size| size <= LIMIT);
    size.ok_or_else(|| DataError::too_large(path, shape(), 1, LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::file::tests::gzip;
    use std::fs;

    fn encode(dims: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, dims.len() as u8];
        dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    fn load(images: &[u8], labels: &[u8]) -> Result<ImageSet> {
        let dir = tempfile::tempdir().unwrap();
        let (i, l) = (dir.path().join("images"), dir.path().join("labels"));
        fs::write(&i, images).unwrap();
        fs::write(&l, labels).unwrap();
        read(i, l, 10)
    }

    fn error(images: &[u8], labels: &[u8]) -> DataError {
        load(images, labels).unwrap_err()
    }

    fn images() -> Vec<u8> {
        encode(&[2, 2, 3], &(0..12).collect::<Vec<u8>>())
    }

    fn labels() -> Vec<u8> {
        encode(&[2], &[9, 0])
    }

    #[test]
    fn plain_and_gzipped_files_give_the_same_images() {
        let set = load(&images(), &labels()).unwrap();
        assert_eq!(set.pixels(), (0..12).collect::<Vec<u8>>());
        assert_eq!(set.labels(), [9, 0]);
        let shape = set.shape();
        assert_eq!((shape.channels, shape.height, shape.width), (1, 2, 3));
        assert_eq!(set, load(&gzip(&images()), &labels()).unwrap());
        assert!(
            load(&encode(&[0, 2, 3], &[]), &encode(&[0], &[]))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn bad_magic() {
        for (at, value) in [(0, 1), (1, 1), (2, 9), (2, 0xd)] {
            let mut bytes = images();
            bytes[at] = value;
            let err = error(&bytes, &labels());
            assert!(
                matches!(&err, DataError::Malformed { path, place: Place::Byte(0), found, .. }
                    if path.ends_with("images") && *found == format!("{:?}", &bytes[..4])),
                "{err}"
            );
        }
    }

    #[test]
    fn wrong_rank() {
        let err = error(&labels(), &labels());
        assert!(
            matches!(&err, DataError::Malformed { place: Place::Byte(3), found, .. } if found == "1"),
            "{err}"
        );
        let err = error(&images(), &images());
        assert!(
            matches!(&err, DataError::Malformed { place: Place::Byte(3), found, .. } if found == "3"),
            "{err}"
        );
    }

    #[test]
    fn truncated_at_every_byte() {
        let whole = images();
        for len in 0..whole.len() {
            for bytes in [whole[..len].to_vec(), gzip(&whole[..len])] {
                let err = error(&bytes, &labels());
                assert!(
                    matches!(err, DataError::FileSize { expected, actual, .. }
                        if actual == Some(len as u64) && expected > len as u64),
                    "{err}"
                );
            }
        }
    }

    #[test]
    fn trailing_bytes() {
        let long = [images(), vec![0]].concat();
        for bytes in [gzip(&long), long] {
            let err = error(&bytes, &labels());
            assert!(
                matches!(
                    err,
                    DataError::FileSize {
                        expected: 28,
                        actual: None,
                        ..
                    }
                ),
                "{err}"
            );
        }
    }

    #[test]
    fn sizes_beyond_the_limit_or_the_file() {
        let max = u32::MAX;
        for dims in [
            [max, max, max],
            [2, max, max],
            [1 << 21, 1 << 5, 33],
            [2, 0, 3],
            [2, 3, 0],
        ] {
            let err = error(&encode(&dims, &[0; 12]), &labels());
            assert!(
                matches!(&err, DataError::Shape { actual, expected, .. }
                    if *actual == dims.map(|dim| dim as usize)
                        && expected.contains(&LIMIT.to_string()) != dims.contains(&0)),
                "{err}"
            );
        }
        let promised = encode(&[1_000_000, 28, 28], &[0; 100]);
        for bytes in [gzip(&promised), promised] {
            let err = error(&bytes, &labels());
            assert!(
                matches!(
                    err,
                    DataError::FileSize {
                        expected: 784_000_016,
                        actual: Some(116),
                        ..
                    }
                ),
                "{err}"
            );
        }
    }

    #[test]
    fn labels_must_name_a_class() {
        match error(&images(), &encode(&[2], &[0, 10])) {
            DataError::Value {
                path,
                place,
                rule,
                found,
            } => {
                assert!(path.is_some_and(|path| path.ends_with("labels")));
                assert_eq!((place, found.as_str()), (Place::Byte(9), "10"));
                assert_eq!(rule, "labels must lie below 10");
            }
            err => panic!("{err}"),
        }
    }

    #[test]
    fn every_image_has_a_label() {
        let err = error(&images(), &encode(&[3], &[0, 1, 2]));
        assert!(
            matches!(
                err,
                DataError::Length {
                    first: 2,
                    second: 3,
                    ..
                }
            ),
            "{err}"
        );
    }

    proptest::proptest! {
        /// No byte of either file, plain or packed, makes the reader panic or give other sizes.
        #[test]
        fn any_changed_byte_is_read_or_refused(at in 0usize..28, value: u8, packed: bool, label: bool) {
            let (mut i, mut l) = (images(), labels());
            if packed {
                (i, l) = (gzip(&i), gzip(&l));
            }
            let bytes = if label { &mut l } else { &mut i };
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(set) = load(&i, &l) { assert_eq!((set.len(), set.pixels().len()), (2, 12)) }
        }
    }
}
