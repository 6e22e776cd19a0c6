//! Readers of data sets on files that numpy and scipy wrote (`fixtures/make_datasets.py`), whole and
//! damaged.

use std::fs;
use std::path::{Path, PathBuf};

use puad_data::benchmarks::medmnist::Part;
use puad_data::benchmarks::{adbench, medmnist, svhn};
use puad_data::csv::{CsvConfig, CsvOptions, LabelColumn};
use puad_data::{DataError, ImageSet, LabeledRows, Place, csv, npy};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/datasets")
        .join(name)
}

/// The images `first..` of the script, in `[n, channels, height, width]`.
fn assert_images(set: &ImageSet, n: usize, channels: usize, side: usize, first: usize) {
    let shape = set.shape();
    assert_eq!(set.len(), n);
    assert_eq!(
        (shape.channels, shape.height, shape.width),
        (channels, side, side)
    );
    let mut pixels = set.pixels().iter();
    for i in first..first + n {
        for c in 0..channels {
            for y in 0..side {
                for x in 0..side {
                    let expected = (31 * i + 7 * y + 3 * x + 50 * c) % 256;
                    assert_eq!(usize::from(*pixels.next().unwrap()), expected);
                }
            }
        }
    }
}

fn error<T: std::fmt::Debug>(result: puad_data::Result<T>) -> DataError {
    result.unwrap_err()
}

/// Cuts a file at every byte, and changes every byte in two ways. What is cut must be an error of
/// data; what is changed must be one, or be read.
fn damage<T: std::fmt::Debug>(name: &str, read: impl Fn(&Path) -> puad_data::Result<T>) {
    let whole = fs::read(fixture(name)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    assert!(read(&fixture(name)).is_ok());
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let outcome = read(&path);
        assert!(outcome.is_err(), "{name} cut at {len}: {outcome:?}");
    }
    let mut bytes = whole.clone();
    for at in 0..whole.len() {
        for change in [1, 0x80] {
            bytes[at] ^= change;
            fs::write(&path, &bytes).unwrap();
            // Read or refused, without a panic.
            let _ = read(&path);
            bytes[at] = whole[at];
        }
    }
}

#[test]
fn npy_of_every_type_order_and_endianness() {
    for kind in [
        "b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8",
    ] {
        for word in ["little", "big"] {
            let name = format!("{kind}_{word}.npy");
            let array = npy::read(fixture(&name)).unwrap();
            assert_eq!(array.shape(), [2, 3], "{name}");
            assert!(array.layout().fortran_order);
            let expected = match &kind[..1] {
                "b" => [1., 1., 1., 0., 1., 1.],
                "u" => [3., 2., 1., 0., 1., 2.],
                _ => [-3., -2., -1., 0., 1., 2.],
            };
            assert_eq!(array.to_f64(), expected, "{name}");
        }
    }
    damage("f8_little.npy", |path| npy::read(path));
}

#[test]
fn medmnist_rgb_and_grey() {
    let images = medmnist::load(fixture("pathmnist.npz"), 9).unwrap();
    assert_images(&images.train, 9, 3, 28, 0);
    assert_images(&images.test, 3, 3, 28, 2);
    assert_eq!(images.train.labels(), [8, 7, 6, 5, 4, 3, 2, 1, 0]);
    let images = medmnist::load(fixture("octmnist.npz"), 4).unwrap();
    assert_images(&images.train, 4, 1, 28, 0);
    assert_eq!(images.test.labels(), [2, 1, 0]);
    let validation = medmnist::load_part(fixture("octmnist.npz"), Part::Validation, 4).unwrap();
    assert_images(&validation, 2, 1, 28, 1);

    let err = error(medmnist::load(fixture("octmnist.npz"), 3));
    assert!(
        matches!(&err, DataError::Value { place: Place::Row(0), rule, found, .. }
            if rule == "labels must be integers from 0 to 2" && found == "3"),
        "{err}"
    );
    let err = error(medmnist::load(fixture("adbench_f8.npz"), 3));
    assert!(
        matches!(&err, DataError::Missing { name, present, .. } if name == "train_labels" && present == &["X", "y"]),
        "{err}"
    );
}

#[test]
fn damaged_medmnist() {
    damage("octmnist.npz", |path| medmnist::load(path, 4));
}

#[test]
fn adbench_in_other_types_and_orders() {
    let expected: Vec<f64> = (0..15).map(|i| f64::from(i) / 4. - 1.).collect();
    let scaled: Vec<f64> = (0..15).map(f64::from).collect();
    for (name, values) in [
        ("adbench_f8.npz", &expected),
        ("adbench_u1.npz", &scaled),
        ("adbench_stored.npz", &scaled),
    ] {
        let table = adbench::load(fixture(name)).unwrap();
        assert_eq!((table.len(), table.width()), (5, 3), "{name}");
        assert_eq!(table.values(), values, "{name}");
        assert_eq!(table.labels(), [0, 1, 0, 0, 1].map(Some), "{name}");
        damage(name, |path| adbench::load(path));
    }
    let err = error(adbench::load(fixture("octmnist.npz")));
    assert!(
        matches!(&err, DataError::Missing { name, .. } if name == "y"),
        "{err}"
    );
}

#[test]
fn svhn_packed_plain_and_of_one_image() {
    for (name, labels) in [
        ("svhn_packed.mat", &[0, 1, 9, 2][..]),
        ("svhn_plain.mat", &[0, 1, 9, 2]),
        ("svhn_one.mat", &[0]),
    ] {
        let set = svhn::read(fixture(name)).unwrap();
        assert_images(&set, labels.len(), 3, 32, 0);
        assert_eq!(set.labels(), labels, "{name}");
    }
    let dir = tempfile::tempdir().unwrap();
    fs::copy(
        fixture("svhn_packed.mat"),
        dir.path().join("train_32x32.mat"),
    )
    .unwrap();
    match error(svhn::load(dir.path())) {
        DataError::MissingFile { path } => assert!(path.ends_with("test_32x32.mat")),
        error => panic!("{error}"),
    }
    fs::copy(fixture("svhn_one.mat"), dir.path().join("test_32x32.mat")).unwrap();
    let images = svhn::load(dir.path()).unwrap();
    assert_eq!((images.train.len(), images.test.len()), (4, 1));
}

#[test]
fn damaged_svhn() {
    damage("svhn_packed.mat", |path| svhn::read(path));
    damage("svhn_one.mat", |path| svhn::read(path));
}

fn csv_of(text: impl AsRef<[u8]>, config: &CsvConfig) -> puad_data::Result<LabeledRows> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, text).unwrap();
    csv::read(path, config)
}

#[test]
fn csv_in_several_layouts() {
    let plain = csv_of("a,b,y\n1,-2.5,0\n3e1,\"4\",255\n", &CsvConfig::default()).unwrap();
    assert_eq!(plain.values(), [1., -2.5, 30., 4.]);
    assert_eq!(plain.labels(), [Some(0), Some(255)]);
    assert_eq!(plain.columns(), ["a", "b"]);
    // A byte-order mark, Windows line ends, no line end at the end.
    let windows = "\u{feff}a,b,y\r\n1,-2.5,0\r\n30,4,255";
    assert_eq!(csv_of(windows, &CsvConfig::default()).unwrap(), plain);
    let config = CsvConfig {
        label: LabelColumn::Index(0),
        classes: vec!["ok".into(), "not, ok".into()],
        ..CsvConfig::default()
    };
    let table = csv_of("not, ok ; 1;2\nok;3;4\n", &config).unwrap();
    assert_eq!(table.labels(), [Some(1), Some(0)]);
    assert_eq!(table.values(), [1., 2., 3., 4.]);
    assert!(table.columns().is_empty());
    for empty in ["", "a,y\n"] {
        assert!(csv_of(empty, &CsvConfig::default()).unwrap().is_empty());
    }
}

#[test]
fn csv_cells_that_are_no_numbers_name_line_and_column() {
    let at = |line, column: &str| {
        let column = column.to_string();
        Place::Cell { line, column }
    };
    for cell in [
        "",
        "n/a",
        "1.2.3",
        "0x1",
        "NaN",
        "inf",
        "-Infinity",
        "1e999",
    ] {
        let text = format!("a,b,y\n1,2,0\n1,{cell},1\n");
        match error(csv_of(text, &CsvConfig::default())) {
            DataError::Value { place, found, .. } => {
                assert_eq!((place, found), (at(3, "b"), format!("{cell:?}")));
            }
            error => panic!("{error}"),
        }
    }
    match error(csv_of("a,b,y\n1,2,0\n1,1,5,1\n", &CsvConfig::default())) {
        DataError::Malformed { place, found, .. } => {
            assert_eq!((place, found.as_str()), (Place::Line(3), "4 after 3"));
        }
        error => panic!("{error}"),
    }
    for label in ["256", "-1", "0.5", "x"] {
        let err = error(csv_of(format!("a,y\n1,{label}\n"), &CsvConfig::default()));
        assert!(
            matches!(&err, DataError::Value { place, found, .. }
                if *place == at(2, "y") && *found == format!("{label:?}")),
            "{err}"
        );
    }
    let config = CsvConfig {
        classes: vec!["ok".into()],
        ..CsvConfig::default()
    };
    let err = error(csv_of("a,y\n1,okay\n", &config));
    assert!(
        matches!(&err, DataError::Value { place, .. } if *place == at(2, "y")),
        "{err}"
    );
}

#[test]
fn csv_names_and_classes() {
    let named = |name: &str| CsvConfig {
        label: LabelColumn::Name(name.into()),
        ..CsvConfig::default()
    };
    let err = error(csv_of("a,b\n1,2\n", &named("y")));
    assert!(
        matches!(&err, DataError::Missing { name, present, .. } if name == "y" && present == &["a", "b"]),
        "{err}"
    );
    let err = error(csv_of("y,y\n1,2\n", &named("y")));
    let first = Place::Line(1);
    assert!(
        matches!(&err, DataError::Malformed { place, .. } if *place == first),
        "{err}"
    );
    for header in [Some(true), Some(false), None] {
        let config = CsvConfig {
            table: CsvOptions {
                header,
                ..CsvOptions::default()
            },
            label: LabelColumn::Index(2),
            ..CsvConfig::default()
        };
        let err = error(csv_of("a,b\n1,2\n", &config));
        assert!(matches!(err, DataError::Missing { .. }), "{err}");
    }
    let classes = |classes: Vec<String>| CsvConfig {
        classes,
        ..CsvConfig::default()
    };
    for (wrong, found) in [
        (vec!["a".into(), "a".into()], "\"a\" twice"),
        ((0..257).map(|i| i.to_string()).collect(), "257"),
    ] {
        let err = error(csv_of("", &classes(wrong)));
        assert!(
            matches!(&err, DataError::Config { name: "classes", value, .. } if value == found),
            "{err}"
        );
    }
    let err = error(csv::read("absent.csv", &CsvConfig::default()));
    assert!(matches!(err, DataError::MissingFile { .. }), "{err}");
    // JSON as before, with the layout in a part of its own.
    let json =
        r#"{"table": {"decimal": 44, "columns": ["a", 2]}, "label": {"name": "y"}, "rest": 1}"#;
    let config: CsvConfig = serde_json::from_str(json).unwrap();
    assert_eq!(config.table.columns, Some(vec!["a".into(), 2.into()]));
    assert_eq!(config.rest, Some(1));
}
