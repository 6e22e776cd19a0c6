//! Tables read a batch at a time: numpy's own files, broken ones, and a detector over them.
#![cfg(feature = "tables")]

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use puad::candle_core::{DType, Tensor};
use puad::data::stream::{CsvOptions, NpyOptions, NpzOptions, TableReader};
use puad::data::{DataError, ImageSet, ImageShape, Place, Samples, npz};
use puad::estimator::{Input, InputCheck, ScoredRows, TableScored, Warning};
use puad::{Error, Estimator, FitConfig, Result};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn array(name: &str) -> NpzOptions {
    NpzOptions {
        array: Some(name.into()),
        ..NpzOptions::default()
    }
}

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// An `.npy` file of version 1.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

fn f4(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn values(t: &Tensor) -> Vec<f64> {
    let flat = t.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
    flat.to_vec1().unwrap()
}

fn all(table: TableReader, size: usize) -> Result<Vec<f64>> {
    let batches = table.batches(size)?.collect::<Result<Vec<_>>>()?;
    Ok(batches.iter().flat_map(values).collect())
}

fn problem<T>(result: Result<T>) -> DataError {
    match result {
        Err(Error::Data(problem)) => problem,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no error"),
    }
}

#[test]
fn numpy_s_own_files_read() {
    let count = |offset: f64| (0..15).map(|i| f64::from(i) - offset).collect::<Vec<_>>();
    let cases = [
        ("le_f4", DType::F32, count(4.)),
        ("be_f4", DType::F32, count(4.)),
        ("le_f8", DType::F64, count(4.)),
        ("be_f8", DType::F64, count(4.)),
        ("i1", DType::F32, count(4.)),
        ("le_i2", DType::F32, count(4.)),
        ("be_i4", DType::F64, count(4.)),
        ("le_i8", DType::F64, count(4.)),
        ("u1", DType::F32, count(0.)),
        ("be_u2", DType::F32, count(0.)),
        ("le_u4", DType::F64, count(0.)),
        ("le_u8", DType::F64, count(0.)),
        (
            "bool",
            DType::F32,
            (0..15).map(|i| f64::from(i % 2)).collect(),
        ),
    ];
    for (name, dtype, expected) in cases {
        for size in [1, 2, 5, 100] {
            let mut table = TableReader::open_with(fixture("tables.npz"), &array(name)).unwrap();
            assert_eq!(
                (table.len(), table.sample_shape()),
                (Some(5), vec![3]),
                "{name}"
            );
            let first = table.next_batch(size).unwrap().unwrap();
            assert_eq!(
                (first.dtype(), first.dims()),
                (dtype, &[size.min(5), 3][..]),
                "{name}"
            );
            assert_eq!(table.rows_read(), size.min(5) as u64);
            let table = TableReader::open_with(fixture("tables.npz"), &array(name)).unwrap();
            assert_eq!(all(table, size).unwrap(), expected, "{name}");
        }
    }
    let table = TableReader::open_with(fixture("tables.npz"), &array("images")).unwrap();
    assert_eq!(table.sample_shape(), [1, 3, 1]);
    assert_eq!(
        table.read().unwrap().to_tensor().unwrap().dims(),
        [5, 1, 3, 1]
    );
    let table = TableReader::open(fixture("tables_stored.npz")).unwrap();
    assert_eq!(all(table, 4).unwrap(), count(0.));
}

#[test]
fn numpy_s_files_that_are_no_tables_are_named() {
    let open = |name| problem(TableReader::open_with(fixture("tables.npz"), &array(name)));
    for name in ["half", "complex", "text"] {
        let err = problem(TableReader::open_with(fixture("tables.npz"), &array(name)));
        assert!(
            matches!(err, DataError::Unsupported { .. }),
            "{name}: {err}"
        );
    }
    for name in ["flat", "scalar", "no_values"] {
        assert!(matches!(open(name), DataError::Shape { .. }), "{name}");
    }
    match open("absent") {
        DataError::Missing { name, present, .. } => {
            assert_eq!(name, "absent");
            assert!(present.contains(&"le_f4".to_string()));
        }
        other => panic!("{other}"),
    }
    let several = problem(TableReader::open(fixture("tables.npz")));
    assert!(
        matches!(&several, DataError::Missing { name, .. } if name.starts_with("one array")),
        "{several}"
    );
    let empty = TableReader::open_with(fixture("tables.npz"), &array("empty")).unwrap();
    assert_eq!(empty.is_empty(), Some(true));
    assert!(empty.read().unwrap().is_empty());
}

#[test]
fn npy_files_plain_and_gzipped_end_where_they_should() {
    let dir = Dir::new();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n";
    let whole = npy(header, &f4(&[0., 1., 2., 3., 4., 5.]));
    let expected = [0., 1., 2., 3., 4., 5.];
    assert_eq!(
        all(TableReader::open(dir.file("a.npy", &whole)).unwrap(), 2).unwrap(),
        expected
    );
    assert_eq!(
        all(
            TableReader::open(dir.file("a.npy.gz", gzip(&whole))).unwrap(),
            2
        )
        .unwrap(),
        expected
    );
    let unnamed = TableReader::open_with(dir.file("a.bin", &whole), &NpyOptions::default());
    assert_eq!(all(unnamed.unwrap(), 2).unwrap(), expected);
    for len in 0..whole.len() {
        let path = dir.file("cut.npy", &whole[..len]);
        let problem = problem(TableReader::open(&path).and_then(|t| all(t, 2)));
        assert!(
            matches!(
                problem,
                DataError::FileSize {
                    actual: Some(_),
                    ..
                }
            ),
            "{len}: {problem}"
        );
    }
    let long = dir.file("long.npy", [&whole[..], &[0]].concat());
    let problem = problem(TableReader::open(long).and_then(|t| all(t, 2)));
    assert!(
        matches!(problem, DataError::FileSize { actual: None, .. }),
        "{problem}"
    );
}

/// `[i, j, k] = 100 i + 10 j + k`, stored with `i` moving fastest.
fn fortran(shape: [usize; 3]) -> (Vec<u8>, Vec<f64>) {
    let [n, height, width] = shape;
    let value = |i: usize, j: usize, k: usize| (100 * i + 10 * j + k) as f32;
    let (mut stored, mut rows) = (Vec::new(), Vec::new());
    for k in 0..width {
        for j in 0..height {
            stored.extend((0..n).map(|i| value(i, j, k)));
        }
    }
    for i in 0..n {
        for j in 0..height {
            rows.extend((0..width).map(|k| f64::from(value(i, j, k))));
        }
    }
    let dict =
        format!("{{'descr': '<f4', 'fortran_order': True, 'shape': ({n}, {height}, {width}), }}\n");
    (npy(&dict, &f4(&stored)), rows)
}

#[test]
fn arrays_in_fortran_order_are_read_by_rows() {
    let dir = Dir::new();
    for shape in [[7, 2, 3], [7, 1, 1], [1, 2, 3], [0, 2, 3]] {
        let (bytes, rows) = fortran(shape);
        let path = dir.file("f.npy", &bytes);
        for size in [1, 2, 7, 1 << 40] {
            let mut table = TableReader::open(&path).unwrap();
            assert_eq!(table.len(), Some(shape[0] as u64));
            assert_eq!(table.sample_shape(), &shape[1..]);
            if let Some(batch) = table.next_batch(size).unwrap() {
                let dims = [size.min(shape[0]), shape[1], shape[2]];
                assert_eq!((batch.dims(), batch.dtype()), (&dims[..], DType::F32));
            }
            assert_eq!(all(TableReader::open(&path).unwrap(), size).unwrap(), rows);
        }
        for len in 0..bytes.len() {
            let path = dir.file("cut.npy", &bytes[..len]);
            let problem = problem(TableReader::open(&path).and_then(|t| all(t, 2)));
            assert!(
                matches!(problem, DataError::FileSize { expected, actual, .. }
                    if expected > len as u64 && actual == Some(len as u64)),
                "{len}: {problem}"
            );
        }
        let path = dir.file("long.npy", [&bytes[..], &[0]].concat());
        let problem = problem(TableReader::open(path).and_then(|t| all(t, 2)));
        assert!(
            matches!(problem, DataError::FileSize { expected, actual: None, .. }
                if expected == bytes.len() as u64),
            "{problem}"
        );
    }
}

/// Packed files cannot be visited at any place: they are held.
#[test]
fn packed_arrays_in_fortran_order_are_read_too() {
    let dir = Dir::new();
    for shape in [[7, 1, 1], [7, 2, 3], [0, 2, 3]] {
        let (bytes, rows) = fortran(shape);
        let path = dir.file("f.npy.gz", gzip(&bytes));
        for size in [1, 3, 100] {
            assert_eq!(all(TableReader::open(&path).unwrap(), size).unwrap(), rows);
        }
    }
    // As `numpy.savez` writes what pandas has.
    let table = TableReader::open_with(fixture("tables.npz"), &array("fortran")).unwrap();
    let whole = npz::Npz::open(fixture("tables.npz"))
        .unwrap()
        .read("fortran")
        .unwrap();
    assert!(whole.layout().fortran_order);
    assert_eq!(table.sample_shape(), &whole.shape()[1..]);
    assert_eq!(all(table, 2).unwrap(), whole.to_f64());
    let (bytes, _) = fortran([7, 2, 1]);
    let cut = dir.file("f.npy.gz", gzip(&bytes[..bytes.len() - 1]));
    assert!(matches!(
        problem(TableReader::open(&cut)),
        DataError::FileSize { .. }
    ));
}

/// A file that is cut while it is read is an error, not zeros.
#[test]
fn a_file_cut_behind_the_reader_is_an_error() {
    let dir = Dir::new();
    let (bytes, _) = fortran([100, 50, 40]);
    let path = dir.file("f.npy", &bytes);
    let mut table = TableReader::open(&path).unwrap();
    table.next_batch(1).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(300_000).unwrap();
    match problem(table.next_batch(1)) {
        DataError::FileSize {
            expected, actual, ..
        } => {
            assert_eq!((expected, actual), (bytes.len() as u64, Some(300_000)));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn headers_are_read_strictly_and_believed_in_nothing() {
    let dir = Dir::new();
    let open = |header: &str| TableReader::open(dir.file("h.npy", npy(header, &f4(&[1., 2.]))));
    for good in [
        "{'descr':'<f4','fortran_order':False,'shape':(1,2)}",
        "{ \"shape\" : ( 1 , 2 , ) , 'fortran_order' : False , 'descr' : '<f4' , } \n",
        "{'shape': (1L, 2L), 'descr': '<f4', 'fortran_order': False}",
    ] {
        assert_eq!(all(open(good).unwrap(), 9).unwrap(), [1., 2.], "{good}");
    }
    for bad in [
        "",
        "{",
        "{}",
        "{'descr': '<f4', 'shape': (1, 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, -2)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 2)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), 'more': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 2)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 2)}",
        "{'descr': '<f4\u{e9}, 'fortran_order': False",
    ] {
        assert!(
            matches!(problem(open(bad)), DataError::Malformed { .. }),
            "{bad}"
        );
    }
    for descr in ["", "f4", "<f4x", "|f4", "<f16", "<m8", "é4"] {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1, 2)}}");
        assert!(
            matches!(problem(open(&header)), DataError::Unsupported { .. }),
            "{descr}"
        );
    }
    // Promises of petabytes: found short without room being made for them.
    let huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000)}";
    let table = open(huge).unwrap();
    assert!(matches!(
        problem(all(table, 1 << 40)),
        DataError::FileSize {
            actual: Some(_),
            ..
        }
    ));
    let huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}";
    assert!(matches!(problem(open(huge)), DataError::Shape { .. }));
    let magic = dir.file("m.npy", b"PK\x03\x04 this is something else");
    assert!(matches!(
        problem(TableReader::open(magic)),
        DataError::Malformed { .. }
    ));
    let version = dir.file("v.npy", b"\x93NUMPY\x09\x00\x00\x00");
    assert!(matches!(
        problem(TableReader::open(version)),
        DataError::Unsupported { .. }
    ));
    let long = dir.file("l.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff");
    assert!(matches!(
        problem(TableReader::open(long)),
        DataError::Malformed { .. }
    ));
}

/// No changed byte of an archive makes a panic or other numbers without an error.
#[test]
fn damaged_archives_are_errors() {
    let dir = Dir::new();
    let bytes = std::fs::read(fixture("tables_stored.npz")).unwrap();
    let expected: Vec<f64> = (0..15).map(f64::from).collect();
    let mut errors = 0;
    for i in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[i] ^= 1 << (i % 8);
        let path = dir.file("damaged.npz", damaged);
        match TableReader::open_with(path, &array("only")).and_then(|t| all(t, 4)) {
            Ok(values) => assert_eq!(values, expected, "{i}"),
            Err(_) => errors += 1,
        }
    }
    assert!(errors > 120, "{errors}");
    for len in 0..bytes.len() {
        let path = dir.file("cut.npz", &bytes[..len]);
        assert!(
            TableReader::open(path).and_then(|t| all(t, 4)).is_err(),
            "{len}"
        );
    }
}

#[test]
fn csv_files_read_with_and_without_names() {
    let dir = Dir::new();
    let plain = dir.file("plain.csv", "1, 2.5,-3e2\n4,5,6\n");
    let table = TableReader::open(&plain).unwrap();
    assert_eq!((table.len(), table.sample_shape()), (None, vec![3]));
    assert_eq!(all(table, 1).unwrap(), [1., 2.5, -300., 4., 5., 6.]);
    let named = dir.file("named.csv", "id;a;b\nx1;1;2\nx2;3;4");
    let options = CsvOptions {
        columns: Some(vec![2.into(), "a".into()]),
        ..Default::default()
    };
    assert_eq!(
        all(TableReader::open_with(&named, &options).unwrap(), 5).unwrap(),
        [2., 1., 4., 3.]
    );
    let forced = CsvOptions {
        header: Some(true),
        ..Default::default()
    };
    assert_eq!(
        all(TableReader::open_with(&plain, &forced).unwrap(), 5).unwrap(),
        [4., 5., 6.]
    );
    let empty = dir.file("empty.csv", "");
    assert!(
        all(TableReader::open(empty).unwrap(), 5)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn csv_problems_are_named_with_their_place() {
    let dir = Dir::new();
    let path = dir.file("text.csv", "a,b\n1,2\n3,n/a\n");
    match problem(TableReader::open(path).and_then(|t| all(t, 5))) {
        DataError::Value { place, found, .. } => {
            let column = "b".to_string();
            assert_eq!(place, Place::Cell { line: 3, column });
            assert_eq!(found, "\"n/a\"");
        }
        other => panic!("{other}"),
    }
    let path = dir.file("ragged.csv", "1,2\n3,4,5\n");
    let ragged = problem(TableReader::open(path).and_then(|t| all(t, 5)));
    assert!(
        matches!(
            &ragged,
            DataError::Malformed {
                place: Place::Line(2),
                ..
            }
        ),
        "{ragged}"
    );
    let path = dir.file("narrow.csv", "1,2\n");
    let options = CsvOptions {
        columns: Some(vec![0.into(), 2.into()]),
        ..Default::default()
    };
    let narrow = problem(TableReader::open_with(path, &options));
    assert!(
        matches!(&narrow, DataError::Missing { name, present, .. }
            if name.starts_with("column 2") && *present == ["0", "1"]),
        "{narrow}"
    );
    let path = dir.file("bytes.csv", b"1,\xff\n2,\xfe\n");
    assert!(TableReader::open(path).and_then(|t| all(t, 5)).is_err());
    let other = dir.file("table.xlsx", "");
    assert!(matches!(
        problem(TableReader::open(other)),
        DataError::Unsupported { .. }
    ));
    let absent = dir.0.path().join("absent.csv");
    assert!(matches!(
        problem(TableReader::open(absent)),
        DataError::MissingFile { .. }
    ));
    assert!(
        TableReader::open(dir.file("a.csv", "1\n"))
            .unwrap()
            .batches(0)
            .is_err()
    );
}

#[test]
fn a_detector_scores_files_as_it_scores_rows() {
    let row = |i: usize| [(i as f32 * 0.7).sin(), (i as f32 * 0.3).cos()];
    let rows: Vec<[f32; 2]> = (0..700).map(row).collect();
    let mut config = FitConfig {
        method: Some(puad::method::Method::PUAE),
        ..FitConfig::default()
    };
    config.train.epochs = 2;
    let detector = Estimator::new(config)
        .fit(&rows, [[3f32, 3.], [4., 3.]])
        .unwrap();
    let expected = detector.score(&rows).unwrap();

    let dir = Dir::new();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (700, 2)}";
    let binary = dir.file("rows.npy", npy(header, &f4(rows.as_flattened())));
    let lines: String = rows
        .iter()
        .map(|r| format!("{:?},{:?}\n", r[0], r[1]))
        .collect();
    let text = dir.file("rows.csv", lines);
    for (path, total) in [(&binary, Some(700)), (&text, None)] {
        let (mut scores, mut seen) = (Vec::new(), Vec::new());
        let table = TableReader::open(path).unwrap().batches(128).unwrap();
        let rows = detector.score_table(table, |rows| {
            scores.extend_from_slice(&rows.found.scores);
            assert_eq!(
                (rows.total, rows.first),
                (total, rows.rows() - rows.len() as u64)
            );
            seen.push(rows.rows());
            ControlFlow::Continue(())
        });
        assert_eq!(rows.unwrap().rows, 700);
        assert_eq!(seen, [128, 256, 384, 512, 640, 700]);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-5 * (1. + b);
        assert!(scores.len() == 700 && scores.iter().zip(&expected).all(close));
    }
    let table = || TableReader::open(&binary).unwrap();
    let stop = |_: &ScoredRows| ControlFlow::Break(());
    let stopped = detector.score_table(table().batches(100).unwrap(), stop);
    assert_eq!(stopped.unwrap().rows, 100);
    // In one piece where nobody says otherwise.
    assert_eq!(detector.score_table(table(), stop).unwrap().rows, 700);

    let mut broken = rows.clone();
    broken[400][1] = f32::NAN;
    let path = dir.file("broken.npy", npy(header, &f4(broken.as_flattened())));
    let go = |_: &ScoredRows| ControlFlow::Continue(());
    let table = TableReader::open(&path).unwrap().batches(300).unwrap();
    let err = problem(detector.score_table(table, go));
    let entry = Place::Entry {
        row: 400,
        column: "1".into(),
    };
    assert!(
        matches!(&err, DataError::Value { place, path: Some(p), .. } if *place == entry && *p == path),
        "{err}"
    );
}

/// One pass gives what an alarm needs: which row, its values, its score, and what follows from it.
#[test]
fn a_detector_hands_out_rows_with_their_scores() {
    let row = |i: usize| [(i as f32 * 0.7).sin(), (i as f32 * 0.3).cos()];
    let rows: Vec<[f32; 2]> = (0..300).map(row).collect();
    let mut config = FitConfig::default();
    config.train.epochs = 2;
    let anomalies: Vec<[f32; 2]> = (0..20).map(|i| [8., 9. + i as f32 / 10.]).collect();
    let detector = Estimator::new(config).fit(&rows, &anomalies).unwrap();

    let dir = Dir::new();
    let line = |i: usize| match i % 3 {
        0 => format!("m{i},8.{i},9.{i}\n"),
        _ => format!("m{i},0.{i},0.9\n"),
    };
    let lines: String = (0..10).map(line).collect();
    let path = dir.file("rows.csv", format!("machine,heat,load\n{lines}"));
    let options = CsvOptions {
        ids: Some("machine".into()),
        ..CsvOptions::default()
    };
    let open = || TableReader::open_with(&path, &options).unwrap();
    let samples = open().read().unwrap();
    let (mut ids, mut values, mut scores) = (vec![], vec![], vec![]);
    let (mut anomalous, mut probabilities, mut flagged) = (vec![], vec![], vec![]);
    let counted = detector.score_table(open().batches(4).unwrap(), |rows| {
        let Input::Samples(samples) = &rows.input else {
            panic!("a table of numbers");
        };
        assert_eq!(samples.names(), ["heat", "load"]);
        flagged.extend(rows.flagged().map(|i| rows.first as usize + i));
        ids.extend_from_slice(&rows.ids);
        values.extend(self::values(&samples.to_tensor().unwrap()));
        scores.extend_from_slice(&rows.found.scores);
        anomalous.extend_from_slice(&rows.found.anomalous);
        probabilities.extend(rows.found.probabilities.clone().unwrap());
        ControlFlow::Continue(())
    });
    let counted = counted.unwrap();
    assert_eq!(counted.rows, 10);
    assert_eq!(counted.flagged, flagged.len() as u64);
    // Once a column, of all batches together; and once that the fit's columns had no names.
    let far = |warning: &Warning| match warning {
        Warning::FarOutside { column, count, .. } => (column.index, *count),
        other => panic!("{other}"),
    };
    let whole = detector.detect(&samples).unwrap().warnings;
    let count = |warnings: &[Warning]| {
        let (by_place, others): (Vec<&Warning>, Vec<&Warning>) =
            (warnings.iter()).partition(|warning| matches!(warning, Warning::ByPlace { .. }));
        assert_eq!(by_place.len(), 1);
        others.into_iter().map(far).collect::<Vec<_>>()
    };
    assert_eq!(count(&counted.warnings), count(&whole));
    assert_eq!(count(&whole), [(0, 4), (1, 4)]);
    assert_eq!(ids, (0..10).map(|i| format!("m{i}")).collect::<Vec<_>>());
    assert_eq!(values, self::values(&samples.to_tensor().unwrap()));
    assert_eq!(scores, detector.score(&samples).unwrap());
    assert_eq!(anomalous, detector.predict(&samples).unwrap());
    assert_eq!(probabilities, detector.predict_proba(&samples).unwrap());
    let expected = anomalous.iter().enumerate().filter(|(_, flag)| **flag);
    assert_eq!(flagged, expected.map(|(i, _)| i).collect::<Vec<_>>());
    assert!(anomalous.contains(&true) && anomalous.contains(&false));

    for text in ["", "heat,load\n"] {
        let path = dir.file("none.csv", text);
        let none = detector.score_table(TableReader::open(&path).unwrap(), |rows| {
            panic!("{} rows", rows.len())
        });
        assert_eq!(none.unwrap(), TableScored::default());
    }
}

/// The beginning of a file decides whether it is in the scale of the fit, before a row is handed out.
#[test]
fn a_file_in_another_unit_is_refused_by_name_and_rows_in_its_middle_are_scored() {
    let row = |i: usize| [1.5 + (i as f32 * 0.7).sin(), 2. + (i as f32 * 0.3).cos()];
    let rows: Vec<[f32; 2]> = (0..300).map(row).collect();
    let mut config = FitConfig::default();
    config.train.epochs = 2;
    let detector = Estimator::new(config)
        .fit(&rows, [[9f32, 9.], [8., 9.]])
        .unwrap();

    let dir = Dir::new();
    let lines = |times: [f32; 3]| -> String {
        let line = |(i, row): (usize, &[f32; 2])| {
            let times = times[i / 100];
            format!("{},{}\n", times * row[0], times * row[1])
        };
        rows.iter().enumerate().map(line).collect()
    };
    let score = |path: &Path| {
        let mut scored = Vec::new();
        let table = TableReader::open(path).unwrap().batches(100).unwrap();
        let summary = detector.score_table(table, |rows| {
            scored.extend_from_slice(&rows.found.anomalous);
            ControlFlow::Continue(())
        });
        (summary, scored)
    };
    let path = dir.file("grams.csv", lines([1000.; 3]));
    let (summary, scored) = score(&path);
    let err = summary.unwrap_err();
    let Error::InFile { path: named, error } = &err else {
        panic!("{err}");
    };
    assert!(
        *named == path && matches!(**error, Error::OtherScale { .. }),
        "{err}"
    );
    assert!(err.to_string().starts_with(path.to_str().unwrap()), "{err}");
    assert!(scored.is_empty());

    // However few rows are asked for at a time.
    let table = TableReader::open(&path).unwrap().batches(16).unwrap();
    let err = detector.score_table(table, |_| panic!("rows")).unwrap_err();
    assert!(matches!(err, Error::InFile { .. }), "{err}");

    let mut warning = detector.clone();
    warning.set_input_check(InputCheck::Warn);
    let table = TableReader::open(&path).unwrap().batches(16).unwrap();
    let go = |_: &ScoredRows| ControlFlow::Continue(());
    let scored = warning.score_table(table, go).unwrap();
    let scales = |w: &&Warning| matches!(w, Warning::OtherScale { .. });
    assert_eq!(scored.warnings.iter().filter(scales).count(), 1);

    let (summary, scored) = score(&dir.file("incident.csv", lines([1., 1000., 1.])));
    assert_eq!(summary.unwrap().warnings.iter().filter(scales).count(), 1);
    assert!(scored.len() == 300 && scored[100..200].iter().all(|&anomalous| anomalous));
}

/// One column of a file in another unit is told once, by the file's beginning, however few rows are read at a time; large
/// values in its middle are no other unit.
#[test]
fn a_column_of_a_file_in_another_unit_is_told_once() {
    let row = |i: usize| {
        let u = (i * 37 % 101) as f32 / 100.;
        [
            10. * 20f32.powf(u),
            (i as f32 * 0.7).sin(),
            (i as f32 * 0.3).cos(),
        ]
    };
    let rows: Vec<[f32; 3]> = (0..300).map(row).collect();
    let mut config = FitConfig::default();
    config.train.epochs = 2;
    let detector = Estimator::new(config)
        .fit(&rows, [[9f32, 9., 9.], [8., 9., 9.]])
        .unwrap();
    let dir = Dir::new();
    let file = |name: &str, times: fn(usize) -> f32| {
        let line = |(i, [a, b, c]): (usize, &[f32; 3])| format!("{},{b},{c}\n", times(i) * a);
        dir.file(name, rows.iter().enumerate().map(line).collect::<String>())
    };
    let (cents, some) = (
        file("cents.csv", |_| 100.),
        file("some.csv", |i| if i < 200 { 1. } else { 100. }),
    );
    for batch in [7, 100] {
        let units = |path: &Path| {
            let table = TableReader::open(path).unwrap().batches(batch).unwrap();
            let scored = detector.score_table(table, |_| ControlFlow::Continue(()));
            let unit = |warning: &Warning| match warning {
                Warning::OtherUnit { column, .. } => Some(column.index),
                _ => None,
            };
            scored
                .unwrap()
                .warnings
                .iter()
                .filter_map(unit)
                .collect::<Vec<_>>()
        };
        assert_eq!(units(&cents), [0], "{batch}");
        assert_eq!(units(&some), [0; 0], "{batch}");
    }
}

/// The same pixels have one scale, as images and as an array of bytes.
#[test]
fn images_of_bytes_are_scaled_as_images_are() {
    let dir = Dir::new();
    let shape = |dims: &str| format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {dims}}}");
    let pixels: Vec<u8> = (0..24).map(|i| 10 * i).collect();
    let path = dir.file("a.npy", npy(&shape("(2, 3, 2, 2)"), &pixels));
    let read = TableReader::open(&path).unwrap().read().unwrap();
    let of = ImageShape {
        channels: 3,
        height: 2,
        width: 2,
    };
    let set = ImageSet::new(pixels.clone(), of, vec![0; 2]).unwrap();
    let images = Samples::images(&set, of).unwrap();
    assert_eq!(
        values(&read.to_tensor().unwrap()),
        values(&images.to_tensor().unwrap())
    );
    // Numbers of a table are what they are.
    let path = dir.file("t.npy", npy(&shape("(2, 12)"), &pixels));
    let read = TableReader::open(&path).unwrap().read().unwrap();
    let plain: Vec<f64> = pixels.iter().map(|&pixel| pixel.into()).collect();
    assert_eq!(values(&read.to_tensor().unwrap()), plain);
}

/// Channels behind rows and columns are no channels without being asked about.
#[test]
fn channels_that_may_come_last_are_asked_about() {
    let dir = Dir::new();
    let header = |dims: &str, descr: &str| {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {dims}}}")
    };
    let bytes: Vec<u8> = (0..2 * 5 * 6 * 4).map(|i| (i % 251) as u8).collect();
    let path = dir.file("a.npy", npy(&header("(2, 5, 6, 4)", "|u1"), &bytes));
    let err = problem(TableReader::open(&path));
    assert!(
        matches!(&err, DataError::Ambiguous { remedy, .. } if remedy.contains("channels_last")),
        "{err}"
    );
    let options = |last| NpyOptions {
        channels_last: Some(last),
    };
    let first = TableReader::open_with(&path, &options(false)).unwrap();
    assert_eq!(first.sample_shape(), [5, 6, 4]);
    for size in [1, 2] {
        let table = TableReader::open_with(&path, &options(true)).unwrap();
        assert_eq!(table.sample_shape(), [4, 5, 6]);
        let tensors = table
            .batches(size)
            .unwrap()
            .collect::<Result<Vec<_>>>()
            .unwrap();
        let got = Tensor::cat(&tensors, 0).unwrap();
        assert_eq!(got.dims(), [2, 4, 5, 6]);
        let (n, c, y, x) = (1, 2, 3, 4);
        let value = got
            .get(n)
            .unwrap()
            .get(c)
            .unwrap()
            .get(y)
            .unwrap()
            .get(x)
            .unwrap();
        let stored = bytes[((n * 5 + y) * 6 + x) * 4 + c];
        assert_eq!(value.to_scalar::<f32>().unwrap(), f32::from(stored) / 255.);
    }
    // Floats are moved as well, and are not scaled.
    let floats: Vec<f32> = (0..5 * 6 * 3).map(|i| i as f32).collect();
    let path = dir.file("f.npy", npy(&header("(1, 5, 6, 3)", "<f4"), &f4(&floats)));
    let table = TableReader::open_with(&path, &options(true)).unwrap();
    assert_eq!(all(table, 1).unwrap()[..3], [0., 3., 6.]);
    // Nothing to ask.
    for dims in ["(2, 3, 5, 8)", "(10, 1, 24, 1)", "(240,1)"] {
        let path = dir.file("b.npy", npy(&header(dims, "|u1"), &bytes));
        assert!(TableReader::open(&path).is_ok(), "{dims}");
    }
    let vectors = dir.file("v.npy", npy(&header("(2, 120)", "|u1"), &bytes));
    assert!(matches!(
        problem(TableReader::open_with(&vectors, &options(true))),
        DataError::Shape { .. }
    ));
}
