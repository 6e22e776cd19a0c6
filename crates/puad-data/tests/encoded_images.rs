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
        ..ImageFolderConfig::default()
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
        ..ImageFolderConfig::default()
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
            ..ImageFolderConfig::default()
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
    fs::write(root.join("notes.txt"), "").unwrap();
    fs::create_dir(root.join(".hidden")).unwrap();
    let err = read();
    assert!(
        matches!(&err, DataError::Malformed { found, .. } if found.starts_with("0 folders")),
        "{err}"
    );
    fs::create_dir(root.join("a")).unwrap();
    fs::write(root.join("a/notes.txt"), "").unwrap();
    fs::create_dir(root.join("a/b.png")).unwrap();
    let err = read();
    assert!(
        matches!(&err, DataError::Missing { present, .. } if present == &["b.png", "notes.txt"]),
        "{err}"
    );
    fs::write(root.join("a/0.png"), "GIF89a").unwrap();
    let err = read();
    assert!(matches!(err, DataError::Unsupported { .. }), "{err}");
    for i in 0..256 {
        fs::create_dir(root.join(format!("class{i}"))).unwrap();
    }
    let err = read();
    assert!(
        matches!(&err, DataError::Malformed { found, .. } if found.starts_with("257")),
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
    // A PNG may lack its last chunk.
    damage("folder/good/0.png", read, false, &[0x81]);
    damage("folder/scratched/9.jpeg", read, true, &[0x81]);
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

/// Images as cameras and colleagues deliver them.
mod odd {
    use super::*;
    use image::codecs::jpeg::JpegEncoder;
    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, ImageEncoder};
    use puad_data::{ImageSet, Result};

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        dir
    }

    fn read(bytes: &[u8], config: &ImageFolderConfig) -> Result<ImageSet> {
        let dir = folder(&[("a/0.png", bytes)]);
        Ok(image_folder::read(dir.path(), config)?.images)
    }

    fn config(channels: usize, height: usize, width: usize, bits: Option<u8>) -> ImageFolderConfig {
        let shape = ImageShape {
            channels,
            height,
            width,
        };
        ImageFolderConfig {
            shape,
            bits,
            ..ImageFolderConfig::default()
        }
    }

    /// Not grey below where it was cut.
    #[test]
    fn a_jpeg_cut_in_half_is_an_error() {
        let whole = fs::read(fixture("folder/scratched/9.jpeg")).unwrap();
        assert!(read(&whole, &eight(3)).is_ok());
        for len in [whole.len() / 2, whole.len() * 3 / 4, whole.len() - 1] {
            match read(&whole[..len], &eight(3)).unwrap_err() {
                DataError::Malformed { place, rule, .. } => {
                    assert_eq!(place, puad_data::Place::Byte(len as u64));
                    assert!(rule.contains("end mark"), "{rule}");
                }
                error => panic!("{error}"),
            }
        }
        // What cameras put behind the end does no harm.
        assert!(read(&[&whole[..], b"trailer"].concat(), &eight(3)).is_ok());
        // A PNG that is cut is an error, or all there.
        let whole = fs::read(fixture("folder/good/0.png")).unwrap();
        let expected = read(&whole, &eight(3)).unwrap();
        for len in 0..whole.len() {
            if let Ok(images) = read(&whole[..len], &eight(3)) {
                assert!(images == expected, "{len}");
            }
        }
    }

    /// EXIF with the orientation alone.
    fn exif(orientation: u8) -> Vec<u8> {
        let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
        [&b"II*\0\x08\0\0\0\x01\0"[..], &entry, &[0; 4]].concat()
    }

    #[test]
    fn images_are_turned_as_the_camera_was_held() {
        // Rows 1 2 3 and 4 5 6.
        let pixels = [10, 20, 30, 40, 50, 60];
        for (orientation, height, width, expected) in [
            (1, 2, 3, [10, 20, 30, 40, 50, 60]),
            (3, 2, 3, [60, 50, 40, 30, 20, 10]),
            (6, 3, 2, [40, 10, 50, 20, 60, 30]),
            (8, 3, 2, [30, 60, 20, 50, 10, 40]),
        ] {
            let mut bytes = vec![];
            let mut encoder = PngEncoder::new(&mut bytes);
            encoder.set_exif_metadata(exif(orientation)).unwrap();
            encoder
                .write_image(&pixels, 3, 2, ExtendedColorType::L8)
                .unwrap();
            let images = read(&bytes, &config(1, height, width, None)).unwrap();
            assert_eq!(images.pixels(), expected, "{orientation}");
        }
        // A JPEG: bright above, dark below; held to the right, the bright half comes to lie on the right.
        let pixels: Vec<u8> = (0..256).map(|i| if i < 128 { 250 } else { 5 }).collect();
        let mut bytes = vec![];
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
        encoder.set_exif_metadata(exif(6)).unwrap();
        encoder
            .write_image(&pixels, 16, 16, ExtendedColorType::L8)
            .unwrap();
        let images = read(&bytes, &config(1, 16, 16, None)).unwrap();
        let row = &images.pixels()[..16];
        assert!(row[0] < 50 && row[15] > 200, "{row:?}");
    }

    fn png16(values: &[u16]) -> Vec<u8> {
        let mut bytes = vec![];
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
        let encoder = PngEncoder::new(&mut bytes);
        let width = values.len() as u32;
        encoder
            .write_image(&raw, width, 1, ExtendedColorType::L16)
            .unwrap();
        bytes
    }

    #[test]
    fn twelve_bits_in_sixteen_keep_their_levels() {
        let values: Vec<u16> = (0..256u32).map(|i| (i * 4095 / 255) as u16).collect();
        let bytes = png16(&values);
        match read(&bytes, &config(1, 1, 256, None)).unwrap_err() {
            error @ DataError::Ambiguous { .. } => {
                let message = error.to_string();
                assert!(
                    message.contains("4095") && message.contains("`bits`"),
                    "{message}"
                );
            }
            error => panic!("{error}"),
        }
        let images = read(&bytes, &config(1, 1, 256, Some(12))).unwrap();
        let mut levels = images.pixels().to_vec();
        levels.dedup();
        assert!(levels.len() == 256 && images.pixels()[255] == 255);
        // Dark ones of 16 bits, if that is said.
        let images = read(&bytes, &config(1, 1, 256, Some(16))).unwrap();
        assert_eq!(images.pixels()[255], 16);
        // A bright image beside them says it too.
        let bright = png16(&vec![65_535; 256]);
        let dir = folder(&[("a/0.png", &bytes), ("a/1.png", &bright)]);
        let both = image_folder::read(dir.path(), &config(1, 1, 256, None)).unwrap();
        assert_eq!(both.images.pixels()[256..], [255; 256]);
        let err = read(&bright, &config(1, 1, 256, Some(12))).unwrap_err();
        assert!(matches!(err, DataError::Value { .. }), "{err}");
        assert!(read(&bytes, &config(1, 1, 256, Some(7))).is_err());
        // In colour.
        let images = read(&bytes, &config(3, 1, 256, Some(12))).unwrap();
        assert_eq!(images.pixels()[256..512], images.pixels()[..256]);
    }

    #[test]
    fn a_flat_folder_has_no_classes_and_tells_what_it_leaves_out() {
        let image = fs::read(fixture("folder/good/0.png")).unwrap();
        let dir = folder(&[
            ("b.png", &image),
            ("a.PNG", &image),
            ("c.webp", b""),
            (".x", b""),
        ]);
        let flat = image_folder::read(dir.path(), &eight(3)).unwrap();
        assert_eq!((flat.classes.len(), flat.images.labels()), (0, &[0, 0][..]));
        assert!(flat.paths[0].ends_with("a.PNG"));
        assert_eq!(flat.left_out, [dir.path().join("c.webp")]);
        let dir = folder(&[
            ("beside.png", &image),
            ("good/a.png", &image),
            ("good/notes.txt", b""),
            ("good/deeper/b.png", &image),
        ]);
        let classes = image_folder::read(dir.path(), &eight(3)).unwrap();
        assert_eq!(
            (classes.images.len(), &classes.classes[..]),
            (1, &["good".to_string()][..])
        );
        let left = ["beside.png", "good/deeper", "good/notes.txt"];
        assert_eq!(classes.left_out, left.map(|name| dir.path().join(name)));
    }

    #[test]
    fn files_that_are_no_images_are_told_what_they_are() {
        for (bytes, kind) in [
            (&b""[..], "empty file"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
            (
                b"version https://git-lfs.github.com/spec/v1\n",
                "git lfs pull",
            ),
            (b"<html><body>404", "web page"),
            (b"hello", "at their start"),
        ] {
            let message = read(bytes, &eight(3)).unwrap_err().to_string();
            assert!(
                message.contains(kind) && message.contains("0.png"),
                "{message}"
            );
        }
    }
}
