//! One image, from a file and from bytes, against the same image of a folder.
#![cfg(feature = "images")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use puad_data::image_folder::{self, ImageFolderConfig};
use puad_data::{DataError, ImageShape, Place, image_file};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/datasets/folder")
}

fn shape(channels: usize, height: usize, width: usize) -> ImageShape {
    ImageShape {
        channels,
        height,
        width,
    }
}

fn config(shape: ImageShape, resize: bool) -> ImageFolderConfig {
    ImageFolderConfig {
        shape,
        resize,
        ..ImageFolderConfig::default()
    }
}

/// Grey and colours, PNG and JPEG, in the files' own size and scaled.
#[test]
fn an_image_is_what_it_is_in_a_folder() {
    let shapes = [
        shape(1, 8, 8),
        shape(3, 8, 8),
        shape(1, 5, 11),
        shape(3, 32, 32),
    ];
    for shape in shapes {
        let config = config(shape, true);
        let folder = image_folder::read(fixtures(), &config).unwrap();
        assert!(folder.paths.len() >= 7);
        for (i, path) in folder.paths.iter().enumerate() {
            let file = image_file::read(path, &config).unwrap();
            let bytes = image_file::decode(&fs::read(path).unwrap(), &config).unwrap();
            assert_eq!(
                (file.len(), file.shape(), file.labels()),
                (1, shape, &[0][..])
            );
            assert_eq!(file, bytes);
            assert_eq!(file.image(0), folder.images.image(i), "{}", path.display());
        }
    }
}

/// A photograph under any name.
#[test]
fn what_is_in_a_file_counts_and_not_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("upload.bin");
    fs::copy(fixtures().join("good/0.png"), &path).unwrap();
    assert!(image_file::read(&path, &config(shape(3, 8, 8), false)).is_ok());
}

#[test]
fn what_is_no_image_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("upload.png");
    let plain = config(shape(3, 8, 8), false);
    let png = fs::read(fixtures().join("good/0.png")).unwrap();
    for (bytes, told) in [
        (&b""[..], "images must be PNG or JPEG, got an empty file"),
        (b"GIF89a", "got a GIF image"),
        (b"<html>404</html>", "got a web page"),
        (b"1,2\n", "got [49, 44, 50, 10] at their start"),
        (&png[..png.len() / 2], "cannot be read at byte 0"),
        (
            b"\xff\xd8\xff\xe0\0\x10",
            "a JPEG image must go on to its end mark",
        ),
    ] {
        fs::write(&path, bytes).unwrap();
        let file = image_file::read(&path, &plain).unwrap_err().to_string();
        let given = image_file::decode(bytes, &plain).unwrap_err().to_string();
        assert!(
            file.contains(told) && given.contains(told),
            "{file}\n{given}"
        );
        assert_eq!(
            file,
            given.replace("the given bytes", &path.display().to_string())
        );
        assert!(given.starts_with("the given bytes"), "{given}");
    }
    let absent = image_file::read(dir.path().join("absent.png"), &plain).unwrap_err();
    assert!(matches!(absent, DataError::MissingFile { .. }), "{absent}");
    let folder = image_file::read(dir.path(), &plain).unwrap_err();
    assert!(matches!(folder, DataError::Read { .. }), "{folder}");
    let small = image_file::decode(&png, &config(shape(3, 9, 8), false)).unwrap_err();
    assert!(
        matches!(&small, DataError::Shape { actual, .. } if *actual == [8, 8]),
        "{small}"
    );
    let two = image_file::decode(&png, &config(shape(2, 8, 8), true)).unwrap_err();
    assert!(
        matches!(
            two,
            DataError::Config {
                name: "channels",
                ..
            }
        ),
        "{two}"
    );
}

proptest! {
    #[test]
    fn a_png_has_the_pixels_it_was_made_of(
        colours in any::<bool>(),
        height in 1usize..9,
        width in 1usize..9,
        pixels in proptest::collection::vec(any::<u8>(), 3 * 64),
    ) {
        let shape = shape(if colours { 3 } else { 1 }, height, width);
        let pixels = &pixels[..shape.volume().unwrap()];
        let png = image_file::encode_png(pixels, shape).unwrap();
        let back = image_file::decode(&png, &config(shape, false)).unwrap();
        prop_assert_eq!(back.pixels(), pixels);
    }

    /// Bytes of a stranger are an image or an error.
    #[test]
    fn no_bytes_are_a_panic(
        cut in 0usize..400,
        at in 0usize..400,
        value in any::<u8>(),
        noise in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let config = config(shape(1, 4, 4), true);
        let mut png = fs::read(fixtures().join("good/0.png")).unwrap();
        png.truncate(cut.max(1));
        let at = at % png.len();
        png[at] = value;
        for bytes in [png, noise] {
            if let Err(error) = image_file::decode(&bytes, &config) {
                prop_assert!(error.to_string().starts_with("the given bytes"), "{}", error);
            }
        }
    }
}

#[test]
fn what_makes_no_png_is_named() {
    let length = image_file::encode_png(&[0; 5], shape(1, 2, 2)).unwrap_err();
    assert!(
        matches!(
            length,
            DataError::Length {
                first: 5,
                second: 4,
                ..
            }
        ),
        "{length}"
    );
    for shape in [shape(2, 2, 2), shape(1, 0, 2), shape(1, 1, 20_000)] {
        let error = image_file::encode_png(&[0; 4], shape).unwrap_err();
        assert!(matches!(error, DataError::Config { .. }), "{error}");
    }
}

/// Of 16 bits, dark: by itself it is not told from one of fewer bits.
#[test]
fn a_dark_image_of_16_bits_wants_its_bits() {
    let values = [0u16, 100, 2000, 4000];
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
    let png = sixteen_bits(&bytes);
    let plain = config(shape(1, 2, 2), false);
    let error = image_file::decode(&png, &plain).unwrap_err();
    assert!(
        matches!(&error, DataError::Ambiguous { place, .. } if **place == Place::Whole),
        "{error}"
    );
    let bits = Some(12);
    let told = ImageFolderConfig { bits, ..plain };
    let expected = values.map(|v| (f64::from(v) * 255. / 4095.).round() as u8);
    assert_eq!(image_file::decode(&png, &told).unwrap().pixels(), expected);
}

/// Grey, 2 x 2, of the format by hand.
fn sixteen_bits(values: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::fast());
    for row in values.chunks_exact(4) {
        std::io::Write::write_all(&mut packed, &[0]).unwrap();
        std::io::Write::write_all(&mut packed, row).unwrap();
    }
    let header = [0, 0, 0, 2, 0, 0, 0, 2, 16, 0, 0, 0, 0];
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in [
        (b"IHDR", header.to_vec()),
        (b"IDAT", packed.finish().unwrap()),
        (b"IEND", vec![]),
    ] {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(&body);
        png.extend((body.len() as u32).to_be_bytes());
        png.extend(kind);
        png.extend(&body);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}
