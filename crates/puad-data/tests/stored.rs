//! Rows at any place are those that a reader finds in order.

use std::path::{Path, PathBuf};

use puad_data::DataError;
use puad_data::stream::{NpyOptions, StoredTable, TableReader, Values};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/datasets");

fn npy(dict: &str, values: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((dict.len() as u16).to_le_bytes());
    bytes.extend(dict.as_bytes());
    bytes.extend(values);
    bytes
}

fn floats(rows: usize, columns: usize, order: &str) -> Vec<u8> {
    let fortran = if order == "F" { "True" } else { "False" };
    let dict =
        format!("{{'descr': '<f4', 'fortran_order': {fortran}, 'shape': ({rows}, {columns}), }}\n");
    let values = (0..rows * columns).flat_map(|i| (i as f32 * 0.5).to_le_bytes());
    npy(&dict, &values.collect::<Vec<u8>>())
}

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn f64s(values: Values) -> Vec<f64> {
    match values {
        Values::U8(values) => values.into_iter().map(f64::from).collect(),
        Values::F32(values) => values.into_iter().map(f64::from).collect(),
        Values::F64(values) => values,
    }
}

fn as_read_in_order(path: &Path) {
    let all = TableReader::open(path).unwrap().read().unwrap();
    let table = StoredTable::open(path).unwrap();
    let n = table.len() as usize;
    let width: usize = table.sample_shape().iter().product();
    assert_eq!([vec![n], table.sample_shape()].concat(), all.shape);
    assert_eq!(table.read(0, n).unwrap(), all);
    assert_eq!(table.chunk_ends().last(), Some(&(n as u64)));
    assert!(table.chunk_ends().is_sorted_by(|a, b| a < b));
    let whole = f64s(all.values);
    for (first, count) in [(0, 1), (n - 1, 1), (1.min(n - 1), n / 2), (n, 0), (0, 0)] {
        let count = count.min(n - first);
        let part = table.read(first as u64, count).unwrap();
        assert_eq!(part.shape[0], count);
        assert_eq!(
            f64s(part.values),
            whole[first * width..(first + count) * width]
        );
    }
    for (first, count) in [(0, n + 1), (n as u64, 1), (u64::MAX, 1)] {
        let error = table.read(first, count).unwrap_err();
        assert!(
            matches!(error, DataError::Config { name: "rows", .. }),
            "{error}"
        );
    }
}

#[test]
fn every_type_of_npy() {
    let files = std::fs::read_dir(FIXTURES).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let npys: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|e| e == "npy"))
        .collect();
    assert!(npys.len() > 15);
    npys.iter().for_each(|path| as_read_in_order(path));
}

#[test]
fn both_orders_and_many_chunks() {
    let dir = Dir::new();
    for order in ["C", "F"] {
        let path = dir.file(&format!("{order}.npy"), &floats(5000, 40, order));
        as_read_in_order(&path);
        let ends = StoredTable::open(&path).unwrap().chunk_ends();
        assert_eq!(ends, [1638, 3276, 4914, 5000]);
    }
}

#[test]
fn threads_read_at_once() {
    let dir = Dir::new();
    let path = dir.file("rows.npy", &floats(3000, 4, "C"));
    let table = StoredTable::open(&path).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let table = &table;
            scope.spawn(move || {
                for i in 0..300 {
                    let row = (i * 7 + thread * 613) % 3000;
                    let values = f64s(table.read(row, 1).unwrap().values);
                    assert_eq!(values[0], row as f64 * 2.);
                }
            });
        }
    });
}

#[test]
fn images_with_their_channels_last() {
    let dir = Dir::new();
    let dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 5, 4, 3), }\n";
    let path = dir.file("images.npy", &npy(dict, &(0..120).collect::<Vec<u8>>()));
    assert!(matches!(
        StoredTable::open(&path).err(),
        Some(DataError::Ambiguous { .. })
    ));
    let options = NpyOptions {
        channels_last: Some(true),
    };
    let table = StoredTable::open_with(&path, &options).unwrap();
    let read = TableReader::open_with(&path, &options)
        .unwrap()
        .read()
        .unwrap();
    assert_eq!(table.read(0, 2).unwrap(), read);
    assert_eq!(table.sample_shape(), [3, 5, 4]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let dir = Dir::new();
    let good = floats(100, 4, "C");
    for (name, bytes) in [
        ("short.npy", &good[..good.len() - 1]),
        ("long.npy", &[&good[..], &[0]].concat()),
    ] {
        let error = StoredTable::open(dir.file(name, bytes)).err();
        assert!(
            matches!(error, Some(DataError::FileSize { .. })),
            "{name}: {error:?}"
        );
    }
    let error = StoredTable::open(dir.file("a.csv", b"1,2\n"))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains(".npy and in Parquet"), "{error}");
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &good).unwrap();
    let path = dir.file("packed.npy.gz", &packed.finish().unwrap());
    let error = StoredTable::open(&path).err().unwrap().to_string();
    assert!(error.contains("in plain files"), "{error}");
    let missing = StoredTable::open(dir.0.path().join("none.npy")).err();
    assert!(matches!(missing, Some(DataError::MissingFile { .. })));

    // Cut after it was opened; and a value that is no number.
    let path = dir.file("cut.npy", &good);
    let table = StoredTable::open(&path).unwrap();
    std::fs::write(&path, &good[..good.len() - 20]).unwrap();
    assert!(table.read(0, 90).is_ok());
    assert!(matches!(
        table.read(90, 10).unwrap_err(),
        DataError::FileSize { .. }
    ));
    let mut bad = good.clone();
    let at = bad.len() - 4 * (4 * 10 - 2);
    bad[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let table = StoredTable::open(dir.file("nan.npy", &bad)).unwrap();
    let error = table.read(88, 5).unwrap_err().to_string();
    assert!(error.contains("row 90, column \"2\""), "{error}");
}
