//! Columns of Parquet files in their own types, with gaps.
#![cfg(feature = "parquet")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use puad_data::stream::ParquetOptions;
use puad_data::table::{Kind, Schema, TableFile, Value};

const SCHEMA: &str = "message payments {
    optional double amount;
    optional binary country (STRING);
    optional boolean online;
    optional int64 at (TIMESTAMP(MICROS, true));
    optional int32 day (DATE);
    required int32 count (INTEGER(32, false));
    repeated int32 parts;
    required binary raw;
}";

/// Three rows, of which the second has gaps alone, in each of two groups.
fn write(path: &Path) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer =
        SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
    for _ in 0..2 {
        let mut group = writer.next_row_group().unwrap();
        let mut at = 0;
        while let Some(mut column) = group.next_column().unwrap() {
            let levels = Some(&[1i16, 0, 1][..]);
            match (column.untyped(), at) {
                (ColumnWriter::DoubleColumnWriter(w), _) => {
                    w.write_batch(&[0.5, -2.], levels, None)
                }
                (ColumnWriter::BoolColumnWriter(w), _) => {
                    w.write_batch(&[true, false], levels, None)
                }
                (ColumnWriter::Int64ColumnWriter(w), _) => {
                    w.write_batch(&[1_767_441_600_100_003, -1_000_000], levels, None)
                }
                (ColumnWriter::Int32ColumnWriter(w), 4) => {
                    w.write_batch(&[1, 20_000], levels, None)
                }
                (ColumnWriter::Int32ColumnWriter(w), 5) => w.write_batch(&[-1, 2, 3], None, None),
                (ColumnWriter::Int32ColumnWriter(w), _) => {
                    w.write_batch(&[], Some(&[0, 0, 0]), Some(&[0, 0, 0]))
                }
                (ColumnWriter::ByteArrayColumnWriter(w), 1) => w.write_batch(
                    &[ByteArray::from("DE"), ByteArray::from("FR")],
                    levels,
                    None,
                ),
                (ColumnWriter::ByteArrayColumnWriter(w), _) => {
                    w.write_batch(&vec![ByteArray::from("x"); 3], None, None)
                }
                _ => panic!("column {at}"),
            }
            .unwrap();
            column.close().unwrap();
            at += 1;
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn columns_keep_their_types_and_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("payments.parquet");
    write(&path);
    let file = TableFile::open(&path).unwrap();
    let schema = file.schema().unwrap();
    let kinds: Vec<(&str, Kind)> = schema
        .columns
        .iter()
        .map(|f| (f.name.as_str(), f.kind))
        .collect();
    // Lists and bytes are told, and not read.
    let expected = [
        ("amount", Kind::Number),
        ("country", Kind::Category),
        ("online", Kind::Boolean),
        ("at", Kind::Time),
        ("day", Kind::Time),
        ("count", Kind::Number),
        ("parts", Kind::Ignored),
        ("raw", Kind::Ignored),
    ];
    assert_eq!(kinds, expected);
    let about = |name| schema.field(name).unwrap().about.as_str();
    assert_eq!(about("raw"), "BYTE_ARRAY, which is not read");
    assert_eq!(about("parts"), "lists of INT32, which is not read");
    let table = file.read(&schema).unwrap();
    assert_eq!(table.len(), 6);
    let row = |row: usize| {
        table
            .names()
            .into_iter()
            .map(|name| table.value(row, name).unwrap())
            .collect::<Vec<_>>()
    };
    let first = [
        Value::Number(0.5),
        Value::Word("DE"),
        Value::Boolean(true),
        // As it is read from text.
        Value::Time(1_767_441_600.100_003),
        Value::Time(86_400.),
        Value::Number(4_294_967_295.),
    ];
    assert_eq!(row(0), first);
    assert_eq!(row(3), first);
    let gaps = [Value::Gap; 5].into_iter().chain([Value::Number(2.)]);
    assert_eq!(row(4), gaps.collect::<Vec<_>>());
    assert_eq!(row(5)[3], Value::Time(-1.));
}

#[test]
fn a_part_of_the_columns_is_read_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("payments.parquet");
    write(&path);
    let file = TableFile::open(&path).unwrap();
    let schema = Schema::new([("count", Kind::Category), ("country", Kind::Id)]).unwrap();
    let sizes: Vec<usize> = file
        .batches(&schema, 4)
        .unwrap()
        .map(|b| b.unwrap().len())
        .collect();
    assert_eq!(sizes, [4, 2]);
    let table = file.read(&schema).unwrap();
    assert_eq!(table.ids()[..3], ["DE", "", "FR"]);
    assert_eq!(table.value(1, "count"), Some(Value::Word("2")));
    let missing = Schema::new([("parts", Kind::Number)]).unwrap();
    assert!(
        file.read(&missing)
            .unwrap_err()
            .to_string()
            .contains("[\"parts\"]")
    );
    let chosen = ParquetOptions {
        ids: Some("country".into()),
        ..ParquetOptions::default()
    };
    assert!(TableFile::open_with(&path, chosen).schema().is_err());
}
