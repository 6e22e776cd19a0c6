//! Tables from Parquet, on files that the crate `parquet` wrote.
#![cfg(feature = "parquet")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use puad_data::stream::{Batch, ParquetOptions, StoredTable, TableReader, Values};
use puad_data::{DataError, Place};

const SCHEMA: &str = "message machines {
    required double pressure;
    optional int32 count (INTEGER(32, false));
    required group place { required float height; required boolean indoors; }
    required int64 id;
    optional int32 small (INTEGER(8, true));
    required binary label (STRING);
    required int32 day (DATE);
    required int64 price (DECIMAL(9, 2));
    repeated int32 repairs;
}";

/// Rows of the file's groups.
const GROUPS: [usize; 3] = [5, 0, 4];

fn pressure(row: usize) -> f64 {
    0.1 * (row / 2) as f64 - 0.3
}

fn count(row: usize) -> u32 {
    u32::MAX - row as u32
}

fn id(row: usize) -> i64 {
    7 * row as i64 - 20
}

/// What is changed about the file.
#[derive(Default)]
struct Change {
    /// The row whose `count` is missing.
    missing: Option<usize>,
    /// The row whose `pressure` is this.
    pressure: Option<(usize, f64)>,
}

fn write(path: &Path, properties: WriterProperties, change: &Change) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut first = 0;
    for n in GROUPS {
        let rows: Vec<usize> = (first..first + n).collect();
        let mut group = writer.next_row_group().unwrap();
        let mut at = 0;
        while let Some(mut column) = group.next_column().unwrap() {
            cells(column.untyped(), at, &rows, change);
            column.close().unwrap();
            at += 1;
        }
        group.close().unwrap();
        first += n;
    }
    writer.close().unwrap();
}

fn cells(writer: &mut ColumnWriter, column: usize, rows: &[usize], change: &Change) {
    let all = |value: fn(usize) -> i32| rows.iter().map(|&row| value(row)).collect::<Vec<_>>();
    let written = match writer {
        ColumnWriter::DoubleColumnWriter(writer) => {
            let value = |&row: &usize| match change.pressure {
                Some((at, value)) if at == row => value,
                _ => pressure(row),
            };
            let values: Vec<f64> = rows.iter().map(value).collect();
            writer.write_batch(&values, None, None)
        }
        ColumnWriter::FloatColumnWriter(writer) => {
            let values: Vec<f32> = rows.iter().map(|&row| row as f32 / 4.).collect();
            writer.write_batch(&values, None, None)
        }
        ColumnWriter::BoolColumnWriter(writer) => {
            let values: Vec<bool> = rows.iter().map(|row| row.is_multiple_of(3)).collect();
            writer.write_batch(&values, None, None)
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let values: Vec<i64> = rows.iter().map(|&row| id(row)).collect();
            writer.write_batch(&values, None, None)
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let values: Vec<_> = rows.iter().map(|row| format!("no. {row}")).collect();
            let values: Vec<_> = values.iter().map(|text| text.as_str().into()).collect();
            writer.write_batch(&values, None, None)
        }
        ColumnWriter::Int32ColumnWriter(writer) => match column {
            1 => {
                let levels = rows
                    .iter()
                    .map(|&row| i16::from(change.missing != Some(row)));
                let levels: Vec<i16> = levels.collect();
                let rows = rows.iter().filter(|&&row| change.missing != Some(row));
                let values: Vec<i32> = rows.map(|&row| count(row).cast_signed()).collect();
                writer.write_batch(&values, Some(&levels), None)
            }
            5 => writer.write_batch(&all(|row| -(row as i32)), Some(&vec![1; rows.len()]), None),
            7 => writer.write_batch(&all(|row| 20_000 + row as i32), None, None),
            _ => {
                let levels = vec![1; rows.len()];
                writer.write_batch(
                    &all(|row| row as i32),
                    Some(&levels),
                    Some(&vec![0; rows.len()]),
                )
            }
        },
        _ => panic!("another type"),
    };
    written.unwrap();
}

struct Fixture {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn fixture(properties: WriterProperties, change: &Change) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("machines.parquet");
    write(&path, properties, change);
    Fixture { _dir: dir, path }
}

fn plain() -> Fixture {
    fixture(WriterProperties::default(), &Change::default())
}

fn columns(names: &[&str]) -> ParquetOptions {
    let columns = names.iter().map(ToString::to_string).collect();
    ParquetOptions {
        columns: Some(columns),
        ids: None,
    }
}

fn open(file: &Fixture, names: &[&str]) -> puad_data::Result<TableReader> {
    TableReader::open_with(&file.path, &columns(names))
}

fn error<T>(result: puad_data::Result<T>) -> DataError {
    result.err().expect("an error")
}

const NUMBERS: [&str; 6] = [
    "id",
    "place.indoors",
    "pressure",
    "count",
    "place.height",
    "small",
];

/// Columns `NUMBERS` of all rows.
fn numbers() -> Vec<f64> {
    let row = |row: usize| {
        [
            id(row) as f64,
            f64::from(u8::from(row.is_multiple_of(3))),
            pressure(row),
            count(row).into(),
            row as f64 / 4.,
            -(row as f64),
        ]
    };
    (0..9).flat_map(row).collect()
}

#[test]
fn columns_come_by_name_however_they_are_packed() {
    let build = WriterProperties::builder;
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for properties in [
        build(),
        build().set_compression(Compression::SNAPPY),
        build().set_compression(zstd).set_dictionary_enabled(false),
        build().set_compression(Compression::GZIP(GzipLevel::default())),
        build()
            .set_compression(Compression::GZIP(GzipLevel::default()))
            .set_dictionary_enabled(false),
        build()
            .set_compression(zstd)
            .set_data_page_row_count_limit(1)
            .set_write_batch_size(1),
        build()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_compression(Compression::SNAPPY)
            .set_dictionary_enabled(false),
        build()
            .set_dictionary_enabled(false)
            .set_column_encoding("pressure".into(), Encoding::BYTE_STREAM_SPLIT),
    ] {
        let file = fixture(properties.build(), &Change::default());
        let table = open(&file, &NUMBERS).unwrap();
        assert_eq!((table.sample_shape(), table.len()), (vec![6], Some(9)));
        let all = table.read().unwrap();
        assert_eq!(all.shape, [9, 6]);
        assert_eq!(all.values, Values::F64(numbers()));
    }
}

#[test]
fn a_column_twice_and_names_of_rows_that_are_not_there_are_told() {
    let file = plain();
    let refused = |columns: Option<&[&str]>, ids: &str| {
        let columns = columns.map(|names| names.iter().map(|&name| name.into()).collect());
        let ids = Some(ids.into());
        let options = ParquetOptions { columns, ids };
        let error = TableReader::open_with(&file.path, &options).err().unwrap();
        assert_eq!(
            StoredTable::open_with(&file.path, &options)
                .err()
                .unwrap()
                .to_string(),
            error.to_string()
        );
        error.to_string()
    };
    let twice = refused(Some(&["count", "pressure", "count"]), "id");
    assert_eq!(
        twice,
        "columns must be names that differ, got \"count\" twice"
    );
    let missing = refused(None, "Id");
    assert!(missing.contains("must hold Id"), "{missing}");
    let text = refused(None, "id");
    assert!(
        text.contains("`ids` the rows' names") && text.contains("label"),
        "{text}"
    );
}

#[test]
fn rows_at_any_place_are_those_of_the_batches() {
    let file = plain();
    let options = ParquetOptions {
        columns: Some(NUMBERS.map(Into::into).to_vec()),
        ids: None,
    };
    let table = StoredTable::open_with(&file.path, &options).unwrap();
    assert_eq!((table.len(), table.sample_shape()), (9, vec![6]));
    assert_eq!(table.columns(), NUMBERS);
    // The group without rows is none.
    assert_eq!(table.chunk_ends(), [5, 9]);
    for first in 0..=9 {
        for count in 0..=9 - first {
            let batch = table.read(first as u64, count).unwrap();
            assert_eq!(batch.shape, [count, 6]);
            let expected = numbers()[first * 6..(first + count) * 6].to_vec();
            assert_eq!(batch.values, Values::F64(expected), "{first} {count}");
        }
    }
    for change in [
        Change {
            missing: Some(7),
            ..Change::default()
        },
        Change {
            pressure: Some((7, f64::NAN)),
            ..Change::default()
        },
    ] {
        let file = fixture(WriterProperties::default(), &change);
        let table = StoredTable::open_with(&file.path, &options).unwrap();
        assert!(table.read(0, 5).is_ok());
        let error = table.read(6, 1).unwrap_err().to_string();
        assert!(error.contains("row 7"), "{error}");
    }
}

#[test]
fn batches_go_across_groups() {
    let file = plain();
    for size in [1, 2, 4, 5, 8, 9, 10, usize::MAX] {
        let mut shapes = vec![];
        let mut values = vec![];
        for batch in open(&file, &NUMBERS).unwrap().batches(size).unwrap() {
            let Batch {
                shape,
                values: Values::F64(batch),
                ..
            } = batch.unwrap()
            else {
                panic!("f32");
            };
            shapes.push(shape[0]);
            values.extend(batch);
        }
        assert_eq!(values, numbers());
        assert!(shapes.iter().rev().skip(1).all(|&n| n == size));
    }
    let mut table = open(&file, &["id", "pressure"]).unwrap();
    assert_eq!(table.next_batch(7).unwrap().unwrap().shape, [7, 2]);
    assert_eq!(table.rows_read(), 7);
    assert_eq!(table.next_batch(7).unwrap().unwrap().shape, [2, 2]);
    assert_eq!(table.next_batch(7).unwrap(), None);
}

/// Where that holds all values.
#[test]
fn small_numbers_are_f32() {
    let file = plain();
    let read = |names: &[&str]| open(&file, names).unwrap().read().unwrap().values;
    let narrow = read(&["place.height", "place.indoors", "small"]);
    assert!(matches!(narrow, Values::F32(values) if values[3..6] == [0.25, 0., -1.]));
    for name in ["pressure", "count", "id"] {
        assert!(matches!(read(&["small", name]), Values::F64(_)), "{name}");
    }
}

#[test]
fn names_of_columns_and_of_rows_come_along() {
    let file = plain();
    for (ids, first) in [("label", "no. 0"), ("id", "-20"), ("pressure", "-0.3")] {
        let options = ParquetOptions {
            ids: Some(ids.into()),
            ..columns(&["small", "count"])
        };
        let mut table = TableReader::open_with(&file.path, &options).unwrap();
        assert_eq!(table.columns(), ["small", "count"]);
        let batch = table.next_batch(7).unwrap().unwrap();
        assert_eq!((batch.ids.len(), batch.ids[0].as_str()), (7, first));
        assert_eq!(batch.shape, [7, 2]);
        assert_eq!(table.next_batch(7).unwrap().unwrap().ids.len(), 2);
    }
    let options = ParquetOptions {
        ids: Some("place.indoors".into()),
        ..columns(&["small"])
    };
    let table = TableReader::open_with(&file.path, &options).unwrap();
    assert!(matches!(error(table.read()), DataError::Unsupported { .. }));
}

/// As pandas writes a table whose rows have names.
#[test]
fn the_names_that_pandas_gives_rows_are_no_feature() {
    let schema =
        "message p { required double a; required double b; required int64 __index_level_0__; }";
    let dir = tempfile::tempdir().unwrap();
    // The ending that pandas' documentation has.
    let path = dir.path().join("df.parquet.gzip");
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(&path).unwrap();
    let gzip = WriterProperties::builder().set_compression(Compression::GZIP(GzipLevel::default()));
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(gzip.build())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    while let Some(mut column) = group.next_column().unwrap() {
        match column.untyped() {
            ColumnWriter::DoubleColumnWriter(w) => w.write_batch(&[0.5, 1.5], None, None),
            ColumnWriter::Int64ColumnWriter(w) => w.write_batch(&[7, 9], None, None),
            _ => panic!("another type"),
        }
        .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    let table = TableReader::open(&path).unwrap();
    assert_eq!(table.columns(), ["a", "b"]);
    assert_eq!(
        table.read().unwrap().values,
        Values::F64(vec![0.5, 0.5, 1.5, 1.5])
    );
    let ids = Some("__index_level_0__".into());
    let options = ParquetOptions { columns: None, ids };
    let table = TableReader::open_with(&path, &options).unwrap();
    assert_eq!(table.read().unwrap().ids, ["7", "9"]);
}

#[test]
fn files_say_what_they_hold() {
    let columns = puad_data::parquet::columns(&plain().path).unwrap();
    let numeric = columns.iter().filter(|column| column.numeric);
    let numeric: Vec<&str> = numeric.map(|column| column.name.as_str()).collect();
    assert_eq!(
        numeric,
        [
            "pressure",
            "count",
            "place.height",
            "place.indoors",
            "id",
            "small"
        ]
    );
    assert_eq!(
        (columns[0].kind.as_str(), columns[6].name.as_str()),
        ("DOUBLE", "label")
    );
    assert!(columns[7].kind.starts_with("INT32"), "{columns:?}");
}

#[test]
fn columns_that_are_not_there_or_hold_no_numbers_are_errors() {
    let file = plain();
    match error(open(&file, &["id", "presure"])) {
        DataError::Missing {
            path,
            name,
            present,
        } => {
            assert_eq!((path, name.as_str()), (file.path.clone(), "presure"));
            assert!(present.len() == 10 && present.contains(&"pressure".to_string()));
        }
        error => panic!("{error}"),
    }
    for name in ["label", "day", "price", "repairs"] {
        match error(open(&file, &["id", name])) {
            DataError::Unsupported { found, .. } => {
                assert!(found.ends_with(&format!("in column {name:?}")), "{found}");
            }
            error => panic!("{error}"),
        }
    }
    // All columns, where some hold no numbers.
    let err = error(TableReader::open_with(
        &file.path,
        &ParquetOptions::default(),
    ));
    assert!(matches!(err, DataError::Unsupported { .. }), "{err}");
    assert!(matches!(error(open(&file, &[])), DataError::Config { .. }));
    let absent = error(TableReader::open_with("absent.parquet", &columns(&["id"])));
    assert!(matches!(absent, DataError::MissingFile { .. }), "{absent}");
}

#[test]
fn missing_values_and_nan_are_errors_with_row_and_column() {
    for (row, bad) in [(0, f64::NAN), (6, f64::NEG_INFINITY)] {
        for change in [
            Change {
                missing: Some(row),
                ..Change::default()
            },
            Change {
                pressure: Some((row, bad)),
                ..Change::default()
            },
        ] {
            let file = fixture(WriterProperties::default(), &change);
            let name = if change.missing.is_some() {
                "count"
            } else {
                "pressure"
            };
            let mut table = open(&file, &["id", "count", "pressure"]).unwrap();
            let mut batches = std::iter::from_fn(|| table.next_batch(2).transpose());
            let failed = batches.find_map(Result::err);
            match failed.expect("an error") {
                DataError::Value { place, .. } => {
                    let column = name.to_string();
                    assert_eq!(place, Place::Entry { row, column });
                }
                error => panic!("{error}"),
            }
            // Other columns are whole.
            assert!(open(&file, &["id", "small"]).unwrap().read().is_ok());
        }
    }
}

/// The crate's way to name a column twice.
#[test]
fn names_that_are_not_one_columns_are_errors() {
    let schema = "message twice { required double a; required double a; required double b; }";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("twice.parquet");
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let writer =
        SerializedFileWriter::new(File::create(&path).unwrap(), schema, Default::default());
    writer.unwrap().close().unwrap();
    let read = |name: &str| TableReader::open_with(&path, &columns(&[name]));
    assert!(matches!(error(read("a")), DataError::Malformed { .. }));
    let empty = read("b").unwrap();
    assert_eq!(empty.is_empty(), Some(true));
    assert_eq!(empty.read().unwrap().shape, [0, 1]);
}
