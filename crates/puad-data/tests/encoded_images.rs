//! Readers of encoded images on files that pillow and pyarrow wrote (`fixtures/make_datasets.py`),
//! whole and damaged.
#![cfg(feature = "images")]

use std::fs;
use std::path::{Path, PathBuf};

use puad_data::image_folder::{self, ImageFolderConfig};
use puad_data::{DataError, ImageShape, Resize};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/datasets")
        .join(name)
}

fn pixel(i: usize, c: usize, y: usize, x: usize) -> u8 {
    ((31 * i + 7 * y + 3 * x + 50 * c) % 256) as u8
}

fn image(i: usize, side: usize) -> Vec<u8> {
    let mut pixels = vec![];
    for c in 0..3 {
        for y in 0..side {
            pixels.extend((0..side).map(|x| pixel(i, c, y, x)));
        }
    }
    pixels
}

fn eight(channels: usize) -> ImageFolderConfig {
    ImageFolderConfig {
        shape: ImageShape {
            channels,
            height: 8,
            width: 8,
        },
        resize: false,
    }
}

fn data_error<T: std::fmt::Debug>(result: puad_data::Result<T>) -> DataError {
    result.unwrap_err()
}

#[test]
fn folders_give_classes_and_images_by_name() {
    let folder = image_folder::read(fixture("folder"), &eight(3)).unwrap();
    assert_eq!(folder.classes, ["good", "scratched"]);
    assert_eq!(folder.images.labels(), [0, 0, 0, 1, 1, 1, 1]);
    assert!(folder.paths[2].ends_with("folder/good/9.PNG"));
    for (at, i) in [(0, 0), (1, 1), (3, 10), (4, 11), (5, 12)] {
        assert_eq!(folder.images.image(at).unwrap(), image(i, 8), "{at}");
    }
    // Grey, repeated.
    let grey = image(20, 8)[..64].to_vec();
    assert_eq!(folder.images.image(2).unwrap(), grey.repeat(3));
    // JPEG of quality 95 is near the original.
    let jpeg = folder.images.image(6).unwrap();
    let errors = jpeg
        .iter()
        .zip(image(0, 8))
        .map(|(&a, b)| u32::from(a.abs_diff(b)));
    assert!(errors.sum::<u32>() / 192 < 8);
    let folder = image_folder::read(fixture("folder"), &eight(1)).unwrap();
    assert_eq!(folder.images.image(2).unwrap(), grey);
}

#[test]
fn sizes_are_kept_or_scaled() {
    let err = data_error(image_folder::read(
        fixture("folder"),
        &ImageFolderConfig::default(),
    ));
    match err {
        DataError::Shape {
            path,
            expected,
            actual,
            ..
        } => {
            assert!(path.ends_with("good/0.png"));
            assert_eq!((expected.as_str(), actual), ("[32, 32]", vec![8, 8]));
        }
        error => panic!("{error}"),
    }
    let config = ImageFolderConfig {
        resize: true,
        ..ImageFolderConfig::default()
    };
    let folder = image_folder::read(fixture("folder"), &config).unwrap();
    assert_eq!(folder.images.pixels().len(), 7 * 3 * 32 * 32);
    // As a set that is resized later, but for the rounding.
    let small = ImageShape {
        channels: 3,
        height: 3,
        width: 5,
    };
    let config = ImageFolderConfig {
        shape: small,
        resize: true,
    };
    let shrunk = image_folder::read(fixture("folder"), &config).unwrap();
    let whole = image_folder::read(fixture("folder"), &eight(3)).unwrap();
    let resize = Resize::new(whole.images.shape(), small).unwrap();
    for at in 0..7 {
        let mut expected = [0.; 45];
        let image = whole.images.image(at).unwrap();
        resize.apply(image, &mut expected).unwrap();
        let actual = shrunk.images.image(at).unwrap();
        for (a, e) in actual.iter().zip(expected) {
            assert_eq!(*a, (e * 255.).round() as u8, "{at}");
        }
    }
    for shape in [
        ImageShape {
            channels: 3,
            height: 0,
            width: 8,
        },
        ImageShape {
            channels: 3,
            height: 8,
            width: 1 << 20,
        },
        ImageShape {
            channels: 2,
            height: 8,
            width: 8,
        },
    ] {
        let config = ImageFolderConfig {
            shape,
            resize: true,
        };
        let err = data_error(image_folder::read(fixture("folder"), &config));
        assert!(matches!(err, DataError::Config { .. }), "{err}");
    }
}

#[test]
fn folders_without_classes_or_images_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let read = || data_error(image_folder::read(root, &eight(3)));
    fs::write(root.join("0.png"), "").unwrap();
    fs::create_dir(root.join(".hidden")).unwrap();
    let err = read();
    assert!(
        matches!(&err, DataError::Malformed { found, .. } if found == "0"),
        "{err}"
    );
    fs::create_dir(root.join("a")).unwrap();
    fs::write(root.join("a/notes.txt"), "").unwrap();
    fs::create_dir(root.join("a/b.png")).unwrap();
    let err = read();
    assert!(matches!(err, DataError::Missing { .. }), "{err}");
    fs::write(root.join("a/0.png"), "GIF89a").unwrap();
    let err = read();
    assert!(matches!(err, DataError::Unsupported { .. }), "{err}");
    for i in 0..256 {
        fs::create_dir(root.join(format!("class{i}"))).unwrap();
    }
    let err = read();
    assert!(
        matches!(&err, DataError::Malformed { found, .. } if found == "257"),
        "{err}"
    );
    let err = data_error(image_folder::read(root.join("absent"), &eight(3)));
    assert!(matches!(err, DataError::MissingFile { .. }), "{err}");
}

/// A PNG of 60,000 x 60,000 pixels in its header alone.
#[test]
fn absurd_sizes_are_refused_before_they_are_decoded() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("a")).unwrap();
    let mut bytes = fs::read(fixture("folder/good/0.png")).unwrap();
    bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    // The checksum of the changed header, by zlib.crc32(b"IHDR" + ...).
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    fs::write(dir.path().join("a/0.png"), bytes).unwrap();
    let config = ImageFolderConfig {
        resize: true,
        ..eight(3)
    };
    let err = data_error(image_folder::read(dir.path(), &config));
    assert!(
        matches!(&err, DataError::Read { source, .. } if source.to_string().contains("imit")),
        "{err}"
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// Cuts a file at every byte, and changes every byte by each of `masks`.
fn damage(
    name: &str,
    read: impl Fn(&Path) -> puad_data::Result<usize>,
    cut_is_error: bool,
    masks: &[u8],
) {
    let whole = fs::read(fixture(name)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("a")).unwrap();
    let path = dir
        .path()
        .join("a")
        .join(Path::new(name).file_name().unwrap());
    let n = read(&fixture(name)).unwrap();
    let attempt = |bytes: &[u8], cut: bool, at: usize| {
        fs::write(&path, bytes).unwrap();
        if let Ok(found) = read(&path) {
            assert!(found == n && !(cut && cut_is_error), "{name} at {at}")
        }
    };
    for len in 0..whole.len() {
        attempt(&whole[..len], true, len);
    }
    let mut bytes = whole.clone();
    for at in 0..whole.len() {
        for mask in masks {
            bytes[at] = whole[at] ^ mask;
            attempt(&bytes, false, at);
        }
        bytes[at] = whole[at];
    }
}

#[test]
fn damaged_images() {
    let read = |path: &Path| {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::copy(path, dir.path().join("a").join(path.file_name().unwrap())).unwrap();
        Ok(image_folder::read(dir.path(), &eight(3))?.images.len())
    };
    // A JPEG, or a PNG without its last chunks, is decoded as far as it goes.
    damage("folder/good/0.png", read, false, &[0x81]);
    damage("folder/scratched/9.jpeg", read, false, &[0x81]);
}

#[cfg(all(feature = "benchmarks", feature = "parquet"))]
mod parquet {
    use super::*;
    use puad_data::benchmarks::cifar_parquet;

    fn folder(prefix: &str, [train, test]: [&str; 2]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (part, name) in [("train", train), ("test", test)] {
            let from = fixture(&format!("{prefix}_{part}.parquet"));
            fs::copy(from, dir.path().join(name)).unwrap();
        }
        dir
    }

    #[test]
    fn the_hubs_layouts() {
        let plain = ["train.parquet", "test.parquet"];
        let hub = [
            "train-00000-of-00001.parquet",
            "test-00000-of-00001.parquet",
        ];
        for names in [plain, hub] {
            let dir = folder("cifar10", names);
            let images = cifar_parquet::load_10(dir.path()).unwrap();
            assert_eq!(images.train.labels(), [0, 1, 2, 3, 4]);
            assert_eq!(images.test.labels(), [0, 1, 2]);
            for i in 0..5 {
                assert_eq!(images.train.image(i).unwrap(), image(i, 32));
            }
            assert_eq!(images.test.image(2).unwrap(), image(11, 32));
        }
        let dir = folder("cifar100", plain);
        let images = cifar_parquet::load_100(dir.path()).unwrap();
        assert_eq!(images.train.labels(), [19, 18, 17, 16, 15]);
        let fine = cifar_parquet::read(dir.path().join("train.parquet"), "fine_label", 100);
        assert_eq!(fine.unwrap().labels(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn columns_and_labels_must_fit() {
        let train = fixture("cifar10_train.parquet");
        match data_error(cifar_parquet::read(&train, "coarse_label", 20)) {
            DataError::Missing { present, .. } => {
                assert_eq!(present, ["img.bytes", "img.path", "label"]);
            }
            error => panic!("{error}"),
        }
        match data_error(cifar_parquet::read(&train, "label", 4)) {
            DataError::Value {
                place, rule, found, ..
            } => {
                assert_eq!((place, found.as_str()), (puad_data::Place::Row(4), "4"));
                assert_eq!(rule, "labels must lie below 4");
            }
            error => panic!("{error}"),
        }
        let err = data_error(cifar_parquet::read(&train, "img.path", 4));
        assert!(matches!(err, DataError::Unsupported { .. }), "{err}");
        let err = data_error(cifar_parquet::read("absent.parquet", "label", 4));
        assert!(matches!(err, DataError::MissingFile { .. }), "{err}");
    }

    /// The published files first, then Parquet; what is only begun is named.
    #[test]
    fn layouts_come_in_order() {
        use puad_data::benchmarks::FileLayout;
        use puad_data::benchmarks::tasks::PaperDataset;

        let (set, dir) = (PaperDataset::Cifar100, tempfile::tempdir().unwrap());
        let path = |name: &str| dir.path().join(name);
        let missing = || match set.load(dir.path()).unwrap_err() {
            DataError::MissingFile { path } => path,
            error => panic!("{error}"),
        };
        assert_eq!(missing(), path("train.bin"));
        fs::copy(fixture("cifar100_train.parquet"), path("train.parquet")).unwrap();
        assert_eq!(set.layout(dir.path()), None);
        assert_eq!(missing(), path("test.parquet"));
        fs::copy(fixture("cifar100_test.parquet"), path("test.parquet")).unwrap();
        assert_eq!(set.layout(dir.path()), Some(FileLayout::Parquet));
        let parquet = set.load(dir.path()).unwrap();
        fs::write(path("train.bin"), "").unwrap();
        assert_eq!(set.load(dir.path()).unwrap(), parquet);
        fs::write(path("test.bin.gz"), "").unwrap();
        assert_eq!(set.layout(dir.path()), Some(FileLayout::Published));
        let err = set.load(dir.path()).unwrap_err();
        assert!(
            matches!(&err, DataError::FileSize { path: p, actual: Some(0), .. }
                if *p == path("train.bin")),
            "{err}"
        );
        // Other sets know no Parquet.
        assert_eq!(PaperDataset::Svhn.layout(dir.path()), None);
    }

    #[test]
    fn damaged_parquet() {
        let read = |path: &Path| Ok(cifar_parquet::read(path, "label", 10)?.len());
        let masks = [0x81, 0x01, 0x40];
        damage("cifar10_test.parquet", read, true, &masks);
    }
}
